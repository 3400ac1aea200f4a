"""Blind calibration of a filter pass: from distances to evidence, with no labelled pair.

Spec: ``proto/spec/35-matching.md``, "Calibration". The score of requester row i and provider row j
is the log odds that j is i's match against a stranger that looks like it:

    s_ij = Σ_f log m_f(level)/u_f(level) + log ρ/(1-ρ) - log λ_i

m and u are the level probabilities of matches and of strangers *among the pairs that pass the
screen*; ρ is the share of requester rows with a match that can be found in this pass; λ_i is the
number of strangers expected to pass the screen for a row like i. Conditioning on the screen is what
makes coarse buckets harmless: the pairs of unrelated salts never enter.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.features import LEVELS, Plan, level_table, noise_levels

Float = NDArray[np.float64]

#: Pseudo-counts of the shipped priors, in pairs.
PRIOR_PAIRS = 10.0
#: From this level on, two segments look like random bits.
RANDOM_LEVEL = LEVELS - 2
#: Probability of levels that a feature does not have.
TINY = 1e-9
#: Rounds of expectation and maximisation; the likelihood is flat long before.
ROUNDS = 40
#: Evidence of one feature is held within these bounds (nats).
LEAST_EVIDENCE, MOST_EVIDENCE = -4.0, 12.0


@dataclass(frozen=True)
class Survivors:
    """Pairs that passed the screen, for a sample of asking rows.

    ``asking``: int64[rows], the table rows that ask; ``row``: int64[n], position in ``asking``;
    ``other``: int64[n], the provider row; ``levels``: int64[n, features], LEVELS where a side is
    missing; ``company``: int64[n], how many other survivors the asking row has.
    """

    rows: int
    asking: NDArray[np.int64]
    row: NDArray[np.int64]
    other: NDArray[np.int64]
    levels: NDArray[np.int64]
    company: NDArray[np.int64]

    def per_row(self, values: Float) -> Float:
        """Sum ``values`` (float64[n]) by asking row: float64[rows]."""
        total: Float = np.bincount(self.row, weights=values, minlength=self.rows).astype(np.float64)
        return total

    def best(self, scores: Float) -> Float:
        """Highest score of each asking row, float64[rows]; -inf without a survivor."""
        best = np.full(self.rows, -np.inf)
        np.maximum.at(best, self.row, scores)
        return best


@dataclass(frozen=True)
class Calibration:
    """Everything that turns distances into outcomes in one pass; plain numbers, so it can be kept.

    ``random_fill``: missing segments are random bits (no presence mask is sent); ``m``, ``u``:
    [features][levels]; ``match_rate`` is ρ; ``strangers`` the mean of λ and
    ``clumping`` the shape of its gamma distribution; ``screen`` the cut; ``threshold`` in nats.
    """

    bits: tuple[int, ...]
    random_fill: bool
    m: tuple[tuple[float, ...], ...]
    u: tuple[tuple[float, ...], ...]
    match_rate: float
    strangers: float
    clumping: float
    screen: float
    threshold: float
    method: str

    def evidence(self) -> Float:
        """Log m/u by feature and level: float64[features, levels + 1]; the last is missing, 0."""
        rows = zip(self.m, self.u, strict=True)
        ratio = tail_free_ratio if self.random_fill else monotone_ratio
        ratios = [ratio(np.array(m), np.array(u)) for m, u in rows]
        logs = np.clip(np.log(np.array(ratios)), LEAST_EVIDENCE, MOST_EVIDENCE)
        return np.concatenate([logs, np.zeros((len(logs), 1))], axis=1)

    def distance_scores(self, plan: Plan) -> NDArray[np.float32]:
        """Evidence by Hamming distance, for the kernels: float32[features, m + 1]."""
        evidence = self.evidence()
        features = np.arange(plan.features)[:, None]
        return evidence[features, level_table(plan)].astype(np.float32)

    def common(self, company: NDArray[np.int64]) -> Float:
        """What all candidates of a row share: log ρ/(1-ρ) - log λ, float64 like ``company``."""
        rho = self.match_rate
        return math.log(rho / (1 - rho)) - np.log(self.expected_strangers(company))

    def expected_strangers(self, company: NDArray[np.int64]) -> Float:
        """λ of a row with ``company`` other survivors: the mean of a gamma-Poisson posterior."""
        k, mean = self.clumping, self.strangers
        posterior: Float = ((k + company) * mean / (k + mean)).astype(np.float64)
        return posterior

    def score(self, survivors: Survivors) -> Float:
        """Scores of all survivors, float64[n], rounded to 10⁻⁶: equal rows score equally."""
        evidence = self.evidence()
        features = np.arange(evidence.shape[0])
        total = evidence[features, survivors.levels].sum(axis=1) + self.common(survivors.company)
        rounded: Float = np.round(total, 6)
        return rounded

    def to_json(self) -> str:
        """As a JSON object; :meth:`from_json` reads it back exactly."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote. Raises ValueError on anything else."""
        try:
            raw = json.loads(text)
            raw["bits"] = tuple(int(b) for b in raw["bits"])
            raw["m"] = tuple(tuple(float(x) for x in row) for row in raw["m"])
            raw["u"] = tuple(tuple(float(x) for x in row) for row in raw["u"])
            return cls(**raw)
        except (KeyError, TypeError) as e:
            raise ValueError("not a calibration") from e


