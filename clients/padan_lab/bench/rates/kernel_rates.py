"""What ``padan bench kernel`` measures. Whatever is timed must find the same pairs.

The peers get their input in the form they like best, made before the clock starts. anonlink is
asked without its cap on candidates and compares quotients of doubles, which at the threshold round
to the same as Padan's whole numbers; its kernel sorts what it finds, as ours does. faiss knows
distances only: it is asked for the largest distance that any hit may have, and what it finds is cut
down to the Dice threshold.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_client.base.errors import PadanError
from padan_client.base.language import t
from padan_lab.bench.rates.filters import Words, two_tables
from padan_lab.bench.report import (
    Report,
    absence,
    alternately,
    faster,
    peer,
    pinned,
    rounded,
    usable_cores,
)
from padan_linkage.matching.kernels.pairs import all_pairs, dice, weights_of

THRESHOLDS = (0.80, 0.85, 0.90)
_MILLION = 1e6

#: A search: a threshold in, pairs of rows int64[k, 2] in order out.
Search = Callable[[float], NDArray[np.int64]]


class DisagreementError(PadanError):
    """A peer found other pairs: the measurement would compare different work."""


@dataclass(frozen=True)
class Workload:
    """Two tables of filters, and the ways to search them by name."""

    left: Words
    right: Words
    searches: dict[str, Search]
    absent: list[str]

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return len(self.left) * len(self.right)

    def shape(self) -> dict[str, object]:
        """What the filters are like: fill, and the Dice of random pairs."""
        count = min(len(self.left), len(self.right))
        one, other = self.left[:count], self.right[:count][::-1]
        weights = weights_of(one) + weights_of(other)
        shared = np.bitwise_count(one & other).sum(axis=1)
        median, high = np.quantile(2 * shared / weights, [0.5, 0.999])
        fill = weights_of(self.left).mean() / (64 * self.left.shape[1])
        return {
            "fill": rounded(float(fill)),
            "dice_median": rounded(float(median)),
            "dice_p999": rounded(float(high)),
        }


def workload(rows: int, bits: int) -> Workload:
    """``rows`` filters a side; Padan and those peers that are installed."""
    left, right = two_tables(rows, rows, max(1, bits // 64))
    searches: dict[str, Search] = {
        "padan_full": partial(_padan, left, right, sketch=0),
        "padan_filtered": partial(_padan, left, right, sketch=None),
    }
    absent = []
    for name, module, make in (
        ("anonlink", "anonlink.similarities", _anonlink),
        ("faiss", "faiss", _faiss),
    ):
        found = peer(module)
        if found is None:
            absent.append(absence(name))
        else:
            searches[name] = make(found, left, right)
    return Workload(left, right, searches, absent)


def _padan(
    left: Words, right: Words, threshold: float, *, sketch: int | None, threads: int = 1
) -> NDArray[np.int64]:
    found = all_pairs(left, right, dice(threshold), sketch=sketch, threads=threads)
    return np.stack([found.left, found.right], axis=1)


def _anonlink(module: Any, left: Words, right: Words) -> Search:
    """anonlink's C++ search over lists of bitarrays."""
    from bitarray import bitarray

    tables = []
    for filters in (left, right):
        rows = [bitarray(endian="little") for _ in filters]
        for row, data in zip(rows, filters.astype("<u8"), strict=True):
            row.frombytes(data.tobytes())
        tables.append(rows)

    def search(threshold: float) -> NDArray[np.int64]:
        _, (one, other) = module.dice_coefficient_accelerated(tables, threshold)
        return np.stack([np.array(one, dtype=np.int64), np.array(other, dtype=np.int64)], axis=1)

    return search


def _faiss(module: Any, left: Words, right: Words) -> Search:
    """faiss's exhaustive binary index over the second table, made beforehand."""
    asked, kept = (each.astype("<u8").view(np.uint8) for each in (left, right))
    index = module.IndexBinaryFlat(8 * kept.shape[1])
    index.add(kept)
    weights, other_weights = weights_of(left), weights_of(right)
    greatest = int(weights.max(initial=0) + other_weights.max(initial=0))

    def search(threshold: float) -> NDArray[np.int64]:
        module.omp_set_num_threads(1)
        limits = dice(threshold).limits(8 * kept.shape[1])
        begins, distance, column = index.range_search(asked, int(limits[greatest]) + 1)
        row = np.repeat(np.arange(len(asked)), np.diff(begins.astype(np.int64)))
        hit = distance <= limits[weights[row] + other_weights[column]]
        return np.stack([row[hit], column[hit]], axis=1)

    return search


