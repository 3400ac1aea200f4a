"""``python3 dev.py campaign``: crashes and faults of every kind for as long as one likes.

Prints a line for each batch with its seed, and at the end how many plays there were of each part.
What was violated is told at once, and the state it was found on is kept. Exit code 1 if anything.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# What gRPC itself writes of a network that is meant to be bad.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from crashes import Crashes, Recording, Undisturbed, ViolationError
from damages import Damages
from disturbed import Faults
from history import Cut, Survival
from kills import KilledJourney, Nursery
from networks import RoughJourney
from scene import Scene, in_memory
from servers import Servers

#: Plays of a batch; a recording is made anew for each.
_BATCH = 150
_POWER = (Survival.SYNCED, Survival.JOURNAL, Survival.ANY)


@dataclass
class Campaign:
    """All parts, over one undisturbed journey. ``keep``: where states with a violation go."""

    folder: Path
    keep: Path
    servers: Servers = field(default_factory=Servers)
    nursery: Nursery | None = None

    def __post_init__(self) -> None:
        self.undisturbed = Undisturbed.of(self.folder / "reference", self.servers)

    def kills(self, seed: int) -> Iterator[tuple[str, str]]:
        """One journey whose processes are killed."""
        self.nursery = self.nursery or Nursery()
        scene = Scene.found(self.folder / "kills")
        journey, found = KilledJourney(scene, self.nursery, random.Random(seed)), ""
        try:
            journey.go(self.undisturbed)
        except ViolationError as e:
            found = str(e)
        yield from _counted(journey.kills, found)

    def failpoints(self, seed: int) -> Iterator[tuple[str, str]]:
        """The process dies at durable steps of a journey, and all that it wrote is there."""
        yield from self._crashes(seed, (Survival.ALL,))

    def power(self, seed: int) -> Iterator[tuple[str, str]]:
        """The power goes at durable steps of a journey."""
        yield from self._crashes(seed, _POWER)

    def _crashes(self, seed: int, survivals: tuple[Survival, ...]) -> Iterator[tuple[str, str]]:
        recording = Recording.of(self.folder / "crashes", self.servers)
        crashes = Crashes(self.undisturbed, recording, self.servers)
        for crash, found in crashes.play(crashes.draw(_BATCH, survivals, random.Random(seed))):
            if found:
                cut = Cut(recording.history)
                cut.go_to(crash.moment.at)
                self.keep.mkdir(parents=True, exist_ok=True)
                place = self.keep / f"{seed}-{crash.moment.at}-{crash.seed}"
                cut.write(place, crash.survival, random.Random(crash.seed))
            yield crash.moment.errand.party or "start", found

    def disks(self, seed: int) -> Iterator[tuple[str, str]]:
        """Disks that are full or read-only for a while."""
        faults, draw = self._faults(), random.Random(seed)
        for _ in range(_BATCH // 10):
            yield "plays", faults.play_disk(draw)
        yield from [("met the fault", "")] * faults.met

    def clock(self, seed: int) -> Iterator[tuple[str, str]]:
        """A clock that jumps while a command runs."""
        faults, draw = self._faults(), random.Random(seed)
        for _ in range(_BATCH // 10):
            yield "plays", faults.play_clock(draw)
        yield from [("met the fault", "")] * faults.met

    def _faults(self) -> Faults:
        recording = Recording.of(self.folder / "faults", self.servers)
        return Faults(self.undisturbed, recording, self.servers)

    def corruption(self, seed: int) -> Iterator[tuple[str, str]]:
        """Files that were damaged while nobody looked."""
        recording = Recording.of(self.folder / "faults", self.servers)
        damages, draw = Damages(self.undisturbed, recording, self.servers), random.Random(seed)
        for _ in range(_BATCH // 2):
            yield damages.play(draw)

    def network(self, seed: int) -> Iterator[tuple[str, str]]:
        """One journey on a network that cuts, delays, throttles, repeats and corrupts."""
        journey = RoughJourney(self.folder / "network", self.servers, random.Random(seed))
        found = journey.go(self.undisturbed)
        yield from _counted(journey.done, found)

    def close(self) -> None:
        """End all processes."""
        self.servers.close()
        if self.nursery:
            self.nursery.close()


PARTS = ("kills", "failpoints", "power", "disks", "clock", "network", "corruption")


def _counted(kinds: Counter[str], found: str) -> Iterator[tuple[str, str]]:
    yield "journeys", found
    for kind, count in kinds.items():
        yield from [(kind, "")] * count


def main(argv: list[str]) -> int:
    """Play until the time is up; 1 if anything was violated."""
    given = _options(argv)
    parts = given.only.split(",")
    unknown = set(parts) - set(PARTS)
    if unknown:
        _say(f"no such part: {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
        return 2
    seed = given.seed if given.seed is not None else random.SystemRandom().getrandbits(31)
    with tempfile.TemporaryDirectory(prefix="padan-campaign-", dir=in_memory()) as folder:
        _say(f"seed {seed}; an undisturbed journey first")
        campaign = Campaign(Path(folder), given.keep)
        tally = Tally()
        try:
            _play(campaign, parts, seed, given.minutes, tally)
        finally:
            campaign.close()
    _say(tally.table())
    return 1 if tally.violations else 0


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py campaign", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, by commas")
    parser.add_argument("--keep", type=Path, default=Path("campaign-violations"))
    return parser.parse_args(argv)


@dataclass
class Tally:
    """How many plays there were, by part and kind, and how many violations."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    violations: Counter[str] = field(default_factory=Counter)

    def add(self, part: str, kind: str, found: str) -> None:
        """One play more."""
        self.counts.setdefault(part, Counter())[kind] += 1
        self.violations[part] += bool(found)

    def table(self) -> str:
        """A line a part."""
        lines = [
            f"| {part} | {', '.join(f'{n:,} {kind}' for kind, n in sorted(kinds.items()))} "
            f"| {self.violations[part]} |"
            for part, kinds in self.counts.items()
        ]
        return "\n".join(["", "| part | played | violations |", "| --- | --- | --- |", *lines])


def _play(campaign: Campaign, parts: list[str], seed: int, minutes: float, tally: Tally) -> None:
    """Batches of the parts by turns; a batch's seed is the campaign's and its number."""
    ends = time.monotonic() + 60 * minutes
    number = 0
    while time.monotonic() < ends:
        part = parts[number % len(parts)]
        batch = seed + number // len(parts)
        began = time.monotonic()
        play: Callable[[int], Iterator[tuple[str, str]]] = getattr(campaign, part)
        for kind, found in play(batch):
            tally.add(part, kind, found)
            if found:
                _say(f"VIOLATED ({part}, --seed {batch} --only {part}): {found}")
            if time.monotonic() > ends:
                break
        for used in ("kills", "crashes", "faults", "network"):
            shutil.rmtree(campaign.folder / used, ignore_errors=True)
        _say(f"{part}, seed {batch}: {time.monotonic() - began:.0f} s")
        number += 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
