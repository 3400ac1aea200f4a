"""Registries as their owners keep them: dates, numbers and logs, where codes come from those.

The generator draws the words that codes stand for; here they become what the agreement derives
them from: a day of expiry, a number of workers, the crossings of which the last one counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa

from padan_lab.generate import FilePlan, flow_plan
from padan_linkage.agreement import Flow

_UNTIL, _AFTER = "BERLAKU", "HABIS BERLAKU"
_DAYS = 3650
_MORE = 10  # the largest numbers go up to this many times the last threshold
_MOST_EARLIER = 3
#: The day of files that stay the same whenever they are made.
_FILES_DAY = date(2024, 7, 1)


def in_words(flow: Flow) -> Flow:
    """The flow with a word for every code, for the generator to draw from."""
    dates = {name: {_UNTIL: c.until, _AFTER: c.after} for name, c in flow.registry_date.items()}
    return replace(
        flow,
        registry={**flow.registry, **dates, **flow.registry_number},
        registry_date={},
        registry_number={},
        latest_by=None,
    )


def flow_files(flow: Flow, seed: int) -> tuple[FilePlan, Callable[[pa.Table], pa.Table]]:
    """What files in a flow's own form are made by: their plan, and what dresses the registry."""
    return flow_plan(in_words(flow)), lambda registry: dressed(flow, registry, _FILES_DAY, seed)


def dressed(flow: Flow, registry: pa.Table, day: date, seed: int) -> pa.Table:
    """The generated registry with its words turned back; ``day`` is that of publishing."""
    rng = np.random.default_rng([seed, registry.num_rows])
    table = registry
    for name in flow.registry_date:
        table = _with(table, name, _dates(table[name].to_pylist(), day, rng))
    for name, steps in flow.registry_number.items():
        table = _with(table, name, _numbers(table[name].to_pylist(), list(steps), rng))
    if flow.latest_by is not None:
        table = _log(flow, flow.latest_by, table, day, rng)
    return table


def _dates(words: list[str], day: date, rng: np.random.Generator) -> list[str]:
    """Days of expiry; that of publishing is still valid."""
    ahead = rng.integers(0, _DAYS, len(words)).tolist()
    return [
        (day + timedelta(days=n if word == _UNTIL else -n - 1)).isoformat() if word else ""
        for word, n in zip(words, ahead, strict=True)
    ]


def _numbers(words: list[str], steps: list[str], rng: np.random.Generator) -> list[str]:
    least = sorted(map(int, steps))
    most = dict(pairwise([*least, least[-1] * _MORE]))
    return [str(rng.integers(int(word), most[int(word)])) if word else "" for word in words]


def _log(flow: Flow, moment: str, table: pa.Table, day: date, rng: np.random.Generator) -> pa.Table:
    """Earlier rows of the same ids, with other words, all rows in disorder."""
    earlier = np.repeat(
        np.arange(table.num_rows), rng.integers(0, _MOST_EARLIER + 1, table.num_rows)
    )
    now = datetime.combine(day, time.min)
    last = rng.integers(24 * 60, 365 * 24 * 60, table.num_rows)
    before = last[earlier] + rng.integers(1, 300 * 24 * 60, len(earlier))
    older = table.take(pa.array(earlier))
    for name, words in flow.registry.items():
        drawn = rng.choice(sorted(words), len(earlier))
        older = _with(older, name, drawn.tolist())
    both = pa.concat_tables(
        [
            _with(part, moment, [f"{now - timedelta(minutes=int(m)):%Y-%m-%d %H:%M}" for m in ago])
            for part, ago in ((table, last), (older, before))
        ]
    )
    return both.take(pa.array(rng.permutation(both.num_rows)))


def _with(table: pa.Table, name: str, values: list[str]) -> pa.Table:
    column = pa.array(values, pa.string())
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, column)
    return table.append_column(name, column)
