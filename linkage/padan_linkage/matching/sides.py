"""One side of a filter pass, ready to sweep: rows sorted by bucket, columns as 64-bit words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.lanes import LANES, aligned
from padan_linkage.matching.kernels import kernel
from padan_linkage.matching.kernels.tile import PAIRS, ROWS
from padan_linkage.matching.scoring.features import FeaturePlan, screen_cut
from padan_linkage.tables import PassTable

#: Comparisons in one piece of work: progress is told and cancelling looked for in between.
PIECE = 20_000_000


class CancelledError(Exception):
    """The caller's ``cancelled`` said so; nothing was returned."""


@dataclass(frozen=True, repr=False)
class FilterSide:
    """Rows of a table in bucket order.

    ``filters``: uint64[rows * words]; ``mask``: uint64[rows] of presence bits, or [0] where the
    schema sends none; ``order``: int64[n], the table rows in play, by bucket, ascending inside one;
    ``start``: int64[buckets + 1], where each bucket begins in ``order``.
    """

    filters: NDArray[np.uint64]
    mask: NDArray[np.uint64]
    order: NDArray[np.int64]
    start: NDArray[np.int64]

    @classmethod
    def of(
        cls, table: PassTable, buckets: int, rows: NDArray[np.int64] | None = None
    ) -> FilterSide:
        """``table``'s side, all its rows or only ``rows`` (int64, ascending).

        A row whose bucket is not below ``buckets`` is in no bucket: it meets nobody.
        """
        keys = np.ascontiguousarray(table.columns["keys"]).view("<u2").reshape(-1)
        return cls.sorted(table, keys if rows is None else keys[rows], buckets, rows)

    @classmethod
    def sorted(
        cls,
        table: PassTable,
        bucket: NDArray[np.integer[Any]],
        buckets: int,
        rows: NDArray[np.int64] | None = None,
    ) -> FilterSide:
        """As :meth:`of`, with the buckets given: ``bucket`` of each row of ``rows``."""
        by_bucket = np.argsort(bucket, kind="stable").astype(np.int64)
        counts = np.bincount(bucket, minlength=buckets)[:buckets]
        by_bucket = by_bucket[: int(counts.sum())]
        return cls(
            filters=filter_words(table.columns["filters"]),
            mask=presence_mask(table),
            order=frozen(by_bucket if rows is None else rows[by_bucket]),
            start=frozen(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)),
        )

    def only(self, wanted: NDArray[np.bool_]) -> FilterSide:
        """The same with those rows alone that are ``wanted``, bool[n] by position in ``order``."""
        before = np.concatenate([[0], np.cumsum(wanted)])
        return replace(self, order=frozen(self.order[wanted]), start=frozen(before[self.start]))

    def sizes(self) -> NDArray[np.int64]:
        """Rows in each bucket, int64[buckets]."""
        return np.diff(self.start)


def frozen(array: NDArray[np.int64]) -> NDArray[np.int64]:
    """A read-only view: the kernels are compiled for read-only input, which memory maps are."""
    view = array.view()
    view.flags.writeable = False
    return view


