"""All pairs of two tables of filters that are alike; exact, and none is lost.

    found = all_pairs(ours, theirs, dice(0.85), threads=2)
    found.left, found.right, found.dice
    best = nearest(ours, theirs, 3, dice(0.6))

Filters are uint64[rows, words], as sides of equal width and any length. Whether a pair hits is
decided in whole numbers: Dice(a, b) ≥ t is distance ≤ ⌊(1 - t)(|a| + |b|)⌋, |a| the set bits, and t
is the decimal fraction that was written. Two filters without a bit resemble nobody, unless t is 0.
The result is in the order of left, then right, whatever the number of threads.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.lanes import side_by_side
from padan_linkage.matching.kernels import fold, search
from padan_linkage.matching.kernels.tile import COLUMNS, ROWS

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]

#: Rows in one piece of work.
PIECE = 4096
#: Hits that a piece first has room for; it gets the same again as often as needed.
ROOM = 1 << 16
#: Rows and columns of the sample that chooses the sketch, and the fewest pairs worth choosing for.
SAMPLE, OTHER_SAMPLE, WORTH_A_SAMPLE = 128, 512, 1 << 24


@dataclass(frozen=True)
class Rule:
    """A pair hits if its distance is at most ``base + slope`` times the sum of both weights.

    ``empty``: whether two filters without a bit may hit.
    """

    base: int
    slope: Fraction
    empty: bool = True

    @functools.cache  # noqa: B019 - a rule is a few numbers, and a search asks for the same again
    def limits(self, bits: int) -> Numbers:
        """The greatest distance of a hit by sum of weights, int64[2 * bits + 1]."""
        part, whole = self.slope.numerator, self.slope.denominator
        limits = [self.base + part * both // whole for both in range(2 * bits + 1)]
        if not self.empty:
            limits[0] = -1
        return np.array(limits, dtype=np.int64)

    @functools.cache  # noqa: B019
    def shares(self, bits: int) -> Numbers:
        """int64[2, bits + 1]: a row's and a column's part, together no less than the limit."""
        part, whole = self.slope.numerator, self.slope.denominator
        rows = [self.base + part * one // whole for one in range(bits + 1)]
        columns = [-(-part * one // whole) for one in range(bits + 1)]
        return np.array([rows, columns], dtype=np.int64)


def dice(threshold: float | Fraction) -> Rule:
    """Dice ≥ ``threshold``, from 0 to 1. A float is the decimal it prints as: .8 is 4/5."""
    exact = threshold if isinstance(threshold, Fraction) else Fraction(str(float(threshold)))
    if not 0 <= exact <= 1:
        raise ValueError("a Dice threshold is from 0 to 1")
    return Rule(0, 1 - exact, empty=exact == 0)


def hamming(distance: int) -> Rule:
    """Hamming distance ≤ ``distance``, which is not below 0."""
    if distance < 0:
        raise ValueError("a distance is not below 0")
    return Rule(distance, Fraction(0))


@dataclass(frozen=True, repr=False)
class Pairs:
    """Hits in the order of left, then right: rows int64[k], distance int64[k], Dice float64[k].

    ``sketch``: words of the sketch that was used, 0 without one.
    """

    left: Numbers
    right: Numbers
    distance: Numbers
    dice: NDArray[np.float64]
    sketch: int

    def __len__(self) -> int:
        return len(self.left)


def weights_of(filters: Words) -> Numbers:
    """Set bits of each row, int64[rows]."""
    counted: Numbers = np.bitwise_count(filters).sum(axis=1, dtype=np.int64)
    return counted


def similarity(distance: Numbers, weights: Numbers) -> NDArray[np.float64]:
    """Dice of pairs from their distance and sum of weights; 0 where no bit is set."""
    shared = (weights - distance).astype(np.float64)
    return np.divide(shared, weights, out=np.zeros(len(shared)), where=weights > 0)


@dataclass(frozen=True, repr=False)
class _Job:
    """A search: rows against columns, as the kernels take them; all arrays read-only.

    Beside the filters it holds their sketches (or the rows' filters themselves) and a copy of the
    columns' sketches (or filters) with eight of them side by side.
    """

    filters: Words
    others: Words
    sketches: Words
    columns: Words
    weights: Numbers
    other_weights: Numbers
    bound: Numbers
    excess: Numbers
    limits: Numbers
    same: bool
    sketched: bool

    @classmethod
    def of(cls, filters: Words, others: Words, rule: Rule, *, same: bool, sketch: int) -> _Job:
        """``sketch``: its words, 0 for none."""
        bits = 64 * filters.shape[1]
        sketches = fold.fold(filters, sketch) if sketch else filters
        other_sketches = sketches if same else fold.fold(others, sketch) if sketch else others
        weights = weights_of(filters)
        other_weights = weights if same else weights_of(others)
        of_row, of_column = rule.shares(bits)
        return cls(
            filters=_frozen(filters),
            others=_frozen(others),
            sketches=_frozen(sketches),
            columns=_frozen(side_by_side(other_sketches, COLUMNS)),
            weights=_frozen(weights),
            other_weights=_frozen(other_weights),
            bound=_filled_up(of_row[weights], ROWS, -search.NEVER),
            excess=_filled_up(-of_column[other_weights], COLUMNS, search.NEVER),
            limits=_frozen(rule.limits(bits)),
            same=same,
            sketched=bool(sketch),
        )

    def run(self, rows: tuple[int, int]) -> tuple[Numbers, int]:
        """Hits of a range of rows, int64[k, 3] in order; pairs that were compared in full."""
        kernel = search.search_sketches if self.sketched else search.search
        begin = rows[0] // search.BLOCK * search.BLOCK if self.same else 0
        at = np.array([begin, rows[0], 0, 0], dtype=np.int64)
        parts = [np.zeros((0, 3), dtype=np.int64)]
        while at[search.COLUMN] < len(self.others) and rows[0] < rows[1]:
            room = np.empty((ROOM, 3), dtype=np.int64)
            at[search.FOUND] = 0
            kernel(
                self.filters, self.others, self.sketches, self.columns, self.weights,
                self.other_weights, self.bound, self.excess, self.limits, self.same,
                rows, at, room,
            )  # fmt: skip
            parts.append(room[: at[search.FOUND]].copy())
        found = np.concatenate(parts)
        # Blocks of columns come one after another: of each row the columns already ascend.
        return found[np.argsort(found[:, 0], kind="stable")], int(at[search.CHECKED])

    def weights_together(self, hits: Numbers) -> Numbers:
        """The sum of both weights of every hit, int64[k]."""
        both: Numbers = self.weights[hits[:, 0]] + self.other_weights[hits[:, 1]]
        return both


def all_pairs(
    filters: Words,
    others: Words | None,
    rule: Rule,
    *,
    threads: int = 1,
    pool: Executor | None = None,
    sketch: int | None = None,
) -> Pairs:
    """All hits of a row of ``filters`` and one of ``others``; without these, of two of one table.

    ``sketch``: words of the sketches, an even number below the filters' words; 0 for none; None to
    let a sample of the data choose. It changes nothing but the time. ``pool``: threads to use, in
    place of ``threads`` new ones. Raises ValueError for filters of different lengths.
    """
    left, right = _checked(filters), _checked(filters if others is None else others)
    if left.shape[1] != right.shape[1]:
        raise ValueError("filters of different lengths")
    same = others is None
    swapped = not same and len(left) < len(right)  # the longer side is cut into pieces
    rows, columns = (right, left) if swapped else (left, right)
    kept = choose_sketch(rows, columns, rule) if sketch is None else sketch
    if kept % 2 or not 0 <= kept < max(1, left.shape[1]):
        raise ValueError("a sketch has an even number of words, fewer than the filter")
    job = _Job.of(rows, columns, rule, same=same, sketch=kept)
    with nullcontext(pool) if pool else ThreadPoolExecutor(max(1, threads)) as workers:
        found = [part for part, _ in workers.map(job.run, _pieces(len(rows), threads))]
    hit = np.concatenate([np.zeros((0, 3), dtype=np.int64), *found])
    if swapped:
        hit = hit[np.lexsort((hit[:, 0], hit[:, 1]))]
    both = job.weights_together(hit)
    if swapped:
        hit = hit[:, [1, 0, 2]]
    one, other, distance = (np.ascontiguousarray(hit[:, n]) for n in range(3))
    return Pairs(one, other, distance, similarity(distance, both), kept)


@dataclass(frozen=True, repr=False)
class Nearest:
    """By row, nearest first: column int64[n, k] (-1 where there is none), Dice float64[n, k]."""

    column: Numbers
    dice: NDArray[np.float64]


def nearest(
    filters: Words,
    others: Words,
    k: int,
    rule: Rule,
    *,
    threads: int = 1,
    pool: Executor | None = None,
) -> Nearest:
    """The ``k`` rows of ``others`` with the highest Dice for each row of ``filters``, among hits.

    Of equals the first rows are taken. Raises ValueError for k < 1 or filters of other lengths.
    """
    left, right = _checked(filters), _checked(others)
    if left.shape[1] != right.shape[1] or k < 1:
        raise ValueError("filters of one length and k of at least 1")
    job = _Job.of(left, right, rule, same=False, sketch=0)
    found = Nearest(np.full((len(left), k), -1, np.int64), np.zeros((len(left), k)))
    slope = np.nextafter(float(rule.slope), 2.0)

    def run(rows: tuple[int, int]) -> None:
        tight = np.zeros(ROWS, dtype=np.int64)
        search.closest(
            job.filters, job.others, job.columns, job.weights, job.other_weights, job.bound,
            job.excess, job.limits, slope, rows, tight, found.dice, found.column,
        )  # fmt: skip

    with nullcontext(pool) if pool else ThreadPoolExecutor(max(1, threads)) as workers:
        list(workers.map(run, _pieces(len(left), threads)))
    return found


def choose_sketch(filters: Words, others: Words, rule: Rule) -> int:
    """Words of the sketch that promises the fastest search; 0 where none pays."""
    if len(filters) * len(others) < WORTH_A_SAMPLE:
        return 0
    sample, other_sample = _sample(filters, SAMPLE), _sample(others, OTHER_SAMPLE)
    pairs = len(sample) * len(other_sample)

    def candidates(kept: int) -> float:
        job = _Job.of(sample, other_sample, rule, same=False, sketch=kept)
        return job.run((0, len(sample)))[1] / pairs

    return fold.choose(filters.shape[1], candidates)


def _sample(filters: Words, most: int) -> Words:
    """Every k-th row, at most ``most``."""
    return np.ascontiguousarray(filters[:: -(-len(filters) // most)])


def _pieces(rows: int, threads: int) -> Iterable[tuple[int, int]]:
    """Ranges of rows, whole tiles: small enough for all threads to be busy to the end."""
    size = max(64, min(PIECE, rows // (8 * max(1, threads)) // ROWS * ROWS))
    return [(first, min(first + size, rows)) for first in range(0, rows, size)]


def _checked(filters: Words) -> Words:
    """Rows of words, contiguous and in this machine's byte order."""
    if filters.ndim != 2 or filters.dtype.kind != "u" or filters.dtype.itemsize != 8:
        raise ValueError("filters are uint64[rows, words]")
    return np.require(filters, dtype=np.uint64, requirements=["C", "A"])


def _filled_up(values: Numbers, multiple: int, filling: int) -> Any:
    """``values`` and then ``filling`` up to a multiple of a number, read-only."""
    return _frozen(np.append(values, np.full(-len(values) % multiple, filling, dtype=np.int64)))


def _frozen(array: NDArray[np.generic]) -> Any:
    """A read-only view: the kernels are compiled for read-only input, which memory maps are."""
    view = array.view()
    view.flags.writeable = False
    return view
