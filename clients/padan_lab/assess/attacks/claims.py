"""What an attack says: which person each row is; and the tools that all attacks share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_lab.assess.attacks.auction import auction
from padan_lab.assess.material.attacker_view import Numbers, Reals

_JITTER = 1e-4
#: Tables with more of both are assigned by auction, to within this share of the costs' spread.
_EXACT, _STEP, _BIDS = 1_200, 0.01, 200
#: Distances beyond this are all the same: out of reach.
_FAR = 1e9


def assign(cost: Reals, rng: np.random.Generator) -> Numbers:
    """The person for each row so that the total cost is least; -1 where rows outnumber persons.

    ``cost``: float32[rows, persons]; of large tables nearly the least (:mod:`~.auction`). Ties are
    broken at random: in the order of the tables they would flatter or hide.
    """
    from scipy.optimize import linear_sum_assignment

    spread = float(cost.std(dtype=np.float64)) or 1.0
    jittered = cost + rng.random(cost.shape, np.float32) * np.float32(_JITTER * spread)
    if min(cost.shape) > _EXACT:
        return auction(jittered, _STEP * spread, _BIDS * min(cost.shape))
    rows, persons = linear_sum_assignment(jittered)
    claims = np.full(len(cost), -1, np.int64)
    claims[rows] = persons
    return claims


@dataclass(frozen=True, repr=False)
class Prints:
    """What one looks like under a key that one does not know: means, and how far keys move them.

    ``mean``: float32[k, d] of k persons or groups in whitened coordinates; ``whitening``:
    float32[d, e] takes features there, so that Euclidean distance is Mahalanobis distance.
    """

    mean: Reals
    whitening: Reals

    @classmethod
    def learn(cls, samples: Sequence[Reals]) -> Prints:
        """From the features, float32[k, d], of the same k under several simulated keys."""
        stack = np.stack(samples)
        mean = stack.mean(axis=0)
        whitening = whiten((stack - mean).reshape(-1, stack.shape[2]), len(samples))
        return cls(mean @ whitening, whitening)

    def distances(self, features: Reals) -> Reals:
        """Squared Mahalanobis distances, float32[n, k], of ``features`` float32[n, d]."""
        seen = features.astype(np.float32) @ self.whitening
        squares = (seen**2).sum(axis=1)[:, None] + (self.mean**2).sum(axis=1)[None, :]
        distances: Reals = np.clip(squares - 2 * seen @ self.mean.T, 0, _FAR)
        return distances


def whiten(apart: Reals, keys: int) -> Reals:
    """The map, float32[d, d], that makes the scatter of ``apart`` float32[n, d] the identity.

    ``apart`` are deviations from means over ``keys`` samples. The scatter is pooled and, its
    features standardised, shrunk towards the identity as much as the samples are few (Ledoit &
    Wolf 2004).
    """
    spread = apart.std(axis=0)
    scale = np.maximum(spread, float(spread.max(initial=0)) * 1e-2 or 1.0)
    unit = (apart / scale).astype(np.float64)
    n, d = unit.shape
    scatter = unit.T @ unit / n
    target = float(np.trace(scatter)) / d or 1.0
    off = float(((scatter - target * np.eye(d)) ** 2).sum())
    noise = float(((unit**2).sum(axis=1) ** 2).sum() / n - (scatter**2).sum()) / n
    share = min(max(noise / off, 0.02), 1.0) if off > 0 else 1.0
    freedom = max(keys - 1, 1) / max(keys, 1)
    shrunk = ((1 - share) * scatter + share * target * np.eye(d)) / freedom
    values, vectors = np.linalg.eigh(shrunk)
    whitening: Reals = (vectors / np.sqrt(np.maximum(values, 1e-2 * target))).astype(np.float32)
    scaled: Reals = (whitening / scale[:, None]).astype(np.float32)
    return scaled


def anneal(seen: Sequence[Reals], means: Sequence[Reals], cost: Reals) -> Reals:
    """As :func:`refine`, softly: graduated assignment (Gold & Rangarajan 1996), for small tables.

    One table against c alternatives of k persons each: ``seen``: float32[n, n] a channel,
    ``means``: float32[c, k, k] a channel, ``cost``: float32[c, n, k], squared Mahalanobis distances
    to start from. Returns float32[c, n, k], how much each row is each person.
    """
    soft = _balanced(-cost / 2)
    squares = [mean**2 / 2 for mean in means]
    for heat in np.geomspace(0.05, 1.0, 24):
        score = -cost * np.float32(0.1)
        mass = soft.sum(axis=1, keepdims=True) - soft
        for likeness, mean, square in zip(seen, means, squares, strict=True):
            score += likeness @ (soft @ mean) - mass @ square
        soft = _balanced(heat * score)
    return soft


def _balanced(score: NDArray[np.floating]) -> Reals:
    """exp(score) with columns that sum to one, rows to at most one (Sinkhorn, with slack).

    ``score``: float32[c, n, k]. Where rows outnumber persons, a row that fits nobody may stay out:
    it pays what it lacks of a middling row's best.
    """
    _, n, k = score.shape
    best = score.max(axis=2, keepdims=True)
    weight = (np.exp(score - best) + 1e-12).astype(np.float32)
    wanted = np.full(k, 1.0 if n >= k else n / k, np.float32)
    if n > k:
        middling = np.median(best, axis=1, keepdims=True)
        extra = np.exp(np.clip(middling - best, -30, 30)) * np.float32((n - k) / n)
        weight = np.concatenate([weight, extra], axis=2)
        wanted = np.append(wanted, np.float32(n - k))
    for _ in range(10):
        weight *= wanted / weight.sum(axis=1, keepdims=True)
        weight /= weight.sum(axis=2, keepdims=True)
    balanced: Reals = weight[:, :, :k]
    return balanced


@dataclass(frozen=True)
class Scale:
    """Where a channel's likeness of two different people lies, and how far a key moves it."""

    base: float
    spread: float

    @classmethod
    def of(cls, means: Sequence[Reals], samples: Sequence[Sequence[Reals]]) -> Scale:
        """From the mean likenesses of several groups, and those under each key, float32[g, g]."""
        expected = np.concatenate([m[np.triu_indices(len(m), 1)] for m in means])
        apart = np.concatenate(
            [(s - m)[np.triu_indices(len(m), 1)] for m, of in zip(means, samples, strict=True)
             for s in of]
        )  # fmt: skip
        base = float(np.median(expected)) if len(expected) else 0.0
        freedom = max(len(samples[0]) - 1, 1) / len(samples[0])
        spread = float(apart.std()) / freedom**0.5 if len(apart) else 1.0
        return cls(base, max(spread, 0.05))

    def standard(self, likeness: Reals) -> Reals:
        """In units of the spread, from the base; 0 stays 0: rows that are not compared."""
        scaled: Reals = np.where(likeness != 0, (likeness - self.base) / self.spread, 0)
        return scaled.astype(np.float32)


