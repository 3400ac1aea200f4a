"""A registry that holds some people twice must not pass for one full of look-alikes.

Two rows of the registry are taken for strangers (spec 35, "Calibration"), so duplicates would make
strangers look dangerous and silence the pass. Spec: ``proto/spec/35-matching.md``, "Duplicates".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.scoring.calibration import Calibration, Survivors
from padan_linkage.matching.scoring.features import LEVELS, FeaturePlan

#: Up to this level two segments are surely of one value or of very near ones.
ALIKE_LEVEL = 5
#: How many times more often than chance, and how often at all, all segments must be alike at once.
EXCESS, LEAST = 10.0, 3


def without_duplicates(plan: FeaturePlan, decoys: Survivors) -> tuple[Survivors, float]:
    """``decoys`` without the pairs that are duplicates, and the share of rows that had one.

    Pairs that are alike in every segment are duplicates if there are far more of them than the
    other pairs' likeness, segment by segment, would produce by chance; otherwise nothing is left
    out. One segment alone cannot tell.
    """
    level = decoys.levels[:, : plan.segments]
    alike = level <= ALIKE_LEVEL
    whole = (alike | (level == LEVELS)).all(axis=1) & (alike.sum(axis=1) > 1)
    others = alike[~whole]
    share = (others.sum(axis=0) + 1) / (len(others) + 1)
    chance = (len(others) + 1) * float(np.minimum(share, 1.0).prod())
    if int(whole.sum()) <= EXCESS * chance + LEAST:
        return decoys, 0.0
    return decoys.without(whole), len(np.unique(decoys.row[whole])) / decoys.rows


def likely_duplicates(
    calibration: Calibration, decoys: Survivors, share: float
) -> NDArray[np.bool_]:
    """Which pairs are rather duplicates than strangers, where ``share`` of the rows have one.

    Copies that miss a field are not alike in it, so that only the evidence of m and u tells.
    """
    rho = calibration.match_rate
    shift = math.log(share / (1 - share)) - math.log(rho / (1 - rho))
    likely: NDArray[np.bool_] = calibration.score(decoys) + shift > 0
    return likely
