"""Numbers that people and companies bear. Vectorised: int64[n] in, int64[n] or texts out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_lab.generate.draw.draws import Bools, Draws, Ints
from padan_lab.generate.population.households import THIS_YEAR, Days

_WOMAN = 40
#: Digits by which passports differ; of shorter ones, the letter in front differs too.
_PASSPORT_DIGITS = 8
#: Added to somebody's number for what was theirs before: an address, a phone, a passport.
FORMER = 1 << 40


def parts(days: Days) -> tuple[Ints, Ints, Ints]:
    """Year, month and day of days since 1970."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    year = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    return year, months.astype(np.int64) % 12 + 1, (dates - months).astype(np.int64) + 1


def days_of(year: Ints, month: Ints, day: Ints) -> Days:
    """Days since 1970; the day must exist in the month."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + day - 1


def nik_bases(place: Ints, birth: Days, female: Bools) -> Ints:
    """A NIK without its serial: sub-district, day (women + 40), month, year."""
    year, month, day = parts(birth)
    return place * 1_000_000 + ((day + _WOMAN * female) * 100 + month) * 100 + year % 100


def serials(bases: Iterable[Ints], size: int, draws: Draws) -> NDArray[np.int16]:
    """int16[size]: serial numbers counted within equal bases, from a small start.

    People next to each other with equal bases, such as twins, get neighbouring numbers.
    """
    every = np.concatenate(list(bases)) if size else np.zeros(0, np.int64)
    order = np.argsort(every, kind="stable")
    ordered = every[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, size])
    rank = np.arange(size) - np.repeat(starts, lengths)
    result = np.empty(size, dtype=np.int16)
    result[order] = rank + 1 + draws.below("serial start", ordered, 7)
    return result


def digits(numbers: Ints, width: int) -> pa.StringArray:
    """Numbers as text with leading zeros."""
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")


def kks(place: Ints, head: Ints, draws: Draws) -> Ints:
    """Family cards: place, a day of issue, serial; one for each household."""
    issued = 13_880 + draws.below("card issued", head, 5_800)
    year, month, day = parts(issued)
    dated = (day * 100 + month) * 100 + year % 100
    return (place * 1_000_000 + dated) * 10_000 + 1 + head % 9_999


def nips(people: Ints, birth: Days, female: Bools, draws: Draws) -> Ints:
    """NIP: birth date, month of appointment, sex, serial number."""
    year, month, day = parts(birth)
    appointed = np.minimum(year + 19 + draws.below("appointed", people, 17), THIS_YEAR)
    appointed = np.maximum(appointed, year + 18)
    base = ((year * 100 + month) * 100 + day) * 1_000_000
    base += appointed * 100 + 1 + draws.below("appointed month", people, 12)
    return (base * 10 + 1 + female) * 1_000 + 1 + people % 997


def scattered(rows: Ints, width: int, draws: Draws, label: str) -> Ints:
    """Different numbers of ``width`` digits in no visible order, for rows below 10**width."""
    modulus = 10**width
    # Multiplying by a unit of the ring permutes it; by halves the product stays below 2**63.
    zero = np.zeros(1, np.int64)
    step = int(draws.below(f"{label} step", zero, 1 << 31)[0]) * 10 + 3
    start = int(draws.below(f"{label} start", zero, 1 << 31)[0])
    half = 10 ** (width // 2)
    high, low = step % modulus // half, step % modulus % half
    product = (rows % modulus * high % (modulus // half)) * half + rows % modulus * low
    result: Ints = (product + start) % modulus
    return result


def npwps(rows: Ints, draws: Draws) -> pa.StringArray:
    """NPWP of 15 digits with its Luhn check digit, head offices only."""
    head = scattered(rows, 8, draws, "npwp")
    office = 1 + draws.below("tax office", rows, 599)
    return digits((head * 10 + _luhn(head, 8)) * 1_000_000 + office * 1_000, 15)


def _luhn(number: Ints, width: int) -> Ints:
    total = np.zeros_like(number)
    for i in range(width):
        digit = number // 10**i % 10 * (2 if i % 2 == 0 else 1)
        total += np.where(digit > 9, digit - 9, digit)
    return -total % 10


def passports(owner: Ints, patterns: pa.StringArray, draws: Draws) -> pa.StringArray:
    """Passport numbers by pattern, no two alike: A stands for a letter, 9 for a digit.

    Patterns have one run of seven to nine digits.
    """
    result = pa.nulls(len(owner), pa.string())
    for pattern in pc.unique(patterns).to_pylist():
        mask = pc.equal(patterns, pattern)
        number = _passports(owner[mask.to_numpy(zero_copy_only=False)], pattern, draws)
        result = pc.replace_with_mask(result, mask, number)
    return result


def _passports(owner: Ints, pattern: str, draws: Draws) -> pa.StringArray:
    front, width = pattern.index("9"), pattern.count("9")
    letters = [_letter(draws.below(f"letter {i}", owner, 13)) for i in range(len(pattern) - width)]
    unique = scattered(owner, _PASSPORT_DIGITS, draws, "passport")
    if width < _PASSPORT_DIGITS:
        # The first letter tells apart what the digits do not.
        letters[0] = _letter(unique // 10**width)
    longer = unique * 10 + draws.below("last digit", owner, 10)
    run = digits(longer if width > _PASSPORT_DIGITS else unique % 10**width, width)
    return pc.binary_join_element_wise(*letters[:front], run, *letters[front:], "")


def _letter(position: Ints) -> pa.StringArray:
    return pa.array(list("ABCEGKLMNPRTX"), pa.string()).take(pa.array(position))
