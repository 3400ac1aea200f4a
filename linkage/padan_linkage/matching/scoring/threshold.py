"""Where to draw the line, and what lies above it.

Spec: ``proto/spec/35-matching.md``, "Threshold".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching.scoring.calibration import Calibration, Survivors
from padan_linkage.matching.scoring.fitting import posterior
from padan_linkage.matching.scoring.strangers import Float

#: No single answer may be this many times likelier to be wrong than the policy's average.
WORST_TO_AVERAGE = 50.0


@dataclass(frozen=True)
class ChosenThreshold:
    """A threshold and the estimates above it; ``precision`` None where nothing is above.

    ``duplicates``: share of the registry's rows that look like another row of it.
    """

    threshold: float
    precision: float | None
    recall: float | None
    duplicates: float = 0.0


def floor_of(policy: MatchPolicy) -> float:
    """Least score of any answer, nats ≥ 0: the odds at which it is right."""
    worst = min(0.5, WORST_TO_AVERAGE * (1 - policy.min_precision))
    return math.log((1 - worst) / worst)


def draw(
    calibration: Calibration, policy: MatchPolicy, listed: Survivors, decoys: Survivors
) -> ChosenThreshold:
    """The lowest threshold that meets the policy.

    Strangers above a threshold are counted twice: what the posteriors say of the list's rows, and
    how many decoys get there. The first is the mean of a gamma prior with the weight of one
    observation, the second the observation, and what the second alone makes nearly certain is never
    undercut: many decoys decide, one stray decoy does not.
    """
    own = calibration.score(listed)
    best = listed.best(own)
    heights = np.sort(best[np.isfinite(best)])[::-1]
    if not len(heights):
        return ChosenThreshold(floor_of(policy), None, None)
    number = np.arange(1, len(heights) + 1)
    wrong = np.minimum(_wrong(calibration, listed, own, decoys, heights), number)
    precision = 1 - wrong / number
    good = (precision >= policy.min_precision) & (heights >= floor_of(policy))
    good[:-1] &= heights[1:] < heights[:-1]  # equal scores stand or fall together
    if not good.any():
        return ChosenThreshold(math.inf, None, None)
    last = int(np.flatnonzero(good)[-1])
    above = _next_below(heights, last, floor_of(policy))
    right = number[last] - wrong[last]
    findable = max(right, calibration.match_rate * listed.rows)
    return ChosenThreshold(above, float(precision[last]), float(right / findable))


def _next_below(heights: Float, last: int, floor: float) -> float:
    """A threshold that admits ``heights[last]`` and nothing lower."""
    lower = heights[heights < heights[last]]
    return max(floor, float((heights[last] + lower[0]) / 2)) if len(lower) else floor


def _wrong(
    calibration: Calibration, listed: Survivors, own: Float, decoys: Survivors, heights: Float
) -> Float:
    """Expected wrong answers among the rows whose best score reaches each height."""
    unmatched = listed.rows * (1 - calibration.match_rate)
    doubt = np.ones(listed.rows)
    np.minimum.at(doubt, listed.row, 1 - posterior(listed, own))
    best = listed.best(own)
    order = np.argsort(-best, kind="stable")[: len(heights)]
    believed = np.maximum(np.cumsum(doubt[order]) / unmatched, 1e-12)
    strays = np.sort(decoys.best(calibration.score(decoys)))
    reached = len(strays) - np.searchsorted(strays, heights, side="left")
    blended = (1 + reached) / (1 / believed + decoys.rows)
    surely = (reached - 2 * np.sqrt(reached) - 1) / max(1, decoys.rows)
    wrong: Float = unmatched * np.maximum(blended, surely)
    return wrong
