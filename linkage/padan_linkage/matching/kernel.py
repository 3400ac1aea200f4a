"""Numba kernels of the filter passes: compare the rows of a bucket, screen, score.

Both sides come sorted by bucket. Within a bucket, provider rows are copied in blocks into a scratch
in which 8 records lie side by side, so that one vector lane is one record and no horizontal sum is
needed. The kernel releases the GIL and works on a bucket range, so threads share no output rows.
:mod:`padan_linkage.matching.reference` says the same in plain NumPy, and the same tests run both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_linkage.jit import helper, inlined, kernel
from padan_linkage.matching.lanes import (
    LANES,
    add_distances_1,
    add_distances_8,
    add_reals,
    popcount,
    put_squares,
    reaching,
)

#: Provider rows in the scratch at a time: 512 rows of 1536 bits fill 96 KiB.
BLOCK = 512
_CHUNK = 8

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]

#: filters uint64[rows * words], mask uint64[rows] or [0], order int64[n], start int64[buckets + 1]
SideArrays = tuple[Words, Words, Numbers, Numbers]
#: seg_start, seg_words int64[segments], pairs int64[k, 2], alignments int64[n, segments], words
PlanArrays = tuple[Numbers, Numbers, Numbers, Numbers, int]
#: half and scale float64[segments], cut
ScreenArrays = tuple[Reals, Reals, float]
#: count, offset int64[n]; found rows int64[k], found values int32[k, features]; scores
#: float32[features, m + 1]; best scores float32[n, keep], best rows int64[n, keep]
OutArrays = tuple[
    Numbers, Numbers, Numbers, NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], Numbers
]
#: scratch of one call: block, distances a lane, squares a pair and lane, statistic a lane,
#: distances a pair, features of one pair
Work = tuple[Words, Numbers, Reals, Reals, Numbers, NDArray[np.int32]]


@kernel
def sweep(
    provider: SideArrays,
    requester: SideArrays,
    same_table: bool,
    plan: PlanArrays,
    screen: ScreenArrays,
    out: OutArrays,
    buckets: tuple[int, int],
) -> None:
    """Compare all pairs that share a bucket in ``buckets[0] ≤ bucket < buckets[1]``.

    Outputs go by position in the requester's order. ``count``: survivors of the screen. Where
    "found" has room, every survivor is written there from ``offset`` on; where "best" has room, the
    highest evidences and their rows are kept. With ``same_table`` a row does not meet itself.
    """
    starts, others = requester[3], provider[3]
    work = _work(plan)
    for bucket in range(buckets[0], buckets[1]):
        if starts[bucket] == starts[bucket + 1]:
            continue
        for first in range(others[bucket], others[bucket + 1], BLOCK):
            last = min(first + BLOCK, others[bucket + 1])
            _fill(provider[0], provider[2], first, last, plan[4], work[0])
            for i in range(starts[bucket], starts[bucket + 1]):
                _row(provider, requester, same_table, plan, screen, out, i, (first, last), work)


@helper
def _work(plan: PlanArrays) -> Work:
    """Fresh scratch space."""
    features = plan[3].shape[1] + (1 if len(plan[3]) > 1 else 0)
    return (
        np.zeros(BLOCK * plan[4], np.uint64),
        np.zeros(LANES, np.int64),
        np.zeros(len(plan[2]) * LANES, np.float64),
        np.zeros(LANES, np.float64),
        np.zeros(len(plan[2]), np.int64),
        np.zeros(features, np.int32),
    )


@helper
def _fill(filters: Words, order: Numbers, first: int, last: int, words: int, block: Words) -> None:
    """Copy rows ``order[first:last]`` of the provider, 8 records interleaved."""
    for k in range(first, last):
        base = ((k - first) // LANES) * words * LANES + (k - first) % LANES
        row = order[k] * words
        for w in range(words):
            block[base + w * LANES] = filters[row + w]


@helper
def _row(
    provider: SideArrays,
    requester: SideArrays,
    same_table: bool,
    plan: PlanArrays,
    screen: ScreenArrays,
    out: OutArrays,
    i: int,
    span: tuple[int, int],
    work: Work,
) -> None:
    """One requester row against the provider rows in the block."""
    first, last = span
    seg_start, seg_words, pairs, alignments, words = plan
    half, scale, cut = screen
    block, hamming, square, statistic, _, _ = work
    filters, order = requester[0], provider[2]
    mine = requester[2][i]
    row = mine * words
    for group in range(first, last, LANES):
        at = (group - first) * words
        for k in range(len(pairs)):
            s, o = pairs[k, 0], pairs[k, 1]
            start = at + seg_start[o] * LANES
            _segment(filters, row + seg_start[s], block, start, seg_words[s], hamming)
            put_squares(hamming, half[s], scale[s], square, k * LANES)
        passing = 0
        for n in range(len(alignments)):
            for lane in range(LANES):
                statistic[lane] = 0.0
            for s in range(alignments.shape[1]):
                add_reals(square, alignments[n, s] * LANES, statistic, 0)
            passing |= reaching(statistic, 0, cut)
        if passing == 0:
            continue
        for lane in range(min(LANES, last - group)):
            if (passing >> lane) & 1 and not (same_table and order[group + lane] == mine):
                _survivor(provider, requester, plan, half, out, i, order[group + lane], work)


@helper
def _survivor(
    provider: SideArrays,
    requester: SideArrays,
    plan: PlanArrays,
    half: Reals,
    out: OutArrays,
    i: int,
    other: int,
    work: Work,
) -> None:
    """Count a pair that passed the screen, and hand it on where somebody wants it."""
    out[0][i] += 1
    if len(out[2]) or len(out[5]):
        _features(provider, requester, plan, half, requester[2][i], other, work)
        _write(out, i, other, work[5])


@inlined
def _segment(a: Words, i: int, block: Words, j: int, words: int, hamming: Numbers) -> None:
    """Distances of one segment in all lanes."""
    for lane in range(LANES):
        hamming[lane] = 0
    w = 0
    while w + _CHUNK <= words:
        add_distances_8(a, i + w, block, j + w * LANES, hamming)
        w += _CHUNK
    while w < words:
        add_distances_1(a, i + w, block, j + w * LANES, hamming)
        w += 1


@helper
def _features(
    provider: SideArrays,
    requester: SideArrays,
    plan: PlanArrays,
    half: Reals,
    mine: int,
    other: int,
    work: Work,
) -> None:
    """Features of one pair; -1 where a side is missing.

    The best alignment has the least sum of distance - m/2 over what both sides have; the first of
    equals.
    """
    alignments = plan[3]
    distance, values = work[4], work[5]
    _distances(provider, requester, plan, mine, other, distance)
    chosen, least = 0, np.inf
    for n in range(len(alignments)):
        total = 0.0
        for s in range(alignments.shape[1]):
            if distance[alignments[n, s]] >= 0:
                total += distance[alignments[n, s]] - half[s]
        if total < least:
            chosen, least = n, total
    for s in range(alignments.shape[1]):
        values[s] = distance[alignments[chosen, s]]
    if len(alignments) > 1:
        values[alignments.shape[1]] = 1 if chosen > 0 else 0


@helper
def _distances(
    provider: SideArrays,
    requester: SideArrays,
    plan: PlanArrays,
    mine: int,
    other: int,
    distance: Numbers,
) -> None:
    """Distance of every segment pair, -1 where a side is missing."""
    seg_start, seg_words, pairs, _, words = plan
    for k in range(len(pairs)):
        s, o = pairs[k, 0], pairs[k, 1]
        distance[k] = -1
        if _has(requester[1], mine, s) and _has(provider[1], other, o):
            i, j = mine * words + seg_start[s], other * words + seg_start[o]
            total = 0
            for w in range(seg_words[s]):
                total += popcount(requester[0][i + w] ^ provider[0][j + w])
            distance[k] = total


@inlined
def _has(mask: Words, row: int, segment: int) -> bool:
    """Whether the row has the segment; without masks, every row has all."""
    return len(mask) == 0 or ((mask[row] >> np.uint64(segment)) & np.uint64(1)) == np.uint64(1)


@helper
def _write(out: OutArrays, i: int, other: int, values: NDArray[np.int32]) -> None:
    """Hand one survivor on."""
    count, offset, found_rows, found_values, scores, best_score, best_row = out
    if len(found_rows):
        k = offset[i] + count[i] - 1
        found_rows[k] = other
        found_values[k] = values
    if len(best_score):
        evidence = np.float32(0)
        for f in range(len(values)):
            if values[f] >= 0:
                evidence += scores[f, values[f]]
        _keep(best_score[i], best_row[i], evidence, other)


@helper
def _keep(scores: NDArray[np.float32], rows: Numbers, score: np.float32, row: int) -> None:
    """Insert into the highest scores, highest first; on a tie the earlier row stays ahead."""
    k = len(scores)
    while k > 0 and (rows[k - 1] < 0 or score > scores[k - 1]):
        k -= 1
    if k == len(scores):
        return
    for j in range(len(scores) - 1, k, -1):
        scores[j] = scores[j - 1]
        rows[j] = rows[j - 1]
    scores[k] = score
    rows[k] = row
