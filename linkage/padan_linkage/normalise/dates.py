"""Dates in every form that Indonesian files show, to ``YYYY-MM-DD``.

Day before month, unless the month cannot be one. Years of two digits: :mod:`.calendar`; times of
day: :mod:`.moments`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.normalise.calendar import EITHER_CENTURY, LAST_YEAR, exists, full_year
from padan_linkage.normalise.facts import table
from padan_linkage.normalise.latin import is_missing, plain, words
from padan_linkage.normalise.moments import day_of_moment, without_time
from padan_linkage.normalise.names.pieces import buffers
from padan_linkage.normalise.normalised import Doubtful, Fault, Normalised, Problem, parse_distinct

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
#: What a cell of text may have around it: ``="01/02/1980"``.
_QUOTES = re.compile(r'^="?|^"|"$')
_WEEKDAYS = (
    "senin selasa rabu kamis jumat sabtu minggu ahad monday tuesday wednesday thursday friday "
    "saturday sunday sen sel rab kam jum sab min mon tue wed thu fri sat sun"
)
#: Words before a date that say no more than that it is one.
_SAYING_DATE = re.compile(
    rf"^(?:hari|tgl|tanggal|lahir|{'|'.join(_WEEKDAYS.split(' '))})\b[\s,.:/]*"
)
_WORDS_BEFORE = re.compile(r"^([a-z][a-z .()]*?)([\s,/:;.\-]+)(?=\d)")
#: Words that make another thing of the date behind them.
_QUALIFIERS = words(
    "sebelum sesudah setelah sekitar kira perkiraan kurang lebih antara sampai hingga sd bukan "
    "sejak ca circa about before after between until since not"
)
_YEAR_ALONE = re.compile(rf"^(?:tahun|thn|th)?\.?\s*(?:\d{{1,2}}{_SEPARATOR})?(\d{{4}})$")
_YEAR_FIRST = re.compile(rf"^(\d{{4}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{1,2}})$")
_DAY_FIRST = re.compile(rf"^(\d{{1,2}})({_SEPARATOR})(\d{{1,2}}){_SEPARATOR}(\d{{4}}|\d{{2}})$")
_DAY_WORD = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)?[\s./,\-]*([a-z]{3,10})[\s./,\-]*(\d{4}|\d{2})$")
_WORD_DAY = re.compile(
    rf"^([a-z]{{3,9}}){_SEPARATOR}(\d{{1,2}})(?:st|nd|rd|th)?{_SEPARATOR}(\d{{4}})$"
)
_YEAR_WORD = re.compile(rf"^(\d{{4}}){_SEPARATOR}([a-z]{{3,9}}){_SEPARATOR}(\d{{1,2}})$")
_EIGHT = re.compile(r"^\d{8}$")
_SERIAL = re.compile(r"^(\d{5})(?:[.,](\d+))?$")
#: How alike a word with a month's first three letters must be to the month (difflib's ratio).
_SLIP = 0.8

#: Known places by their letters, with a rank or without.
_PLACES = frozenset(
    rank + name.replace(" ", "")
    for section in ("kabupaten-kota", "provinces", "renamed", "short")
    for name in table("places.txt")[section]
    for rank in ("", "kab", "kabupaten", "kota")
)

#: Day numbers of a spreadsheet between 1910 and 2030 count from here.
_SPREADSHEET_EPOCH = dt.date(1899, 12, 30)
_SPREADSHEET_DAYS = range(10_000, 47_500)
#: Dates that forms fill in when nobody knows.
_FILLERS = frozenset({"1900-01-01", "1899-12-30", "1899-12-31", "1901-01-01"})
#: The first year after those.
_FIRST = 1902


def parse_dates(values: pa.StringArray) -> Normalised:
    """Normalise a column of dates: digits with separators in a kernel, all others one by one."""
    written, plainly = _plain_dates(*buffers(values))
    plain_values = pa.StringArray.from_buffers(
        len(values), pa.py_buffer(np.arange(0, written.size + 1, 10, dtype=np.int32)),
        pa.py_buffer(written),
    )  # fmt: skip
    if plainly.all():
        return Normalised(plain_values, [])
    rest = np.flatnonzero(~plainly)
    others = parse_distinct(values.take(pa.array(rest)), parse_date)
    result = pc.replace_with_mask(plain_values, pa.array(~plainly), others.values)
    return Normalised(result, [Problem(int(rest[p.row]), p.reason) for p in others.problems])


@dataclass(frozen=True)
class _Read:
    """A date as written; ``doubt``: why it may be another one, or was not read whole."""

    year: int
    month: int
    day: int
    doubt: Fault | None = None


def parse_date(value: str) -> str | Doubtful:
    """The date in ``value`` as ``YYYY-MM-DD``, "" if missing, or the Fault why there is none."""
    if is_missing(value):
        return ""
    text, clock = without_time(_QUOTES.sub("", plain(value)))
    if not text.strip("0-/. "):
        return Fault.FILLER
    read = _read(text)
    if read is None:
        return Fault.INCOMPLETE_DATE if _YEAR_ALONE.match(text) else Fault.UNREADABLE
    date = _date(read)
    if clock is None or isinstance(date, Fault | Doubtful):
        return date
    if clock.halved and _either_order(text):
        return Fault.TWO_READINGS
    return day_of_moment(date, clock)


def _date(read: _Read) -> str | Doubtful:
    if 0 in (read.month, read.day, read.year):
        return Fault.INCOMPLETE_DATE
    if not exists(read.year, read.month, read.day):
        return Fault.IMPOSSIBLE_DATE
    date = f"{read.year:04d}-{read.month:02d}-{read.day:02d}"
    if date in _FILLERS:
        return Fault.FILLER
    return Doubtful(date, read.doubt) if read.doubt else date


def _read(text: str) -> _Read | None:
    """The date in ``text``, behind a weekday or a place too."""
    while m := _SAYING_DATE.match(text):
        text = text[m.end() :]
    if found := _parts(text):
        return found
    m = _WORDS_BEFORE.match(text)
    found = _parts(text[m.end() :]) if m else None
    if m is None or found is None or _is_place(m[1], m[2]):
        return found
    return replace(found, doubt=found.doubt or Fault.PARTLY_READ)


def _is_place(before: str, separator: str) -> bool:
    """Whether the words before a date are a place, as on a KTP: told by a comma, or known."""
    said = re.findall(r"[a-z]+", before)
    if not _QUALIFIERS.isdisjoint(said):
        return False
    return bool(set(separator) & set(",/:;")) or "".join(said) in _PLACES


def _either_order(text: str) -> bool:
    """Whether the date's first number may be the month, as where AM and PM are written."""
    m = _DAY_FIRST.match(text)
    return m is not None and m[1] != m[3] and max(int(m[1]), int(m[3])) <= len(_MONTH_WORDS)


