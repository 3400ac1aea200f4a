"""Numbers of persons and companies: NIK, KK, NIP, NPWP, JKN card, NIB, KBLI.

Whole columns are checked at once. ``python-stdnum`` gives the check digit of NPWP; its NIK module
is not used, because it takes the days 81-99 and numbers of one repeated digit, and refuses the
districts founded since 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from stdnum import luhn

from padan_linkage.compiled.jit import kernel
from padan_linkage.normalise.latin import MISSING, ascii_column
from padan_linkage.normalise.names.pieces import buffers
from padan_linkage.normalise.normalised import Fault, Normalised, map_distinct, with_reasons
from padan_linkage.schema import Kind

Digits = NDArray[np.uint8]
#: Takes ``uint8[n, width]`` digits, gives ``uint8[n]`` indices into ``REASONS`` (0 = good).
Check = Callable[[Digits], NDArray[np.uint8]]

#: What the codes of the checks stand for.
REASONS = (
    None, Fault.TOO_SHORT, Fault.TOO_LONG, Fault.NOT_DIGITS, Fault.SPREADSHEET, Fault.FILLER,
    Fault.UNKNOWN_PROVINCE, Fault.IMPOSSIBLE_DATE, Fault.CHECK_DIGIT, Fault.STRUCTURE,
    Fault.PARTLY_READ, Fault.TWO_READINGS,
)  # fmt: skip
_CODE = {reason: i for i, reason in enumerate(REASONS)}

#: Provinces that have stood in a NIK: today's, those of before 2022 in Papua, and East Timor (54).
_PROVINCES = np.zeros(100, dtype=bool)
_PROVINCES[[*range(11, 20), 21, *range(31, 37), *range(51, 55), *range(61, 66), *range(71, 77),
            81, 82, *range(91, 98)]] = True  # fmt: skip
_MONTH_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)

#: Damaged numbers of these kinds are kept for similarity, if at most this many digits are lost or
#: added: a NIK with one digit missing is still evidence, though it can equal nothing.
_LONG = (Kind.NIK, Kind.KK, Kind.NIP)
_NEAR = 2
#: A number in a spreadsheet's exponent form.
_EXPONENT = r"(?i)^[0-9]+e\+?[0-9]+$"
#: Numbers beyond this are not exact in a spreadsheet's arithmetic (IEEE 754, 53 bits).
_EXACT = str(1 << 53)


@dataclass(frozen=True)
class NumberRule:
    """How long a number is, and what must hold for its digits.

    ``label`` (a pattern) is what it is called where its name is written beside it. Shorter numbers
    of at least ``pad_from`` digits have lost leading zeros in a spreadsheet and get them back, and
    so do those of ``short`` digits, which are written without a zero. Of numbers with ``more``
    digits the first ``width`` count; ``older`` is a shorter form that is a number of its own.
    ``sections``: a letter may stand in front that is told by the first two digits.
    """

    width: int
    check: Check
    label: str
    pad_from: int | None = None
    short: int | None = None
    more: int | None = None
    older: tuple[int, Check] | None = None
    sections: bool = False

    def checks(self) -> list[tuple[int, Check]]:
        """The lengths that are right, each with its check."""
        return [(self.width, self.check), *([self.older] if self.older else [])]


def parse_numbers(kind: Kind, values: pa.StringArray) -> Normalised:
    """Normalise a column of numbers of ``kind`` (a key of ``RULES``): its digits, or a Problem.

    A long number that is only damaged has a Problem and keeps its digits as a doubtful value.
    """
    rule = RULES[kind]
    good = _of_digits(*buffers(values), rule.width)
    flaws = np.zeros(len(values), np.uint8)
    if not good.all():
        cleaned = _repaired(rule, _clean(rule, values.filter(pa.array(~good))))
        values = pc.replace_with_mask(values, pa.array(~good), cleaned.text)
        flaws[~good] = cleaned.flaws
    length = pc.binary_length(values).to_numpy(zero_copy_only=False)
    codes = np.zeros(len(values), np.uint8)
    digits = good.copy()
    if not good.all():
        rest = values.filter(pa.array(~good))
        digits[~good] = _matches(rest, r"^[0-9]+$")
        codes[~good] = _width_codes(rest, digits[~good], length[~good], rule)
    for width, check in rule.checks():
        whole = digits & (length == width)
        if whole.any():
            codes[whole] = check(_matrix(values.filter(pa.array(whole)), width))
    kept = digits & (flaws > 0) & (codes == 0)
    codes = np.where(flaws > 0, flaws, codes)
    if kind in _LONG and codes.any():
        kept |= _damaged(values, length, rule.width, codes) & digits
    return with_reasons(values, codes, REASONS, kept=kept)


def _width_codes(
    text: pa.StringArray, digits: NDArray[np.bool_], length: NDArray[np.int64], rule: NumberRule
) -> NDArray[np.uint8]:
    """What is wrong with cleaned values by their characters and lengths alone."""
    spreadsheet = _matches(text, _EXPONENT)
    return np.select(
        [length == 0, spreadsheet, ~digits, np.isin(length, [w for w, _ in rule.checks()]),
         length < rule.width],
        [0, _CODE[Fault.SPREADSHEET], _CODE[Fault.NOT_DIGITS], 0, _CODE[Fault.TOO_SHORT]],
        default=_CODE[Fault.TOO_LONG],
    ).astype(np.uint8)  # fmt: skip


@dataclass(frozen=True, repr=False)
class _Cleaned:
    """Values without what stands around numbers.

    ``plainly`` bool[n]: they were written as digits alone, as a spreadsheet writes them; ``flaws``
    uint8[n]: codes of what is wrong with them already, 0 for nothing.
    """

    text: pa.StringArray
    plainly: NDArray[np.bool_]
    flaws: NDArray[np.uint8]


def _repaired(rule: NumberRule, cleaned: _Cleaned) -> _Cleaned:
    """Without what can be undone: a section, look-alike letters, lost zeros, more behind."""
    text, flaws = cleaned.text, cleaned.flaws.copy()
    if rule.sections:
        text, wrong = _without_section(text)
        flaws[wrong] = _CODE[Fault.STRUCTURE]
    alike = _matches(text, r"^[0-9OoIl|]*[0-9][0-9OoIl|]*$") & ~_matches(text, r"^[0-9]*$")
    if alike.any():
        mended = pc.replace_substring_regex(
            pc.replace_substring_regex(text.filter(pa.array(alike)), "[Oo]", "0"), "[Il|]", "1"
        )
        text = pc.replace_with_mask(text, pa.array(alike), mended)
    if rule.pad_from is not None:
        length = pc.binary_length(text).to_numpy(zero_copy_only=False)
        # A spreadsheet takes all leading zeros off; where one is left, other digits are lost.
        short = cleaned.plainly & _matches(text, r"^[1-9][0-9]*$")
        short &= (length >= rule.pad_from) & (length < rule.width)
        if rule.short is not None:
            short |= _matches(text, rf"^[0-9]{{{rule.short}}}$")
        text = pc.if_else(pa.array(short), pc.utf8_lpad(text, rule.width, "0"), text)
    if rule.more is not None:
        longer = _matches(text, rf"^[0-9]{{{rule.more}}}$")
        flaws[longer & ~_matches(text, rf"^[0-9]{{{rule.width}}}0+$")] = _CODE[Fault.PARTLY_READ]
        text = pc.if_else(pa.array(longer), pc.utf8_slice_codeunits(text, 0, rule.width), text)
    return _Cleaned(text, cleaned.plainly, flaws)


def _without_section(text: pa.StringArray) -> tuple[pa.StringArray, NDArray[np.bool_]]:
    """KBLI without the letter of its section, and where letter and division contradict."""
    lettered = _matches(text, r"^[A-Ua-u][0-9]{2,}$")
    if not lettered.any():
        return text, lettered
    some = text.filter(pa.array(lettered))
    given = pc.utf8_upper(pc.utf8_slice_codeunits(some, 0, 1)).to_pylist()
    told = pc.utf8_slice_codeunits(some, 1, 3).to_pylist()
    wrong = lettered.copy()
    wrong[lettered] = [_SECTIONS.get(int(t)) != g for g, t in zip(given, told, strict=True)]
    return pc.replace_substring_regex(text, r"^[A-Ua-u]([0-9]{2,})$", r"\1"), wrong


def _damaged(
    text: pa.StringArray, length: NDArray[np.int64], width: int, codes: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Numbers of about the right length that are no fillers. Means nothing for other text."""
    kept: NDArray[np.bool_] = (np.abs(length - width) <= _NEAR) & (codes != _CODE[Fault.FILLER])
    for other in range(width - _NEAR, width + _NEAR + 1):
        some = kept & (length == other)
        if other != width and some.any():
            kept[some] = ~_is_filler(_matrix(text.filter(pa.array(some)), other))
    return kept


