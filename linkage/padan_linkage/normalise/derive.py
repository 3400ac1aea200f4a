"""Derived keys: parts and tolerant forms of normalised values, for the exact side of a pass."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from padan_linkage.normalise.calendar import full_year
from padan_linkage.normalise.normalised import map_distinct, similar_values, sound_values
from padan_linkage.normalise.word_keys import WORD_KEYS, word_key
from padan_linkage.schema import DERIVATIONS, Kind, Pass, Schema

#: Keys made also of a number that is damaged further behind.
OF_DAMAGED = frozenset({(Kind.NIK, "area")})

_SLICES = {
    (Kind.DATE, "year"): (0, 4),
    (Kind.DATE, "year_month"): (0, 7),
    (Kind.DATE, "month"): (5, 7),
    (Kind.DATE, "day"): (8, 10),
    (Kind.NIK, "district"): (0, 6),
    (Kind.NIK, "area"): (0, 6),
    (Kind.CODE, "prefix3"): (0, 3),
    (Kind.CODE, "prefix4"): (0, 4),
}


#: Keys that may be empty where the value is not: the old NIP holds no birth date.
PARTIAL = frozenset({(Kind.NIP, "birth_date")})
#: Keys of which a record's field does not tell whether it has one.
FILLED_APART = PARTIAL | OF_DAMAGED


def derive(kind: Kind, derivation: str, normalised: pa.StringArray) -> pa.StringArray:
    """The derived key of every value, "" where the value is "" or doubtful (and see ``PARTIAL``).

    Keys made of words (``sorted``, ``phonetic`` …): :data:`.word_keys.WORD_KEYS`. Dates: ``year``,
    ``month``, ``day``, ``year_month``; ``unordered``: year and the sorted pair of day and month.
    NIK: ``district`` (6 digits), ``area`` (the same, :data:`OF_DAMAGED`), ``birth_date``; NIP:
    ``birth_date``. Codes: ``prefix3``,
    ``prefix4``. Raises KeyError if the kind has no such derivation.
    """
    if derivation not in DERIVATIONS.get(kind, frozenset()):
        raise KeyError(f"{kind} has no derived key {derivation!r}")
    damaged_too = (kind, derivation) in OF_DAMAGED
    normalised = (similar_values if damaged_too else sound_values)(normalised)
    bounds = _SLICES.get((kind, derivation))
    if bounds is not None:
        return pc.utf8_slice_codeunits(normalised, *bounds)
    if derivation in WORD_KEYS:
        return word_key(derivation, normalised, company=kind is Kind.COMPANY_NAME)
    return map_distinct(normalised, _CHANGES[kind, derivation])


def exact_values(
    schema: Schema, p: Pass, records: dict[str, pa.StringArray]
) -> list[pa.StringArray]:
    """The values of each of ``p.exact`` in order, from normalised ``records`` by field name.

    "" where the value is missing or doubtful: that one is good for similarity and, if it is a
    damaged number, for keys :data:`OF_DAMAGED`.
    """
    columns = []
    for key in p.exact:
        name, _, derivation = key.partition(":")
        column = records[name]
        kind = schema.kind(name)
        columns.append(derive(kind, derivation, column) if derivation else sound_values(column))
    return columns


def _unordered(date: str) -> str:
    year, month, day = date.split("-")
    return "-".join((year, *sorted((month, day))))


def _nik_birth_date(nik: str) -> str:
    """Birth date in a NIK; the century by the fixed pivot, a woman's day less 40."""
    day = int(nik[6:8]) % 40
    return f"{full_year(int(nik[10:12]))}-{nik[8:10]}-{day:02d}"


def _nip_birth_date(nip: str) -> str:
    """Empty for the old NIP, which holds none."""
    return "" if len(nip) < 18 else f"{nip[:4]}-{nip[4:6]}-{nip[6:8]}"


_CHANGES: dict[tuple[Kind, str], Callable[[str], str]] = {
    (Kind.DATE, "unordered"): _unordered,
    (Kind.NIK, "birth_date"): _nik_birth_date,
    (Kind.NIP, "birth_date"): _nip_birth_date,
}
