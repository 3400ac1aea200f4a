"""Blind calibration of a filter pass: from distances to evidence, with no labelled pair.

Spec: ``proto/spec/35-matching.md``, "Score". The score of requester row i and provider row j is the
log odds that j is i's match against a stranger that looks like it:

    s_ij = log ρ/(1-ρ) + log m(x_ij) - log ( Σ_k λ_ik u_k(x_ij) + c u_0(x_ij) )

m is the probability of the pair's levels among matches, u_k among strangers of kind k, both *among
the pairs that pass the screen*; ρ is the share of requester rows with a match that can be found in
this pass; λ_ik is the number of strangers of kind k expected to pass the screen for a row like i.
u_0 is the chance of unrelated salts, known exactly by distance, and c the company that a row finds
in its bucket: coarse buckets are harmless because their noise is counted, not guessed.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from padan_linkage.matching.scoring.features import (
    LEVELS,
    RANDOM_LEVEL,
    FeaturePlan,
    level_table,
    levels_around,
)
from padan_linkage.matching.scoring.strangers import (
    Float,
    Mixture,
    StrangerKind,
    clumping_of,
    kinds_of,
    log_sum,
)

#: Probability of levels that a feature does not have.
TINY = 1e-9
#: Of a match's segments, shipped: equal or nearly so, changed by a few letters, wrong or missing.
EQUAL, CHANGED, WRONG = 0.8, 0.12, 0.08
#: Evidence of one feature is held within these bounds (nats).
LEAST_EVIDENCE, MOST_EVIDENCE = -4.0, 12.0


@dataclass(frozen=True)
class Survivors:
    """Pairs that passed the screen, for a sample of asking rows.

    ``asking``: int64[rows], the table rows that ask; ``row``: int64[n], position in ``asking``;
    ``other``: int64[n], the provider row; ``levels``: int64[n, features], LEVELS where a side is
    missing; ``noise``: float64[n], log chance of the distances between unrelated salts
    (:func:`.features.noise_of`); ``unseen``: int64[rows], further survivors of the row that are not
    listed, or [0].
    """

    rows: int
    asking: NDArray[np.int64]
    row: NDArray[np.int64]
    other: NDArray[np.int64]
    levels: NDArray[np.int64]
    noise: Float
    unseen: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def per_row(self, values: Float) -> Float:
        """Sum ``values`` (float64[n]) by asking row: float64[rows]."""
        total: Float = np.bincount(self.row, weights=values, minlength=self.rows).astype(np.float64)
        return total

    def best(self, scores: Float) -> Float:
        """Highest score of each asking row, float64[rows]; -inf without a survivor."""
        best = np.full(self.rows, -np.inf)
        np.maximum.at(best, self.row, scores)
        return best

    def beside(self, more: Survivors) -> Survivors:
        """The same with the pairs of other rows, whose ``unseen`` may not be wanted."""
        return Survivors(
            rows=self.rows + more.rows,
            asking=np.concatenate([self.asking, more.asking]),
            row=np.concatenate([self.row, more.row + self.rows]),
            other=np.concatenate([self.other, more.other]),
            levels=np.concatenate([self.levels, more.levels]),
            noise=np.concatenate([self.noise, more.noise]),
        )

    def without(self, dropped: NDArray[np.bool_]) -> Survivors:
        """The same, but for some of the pairs."""
        kept = ~dropped
        return Survivors(
            rows=self.rows,
            asking=self.asking,
            row=self.row[kept],
            other=self.other[kept],
            levels=self.levels[kept],
            noise=self.noise[kept],
            unseen=self.unseen,
        )


@dataclass(frozen=True)
class Calibration:
    """Everything that turns distances into outcomes in one pass; plain numbers, so it can be kept.

    ``random_fill``: missing segments are random bits (no presence mask is sent); ``m``:
    [features][levels] of matches; ``kinds`` of strangers; ``match_rate`` is ρ; ``company``: rows of
    unrelated salts that a row is compared with, 0 where they are among the kinds; ``screen`` the
    cut; ``threshold`` in nats; ``doubt``: the score from which on a row below the threshold is
    undecided; ``method`` as in :class:`padan_linkage.matching.result.Scoring`.
    """

    bits: tuple[int, ...]
    random_fill: bool
    m: tuple[tuple[float, ...], ...]
    kinds: tuple[StrangerKind, ...]
    match_rate: float
    company: float
    screen: float
    threshold: float
    doubt: float
    method: str

    @property
    def strangers(self) -> float:
        """Strangers of any kind that pass the screen for a row, on average."""
        return sum(kind.mean for kind in self.kinds)

    def drawn(self, threshold: float, doubt: float) -> Calibration:
        """The same with another threshold, and the score from which on rows are undecided."""
        return replace(self, threshold=threshold, doubt=doubt)

    def mixture(self) -> Mixture:
        """The kinds by their shares of all strangers."""
        mean = np.array([kind.mean for kind in self.kinds])
        return Mixture(mean / mean.sum(), np.array([kind.u for kind in self.kinds]))

    def evidence(self) -> Float:
        """Log m/u by kind, feature and level: float64[kinds, features, levels + 1].

        The last level is missing, and 0.
        """
        ratio = tail_free_ratio if self.random_fill else monotone_ratio
        ratios = [
            [ratio(np.array(m), np.array(u)) for m, u in zip(self.m, kind.u, strict=True)]
            for kind in self.kinds
        ]
        logs = np.clip(np.log(np.array(ratios)), LEAST_EVIDENCE, MOST_EVIDENCE)
        return np.concatenate([logs, np.zeros((*logs.shape[:2], 1))], axis=2)

    def distance_scores(self, plan: FeaturePlan) -> NDArray[np.float32]:
        """Evidence by Hamming distance against the average stranger: float32[features, m + 1].

        For the kernels, which keep the likeliest few candidates by it; :meth:`score` ranks those.
        """
        kinds = self.mixture()
        pooled = StrangerKind(_rows(np.tensordot(kinds.share, kinds.u, 1)), self.strangers, 1.0)
        average = replace(self, kinds=(pooled,))
        features = np.arange(plan.features)[:, None]
        by_level: NDArray[np.float32] = average.evidence()[0].astype(np.float32)
        return by_level[features, level_table(plan)]

    def expected_strangers(self, survivors: Survivors) -> Float:
        """λ of each survivor's row by kind, float64[kinds, n], given the company it finds there.

        The mean of a gamma-Poisson posterior. All survivors of a row but one are company, each of
        the kinds that it would belong to; which one is not must not matter to how they rank, so all
        are counted by (n - 1)/n. One that is not listed is taken for an average one.
        """
        kinds = self.mixture()
        belongs = kinds.membership(survivors.levels)
        unseen = survivors.unseen if len(survivors.unseen) else np.zeros(survivors.rows, np.int64)
        number = survivors.per_row(np.ones(len(survivors.row))) + unseen
        others = np.maximum(number - 1, 0) / np.maximum(number, 1)
        expected = np.empty_like(belongs)
        for k, kind in enumerate(self.kinds):
            company = others * (survivors.per_row(belongs[k]) + kinds.share[k] * unseen)
            row = (kind.clumping + company) * kind.mean / (kind.clumping + kind.mean)
            expected[k] = row[survivors.row]
        return expected

    def score(self, survivors: Survivors, strangers: Float | None = None) -> Float:
        """Scores of all survivors, float64[n], rounded to 10⁻⁶: equal rows score equally.

        ``strangers``: what :meth:`expected_strangers` gives, where it is known already.
        """
        expected = self.expected_strangers(survivors) if strangers is None else strangers
        evidence = self.evidence()
        features = np.arange(evidence.shape[1])
        against = np.array([kind[features, survivors.levels].sum(axis=1) for kind in evidence])
        prior = math.log(self.match_rate / (1 - self.match_rate))
        parts = np.concatenate([np.log(expected) - against, self._unrelated(survivors)])
        rounded: Float = np.round(prior - log_sum(parts), 6)
        return rounded

    def _unrelated(self, survivors: Survivors) -> Float:
        """Log of c u_0/m for every survivor, float64[1, n]; without a company float64[0, n]."""
        if not self.company:
            return np.zeros((0, len(survivors.row)))
        m = np.concatenate([np.log(self.m), np.zeros((len(self.m), 1))], axis=1)
        alike = m[np.arange(len(m)), survivors.levels].sum(axis=1)
        unrelated: Float = (math.log(self.company) + survivors.noise - alike)[None]
        return unrelated

    def to_json(self) -> str:
        """As a JSON object; :meth:`from_json` reads it back exactly."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote. Raises ValueError on anything else."""
        try:
            raw = from_json(text)
            raw["bits"] = tuple(int(b) for b in raw["bits"])
            raw["m"] = _rows(raw["m"])
            raw["kinds"] = tuple(StrangerKind(**(k | {"u": _rows(k["u"])})) for k in raw["kinds"])
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


