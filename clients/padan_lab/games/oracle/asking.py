"""What a requester reads of somebody who is not on its list, by asking with vectors of its making.

The requester holds the linkage key: it puts what it knows of a target right, and in place of what
it does not know any bits it likes, such as the majority of many candidates' filters. The unit's
own matcher and metering answer (:mod:`.metered`); candidates are weighed at home by the likelihood
of all answers. Start at :class:`AskedTarget`. Spec: ``proto/spec/15-hardening.md``, "The
requester's oracle".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_lab.games.oracle.published import AskedRegistry
from padan_linkage.answering.outcomes import NOT_MATCHED
from padan_linkage.encoding import PassEncoder
from padan_linkage.matching.scoring.calibration import Survivors
from padan_linkage.matching.scoring.features import FeaturePlan, levels_of, noise_of
from padan_linkage.matching.similar import decided
from padan_linkage.schema import Pass

Words = NDArray[np.uint64]
Column = NDArray[np.uint8]
Float = NDArray[np.float64]
Numbers = NDArray[np.int64]

#: Chance that an answer is not what the attacker works out: somebody else of the target's salt.
SURPRISE = 1e-4
#: Below it a chance is nothing.
TINY = 1e-300
#: So many candidates make a majority vector; 0: random bits.
CROWDS = (1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 65, 0)
#: Vectors tried before one is asked, and of each kind before a list, on so many candidates.
_TRIES, _SAMPLE = 3, 4_000
#: A vector that covers more than this is not drawn towards what it covers.
_MOST_DRAWN = 256
#: An answer that is surer than this is taken for granted while the rest of a list is made.
_EXPECTED = 0.8
#: So many of a list's vectors are expected to meet the target at most: a list in excess is closed.
_MOST_MET = 2.5


@dataclass(frozen=True, repr=False)
class Sought:
    """Somebody of the registry of whom one field is not known; ``values``: what it may be.

    ``prior``: float64[n], how likely each is; the right one is number ``truth``.
    """

    known: Mapping[str, str]
    unknown: str
    values: Sequence[str]
    prior: Float
    truth: int

    def records(self, unit: AskedRegistry) -> dict[str, pa.StringArray]:
        """A record of each value, as the target's might be."""
        n = len(self.values)
        given = {name: [value] * n for name, value in self.known.items()}
        given[self.unknown] = list(self.values)
        return {f.name: pa.array(given.get(f.name, [""] * n)) for f in unit.schema.fields}


