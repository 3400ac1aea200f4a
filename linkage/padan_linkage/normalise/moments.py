"""Dates with a time of day behind them: what the time and its offset leave of the day.

Databases and programs write a date as a moment, often as midnight in Jakarta told in UTC, which is
17:00 of the day before. Midnight says nothing and goes; any other time is told, and where it makes
two days possible there is no date.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from padan_linkage.normalise.normalised import Doubtful, Fault

_TIME = re.compile(
    r"(?:t|\s|,)\s*(?P<hour>\d{1,2})[:.](?P<minute>\d{2})"
    r"(?:[:.](?P<second>\d{2})(?:[.,:](?P<fraction>\d+))?)?\s*(?P<half>[ap]\.?m\b\.?)?"
    r"\s*(?P<zone>z|utc|gmt|wib|wita|wit)?\s*(?P<offset>[+-]\d{1,2}(?::?\d{2})?)?"
    r"\s*(?:\([a-z ]+\)|\[asia/(?:jakarta|pontianak|makassar|jayapura)\])?$"
)
#: ``Tue Jan 01 00:00:00 WIB 1980``: the year behind the time, as C and Java write it.
_YEAR_BEHIND = re.compile(r"^(?P<day>[a-z., ]+ \d{1,2}) (?P<time>\d{1,2}:\d{2}:\d{2}) "
                          r"(?:(?P<zone>z|utc|gmt|wib|wita|wit) )?(?P<year>\d{4})$")  # fmt: skip
_ZONES = {"z": 0, "utc": 0, "gmt": 0, "wib": 420, "wita": 480, "wit": 540}
#: Offsets that Indonesia has had since 1932, and Jakarta's own before, in minutes.
_INDONESIAN = range(420, 571)
#: Today's, of the west and of the east.
_WEST, _EAST = 420, 540
_DAY = 24 * 60
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class TimeOfDay:
    """Minutes since midnight; whether seconds follow; minutes east of UTC, None if not told.

    ``halved``: written with AM or PM.
    """

    minutes: int
    seconds: bool
    offset: int | None
    halved: bool

    @property
    def midnight(self) -> bool:
        """Whether the day begins here."""
        return not self.minutes and not self.seconds


def without_time(text: str) -> tuple[str, TimeOfDay | None]:
    """A date in lower case without the time behind it, and that time; None if there is none."""
    if m := _YEAR_BEHIND.match(text):
        text = f"{m['day']} {m['year']} {m['time']} {m['zone'] or ''}".rstrip()
    m = _TIME.search(text)
    if m is None:
        return text, None
    hour, minute, second = int(m["hour"]), int(m["minute"]), int(m["second"] or 0)
    if m["half"]:
        if not 1 <= hour <= 12:
            return text, None
        hour = hour % 12 + (12 if m["half"][0] == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return text, None
    seconds = second > 0 or bool((m["fraction"] or "").strip("0"))
    offset = _ZONES[m["zone"]] if m["zone"] else None
    if m["offset"]:
        offset = (offset or 0) + _minutes(m["offset"])
    return text[: m.start()], TimeOfDay(60 * hour + minute, seconds, offset, bool(m["half"]))


def _minutes(offset: str) -> int:
    """Minutes east of UTC of ``+7``, ``+07``, ``+0700`` or ``+07:00``."""
    digits = offset[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    return (60 * int(hours) + int(minutes)) * (-1 if offset[0] == "-" else 1)


def day_of_moment(date: str, clock: TimeOfDay) -> str | Doubtful:
    """``date`` (``YYYY-MM-DD``) with a time behind it; a Fault if it may be two days."""
    if dt.date.fromisoformat(date) == _EPOCH and _since_epoch(clock) == 0:
        return Fault.FILLER
    if _may_be_another_day(clock):
        return Fault.TWO_READINGS
    return date if clock.midnight else Doubtful(date, Fault.PARTLY_READ)


def _since_epoch(clock: TimeOfDay) -> int | None:
    """Minutes since the epoch on its own day; without an offset, local time's 7 to 9 o'clock."""
    offset = clock.offset
    if offset is None:
        offset = clock.minutes if clock.minutes in (420, 480, 540) else None
    return None if offset is None or clock.seconds else clock.minutes - offset


def _may_be_another_day(clock: TimeOfDay) -> bool:
    """Whether it is another day in Indonesia, anywhere, than the one that is written."""
    if clock.offset is None and clock.midnight:
        return False
    if clock.offset is not None and clock.offset in _INDONESIAN:
        return False
    in_utc = clock.minutes - (clock.offset or 0)
    return any(not 0 <= in_utc + zone < _DAY for zone in (_WEST, _EAST))
