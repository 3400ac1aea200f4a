"""The matcher's sweep in plain NumPy: slow, obvious, and what the kernel must give to the bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.scoring.features import FeaturePlan
from padan_linkage.matching.sides import FilterSide, Screen, Sweep

Rows = NDArray[np.int64]


def sweep(
    plan: FeaturePlan,
    provider: FilterSide,
    requester: FilterSide,
    screen: Screen,
    out: Sweep,
    buckets: tuple[int, int],
) -> None:
    """As :func:`padan_linkage.matching.kernels.kernel.sweep`, one requester row at a time."""
    for bucket in range(*buckets):
        others = provider.order[provider.start[bucket] : provider.start[bucket + 1]]
        for i in range(requester.start[bucket], requester.start[bucket + 1]):
            mine = requester.order[i]
            candidates = others[others != mine] if out.same_table else others
            distance = _distances(plan, requester, mine, provider, candidates)
            kept = _statistic(plan, screen, distance) >= screen.cut
            out.count[i] = int(kept.sum())
            present = _present(plan, requester, mine, provider, candidates[kept])
            features = _features(plan, np.where(present, distance[kept], -1))
            _emit(out, i, candidates[kept], features)


def statistics(
    plan: FeaturePlan, provider: FilterSide, requester: FilterSide, screen: Screen
) -> NDArray[np.float64]:
    """The screen statistic of every pair that shares a bucket, float64[n]."""
    found = []
    for bucket in range(len(requester.start) - 1):
        others = provider.order[provider.start[bucket] : provider.start[bucket + 1]]
        for mine in requester.order[requester.start[bucket] : requester.start[bucket + 1]]:
            distance = _distances(plan, requester, mine, provider, others)
            found.append(_statistic(plan, screen, distance))
    return np.concatenate(found)


def _distances(
    plan: FeaturePlan, requester: FilterSide, mine: int, provider: FilterSide, others: Rows
) -> NDArray[np.int64]:
    """Distances of one row to others by segment pair, int64[n, pairs]."""
    a = requester.filters.reshape(-1, plan.words)[mine]
    b = provider.filters.reshape(-1, plan.words)[others]
    columns = []
    for s, o in plan.pairs:
        left = a[plan.seg_start[s] :][: plan.seg_words[s]]
        right = b[:, plan.seg_start[o] :][:, : plan.seg_words[s]]
        columns.append(np.bitwise_count(left ^ right).sum(axis=1, dtype=np.int64))
    return np.stack(columns, axis=1)


def _statistic(
    plan: FeaturePlan, screen: Screen, distance: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The screen statistic, float64[n]: the best alignment's sum of squares below m/2."""
    best = np.zeros(len(distance))
    for alignment in plan.alignments:
        total = np.zeros(len(distance))
        for s, k in enumerate(alignment):
            below = np.maximum(screen.half[s] - distance[:, k], 0.0)
            total += below * below * screen.scale[s]
        best = np.maximum(best, total)
    return best


def _present(
    plan: FeaturePlan, requester: FilterSide, mine: int, provider: FilterSide, others: Rows
) -> NDArray[np.bool_]:
    """Whether both sides have the segments of each pair, bool[n, pairs]."""
    everything = ~np.uint64(0)
    a = requester.mask[mine] if len(requester.mask) else everything
    b = provider.mask[others] if len(provider.mask) else np.full(len(others), everything)
    one, segments = np.uint64(1), plan.pairs.astype(np.uint64)
    both: NDArray[np.uint64] = (a >> segments[:, 0]) & (b[:, None] >> segments[:, 1]) & one
    present: NDArray[np.bool_] = both == one
    return present


def _features(plan: FeaturePlan, distance: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distances in the best alignment and the trade, int64[n, features]; -1 where missing."""
    aligned = distance[:, plan.alignments]
    gain = np.where(aligned >= 0, aligned - plan.bits / 2, 0.0).sum(axis=2)
    chosen = gain.argmin(axis=1) if len(gain) else np.zeros(0, np.int64)
    features: NDArray[np.int64] = aligned[np.arange(len(distance)), chosen]
    if len(plan.alignments) == 1:
        return features
    return np.concatenate([features, (chosen > 0)[:, None]], axis=1)


def _emit(out: Sweep, i: int, rows: Rows, hamming: NDArray[np.int64]) -> None:
    """Write the survivors of one requester row where the sweep wants them."""
    if len(out.found_rows):
        at = slice(out.offset[i], out.offset[i] + len(rows))
        out.found_rows[at] = rows
        out.found_values[at] = hamming
    if len(out.best_score):
        evidence = np.zeros(len(rows), dtype=np.float32)
        for f in range(hamming.shape[1]):
            distance = hamming[:, f]
            evidence += np.where(
                distance >= 0, out.scores[f, np.maximum(distance, 0)], np.float32(0)
            )
        first = np.argsort(-evidence, kind="stable")[: out.best_score.shape[1]]
        out.best_score[i, : len(first)] = evidence[first]
        out.best_row[i, : len(first)] = rows[first]
