"""What time it is. Everything that depends on the date asks a :class:`Clock`."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

#: Asia/Jakarta has had no daylight saving since 1964; days of quotas are counted there.
JAKARTA = timezone(timedelta(hours=7))


class Clock(Protocol):
    """A source of the present moment."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)


class SimulatedClock:
    """A clock that starts at a chosen moment and then runs at normal speed (rehearsals)."""

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC)
        self._origin = time.monotonic()

    def now(self) -> datetime:
        """The present moment of the rehearsal, aware, in UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._origin)


def jakarta_day(moment: datetime) -> date:
    """The calendar day in Jakarta at ``moment``."""
    return moment.astimezone(JAKARTA).date()