@dataclass(frozen=True, repr=False)
class OracleTarget:
    """Somebody of the registry, of whom one field is not known, and what that field may be.

    ``codes``: uint64[words, n], each candidate's filter in the segment that holds the field;
    ``filters``: uint64[words], a whole filter whose other segments are right but for as many bits
    as make the answer depend on this one; ``first``: where the segment begins in it; ``bucket``:
    uint8[2]; ``response``: int64[m + 1], the answer by the segment's distance, as the attacker
    works it out on a registry of her own; ``truth``: the right candidate's number.
    """

    p: Pass
    codes: Words
    filters: Words
    first: int
    bucket: Column
    response: Numbers
    truth: int

    @classmethod
    def of(cls, unit: AskedRegistry, p: Pass, who: Sought) -> Self:
        """Encodes every value that the unknown field may have beside the known ones."""
        unknown, truth = who.unknown, who.truth
        made = PassEncoder(unit.schema, p, unit.key).encode(who.records(unit), drbg=unit.drbg)
        row_of = np.argsort(made.record_of_row)
        filters = np.ascontiguousarray(made.table.columns["filters"][row_of]).view("<u8")
        number = next(i for i, s in enumerate(p.similar) if unknown in s.fields)
        plan = FeaturePlan.of(p, presence=unit.schema.presence)
        first, words = int(plan.seg_start[number]), int(plan.seg_words[number])
        some = range(0, int(plan.bits.min()) // 2, 8)
        wrong = max(some, key=lambda n: _tells(unit, plan, p, number, n))
        return cls(
            p=p,
            codes=np.ascontiguousarray(filters[:, first : first + words].T),
            filters=filters[truth] ^ _flips(plan, number, wrong),
            first=first,
            bucket=made.table.columns["keys"][row_of[truth]],
            response=response_of(unit, plan, p, number, wrong),
            truth=truth,
        )

    def rows(self, vectors: Words) -> dict[str, Column]:
        """Columns of a list's rows with ``vectors``, uint64[k, words], in the unknown segment."""
        filters = np.tile(self.filters, (len(vectors), 1))
        filters[:, self.first : self.first + vectors.shape[1]] = vectors
        shown = filters.view(np.uint8).reshape(len(vectors), 8 * len(self.filters))
        return {"keys": np.tile(self.bucket, (len(vectors), 1)), "filters": shown}


def response_of(
    unit: AskedRegistry, plan: FeaturePlan, p: Pass, number: int, wrong: int = 0
) -> Numbers:
    """The answer by distance of segment ``number``, int64[m + 1].

    The others are right but for ``wrong`` bits each.
    """
    calibration = unit.calibrations[p.id]
    every = np.arange(int(plan.bits[number]) + 1)
    values = np.zeros((len(every), plan.features), np.int64)
    values[:, : plan.segments] = wrong
    values[:, number] = every
    pairs = Survivors(
        len(every), every, every, 0 * every, levels_of(plan, values), noise_of(plan, values)
    )
    below = np.maximum(plan.bits / 2 - values[:, : plan.segments], 0.0) ** 2 * 4 / plan.bits
    seen = below.sum(axis=1) >= calibration.screen
    score = np.where(seen, calibration.score(pairs), -np.inf)
    alone = np.full(len(every), -np.inf)
    return decided(score, alone, calibration, unit.policy).astype(np.int64)


def _tells(unit: AskedRegistry, plan: FeaturePlan, p: Pass, number: int, wrong: int) -> float:
    """What an answer tells where the segment is random bits, nats."""
    m = int(plan.bits[number])
    chance = np.array([math.comb(m, d) / 2**m for d in range(m + 1)])
    return _entropy(response_of(unit, plan, p, number, wrong), chance)


def _flips(plan: FeaturePlan, number: int, wrong: int) -> Words:
    """A whole filter's bits, uint64[words]: ``wrong`` set in every segment but ``number``."""
    bits = np.zeros(plan.words * 64, np.uint8)
    for segment, start in enumerate(plan.seg_start.tolist()):
        if segment != number:
            bits[start * 64 : start * 64 + wrong] = 1
    return np.packbits(bits, bitorder="little").view(np.uint64)


@dataclass(frozen=True)
class Reading:
    """What was read of one target.

    ``rank``: of the truth among ``candidates``, half of the ties before it; ``bits``: log₂ of how
    much likelier the truth became; ``charged``: rows that were asked.
    """

    rank: float
    candidates: int
    bits: float
    charged: int

    @classmethod
    def of(cls, weight: Float, truth: int, charged: int, prior: Float) -> Self:
        """By log-likelihoods of the candidates, their prior chances in them, float64[n]."""
        mine, chance = weight[truth], chances_of(weight)
        return cls(
            rank=float((weight > mine).sum() + ((weight == mine).sum() + 1) / 2),
            candidates=len(weight),
            bits=float(np.log2(max(chance[truth], TINY) / prior[truth])),
            charged=charged,
        )


@dataclass(repr=False)
class AskedTarget:
    """A target while it is asked about; ``weight``: float64[candidates], log-likelihoods."""

    target: OracleTarget
    prior: Float
    weight: Float
    charged: int = 0

    @classmethod
    def of(cls, target: OracleTarget, who: Sought) -> Self:
        """What is known before a question."""
        return cls(target, who.prior, np.log(who.prior))

    @property
    def known(self) -> bool:
        """Whether one candidate is left."""
        return bool(chances_of(self.weight).max() >= 1 - SURPRISE)

    def crafted(self, most: int, rng: np.random.Generator, *, honest: bool) -> Words:
        """Vectors to ask next, uint64[k, words], ``most`` at most; none once it is known."""
        if self.known:
            return np.zeros((0, len(self.target.codes)), np.uint64)
        return _Crafting(self.target, self.weight, rng, honest).made(most)

    def told(self, vectors: Words, answers: Numbers | None) -> None:
        """Weigh what came of the vectors; None of a list that was closed."""
        self.charged += len(vectors)
        for vector, answer in zip(vectors, () if answers is None else answers, strict=False):
            right = self.target.response[_distances(self.target.codes, vector)] == answer
            self.weight += np.where(right, math.log1p(-SURPRISE), math.log(SURPRISE))

    @property
    def reading(self) -> Reading:
        """What is read by now."""
        return Reading.of(self.weight, self.target.truth, self.charged, self.prior)


class _Crafting:
    """Makes the vectors of one list, each as if the likeliest answer had come to those before."""

    def __init__(
        self, target: OracleTarget, weight: Float, rng: np.random.Generator, honest: bool
    ) -> None:
        self._target, self._rng, self._honest = target, rng, honest
        self._left = chances_of(weight)
        self._crowd = 1 if honest else self._best_crowd()

    def made(self, most: int) -> Words:
        """Vectors, uint64[k, words]: so many at most, and as few as are safe to be met."""
        vectors: list[Words] = []
        covered = 0.0
        while len(vectors) < most and covered < _MOST_MET:
            vector, mass = self._next()
            vectors.append(vector)
            covered += mass
        return np.stack(vectors)

    def _next(self) -> tuple[Words, float]:
        """A vector, and how likely it is met."""
        tried = [self._drawn(self._vector(self._crowd)) for _ in range(_TRIES)]
        answers = [self._target.response[_distances(self._target.codes, v)] for v in tried]
        best = int(np.argmax([_entropy(a, self._left) for a in answers]))
        met = float(self._left[answers[best] != NOT_MATCHED].sum())
        shares = np.bincount(answers[best], self._left)
        if shares.max() > _EXPECTED:
            rest = np.where(answers[best] == shares.argmax(), self._left, 0.0)
            self._left = rest / rest.sum()
        return tried[best], met

    def _best_crowd(self) -> int:
        """How many candidates a vector should be made of, to be told most by the answer."""
        some = self._rng.choice(
            len(self._left), min(_SAMPLE, len(self._left)), p=None, replace=False
        )
        codes, left = self._target.codes[:, some], self._left[some] + 1e-300
        told = []
        for crowd in CROWDS:
            tried = [self._vector(crowd) for _ in range(_TRIES)]
            answers = [self._target.response[_distances(codes, v)] for v in tried]
            told.append(max(_entropy(a, left / left.sum()) for a in answers))
        return CROWDS[int(np.argmax(told))]

    def _vector(self, crowd: int) -> Words:
        """The majority of so many candidates, by their chances."""
        if not crowd:
            return self._rng.integers(0, 1 << 64, len(self._target.codes), np.uint64)
        place = np.searchsorted(np.cumsum(self._left), self._rng.random(crowd))
        return self._majority(np.minimum(place, len(self._left) - 1))

    def _drawn(self, vector: Words) -> Words:
        """The vector, or the majority of what it covers if that covers more."""
        covered = self._covered(vector)
        if self._honest or not self._crowd or not 1 < len(covered) <= _MOST_DRAWN:
            return vector
        drawn = self._majority(covered)
        gained = self._left[self._covered(drawn)].sum() > self._left[covered].sum()
        return drawn if gained else vector

    def _covered(self, vector: Words) -> Numbers:
        answers = self._target.response[_distances(self._target.codes, vector)]
        return np.flatnonzero((answers != NOT_MATCHED) & (self._left > 0))

    def _majority(self, which: Numbers) -> Words:
        """The bits that most of these candidates have, chance deciding ties."""
        filters = np.ascontiguousarray(self._target.codes[:, which].T)
        votes = np.unpackbits(filters.view(np.uint8), axis=1).mean(axis=0)
        votes += 1e-3 * self._rng.standard_normal(len(votes))
        majority: Words = np.packbits(votes > 0.5).view(np.uint64)
        return majority


def _distances(codes: Words, vector: Words) -> Numbers:
    apart: Numbers = np.bitwise_count(codes ^ vector[:, None]).sum(axis=0, dtype=np.uint16)
    return apart


def chances_of(weight: Float) -> Float:
    """Posterior chances of the candidates, from log-likelihoods."""
    likely = np.exp(weight - weight.max())
    chance: Float = likely / likely.sum()
    return chance


def _entropy(answers: Numbers, chance: Float) -> float:
    """What an answer is expected to tell, nats."""
    shares = np.bincount(answers, chance)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
