"""What can be said of a rehearsal's answers without the truth (spec 35, "All passes together")."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from padan_client.rehearse.linking import Linked

#: Standard deviations on either side of an interval that holds nine times out of ten.
NINE_IN_TEN = 1.645


@dataclass(frozen=True)
class Share:
    """A share of 1 with bounds, all None where nothing can be said."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def estimated_precision(linked: Linked) -> Share:
    """From the passes' own estimates of their wrong answers, and how far they overlap.

    At worst all of them are about different pairs, at best all about those of one pass.
    """
    number = len(linked.pairs.a)
    if not number:
        return Share()
    together, alone = linked.wrong, linked.most_wrong
    return Share(
        value=1 - float(linked.pairs.error.sum()) / number,
        low=max(0.0, 1 - _above(together) / number),
        high=1 - _below(alone) / number,
    )


def estimated_recall(linked: Linked) -> Share:
    """From how often the passes found the same pairs (Chao 1987); of what some pass can see.

    The pairs that no pass found are estimated from those that one and two passes found. One pass
    knows only of the matches that share its exact fields.
    """
    right = 1 - linked.pairs.error
    passes = len(linked.reports)
    if not len(right):
        return Share()
    if passes == 1:
        return Share(linked.reports[0].estimate.recall)
    once, twice = (float(right[linked.seen == k].sum()) for k in (1, 2))
    part = (passes - 1) / passes
    unseen = part * once * max(once - 1, 0) / (2 * (twice + 1))
    found = float(right.sum())
    if not unseen:
        return Share(1.0, None, 1.0)
    spread = _spread(once, twice, part) / (unseen * unseen)
    factor = math.exp(NINE_IN_TEN * math.sqrt(math.log1p(spread)))
    return Share(
        found / (found + unseen),
        found / (found + unseen * factor),
        found / (found + unseen / factor),
    )


def _spread(once: float, twice: float, part: float) -> float:
    """Variance of the bias-corrected estimate of the unseen (Chao 1987, eq. as in iNEXT)."""
    more = twice + 1
    return (
        part * once * (once - 1) / (2 * more)
        + part**2 * once * (2 * once - 1) ** 2 / (4 * more**2)
        + part**2 * once**2 * twice * (once - 1) ** 2 / (4 * more**4)
    )


def _above(count: float) -> float:
    """Upper end of what a Poisson count may have been (Wilson and Hilferty 1931)."""
    return _quantile(count + 1, NINE_IN_TEN)


def _below(count: float) -> float:
    """Lower end, 0 at least."""
    return _quantile(count, -NINE_IN_TEN) if count > 0 else 0.0


def _quantile(shape: float, z: float) -> float:
    part = 1 / (9 * shape)
    return shape * float(np.maximum(1 - part + z * math.sqrt(part), 0.0)) ** 3
