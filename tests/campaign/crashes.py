"""Crashes at every durable step, played on what a journey wrote down of itself.

A journey is made once and its :class:`~history.History` kept. Each play lays out what a disk holds
at one of its moments (all, if only the process died), opens the servers and homes on it, goes on
with the errand that was under way, and compares what comes of it with an undisturbed journey.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agency import Home
from books import Books
from errands import FEW, JOURNEY, Errand, rows_of
from history import Cut, History, Mark, Survival, Sync
from scene import AGREEMENT, FLOW, PROVIDER, REQUESTER, Scene
from seam import watched
from servers import BOTH, Servers

from padan_client.base.files import sweep
from padan_client.protocol.unit.listing import delete_dataset
from padan_client.transport.channel import Link
from padan_server.admission.ledger import BLOCK
from padan_server.roles.provider import Provider
from padan_server.roles.unit import Unit

START = Errand("start", "", BOTH, lambda scene, known: {})


class ViolationError(AssertionError):
    """A play ended otherwise than an undisturbed one; says how, and how to play it again."""


@dataclass(frozen=True)
class Undisturbed:
    """What an undisturbed journey comes to: each errand's outcome, and the books after it."""

    outcomes: dict[str, dict]
    books: dict[str, Books]

    @classmethod
    def of(cls, folder: Path, servers: Servers) -> Undisturbed:
        """Make it, the servers stopped and started again after each errand."""
        scene, outcomes, books = Scene.found(folder), {}, {}
        for errand in (START, *JOURNEY):
            with servers.running(scene) as running:
                outcomes[errand.name] = errand.do(scene, outcomes)
                read_again(running)
            sweep_homes(scene)
            books[errand.name] = Books.of(scene)
        return cls(outcomes, books)


@dataclass(frozen=True)
class Moment:
    """A moment of a recording: before its change ``at``, while ``errand`` was under way."""

    at: int
    errand: Errand


@dataclass(frozen=True)
class Crash:
    """A crash to be played: when, what survives it, and what decides the rest."""

    moment: Moment
    survival: Survival
    seed: int

    def __str__(self) -> str:
        moment = self.moment
        return f"{moment.errand.name}, change {moment.at}, {self.survival.value}, {self.seed}"


@dataclass
class Recording:
    """A journey, what it did to the disk, and where it can be cut."""

    scene: Scene
    history: History
    moments: list[Moment] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, servers: Servers) -> Recording:
        """Make a journey and write it down, from the servers' first start to the last answer."""
        scene = Scene.found(folder)
        history = History(scene.state)
        with watched(scene.state, history), servers.running(scene) as running:
            history.mark(START.name)
            for errand in JOURNEY:
                history.mark(errand.name)
                errand.do(scene, {})
                read_again(running)
            history.mark("end")
        made = cls(scene, history)
        made.moments = [*made._moments()]
        return made

    def _moments(self) -> Iterator[Moment]:
        """Every change but remarks; none after the end, when the servers are stopped."""
        errands = iter((START, *JOURNEY))
        errand = next(errands)
        for at, change in enumerate(self.history.changes):
            if isinstance(change, Mark):
                if change.text == "end":
                    return
                if change.text != START.name:
                    errand = next(errands)
            yield Moment(at + 1, errand)

    def beginnings(self) -> list[Moment]:
        """The moment at which each errand began."""
        first: dict[str, Moment] = {}
        for moment in self.moments:
            first.setdefault(moment.errand.name, moment)
        return [moment for moment in first.values() if moment.errand.party]

    def durable(self) -> list[Moment]:
        """The moments just before and just after a sync or a change of names."""
        steps = {i for i, c in enumerate(self.history.changes) if not isinstance(c, Mark)}
        syncs = {i for i in steps if isinstance(self.history.changes[i], Sync)}
        return [m for m in self.moments if m.at in syncs or m.at - 1 in steps]


@dataclass
class Crashes:
    """Plays crashes of one recording, in the order of its moments."""

    undisturbed: Undisturbed
    recording: Recording
    servers: Servers

    def play(self, chosen: Sequence[Crash]) -> Iterator[tuple[Crash, str]]:
        """Each crash, in the order of their moments, and what was violated ("": nothing)."""
        cut = Cut(self.recording.history)
        for crash in sorted(chosen, key=lambda c: c.moment.at):
            cut.go_to(crash.moment.at)
            cut.write(self.recording.scene.state, crash.survival, random.Random(crash.seed))
            found = self._go_on(crash.moment, crash.survival)
            yield crash, found and f"{crash}: {found}"

    def draw(self, count: int, survivals: Sequence[Survival], draw: random.Random) -> list[Crash]:
        """Some crashes at durable steps, every errand as likely as any other."""
        by_errand: dict[str, list[Moment]] = {}
        for moment in self.recording.durable():
            by_errand.setdefault(moment.errand.name, []).append(moment)
        errands = sorted(by_errand)
        return [
            Crash(draw.choice(by_errand[draw.choice(errands)]), draw.choice(survivals), seed)
            for seed in (draw.getrandbits(32) for _ in range(count))
        ]

    def _go_on(self, moment: Moment, survival: Survival) -> str:
        scene, errand = self.recording.scene, moment.errand
        try:
            with self.servers.running(scene, errand.servers) as running:
                outcome = errand.seen(scene, {})
                if outcome is None:
                    outcome = errand.do(scene, {})
                elif errand.party == REQUESTER:
                    erase_lists(scene)
                read_again(running)
            if outcome != self.undisturbed.outcomes[errand.name]:
                return f"another outcome: {outcome}"
        except Exception as e:  # noqa: BLE001 - whatever it is, it is to be told
            return f"{type(e).__name__}: {e}"
        if not self.servers.told_nothing():
            return "a value stands in the log"
        sweep_homes(scene)
        again = 0 if survival is Survival.ALL else 2 * (FEW.stop - FEW.start)
        books = Books.of(scene)
        wanted = self.undisturbed.books[errand.name]
        return "; ".join(books.differences(wanted, ahead=BLOCK + again))


def sweep_homes(scene: Scene) -> None:
    """What the next command of each agency removes, and writes when it opens its home."""
    for party in (PROVIDER, REQUESTER):
        home = Home.open(scene.home(party))
        home.jobs.sweep()
        # Every command ends by writing what it has seen of the servers, the next list its cover.
        for part in ("heads", "lists"):
            for draft in (home.folder / part).rglob(".*.tmp"):
                sweep(draft.with_name(draft.name[1:].rsplit(".", 2)[0]))


def erase_lists(scene: Scene) -> None:
    """What else their retention does with lists whose client died before it could erase them."""
    home = Home.open(scene.home(REQUESTER))
    query = "SELECT id FROM datasets WHERE owner = 'kemnaker' AND state = 'committed'"
    place = home.place(AGREEMENT, FLOW)
    with Link.open(home, AGREEMENT, FLOW) as link:
        for (dataset,) in rows_of(scene, "unit", query):
            name = f"{place.name}/datasets/{dataset}"
            link.run(delete_dataset(name, home.randomness, home.patience))


def read_again(running: dict[str, Unit | Provider]) -> None:
    """Have the servers read agreements and tables now."""
    for server in running.values():
        server._rescan()
