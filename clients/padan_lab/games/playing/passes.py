"""Game `passes`: which rows of two passes belong to one record?

A play is a pair of rows, one of either pass: in one world of the same person, in the other of two
people. The worlds agree in what the unit knows of both rows anyhow: whether they matched; in which
lists they were; on which day a delta touched them, and with which operation. How much that alone
ties together is told beside (``told``), and judged by nobody: only a new epoch unties it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.judging.contest import Plays, Result, contest
from padan_lab.games.judging.outcome import Outcome
from padan_lab.games.playing.change import SeenMonth, change_plays
from padan_lab.games.playing.decoy import SEEN, SeenEpoch, recurring_rows
from padan_lab.games.seeing.rows import RowFeatures, row_features
from padan_linkage.answering.outcomes import MATCHED
from padan_linkage.schema import Pass, Schema

Numbers = NDArray[np.int64]
#: A view with fewer pairs of either world says nothing.
_FEWEST = 100


@dataclass(frozen=True, repr=False)
class PeopleRows:
    """Rows of people in one pass.

    ``who`` ``int64[n]``: equal in two passes where the record is the same, each once; ``known``
    ``int64[n]``: what the unit knows of the row anyhow, as a number.
    """

    who: Numbers
    features: RowFeatures
    known: Numbers


def registry_rows(p: Pass, epoch: SeenEpoch) -> PeopleRows:
    """A registry's rows; known is whether they matched."""
    table = epoch.registry[p.id]
    features = row_features(p, table.columns, epoch.lists[0][p.id].columns)
    return _people(table.records, features, table.outcomes == MATCHED)


def list_rows(p: Pass, seen: int, epoch: SeenEpoch) -> PeopleRows:
    """Rows of the first lists; known is in which they were, and whether they matched."""
    features, rows, there = recurring_rows(p, seen, epoch)
    known = there @ (1 << np.arange(1, seen + 1)) + (rows.outcomes == MATCHED)
    return _people(rows.records, features, known)


def delta_rows(p: Pass, month: SeenMonth) -> PeopleRows:
    """Rows of deltas; known is every touch of the row: day, operation, whether its key stayed."""
    plays = change_plays(p, month)
    features = dict(zip(plays.names, plays.features.T, strict=True))
    day = month.days(p.id)
    touch = day * 16 + features["operation"].astype(np.int64) * 4
    touch += (features["known"] > 0) * 2 + (features["key kept"] > 0)
    who = np.where(plays.truth, (day << 32) + month.numbers(p.id), -1)
    return _people(who, features, _histories(plays.clusters, touch))


def _histories(row: Numbers, touch: Numbers) -> Numbers:
    """A number for each row's touches so far; ``row``: which row each touch is of, in order."""
    past: dict[int, int] = {}
    found = []
    for at, one in zip(row.tolist(), touch.tolist(), strict=True):
        past[at] = hash((past.get(at, 0), one))  # of numbers alone: the same in every process
        found.append(past[at])
    return np.array(found, np.int64)


def _people(who: Numbers, features: RowFeatures, known: NDArray[np.generic]) -> PeopleRows:
    """The rows that are people's, without what they have in common with the other side."""
    rows = np.flatnonzero(who >= 0)
    own = {n: v[rows] for n, v in features.items() if "other" not in n and n != "outcome"}
    return PeopleRows(who[rows], own, known[rows].astype(np.int64))


def pair_plays(
    first: PeopleRows, second: PeopleRows, rng: np.random.Generator, *, alike: bool = True
) -> Plays:
    """Pairs of rows, half of them of one person; ``alike``: the worlds agree in what is known."""
    _, one, other = np.intersect1d(first.who, second.who, return_indices=True)
    known = np.zeros((one.size, 2), np.int64)
    if alike:
        known = np.column_stack([first.known[one], second.known[other]])
    apart = _dealt(known, rng)
    there = np.flatnonzero(apart >= 0)  # of whom nobody else has the same is in neither world
    same = rng.random(there.size) < 0.5
    partner = other[np.where(same, there, apart[there])]
    features = _beside(first, second, one[there], partner)
    return Plays.of(features, same, np.arange(there.size))


