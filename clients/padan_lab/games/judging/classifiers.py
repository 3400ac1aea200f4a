"""Classifiers of several kinds that look for a difference between two worlds.

Each is trained on plays and scores others. They are small and written out: a game needs kinds that
see different things, not the best of one kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.judging.auc import area
from padan_lab.games.judging.boosting import boosted

Features = NDArray[np.float64]
Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]
#: Scores of plays ``float64[n]`` from their features ``float64[n, f]``.
Scorer = Callable[[Features], Scores]
#: Trains on features, truth and a generator.
Trainer = Callable[[Features, Truth, np.random.Generator], Scorer]

#: Features whose products a logistic regression sees, and plays that neighbours are looked for in.
_PRODUCTS, _NEIGHBOURHOOD, _NEAREST = 20, 3000, 25
_STEPS, _RIDGE = 25, 1.0


@dataclass(frozen=True)
class _Scale:
    """Puts each feature on one scale by its ranks in training, which no outlier bends."""

    ordered: Features

    @classmethod
    def of(cls, features: Features) -> _Scale:
        return cls(np.sort(features, axis=0))

    def __call__(self, features: Features) -> Features:
        """Each value's place among those in training, from -1 to 1."""
        scaled = np.empty(features.shape)
        size = self.ordered.shape[0]
        for at in range(features.shape[1]):
            column, value = self.ordered[:, at], features[:, at]
            place = np.searchsorted(column, value, "left") + np.searchsorted(column, value, "right")
            scaled[:, at] = place / size - 1
        return scaled


def single(features: Features, truth: Truth, _: np.random.Generator) -> Scorer:
    """The one feature that tells most: its value, or its distance from the middle."""
    middle = np.median(features, axis=0)

    def views(given: Features) -> list[Scores]:
        return [given[:, at] for at in range(given.shape[1])] + [
            np.abs(given[:, at] - middle[at]) for at in range(given.shape[1])
        ]

    told = [area(view, truth).auc - 0.5 for view in views(features)]
    best = int(np.argmax(np.abs(told)))
    sign = 1.0 if told[best] >= 0 else -1.0
    return lambda given: sign * views(given)[best]


def logistic(features: Features, truth: Truth, _: np.random.Generator) -> Scorer:
    """Logistic regression on ranks, their squares, and products of the features that tell most."""
    scale = _Scale.of(features)
    scaled = scale(features)
    strength = np.abs(scaled[truth].mean(axis=0) - scaled[~truth].mean(axis=0))
    chosen = np.argsort(-strength, kind="stable")[:_PRODUCTS]

    def design(given: Features) -> Features:
        some = given[:, chosen]
        at, beside = np.triu_indices(len(chosen), 1)
        return np.column_stack(
            [np.ones(len(given)), given, given**2, some[:, at] * some[:, beside]]
        )

    weights = _newton(design(scaled), truth)
    return lambda given: design(scale(given)) @ weights


def _newton(design: Features, truth: Truth) -> Scores:
    """Ridge-penalised weights by iteratively reweighted least squares."""
    weights = np.zeros(design.shape[1])
    penalty = np.full(design.shape[1], _RIDGE)
    penalty[0] = 1e-6
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (truth - likely) - penalty * weights
        curvature = (design * (likely * (1 - likely))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def neighbours(features: Features, truth: Truth, rng: np.random.Generator) -> Scorer:
    """The share of one world among the nearest plays."""
    scale = _Scale.of(features)
    some = rng.permutation(len(features))[:_NEIGHBOURHOOD]
    known, told = scale(features[some]), truth[some].astype(np.float64)
    count = min(_NEAREST, len(some))

    def score(given: Features) -> Scores:
        scaled, scores = scale(given), np.empty(len(given))
        for start in range(0, len(given), 512):
            part = scaled[start : start + 512]
            apart = (known**2).sum(axis=1) - 2 * part @ known.T
            nearest = np.argpartition(apart, count - 1, axis=1)[:, :count]
            scores[start : start + 512] = told[nearest].mean(axis=1)
        return scores

    return score


def trees(features: Features, truth: Truth, rng: np.random.Generator) -> Scorer:
    """Gradient-boosted trees of three levels."""
    return boosted(features, truth, rng)


#: The kinds, by name.
KINDS: Mapping[str, Trainer] = {
    "single": single,
    "logistic": logistic,
    "neighbours": neighbours,
    "trees": trees,
}