def _clean(rule: NumberRule, values: pa.StringArray) -> _Cleaned:
    """Labels, separators, text marks and a spreadsheet's ``.0`` off; marks for "nothing" emptied.

    A sign in front or behind stays, and dots for what was cut off; both make the value no number.
    """
    values = pc.utf8_trim_whitespace(ascii_column(values))
    nothing = pc.is_in(pc.utf8_lower(values), value_set=pa.array([*sorted(MISSING), "0"]))
    values = pc.if_else(nothing, "", values)
    values = pc.replace_substring_regex(values, "^=|[\"'`]", "")
    for label in (
        r"^(?:nomor|no)[\s.:]*",
        rf"^(?:{rule.label})[\s.:#=\-]*",
        rf"\s*\((?:{rule.label})\)$",
    ):
        values = pc.replace_substring_regex(values, f"(?i){label}", "")
    decimal = r"^([0-9]+)[.,]00?$"
    pointed = _matches(values, decimal)
    values = pc.replace_substring_regex(values, decimal, r"\1")
    exponents = _matches(values, r"^[0-9][.,]?[0-9]*[eE]\+?[0-9]{1,2}$")
    if exponents.any():
        written_out = map_distinct(values.filter(pa.array(exponents)), _written_out)
        values = pc.replace_with_mask(values, pa.array(exponents), written_out)
    plainly = _matches(values, "^[0-9]+$")
    flaws = np.zeros(len(values), np.uint8)
    flaws[(pointed | exponents) & plainly & _inexact(values)] = _CODE[Fault.SPREADSHEET]
    # Digits behind a last point may be a fraction.
    flaws[_matches(values, r"^[0-9]+[.,][0-9]{1,2}$")] = _CODE[Fault.TWO_READINGS]
    signed = _matches(values, r"^[-+]|[-+]$|\.\.\.")
    bare = pc.replace_substring_regex(values, r"[\s.,=\-/_:]", "")
    return _Cleaned(pc.if_else(pa.array(signed), values, bare), plainly, flaws)


