"""What ``padan bench kernel`` measures: the candidates of a pass, as a run finds them.

Timed is :func:`padan_linkage.matching.similar.Candidates`, which a run calls for every pass
with a filter: the list's rows sorted by bucket, swept against the registry's, ranked. The registry
is sorted and calibrated beforehand, as the peers get their input in the form they like best.

All do the same work, and each is held to it. The pass has one bucket, so that every row meets every
row, and one segment, which is the whole filter. The screen's statistic of one segment falls with
the distance: its cut stands for a greatest distance d. All filters have one weight w, so that Dice
is 1 - d / 2w: anonlink is asked for Dice ≥ t, faiss for the distance ⌊2w (1 - t)⌋, Padan for the
cut between that and the next. anonlink is asked without its cap on candidates.

Of the hits a run keeps the four likeliest of each row and counts the rest. Where nothing is alike,
these are all hits, and must be those of the peers. Where many are, all hits that calibration sees
through the same sweep (:func:`padan_linkage.matching.learning.survivors`) must be those of the
peers, and the kept must be hits, four where there are four; both ways are timed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_client.base.errors import PadanError
from padan_client.base.language import t
from padan_lab.bench.rates.filters import Words, alike, unlike, weight_of
from padan_lab.bench.report import (
    BenchReport,
    Timing,
    absence,
    alternately,
    faster,
    peer,
    pinned,
    rounded,
    usable_cores,
)
from padan_linkage.matching.learning import learn, survivors
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.matching.sides import Screen, SweepRunner
from padan_linkage.matching.similar import KEEP, Candidates, SortedRegistry
from padan_linkage.schema import Layout, Pass, Schema
from padan_linkage.tables import PassTable

#: What counts as a hit.
DICE = Fraction(8, 10)
#: Rows of the tables where one pair in a hundred is a hit: calibration takes up a million of them.
MOST_ALIKE = 8192
#: Buckets for two threads to share; each holds the whole tables once more.
SHARED_BUCKETS = 8
_MILLION = 1e6

#: Pairs of rows, int64[k, 2].
Hits = NDArray[np.int64]
Search = Callable[[], Hits]


class DisagreementError(PadanError):
    """A peer found other pairs: the measurement would compare different work."""


@dataclass(frozen=True, repr=False)
class Matching:
    """A pass between two tables of filters, ready for its candidates to be found."""

    registry: SortedRegistry
    listed: PassTable
    calibration: Calibration

    @classmethod
    def of(cls, left: Words, right: Words, buckets: int = 1) -> Matching:
        """The rows of ``left`` ask those of ``right``, in each of so many buckets anew."""
        bits = 64 * left.shape[1]
        p = _pass(bits)
        listed, provided = (
            _table(p, filters, buckets, provider=provider)
            for filters, provider in ((left, False), (right, True))
        )
        registry = SortedRegistry.of(p, provided)
        real = np.arange(len(provided), dtype=np.int64)
        learned = learn(registry, real, SweepRunner())
        below = bits / 2 - greatest_distance(bits) - 0.5
        return cls(registry, listed, replace(learned, screen=below * below * 4 / bits))

    @property
    def pairs(self) -> int:
        """How many pairs of rows meet."""
        return self.registry.compared(self.registry.side_of(self.listed))

    def kept(self, threads: int = 1) -> Hits:
        """The candidates that a run keeps."""
        runner = SweepRunner(threads=threads)
        found = Candidates.of(self.registry, self.listed, self.calibration, runner)
        best = found.best(self.calibration)
        row, place = np.nonzero(best.row >= 0)
        return np.stack([row, best.row[row, place]], axis=1)

    def all(self) -> Hits:
        """Everything that passes the screen, as calibration sees it."""
        screen = Screen.at(self.registry.plan, self.calibration.screen)
        rows = np.arange(len(self.listed))
        seen = survivors(self.registry, self.listed, rows, screen, SweepRunner(), same_table=False)
        return np.stack([seen.asking[seen.row], seen.other], axis=1)


def greatest_distance(bits: int) -> int:
    """The distance of two filters at the Dice threshold, rounded down."""
    return int(2 * weight_of(bits) * (1 - DICE))


def _pass(bits: int) -> Pass:
    """A pass whose filter is one segment."""
    segment = {"fields": ("name",), "bits": bits}
    return Pass.model_validate(
        {"id": "one", "exact": ("born",), "similar": (segment,), "bucket_bits": 4}
    )


def _table(p: Pass, filters: Words, buckets: int, *, provider: bool) -> PassTable:
    """A side's table; columns that matching does not look at are zeros."""
    fields = ({"name": "name", "kind": "person_name"}, {"name": "born", "kind": "date"})
    schema = Schema.model_validate({"fields": fields, "passes": (p,)})
    layout = Layout.of(schema, p, provider=provider)
    rows = buckets * len(filters)
    columns = {name: np.zeros((rows, width), np.uint8) for name, width in layout.columns()}
    columns["filters"] = np.tile(filters.astype("<u8").view(np.uint8), (buckets, 1))
    columns["keys"][:, 0] = np.repeat(np.arange(buckets), len(filters))
    return PassTable(p.id, layout, columns)


@dataclass(frozen=True, repr=False)
class Workload:
    """A matching, and the peers' ways to the same hits by name."""

    matching: Matching
    peers: dict[str, Search]
    absent: list[str]


def workloads(rows: int, bits: int) -> dict[str, Workload]:
    """Tables in which nothing is alike (``full``), and one pair in a hundred (``alike``)."""
    return {
        "full": workload(*unlike(rows, bits)),
        "alike": workload(*alike(min(rows, MOST_ALIKE), bits)),
    }


