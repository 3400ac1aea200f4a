"""Derived keys: parts and tolerant forms of normalised values, for the exact side of a pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from padan_linkage.normalise.calendar import full_year
from padan_linkage.normalise.companies import FORMS
from padan_linkage.normalise.numbers import sound_numbers
from padan_linkage.normalise.outcome import map_distinct
from padan_linkage.normalise.phonetic import sound
from padan_linkage.schema import DERIVATIONS, Kind, Pass, Schema

#: Tokens of a name that tell little and are often left out: skipped by the keys made of one token
#: and by initials, as long as another token is left.
_WEAK = frozenset({"muhammad", "i", "ni", "siti", "al"})

_SLICES = {
    (Kind.DATE, "year"): (0, 4),
    (Kind.DATE, "year_month"): (0, 7),
    (Kind.DATE, "month"): (5, 7),
    (Kind.DATE, "day"): (8, 10),
    (Kind.NIK, "district"): (0, 6),
    (Kind.CODE, "prefix3"): (0, 3),
    (Kind.CODE, "prefix4"): (0, 4),
}


def derive(kind: Kind, derivation: str, normalised: pa.StringArray) -> pa.StringArray:
    """The derived key of every value, "" where the value is "".

    ``sorted``: tokens in alphabetical order. ``phonetic``: phonetic tokens in alphabetical order.
    ``first``, ``last``: one token; ``phonetic_first``, ``phonetic_last``: the first or last token
    that tells (Muhammad, Siti, I, Ni and single letters are passed over), in phonetic form.
    ``initials``: first letters of the telling tokens' phonetic forms, in alphabetical order.
    ``first1`` to ``first3``, ``last1`` to ``last3``: so many letters of ``phonetic_first`` and
    ``phonetic_last``; ``first_end``, ``last_end``: their last three; ``ends2``, ``ends3``: so many
    letters of both, in alphabetical order, which forgives names that changed places.
    ``unordered``: year and the sorted pair of day and month. ``district``: 6 digits of a NIK.
    Raises KeyError if the kind has no such derivation.
    """
    if derivation not in DERIVATIONS.get(kind, frozenset()):
        raise KeyError(f"{kind} has no derived key {derivation!r}")
    bounds = _SLICES.get((kind, derivation))
    if bounds is not None:
        return pc.utf8_slice_codeunits(normalised, *bounds)
    return map_distinct(normalised, _change(kind, derivation))


def exact_values(
    schema: Schema, p: Pass, records: dict[str, pa.StringArray]
) -> list[pa.StringArray]:
    """The values of each of ``p.exact`` in order, from normalised ``records`` by field name.

    "" where the value is missing or, in a long number, damaged: that one is good for similarity
    alone.
    """
    columns = []
    for key in p.exact:
        name, _, derivation = key.partition(":")
        kind = schema.kind(name)
        column = sound_numbers(kind, records[name])
        columns.append(derive(kind, derivation, column) if derivation else column)
    return columns


def _change(kind: Kind, derivation: str) -> Callable[[str], str]:
    if kind is Kind.DATE:
        return _unordered
    if kind is Kind.NIK:
        return _nik_birth_date
    if kind is Kind.NIP:
        return lambda nip: f"{nip[:4]}-{nip[4:6]}-{nip[6:8]}"
    join = _TOKEN_KEYS[derivation]
    sounds = _Sounds()
    if kind is Kind.COMPANY_NAME:
        return lambda value: join(_without_form(value.split(" ")), sounds)
    return lambda value: join(value.split(" "), sounds)


class _Sounds(dict[str, str]):
    """Phonetic forms of the tokens of one column, each computed once."""

    def __missing__(self, token: str) -> str:
        result = self[token] = sound(token)
        return result


def _telling(tokens: list[str]) -> list[str]:
    return [t for t in tokens if len(t) > 1 and t not in _WEAK] or tokens


_TokenKey: TypeAlias = "Callable[[list[str], _Sounds], str]"


def _first(tokens: list[str], sounds: _Sounds) -> str:
    return sounds[_telling(tokens)[0]]


def _last(tokens: list[str], sounds: _Sounds) -> str:
    return sounds[_telling(tokens)[-1]]


def _piece(of: _TokenKey, letters: slice) -> _TokenKey:
    return lambda tokens, sounds: of(tokens, sounds)[letters]


def _ends(letters: int) -> _TokenKey:
    """Heads of the first and the last telling token; one head if there is only one."""

    def join(tokens: list[str], sounds: _Sounds) -> str:
        telling = _telling(tokens)
        return " ".join(sorted(sounds[t][:letters] for t in {telling[0], telling[-1]}))

    return join


_END = slice(-3, None)
_TOKEN_KEYS: dict[str, _TokenKey] = {
    "sorted": lambda tokens, _: " ".join(sorted(tokens)),
    "first": lambda tokens, _: tokens[0],
    "last": lambda tokens, _: tokens[-1],
    "phonetic": lambda tokens, sounds: " ".join(sorted([sounds[t] for t in tokens])),
    "initials": lambda tokens, sounds: "".join(sorted([sounds[t][0] for t in _telling(tokens)])),
    "phonetic_first": _first,
    "phonetic_last": _last,
    **{f"first{n}": _piece(_first, slice(n)) for n in (1, 2, 3)},
    **{f"last{n}": _piece(_last, slice(n)) for n in (1, 2, 3)},
    "first_end": _piece(_first, _END),
    "last_end": _piece(_last, _END),
    **{f"ends{n}": _ends(n) for n in (2, 3)},
}


def _without_form(tokens: list[str]) -> list[str]:
    return tokens[:-1] if len(tokens) > 1 and tokens[-1] in FORMS else tokens


def _unordered(date: str) -> str:
    year, month, day = date.split("-")
    return "-".join((year, *sorted((month, day))))


def _nik_birth_date(nik: str) -> str:
    """Birth date in a NIK; the century by the fixed pivot, a woman's day less 40."""
    day = int(nik[6:8]) % 40
    return f"{full_year(int(nik[10:12]))}-{nik[8:10]}-{day:02d}"
