"""Numba kernels of the filter passes: compare the rows of a bucket, screen, score.

Both sides come sorted by bucket. Within a bucket, provider rows are copied in blocks into a scratch
in which 8 records lie side by side, so that one vector lane is one record and no horizontal sum is
needed. Every kernel releases the GIL and works on a bucket range, so threads share no output rows.
:mod:`padan_linkage.matching.reference` says the same in plain NumPy, and the same tests run both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.extending import intrinsic

LANES = 8
#: Provider rows in the scratch at a time: 512 rows of 1536 bits fill 96 KiB.
BLOCK = 512


@intrinsic
def _popcount(_context: Any, word: Any) -> Any:
    """Set bits of a uint64, as int64 (LLVM ctpop)."""

    def codegen(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


def _lanes_of(words: int) -> Any:
    """An intrinsic that adds the distances of ``words`` words in all lanes to ``out[0:8]``."""

    @intrinsic
    def add_distances(ctx: Any, a: Any, i: Any, b: Any, j: Any, out: Any) -> Any:
        """``out[l] += Σ_w popcount(a[i + w] ^ b[j + 8w + l])``; arrays 1-D, contiguous."""

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            lane = ir.VectorType(ir.IntType(64), LANES)
            count = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(lane, [lane]), f"llvm.ctpop.v{LANES}i64"
            )
            data = [
                context.make_array(sig.args[k])(context, builder, args[k]).data for k in (0, 2, 4)
            ]
            target = builder.bitcast(data[2], lane.as_pointer())
            total = builder.load(target, align=8)
            for w in range(words):
                at = builder.add(args[1], ir.Constant(ir.IntType(64), w))
                word = builder.load(builder.gep(data[0], [at]), align=8)
                spread = builder.insert_element(
                    ir.Constant(lane, ir.Undefined), word, ir.Constant(ir.IntType(32), 0)
                )
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
                spread = builder.shuffle_vector(spread, spread, zeros)
                at = builder.add(args[3], ir.Constant(ir.IntType(64), w * LANES))
                pointer = builder.bitcast(builder.gep(data[1], [at]), lane.as_pointer())
                mixed = builder.xor(spread, builder.load(pointer, align=8))
                total = builder.add(total, builder.call(count, [mixed]))
            builder.store(total, target, align=8)
            return context.get_dummy_value()

        return types.void(a, types.int64, b, types.int64, out), codegen

    return add_distances


_add_8 = _lanes_of(8)
_add_1 = _lanes_of(1)


@njit(inline="always")
def _segment(a: Any, i: int, b: Any, j: int, words: int, out: Any) -> None:
    """Distances of one segment in all lanes into ``out``."""
    for lane in range(LANES):
        out[lane] = 0
    w = 0
    while w + 8 <= words:
        _add_8(a, i + w, b, j + w * LANES, out)
        w += 8
    while w < words:
        _add_1(a, i + w, b, j + w * LANES, out)
        w += 1


@njit(cache=True, nogil=True)
def _statistics(a, row, scratch, group, plan, half, scale, space, stat):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Screen statistic of one requester row and 8 provider rows into ``stat``: float64[8]."""
    seg_start, seg_words, pairs, alignments, words = plan
    hamming, square = space
    for k in range(len(pairs)):
        s, o = pairs[k]
        at = group + seg_start[o] * LANES
        _segment(a, row + seg_start[s], scratch, at, seg_words[s], hamming)
        for lane in range(LANES):
            d = max(half[s] - hamming[lane], 0.0)
            square[k, lane] = d * d * scale[s]
    for lane in range(LANES):
        stat[lane] = 0.0
    for n in range(len(alignments)):
        for lane in range(LANES):
            total = 0.0
            for s in range(len(seg_start)):
                total += square[alignments[n, s], lane]
            stat[lane] = max(stat[lane], total)


