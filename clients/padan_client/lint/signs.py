"""Signs of trouble that make no value unusable, and contradictions between columns.

Vectorised over a batch; every function gives codes and the rows that show them, as bool[n].
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.normalise import text_buffers
from padan_linkage.schema import Kind

Rows = NDArray[np.bool_]


class Sign(StrEnum):
    """What a linter sees beside the normaliser's reasons. Stable words for files."""

    RAGGED = "ragged"
    EMPTY_ROW = "empty_row"
    NO_COLUMN = "no_column"
    DEFAULT_DAY = "default_day"
    MONTH_FIRST = "month_first"
    DAY_OR_MONTH = "day_or_month"
    TWO_DIGIT_YEAR = "two_digit_year"
    SERIAL_DATE = "serial_date"
    FUTURE = "future"
    VERY_OLD = "very_old"
    LAST_DIGIT_ZERO = "last_digit_zero"
    ONE_WORD = "one_word"
    DAMAGED_TEXT = "damaged_text"
    CUT_OFF = "cut_off"
    NIK_DATE_SWAPPED = "nik_date_swapped"
    NIK_DATE_ONE_PART = "nik_date_one_part"
    NIK_DATE_OTHER = "nik_date_other"
    NIK_SEX = "nik_sex"
    NIP_DATE = "nip_date"
    NIP_SEX = "nip_sex"
    REPEATED = "repeated"
    SAME_PERSON = "same_person"


_SEPARATOR = r"[-/. ]"
_HIGH = r"(1[3-9]|2[0-9]|3[01])"
_LOW = r"0?([1-9]|1[0-2])"
_MOJIBAKE = r"\x{fffd}|[ÂÃ][\x{80}-\x{bf}€‚„…†‡ˆ‰‹‘’“”•–—˜™›]|&#?[a-z0-9]{2,6};"
_OLDEST = 115


def signs_of_values(
    kind: Kind, written: pa.StringArray, normal: pa.StringArray, *, birth: bool, today: dt.date
) -> Iterator[tuple[Sign, Rows]]:
    """Signs in one column: ``written`` as in the file, ``normal`` as the normaliser made it."""
    if kind is Kind.DATE:
        yield from _signs_of_dates(written, normal, birth=birth, today=today)
    elif kind in {Kind.PERSON_NAME, Kind.COMPANY_NAME, Kind.PLACE, Kind.ADDRESS}:
        yield Sign.DAMAGED_TEXT, _match(written, _MOJIBAKE)
    if kind is Kind.PERSON_NAME:
        filled = _flags(pc.not_equal(normal, ""))
        yield Sign.ONE_WORD, filled & ~_match(normal, " ")
    if kind in {Kind.NIK, Kind.KK}:
        yield Sign.LAST_DIGIT_ZERO, _match(normal, "^[0-9]{15}0$")


def _signs_of_dates(
    written: pa.StringArray, normal: pa.StringArray, *, birth: bool, today: dt.date
) -> Iterator[tuple[Sign, Rows]]:
    yield Sign.DEFAULT_DAY, _match(normal, "-(01-01|12-31)$")
    end = rf"{_SEPARATOR}([0-9]{{4}}|[0-9]{{2}})\b"
    yield Sign.MONTH_FIRST, _match(written, rf"^\s*{_LOW}{_SEPARATOR}{_HIGH}{end}")
    yield Sign.DAY_OR_MONTH, _match(written, rf"^\s*{_LOW}{_SEPARATOR}{_LOW}{end}")
    yield Sign.TWO_DIGIT_YEAR, _match(written, r"[-/. ][0-9]{2}\s*$") & ~_match(written, "[0-9]{4}")
    yield Sign.SERIAL_DATE, _match(written, r"^\s*[0-9]{5}(\.[0-9]+)?\s*$")
    if birth:
        filled = _flags(pc.not_equal(normal, ""))
        yield Sign.FUTURE, _flags(pc.greater(normal, today.isoformat()))
        oldest = f"{today.year - _OLDEST:04d}-01-01"
        yield Sign.VERY_OLD, filled & _flags(pc.less(normal, oldest))


def nik_against(
    nik: pa.StringArray, date: pa.StringArray | None, sex: pa.StringArray | None
) -> Iterator[tuple[Sign, Rows, Rows]]:
    """What a sound NIK ("" where it is not) says of birth date and sex, against those columns.

    Gives a sign, the rows that show it, and the rows that could.
    """
    has_nik = _flags(pc.not_equal(nik, ""))
    if sex is not None:
        both = has_nik & _flags(pc.not_equal(sex, ""))
        women = _digits(nik, both, 16)[:, 6] >= 4
        claimed = _flags(pc.equal(sex.filter(pa.array(both)), "P"))
        yield Sign.NIK_SEX, _spread(both, women != claimed), both
    if date is None:
        return
    both = has_nik & _flags(pc.not_equal(date, ""))
    inside = _digits(nik, both, 16)
    day, month, year = (_number(inside, i) for i in (6, 8, 10))
    day = np.where(day > 40, day - 40, day)
    given = _digits(date, both, 10)
    year2, month2, day2 = (_number(given, i) for i in (2, 5, 8))
    agreeing = (day == day2).astype(int) + (month == month2) + (year == year2)
    swapped = (agreeing == 1) & (day == month2) & (month == day2) & (year == year2)
    for sign, rows in (
        (Sign.NIK_DATE_SWAPPED, swapped),
        (Sign.NIK_DATE_ONE_PART, agreeing == 2),
        (Sign.NIK_DATE_OTHER, (agreeing < 2) & ~swapped),
    ):
        yield sign, _spread(both, rows), both


def nip_against(
    nip: pa.StringArray, date: pa.StringArray | None, sex: pa.StringArray | None
) -> Iterator[tuple[Sign, Rows, Rows]]:
    """As :func:`nik_against`, for a NIP of eighteen digits."""
    has_nip = _flags(pc.equal(pc.binary_length(nip), 18))
    if sex is not None:
        both = has_nip & _flags(pc.not_equal(sex, ""))
        claimed = np.where(_flags(pc.equal(sex.filter(pa.array(both)), "P")), 2, 1)
        yield Sign.NIP_SEX, _spread(both, _digits(nip, both, 18)[:, 14] != claimed), both
    if date is not None:
        both = has_nip & _flags(pc.not_equal(date, ""))
        inside, given = _digits(nip, both, 18), _digits(date, both, 10)
        other = (inside[:, :8] != given[:, [0, 1, 2, 3, 5, 6, 8, 9]]).any(axis=1)
        yield Sign.NIP_DATE, _spread(both, other), both


def _digits(values: pa.StringArray, rows: Rows, width: int) -> NDArray[np.int64]:
    """The characters of the chosen values, all ``width`` long, as numbers int64[m, width]."""
    data, offsets = text_buffers(values.filter(pa.array(rows)))
    flat = data[offsets[0] : offsets[-1]].reshape(-1, width)
    return flat.astype(np.int64) - ord("0")


def _number(digits: NDArray[np.int64], at: int) -> NDArray[np.int64]:
    return digits[:, at] * 10 + digits[:, at + 1]


def _spread(among: Rows, chosen: Rows) -> Rows:
    """``chosen`` counts within ``among``; the same over all rows."""
    result = np.zeros(len(among), bool)
    result[among] = chosen
    return result


def _match(values: pa.StringArray, pattern: str) -> Rows:
    return _flags(pc.match_substring_regex(values, pattern))


def _flags(mask: pa.BooleanArray) -> Rows:
    flags: Rows = pc.fill_null(mask, False).to_numpy(zero_copy_only=False)
    return flags
