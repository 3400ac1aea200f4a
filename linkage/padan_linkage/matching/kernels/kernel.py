"""Numba kernels of the filter passes: compare the rows of a bucket, screen, score.

Both sides come sorted by bucket. Within a bucket the provider's rows are copied in blocks, eight
records side by side, and the requester's rows go over them four at a time
(:mod:`padan_linkage.matching.kernels.tile`). Pairs that pass the screen are noted, and a second
loop makes features and scores of the notes: the first one then is nothing but comparing.
The kernel releases the GIL and works on a bucket range, so threads share no output rows.
The tests say the same in plain NumPy (``tests/support/plain_sweep.py``) and run both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.jit import inlined, lean_kernel
from padan_linkage.compiled.lanes import LANES, LINE_WORDS, lowest, prefetch
from padan_linkage.matching.kernels.tile import COLUMNS, FLAGS, PAIRS, ROWS, measure, reaching

#: Provider rows in the scratch at a time: 512 rows of 1536 bits fill 96 KiB of the second cache.
BLOCK = 512
#: Pairs that a row tile may note in one block.
NOTES = ROWS * BLOCK
#: Rows that memory is asked for ahead of their use: sorted by bucket, they lie anywhere in a table.
_AHEAD = 32

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]
Scores = NDArray[np.float32]

#: filters uint64[rows * words], mask uint64[rows] or [0], order int64[n], start int64[buckets + 1]
SideArrays = tuple[Words, Words, Numbers, Numbers]
#: seg_start, seg_words int64[segments], pairs int64[k, 2], alignments int64[n, segments], words
PlanArrays = tuple[Numbers, Numbers, Numbers, Numbers, int]
#: half and scale float64[segments], limit int64[segments], cut
ScreenArrays = tuple[Reals, Reals, Numbers, float]
#: count, offset int64[n]; found rows int64[k], found values int32[k, features]; scores
#: float32[features, m + 1]; best scores float32[n, keep], best rows int64[n, keep]
OutArrays = tuple[Numbers, Numbers, Numbers, NDArray[np.int32], Scores, Scores, Numbers]
#: Scratch. Block uint64[BLOCK * words]; of a tile apart int64[k * PAIRS], least int64[k * LANES]
#: and rows int64[ROWS]; notes int64[NOTES, 2 + k], positions in the requester's order and the
#: provider's and k distances; of one noted pair values int32[features]
WorkArrays = tuple[Words, Numbers, Numbers, Numbers, Numbers, NDArray[np.int32]]


@lean_kernel
def sweep(
    provider: SideArrays,
    requester: SideArrays,
    same_table: bool,
    plan: PlanArrays,
    screen: ScreenArrays,
    out: OutArrays,
    work: WorkArrays,
    buckets: tuple[int, int],
) -> None:
    """Compare all pairs that share a bucket in ``buckets[0] ≤ bucket < buckets[1]``.

    Outputs go by position in the requester's order. ``count``: survivors of the screen. Where
    "found" has room, every survivor is written there from ``offset`` on; where "best" has room, the
    highest evidences and their rows are kept. With ``same_table`` a row does not meet itself.
    """
    block, apart, least, rows, notes, values = work
    filters, order, start = requester[0], requester[2], requester[3]
    others, other_order, other_start = provider[0], provider[2], provider[3]
    seg_start, seg_words, pairs, alignments, words = plan
    half, scale, limit, cut = screen
    for bucket in range(buckets[0], buckets[1]):
        begin, end = start[bucket], start[bucket + 1]
        if begin == end:
            continue
        for first in range(other_start[bucket], other_start[bucket + 1], BLOCK):
            last = min(first + BLOCK, other_start[bucket + 1])
            _fill(others, other_order, first, last, words, block)
            for i in range(begin, end, ROWS):
                _set_rows(filters, order, i, end, words, rows)
                noted = 0
                for c in range(first, last, COLUMNS):
                    if _near(
                        filters, rows, block, (c - first) * words, words, seg_start, seg_words,
                        pairs, half, scale, limit, alignments, cut, apart, least,
                    ):  # fmt: skip
                        for part in range(PAIRS // FLAGS):
                            passed = reaching(
                                apart, half, scale, alignments, len(alignments), len(half), cut,
                                part,
                            )  # fmt: skip
                            noted = _note(
                                passed, part, i, end, c, last, apart, len(pairs), notes, noted
                            )
                _work_off(
                    provider, requester, same_table, pairs, alignments, half, out, notes, noted,
                    values,
                )  # fmt: skip


@inlined
def _fill(filters: Words, order: Numbers, first: int, last: int, words: int, block: Words) -> None:
    """Copy rows ``order[first:last]`` of the provider, 8 records interleaved."""
    for k in range(first, last):
        _ask_for(filters, order, k + _AHEAD, words)
        base = ((k - first) // LANES) * words * LANES + (k - first) % LANES
        row = order[k] * words
        for w in range(words):
            block[base + w * LANES] = filters[row + w]


@inlined
def _set_rows(filters: Words, order: Numbers, i: int, end: int, words: int, rows: Numbers) -> None:
    """Where the filters of the tile's rows begin; the last one stands in for those past the end."""
    for r in range(ROWS):
        _ask_for(filters, order, i + r + _AHEAD, words)
        rows[r] = order[min(i + r, end - 1)] * words


@inlined
def _ask_for(filters: Words, order: Numbers, k: int, words: int) -> None:
    """Have memory send row ``order[k]``."""
    if k < len(order):
        for w in range(0, words, LINE_WORDS):
            prefetch(filters, order[k] * words + w)