def monotone_ratio(m: Float, u: Float) -> Float:
    """m/u by level, made non-increasing by pooling adjacent violators (weights u)."""
    blocks: list[list[float]] = []
    for a, b in zip(m, u, strict=True):
        blocks.append([float(a), float(b), 1])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] < blocks[-1][0] * blocks[-2][1]:
            last = blocks.pop()
            blocks[-1] = [x + y for x, y in zip(blocks[-1], last, strict=True)]
    return np.concatenate([np.full(int(n), a / b) for a, b, n in blocks])


def tail_free_ratio(m: Float, u: Float) -> Float:
    """As :func:`monotone_ratio`, but the levels of random bits stand apart, and are at most 1.

    Where a missing segment is random bits, those levels hold missing values as well as different
    ones, and strangers that share a salt may be *less* random than a missing value: an identity
    number holds the birth date. A missing value is evidence against a match at most as far as
    missing values are rarer among matches, and never evidence for one.
    """
    tail = slice(RANDOM_LEVEL, None)
    randomly = np.minimum(monotone_ratio(m[tail], u[tail]), 1.0)
    return np.concatenate([monotone_ratio(m[:RANDOM_LEVEL], u[:RANDOM_LEVEL]), randomly])


def priors(plan: Plan) -> tuple[Float, Float]:
    """Shipped m and u, float64[features, levels] each.

    A match's segment is mostly equal or near, sometimes missing or wrong. A stranger past the
    screen is mostly noise, and alike now and then. A trade is rare in matches, not in noise.
    """
    near = 0.6 * 0.45 ** np.arange(LEVELS) + 0.004
    near[-1] += 0.03
    alike = np.linspace(0.5, 1.5, LEVELS)
    m = np.tile(near / near.sum(), (plan.features, 1))
    u = np.tile(alike / alike.sum(), (plan.features, 1))
    for f, bits in enumerate(plan.bits):
        u[f] = 0.8 * noise_levels(int(bits)) + 0.2 * u[f]
    if plan.features > plan.segments:
        m[-1], u[-1] = TINY, TINY
        m[-1, :2], u[-1, :2] = (0.97, 0.03), (0.6, 0.4)
    return m, u


def counts_by_level(survivors: Survivors, weights: Float, features: int) -> Float:
    """Weighted counts of the levels, missing left out: float64[features, levels]."""
    counts = [
        np.bincount(survivors.levels[:, f], weights=weights, minlength=LEVELS + 1)[:LEVELS]
        for f in range(features)
    ]
    return np.array(counts, dtype=np.float64)


def from_strangers(plan: Plan, decoys: Survivors, cut: float) -> Calibration:
    """Measure u and λ on provider rows asked of the provider; m and ρ are the priors'."""
    prior_m, prior_u = priors(plan)
    seen = counts_by_level(decoys, np.ones(len(decoys.row)), plan.features)
    u = seen + PRIOR_PAIRS * prior_u
    per_row = decoys.per_row(np.ones(len(decoys.row)))
    mean = (float(per_row.sum()) + 0.5) / (decoys.rows + 1)
    spread = float(per_row.var()) - mean if decoys.rows else 0.0
    return Calibration(
        bits=tuple(int(b) for b in plan.bits),
        random_fill=plan.random_fill,
        m=_rows(prior_m),
        u=_rows(u / u.sum(axis=1, keepdims=True)),
        match_rate=0.5,
        strangers=mean,
        clumping=float(np.clip(mean * mean / max(spread, 1e-9), 0.05, 20.0)),
        screen=cut,
        threshold=0.0,
        method="priors",
    )


def _rows(table: Float) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(x) for x in row) for row in table)