def _parts(text: str) -> _Read | None:
    """Year, month, day as written; None if the text has no date's form."""
    if m := _YEAR_FIRST.match(text):
        return _Read(int(m[1]), int(m[2]), int(m[3]))
    if m := _DAY_FIRST.match(text):
        return _day_first(int(m[1]), int(m[3]), m[4], dashes="-" in m[2])
    if _EIGHT.match(text):
        return _eight_digits(text)
    if (m := _SERIAL.match(text)) and int(m[1]) in _SPREADSHEET_DAYS:
        date = _SPREADSHEET_EPOCH + dt.timedelta(days=int(m[1]))
        timed = (m[2] or "").strip("0")
        return _Read(date.year, date.month, date.day, Fault.PARTLY_READ if timed else None)
    return _with_month_word(text)


def _with_month_word(text: str) -> _Read | None:
    """Dates with the month in letters."""
    if (m := _DAY_WORD.match(text)) and _month(m[2]):
        return _of_written_year(m[3], _month(m[2]), int(m[1]))
    if (m := _WORD_DAY.match(text)) and _month(m[1]):
        return _Read(int(m[3]), _month(m[1]), int(m[2]))
    if (m := _YEAR_WORD.match(text)) and _month(m[2]):
        return _Read(int(m[1]), _month(m[2]), int(m[3]))
    return None


