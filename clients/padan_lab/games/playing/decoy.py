"""Game `decoy`: is this row a person's, or cover?

The unit's view of a list, of five and twelve lists with turnover, and of a registry. A row of a
person whom the other side has too is no play: what two files have in common is match structure,
which a unit may know, and a row that a pass missed may still share a bucket with its like. What
such rows tell when they are played is told beside, and judged by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_client.records.lists import prepare_list
from padan_lab.games.judging.contest import Plays, Result, contest
from padan_lab.games.judging.outcome import Outcome
from padan_lab.games.playing.people import Lists, turning_lists
from padan_lab.games.playing.stage import GameStage
from padan_lab.games.seeing.rows import RowFeatures, row_features, whole_rows
from padan_lab.games.seeing.transcript import Columns, Transcript
from padan_lab.generate import ID_COLUMN
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
    """One table of a pass as the unit saw it, and what owners know of each row.

    ``records`` ``int64[rows]``: the person, -1 for cover; ``shared`` ``bool[rows]``: whether the
    other side has that person too.
    """

    columns: Columns
    outcomes: NDArray[np.uint8]
    records: Numbers
    shared: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence[PassView]) -> PassView:
        """The rows of several tables of one pass."""
        columns = {n: np.concatenate([p.columns[n] for p in parts]) for n in parts[0].columns}
        names = "outcomes", "records", "shared"
        outcomes, records, shared = (
            np.concatenate([getattr(part, name) for part in parts]) for name in names
        )
        return cls(columns, outcomes, records, shared)

    def some(self, rows: NDArray[np.generic]) -> PassView:
        """Some of the rows, by mask or number."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return PassView(columns, self.outcomes[rows], self.records[rows], self.shared[rows])

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
    return SeenEpoch(
        _registered(stage, made, published, confirmed),
        tuple(
            _listed(stage, made, asked, transcript)
            for asked, transcript in zip(made.lists, confirmed, strict=True)
        ),
    )


def _listed(
    stage: GameStage, made: Lists, asked: pa.Table, transcript: Transcript
) -> dict[str, PassView]:
    """A list's tables."""
    outcomes = transcript.outcomes()
    usable = prepare_list(stage.schema, asked, columns=None, id_column=ID_COLUMN).usable
    ids = asked[ID_COLUMN].take(pa.array(usable)).to_pylist()
    shared = np.array([made.registered[name] is not None for name in ids])
    views = {}
    for p, columns in transcript.tables().items():
        records = stage.owners.of(p, columns)
        views[p] = PassView(columns, outcomes[p], records, (records >= 0) & shared[records])
    return views


def _registered(
    stage: GameStage, made: Lists, published: Transcript, confirmed: Sequence[Transcript]
) -> dict[str, PassView]:
    """A registry's tables; a row matched if its code was given out."""
    ids = made.registry[ID_COLUMN].to_pylist()
    asked = {there for there in made.registered.values() if there is not None}
    shared, handles = np.array([name in asked for name in ids]), stage.handles(ids)
    codes = [transcript.codes() for transcript in confirmed]
    views = {}
    for p, columns in published.tables().items():
        given = {bytes(code) for of_list in codes for code in of_list[p]}
        matched = np.array([bytes(code) in given for code in columns["sealed_codes"]])
        records = np.array([handles[p].get(bytes(handle), -1) for handle in columns["handles"]])
        outcomes = np.where(matched, MATCHED, 0).astype(np.uint8)
        views[p] = PassView(columns, outcomes, records, (records >= 0) & shared[records])
    return views


def game(schema: Schema, epochs: Sequence[SeenEpoch], seed: int) -> Outcome:
    """Every view of every pass, and the controls; the first epoch trains, the second is judged."""
    parts: dict[str, Result] = {}
    told: dict[str, Result] = {}
    for p in schema.passes:
        for seen, play in _views(p, len(epochs[0].lists)).items():
            for results, strangers in ((parts, True), (told, False)):
                plays = [play(epoch, strangers=strangers) for epoch in epochs]
                if min(map(min, (side.counts for side in plays))) >= _FEWEST:
                    results[f"{seen} · {p.id}"] = contest(plays[0], plays[1], seed)
    return Outcome("unit", "unit", parts, _controls(schema, epochs, seed), told)


