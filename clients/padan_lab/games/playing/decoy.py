"""Game `decoy`: is this row a person's, or cover?

The unit's view of a list, of five and twelve lists with turnover, and of a registry. A row that
matched is no play: that somebody is matched is what a unit may know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.judging.contest import Plays, Result, contest
from padan_lab.games.judging.outcome import Outcome
from padan_lab.games.playing.people import turning_lists
from padan_lab.games.playing.stage import GameStage
from padan_lab.games.seeing.rows import RowFeatures, row_features, whole_rows
from padan_lab.games.seeing.transcript import Columns, Transcript
from padan_linkage.answering.outcomes import MATCHED
from padan_linkage.schema import Pass, Schema

Numbers = NDArray[np.int64]

#: Lists that are seen together.
SEEN = (1, 5, 12)
_LISTED, _REGISTERED = "list", "registry"
#: A view with fewer plays of either world says nothing: a pass for rows of another kind.
_FEWEST = 100


@dataclass(frozen=True, repr=False)
class PassView:
    """One table of a pass as the unit saw it, and what its owner knows: record of each row."""

    columns: Columns
    outcomes: NDArray[np.uint8]
    records: Numbers

    @classmethod
    def joined(cls, parts: Sequence[PassView]) -> PassView:
        """The rows of several tables of one pass."""
        columns = {n: np.concatenate([p.columns[n] for p in parts]) for n in parts[0].columns}
        outcomes, records = (
            np.concatenate([getattr(p, name) for p in parts]) for name in ("outcomes", "records")
        )
        return cls(columns, outcomes, records)

    def some(self, rows: NDArray[np.generic]) -> PassView:
        """Some of the rows, by mask or number."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return PassView(columns, self.outcomes[rows], self.records[rows])

    def recurring(self) -> tuple[Numbers, Numbers]:
        """Which rows are one, alike in every byte: its number for each row, and its first row."""
        alike = whole_rows(np.concatenate(list(self.columns.values()), axis=1))
        _, first, row = np.unique(alike, return_index=True, return_inverse=True)
        return row.reshape(-1), first


@dataclass(frozen=True, repr=False)
class SeenEpoch:
    """All tables of an epoch, by pass: the registry's, and each list's."""

    registry: dict[str, PassView]
    lists: tuple[dict[str, PassView], ...]


#: Puts a leak into a table.
Leak = Callable[[PassView, np.random.Generator], PassView]


def play_epoch(stage: GameStage, people: int, lists: int, seed: int) -> SeenEpoch:
    """Publish a registry, confirm ``lists`` lists, in an epoch of their own."""
    stage.turn_epoch()
    made = turning_lists(stage.flow, people, lists, seed)
    published = stage.publish(made.registry)
    confirmed = [stage.confirm(asked).transcript for asked in made.lists]
    return _seen(stage, published, confirmed)


def _seen(stage: GameStage, published: Transcript, confirmed: Sequence[Transcript]) -> SeenEpoch:
    registry = published.tables()
    lists = tuple(_listed(stage, transcript) for transcript in confirmed)
    given = {
        p: {bytes(code) for transcript in confirmed for code in transcript.codes()[p]}
        for p in registry
    }
    return SeenEpoch(
        {p: _registered(stage, p, columns, given[p]) for p, columns in registry.items()}, lists
    )


def _listed(stage: GameStage, transcript: Transcript) -> dict[str, PassView]:
    outcomes = transcript.outcomes()
    return {
        p: PassView(columns, outcomes[p], stage.owners.of(p, columns))
        for p, columns in transcript.tables().items()
    }


def _registered(stage: GameStage, p: str, columns: Columns, given: set[bytes]) -> PassView:
    """A registry's table; a row matched if its code was given out."""
    matched = np.array([bytes(code) in given for code in columns["sealed_codes"]])
    outcomes = np.where(matched, MATCHED, 0).astype(np.uint8)
    return PassView(columns, outcomes, stage.owners.of(p, columns))


def game(stage: GameStage, people: int, lists: int, seed: int) -> Outcome:
    """Train on one epoch, judge on another with other people and keys."""
    training, judged = (play_epoch(stage, people, lists, 2 * seed + i) for i in range(2))
    return judge(stage.schema, training, judged, seed)


def judge(schema: Schema, training: SeenEpoch, judged: SeenEpoch, seed: int) -> Outcome:
    """Every view of every pass, and the controls."""
    parts = {}
    for p in schema.passes:
        for seen, play in _views(p, len(judged.lists)).items():
            plays = play(training), play(judged)
            if min(map(min, (side.counts for side in plays))) >= _FEWEST:
                parts[f"{seen} · {p.id}"] = contest(*plays, seed)
    return Outcome("unit", "unit", parts, _controls(schema, training, judged, seed))


