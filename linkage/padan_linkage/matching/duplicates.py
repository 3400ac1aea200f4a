"""A registry that holds some people twice must not pass for one full of look-alikes.

Two rows of the registry are taken for strangers (spec 35, "Calibration"), so duplicates would make
strangers look dangerous and silence the pass. Spec: ``proto/spec/35-matching.md``, "Duplicates".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from padan_linkage.matching.calibration import RANDOM_LEVEL, Survivors
from padan_linkage.matching.features import LEVELS, Plan

#: How many times more often than chance, and how often at all, all segments must agree at once.
EXCESS, LEAST = 10.0, 10


def without_duplicates(plan: Plan, decoys: Survivors) -> tuple[Survivors, int]:
    """``decoys`` without the pairs that are duplicates, and how many asking rows had one.

    Pairs that agree in every segment are duplicates if there are far more of them than the other
    pairs' agreement, segment by segment, would produce by chance; otherwise nothing is left out. A
    single segment cannot tell.
    """
    level = decoys.levels[:, : plan.segments]
    agrees = level < RANDOM_LEVEL
    whole = (agrees | (level == LEVELS)).all(axis=1) & (agrees.sum(axis=1) > 1)
    others = np.flatnonzero(~whole)
    share = (agrees[others].sum(axis=0) + 1) / (len(others) + 1)
    chance = (len(others) + 1) * float(np.minimum(share, 1.0).prod())
    found = int(whole.sum())
    if found <= EXCESS * chance + LEAST:
        return decoys, 0
    kept = Survivors(
        rows=decoys.rows,
        asking=decoys.asking,
        row=decoys.row[others],
        other=decoys.other[others],
        levels=decoys.levels[others],
        company=decoys.company[others],
    )
    company = np.bincount(kept.row, minlength=kept.rows)[kept.row] - 1
    return replace(kept, company=company), len(np.unique(decoys.row[whole]))
