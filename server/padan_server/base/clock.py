"""What time it is. Everything that depends on the date asks a :class:`Clock`.

A machine's clock may be wrong, and what is erased because its time is up does not come back: a
:class:`KeptClock` says when it is to be doubted. Spec: ``proto/spec/30-unit-mode.md``, "Doubt".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
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


def running_seconds() -> float:
    """Seconds that no setting of the wall clock moves; where the system can, asleep ones too."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class KeptClock:
    """A clock that does not go back, and that is believed only as far as time can have passed.

    ``latest``: the last moment that an earlier process believed; None where there was none. From
    there the clock is believed if it is not behind it, and at most ``away`` ahead: as long as a
    server may have been off. While it runs it is believed as long as it keeps step with
    ``seconds``. What is not believed stays so until the clock is set right, or an operator accepts
    it (:meth:`accept`).
    """

    #: The step that setting a clock by the network may take.
    _STEP = timedelta(minutes=5)

    def __init__(
        self,
        clock: Clock,
        latest: datetime | None = None,
        *,
        away: timedelta = timedelta(hours=72),
        seconds: Callable[[], float] = running_seconds,
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._looking = threading.Lock()
        self.latest = latest or clock.now()
        self._last_look = seconds()
        self._ahead = away if latest else self._STEP
        self.believed = True
        self.look()

    def now(self) -> datetime:
        """The present moment, aware, in UTC: never before :attr:`latest`."""
        # Spec 30, "Doubt", step 5.
        return max(self._clock.now(), self.latest)

    def shown(self) -> datetime:
        """What the clock shows, believed or not."""
        return self._clock.now()

    def look(self) -> bool:
        """Compare the clock with the time that has passed; returns :attr:`believed`."""
        # Spec 30, "Doubt", step 4.
        with self._looking:
            now, seconds = self._clock.now(), self._seconds()
            due = self.latest + timedelta(seconds=seconds - self._last_look)
            self.believed = -self._STEP <= now - due <= self._ahead
            if self.believed:
                self._follow(now, seconds)
            return self.believed

    def accept(self) -> None:
        """Believe the clock as it is: an operator has looked at it."""
        with self._looking:
            self.believed = True
            self._follow(self._clock.now(), self._seconds(), back=True)

    def _follow(self, now: datetime, seconds: float, *, back: bool = False) -> None:
        self.latest = now if back else max(now, self.latest)
        self._last_look, self._ahead = seconds, self._STEP


def jakarta_day(moment: datetime) -> date:
    """The calendar day in Jakarta at ``moment``."""
    return moment.astimezone(JAKARTA).date()
