"""Numbers that people and companies bear, well formed and no two alike.

Vectorised; every function takes and gives arrays of ``n``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from padan_client.generate.tokens import Indices, Rng

Days = NDArray[np.datetime64]

_WOMAN = 40
#: The year in which the generated world stands still.
THIS_YEAR = 2024


def days_after(start: str, days: Indices) -> Days:
    """The dates so many days after ``start`` (YYYY-MM-DD)."""
    return np.datetime64(start) + days.astype("timedelta64[D]")


def parts(birth: Days) -> tuple[Indices, Indices, Indices]:
    """Year, month and day."""
    months = birth.astype("datetime64[M]")
    year = birth.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (birth - months).astype(np.int64) + 1
    return year, month, day


def niks(place: Indices, birth: Days, female: NDArray[np.bool_]) -> list[str]:
    """NIK from the six-digit place of registration; twins get neighbouring serial numbers."""
    year, month, day = parts(birth)
    dated = ((day + _WOMAN * female) * 100 + month) * 100 + year % 100
    return _serial(place * 1_000_000 + dated, 4)


def kks(place: Indices, household: Indices, rng: Rng) -> list[str]:
    """Family card: place, a day of issue, serial number; one for each household."""
    households = int(household.max()) + 1
    first = np.zeros(households, dtype=np.int64)
    first[household] = place
    issued = days_after("2008-01-01", rng.integers(0, 5800, households))
    year, month, day = parts(issued)
    cards = _serial(first * 1_000_000 + (day * 100 + month) * 100 + year % 100, 4)
    return [cards[h] for h in household.tolist()]


def nips(birth: Days, female: NDArray[np.bool_], rng: Rng) -> list[str]:
    """NIP: birth date, month of appointment, sex, serial number."""
    year, month, day = parts(birth)
    appointed = np.minimum(year + rng.integers(19, 36, len(year)), THIS_YEAR)
    appointed = np.maximum(appointed, year + 18)
    base = ((year * 100 + month) * 100 + day) * 1_000_000
    base = (base + appointed * 100 + rng.integers(1, 13, len(year))) * 10 + 1 + female
    return _serial(base, 3)


def npwps(n: int, rng: Rng) -> list[str]:
    """NPWP of 15 digits with its Luhn check digit, head offices only."""
    offices = rng.integers(1, 600, n)
    return [
        f"{head}{_luhn_digit(head)}{office:03d}000"
        for head, office in zip(unique(n, 8, rng), offices.tolist(), strict=True)
    ]


def passports(n: int, patterns: Iterable[str], rng: Rng) -> list[str]:
    """Passport numbers by pattern: A stands for a letter, 9 for a digit."""
    letters = "ABCEGKLMNPRTX"
    digits = unique(n, 9, rng)
    drawn = rng.integers(0, len(letters), (n, 3)).tolist()
    numbers = []
    for pattern, number, row in zip(patterns, digits, drawn, strict=True):
        own = iter(number[::-1])
        signs = iter(row)
        numbers.append("".join(next(own) if c == "9" else letters[next(signs)] for c in pattern))
    return numbers


def unique(n: int, width: int, rng: Rng) -> list[str]:
    """``n`` different numbers of ``width`` digits in no visible order."""
    modulus = 10**width
    # Multiplying by a unit of the ring permutes it.
    step = int(rng.integers(modulus // 3, modulus // 2)) * 10 + 3
    start = int(rng.integers(0, modulus))
    return [str((start + i * step) % modulus).zfill(width) for i in range(n)]


def _serial(base: Indices, width: int) -> list[str]:
    """``base`` with a serial number behind, counted within equal bases from a small start."""
    order = np.argsort(base, kind="stable")
    ordered = base[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    rank = np.arange(len(base)) - np.repeat(starts, np.diff(np.r_[starts, len(base)]))
    serial = np.empty(len(base), dtype=np.int64)
    serial[order] = rank + 1 + ordered % 7
    return [f"{b}{s:0{width}d}" for b, s in zip(base.tolist(), serial.tolist(), strict=True)]


def _luhn_digit(number: str) -> int:
    total = 0
    for i, c in enumerate(reversed(number)):
        doubled = int(c) * (2 if i % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10
