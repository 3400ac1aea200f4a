"""Game `change`: is this row of a delta a real change, or cover?

Thirty daily deltas of a registry. The unit knows every row by its handle: what it was, when it came
and how often it was touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.judging.contest import Plays, Result, contest
from padan_lab.games.judging.outcome import Outcome
from padan_lab.games.playing.changing import ChangingRegistry
from padan_lab.games.playing.stage import GameStage
from padan_lab.games.seeing.rows import segments
from padan_lab.games.seeing.transcript import Columns
from padan_lab.generate import ID_COLUMN
from padan_linkage.schema import Pass, Schema

Numbers = NDArray[np.int64]

DELETE = 2
_NEVER = -30.0


@dataclass(frozen=True, repr=False)
class SeenMonth:
    """A registry and its deltas as uploaded, by pass; people's numbers by pass and handle."""

    registry: dict[str, Columns]
    deltas: tuple[dict[str, Columns], ...]
    people: dict[str, dict[bytes, int]]

    def days(self, pass_id: str) -> Numbers:
        """The day of each row of all deltas."""
        return np.repeat(
            np.arange(len(self.deltas)), [len(d[pass_id]["keys"]) for d in self.deltas]
        )

    def numbers(self, pass_id: str) -> Numbers:
        """The person of each row of all deltas, -1 for cover."""
        handles = np.concatenate([tables[pass_id]["handles"] for tables in self.deltas])
        return np.array([self.people[pass_id].get(bytes(handle), -1) for handle in handles])


def play_month(stage: GameStage, people: int, days: int, changes: float, seed: int) -> SeenMonth:
    """Publish a registry and a delta a day, in an epoch of their own."""
    stage.turn_epoch()
    registry = ChangingRegistry(stage.flow, people, seed)
    ids = set(registry.table[ID_COLUMN].to_pylist())
    published = stage.publish(registry.table).tables()
    deltas = []
    for day in registry.days(days, changes):
        ids |= set(day.changed[ID_COLUMN].to_pylist())
        deltas.append(stage.update(day.changed, day.gone).tables())
    return SeenMonth(published, tuple(deltas), stage.handles(sorted(ids)))


@dataclass(repr=False)
class _Known:
    """What the unit knows of one handle."""

    key: bytes
    filters: NDArray[np.uint8]
    presence: bytes
    tags: NDArray[np.uint8]
    joined: float
    touched: float = _NEVER
    touches: int = 0
    kept: int = 0


@dataclass(repr=False)
class _State:
    """One pass's registry as the unit holds it from day to day."""

    p: Pass
    rows: dict[bytes, _Known] = field(default_factory=dict)
    groups: dict[bytes, int] = field(default_factory=dict)
    gone: set[bytes] = field(default_factory=set)

    def take(self, columns: Columns, day: int) -> None:
        """Apply a table: a registry's, or a delta's."""
        for at in range(len(columns["keys"])):
            handle = bytes(columns["handles"][at])
            before = self.rows.pop(handle, None)
            if before is not None:
                self.groups[before.key] -= 1
            if "operations" in columns and columns["operations"][at, 0] == DELETE:
                self.gone.add(handle)
                continue
            self.rows[handle] = self._known(columns, at, day, before)
            key = self.rows[handle].key
            self.groups[key] = self.groups.get(key, 0) + 1

    def _known(self, columns: Columns, at: int, day: int, before: _Known | None) -> _Known:
        nothing = np.zeros(0, np.uint8)
        key = bytes(columns["keys"][at])
        return _Known(
            key,
            columns["filters"][at] if "filters" in columns else nothing,
            bytes(columns["presence"][at]) if "presence" in columns else b"",
            columns["tags"][at] if "tags" in columns else nothing,
            before.joined if before else float(day),
            _NEVER if before is None else float(day),
            before.touches + 1 if before else 0,
            before.kept + (before.key == key) if before else 0,
        )

    def features(self, columns: Columns, day: int) -> list[list[float]]:
        """Features of each row of a delta, before it is applied."""
        sent: dict[bytes, int] = {}
        for key in map(bytes, columns["keys"]):
            sent[key] = sent.get(key, 0) + 1
        size = len(columns["keys"])
        return [self._row(columns, at, size, day, sent) for at in range(size)]

    def _row(
        self, columns: Columns, at: int, size: int, day: int, sent: dict[bytes, int]
    ) -> list[float]:
        handle, key = bytes(columns["handles"][at]), bytes(columns["keys"][at])
        before = self.rows.get(handle)
        known = self._known(columns, at, day, None)
        common = [
            float(columns["operations"][at, 0]),
            at / size,
            float(size),
            float(self.groups.get(key, 0)),
            float(sent[key]),
            float(handle in self.gone),
        ]
        if before is None:
            return [*common, 0.0, *[-1.0] * (len(_names(self.p)) - len(common) - 1)]
        compared = [
            1.0,
            float(before.key == key),
            float(self.groups[before.key]),
            day - before.joined,
            day - before.touched,
            float(before.touches),
            float(before.kept),
            float(before.presence == known.presence),
        ]
        return [*common, *compared, *self._distances(before, known)]

    def _distances(self, before: _Known, now: _Known) -> list[float]:
        """Share of bits that differ in each segment, and how many tags do."""
        if not before.filters.size:
            return [_tags_apart(before, now)]
        old, new = (segments(self.p, known.filters[None]) for known in (before, now))
        apart = [float(np.bitwise_count(a ^ b).mean() / 8) for a, b in zip(old, new, strict=True)]
        return [*apart, _tags_apart(before, now)]


