"""The bench: which games there are, how large they are played, and what came of them."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_lab.demo.flows import with_filters
from padan_lab.games import bounds
from padan_lab.games.judging.outcome import FULL_HIGH, QUICK_HIGH, Bound, Outcome
from padan_lab.games.oracle.profiling import profile
from padan_lab.games.playing import change, decoy, listing, on_list, passes
from padan_lab.games.playing.crooked import bent
from padan_lab.games.playing.stage import AGREEMENT, FLOW, GameStage, staged
from padan_linkage.agreement import example, load_agreement
from padan_linkage.schema import Schema

Announce = Callable[[str], None]


@dataclass(frozen=True)
class GameScale:
    """How large the games are played.

    ``people`` of a registry and a list, ``lists`` of an epoch; ``days`` with about ``changes``
    changes each of a registry of ``changing``; plays with a target, ``training`` and ``judged``.
    ``targets`` of the requester's oracle. ``high``: where an interval must end.
    """

    people: int
    lists: int
    changing: int
    days: int
    changes: float
    training: int
    judged: int
    targets: int
    high: float


QUICK = GameScale(
    people=4_000, lists=12, changing=5_000, days=30, changes=160,
    training=960, judged=2_080, targets=4, high=QUICK_HIGH,
)  # fmt: skip
FULL = GameScale(
    people=16_000, lists=12, changing=20_000, days=30, changes=640,
    training=3_200, judged=8_000, targets=24, high=FULL_HIGH,
)  # fmt: skip


@dataclass(repr=False)
class Evening:
    """What is played on one stage: epochs that several games look at are played once.

    The first of two trains, the second is judged: other people, other keys.
    """

    stage: GameStage
    scale: GameScale
    seed: int

    @cached_property
    def epochs(self) -> list[decoy.SeenEpoch]:
        """Epochs of a registry and lists that turn over."""
        size = self.scale.people, self.scale.lists
        return [decoy.play_epoch(self.stage, *size, 2 * self.seed + i) for i in range(2)]

    @cached_property
    def months(self) -> list[change.SeenMonth]:
        """Months of a registry and daily deltas."""
        size = self.scale.changing, self.scale.days, self.scale.changes
        return [change.play_month(self.stage, *size, 2 * self.seed + i) for i in range(2)]

    @cached_property
    def slots(self) -> list[listing.SeenSlots]:
        """Lists and questions with a target, or without."""
        size = self.scale.training, self.scale.judged
        return [
            listing.play_lists(self.stage, plays, 2 * self.seed + i) for i, plays in enumerate(size)
        ]

    @cached_property
    def direct(self) -> list[listing.SeenSlots]:
        """The same in direct mode, where there is less to learn."""
        size = self.scale.training // 3, self.scale.judged
        return [
            listing.play_directly(self.stage, plays, 2 * self.seed + i, "direct")
            for i, plays in enumerate(size)
        ]

    @cached_property
    def crooked(self) -> list[listing.SeenSlots]:
        """The same against crooked label tables, in mode auto."""
        size = self.scale.training // 3, self.scale.judged
        return [
            listing.play_directly(self.stage, plays, 2 * self.seed + i, "auto", bent)
            for i, plays in enumerate(size)
        ]

    @property
    def schema(self) -> Schema:
        """The schema that is played."""
        return self.stage.schema


#: The games by id.
GAMES: Mapping[str, Callable[[Evening], Outcome]] = {
    "decoy": lambda e: decoy.game(e.schema, e.epochs, e.seed),
    "change": lambda e: change.game(e.schema, e.months, e.seed),
    "on_list_unit": lambda e: on_list.unit_game(e.schema, e.slots, e.seed),
    "on_list_provider": lambda e: on_list.provider_game(e.slots, e.direct, e.seed),
    "crooked_table": lambda e: on_list.crooked_game(e.crooked, e.seed),
    "passes": lambda e: passes.game(e.schema, e.epochs, e.months, e.seed),
}


def _oracle(scale: GameScale, seed: int) -> Bound:
    """Of the flow as its agreement ships."""
    flow = load_agreement(example(AGREEMENT)).flow(FLOW)
    return bounds.oracle(flow, bounds.AttackScale(scale.targets), seed)


def _oracle_filters(scale: GameScale, seed: int) -> Bound:
    """Of the same flow with two passes of filters, which its agreement accepts."""
    flow = load_agreement(with_filters(example(AGREEMENT))).flow(FLOW)
    return bounds.oracle(flow, bounds.AttackScale(scale.targets), seed)


def _profile(scale: GameScale, seed: int) -> Bound:
    """Of the same flow in direct mode, as its agreement ships."""
    flow = load_agreement(example(AGREEMENT)).flow(FLOW)
    return profile(flow, scale.targets, seed, scale.people)


#: The bounds by id.
BOUNDS: Mapping[str, Callable[[GameScale, int], Bound]] = {
    "oracle": _oracle,
    "oracle_filters": _oracle_filters,
    "profile": _profile,
}
#: Games that look at the same epochs are played together, the others beside them.
_TOGETHER = (
    ("decoy", "change", "passes"),
    ("on_list_unit", "on_list_provider", "crooked_table", *BOUNDS),
)


@dataclass(frozen=True)
class Bench:
    """What came of the games, and in how many seconds."""

    games: Mapping[str, Outcome]
    bounds: Mapping[str, Bound]
    scale: GameScale
    seed: int
    seconds: Mapping[str, float]

    @property
    def held(self) -> bool:
        """Whether every game and every bound held."""
        games = all(outcome.holds(self.scale.high) for outcome in self.games.values())
        return games and all(bound.holds() for bound in self.bounds.values())


def play(chosen: Sequence[str], scale: GameScale, seed: int, announce: Announce) -> Bench:
    """Play the games of these ids, all where none is given. Raises BadInputError for others."""
    wanted = list(chosen) or [*GAMES, *BOUNDS]
    unknown = [name for name in wanted if name not in {*GAMES, *BOUNDS}]
    if unknown:
        known = ", ".join([*GAMES, *BOUNDS])
        raise BadInputError(
            t(
                f"Tidak ada permainan {', '.join(unknown)}; yang ada: {known}.",
                f"There is no game {', '.join(unknown)}; there are: {known}.",
            )
        )
    groups = [[name for name in group if name in wanted] for group in _TOGETHER]
    found: dict[str, Outcome | Bound] = {}
    seconds: dict[str, float] = {}
    for played, took in _evenings([g for g in groups if g], scale, seed, announce):
        found |= played
        seconds |= took
    games = {name: o for name in wanted if isinstance(o := found[name], Outcome)}
    bounded = {name: b for name in wanted if isinstance(b := found[name], Bound)}
    return Bench(games, bounded, scale, seed, seconds)


Played = tuple[dict[str, Outcome | Bound], dict[str, float]]


def _evenings(
    groups: Sequence[Sequence[str]], scale: GameScale, seed: int, announce: Announce
) -> Iterator[Played]:
    """Each group's games, on a stage and in a process of its own where there are several."""
    announce("; ".join(", ".join(group) for group in groups))
    if len(groups) == 1:
        yield _evening(groups[0], scale, seed)
        return
    with ProcessPoolExecutor(len(groups), get_context("spawn")) as pool:
        waiting = {pool.submit(_evening, group, scale, seed): group for group in groups}
        for done in as_completed(waiting):
            waiting.pop(done)
            announce("; ".join(", ".join(group) for group in waiting.values()))
            yield done.result()


def _evening(names: Sequence[str], scale: GameScale, seed: int) -> Played:
    """These games on one stage, or bounds without one, and the seconds that each took."""
    found: dict[str, Outcome | Bound] = {}
    seconds: dict[str, float] = {}
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="padan-games-")))
        evening: Evening | None = None
        for name in names:
            began = time.perf_counter()
            if name in BOUNDS:
                found[name] = BOUNDS[name](scale, seed)
            else:
                if evening is None:
                    stage = held.enter_context(staged(folder / "stage"))
                    evening = Evening(stage, scale, seed)
                found[name] = GAMES[name](evening)
            seconds[name] = round(time.perf_counter() - began, 1)
    return found, seconds