def priors(plan: FeaturePlan) -> tuple[Float, Float]:
    """Shipped m and u, float64[features, levels] each.

    A match's segment is mostly equal, sometimes changed by a letter or two, now and then missing or
    wrong. A stranger past the screen is mostly noise, and alike now and then. A trade is rare in
    matches, not in noise.
    """
    near = 0.45 ** np.arange(LEVELS)
    alike = np.linspace(0.5, 1.5, LEVELS)
    m, u = np.full((2, plan.features, LEVELS), TINY)
    for f, bits in enumerate(plan.bits):
        noise = levels_around(int(bits))
        changed = np.mean([levels_around(int(bits), d) for d in plan.edited[f]], axis=0)
        m[f] = EQUAL * near / near.sum() + CHANGED * changed + WRONG * noise
        u[f] = 0.8 * noise + 0.2 * alike / alike.sum()
    if plan.features > plan.segments:
        m[-1, :2], u[-1, :2] = (0.97, 0.03), (0.6, 0.4)
    return np.maximum(m, TINY), u


def from_strangers(
    plan: FeaturePlan, decoys: Survivors, cut: float, company: float = 0.0
) -> Calibration:
    """Learn the kinds of strangers from provider rows asked of the provider; m and ρ are priors."""
    prior_m, prior_u = priors(plan)
    mixture = kinds_of(plan, decoys.levels, prior_u)
    belongs = mixture.membership(decoys.levels)
    kinds = []
    for share, u, member in zip(mixture.share, mixture.u, belongs, strict=True):
        per_row = decoys.per_row(member)
        mean = (float(per_row.sum()) + 0.5 * float(share)) / (decoys.rows + 1)
        kinds.append(StrangerKind(_rows(u), mean, clumping_of(per_row, mean)))
    return Calibration(
        bits=tuple(int(b) for b in plan.bits),
        random_fill=plan.random_fill,
        m=_rows(prior_m),
        kinds=tuple(kinds),
        match_rate=0.5,
        company=company,
        screen=cut,
        threshold=0.0,
        doubt=0.0,
        method="priors",
    )


def _rows(table: Float) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(x) for x in row) for row in table)