def workload(left: Words, right: Words) -> Workload:
    """Padan and those peers that are installed."""
    peers, absent = {}, []
    for name, module, make in (
        ("anonlink", "anonlink.similarities", _anonlink),
        ("faiss", "faiss", _faiss),
    ):
        found = peer(module)
        if found is None:
            absent.append(absence(name))
        else:
            peers[name] = make(found, left, right)
    return Workload(Matching.of(left, right), peers, absent)


def _anonlink(module: Any, left: Words, right: Words) -> Search:
    """anonlink's C++ search over lists of bitarrays."""
    from bitarray import bitarray

    tables = []
    for filters in (left, right):
        rows = [bitarray(endian="little") for _ in filters]
        for row, data in zip(rows, filters.astype("<u8"), strict=True):
            row.frombytes(data.tobytes())
        tables.append(rows)

    def search() -> Hits:
        _, (one, other) = module.dice_coefficient_accelerated(tables, float(DICE))
        return np.stack([np.array(one, dtype=np.int64), np.array(other, dtype=np.int64)], axis=1)

    return search


def _faiss(module: Any, left: Words, right: Words) -> Search:
    """faiss's exhaustive binary index over the second table, made beforehand."""
    listed, kept = (each.astype("<u8").view(np.uint8) for each in (left, right))
    index = module.IndexBinaryFlat(8 * kept.shape[1])
    index.add(kept)

    def search() -> Hits:
        module.omp_set_num_threads(1)
        begins, _, column = index.range_search(listed, greatest_distance(8 * kept.shape[1]) + 1)
        row = np.repeat(np.arange(len(listed)), np.diff(begins.astype(np.int64)))
        return np.stack([row, column], axis=1)

    return search


def agree(work: Workload) -> Hits:
    """All hits, which every peer finds too, or DisagreementError; also warms everything up."""
    hits = _sorted(work.matching.all())
    for name, search in work.peers.items():
        if not np.array_equal(_sorted(search()), hits):
            raise DisagreementError(
                t(f"{name} menemukan pasangan lain", f"{name} finds other pairs")
            )
    kept = _sorted(work.matching.kept())
    rows = len(work.matching.listed)
    expected = np.minimum(np.bincount(hits[:, 0], minlength=rows), KEEP)
    if not np.array_equal(np.bincount(kept[:, 0], minlength=rows), expected) or not _among(
        kept, hits
    ):
        raise DisagreementError(
            t("calon yang disimpan bukan yang ditemukan", "what is kept is not what is found")
        )
    return hits


def _sorted(pairs: Hits) -> Hits:
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _among(some: Hits, pairs: Hits) -> bool:
    """Whether all of ``some`` are in ``pairs``."""
    return bool(np.isin(some[:, 0] << 32 | some[:, 1], pairs[:, 0] << 32 | pairs[:, 1]).all())


def one_core(report: BenchReport, name: str, work: Workload, rounds: int) -> None:
    """Padan and the peers in turns, into the report as ``kernel_<name>_1c_vs_…``."""
    hits, pairs = agree(work), work.matching.pairs
    tasks: dict[str, Callable[[], object]] = {"padan": work.matching.kept}
    if name == "alike":
        tasks["padan_all"] = work.matching.all
    timings = alternately(tasks | work.peers, rounds, warm=False)
    _section(report, "hits")[name] = {"pairs": pairs, "share": rounded(len(hits) / pairs)}
    _section(report, "million_pairs_per_second_1c")[name] = {
        each: _rate(pairs, timing.best_cpu) for each, timing in timings.items()
    }
    report.note_disturbance({f"{each}_{name}": timing for each, timing in timings.items()})
    report.absent = work.absent
    for rival in work.peers:
        _compare(report, name, timings, rival)


def _compare(report: BenchReport, name: str, timings: dict[str, Timing], rival: str) -> None:
    for ours in ("padan", "padan_all"):
        if ours in timings:
            label = f"kernel_{name}{ours.removeprefix('padan')}_1c_vs_{rival}"
            report.ratios[label] = faster(timings, ours, rival, clock="cpu")


def two_cores(report: BenchReport, rows: int, bits: int, rounds: int) -> None:
    """Two threads over one, both allowed the same two cores."""
    if usable_cores() < 2:
        report.absent.append(t("hanya satu inti", "only one core: nothing to scale over"))
        return
    matching = Matching.of(*unlike(rows, bits), buckets=SHARED_BUCKETS)
    tasks: dict[str, Callable[[], object]] = {
        f"{threads}c": partial(matching.kept, threads) for threads in (1, 2)
    }
    with pinned(2):
        timings = alternately(tasks, rounds)
    report.measured["million_pairs_per_second"] = {
        name: _rate(matching.pairs, each.best) for name, each in timings.items()
    }
    report.ratios["kernel_2c_over_1c"] = faster(timings, "2c", "1c")


def _rate(pairs: int, seconds: float) -> float:
    return rounded(pairs / seconds / _MILLION)


_FIRST_CALL = """
import time
import numpy as np
from padan_lab.bench.rates.kernel_rates import Matching
filters = np.zeros((64, 16), np.uint64)
begin = time.perf_counter()
Matching.of(filters, filters).kept()
print(time.perf_counter() - begin)
"""


def start_up(report: BenchReport) -> None:
    """Seconds of a process's first candidates: kernel compiled, and kernel from the cache.

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


def _section(report: BenchReport, name: str) -> dict[str, object]:
    """A part of what was measured, made on first use."""
    section = report.measured.setdefault(name, {})
    assert isinstance(section, dict)
    return section
