"""Numbers of persons and companies: NIK, KK, NIP, NPWP, JKN card, NIB, KBLI.

Whole columns are checked at once. ``python-stdnum`` gives the check digit of NPWP; its NIK module
is not used, because it takes the days 81-99 and numbers of one repeated digit, and refuses the
districts founded since 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from stdnum import luhn

from padan_linkage.normalise.latin import MISSING
from padan_linkage.normalise.outcome import Normalised, Reason, with_reasons
from padan_linkage.schema import Kind

Digits = NDArray[np.uint8]
#: Takes ``uint8[n, width]`` digits, gives ``uint8[n]`` indices into ``REASONS`` (0 = good).
Check = Callable[[Digits], NDArray[np.uint8]]

#: What the codes of the checks stand for.
REASONS = (
    None, Reason.TOO_SHORT, Reason.TOO_LONG, Reason.NOT_DIGITS, Reason.SPREADSHEET, Reason.FILLER,
    Reason.UNKNOWN_PROVINCE, Reason.IMPOSSIBLE_DATE, Reason.CHECK_DIGIT, Reason.STRUCTURE,
)  # fmt: skip
_CODE = {reason: i for i, reason in enumerate(REASONS)}

#: Provinces that have stood in a NIK: today's, those of before 2022 in Papua, and East Timor (54).
_PROVINCES = np.zeros(100, dtype=bool)
_PROVINCES[[*range(11, 20), 21, *range(31, 37), *range(51, 55), *range(61, 66), *range(71, 77),
            81, 82, *range(91, 98)]] = True  # fmt: skip
_MONTH_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_FEMALE_DAY = 40

#: Damaged numbers of these kinds are kept for similarity, if at most this many digits are lost or
#: added: a NIK with one digit missing is still evidence, though it can equal nothing.
_LONG = (Kind.NIK, Kind.KK, Kind.NIP)
_NEAR = 2


@dataclass(frozen=True)
class NumberRule:
    """How long a number is, and what must hold for its digits.

    Shorter numbers of at least ``pad_from`` digits have lost leading zeros in a spreadsheet and get
    them back.
    """

    width: int
    check: Check
    pad_from: int | None = None


def parse_numbers(kind: Kind, values: pa.StringArray) -> Normalised:
    """Normalise a column of numbers of ``kind`` (a key of ``RULES``): its digits, or a Problem.

    A long number that is only damaged has a Problem and keeps its digits; see
    :func:`sound_numbers`.
    """
    rule = RULES[kind]
    text = _clean(values)
    length = pc.binary_length(text).to_numpy(zero_copy_only=False)
    digits = _matches(text, r"^[0-9]+$")
    if rule.pad_from is not None:
        short = digits & (length >= rule.pad_from) & (length < rule.width)
        if short.any():
            text = pc.if_else(pa.array(short), pc.utf8_lpad(text, rule.width, "0"), text)
            length = np.where(short, rule.width, length)
    missing = length == 0
    codes = np.select(
        [missing, _matches(text, r"(?i)^[0-9]+e\+?[0-9]+$"), ~digits, length < rule.width,
         length > rule.width],
        [0, _CODE[Reason.SPREADSHEET], _CODE[Reason.NOT_DIGITS], _CODE[Reason.TOO_SHORT],
         _CODE[Reason.TOO_LONG]],
        default=0,
    ).astype(np.uint8)  # fmt: skip
    whole = digits & (length == rule.width)
    if whole.any():
        codes[whole] = rule.check(_matrix(text.filter(pa.array(whole)), rule.width))
    kept = _damaged(text, length, rule.width, codes) & digits if kind in _LONG else None
    return with_reasons(text, codes, REASONS, kept=kept)


def _damaged(
    text: pa.StringArray, length: NDArray[np.int64], width: int, codes: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Numbers of about the right length that are no fillers. Means nothing for other text."""
    kept: NDArray[np.bool_] = (np.abs(length - width) <= _NEAR) & (codes != _CODE[Reason.FILLER])
    for other in range(width - _NEAR, width + _NEAR + 1):
        some = kept & (length == other)
        if other != width and some.any():
            kept[some] = ~_is_filler(_matrix(text.filter(pa.array(some)), other))
    return kept