def _dealt(known: Numbers, rng: np.random.Generator) -> Numbers:
    """For everybody somebody else of whom the same is known, ``int64[n]``, -1 where nobody is."""
    dealt = np.full(len(known), -1)
    _, kind = np.unique(known, axis=0, return_inverse=True)
    order = rng.permutation(len(known))
    order = order[np.argsort(kind.reshape(-1)[order], kind="stable")]
    _, starts = np.unique(kind.reshape(-1)[order], return_index=True)
    for group in np.split(order, starts[1:]):
        if group.size > 1:
            dealt[group] = np.roll(group, 1)
    return dealt


def _beside(first: PeopleRows, second: PeopleRows, one: Numbers, other: Numbers) -> RowFeatures:
    """Features of both rows, and how far apart those are that both have."""
    a = {name: values[one] for name, values in first.features.items()}
    b = {name: values[other] for name, values in second.features.items()}
    apart = {f"{name} apart": np.abs(_ranks(a[name]) - _ranks(b[name])) for name in a if name in b}
    equal = {f"{name} equal": (a[name] == b[name]).astype(float) for name in a if name in b}
    own = {f"first {n}": v for n, v in a.items()} | {f"second {n}": v for n, v in b.items()}
    return {**apart, **equal, **own}


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places from 0 to 1; equal values have one place."""
    ordered = np.sort(values)
    place = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    ranks: NDArray[np.float64] = place / (2 * values.size)
    return ranks


def game(
    schema: Schema,
    epochs: Sequence[SeenEpoch],
    months: Sequence[SeenMonth],
    seed: int,
) -> Outcome:
    """Every pass against the next one; the first epoch and month train, the second are judged."""
    rng = np.random.default_rng(seed)
    parts: dict[str, Result] = {}
    told: dict[str, Result] = {}
    for first, second in pairwise(schema.passes):
        for view, rows in _views(first, second, epochs, months):
            name = f"{view} · {first.id} · {second.id}"
            for results, alike in ((parts, True), (told, False)):
                plays = [pair_plays(*sides, rng, alike=alike) for sides in rows]
                if min(map(min, (side.counts for side in plays))) >= _FEWEST:
                    results[name] = contest(plays[0], plays[1], seed)
    return Outcome("unit", "unit", parts, _control(schema, epochs, seed), told)


def _views(
    first: Pass, second: Pass, epochs: Sequence[SeenEpoch], months: Sequence[SeenMonth]
) -> Iterator[tuple[str, list[tuple[PeopleRows, PeopleRows]]]]:
    """What is seen, and rows of both passes for training and judging."""
    both = first, second
    yield "registry", [tuple(registry_rows(p, epoch) for p in both) for epoch in epochs]  # type: ignore[misc]
    for seen in SEEN:
        if seen <= len(epochs[0].lists):
            yield f"list {seen}", [tuple(list_rows(p, seen, e) for p in both) for e in epochs]  # type: ignore[misc]
    if months:
        yield "deltas", [tuple(delta_rows(p, m) for p in both) for m in months]  # type: ignore[misc]


def _control(schema: Schema, epochs: Sequence[SeenEpoch], seed: int) -> dict[str, Result]:
    """In every second pair the rows stand at one place in both tables, as in one order."""
    rng = np.random.default_rng(seed)
    first, second = schema.passes[:2]
    plays = []
    for epoch in epochs:
        rows = registry_rows(first, epoch), registry_rows(second, epoch)
        made = pair_plays(*rows, rng)
        features = made.features.copy()
        leaking = made.truth & (rng.random(made.truth.size) < 0.5)
        features[leaking, made.names.index("place apart")] = 0.0
        plays.append(Plays(made.names, features, made.truth, made.clusters))
    return {"one order": contest(plays[0], plays[1], seed)}