@njit(cache=True, nogil=True)
def _fill_scratch(filters, order, first, last, words, scratch):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Copy rows ``order[first:last]`` of the provider, 8 records interleaved."""
    for k in range(first, last):
        base = ((k - first) // LANES) * words * LANES + (k - first) % LANES
        row = order[k] * words
        for w in range(words):
            scratch[base + w * LANES] = filters[row + w]


@njit(inline="always")
def _has(mask: Any, segment: int) -> bool:
    """Whether the presence mask has the segment."""
    return bool((mask >> np.uint64(segment)) & np.uint64(1))


@njit(cache=True, nogil=True)
def _pair_features(a, row, a_mask, b, col, b_mask, plan, half, distance, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Features of one pair into ``out``: int32; -1 where a side is missing.

    The best alignment has the least sum of distance - m/2 over what both sides have; the first of
    equals. ``distance``: int64[pairs], scratch.
    """
    seg_start, seg_words, pairs, alignments, words = plan
    for k in range(len(pairs)):
        s, o = pairs[k]
        distance[k] = -1
        if _has(a_mask, s) and _has(b_mask, o):
            total = 0
            for w in range(seg_words[s]):
                total += _popcount(a[row + seg_start[s] + w] ^ b[col + seg_start[o] + w])
            distance[k] = total
    chosen, least = 0, np.inf
    for n in range(len(alignments)):
        total = 0.0
        for s in range(len(seg_start)):
            if distance[alignments[n, s]] >= 0:
                total += distance[alignments[n, s]] - half[s]
        if total < least:
            chosen, least = n, total
    for s in range(len(seg_start)):
        out[s] = distance[alignments[chosen, s]]
    if len(alignments) > 1:
        out[len(seg_start)] = 1 if chosen > 0 else 0


@njit(cache=True, nogil=True)
def sweep(  # type: ignore[no-untyped-def]  # noqa: ANN201, C901, PLR0912 -- one loop nest, read as one
    provider,  # noqa: ANN001
    requester,  # noqa: ANN001
    same_table,  # noqa: ANN001
    plan,  # noqa: ANN001
    screen,  # noqa: ANN001
    scores,  # noqa: ANN001
    buckets,  # noqa: ANN001
    count,  # noqa: ANN001
    offset,  # noqa: ANN001
    found,  # noqa: ANN001
    best_score,  # noqa: ANN001
    best_row,  # noqa: ANN001
):
    """Compare all pairs that share a bucket in ``buckets[0] ≤ bucket < buckets[1]``.

    ``provider``, ``requester``: (filters uint64[rows * words], mask uint64[rows] or [0],
    order int64[rows in play], start int64[buckets + 1]); ``screen``: (half, scale, cut);
    ``scores``: float32[features, m + 1], evidence by distance (missing is 0).
    Outputs, by position in the requester's order: ``count`` int64, survivors of the screen;
    with ``found`` = (rows int64[n], hamming int32[n, features]) of length > 0 every survivor is
    written from ``offset`` on; with ``best_score`` float32[n, keep] of length > 0 the highest
    evidences (without the terms that all candidates of a row share) and their rows.
    """
    p_filters, p_mask, p_order, p_start = provider
    r_filters, r_mask, r_order, r_start = requester
    half, scale, cut = screen
    words = plan[4]
    features = len(half) + (1 if len(plan[3]) > 1 else 0)
    found_rows, found_hamming = found
    scratch = np.zeros(BLOCK * words, dtype=np.uint64)
    space = (np.zeros(LANES, dtype=np.int64), np.zeros((len(plan[2]), LANES), dtype=np.float64))
    distance = np.zeros(len(plan[2]), dtype=np.int64)
    stat = np.zeros(LANES, dtype=np.float64)
    hamming = np.zeros(features, dtype=np.int32)
    everything = ~np.uint64(0)
    for bucket in range(buckets[0], buckets[1]):
        if r_start[bucket] == r_start[bucket + 1]:
            continue
        for first in range(p_start[bucket], p_start[bucket + 1], BLOCK):
            last = min(first + BLOCK, p_start[bucket + 1])
            _fill_scratch(p_filters, p_order, first, last, words, scratch)
            for i in range(r_start[bucket], r_start[bucket + 1]):
                mine = r_order[i]
                for group in range(first, last, LANES):
                    at = (group - first) * words
                    _statistics(
                        r_filters, mine * words, scratch, at, plan, half, scale, space, stat
                    )
                    for lane in range(min(LANES, last - group)):
                        if stat[lane] < cut:
                            continue
                        other = p_order[group + lane]
                        if same_table and other == mine:
                            continue
                        count[i] += 1
                        if len(found_rows) == 0 and len(best_score) == 0:
                            continue
                        a_mask = r_mask[mine] if len(r_mask) else everything
                        b_mask = p_mask[other] if len(p_mask) else everything
                        _pair_features(
                            r_filters, mine * words, a_mask,
                            p_filters, other * words, b_mask, plan, half, distance, hamming,
                        )  # fmt: skip
                        if len(found_rows):
                            k = offset[i] + count[i] - 1
                            found_rows[k] = other
                            found_hamming[k] = hamming
                        if len(best_score):
                            evidence = np.float32(0)
                            for f in range(features):
                                if hamming[f] >= 0:
                                    evidence += scores[f, hamming[f]]
                            _keep(best_score[i], best_row[i], evidence, other)


@njit(cache=True, nogil=True)
def _keep(scores, rows, score, row):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
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
