"""Lists with targets on them, or with those who stand in, and a question about each in real time.

A target stays on two lists. Everything that the servers see of it is kept: both lists, the
question, and the minutes that the provider countersigns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_client.requester import RequesterClient
from padan_client.results import minutes
from padan_client.results.table import ConfirmResult
from padan_client.results.told_rows import ToldRows
from padan_lab.games.playing.casting import Casting, cast
from padan_lab.games.playing.stage import GameStage
from padan_lab.games.seeing.transcript import Transcript

Numbers = NDArray[np.int64]

#: Targets that join each list, people on it besides, and lists of an epoch.
SLOTS, REST, LISTS = 16, 20, 10
#: People in the registry, and people to draw lists from.
REGISTERED, ASKED = 1_000, 6_000


@dataclass(frozen=True, repr=False)
class Slot:
    """One play: the target, who was asked about, and what was seen.

    ``others``: who else was on the list; ``number``: of the list; ``lists``: that one and the next;
    ``told``: the first list's minutes.
    """

    target: int
    asked: int
    others: tuple[int, ...]
    number: int
    lists: tuple[Transcript, Transcript]
    question: Transcript
    told: dict[str, object]

    @property
    def there(self) -> bool:
        """Whether the target was there itself."""
        return self.target == self.asked


@dataclass(frozen=True, repr=False)
class SeenSlots:
    """Plays, and the people whom they are about."""

    casting: Casting
    slots: tuple[Slot, ...]

    @property
    def truth(self) -> NDArray[np.bool_]:
        """Whether the target was there, ``bool[plays]``."""
        return np.array([slot.there for slot in self.slots])

    @property
    def clusters(self) -> Numbers:
        """The list of each play: those of one list saw the same."""
        return np.array([slot.number for slot in self.slots])


#: A registry as a crooked provider tells it in direct mode, and what a delta changes of it.
Crook = Callable[[Casting], tuple[pa.Table, pa.Table | None]]


def play_lists(stage: GameStage, plays: int, seed: int) -> SeenSlots:
    """So many plays through the unit, in as many epochs as they take."""
    casting = cast(stage.flow, REGISTERED, ASKED, seed)
    rng = np.random.default_rng(seed)
    return SeenSlots(casting, tuple(_epochs(stage, casting, plays, rng, "unit")))


def play_directly(
    stage: GameStage, plays: int, seed: int, mode: str, crook: Crook = lambda c: (c.registry, None)
) -> SeenSlots:
    """The same in direct mode or auto; questions are asked directly."""
    casting = cast(stage.flow, REGISTERED, ASKED, seed)
    rng = np.random.default_rng(seed)
    with stage.serving(*crook(casting)):
        return SeenSlots(casting, tuple(_epochs(stage, casting, plays, rng, mode)))


def _epochs(
    stage: GameStage, casting: Casting, plays: int, rng: np.random.Generator, mode: str
) -> Iterator[Slot]:
    for before in range(0, plays, SLOTS * LISTS):
        if mode != "direct":
            stage.turn_epoch()
            stage.publish(casting.registry)
        yield from _epoch(stage, casting, before, rng, mode)


def _epoch(
    stage: GameStage, casting: Casting, before: int, rng: np.random.Generator, mode: str
) -> Iterator[Slot]:
    """The plays of one epoch's lists and questions."""
    pairs = casting.pairs[rng.permutation(len(casting.pairs))[: SLOTS * LISTS]]
    coins = rng.permutation(np.arange(len(pairs)) % 2)
    asked = pairs[np.arange(len(pairs)), coins].reshape(LISTS, SLOTS)
    rest = rng.permutation(casting.rest)[:REST]
    people = [
        np.concatenate([rest, *asked[max(0, number - 1) : number + 1]])
        for number in range(LISTS + 1)
    ]
    lists = [
        stage.confirm(casting.people.take(pa.array(rng.permutation(who))), mode) for who in people
    ]
    told = [minutes_of(stage, one.result, mode) for one in lists]
    client = stage.requesting()
    for target, who, at in zip(
        pairs[:, 0].tolist(), asked.reshape(-1).tolist(), range(len(pairs)), strict=True
    ):
        number = at // SLOTS
        yield Slot(
            target,
            who,
            tuple(set(people[number].tolist()) - {who}),
            before // SLOTS + number,
            (lists[number].transcript, lists[number + 1].transcript),
            _question(stage, client, casting, who, mode),
            told[number],
        )


def _question(
    stage: GameStage, client: RequesterClient, casting: Casting, who: int, mode: str
) -> Transcript:
    """One person is asked about in real time."""
    (record,) = casting.people.slice(who, 1).to_pylist()
    client.confirm_one(record, mode="unit" if mode == "unit" else "direct")
    return stage.requester.link.taken()


def minutes_of(stage: GameStage, result: ConfirmResult, mode: str) -> dict[str, object]:
    """The minutes of a confirmation, as the provider gets them to countersign."""
    home = stage.requester.home
    place = home.place(stage.agreement, stage.flow.id)
    told = ToldRows(home).counts(place, result.table, result.quarantine)
    made = minutes.document(place, result, told, mode, b"", bytes(minutes.SALT_BYTES), stage.now)
    return dict(json.loads(made))