def _written_out(number: str) -> str:
    """``3.201…E+15`` with all its digits, if it has them; else as it is."""
    mantissa, _, exponent = number.lower().replace(",", ".").partition("e")
    whole, _, behind = mantissa.partition(".")
    return whole + behind if int(exponent) == len(behind) else number


def _inexact(numbers: pa.StringArray) -> NDArray[np.bool_]:
    """Numbers that a spreadsheet's arithmetic may have rounded. Means nothing for other text."""
    length = pc.binary_length(numbers).to_numpy(zero_copy_only=False)
    above = pc.greater(numbers, _EXACT).to_numpy(zero_copy_only=False)
    inexact: NDArray[np.bool_] = (length > len(_EXACT)) | ((length == len(_EXACT)) & above)
    return inexact


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


def _first_reason(n: int, *tests: tuple[NDArray[np.bool_], Fault]) -> NDArray[np.uint8]:
    """The code of the first test that holds in each row; 0 where none does."""
    codes = np.zeros(n, dtype=np.uint8)
    for failed, reason in reversed(tests):
        codes[failed] = _CODE[reason]
    return codes


def check_nik(digits: Digits) -> NDArray[np.uint8]:
    """NIK: district (6), birth date DDMMYY with 40 added to a woman's day, serial number (4).

    No serial is 0000: a spreadsheet, which keeps 15 digits, has eaten the last one. Other numbers
    whose last digit it turned into 0 cannot be told from good ones. Which century is unknown, so 29
    February needs only a year that divides by four.
    """
    codes: NDArray[np.uint8] = _NIK_CODES[_check_nik(digits, _PROVINCES, _MONTH_DAYS)]
    return codes


#: Codes of the outcomes of the kernel: good, filler, spreadsheet, province, date.
_NIK_CODES = np.array(
    [0, *(_CODE[r] for r in (Fault.FILLER, Fault.SPREADSHEET, Fault.UNKNOWN_PROVINCE,
                             Fault.IMPOSSIBLE_DATE))], np.uint8)  # fmt: skip


@kernel
def _check_nik(
    digits: Digits, provinces: NDArray[np.bool_], month_days: NDArray[np.int64]
) -> NDArray[np.uint8]:
    n = digits.shape[0]
    outcomes = np.zeros(n, np.uint8)
    for row in range(n):
        d = digits[row]
        step = (np.int64(d[1]) - np.int64(d[0])) % 10
        filler = step in (0, 1, 9)
        for i in range(1, 15):
            filler &= (np.int64(d[i + 1]) - np.int64(d[i])) % 10 == step
        day, month = d[6] * 10 + d[7], d[8] * 10 + d[9]
        if day > 40:
            day -= 40
        last = month_days[month] if month <= 12 else 0
        if month == 2 and (d[10] * 10 + d[11]) % 4:
            last -= 1
        if filler:
            outcomes[row] = 1
        elif d[12] == 0 and d[13] == 0 and d[14] == 0 and d[15] == 0:
            outcomes[row] = 2
        elif not provinces[d[0] * 10 + d[1]]:
            outcomes[row] = 3
        elif day < 1 or day > last:
            outcomes[row] = 4
    return outcomes


