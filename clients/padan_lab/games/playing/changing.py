"""A registry that changes from day to day as registries of people do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from padan_lab.generate import ID_COLUMN, generate_demo
from padan_linkage.agreement import Flow

#: A day's changes by kind: only the status, a corrected field, joined, left; shares of all.
KINDS = ("status", "correction", "joined", "left")
SHARES = (0.4, 0.2, 0.25, 0.15)


@dataclass(frozen=True, repr=False)
class Day:
    """What is new on a day: rows to put, and ids of those who left."""

    changed: pa.Table
    gone: list[str]


class ChangingRegistry:
    """People with an id and a status, of whom some change every day."""

    def __init__(self, flow: Flow, people: int, seed: int) -> None:
        demo = generate_demo(flow, people * 2, people * 2, seed)
        self._rng = np.random.default_rng(seed)
        everybody = demo.registry.to_pylist()
        self._here, self._waiting = everybody[:people], everybody[people:]
        self._schema = demo.registry.schema
        (self._status, statuses), *_ = flow.registry.items()
        self._statuses = list(statuses)
        asked = demo.requests.to_pylist()
        ids, rows = (demo.truth[name].to_pylist() for name in ("registry_id", "request_row"))
        #: How somebody else wrote down the same person: where corrections come from.
        self._otherwise = {
            str(id_): asked[row] for id_, row in zip(ids, rows, strict=True) if id_ is not None
        }
        self._fields = [name for name in demo.requests.column_names if name != ID_COLUMN]

    @property
    def table(self) -> pa.Table:
        """The registry today."""
        return pa.Table.from_pylist(self._here, self._schema)

    def days(self, days: int, changes: float) -> Iterator[Day]:
        """So many days with about ``changes`` changes each."""
        for _ in range(days):
            yield self._day(max(1, int(self._rng.poisson(changes))))

    def _day(self, changes: int) -> Day:
        kinds = self._rng.choice(len(KINDS), changes, p=SHARES)
        chosen = self._rng.permutation(len(self._here))[:changes].tolist()
        put, gone = [], []
        for kind, at in zip(kinds.tolist(), chosen, strict=True):
            match KINDS[kind]:
                case "joined":
                    put.append(self._waiting.pop())
                case "left":
                    gone.append(at)
                case "status":
                    put.append(self._with_status(at))
                case _:
                    put.append(self._corrected(at))
        leaving = [str(self._here[at][ID_COLUMN]) for at in gone]
        self._here = [row for at, row in enumerate(self._here) if at not in set(gone)]
        known = {row[ID_COLUMN] for row in self._here}
        self._here += [row for row in put if row[ID_COLUMN] not in known]
        return Day(pa.Table.from_pylist(put, self._schema), leaving)

    def _with_status(self, at: int) -> dict[str, object]:
        row: dict[str, object] = self._here[at]
        others = [status for status in self._statuses if status != row[self._status]]
        row = {**row, self._status: others[int(self._rng.integers(len(others)))]}
        self._here[at] = row
        return row

    def _corrected(self, at: int) -> dict[str, object]:
        """The row as another file has one of its fields; as it was where none has another."""
        row: dict[str, object] = self._here[at]
        other = self._otherwise.get(str(row[ID_COLUMN]), row)
        differing = [name for name in self._fields if other[name] and other[name] != row[name]]
        if differing:
            name = differing[int(self._rng.integers(len(differing)))]
            row = {**row, name: other[name]}
            self._here[at] = row
        return row