def _tags_apart(before: _Known, now: _Known) -> float:
    """How many confirmation tags differ."""
    if before.tags.size != now.tags.size or not now.tags.size:
        return 0.0
    differ = (before.tags != now.tags).reshape(-1, 8).any(axis=1)
    return float(differ.sum())


def _names(p: Pass) -> tuple[str, ...]:
    apart = [f"segment {index} changed" for index in range(len(p.similar))]
    return (
        "operation", "place", "rows", "group", "sent alike", "was here", "known", "key kept",
        "group before", "age", "since touched", "touches", "keys kept", "presence kept",
        *apart, "tags changed",
    )  # fmt: skip


def change_plays(p: Pass, month: SeenMonth) -> Plays:
    """Rows of all deltas of one pass; those of one handle depend on each other."""
    state = _State(p)
    state.take(month.registry[p.id], -1)
    rows: list[list[float]] = []
    clusters: list[int] = []
    numbers: dict[bytes, int] = {}
    for day, tables in enumerate(month.deltas):
        columns = tables[p.id]
        rows += state.features(columns, day)
        handles = map(bytes, columns["handles"])
        clusters += [numbers.setdefault(handle, len(numbers)) for handle in handles]
        state.take(columns, day)
    truth = month.numbers(p.id) >= 0
    return Plays(_names(p), np.array(rows), truth, np.array(clusters))


def game(schema: Schema, months: Sequence[SeenMonth], seed: int) -> Outcome:
    """Every pass, and the control; the first month trains, the second is judged."""
    parts: dict[str, Result] = {}
    for p in schema.passes:
        training, judged = (change_plays(p, month) for month in months)
        parts[p.id] = contest(training, judged, seed)
    p = next(p for p in schema.passes if p.similar)
    rng = np.random.default_rng(seed)
    leaking = [change_plays(p, renewed(month, p, rng)) for month in months]
    control = contest(leaking[0], leaking[1], seed)
    return Outcome("unit", "unit", parts, {"renewed cover": control})


def renewed(month: SeenMonth, p: Pass, rng: np.random.Generator) -> SeenMonth:
    """Every second cover row of a delta shows another token and filter, as decoys once did."""
    deltas = []
    for tables in month.deltas:
        columns = dict(tables[p.id])
        cover = np.array([bytes(h) not in month.people[p.id] for h in columns["handles"]])
        chosen = cover & (rng.random(cover.size) < 0.5)
        for name in ("keys", "filters"):
            column = columns[name].copy()
            column[chosen] = rng.integers(0, 256, column[chosen].shape, np.uint8)
            columns[name] = column
        deltas.append({**tables, p.id: columns})
    return replace(month, deltas=tuple(deltas))
