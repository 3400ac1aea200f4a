"""The errors that come with this software: what files do to values, for measuring who is found.

Rates are those of two Indonesian registers of the same people and of audits of identity numbers
(``proto/spec/36-editions.md``, "Damaged"): rough, and not of any one agency. The laboratory's
generator has errors of its own, so that a measurement is not made on what it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import pyarrow as pa

from padan_linkage.crypto.randomness import Drbg
from padan_linkage.schema import Kind, Schema

Records = Mapping[str, "pa.StringArray | pa.ChunkedArray"]
#: What an error makes of a value, given a random number.
Error = Callable[[str, int], str]

#: Share of values that another file has otherwise, by kind; of the kinds that are not named.
RATES = {Kind.PERSON_NAME: 0.13, Kind.COMPANY_NAME: 0.13, Kind.DATE: 0.06, Kind.PLACE: 0.20}
OTHER_RATE = 0.10
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_BITS = 63


def damaged(records: Records, schema: Schema, drbg: Drbg) -> dict[str, pa.StringArray]:
    """Normalised ``records`` as another file might have them; the same ``drbg`` gives the same.

    Every value has an error of its kind with the chance of :data:`RATES`, by itself; an empty one
    stays empty.
    """
    return {
        name: _spoilt(column, schema.kind(name), drbg.fork(f"damage {name}"))
        for name, column in records.items()
    }


def _spoilt(column: pa.StringArray | pa.ChunkedArray, kind: Kind, drbg: Drbg) -> pa.StringArray:
    values = column.to_pylist()
    chance, choice = drbg.uint64(len(values)), drbg.uint64(len(values))
    most = np.uint64(int(RATES.get(kind, OTHER_RATE) * (1 << _BITS)) << 1)
    error = _error_of(kind)
    for row in np.flatnonzero(chance < most).tolist():
        if values[row]:
            values[row] = error(values[row], int(choice[row]))
    return pa.array(values, pa.string())


def _error_of(kind: Kind) -> Error:
    if kind in {Kind.PERSON_NAME, Kind.COMPANY_NAME, Kind.ADDRESS, Kind.TEXT, Kind.PLACE}:
        return _word_error
    return _date_error if kind is Kind.DATE else _code_error


def _word_error(value: str, random: int) -> str:
    """A word is left out where there are several, or one letter is wrong, doubled or missing."""
    random, which = divmod(random, 4)
    words = value.split(" ")
    if which == 0 and len(words) > 1:
        del words[random % len(words)]
        return " ".join(words)
    random, at = divmod(random, len(value))
    letter = value[at]
    if letter == " ":
        return value[:at] + value[at + 1 :]
    changed = (_LETTERS[random % len(_LETTERS)], letter + letter, "", "")[which]
    return value[:at] + changed + value[at + 1 :] if len(value) > 1 else value + letter


def _date_error(value: str, random: int) -> str:
    """Mostly another day, else another year or month, or day and month exchanged."""
    try:
        was = date.fromisoformat(value)
    except ValueError:
        return value
    random, which = divmod(random, 16)
    if which == 0 and was.day <= 12:
        return date(was.year, was.day, was.month).isoformat()
    if which < 3:
        return was.replace(
            month=1 + (was.month + random % 11) % 12, day=min(was.day, 28)
        ).isoformat()
    if which < 8:
        year = was.year + (-10, -1, 1, 10)[random % 4]
        return was.replace(year=year, day=min(was.day, 28)).isoformat()
    return was.replace(day=1 + (was.day + random % 27) % 28).isoformat()


def _code_error(value: str, random: int) -> str:
    """One character is another, or two neighbours are exchanged."""
    random, which = divmod(random, 3)
    random, at = divmod(random, len(value))
    if which == 0 and at + 1 < len(value):
        return value[:at] + value[at + 1] + value[at] + value[at + 2 :]
    if value[at].isdigit():
        return value[:at] + str((int(value[at]) + 1 + random % 9) % 10) + value[at + 1 :]
    return value[:at] + _LETTERS[random % len(_LETTERS)].upper() + value[at + 1 :]
