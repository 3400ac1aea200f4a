"""The bench: which games there are, how large they are played, and what came of them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_lab.games.judging.outcome import FULL_HIGH, QUICK_HIGH, Bound, Outcome
from padan_lab.games.playing import change, decoy
from padan_lab.games.playing.stage import GameStage, staged

Announce = Callable[[str], None]


@dataclass(frozen=True)
class GameScale:
    """How large the games are played.

    ``people`` of a registry and a list, ``lists`` of an epoch; ``days`` with about ``changes``
    changes each of a registry of ``changing``. ``high``: where an interval must end.
    """

    people: int
    lists: int
    changing: int
    days: int
    changes: float
    high: float


QUICK = GameScale(people=4_000, lists=12, changing=2_000, days=30, changes=40, high=QUICK_HIGH)
FULL = GameScale(people=16_000, lists=12, changing=16_000, days=30, changes=150, high=FULL_HIGH)

#: The games by id.
GAMES: Mapping[str, Callable[[GameStage, GameScale, int], Outcome]] = {
    "decoy": lambda stage, s, seed: decoy.game(stage, s.people, s.lists, seed),
    "change": lambda stage, s, seed: change.game(stage, s.changing, s.days, s.changes, seed),
}


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
    wanted = list(chosen) or list(GAMES)
    unknown = [name for name in wanted if name not in GAMES]
    if unknown:
        known = ", ".join(GAMES)
        raise BadInputError(
            t(
                f"Tidak ada permainan {', '.join(unknown)}; yang ada: {known}.",
                f"There is no game {', '.join(unknown)}; there are: {known}.",
            )
        )
    games: dict[str, Outcome] = {}
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="padan-games-") as folder:
        announce(t("Kunci, perjanjian, unit", "Keys, agreement, unit"))
        with staged(Path(folder) / "stage") as stage:
            for name in wanted:
                announce(name)
                began = time.perf_counter()
                games[name] = GAMES[name](stage, scale, seed)
                seconds[name] = round(time.perf_counter() - began, 1)
    return Bench(games, {}, scale, seed, seconds)
