"""Kinds of strangers: what two different people look like to a pass.

Strangers are no uniform crowd. Some share a salt by chance and nothing else, some share a name,
some are twins or live together; and within a pass those likenesses come together. Taken for
independent, field by field, a twin looks like a match. So the provider's own pairs are described
by a few kinds, independent only inside a kind. Spec: ``proto/spec/35-matching.md``, "Strangers".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.scoring.features import LEVELS, SURE_LEVEL, FeaturePlan

Float = NDArray[np.float64]

#: Pseudo-counts of the shipped priors, in pairs; of the other kinds, for a kind found in the data.
PRIOR_PAIRS, KIND_PAIRS = 10.0, 2.0
#: No more kinds than this, and none that explains less than so many nats.
MOST_KINDS, LEAST_GAIN = 6, 6.0
#: Least and greatest shape of the distribution of strangers over rows.
CLUMPING = (0.05, 20.0)
#: How the segments of two records compare, coarsely.
UNLIKE, ALIKE, MISSING = 0, 1, 2
#: Rounds of expectation and maximisation for each kind that is added.
ROUNDS = 30


@dataclass(frozen=True)
class StrangerKind:
    """One kind of strangers: level probabilities [features][levels], and how many a row meets.

    ``mean`` strangers of this kind pass the screen for a row, gamma distributed over rows with
    shape ``clumping``.
    """

    u: tuple[tuple[float, ...], ...]
    mean: float
    clumping: float


def counts_by_level(levels: NDArray[np.int64], weights: Float) -> Float:
    """Weighted counts of each feature's levels, missing left out: float64[features, levels]."""
    counts = [
        np.bincount(column, weights=weights, minlength=LEVELS + 1)[:LEVELS] for column in levels.T
    ]
    return np.array(counts, dtype=np.float64)


def log_likelihood(u: Float, levels: NDArray[np.int64]) -> Float:
    """Log probability of every row of ``levels`` by each kind; a missing feature says nothing.

    ``u``: float64[kinds, features, levels]. Returns float64[kinds, n].
    """
    table = np.concatenate([np.log(u), np.zeros((*u.shape[:2], 1))], axis=2)
    features = np.arange(u.shape[1])
    return np.array([kind[features, levels].sum(axis=1) for kind in table])


def log_sum(parts: Float) -> Float:
    """Log of the sum of exponentials over the first axis."""
    top = parts.max(axis=0)
    total: Float = top + np.log(np.exp(parts - top).sum(axis=0))
    return total


@dataclass(frozen=True, repr=False)
class Mixture:
    """Kinds by their ``share`` float64[kinds] of all pairs and ``u`` [kinds, features, levels]."""

    share: Float
    u: Float

    def membership(self, levels: NDArray[np.int64]) -> Float:
        """Probability of each kind for each pair of strangers, float64[kinds, n]."""
        parts = np.log(self.share)[:, None] + log_likelihood(self.u, levels)
        belongs: Float = np.exp(parts - log_sum(parts))
        return belongs


def kinds_of(plan: FeaturePlan, levels: NDArray[np.int64], prior: Float) -> Mixture:
    """Describe pairs of strangers, int64[n, features], by as few kinds as will do.

    Starts with one kind, smoothed with ``prior`` float64[features, levels], and adds one for the
    pattern of likeness that occurs most above expectation, as long as that explains enough.
    Deterministic.
    """
    patterns, inverse = np.unique(levels, axis=0, return_inverse=True)
    weights = np.bincount(inverse.reshape(-1), minlength=len(patterns)).astype(np.float64)
    pooled = counts_by_level(patterns, weights) + PRIOR_PAIRS * prior
    pooled /= pooled.sum(axis=1, keepdims=True)
    found = Mixture(np.ones(1), pooled[None])
    coarse = _Coarse.of(patterns[:, : plan.segments], weights)
    while len(patterns) and len(found.share) < MOST_KINDS:
        pattern, excess, gain = coarse.most_unexpected(found)
        if gain < LEAST_GAIN:
            break
        belongs = found.membership(patterns)
        fresh = np.where(coarse.pattern == pattern, excess, 0.0)
        belongs = np.concatenate([belongs * (1 - fresh), fresh[None]])
        for _ in range(ROUNDS):
            found = _maximised(patterns, belongs * weights, pooled)
            belongs = found.membership(patterns)
    return found


def _maximised(patterns: NDArray[np.int64], weights: Float, pooled: Float) -> Mixture:
    """The mixture that fits pairs split over kinds, ``weights`` float64[kinds, patterns]."""
    size = weights.sum(axis=1)
    u = np.array([counts_by_level(patterns, w) + KIND_PAIRS * pooled for w in weights])
    return Mixture((size + 1) / (size.sum() + len(size)), u / u.sum(axis=2, keepdims=True))


@dataclass(frozen=True, repr=False)
class _Coarse:
    """Patterns of likeness: for each segment ALIKE, UNLIKE or MISSING.

    ``distinct``: int64[c, segments]; ``pattern``: int64[patterns], which of them; ``seen``:
    float64[c] pairs; ``comparable``: float64[c], pairs that miss the same segments.
    """

    distinct: NDArray[np.int64]
    pattern: NDArray[np.int64]
    seen: Float
    comparable: Float

    @classmethod
    def of(cls, levels: NDArray[np.int64], weights: Float) -> _Coarse:
        alike = np.where(levels == LEVELS, MISSING, np.where(levels < SURE_LEVEL, ALIKE, UNLIKE))
        distinct, pattern = np.unique(alike, axis=0, return_inverse=True)
        seen = np.bincount(pattern.reshape(-1), weights=weights).astype(np.float64)
        _, absent = np.unique(distinct == MISSING, axis=0, return_inverse=True)
        total = np.bincount(absent.reshape(-1), weights=seen).astype(np.float64)
        return cls(distinct, pattern.reshape(-1), seen, total[absent.reshape(-1)])

    def most_unexpected(self, found: Mixture) -> tuple[int, float, float]:
        """The pattern most in excess of ``found``, what share of it is, and the gain in nats."""
        alike = found.u[:, : self.distinct.shape[1], :SURE_LEVEL].sum(axis=2)[:, None, :]
        chance = np.where(self.distinct == UNLIKE, 1 - alike, alike)
        chance = np.where(self.distinct == MISSING, 1.0, chance)
        expected = self.comparable * (found.share[:, None] * chance.prod(axis=2)).sum(axis=0)
        expected = np.clip(expected, 1e-9, None)
        gain = self.seen * np.log(np.maximum(self.seen, 1e-9) / expected) - self.seen + expected
        gain[self.seen <= expected] = 0.0
        best = int(gain.argmax())
        return best, max(0.0, float(1 - expected[best] / self.seen[best])), float(gain[best])


def clumping_of(per_row: Float, mean: float) -> float:
    """Shape of the gamma distribution of strangers over rows, by moments.

    Small where few rows meet most of the strangers, as with names: who meets none is then rare.
    """
    spread = float(per_row.var()) - mean if len(per_row) else 0.0
    return float(np.clip(mean * mean / max(spread, 1e-9), *CLUMPING))
