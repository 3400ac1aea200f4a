"""Features of listed pairs, after a sweep has found who is worth a closer look.

Spec: ``proto/spec/35-matching.md``, "Features".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.scoring.features import FeaturePlan
from padan_linkage.matching.sides import FilterSide

Rows = NDArray[np.int64]


def compare(
    plan: FeaturePlan, listed: FilterSide, mine: Rows, registry: FilterSide, theirs: Rows
) -> Rows:
    """Distances in the best alignment and the trade of each pair, int64[n, features]; -1: missing.

    ``mine``, ``theirs``: int64[n], table rows of the two sides.
    """
    a = listed.filters.reshape(-1, plan.words)[mine]
    b = registry.filters.reshape(-1, plan.words)[theirs]
    distance = np.stack([_distance(plan, a, b, s, o) for s, o in plan.pairs], axis=1)
    for column, (s, o) in enumerate(plan.pairs):
        there = _has(listed.mask, mine, s) & _has(registry.mask, theirs, o)
        distance[~there, column] = -1
    aligned: Rows = distance[:, plan.alignments]
    if len(plan.alignments) == 1:
        return aligned[:, 0]
    lost = np.where(aligned >= 0, aligned - plan.bits / 2, 0.0).sum(axis=2)
    chosen = lost.argmin(axis=1)
    features: Rows = aligned[np.arange(len(mine)), chosen]
    return np.concatenate([features, (chosen > 0)[:, None]], axis=1)


def _distance(
    plan: FeaturePlan, a: NDArray[np.uint64], b: NDArray[np.uint64], mine: int, theirs: int
) -> Rows:
    """Hamming distances of one segment of ``a`` and one of ``b``, int64[n]."""
    words = plan.seg_words[mine]
    left = a[:, plan.seg_start[mine] :][:, :words]
    right = b[:, plan.seg_start[theirs] :][:, :words]
    distance: Rows = np.bitwise_count(left ^ right).sum(axis=1, dtype=np.int64)
    return distance


def _has(mask: NDArray[np.uint64], rows: Rows, segment: int) -> NDArray[np.bool_]:
    """Which rows have the segment; without masks, all have."""
    if not len(mask):
        return np.ones(len(rows), np.bool_)
    present: NDArray[np.bool_] = (mask[rows] >> np.uint64(segment)) & np.uint64(1) == np.uint64(1)
    return present
