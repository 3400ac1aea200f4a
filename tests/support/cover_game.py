"""Decoy or person: what a linkage unit, and more than it, sees of a table, and a trained eye.

The player gets every row's salt group in both tables, which the unit can only guess from buckets
and distances, so whoever loses here loses there.
"""

from __future__ import annotations

import numpy as np

#: Of a filter's bits; closer ones are taken for a match by structure, and left out.
_MATCHED = 0.30
_MOST_COMPARED = 40


def groups(*tables):
    """A number for each row of each table, equal where the token is."""
    words = [np.ascontiguousarray(t.tokens).view(f"V{t.tokens.shape[1]}").ravel() for t in tables]
    number = np.unique(np.concatenate(words), return_inverse=True)[1].reshape(-1)
    return np.split(number, np.cumsum([len(w) for w in words])[:-1])


def nearest(mine, group, theirs, their_group, *, same):
    """The least share of bits to a row of the same group, 1 where there is none."""
    best = np.ones(len(group))
    order = np.argsort(their_group, kind="stable")
    first, last = (np.searchsorted(their_group[order], group, side) for side in ("left", "right"))
    for step in range(min(_MOST_COMPARED, int((last - first).max(initial=0)))):
        rows = np.flatnonzero(first + step < last)
        other = order[first[rows] + step]
        if same:
            rows, other = rows[other != rows], other[other != rows]
        away = np.bitwise_count(mine[rows] ^ theirs[other]).mean(axis=1) / 8
        best[rows] = np.minimum(best[rows], away)
    return best


def seen(mine, theirs):
    """Features of the rows of ``mine``, float64[n, features], and which of them match nobody."""
    own, other = groups(mine, theirs)
    count = max(own.max(), other.max()) + 1
    here, there = (np.bincount(g, minlength=count)[own] for g in (own, other))
    features = [np.log1p(here - 1), np.log1p(there)]
    if "filters" not in mine.table.columns:
        return np.stack(features, axis=1), there == 0
    a, b = (t.table.columns["filters"] for t in (mine, theirs))
    features += [nearest(a, own, a, own, same=True), nearest(a, own, b, other, same=False)]
    return np.stack(features, axis=1), features[-1] > _MATCHED


def auc(score, truth):
    """Chance that one that is true scores higher than one that is not, ties shared."""
    _, rank, size = np.unique(score, return_inverse=True, return_counts=True)
    mean = np.cumsum(size) - (size - 1) / 2
    yes, no = int(truth.sum()), int((~truth).sum())
    return (mean[rank.reshape(-1)][truth].sum() - yes * (yes + 1) / 2) / (yes * no)


def widest(truth):
    """Half of the 99.9 % interval of an AUC that is a half."""
    return 3.29 * np.sqrt((1 / truth.sum() + 1 / (~truth).sum()) / 12)


def logistic(known, truth, asked):
    """Scores of ``asked`` by a logistic regression on features, their squares and products."""
    middle, scale = known.mean(axis=0), known.std(axis=0) + 1e-9

    def terms(rows):
        z = (rows - middle) / scale
        a, b = np.triu_indices(z.shape[1])
        return np.hstack([np.ones((len(z), 1)), z, z[:, a] * z[:, b]])

    design, weight = terms(known), np.zeros(terms(known[:1]).shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-np.clip(design @ weight, -30, 30)))
        slope = design.T @ (truth - p) - 0.01 * weight
        bend = (design * (p * (1 - p))[:, None]).T @ design + 0.01 * np.eye(len(weight))
        weight = weight + np.linalg.solve(bend, slope)
    return terms(asked) @ weight


def cells(known, truth, asked, most=6):
    """Scores of ``asked`` by the share of people in their cell of all features."""
    edges = [np.unique(np.quantile(c, np.linspace(0, 1, most + 1)[1:-1])) for c in known.T]

    def cell(rows):
        code = np.zeros(len(rows), np.int64)
        for edge, column in zip(edges, rows.T, strict=True):
            code = code * (most + 1) + np.searchsorted(edge, column, "right")
        return code

    count = (most + 1) ** known.shape[1]
    of = cell(known)
    share = np.bincount(of, truth, count) + 5 * truth.mean()
    return (share / (np.bincount(of, minlength=count) + 5))[cell(asked)]


def judged(features, truth, seed=1):
    """The better of the classifiers by halves (AUC on the other half), and the interval's half."""
    half = np.random.default_rng(seed).random(len(truth)) < 0.5
    known, asked = features[half], features[~half]
    scores = [way(known, truth[half].astype(float), asked) for way in (logistic, cells)]
    return max(auc(s, truth[~half]) for s in scores), widest(truth[~half])