def filter_words(column: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The filter column as little-endian words, uint64[rows * words], without a copy if aligned."""
    flat = np.asarray(column).reshape(-1).view("<u8")
    words: NDArray[np.uint64] = np.require(flat, dtype=np.uint64, requirements=["C", "A"]).view()
    words.flags.writeable = False
    return words


def presence_mask(table: PassTable) -> NDArray[np.uint64]:
    """The presence column as one word a row (up to 64 segments), or an empty array."""
    masks = np.zeros(len(table) if "presence" in table.columns else 0, dtype=np.uint64)
    if len(masks):
        for i, column in enumerate(np.asarray(table.columns["presence"]).T[:8]):
            masks |= column.astype(np.uint64) << np.uint64(8 * i)
    masks.flags.writeable = False
    return masks


@dataclass(frozen=True)
class Screen:
    """Which pairs are worth a score: ``half`` = m/2 and ``scale`` = 4/m a feature, and the cut."""

    half: NDArray[np.float64]
    scale: NDArray[np.float64]
    cut: float

    @classmethod
    def of(cls, plan: FeaturePlan, provider: FilterSide, noise: float = 0.005) -> Screen:
        """The screen that lets about ``noise`` unrelated rows pass for each row asked about."""
        sizes = provider.sizes().astype(np.float64)
        company = float((sizes * sizes).sum() / max(1.0, sizes.sum()))
        return cls.at(
            plan, screen_cut(plan.segments, noise / max(1.0, company * len(plan.alignments)))
        )

    @classmethod
    def at(cls, plan: FeaturePlan, cut: float) -> Screen:
        """The screen with a known cut."""
        return cls(half=plan.bits / 2.0, scale=4.0 / plan.bits, cut=cut)

    def limits(self) -> NDArray[np.int64]:
        """Distances int64[segments]: a pair that passes is in one segment at least not above.

        One segment at least has an equal share of the cut; one bit more makes up for rounding.
        """
        if self.cut <= 0:
            return (2 * self.half).astype(np.int64)
        share = np.sqrt(self.cut / (len(self.half) * self.scale))
        return np.floor(self.half - share).astype(np.int64) + 1


@dataclass
class Sweep:
    """What a sweep writes, by position in the requester's order; see :func:`kernel.sweep`."""

    count: NDArray[np.int64]
    same_table: bool = False
    offset: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    found_rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    found_values: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 0), np.int32))
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    best_score: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    best_row: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))


#: A sweep over a bucket range: the Numba kernel's or the reference's.
SweepFunction = Callable[
    [FeaturePlan, FilterSide, FilterSide, Screen, Sweep, tuple[int, int]], None
]


def numba_sweep(
    plan: FeaturePlan,
    provider: FilterSide,
    requester: FilterSide,
    screen: Screen,
    out: Sweep,
    buckets: tuple[int, int],
) -> None:
    """Run the compiled kernel."""
    compared = len(plan.pairs)
    work = (
        aligned(kernel.BLOCK * plan.words),
        aligned(PAIRS * compared).view(np.int64),
        aligned(LANES * compared).view(np.int64),
        np.zeros(ROWS, np.int64),
        np.empty((kernel.NOTES, 2 + compared), np.int64),
        np.zeros(plan.features, np.int32),
    )
    kernel.sweep(
        (provider.filters, provider.mask, provider.order, provider.start),
        (requester.filters, requester.mask, requester.order, requester.start),
        out.same_table,
        (plan.seg_start, plan.seg_words, plan.pairs, plan.alignments, plan.words),
        (screen.half, screen.scale, screen.limits(), screen.cut),
        (
            out.count,
            out.offset,
            out.found_rows,
            out.found_values,
            out.scores,
            out.best_score,
            out.best_row,
        ),
        work,
        buckets,
    )


@dataclass(frozen=True)
class SweepRunner:
    """How sweeps run: which implementation, how many threads, who hears of progress."""

    sweep: SweepFunction = numba_sweep
    threads: int = 1
    progress: Callable[[float], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def run(
        self,
        plan: FeaturePlan,
        provider: FilterSide,
        requester: FilterSide,
        screen: Screen,
        out: Sweep,
    ) -> None:
        """Sweep all buckets, piece by piece. Raises CancelledError."""
        work = provider.sizes() * requester.sizes()
        pieces = _pieces(work)
        total, done = max(1, int(work.sum())), 0

        def piece(span: tuple[int, int]) -> int:
            if self.cancelled is not None and self.cancelled():
                raise CancelledError
            self.sweep(plan, provider, requester, screen, out, span)
            return int(work[span[0] : span[1]].sum())

        with _mapper(min(self.threads, len(pieces))) as mapped:
            for finished in mapped(piece, pieces):
                done += finished
                if self.progress is not None:
                    self.progress(done / total)


@contextmanager
def _mapper(threads: int) -> Iterator[Callable[..., Iterator[int]]]:
    """A ``map`` over that many threads; one thread is the caller's own, for single questions."""
    if threads <= 1:
        yield map
        return
    with ThreadPoolExecutor(threads) as pool:
        yield pool.map


def _pieces(work: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Bucket ranges of about :data:`PIECE` comparisons each, covering all buckets in order."""
    number = np.cumsum(work) // PIECE
    edges = np.flatnonzero(np.diff(number)) + 1
    bounds = [0, *edges.tolist(), len(work)]
    return [(a, b) for a, b in pairwise(bounds) if b > a]
