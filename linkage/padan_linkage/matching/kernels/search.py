"""Numba kernels of the search among all pairs: a block of columns, row tiles over it, exact checks.

:mod:`padan_linkage.matching.kernels.pairs` calls them, :mod:`padan_linkage.matching.reference`
says the same in plain NumPy. Arrays are passed one by one, not in tuples, whose members Numba
would count references of in the innermost loops.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.jit import inlined, lean_kernel
from padan_linkage.compiled.lanes import LINE_WORDS, hamming, lowest, prefetch
from padan_linkage.matching.kernels.tile import COLUMNS, ROWS, hits, paired_hits

#: Columns that all rows pass over at a time: 256 filters of 1024 bits fill 32 KiB and stay in the
#: nearest cache. A multiple of a tile's columns.
BLOCK = 256
#: Hits that one row tile can have in one block.
MOST_HITS = ROWS * BLOCK
#: Excess of a column that is not there, and bound of a row that is not there: they never hit.
NEVER = 1 << 40

#: Candidates that memory is asked for ahead of their turn.
_AHEAD = 16

#: Meaning of the entries of ``at``, the state of a search.
COLUMN, ROW, FOUND, CHECKED = 0, 1, 2, 3

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]


@lean_kernel
def search(
    filters: Words,
    others: Words,
    sketches: Words,
    columns: Words,
    weights: Numbers,
    other_weights: Numbers,
    bound: Numbers,
    excess: Numbers,
    limit: Numbers,
    same: bool,
    span: tuple[int, int],
    at: Numbers,
    found: Numbers,
) -> None:
    """Write the pairs (row, column, distance) within ``limit`` to ``found`` int64[room, 3].

    Rows ``span[0] ≤ i < span[1]`` of ``filters`` uint64[n, words] against all ``others``; a span
    begins and ends with a tile or with the table. What the tiles compare are the filters again: as
    rows in ``sketches``, side by side in ``columns`` (:func:`.lanes.side_by_side`). ``weights``:
    set bits; ``limit`` int64[sums of weights]: the greatest distance of a hit; ``bound`` of each
    row and ``excess`` of each column, with those that fill up a tile: limit[p + q] ≤ bound -
    excess.
    ``same``: both sides are one table, a pair counts once.

    Stops when all is done, at[COLUMN] = len(others), or when ``found`` may not hold the hits of one
    more row tile; called again with room and the same ``at`` int64[4] it goes on.
    """
    _search(
        hits, filters, others, sketches, columns, weights, other_weights, bound, excess, limit,
        same, span, at, found,
    )  # fmt: skip


@lean_kernel
def search_sketches(
    filters: Words,
    others: Words,
    sketches: Words,
    columns: Words,
    weights: Numbers,
    other_weights: Numbers,
    bound: Numbers,
    excess: Numbers,
    limit: Numbers,
    same: bool,
    span: tuple[int, int],
    at: Numbers,
    found: Numbers,
) -> None:
    """As :func:`search`; what the tiles compare are sketches of the filters, word pair by pair."""
    _search(
        paired_hits, filters, others, sketches, columns, weights, other_weights, bound, excess,
        limit, same, span, at, found,
    )  # fmt: skip


@inlined
def _search(
    tile: Callable[..., int],
    filters: Words,
    others: Words,
    sketches: Words,
    columns: Words,
    weights: Numbers,
    other_weights: Numbers,
    bound: Numbers,
    excess: Numbers,
    limit: Numbers,
    same: bool,
    span: tuple[int, int],
    at: Numbers,
    found: Numbers,
) -> None:
    """Both searches: block by block of columns, row tile by row tile.

    A tile's candidates are only noted, behind the hits that are sure: compared in full right there,
    each would stop the tiles for as long as memory takes to send its filters.
    """
    words, last_row = sketches.shape[1], len(sketches) - 1
    while at[COLUMN] < len(others):
        first = at[COLUMN]
        last = first + BLOCK
        if last > len(others):  # noqa: PLR1730 - min() would be compiled as a function of its own
            last = len(others)
        noted = at[FOUND]
        while at[ROW] < span[1] and noted + MOST_HITS <= len(found):
            i = at[ROW]
            begin = (i + 1) // COLUMNS * COLUMNS if same and i + 1 > first else first
            for c in range(begin, last, COLUMNS):
                pairs = tile(sketches, i, last_row, columns, c, words, excess, bound, i)
                while pairs:
                    pair = lowest(pairs)
                    pairs &= pairs - 1
                    found[noted, 0], found[noted, 1] = i + pair // COLUMNS, c + pair % COLUMNS
                    noted += 1
            at[ROW] += ROWS
        _check(filters, others, weights, other_weights, limit, same, noted, at, found)
        if at[ROW] >= span[1]:
            at[COLUMN], at[ROW] = last, span[0]
        elif at[FOUND] + MOST_HITS > len(found):
            return


@inlined
def _check(
    filters: Words,
    others: Words,
    weights: Numbers,
    other_weights: Numbers,
    limit: Numbers,
    same: bool,
    noted: int,
    at: Numbers,
    found: Numbers,
) -> None:
    """Compare in full what is noted from at[FOUND] on, and keep the hits."""
    words = filters.shape[1]
    for n in range(at[FOUND], noted):
        if n + _AHEAD < noted:
            for w in range(0, words, LINE_WORDS):
                prefetch(filters, found[n + _AHEAD, 0] * words + w)
                prefetch(others, found[n + _AHEAD, 1] * words + w)
        row, column = found[n, 0], found[n, 1]
        if same and column <= row:
            continue
        at[CHECKED] += 1
        distance = hamming(filters, row * words, others, column * words, words)
        if distance <= limit[weights[row] + other_weights[column]]:
            k = at[FOUND]
            found[k, 0], found[k, 1], found[k, 2] = row, column, distance
            at[FOUND] = k + 1


@lean_kernel
def closest(
    filters: Words,
    others: Words,
    columns: Words,
    weights: Numbers,
    other_weights: Numbers,
    bound: Numbers,
    excess: Numbers,
    limit: Numbers,
    slope: float,
    span: tuple[int, int],
    tight: Numbers,
    best: Reals,
    best_column: Numbers,
) -> None:
    """Keep for each row of a range the columns within ``limit`` whose Dice is highest.

    ``best`` float64[n, k], descending, and ``best_column`` int64[n, k], -1 where there is none; of
    equals the first column is ahead. Once a row has k columns, its bound shrinks to what would
    still push one out: ``tight`` int64[ROWS] is scratch for that. ``slope``: of the rule, a float
    not below it. All else as in :func:`search`.
    """
    words, last_row = filters.shape[1], len(filters) - 1
    for first in range(0, len(others), BLOCK):
        last = min(first + BLOCK, len(others))
        lightest, heaviest = _extremes(other_weights, first, last)
        for i in range(span[0], span[1], ROWS):
            _tighten(i, weights, slope, lightest, heaviest, best, best_column, bound, tight)
            for c in range(first, last, COLUMNS):
                pairs = hits(filters, i, last_row, columns, c, words, excess, tight, 0)
                while pairs:
                    pair = lowest(pairs)
                    pairs &= pairs - 1
                    _take(
                        filters, others, weights, other_weights, limit,
                        i + pair // COLUMNS, c + pair % COLUMNS, best, best_column,
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
    weights: Numbers,
    slope: float,
    lightest: int,
    heaviest: int,
    best: Reals,
    best_column: Numbers,
    bound: Numbers,
    tight: Numbers,
) -> None:
    """The bounds of a tile's rows, shrunk where a row is full.

    A column of weight q enters a row of weight p with distance d ≤ u (p + q), u = 1 - the least
    Dice kept, so that d plus its excess, at most d - slope q, is at most u p + (u - slope) q. That
    is greatest at one end of q. One more makes up for rounding: this spares work, it decides
    nothing.
    """
    k = best.shape[1] - 1
    for r in range(ROWS):
        tight[r] = bound[i + r]
        if i + r < len(best) and best_column[i + r, k] >= 0:
            unlike = 1.0 - best[i + r, k]
            most = max((unlike - slope) * lightest, (unlike - slope) * heaviest)
            tight[r] = min(tight[r], int(unlike * weights[i + r] + most) + 1)


@inlined
def _take(
    filters: Words,
    others: Words,
    weights: Numbers,
    other_weights: Numbers,
    limit: Numbers,
    row: int,
    column: int,
    best: Reals,
    best_column: Numbers,
) -> None:
    """Compare a candidate in full and keep it if it is better than what is kept.

    Two quotients of whole numbers below 2²⁶ are equal as doubles only if they are equal: comparing
    doubles decides here as whole numbers would.
    """
    words, last = filters.shape[1], best.shape[1]
    distance = hamming(filters, row * words, others, column * words, words)
    both = weights[row] + other_weights[column]
    if distance > limit[both]:
        return
    dice = (both - distance) / both if both > 0 else 0.0
    k = last
    while k > 0 and (best_column[row, k - 1] < 0 or dice > best[row, k - 1]):
        k -= 1
    for n in range(last - 1, k, -1):
        best[row, n] = best[row, n - 1]
        best_column[row, n] = best_column[row, n - 1]
    if k < last:
        best[row, k], best_column[row, k] = dice, column