def sound_numbers(kind: Kind, values: pa.StringArray) -> pa.StringArray:
    """Empty the damaged numbers that :func:`parse_numbers` kept: nothing may equal them.

    Columns of other kinds come back as they are.
    """
    if kind not in _LONG:
        return values
    rule = RULES[kind]
    whole = pc.equal(pc.binary_length(values), rule.width).to_numpy(zero_copy_only=False)
    sound = np.zeros(len(values), dtype=bool)
    if whole.any():
        sound[whole] = rule.check(_matrix(values.filter(pa.array(whole)), rule.width)) == 0
    return values if sound.all() else pc.if_else(pa.array(sound), values, "")


def _clean(values: pa.StringArray) -> pa.StringArray:
    """Separators, text marks and a spreadsheet's ``.0`` taken off; marks for "nothing" emptied."""
    if not pc.all(pc.string_is_ascii(values)).as_py():
        values = pc.utf8_normalize(values, form="NFKC")
    values = pc.utf8_trim_whitespace(values)
    lower = pc.utf8_lower(values)
    nothing = pc.is_in(lower, value_set=pa.array([*sorted(MISSING), "0"]))
    values = pc.if_else(nothing, "", values)
    values = pc.replace_substring_regex(values, r"^([0-9]+)\.0$", r"\1")
    return pc.replace_substring_regex(values, r"[\s.,'\-/_:]", "")


def _matrix(values: pa.StringArray, width: int) -> Digits:
    """Digits of numbers that all have ``width`` of them, as ``uint8[n, width]``."""
    _, offsets, data = values.buffers()
    start = int(np.frombuffer(offsets, dtype=np.int32)[values.offset])
    flat = np.frombuffer(data, dtype=np.uint8, offset=start, count=len(values) * width)
    return (flat - ord("0")).reshape(-1, width)


def _matches(values: pa.StringArray, pattern: str) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = pc.match_substring_regex(values, pattern).to_numpy(
        zero_copy_only=False
    )
    return flags


def _number(digits: Digits, start: int, stop: int) -> NDArray[np.int64]:
    """The digits ``start:stop`` as one integer for each row."""
    result = np.zeros(len(digits), dtype=np.int64)
    for column in range(start, stop):
        result = result * 10 + digits[:, column]
    return result


def _is_filler(digits: Digits) -> NDArray[np.bool_]:
    """One digit repeated, or counting up or down by one (9 and 0 being neighbours)."""
    wide = digits.astype(np.int64)
    steps = (wide[:, 1:] - wide[:, :-1]) % 10
    same: NDArray[np.bool_] = (steps == steps[:, :1]).all(axis=1)
    return same & np.isin(steps[:, 0], (0, 1, 9))


def _first_reason(n: int, *tests: tuple[NDArray[np.bool_], Reason]) -> NDArray[np.uint8]:
    """The code of the first test that holds in each row; 0 where none does."""
    codes = np.zeros(n, dtype=np.uint8)
    for failed, reason in reversed(tests):
        codes[failed] = _CODE[reason]
    return codes


def check_nik(digits: Digits) -> NDArray[np.uint8]:
    """NIK: district (6), birth date DDMMYY with 40 added to a woman's day, serial number (4).

    No serial is 0000: a spreadsheet, which keeps 15 digits, has eaten the last one. Other numbers
    whose last digit it turned into 0 cannot be told from good ones.
    """
    day = _number(digits, 6, 8)
    day = np.where(day > _FEMALE_DAY, day - _FEMALE_DAY, day)
    month = _number(digits, 8, 10)
    return _first_reason(
        len(digits),
        (_is_filler(digits), Reason.FILLER),
        (_number(digits, 12, 16) == 0, Reason.SPREADSHEET),
        (~_PROVINCES[_number(digits, 0, 2)], Reason.UNKNOWN_PROVINCE),
        # Which century is unknown, so 29 February needs only a year that divides by four.
        (~_day_exists(_number(digits, 10, 12), month, day), Reason.IMPOSSIBLE_DATE),
    )


