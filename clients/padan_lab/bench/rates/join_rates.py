"""What ``padan bench join`` measures: which registry row has the token of each row of a list.

Half of the list's tokens are in the registry. Padan makes its hash table and asks it; DuckDB joins
two tables of its own, which it has loaded before; pyarrow joins two Arrow tables: one thread each.
All three must find the same pairs of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_client.base.language import t
from padan_lab.bench.rates.kernel_rates import DisagreementError
from padan_lab.bench.report import BenchReport, absence, alternately, faster, peer, rounded
from padan_linkage.matching.exact import TokenIndex, seed_of

Words = NDArray[np.uint64]
#: A join: registry row by row of the list, int64[list_rows], -1 where none.
Join = Callable[[], NDArray[np.int64]]


def workload(rows: int, list_rows: int, words: int) -> tuple[dict[str, Join], list[str]]:
    """The joins by name, and sentences on peers that are not installed."""
    rng = np.random.default_rng(1)
    registry = rng.integers(0, 2**64, (rows, words), dtype=np.uint64)
    listed = rng.integers(0, 2**64, (list_rows, words), dtype=np.uint64)
    known = min(rows, list_rows // 2)
    listed[rng.permutation(list_rows)[:known]] = registry[rng.permutation(rows)[:known]]
    tables = _arrow(registry, "row"), _arrow(listed, "list_row")
    joins: dict[str, Join] = {
        "padan": partial(_padan, registry, listed),
        "pyarrow": partial(_pyarrow, *tables),
    }
    absent = []
    duckdb = peer("duckdb")
    if duckdb is None:
        absent.append(absence("duckdb"))
    else:
        joins["duckdb"] = _duckdb(duckdb, *tables)
    return joins, absent


def _padan(registry: Words, listed: Words) -> NDArray[np.int64]:
    return TokenIndex.of(registry, seed_of(listed)).find(listed)


def _arrow(tokens: Words, number: str) -> pa.Table:
    """Tokens as a binary column beside the numbers of their rows."""
    width = pa.binary(8 * tokens.shape[1])
    column = pa.Array.from_buffers(width, len(tokens), [None, pa.py_buffer(tokens)])
    return pa.table({"token": column.cast(pa.binary()), number: np.arange(len(tokens))})


def _pyarrow(registry: pa.Table, listed: pa.Table) -> NDArray[np.int64]:
    joined = listed.join(registry, "token", join_type="inner", use_threads=False)
    return _by_list_row(joined["list_row"].to_numpy(), joined["row"].to_numpy(), len(listed))


def _duckdb(module: Any, registry: pa.Table, listed: pa.Table) -> Join:
    """DuckDB with one thread and both tables loaded."""
    connection = module.connect()
    connection.execute("SET threads = 1")
    connection.register("arrow_registry", registry).register("arrow_listed", listed)
    connection.execute("CREATE TABLE registry AS SELECT * FROM arrow_registry")
    connection.execute("CREATE TABLE listed AS SELECT * FROM arrow_listed")

    def join() -> NDArray[np.int64]:
        query = "SELECT list_row, row FROM listed JOIN registry USING (token)"
        found = connection.execute(query).fetchnumpy()
        return _by_list_row(found["list_row"], found["row"], len(listed))

    return join


def _by_list_row(
    list_rows: NDArray[np.int64], row: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Pairs of rows as the registry row of each row of the list."""
    found = np.full(count, -1, dtype=np.int64)
    found[list_rows] = row
    return found


def one_core(report: BenchReport, work: tuple[dict[str, Join], list[str]], rounds: int) -> None:
    """All joins in turns, into the report."""
    joins, report.absent = work
    expected = joins["padan"]()
    for name, join in joins.items():
        if not np.array_equal(join(), expected):
            raise DisagreementError(
                t(f"{name} menemukan pasangan lain", f"{name} finds other pairs")
            )
    timings = alternately(joins, rounds, warm=False)
    report.measured["found"] = int((expected >= 0).sum())
    report.measured["seconds_1c"] = {
        name: {"best": rounded(each.best), "processor": rounded(each.best_cpu)}
        for name, each in timings.items()
    }
    report.note_disturbance(timings)
    for name in ("duckdb", "pyarrow"):
        if name in timings:
            report.ratios[f"join_vs_{name}"] = faster(timings, "padan", name, clock="cpu")
