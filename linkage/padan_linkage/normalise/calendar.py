"""Days that exist, without a clock."""

from __future__ import annotations

#: First year of the century window of a two-digit year: 30…99 are 19xx, 00…29 are 20xx. Fixed, not
#: taken from a clock: both sides and every later run must read `07/09/81` alike.
CENTURY_PIVOT = 30
#: Years of two digits that may be of either century: born in 1910 to 1929 and very old or dead, or
#: in this century. Nobody lives who was born before, and no register has dates of 2030 and later.
EITHER_CENTURY = range(10, CENTURY_PIVOT)
#: Years that a date in a register can have.
FIRST_YEAR, LAST_YEAR = 1850, 2099

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LEAP_DAY = 29
_MONTHS = 12


def full_year(two_digits: int) -> int:
    """The year that 00…99 stands for."""
    return two_digits + (1900 if two_digits >= CENTURY_PIVOT else 2000)


def exists(year: int, month: int, day: int) -> bool:
    """Whether the day is in the Gregorian calendar and in a register's range."""
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= _MONTHS):
        return False
    if month == 2 and day == _LEAP_DAY:
        return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= _DAYS[month - 1]