def check_kk(digits: Digits) -> NDArray[np.uint8]:
    """KK (family card): district (6), date of issue, serial number (4)."""
    return _first_reason(
        len(digits),
        (_is_filler(digits), Reason.FILLER),
        (_number(digits, 12, 16) == 0, Reason.SPREADSHEET),
        (~_PROVINCES[_number(digits, 0, 2)], Reason.UNKNOWN_PROVINCE),
    )


def check_nip(digits: Digits) -> NDArray[np.uint8]:
    """NIP: birth date (8), year and month of appointment (6), sex 1 or 2, serial number (3).

    Contract staff (PPPK) have 21 and up in the month's place.
    """
    year, month, day = (_number(digits, a, b) for a, b in ((0, 4), (4, 6), (6, 8)))
    appointed, term = _number(digits, 8, 12), _number(digits, 12, 14)
    sex = digits[:, 14]
    in_month = ((term >= 1) & (term <= 12)) | ((term >= 21) & (term <= 29))
    in_years = (appointed > year) & (appointed <= year + 70)
    in_century = (year >= 1900) & (year < 2100)
    return _first_reason(
        len(digits),
        (_is_filler(digits), Reason.FILLER),
        (~(_day_exists(year, month, day) & in_century), Reason.IMPOSSIBLE_DATE),
        (~(in_month & in_years & np.isin(sex, (1, 2))), Reason.STRUCTURE),
    )


def check_npwp(digits: Digits) -> NDArray[np.uint8]:
    """NPWP of 16 digits: 0 and the 15 old ones (check digit: Luhn over nine), or a NIK."""
    old = digits[:, 0] == 0
    codes = np.where(old, 0, check_nik(digits)).astype(np.uint8)
    text = (digits[old, 1:10] + ord("0")).tobytes().decode("ascii")
    wrong = np.array([not luhn.is_valid(text[i : i + 9]) for i in range(0, len(text), 9)], bool)
    checked = np.where(wrong, _CODE[Reason.CHECK_DIGIT], 0)
    codes[old] = np.where((digits[old, 1:10] == 0).all(axis=1), _CODE[Reason.FILLER], checked)
    return codes


def check_plain(digits: Digits) -> NDArray[np.uint8]:
    """A number without inner structure: anything but a filler."""
    return _first_reason(len(digits), (_is_filler(digits), Reason.FILLER))


def check_kbli(digits: Digits) -> NDArray[np.uint8]:
    """KBLI: the first two digits are a division, 01-99."""
    return _first_reason(len(digits), (_number(digits, 0, 2) == 0, Reason.STRUCTURE))


def _day_exists(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.bool_]:
    in_year = (month >= 1) & (month <= 12)
    last = _MONTH_DAYS[np.where(in_year, month, 0)] - ((month == 2) & (year % 4 != 0))
    exists: NDArray[np.bool_] = in_year & (day >= 1) & (day <= last)
    return exists


RULES = {
    Kind.NIK: NumberRule(16, check_nik),
    Kind.KK: NumberRule(16, check_kk),
    Kind.NIP: NumberRule(18, check_nip),
    Kind.NPWP: NumberRule(16, check_npwp, pad_from=14),
    Kind.JKN_CARD: NumberRule(13, check_plain, pad_from=8),
    Kind.NIB: NumberRule(13, check_plain, pad_from=12),
    Kind.KBLI: NumberRule(5, check_kbli, pad_from=4),
}