def one_core(report: Report, work: Workload, threshold: float, rounds: int) -> None:
    """All searches in turns, into the report as ``…_t85_1c_vs_…``."""
    agree(work, threshold)
    tasks = {name: partial(search, threshold) for name, search in work.searches.items()}
    timings = alternately(tasks, rounds, warm=False)
    label = f"t{round(100 * threshold)}"
    rates = {name: _rate(work, each.best_cpu) for name, each in timings.items()}
    _section(report, "million_pairs_per_second_1c")[label] = rates
    report.note_disturbance({f"{name}_{label}": each for name, each in timings.items()})
    report.absent = work.absent
    for name in ("anonlink", "faiss"):
        if name in timings:
            for way in ("full", "filtered"):
                ratio = faster(timings, f"padan_{way}", name, clock="cpu")
                report.ratios[f"kernel_{way}_{label}_1c_vs_{name}"] = ratio
            _over_all_thresholds(report, name)


def _over_all_thresholds(report: Report, name: str) -> None:
    """``kernel_full_1c_vs_…``: the full kernel does the same at every t, so the median over t."""
    ratios = [r for key, r in report.ratios.items() if _is_full(key, name)]
    report.ratios[f"kernel_full_1c_vs_{name}"] = rounded(float(np.median(ratios)))


def _is_full(key: str, name: str) -> bool:
    return key.startswith("kernel_full_t") and key.endswith(name)


def agree(work: Workload, threshold: float) -> None:
    """Every search finds the same pairs, or DisagreementError; also warms everything up."""
    expected: set[tuple[int, int]] | None = None
    for name, search in work.searches.items():
        found = set(map(tuple, search(threshold).tolist()))
        if expected is not None and found != expected:
            raise DisagreementError(
                t(
                    f"{name} menemukan pasangan lain pada Dice ≥ {threshold}",
                    f"{name} finds other pairs at Dice ≥ {threshold}",
                )
            )
        expected = found


def two_cores(report: Report, work: Workload, rounds: int) -> None:
    """Two threads over one, both allowed the same two cores."""
    if usable_cores() < 2:
        report.absent.append(t("hanya satu inti", "only one core: nothing to scale over"))
        return
    tasks: dict[str, Callable[[], object]] = {}
    for threads in (1, 2):
        for way, sketch in (("full", 0), ("filtered", None)):
            run = partial(_padan, work.left, work.right, 0.85, sketch=sketch, threads=threads)
            tasks[f"{way}_{threads}"] = run
    with pinned(2):
        timings = alternately(tasks, rounds)
    report.measured["million_pairs_per_second_t85"] = {
        f"{name}c": _rate(work, each.best) for name, each in timings.items()
    }
    report.ratios["kernel_2c_over_1c"] = faster(timings, "full_2", "full_1")
    report.ratios["kernel_filtered_2c_over_1c"] = faster(timings, "filtered_2", "filtered_1")


def _rate(work: Workload, seconds: float) -> float:
    return rounded(work.pairs / seconds / _MILLION)


_FIRST_CALL = """
import time
import numpy as np
from padan_linkage.matching.kernels.pairs import all_pairs, dice
filters = np.zeros((64, 16), np.uint64)
begin = time.perf_counter()
all_pairs(filters, filters, dice(0.8))
print(time.perf_counter() - begin)
"""


def start_up(report: Report) -> None:
    """Seconds of a process's first search: kernel compiled, and kernel from the cache.

    Python's own byte code is there already, as pip leaves it: a run before sees to that.
    """
    command = [sys.executable, "-c", _FIRST_CALL]
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": f"{folder}/byte code"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for name, cache in (("before", "other"), ("compiling", "kernels"), ("cached", "kernels")):
            environment["NUMBA_CACHE_DIR"] = f"{folder}/{cache}"
            done = subprocess.run(  # noqa: S603 - this very Python, a text of ours
                command, check=True, capture_output=True, text=True, env=environment
            )
            seconds[name] = rounded(float(done.stdout))
    del seconds["before"]
    report.measured["first_call_seconds"] = seconds


def _section(report: Report, name: str) -> dict[str, object]:
    """A part of what was measured, made on first use."""
    section = report.measured.setdefault(name, {})
    assert isinstance(section, dict)
    return section
