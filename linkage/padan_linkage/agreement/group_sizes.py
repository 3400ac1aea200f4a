"""How many records share the exact fields of a pass: the estimate behind the linter's refusals.

A record's salt group is expected to hold ``N · Σp²`` records (p: shares of the values), that is N
over the *effective* number of distinct values. The figures below are such numbers for Indonesian
populations, right to about a factor of two: a list with many one-word names has larger groups.
Spec 40, "Group sizes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, prod

from padan_linkage.schema import LOW_ENTROPY_KINDS, Kind, Pass, Schema

#: Kinds that name one person or company; the rest of a pass cannot make them more unique.
STRONG_KINDS = frozenset(
    {
        Kind.NIK,
        Kind.NIP,
        Kind.NPWP,
        Kind.PASSPORT,
        Kind.JKN_CARD,
        Kind.BPJSTK_NUMBER,
        Kind.NIB,
    }
)

_NAME: dict[str, float] = {
    "": 12_000,
    "sorted": 12_000,
    "phonetic": 8_000,
    "phonetic_first": 90,
    "phonetic_last": 200,
    "initials": 100,
    "first": 120,
    "last": 300,
    "first1": 12,
    "first2": 50,
    "first3": 80,
    "first_end": 80,
    "last1": 12,
    "last2": 70,
    "last3": 150,
    "last_end": 120,
    "ends2": 1_500,
    "ends3": 5_000,
    "edits": 1_000,
    "halves": 190,
    "words": 80,
    "pairs": 15_000,
}
_COMPANY: dict[str, float] = {
    "": 500_000,
    "sorted": 500_000,
    "phonetic": 300_000,
    "phonetic_first": 400,
    "phonetic_last": 400,
    "initials": 2_000,
    "first": 500,
    "last": 500,
    "first1": 15,
    "first2": 100,
    "first3": 300,
    "first_end": 300,
    "last1": 15,
    "last2": 100,
    "last3": 300,
    "last_end": 300,
    "ends2": 5_000,
    "ends3": 50_000,
    "words": 100,
    "pairs": 50_000,
}
#: Effective number of distinct values, by kind and derivation ("" is the whole value).
_DISTINCT: dict[Kind, dict[str, float]] = {
    **{kind: {"": inf} for kind in STRONG_KINDS},
    Kind.NIK: {"": inf, "district": 3_000, "birth_date": 16_000, "area": 3_000},
    Kind.NIP: {"": inf, "birth_date": 12_000},
    Kind.PASSPORT: {"": inf, "edits": 100_000},
    Kind.PERSON_NAME: _NAME,
    Kind.COMPANY_NAME: _COMPANY,
    Kind.DATE: {
        "": 16_000,
        "year": 45,
        "month": 12,
        "day": 30,
        "year_month": 540,
        "unordered": 9_000,
    },
    Kind.PLACE: {"": 150, "phonetic": 140},
    Kind.ADDRESS: {"": 1_000_000, "sorted": 1_000_000},
    Kind.PHONE: {"": 50_000_000},
    Kind.EMAIL: {"": 50_000_000},
    Kind.KK: {"": 50_000_000},
    Kind.SEX: {"": 2},
    Kind.NATIONALITY: {"": 8},
    Kind.KBLI: {"": 100},
    Kind.CODE: {"": 100, "prefix3": 30, "prefix4": 60},
    Kind.TEXT: {"": 1_000, "sorted": 1_000, "phonetic": 800, "first": 200},
}

#: Typical number of q-grams of one value, by kind; a record inserts weight / q-grams bits for each.
_GRAMS: dict[Kind, int] = {
    Kind.PERSON_NAME: 14,
    Kind.COMPANY_NAME: 20,
    Kind.DATE: 14,
    Kind.ADDRESS: 30,
    Kind.TEXT: 14,
}
_IDENTIFIER_GRAMS = 14


#: Effective numbers of values that somebody measured, by field; they overrule the table above.
Measured = Mapping[str, float]


def distinct_values(schema: Schema, key: str, measured: Measured | None = None) -> float:
    """Effective number of values of an exact key such as ``nama:phonetic``; inf if unique."""
    name, _, derivation = key.partition(":")
    if not derivation and name in (measured or {}):
        return (measured or {})[name]
    kinds = _DISTINCT[schema.kind(name)]
    return kinds.get(derivation, min(kinds.values()))


def distinct_combinations(
    schema: Schema, exact: Iterable[str], measured: Measured | None = None
) -> float:
    """Effective number of combinations of exact keys; inf if one of them is unique.

    Fields count as independent. Of several keys of one field only the most telling counts, save
    for month and day: together they are a day of the year.
    """
    by_field: dict[str, float] = {}
    keys = set(exact)
    for key in keys:
        name, _, derivation = key.partition(":")
        values = distinct_values(schema, key, measured)
        if derivation == "month" and f"{name}:day" in keys:
            values *= distinct_values(schema, f"{name}:day")
        by_field[name] = max(by_field.get(name, 1.0), values)
    return prod(by_field.values())


def group_size(schema: Schema, p: Pass, records: int, measured: Measured | None = None) -> float:
    """Expected number of records, of ``records``, that share a record's exact values; at least 1.

    Spec 40, "Group sizes".
    """
    return max(1.0, records / distinct_combinations(schema, p.exact, measured))


def has_strong_identifier(schema: Schema, p: Pass) -> bool:
    """Whether the pass's exact fields hold a whole identifier of one person or company."""
    return any(":" not in key and schema.kind(key) in STRONG_KINDS for key in p.exact)


def low_entropy(schema: Schema, name: str) -> bool:
    """Whether the field has so few values that equality alone tells much."""
    return schema.kind(name) in LOW_ENTROPY_KINDS


def strength(schema: Schema, fields: tuple[str, ...], bits: int, weight: int, t: int) -> float:
    """Diffusion strength t·k/m of a segment, with k = weight / q-grams of its fields together."""
    grams = sum(_GRAMS.get(schema.kind(n), _IDENTIFIER_GRAMS) for n in fields)
    return t * (weight / grams) / bits