def refine(
    seen: Sequence[Reals],
    means: Sequence[Reals],
    start: Numbers,
    rng: np.random.Generator,
    rounds: int = 8,
) -> Numbers:
    """Improve ``start`` by what it implies: quadratic assignment, one linear step at a time.

    ``seen``: float32[n, n], likenesses of the rows, a channel each; ``means``: float32[k, k], what
    the attacker expects them to be between persons. With unit variance the log-likelihood ratio of
    row a being person i, given that row b is person π(b), is Σ_b L[a,b] μ[i,π(b)] − μ[i,π(b)]² / 2.
    """
    claims = start
    for _ in range(rounds):
        score = implied(seen, means, claims)
        improved = assign(-score, rng)
        if np.array_equal(improved, claims):
            break
        claims = improved
    return claims


def implied(seen: Sequence[Reals], means: Sequence[Reals], claims: Numbers) -> Reals:
    """The score of :func:`refine`, float32[n, k]."""
    rows = np.flatnonzero(claims >= 0)
    persons = claims[rows]
    score = np.zeros((len(claims), means[0].shape[0]), np.float32)
    for likeness, mean in zip(seen, means, strict=True):
        known = mean[persons]
        score += likeness[:, rows] @ known
        score -= ((known**2).sum(axis=0) / 2)[None, :]
    return score


def likelihood(seen: Sequence[Reals], means: Sequence[Reals], claims: Numbers) -> float:
    """Log-likelihood ratio of all claims together, each pair of rows once."""
    rows = np.flatnonzero(claims >= 0)
    persons = claims[rows]
    total = 0.0
    for likeness, mean in zip(seen, means, strict=True):
        pairs, expected = likeness[np.ix_(rows, rows)], mean[np.ix_(persons, persons)]
        total += float((pairs * expected - expected**2 / 2).sum()) / 2
    return total


def same(identities: Sequence[tuple[str, ...]]) -> Numbers:
    """A number for each person, equal where all values are: they cannot be told apart."""
    number: dict[tuple[str, ...], int] = {}
    return np.array([number.setdefault(i, len(number)) for i in identities], np.int64)


def right(claims: Numbers, truth: Numbers, identity: Numbers) -> NDArray[np.bool_]:
    """Which rows are claimed to be a person with the values of the true one.

    ``claims``, ``truth``: int64[n], -1 for nobody.
    """
    made = (claims >= 0) & (truth >= 0)
    found = np.zeros(len(claims), np.bool_)
    found[made] = identity[claims[made]] == identity[truth[made]]
    return found
