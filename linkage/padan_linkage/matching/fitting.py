"""Expectation-maximisation of m and ρ, and the threshold, against decoy strangers.

Spec: ``proto/spec/35-matching.md``, "Calibration" and "Threshold".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from padan_linkage.matching.calibration import (
    PRIOR_PAIRS,
    ROUNDS,
    Calibration,
    Float,
    Survivors,
    counts_by_level,
)


def fit(start: Calibration, asked: Survivors, decoys: Survivors) -> Calibration:
    """Estimate m and ρ of the asked rows, with ``start``'s u and λ held fixed.

    Deterministic. Rows of the provider asked of the provider (``decoys``) have no match, so what
    the expectation step credits to them is credited wrongly, and is subtracted in proportion.
    """
    features = len(start.m)
    now = start
    for _ in range(ROUNDS):
        right = posterior(now, asked)
        wrong = posterior(now, decoys)
        unmatched = asked.rows * (1 - now.match_rate)
        scale = unmatched / max(1, decoys.rows)
        found = float(right.sum()) - scale * float(wrong.sum())
        counts = counts_by_level(asked, right, features)
        counts -= scale * counts_by_level(decoys, wrong, features)
        m = np.maximum(counts, 0.0) + PRIOR_PAIRS * np.array(start.m)
        rate = np.clip((found + 0.5) / (asked.rows + 1), 0.5 / (asked.rows + 1), 0.98)
        now = replace(
            now,
            m=tuple(map(tuple, (m / m.sum(axis=1, keepdims=True)).tolist())),
            match_rate=float(rate),
            method="decoys",
        )
    return now


def posterior(calibration: Calibration, survivors: Survivors) -> Float:
    """Probability that each survivor is its row's match, float64[n]."""
    odds = np.exp(np.clip(calibration.score(survivors), -60, 60))
    return odds / (1 + survivors.per_row(odds))[survivors.row]
