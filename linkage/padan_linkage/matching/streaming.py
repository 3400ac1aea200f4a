"""A long sweep in bucket ranges, each kept as soon as it is done.

A list of tens of millions is swept for minutes. What a range gives is final and lies together in
the requester's order, so it is handed to a :class:`Journal`, and whoever goes on after a crash
takes the ranges that are there and sweeps the rest. The result is the same to the bit. Spec:
``proto/spec/35-matching.md``, "Ranges".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.matching.scoring.features import FeaturePlan
from padan_linkage.matching.sides import FilterSide, Screen, Sweep, SweepRunner, frozen
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable

#: Comparisons in one range: some seconds of a core.
RANGE = 2_000_000_000
#: What a row costs beside its comparisons: it is sorted, gathered, answered, written.
ROW_WORK = 4_000
#: Changes when what a range holds does, so that nothing of another version is taken up.
FORMAT = 1


class Journal(Protocol):
    """Keeps pieces of a pass's work by name; one journal a pass of a run."""

    def load(self, name: str) -> bytes | None:
        """What was saved under ``name``, whole and undamaged; None otherwise."""
        ...

    def save(self, name: str, content: bytes) -> None:
        """Keep ``content``; durable on return."""
        ...


@dataclass(frozen=True)
class KeptRanges:
    """A journal, and what must be the same for its ranges to be used again.

    ``size`` is the number of comparisons after which a range ends.
    """

    journal: Journal
    size: int = RANGE

    def name(
        self, provider: FilterSide, requester: FilterSide, calibration: Calibration, out: Sweep
    ) -> str:
        """Names the sweep: anything that decides its results is in it."""
        digest = hashlib.sha256()
        for part in (
            str(FORMAT),
            calibration.to_json(),
            str(out.best_score.shape),
            str(len(provider.order)),
        ):
            digest.update(part.encode() + b"\x00")
        for side in (provider, requester):
            digest.update(np.ascontiguousarray(side.start).tobytes())
        return digest.hexdigest()[:16]


def sweep_ranges(
    runner: SweepRunner,
    plan: FeaturePlan,
    provider: FilterSide,
    requester: FilterSide,
    screen: Screen,
    out: Sweep,
    kept: KeptRanges | None,
    calibration: Calibration,
) -> None:
    """:meth:`SweepRunner.run` for the best candidates, range by range where ``kept`` is given.

    Raises CancelledError; the ranges done by then are kept.
    """
    if kept is None:
        runner.run(plan, provider, requester, screen, out)
        return
    name = kept.name(provider, requester, calibration, out)
    work = provider.sizes() * requester.sizes()
    total, done = max(1, int(work.sum())), 0
    for first, last in _ranges(work, kept.size):
        part = _part(out, int(requester.start[first]), int(requester.start[last]))
        before, done = done, done + int(work[first:last].sum())
        known = kept.journal.load(f"{name}-{first}-{last}")
        if known is None or not _put(part, known):
            told = replace(runner, progress=_scaled(runner.progress, before / total, done / total))
            told.run(plan, provider, _only(requester, first, last), screen, part)
            kept.journal.save(f"{name}-{first}-{last}", _taken(part))
        if runner.progress is not None:
            runner.progress(done / total)


def pass_work(p: Pass, provider: PassTable, requester: PassTable) -> float:
    """How much work a pass is, in comparisons of 64-bit words: what estimates of time rest on.

    Looks at the buckets of every row, which takes a fraction of a second for tens of millions.
    """
    rows = ROW_WORK * (len(provider) + len(requester))
    if not p.similar:
        return float(rows)
    sizes = [_bucket_sizes(p, table) for table in (provider, requester)]
    return float(rows + p.filter_words * (sizes[0] * sizes[1]).sum())


def _bucket_sizes(p: Pass, table: PassTable) -> NDArray[np.int64]:
    keys = np.ascontiguousarray(table.columns["keys"]).view("<u2").reshape(-1)
    return np.bincount(keys, minlength=1 << p.bucket_bits)[: 1 << p.bucket_bits]


def _ranges(work: NDArray[np.int64], size: int) -> list[tuple[int, int]]:
    """Bucket ranges of about ``size`` comparisons, covering all buckets in order."""
    edges = np.flatnonzero(np.diff(np.cumsum(work) // size)) + 1
    return [(a, b) for a, b in pairwise([0, *edges.tolist(), len(work)]) if b > a]


def _only(side: FilterSide, first: int, last: int) -> FilterSide:
    """The side with no rows but those of the buckets ``first`` to ``last`` (exclusive)."""
    low, high = int(side.start[first]), int(side.start[last])
    start = np.clip(side.start, low, high) - low
    return replace(side, order=frozen(side.order[low:high]), start=frozen(start))


def _part(out: Sweep, low: int, high: int) -> Sweep:
    """Views of what a sweep writes for the positions ``low`` to ``high`` (exclusive)."""
    return replace(
        out,
        count=out.count[low:high],
        best_score=out.best_score[low:high],
        best_row=out.best_row[low:high],
    )


def _taken(part: Sweep) -> bytes:
    """A range's results as bytes: counts, scores, rows, little-endian."""
    return b"".join(
        (
            part.count.astype("<i8").tobytes(),
            part.best_score.astype("<f4").tobytes(),
            part.best_row.astype("<i8").tobytes(),
        )
    )


def _put(part: Sweep, content: bytes) -> bool:
    """Fill ``part`` from what :func:`_taken` gave; False if it is of another size."""
    rows, keep = part.best_score.shape
    if len(content) != rows * (8 + keep * 12):
        return False
    part.count[:] = np.frombuffer(content, "<i8", rows)
    part.best_score[:] = np.frombuffer(content, "<f4", rows * keep, rows * 8).reshape(rows, keep)
    rest = rows * (8 + keep * 4)
    part.best_row[:] = np.frombuffer(content, "<i8", rows * keep, rest).reshape(rows, keep)
    return True


def _scaled(
    progress: Callable[[float], None] | None, before: float, after: float
) -> Callable[[float], None] | None:
    """Progress of one range as progress of all."""
    if progress is None:
        return None
    return lambda of_range: progress(min(before + (after - before) * of_range, after))
