"""Expectation-maximisation of m and ρ, against decoy strangers.

Spec: ``proto/spec/35-matching.md``, "Calibration".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from padan_linkage.matching.scoring.calibration import Calibration, Survivors
from padan_linkage.matching.scoring.strangers import PRIOR_PAIRS, Float, counts_by_level

#: Rounds of expectation and maximisation; the likelihood is flat long before.
ROUNDS = 40
#: Most of a list's rows that may have a match: all of them would leave nothing to learn from.
MOST_MATCHED = 0.98


def fit(start: Calibration, listed: Survivors, decoys: Survivors) -> Calibration:
    """Estimate m and ρ of the list's rows, with ``start``'s strangers held fixed.

    Deterministic. Rows of the provider asked of the provider (``decoys``) have no match, so what
    the expectation step credits to them is credited wrongly, and is subtracted in proportion.
    """
    now = start
    strangers = start.expected_strangers(listed), start.expected_strangers(decoys)
    for _ in range(ROUNDS):
        right = posterior(listed, now.score(listed, strangers[0]))
        wrong = posterior(decoys, now.score(decoys, strangers[1]))
        scale = listed.rows * (1 - now.match_rate) / max(1, decoys.rows)
        found = float(right.sum()) - scale * float(wrong.sum())
        counts = counts_by_level(listed.levels, right)
        counts -= scale * counts_by_level(decoys.levels, wrong)
        m = np.maximum(counts, 0.0) + PRIOR_PAIRS * np.array(start.m)
        rate = np.clip((found + 0.5) / (listed.rows + 1), 0.5 / (listed.rows + 1), MOST_MATCHED)
        now = replace(
            now,
            m=tuple(map(tuple, (m / m.sum(axis=1, keepdims=True)).tolist())),
            match_rate=float(rate),
            method="decoys",
        )
    return now


def posterior(survivors: Survivors, score: Float) -> Float:
    """Probability that each survivor is its row's match, float64[n]."""
    odds = np.exp(np.clip(score, -60, 60))
    likely: Float = odds / (1 + survivors.per_row(odds))[survivors.row]
    return likely