@cache
def _month(word: str) -> int:
    """The month of a word between numbers, slips behind its first three letters forgiven; or 0."""
    if word in MONTHS:
        return MONTHS[word]
    names = [name for name in MONTHS if name[:3] == word[:3] and len(name) > 3]
    close = get_close_matches(word, names, n=1, cutoff=_SLIP)
    return MONTHS[close[0]] if close else 0


def _day_first(first: int, second: int, year: str, *, dashes: bool) -> _Read:
    """Day before month; month before day only where nothing else can be meant."""
    read = _of_written_year(year, second, first)
    if not exists(read.year, second, first) and exists(read.year, first, second):
        return replace(read, month=first, day=second)
    if dashes and len(year) == 2 and exists(full_year(first % 100), second, int(year)):
        return replace(read, doubt=Fault.TWO_READINGS)  # 01-02-03 may begin with the year
    return read


def _eight_digits(text: str) -> _Read:
    """``yyyymmdd``, or ``ddmmyyyy`` where only that exists."""
    year_first = int(text[:4]), int(text[4:6]), int(text[6:])
    day_first = int(text[4:]), int(text[2:4]), int(text[:2])
    return _Read(*(day_first if exists(*day_first) and not exists(*year_first) else year_first))


def _of_written_year(digits: str, month: int, day: int) -> _Read:
    if len(digits) == len("1980"):
        return _Read(int(digits), month, day)
    doubt = Fault.TWO_READINGS if int(digits) in EITHER_CENTURY else None
    return _Read(full_year(int(digits)), month, day, doubt)


@kernel
def _plain_dates(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Any:
    """ISO bytes uint8[10 n] of the dates that need no judgement, and which those are, bool[n].

    Three numbers with one character of ``- / .`` or a blank twice between them, the year of four
    digits at either end, day before month, a day that exists; no year in which fillers lie.
    """
    n = offsets.size - 1
    out, good = np.full(10 * n, 48, np.uint8), np.zeros(n, np.bool_)
    for row in range(n):
        first, last = offsets[row], offsets[row + 1]
        if not 8 <= last - first <= 10:
            continue
        numbers, sizes, part, fits = [0, 0, 0], [0, 0, 0], 0, True
        between = 0
        for i in range(first, last):
            byte = int(data[i])
            if 48 <= byte <= 57:
                numbers[part] = numbers[part] * 10 + byte - 48
                sizes[part] += 1
            elif part < 2 and byte in (45, 47, 46, 32) and (part == 0 or byte == between):
                between = byte
                part += 1
            else:
                fits = False
                break
        if not fits or part != 2:
            continue
        ahead = sizes[0] == 4
        year, month, day = numbers[0], numbers[1], numbers[2]
        if not ahead:
            year, day = day, year
        tail = sizes[2] if ahead else sizes[0]
        four = ahead or sizes[2] == 4
        if not (four and 1 <= tail <= 2 and 1 <= sizes[1] <= 2 and _FIRST <= year <= LAST_YEAR):
            continue
        if not (1 <= month <= 12 and 1 <= day <= _last_day(year, month)):
            continue
        good[row] = True
        _write(out, 10 * row, year, month, day)
    return out, good


@helper
def _last_day(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@helper
def _write(out: NDArray[np.uint8], at: int, year: int, month: int, day: int) -> None:
    for place in range(3, -1, -1):
        out[at + place] = 48 + year % 10
        year //= 10
    out[at + 4] = out[at + 7] = 45
    out[at + 5], out[at + 6] = 48 + month // 10, 48 + month % 10
    out[at + 8], out[at + 9] = 48 + day // 10, 48 + day % 10
