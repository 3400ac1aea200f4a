"""Dates in every form that Indonesian files show, to ``YYYY-MM-DD``.

Day before month, unless the month cannot be one. Two-digit years: see ``calendar.CENTURY_PIVOT``.
"""

from __future__ import annotations

import datetime as dt
import re

from padan_linkage.normalise.calendar import exists, full_year
from padan_linkage.normalise.latin import is_missing, plain
from padan_linkage.normalise.outcome import Reason

_MONTH_WORDS = {
    1: "jan januari january djanuari",
    2: "feb peb febr februari pebruari february februari",
    3: "mar mrt maret march maart",
    4: "apr april",
    5: "mei may mey",
    6: "jun juni june djuni",
    7: "jul juli july djuli",
    8: "agu agt ags agust agus aug agustus august agoestoes",
    9: "sep sept september",
    10: "okt oct oktober october",
    11: "nov nop november nopember",
    12: "des dec desember december",
}
MONTHS = {word: month for month, words in _MONTH_WORDS.items() for word in words.split()}

_SEPARATOR = r"[\s./,\-]+"
_TIME = re.compile(
    r"[t ]\d{1,2}[:.]\d{2}([:.]\d{2}([.,]\d+)?)?\s*(am|pm|z|wib|wita|wit|[+-]\d{2}:?\d{2})?$"
)
_PLACE_BEFORE = re.compile(r"^[a-z][a-z .'()]*[\s,/:;.\-]+(?=\d)")
_YEAR_ALONE = re.compile(rf"^(?:tahun|thn|th)?\.?\s*(?:\d{{1,2}}{_SEPARATOR})?(\d{{4}})$")
_YEAR_FIRST = re.compile(rf"^(\d{{4}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{1,2}})$")
_DAY_FIRST = re.compile(rf"^(\d{{1,2}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{4}}|\d{{2}})$")
_DAY_WORD = re.compile(r"(?:^|\D)(\d{1,2})[\s./,\-]*([a-z]{3,10})[\s./,\-]*(\d{4}|\d{2})$")
_WORD_DAY = re.compile(
    rf"([a-z]{{3,9}}){_SEPARATOR}(\d{{1,2}})(?:st|nd|rd|th)?{_SEPARATOR}(\d{{4}})$"
)
_YEAR_WORD = re.compile(rf"^(\d{{4}}){_SEPARATOR}([a-z]{{3,9}}){_SEPARATOR}(\d{{1,2}})$")
_EIGHT = re.compile(r"^\d{8}$")
_SERIAL = re.compile(r"^\d{5}(\.\d+)?$")

#: Day numbers of a spreadsheet between 1910 and 2030 count from here.
_SPREADSHEET_EPOCH = dt.date(1899, 12, 30)
_SPREADSHEET_DAYS = range(10_000, 47_500)
#: Dates that forms fill in when nobody knows.
_FILLERS = frozenset({"1900-01-01", "1899-12-30", "1899-12-31", "1901-01-01"})


def parse_date(value: str) -> str:
    """The date in ``value`` as ``YYYY-MM-DD``, "" if missing, or the Reason why there is none."""
    if is_missing(value):
        return ""
    text = _TIME.sub("", plain(value))
    if not text.strip("0-/. "):
        return Reason.FILLER
    parts = _parts(text) or _parts(_PLACE_BEFORE.sub("", text))
    if parts is None:
        return Reason.INCOMPLETE_DATE if _YEAR_ALONE.match(text) else Reason.UNREADABLE
    year, month, day = parts
    if 0 in (month, day) or year == 0:
        return Reason.INCOMPLETE_DATE
    if not exists(year, month, day):
        return Reason.IMPOSSIBLE_DATE
    date = f"{year:04d}-{month:02d}-{day:02d}"
    return Reason.FILLER if date in _FILLERS else date


def _parts(text: str) -> tuple[int, int, int] | None:
    """Year, month, day as written; None if the text has no date's form."""
    if m := _YEAR_FIRST.match(text):
        return int(m[1]), int(m[2]), int(m[3])
    if m := _DAY_FIRST.match(text):
        return _day_first(int(m[1]), int(m[2]), _year(m[3]))
    if _EIGHT.match(text):
        return _eight_digits(text)
    if _SERIAL.match(text) and int(text[:5]) in _SPREADSHEET_DAYS:
        date = _SPREADSHEET_EPOCH + dt.timedelta(days=int(text[:5]))
        return date.year, date.month, date.day
    return _with_month_word(text)


def _with_month_word(text: str) -> tuple[int, int, int] | None:
    """Dates with the month in letters, after a place or a weekday too."""
    if (m := _DAY_WORD.search(text)) and _month(m[2]):
        return _year(m[3]), _month(m[2]), int(m[1])
    if (m := _WORD_DAY.search(text)) and _month(m[1]):
        return _year(m[3]), _month(m[1]), int(m[2])
    if (m := _YEAR_WORD.match(text)) and _month(m[2]):
        return int(m[1]), _month(m[2]), int(m[3])
    return None


def _month(word: str) -> int:
    """The month of a word between numbers, slips behind its first three letters forgiven; or 0."""
    return MONTHS.get(word) or MONTHS.get(word[:3], 0)


def _day_first(day: int, month: int, year: int) -> tuple[int, int, int]:
    """Day before month; month before day only where nothing else can be meant."""
    if not exists(year, month, day) and exists(year, day, month):
        return year, day, month
    return year, month, day


def _eight_digits(text: str) -> tuple[int, int, int]:
    """``yyyymmdd``, or ``ddmmyyyy`` where only that exists."""
    year_first = int(text[:4]), int(text[4:6]), int(text[6:])
    day_first = int(text[4:]), int(text[2:4]), int(text[:2])
    return day_first if exists(*day_first) and not exists(*year_first) else year_first


def _year(digits: str) -> int:
    return int(digits) if len(digits) == len("1980") else full_year(int(digits))
