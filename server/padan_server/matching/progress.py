"""How far a run is and how long the rest will take, from what its ranges took so far.

Work is counted in the engine's own unit, over all passes, so that a long pass counts as long. An
estimate rests on the last minute of real work: ranges taken up from before a crash are progress,
but say nothing of speed. There is none before there is something to rest it on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from padan_linkage.matching import Journal

#: Seconds of work that an estimate looks back on, and the least that it needs.
_WINDOW, _LEAST = 60.0, 1.0


@dataclass(frozen=True)
class Step:
    """How far a run is, 0 to 1, and how many seconds it will still take, if that can be told."""

    share: float
    seconds_left: float | None = None


class RunProgress:
    """Progress of one run; ``work`` by pass, ``done`` the passes that have ended."""

    def __init__(
        self,
        work: Mapping[str, float],
        done: set[str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = dict(work)
        self._total = sum(work.values()) or 1.0
        self._before = sum(w for p, w in work.items() if p in done)
        self._now = self._before
        self._monotonic = monotonic
        self._seen: deque[tuple[float, float]] = deque()
        self.restart()

    def step(self) -> Step:
        """How far the run is, and how long the rest will take."""
        return Step(min(1.0, self._now / self._total), self._seconds_left())

    def restart(self) -> None:
        """Forget the speed: what comes next was not done now, or another pass begins."""
        self._seen.clear()
        self._seen.append((self._monotonic(), self._now))

    def at(self, pass_id: str, share: float) -> None:
        """A pass is ``share`` done, 0 to 1."""
        self._now = self._before + min(max(share, 0.0), 1.0) * self._work[pass_id]
        self._seen.append((self._monotonic(), self._now))
        while len(self._seen) > 2 and self._seen[-1][0] - self._seen[1][0] > _WINDOW:
            self._seen.popleft()

    def ended(self, pass_id: str) -> None:
        """A pass has ended."""
        self.at(pass_id, 1.0)
        self._before = self._now

    def _seconds_left(self) -> float | None:
        """Seconds until the run ends at the present speed; None as long as nothing tells."""
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        if ended - began < _LEAST or last <= first:
            return None
        return (self._total - last) * (ended - began) / (last - first)

    def journal(self, kept: Journal) -> Journal:
        """``kept``, such that a range taken up from it does not count as speed."""
        return _TimedJournal(kept, self)


class _TimedJournal:
    """A journal that tells the pace of what it gives back."""

    def __init__(self, kept: Journal, run: RunProgress) -> None:
        self._kept = kept
        self._run = run
        self._given = False

    def load(self, name: str) -> bytes | None:
        """What is kept under ``name``."""
        found = self._kept.load(name)
        if self._given:
            self._run.restart()
        self._given = found is not None
        return found

    def save(self, name: str, content: bytes) -> None:
        """Keep ``content``."""
        self._kept.save(name, content)