@kernel
def _of_digits(data: NDArray[np.uint8], offsets: NDArray[np.int64], width: int) -> Any:
    """Values of exactly ``width`` ASCII digits, bool[n]."""
    n = offsets.size - 1
    good = np.zeros(n, np.bool_)
    for row in range(n):
        if offsets[row + 1] - offsets[row] == width:
            outside = np.uint8(0)
            for i in range(offsets[row], offsets[row + 1]):
                outside |= np.uint8(np.uint8(data[i] - np.uint8(48)) > np.uint8(9))
            good[row] = outside == 0
    return good


def check_kk(digits: Digits) -> NDArray[np.uint8]:
    """KK (family card): district (6), date of issue, serial number (4)."""
    return _first_reason(
        len(digits),
        (_is_filler(digits), Fault.FILLER),
        (_number(digits, 12, 16) == 0, Fault.SPREADSHEET),
        (~_PROVINCES[_number(digits, 0, 2)], Fault.UNKNOWN_PROVINCE),
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
        (_is_filler(digits), Fault.FILLER),
        (~(_day_exists(year, month, day) & in_century), Fault.IMPOSSIBLE_DATE),
        (~(in_month & in_years & np.isin(sex, (1, 2))), Fault.STRUCTURE),
    )


def check_old_nip(digits: Digits) -> NDArray[np.uint8]:
    """NIP of nine digits, as before 2009: nothing but a filler can be told from a good one."""
    return _first_reason(
        len(digits), (_is_filler(digits) | (_number(digits, 0, 2) == 0), Fault.FILLER)
    )


def check_npwp(digits: Digits) -> NDArray[np.uint8]:
    """NPWP of 16 digits: 0 and the 15 old ones (check digit: Luhn over nine), or a NIK."""
    old = digits[:, 0] == 0
    codes = np.where(old, 0, check_nik(digits)).astype(np.uint8)
    text = (digits[old, 1:10] + ord("0")).tobytes().decode("ascii")
    wrong = np.array([not luhn.is_valid(text[i : i + 9]) for i in range(0, len(text), 9)], bool)
    checked = np.where(wrong, _CODE[Fault.CHECK_DIGIT], 0)
    codes[old] = np.where((digits[old, 1:10] == 0).all(axis=1), _CODE[Fault.FILLER], checked)
    return codes


def check_plain(digits: Digits) -> NDArray[np.uint8]:
    """A number without inner structure: anything but a filler."""
    return _first_reason(len(digits), (_is_filler(digits), Fault.FILLER))


def check_kbli(digits: Digits) -> NDArray[np.uint8]:
    """KBLI: the first two digits are a division, 01-99."""
    return _first_reason(len(digits), (_number(digits, 0, 2) == 0, Fault.STRUCTURE))


def _day_exists(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.bool_]:
    in_year = (month >= 1) & (month <= 12)
    last = _MONTH_DAYS[np.where(in_year, month, 0)] - ((month == 2) & (year % 4 != 0))
    exists: NDArray[np.bool_] = in_year & (day >= 1) & (day <= last)
    return exists


#: The section of each division of KBLI 2020.
_SECTIONS = {
    division: letter
    for letter, divisions in {
        "A": range(1, 4), "B": range(5, 10), "C": range(10, 34), "D": (35,), "E": range(36, 40),
        "F": range(41, 44), "G": range(45, 48), "H": range(49, 54), "I": (55, 56),
        "J": range(58, 64), "K": range(64, 67), "L": (68,), "M": range(69, 76),
        "N": range(77, 83), "O": (84,), "P": (85,), "Q": range(86, 89), "R": range(90, 94),
        "S": range(94, 97), "T": (97, 98), "U": (99,),
    }.items()
    for division in divisions
}  # fmt: skip

RULES = {
    Kind.NIK: NumberRule(16, check_nik, "nik|e-?ktp|ktp"),
    Kind.KK: NumberRule(16, check_kk, "kk"),
    Kind.NIP: NumberRule(18, check_nip, "nip", older=(9, check_old_nip)),
    Kind.NPWP: NumberRule(16, check_npwp, "npwp", pad_from=14, short=15, more=22),
    Kind.JKN_CARD: NumberRule(13, check_plain, "jkn|kis|bpjs(?: kesehatan)?", pad_from=8),
    Kind.NIB: NumberRule(13, check_plain, "nib", pad_from=12),
    Kind.KBLI: NumberRule(5, check_kbli, "kbli", sections=True),
}
