"""The area under the ROC curve, with an interval over units that do not depend on each other.

DeLong's structural components, summed over the clusters that plays stand in: Obuchowski,
"Nonparametric analysis of clustered ROC curve data", Biometrics 53 (1997). With every play a
cluster of its own it is DeLong's interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]
Clusters = NDArray[np.int64]

#: Two-sided 99.9 % of a normal variable.
QUANTILE = 3.290526731491926


@dataclass(frozen=True)
class Area:
    """An AUC and its 99.9 % interval."""

    auc: float
    low: float
    high: float

    @property
    def chance(self) -> bool:
        """Whether the interval contains one half."""
        return self.low <= 0.5 <= self.high

    @property
    def turned(self) -> Area:
        """The same with an AUC of at least one half: who is wrong often enough knows too."""
        return self if self.auc >= 0.5 else Area(1 - self.auc, 1 - self.high, 1 - self.low)


def area(scores: Scores, truth: Truth, clusters: Clusters | None = None) -> Area:
    """The AUC of ``scores`` for ``truth``, both of n plays; ties count one half.

    ``clusters`` ``int64[n]``: equal where plays may depend on each other. Raises ValueError where
    one of the two worlds has no play.
    """
    inside, outside = scores[truth], scores[~truth]
    if not inside.size or not outside.size:
        raise ValueError("a game needs plays of both worlds")
    component = np.empty(scores.size)
    component[truth] = _below(outside, inside)
    component[~truth] = 1 - _below(inside, outside)
    auc = float(component[truth].mean())
    if clusters is None:
        clusters = np.arange(scores.size)
    margin = QUANTILE * _deviation(component - auc, truth, clusters)
    return Area(auc, max(0.0, auc - margin), min(1.0, auc + margin))


def _below(those: Scores, of: Scores) -> Scores:
    """The share of ``those`` below each of ``of``; equal ones count one half."""
    ordered = np.sort(those)
    under = np.searchsorted(ordered, of, "left") + np.searchsorted(ordered, of, "right")
    return under / (2 * those.size)


def _deviation(excess: Scores, truth: Truth, clusters: Clusters) -> float:
    """The standard error of a mean of components, ``excess`` over their mean."""
    _, cluster = np.unique(clusters, return_inverse=True)
    count = int(cluster.max()) + 1
    inside: Scores = np.bincount(cluster[truth], excess[truth], count).astype(np.float64)
    outside: Scores = np.bincount(cluster[~truth], excess[~truth], count).astype(np.float64)
    one, other = int(truth.sum()), int((~truth).sum())
    variance = (
        _spread(inside, inside, cluster[truth]) / one**2
        + _spread(outside, outside, cluster[~truth]) / other**2
        + 2 * _spread(inside, outside, cluster) / (one * other)
    )
    return float(np.sqrt(max(variance, 0.0)))


def _spread(a: Scores, b: Scores, clusters: Clusters) -> float:
    """The sum of products over clusters, with the usual correction for their number."""
    number = np.unique(clusters).size
    return float(a @ b) * number / max(1, number - 1)