@inlined
def _near(
    filters: Words,
    rows: Numbers,
    block: Words,
    at: int,
    words: int,
    seg_start: Numbers,
    seg_words: Numbers,
    pairs: Numbers,
    half: Reals,
    scale: Reals,
    limit: Numbers,
    alignments: Numbers,
    cut: float,
    apart: Numbers,
    least: Numbers,
) -> bool:
    """Measure a tile; whether any of its pairs may pass the screen, which hardly any tile's does.

    Whole numbers decide first: what comes of a tile late keeps the next one from beginning.
    """
    near = False
    for k in range(len(pairs)):
        s, o = pairs[k, 0], pairs[k, 1]
        near |= measure(
            filters, rows, seg_start[s], block, at + seg_start[o] * LANES, words * LANES,
            seg_words[s], limit[s], apart, least, k,
        )  # fmt: skip
    return near and (len(pairs) == 1 or _bound(least, half, scale, alignments) >= cut)


@inlined
def _bound(least: Numbers, half: Reals, scale: Reals, alignments: Numbers) -> float:
    """The statistic of a pair that had a tile's least distance everywhere: no pair's is higher.

    Rounding takes nothing from that, as all is added in the order of the pairs' own sums.
    """
    most = 0.0
    for a in range(len(alignments)):
        total = 0.0
        for s in range(len(half)):
            below = max(half[s] - _least(least, alignments[a, s]), 0.0)
            total += below * below * scale[s]
        most = max(most, total)
    return most


@inlined
def _least(least: Numbers, k: int) -> int:
    """The least distance of a tile in segment pair k."""
    found: int = least[k * LANES]
    for lane in range(1, LANES):
        found = min(found, least[k * LANES + lane])
    return found


@inlined
def _note(
    passed: int,
    part: int,
    i: int,
    end: int,
    c: int,
    last: int,
    apart: Numbers,
    pairs: int,
    notes: Numbers,
    noted: int,
) -> int:
    """Note the pairs of a tile's part that passed; leaves out rows and columns not there."""
    while passed:
        pair = part * FLAGS + lowest(passed)
        passed &= passed - 1
        row, column = i + pair // COLUMNS, c + pair % COLUMNS
        if row < end and column < last:
            notes[noted, 0], notes[noted, 1] = row, column
            for k in range(pairs):
                notes[noted, 2 + k] = apart[k * PAIRS + pair]
            noted += 1
    return noted


@inlined
def _work_off(
    provider: SideArrays,
    requester: SideArrays,
    same_table: bool,
    pairs: Numbers,
    alignments: Numbers,
    half: Reals,
    out: OutArrays,
    notes: Numbers,
    noted: int,
    values: NDArray[np.int32],
) -> None:
    """Count the noted pairs, and hand them on where somebody wants them."""
    mask, order = requester[1], requester[2]
    other_mask, other_order = provider[1], provider[2]
    count, offset, found_rows, found_values, scores, best_score, best_row = out
    wanted = len(found_rows) > 0 or len(best_score) > 0
    for n in range(noted):
        i, mine, other = notes[n, 0], order[notes[n, 0]], other_order[notes[n, 1]]
        if same_table and mine == other:
            continue
        count[i] += 1
        if not wanted:
            continue
        distance = notes[n, 2:]
        for k in range(len(pairs)):
            if not (_has(mask, mine, pairs[k, 0]) and _has(other_mask, other, pairs[k, 1])):
                distance[k] = -1
        _features(distance, alignments, half, values)
        if len(found_rows):
            at = offset[i] + count[i] - 1
            found_rows[at] = other
            for f in range(len(values)):
                found_values[at, f] = values[f]
        if len(best_score):
            _keep(best_score, best_row, i, _evidence(scores, values), other)


@inlined
def _has(mask: Words, row: int, segment: int) -> bool:
    """Whether the row has the segment; without masks, every row has all."""
    return len(mask) == 0 or ((mask[row] >> np.uint64(segment)) & np.uint64(1)) == np.uint64(1)


@inlined
def _features(
    distance: Numbers, alignments: Numbers, half: Reals, values: NDArray[np.int32]
) -> None:
    """Features of a pair; -1 where a side is missing.

    The best alignment has the least sum of distance - m/2 over what both sides have; the first of
    equals.
    """
    chosen, least = 0, np.inf
    for a in range(len(alignments)):
        total = 0.0
        for s in range(alignments.shape[1]):
            if distance[alignments[a, s]] >= 0:
                total += distance[alignments[a, s]] - half[s]
        if total < least:
            chosen, least = a, total
    for s in range(alignments.shape[1]):
        values[s] = distance[alignments[chosen, s]]
    if len(alignments) > 1:
        values[alignments.shape[1]] = 1 if chosen > 0 else 0


@inlined
def _evidence(scores: Scores, values: NDArray[np.int32]) -> np.float32:
    """Sum of the scores of the features that both sides have."""
    total = np.float32(0)
    for f in range(len(values)):
        if values[f] >= 0:
            total += scores[f, values[f]]
    return total


@inlined
def _keep(scores: Scores, rows: Numbers, i: int, score: np.float32, row: int) -> None:
    """Insert into row i's highest scores, highest first; on a tie the earlier one stays ahead."""
    last = scores.shape[1]
    k = last
    while k > 0 and (rows[i, k - 1] < 0 or score > scores[i, k - 1]):
        k -= 1
    for j in range(last - 1, k, -1):
        scores[i, j] = scores[i, j - 1]
        rows[i, j] = rows[i, j - 1]
    if k < last:
        scores[i, k] = score
        rows[i, k] = row
