"""Gradient-boosted trees on binned features (Friedman 2001; Chen & Guestrin, KDD 2016)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]
Scores = NDArray[np.float64]
Bins = NDArray[np.uint8]

_BINS, _LEVELS, _ROUNDS = 32, 3, 80
_RATE, _RIDGE, _LEAST = 0.1, 5.0, 10
#: Share of the plays, and of the features, that each tree sees.
_PLAYS, _FEATURES = 0.7, 0.5


@dataclass(frozen=True)
class _Tree:
    """Splits level by level, ``int64[levels, 2 ** levels]``, and a value for each leaf."""

    feature: NDArray[np.int64]
    edge: NDArray[np.int64]
    leaf: Scores

    def __call__(self, bins: Bins) -> Scores:
        node = np.zeros(len(bins), np.int64)
        every = np.arange(len(bins))
        for level in range(_LEVELS):
            right = bins[every, self.feature[level, node]] > self.edge[level, node]
            node = 2 * node + right
        scores: Scores = self.leaf[node]
        return scores


def boosted(
    features: Features, truth: NDArray[np.bool_], rng: np.random.Generator
) -> Callable[[Features], Scores]:
    """Trains on ``features`` ``float64[n, f]``; returns what scores others."""
    edges = [_edges(features[:, at]) for at in range(features.shape[1])]
    bins = _binned(features, edges)
    scores = np.zeros(len(bins))
    grown: list[_Tree] = []
    wide = max(1, round(_FEATURES * bins.shape[1]))
    for _ in range(_ROUNDS):
        likely = 1 / (1 + np.exp(-scores))
        seen = rng.random(len(bins)) < _PLAYS
        columns = rng.permutation(bins.shape[1])[:wide]
        slopes = truth - likely, likely * (1 - likely)
        tree = _grow(bins[seen], slopes[0][seen], slopes[1][seen], columns)
        scores += tree(bins)
        grown.append(tree)

    def score(given: Features) -> Scores:
        those = _binned(given, edges)
        total: Scores = np.sum([tree(those) for tree in grown], axis=0)
        return total

    return score


def _grow(bins: Bins, gradient: Scores, curvature: Scores, columns: NDArray[np.int64]) -> _Tree:
    """One tree: at every level the best split of each node."""
    width = 2**_LEVELS
    feature = np.zeros((_LEVELS, width), np.int64)
    edge = np.full((_LEVELS, width), _BINS, np.int64)
    node = np.zeros(len(bins), np.int64)
    every = np.arange(len(bins))
    for level in range(_LEVELS):
        nodes = 2**level
        best = np.zeros(nodes)
        for column in columns.tolist():
            gain, at = _splits(node, bins[:, column], gradient, curvature, nodes)
            better = gain > best
            best[better] = gain[better]
            feature[level, :nodes][better] = column
            edge[level, :nodes][better] = at[better]
        node = 2 * node + (bins[every, feature[level, node]] > edge[level, node])
    above = np.bincount(node, gradient, width)
    leaf = _RATE * above / (np.bincount(node, curvature, width) + _RIDGE)
    return _Tree(feature, edge, leaf)


def _splits(
    node: NDArray[np.int64], column: Bins, gradient: Scores, curvature: Scores, nodes: int
) -> tuple[Scores, NDArray[np.int64]]:
    """The best gain by splitting each node on a column, and the last bin on the left."""
    cell = node * _BINS + column
    shape = nodes, _BINS
    slope, bend, plays = (
        np.bincount(cell, weight, nodes * _BINS).reshape(shape).cumsum(axis=1)
        for weight in (gradient, curvature, None)
    )
    total, whole, count = slope[:, -1:], bend[:, -1:], plays[:, -1:]
    gain = slope**2 / (bend + _RIDGE) + (total - slope) ** 2 / (whole - bend + _RIDGE)
    gain -= total**2 / (whole + _RIDGE)
    gain[(plays < _LEAST) | (count - plays < _LEAST)] = 0
    at = gain.argmax(axis=1)
    return gain[np.arange(nodes), at], at


def _edges(values: Scores) -> Scores:
    """Upper ends of the bins: the values themselves where they are few, else quantiles."""
    distinct = np.unique(values)
    if distinct.size <= _BINS:
        return distinct[:-1]
    return np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]))


def _binned(features: Features, edges: list[Scores]) -> Bins:
    columns = [np.searchsorted(edge, features[:, at], "left") for at, edge in enumerate(edges)]
    return np.column_stack(columns).astype(np.uint8)
