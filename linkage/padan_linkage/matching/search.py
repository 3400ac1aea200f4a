"""Numba kernels of the search among all pairs: a block of columns, row tiles over it, exact checks.

:mod:`padan_linkage.matching.pairs` calls them, :mod:`padan_linkage.matching.reference` says the
same in plain NumPy. Arrays are passed one by one, not in tuples, whose members Numba would count
references of in the innermost loops.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_linkage.jit import inlined, lean_kernel
from padan_linkage.matching.lanes import LANES, aligned, hamming, lowest
from padan_linkage.matching.tile import COLUMNS, ROWS, hits, paired_hits

#: Columns in the scratch at a time: 256 filters of 1024 bits fill 32 KiB and stay in the
#: nearest cache while all rows pass over them.
BLOCK = 256
#: Hits that one row tile can have in one block.
MOST_HITS = ROWS * BLOCK
#: Excess of a column that is not there, bound of a row that is not there.
_NEVER = 1 << 40

#: Meaning of the entries of ``at``, the state of a search.
COLUMN, ROW, FOUND, CHECKED = 0, 1, 2, 3

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]

#: block uint64[BLOCK * words], excess int64[BLOCK], rows, bound and masks int64[ROWS]
WorkArrays = tuple[Words, Numbers, Numbers, Numbers, Numbers]


def workspace(words: int) -> WorkArrays:
    """Scratch of a search over sketches of ``words``."""
    rows, bound, masks = np.zeros((3, ROWS), np.int64)
    return aligned(BLOCK * words), aligned(BLOCK).view(np.int64), rows, bound, masks


@lean_kernel
def search(
    filters: Words,
    others: Words,
    sketches: Words,
    other_sketches: Words,
    paired: bool,
    weights: Numbers,
    other_weights: Numbers,
    shares: Numbers,
    limit: Numbers,
    same: bool,
    span: tuple[int, int],
    work: WorkArrays,
    at: Numbers,
    found: Numbers,
) -> None:
    """Write the pairs (row, column, distance) within ``limit`` to ``found`` int64[room, 3].

    Rows ``span[0] ≤ i < span[1]`` of ``filters`` uint64[n, words] against all ``others``. What the
    tiles compare are the sketches; without a sketch they are the filters. ``weights``: set bits;
    ``limit`` int64[sums of weights]: the greatest distance of a hit; ``shares`` int64[2, weights]:
    limit[p + q] ≤ shares[0, p] + shares[1, q]. ``same``: both sides are one table, a pair counts
    once. ``work``: scratch, from :func:`workspace`.

    Stops when all is done, at[COLUMN] = len(others), or when ``found`` may not hold the hits of one
    more row tile; called again with room and the same ``at`` int64[4] it goes on.
    """
    words = sketches.shape[1]
    block, excess, rows, bound, masks = work
    while at[COLUMN] < len(others):
        first = at[COLUMN]
        last = min(first + BLOCK, len(others))
        _pack(other_sketches, first, last, block)
        _set_excess(other_weights, shares, first, last, excess)
        while at[ROW] < span[1]:
            if at[FOUND] + MOST_HITS > len(found):
                return
            i = at[ROW]
            _set_rows(i, span[1], words, weights, shares, rows, bound)
            begin = max(0, i + 1 - first) // COLUMNS * COLUMNS if same else 0
            for c in range(begin, last - first, COLUMNS):
                if paired:
                    hit = paired_hits(
                        sketches, rows, block, c * words, words, excess, c, bound, masks
                    )
                else:
                    hit = hits(sketches, rows, block, c * words, words, excess, c, bound, masks)
                if hit:
                    _check(
                        filters, others, weights, other_weights, limit, same,
                        i, first + c, masks, at, found,
                    )  # fmt: skip
            at[ROW] += ROWS
        at[COLUMN], at[ROW] = last, span[0]


@inlined
def _pack(sketches: Words, first: int, last: int, block: Words) -> None:
    """Copy sketches ``first ≤ j < last``, 8 records interleaved."""
    words = sketches.shape[1]
    for j in range(first, last):
        base = ((j - first) // LANES) * words * LANES + (j - first) % LANES
        for w in range(words):
            block[base + w * LANES] = sketches[j, w]


@inlined
def _set_excess(weights: Numbers, shares: Numbers, first: int, last: int, excess: Numbers) -> None:
    """By how much a column's distance may exceed its row's bound, below zero; never at the end."""
    for j in range(first, last):
        excess[j - first] = -shares[1, weights[j]]
    for c in range(last - first, BLOCK):
        excess[c] = _NEVER


@inlined
def _set_rows(
    i: int, end: int, words: int, weights: Numbers, shares: Numbers, rows: Numbers, bound: Numbers
) -> None:
    """Where the rows of the tile begin, and their bounds; rows past the end never hit."""
    for r in range(ROWS):
        row = min(i + r, end - 1)
        rows[r] = row * words
        bound[r] = shares[0, weights[row]] if i + r < end else -_NEVER


@inlined
def _check(
    filters: Words,
    others: Words,
    weights: Numbers,
    other_weights: Numbers,
    limit: Numbers,
    same: bool,
    i: int,
    column: int,
    masks: Numbers,
    at: Numbers,
    found: Numbers,
) -> None:
    """Compare the candidates of a tile in full and write the hits."""
    words = filters.shape[1]
    for r in range(ROWS):
        row, mask = i + r, masks[r]
        while mask:
            j = column + lowest(mask)
            mask &= mask - 1
            if same and j <= row:
                continue
            at[CHECKED] += 1
            distance = hamming(filters, row * words, others, j * words, words)
            if distance <= limit[weights[row] + other_weights[j]]:
                k = at[FOUND]
                found[k, 0], found[k, 1], found[k, 2] = row, j, distance
                at[FOUND] = k + 1


@lean_kernel
def closest(
    filters: Words,
    others: Words,
    weights: Numbers,
    other_weights: Numbers,
    shares: Numbers,
    limit: Numbers,
    slope: float,
    span: tuple[int, int],
    work: WorkArrays,
    best: Reals,
    best_column: Numbers,
) -> None:
    """Keep for each row of a range the columns within ``limit`` whose Dice is highest.

    ``best`` float64[n, k], descending, and ``best_column`` int64[n, k], -1 where there is none; of
    equals the first column is ahead. Once a row has k columns, its bound shrinks to what would
    still push one out. ``slope``: of the rule, a float not below it.
    """
    block, excess, rows, bound, masks = work
    words = filters.shape[1]
    for first in range(0, len(others), BLOCK):
        last = min(first + BLOCK, len(others))
        _pack(others, first, last, block)
        _set_excess(other_weights, shares, first, last, excess)
        lightest, heaviest = _extremes(other_weights, first, last)
        for i in range(span[0], span[1], ROWS):
            _set_rows(i, span[1], words, weights, shares, rows, bound)
            _tighten(i, span[1], weights, slope, lightest, heaviest, best, best_column, bound)
            for c in range(0, last - first, COLUMNS):
                if hits(filters, rows, block, c * words, words, excess, c, bound, masks):
                    _take(
                        filters, others, weights, other_weights, limit,
                        i, first + c, masks, best, best_column,
                    )  # fmt: skip


@inlined
def _extremes(weights: Numbers, first: int, last: int) -> tuple[int, int]:
    """The least and the greatest weight of columns."""
    lightest, heaviest = weights[first], weights[first]
    for j in range(first, last):
        lightest, heaviest = min(lightest, weights[j]), max(heaviest, weights[j])
    return lightest, heaviest


@inlined
def _tighten(
    i: int,
    end: int,
    weights: Numbers,
    slope: float,
    lightest: int,
    heaviest: int,
    best: Reals,
    best_column: Numbers,
    bound: Numbers,
) -> None:
    """Shrink the bounds of rows that are full.

    A column of weight q enters a row of weight p with distance d ≤ u (p + q), u = 1 - the least
    Dice kept, so that d plus its excess, at most d - slope q, is at most u p + (u - slope) q. That
    is greatest at one end of q. One more makes up for rounding: this spares work, it decides
    nothing.
    """
    k = best.shape[1] - 1
    for r in range(min(ROWS, end - i)):
        if best_column[i + r, k] >= 0:
            unlike = 1.0 - best[i + r, k]
            most = max((unlike - slope) * lightest, (unlike - slope) * heaviest)
            bound[r] = min(bound[r], int(unlike * weights[i + r] + most) + 1)


@inlined
def _take(
    filters: Words,
    others: Words,
    weights: Numbers,
    other_weights: Numbers,
    limit: Numbers,
    i: int,
    column: int,
    masks: Numbers,
    best: Reals,
    best_column: Numbers,
) -> None:
    """Compare the candidates of a tile in full and keep those that are better than what is kept.

    Two quotients of whole numbers below 2²⁶ are equal as doubles only if they are equal: comparing
    doubles decides here as whole numbers would.
    """
    words, last = filters.shape[1], best.shape[1]
    for r in range(ROWS):
        row, mask = i + r, masks[r]
        while mask:
            j = column + lowest(mask)
            mask &= mask - 1
            distance = hamming(filters, row * words, others, j * words, words)
            both = weights[row] + other_weights[j]
            if distance > limit[both]:
                continue
            dice = (both - distance) / both if both > 0 else 0.0
            k = last
            while k > 0 and (best_column[row, k - 1] < 0 or dice > best[row, k - 1]):
                k -= 1
            for n in range(last - 1, k, -1):
                best[row, n] = best[row, n - 1]
                best_column[row, n] = best_column[row, n - 1]
            if k < last:
                best[row, k], best_column[row, k] = dice, j