def _views(p: Pass, lists: int) -> dict[str, Callable[[SeenEpoch], Plays]]:
    """What is seen of a pass together, by name."""
    views: dict[str, Callable[[SeenEpoch], Plays]] = {_REGISTERED: partial(registry_plays, p)}
    for seen in SEEN:
        if seen <= lists:
            views[f"{_LISTED} {seen}"] = partial(list_plays, p, seen)
    return views


def _controls(
    schema: Schema, training: SeenEpoch, judged: SeenEpoch, seed: int
) -> dict[str, Result]:
    """The leaks of before, put into every second row of cover."""
    rng = np.random.default_rng(seed)
    p = next(p for p in schema.passes if p.similar)
    leaks: dict[str, tuple[Leak, int]] = {
        "lonely buckets": (in_company, 1),
        "repeats": (made_anew, min(5, len(judged.lists))),
    }
    found = {}
    for name, (leak, seen) in leaks.items():
        plays = [list_plays(p, seen, _leaking(epoch, p, leak, rng)) for epoch in (training, judged)]
        found[name] = contest(plays[0], plays[1], seed)
    return found


def _leaking(epoch: SeenEpoch, p: Pass, leak: Leak, rng: np.random.Generator) -> SeenEpoch:
    lists = tuple({**one, p.id: leak(one[p.id], rng)} for one in epoch.lists)
    return replace(epoch, lists=lists)


def in_company(table: PassView, rng: np.random.Generator) -> PassView:
    """Every second cover row takes the bucket of a person, as decoys once did: none is alone."""
    chosen = _every_second(table, rng)
    people = np.flatnonzero(table.records >= 0)
    keys = table.columns["keys"].copy()
    keys[chosen] = keys[rng.choice(people, chosen.size)]
    return replace(table, columns={**table.columns, "keys": keys})


def made_anew(table: PassView, rng: np.random.Generator) -> PassView:
    """Every second cover row is another in each list, as decoys once were."""
    chosen = _every_second(table, rng)
    filters = table.columns["filters"].copy()
    filters[chosen] = rng.integers(0, 256, filters[chosen].shape, np.uint8)
    return replace(table, columns={**table.columns, "filters": filters})


def _every_second(table: PassView, rng: np.random.Generator) -> Numbers:
    cover = np.flatnonzero(table.records < 0)
    return cover[rng.random(cover.size) < 0.5]


def registry_plays(p: Pass, epoch: SeenEpoch) -> Plays:
    """Rows of a registry that no list met."""
    registry = epoch.registry[p.id]
    features = row_features(p, registry.columns, epoch.lists[0][p.id].columns)
    return _plays(features, registry, registry.outcomes != MATCHED)


def list_plays(p: Pass, seen: int, epoch: SeenEpoch) -> Plays:
    """Rows of the first lists, each that recurs counted once, with the pattern in which it did."""
    lists = [one[p.id] for one in epoch.lists[:seen]]
    registry = epoch.registry[p.id].columns
    each = [row_features(p, one.columns, registry) for one in lists]
    together = {name: np.concatenate([features[name] for features in each]) for name in each[0]}
    whole = PassView.joined(lists)
    row, first = whole.recurring()
    features = {name: values[first] for name, values in together.items()}
    features["outcome"] = whole.outcomes[first].astype(float)
    spread = np.repeat(np.arange(seen), [len(one.records) for one in lists])
    features |= _pattern(row, spread, seen, together["place"])
    met = np.zeros(len(first), bool)
    np.logical_or.at(met, row, whole.outcomes == MATCHED)
    return _plays(features, whole.some(first), ~met)


def _pattern(row: Numbers, spread: Numbers, lists: int, place: NDArray[np.float64]) -> RowFeatures:
    """How often and when each row was there."""
    count = int(row.max()) + 1
    there = np.zeros((count, lists))
    np.add.at(there, (row, spread), 1)
    present = there > 0
    began, ended = present.argmax(axis=1), lists - 1 - present[:, ::-1].argmax(axis=1)
    return {
        "times": there.sum(axis=1),
        "lists": present.sum(axis=1).astype(float),
        "began": began.astype(float),
        "ended": ended.astype(float),
        "gaps": (ended - began + 1 - present.sum(axis=1)).astype(float),
        "mean place": np.bincount(row, place, count) / np.bincount(row, minlength=count),
    }


def _plays(features: RowFeatures, table: PassView, open_: NDArray[np.bool_]) -> Plays:
    """The plays among the rows that are ``open_``; rows of one key may depend on each other."""
    _, cluster = np.unique(whole_rows(table.columns["keys"]), return_inverse=True)
    return Plays.of(features, table.records >= 0, cluster.reshape(-1)).some(open_)
