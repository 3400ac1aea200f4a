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