def _views(p: Pass, lists: int) -> dict[str, Callable[..., Plays]]:
    """What is seen of a pass together, by name."""
    views: dict[str, Callable[..., Plays]] = {_REGISTERED: partial(registry_plays, p)}
    for seen in SEEN:
        if seen <= lists:
            views[f"{_LISTED} {seen}"] = partial(list_plays, p, seen)
    return views


def _controls(schema: Schema, epochs: Sequence[SeenEpoch], seed: int) -> dict[str, Result]:
    """The leaks of before, put into every second row of cover."""
    rng = np.random.default_rng(seed)
    p = next(p for p in schema.passes if p.similar)
    leaks: dict[str, tuple[Leak, int]] = {
        "lonely buckets": (in_company, 1),
        "repeats": (made_anew, min(5, len(epochs[0].lists))),
    }
    found = {}
    for name, (leak, seen) in leaks.items():
        plays = [list_plays(p, seen, _leaking(epoch, p, leak, rng)) for epoch in epochs]
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


def registry_plays(p: Pass, epoch: SeenEpoch, *, strangers: bool = True) -> Plays:
    """Rows of a registry that no list met; ``strangers``: of people who are on none."""
    registry = epoch.registry[p.id]
    features = row_features(p, registry.columns, epoch.lists[0][p.id].columns)
    return _plays(features, registry, strangers)


def list_plays(p: Pass, seen: int, epoch: SeenEpoch, *, strangers: bool = True) -> Plays:
    """Rows of the first lists, each that recurs counted once, with the pattern in which it did.

    ``strangers``: of people who are not registered.
    """
    features, rows, _ = recurring_rows(p, seen, epoch)
    return _plays(features, rows, strangers)


def recurring_rows(
    p: Pass, seen: int, epoch: SeenEpoch
) -> tuple[RowFeatures, PassView, NDArray[np.bool_]]:
    """The rows of the first lists, each that recurs once: features, the row, where it was.

    An outcome is «matched» if the row matched in any list; records are numbered over all lists.
    Where it was: ``bool[rows, lists]``.
    """
    lists = [one[p.id] for one in epoch.lists[:seen]]
    registry = epoch.registry[p.id].columns
    each = [row_features(p, one.columns, registry) for one in lists]
    together = {name: np.concatenate([features[name] for features in each]) for name in each[0]}
    whole = PassView.joined(lists)
    row, first = whole.recurring()
    spread = np.repeat(np.arange(seen), [len(one.records) for one in lists])
    there = np.zeros((len(first), seen))
    np.add.at(there, (row, spread), 1)
    met = np.zeros(len(first), bool)
    np.logical_or.at(met, row, whole.outcomes == MATCHED)
    features = {name: values[first] for name, values in together.items()}
    features["outcome"] = whole.outcomes[first].astype(float)
    features |= _pattern(row, there, together["place"])
    rows = whole.some(first)
    numbered = np.where(rows.records >= 0, rows.records + (spread[first] << 32), -1)
    outcomes = np.where(met, MATCHED, rows.outcomes).astype(np.uint8)
    return features, replace(rows, outcomes=outcomes, records=numbered), there > 0


def _pattern(row: Numbers, there: NDArray[np.float64], place: NDArray[np.float64]) -> RowFeatures:
    """How often and when each row was there; ``there`` ``float64[rows, lists]``: so many times."""
    count, lists = there.shape
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


def _plays(features: RowFeatures, table: PassView, strangers: bool) -> Plays:
    """The plays among the rows; rows of one key may depend on each other."""
    open_ = table.outcomes != MATCHED
    if strangers:
        open_ &= ~table.shared
    _, cluster = np.unique(whole_rows(table.columns["keys"]), return_inverse=True)
    return Plays.of(features, table.records >= 0, cluster.reshape(-1)).some(open_)
