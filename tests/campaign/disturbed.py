"""Faults that pass: a disk that is full for a while or not to be written to, a clock that jumps.

Played on the state that a journey had when an errand began. The errand meets the fault at one of
its durable steps, may be refused, and is done again once the fault is over; then all is as if there
had been none.
"""

from __future__ import annotations

import errno
import random
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from books import Books
from crashes import Recording, Undisturbed, erase_lists, read_again, sweep_homes
from errands import Errand, LeftUndoneError
from history import Cut, Survival
from scene import REQUESTER
from seam import watched
from server_fixture import NOW, FixedClock
from servers import BOTH, Servers

from padan_client.cli.common import Exit
from padan_server.admission.ledger import BLOCK

_JUMPS = (timedelta(minutes=10), timedelta(hours=30), timedelta(days=40), timedelta(days=4000))
#: Steps of an errand at which a fault may begin, and how many it lasts.
_FIRST, _LASTS = 120, (1, 3, 1000)


@dataclass
class FailingDisk:
    """Fails from the ``first`` durable step on, for some steps, with an error number."""

    first: int
    lasts: int
    number: int
    met: int = 0
    seen: int = 0

    def before(self, kind: str, path: Path) -> None:
        """Fail if it is time."""
        self.seen += 1
        if self.first < self.seen <= self.first + self.lasts and kind not in ("unlink", "rmdir"):
            self.met += 1
            raise OSError(self.number, "as the campaign wants it")

    def after(self, kind: str, path: Path) -> None:
        """Nothing."""


@dataclass
class JumpingClock:
    """Sets a clock forward or back at the ``first`` durable step."""

    clock: FixedClock
    first: int
    jump: timedelta
    met: int = 0
    seen: int = 0

    def before(self, kind: str, path: Path) -> None:
        """Jump if it is time."""
        self.seen += 1
        if self.seen == self.first + 1:
            self.met += 1
            self.clock.moment += self.jump

    def after(self, kind: str, path: Path) -> None:
        """Nothing."""


@dataclass
class Faults:
    """Plays faults of one recording."""

    undisturbed: Undisturbed
    recording: Recording
    servers: Servers
    #: Plays in which the fault came before the errand's end.
    met: int = 0
    _clock: FixedClock = field(default_factory=FixedClock)

    def play_disk(self, draw: random.Random) -> str:
        """A disk that is full, or read-only, for some steps; what was violated."""
        number = draw.choice([errno.ENOSPC, errno.EROFS])
        first = draw.randrange(_FIRST)
        return self._play(FailingDisk(first, draw.choice(_LASTS), number), draw)

    def play_clock(self, draw: random.Random) -> str:
        """A clock that jumps forward or back in the middle; what was violated."""
        self._clock = FixedClock()
        jump = draw.choice(_JUMPS) * draw.choice([-1, 1])
        return self._play(JumpingClock(self._clock, draw.randrange(_FIRST), jump), draw)

    def _play(self, fault: FailingDisk | JumpingClock, draw: random.Random) -> str:
        moment = draw.choice(self.recording.beginnings())
        cut = Cut(self.recording.history)
        cut.go_to(moment.at)
        cut.write(self.recording.scene.state, Survival.ALL, draw)
        found = self._meet(moment.errand, fault)
        self.met += bool(fault.met)
        return found and f"{moment.errand.name}, {fault}: {found}"

    def _meet(self, errand: Errand, fault: FailingDisk | JumpingClock) -> str:
        scene = self.recording.scene
        try:
            with ExitStack() as stack:
                running = stack.enter_context(self.servers.running(scene, BOTH, self._clock))
                outcome = self._under(errand, fault)
                self._clock.moment = NOW
                if outcome is None:
                    outcome = errand.seen(scene, {})
                if outcome is None:
                    outcome = errand.do(scene, {})
                if errand.party == REQUESTER:
                    erase_lists(scene)
                read_again(running)
        except Exception as e:  # noqa: BLE001 - whatever it is, it is to be told
            return f"{type(e).__name__}: {e}"
        if outcome != self.undisturbed.outcomes[errand.name]:
            return f"another outcome: {outcome}"
        sweep_homes(scene)
        found = Books.of(scene).differences(self.undisturbed.books[errand.name], ahead=BLOCK)
        return "; ".join(found)

    def _under(self, errand: Errand, fault: FailingDisk | JumpingClock) -> dict | None:
        """What comes of the errand while the fault is there; None where it was refused."""
        scene = self.recording.scene
        try:
            with watched(scene.state, fault):
                return errand.do(scene, {})
        except LeftUndoneError as left:
            if left.code == Exit.DEFECT:
                raise
            return None
