"""What a requester reads of somebody who is not on its list, by asking with vectors of its making.

The requester holds the linkage key: it puts what it knows of a target right, and in place of what
it does not know any bits it likes, such as the majority of many candidates' filters. The unit's
own matcher answers; candidates are weighed at home by the likelihood of all answers. Start at
:func:`play`. Spec: ``proto/spec/15-hardening.md``, "The requester's oracle".
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
from padan_linkage.answering.outcomes import NOT_MATCHED, STRONGEST_BAND, UNDECIDED
from padan_linkage.encoding import PassEncoder
from padan_linkage.matching import match_pass
from padan_linkage.matching.result import bands
from padan_linkage.matching.scoring.calibration import Survivors
from padan_linkage.matching.scoring.features import FeaturePlan, levels_of, noise_of
from padan_linkage.matching.similar import decided
from padan_linkage.schema import Layout, Pass
from padan_linkage.tables import PassTable

Words = NDArray[np.uint64]
Column = NDArray[np.uint8]
Float = NDArray[np.float64]
Numbers = NDArray[np.int64]

#: Chance that an answer is not what the attacker works out: somebody else of the target's salt.
SURPRISE = 1e-4
#: So many candidates make a majority vector; 0: random bits.
CROWDS = (1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 65, 0)
#: Vectors tried before one is asked, and of each kind before a list, on so many candidates.
_TRIES, _SAMPLE = 3, 4_000
#: A vector that covers more than this is not drawn towards what it covers.
_MOST_DRAWN = 256
#: An answer that is surer than this is taken for granted while the rest of a list is made.
_EXPECTED = 0.8


@dataclass(frozen=True)
class ListRules:
    """What the unit bounds before a list is closed whole.

    ``rows`` about one target, which crowd a bucket; ``answered``: questions that one row of the
    registry answers, None for any number.
    """

    rows: int = 256
    answered: int | None = None


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
    def of(
        cls, unit: AskedRegistry, p: Pass, known: Mapping[str, str], unknown: str,
        values: Sequence[str], truth: int,
    ) -> Self:  # fmt: skip
        """Encodes every one of the ``values`` of ``unknown`` beside the ``known`` fields."""
        n = len(values)
        records = {
            f.name: pa.array(list(values) if f.name == unknown else [known.get(f.name, "")] * n)
            for f in unit.schema.fields
        }
        made = PassEncoder(unit.schema, p, unit.key).encode(records, drbg=unit.drbg)
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

    def ask(self, unit: AskedRegistry, vectors: Words, rules: ListRules) -> Numbers:
        """What the unit answers to ``vectors``, uint64[k, words]: outcome and band, int64[k]."""
        filters = np.tile(self.filters, (len(vectors), 1))
        filters[:, self.first : self.first + vectors.shape[1]] = vectors
        layout = Layout.of(unit.schema, self.p, provider=False)
        columns = {name: np.zeros((len(vectors), w), np.uint8) for name, w in layout.columns()}
        columns["keys"][:] = self.bucket
        columns["filters"][:] = filters.view(np.uint8).reshape(len(vectors), -1)
        if layout.presence:
            columns["presence"][:] = 0xFF
        listed = PassTable(self.p.id, layout, columns)
        made, calibration = unit.tables[self.p.id], unit.calibrations[self.p.id]
        given = match_pass(unit.schema, self.p, made.table, listed, unit.policy, calibration)
        if rules.answered is not None and (given.outcome != NOT_MATCHED).sum() > rules.answered:
            return np.full(len(vectors), _CLOSED)
        return _answers(given.outcome, given.band)


def _answers(outcome: NDArray[np.uint8], band: NDArray[np.uint8]) -> Numbers:
    """Outcome and band of each row as one number."""
    return outcome.astype(np.int64) * _BANDS + band


_BANDS = STRONGEST_BAND + 1
_NOTHING, _CLOSED = NOT_MATCHED * _BANDS, UNDECIDED * _BANDS


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
    outcome = decided(score, np.full(len(every), -np.inf), calibration, unit.policy)
    matched = score >= calibration.threshold
    band = np.where(matched, bands(score, calibration.threshold), 0)
    return _answers(outcome, band.astype(np.uint8))


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


def play(
    unit: AskedRegistry,
    target: OracleTarget,
    rows: int,
    rules: ListRules,
    rng: np.random.Generator,
    *,
    honest: bool = False,
) -> Reading:
    """Ask up to ``rows`` questions about a target, list by list, each by what came of the last.

    ``honest``: only records that might be, each a candidate's own filter.
    """
    weight, asked = np.zeros(target.codes.shape[1]), 0
    while asked < rows and _chance(weight).max() < 1 - SURPRISE:
        vectors = _Crafting(target, weight, rng, honest).made(min(rules.rows, rows - asked))
        asked += len(vectors)
        for vector, answer in zip(vectors, target.ask(unit, vectors, rules), strict=True):
            told = target.response[_distances(target.codes, vector)] == answer
            weight += np.where(told, math.log1p(-SURPRISE), math.log(SURPRISE))
    mine, chance = weight[target.truth], _chance(weight)
    return Reading(
        rank=float((weight > mine).sum() + ((weight == mine).sum() + 1) / 2),
        candidates=len(weight),
        bits=float(np.log2(chance[target.truth] * len(weight))),
        charged=asked,
    )


class _Crafting:
    """Makes the vectors of one list, each as if the likeliest answer had come to those before."""

    def __init__(
        self, target: OracleTarget, weight: Float, rng: np.random.Generator, honest: bool
    ) -> None:
        self._target, self._rng, self._honest = target, rng, honest
        self._left = _chance(weight)
        self._crowd = 1 if honest else self._best_crowd()

    def made(self, number: int) -> Words:
        """So many vectors, uint64[number, words]."""
        return np.stack([self._next() for _ in range(number)])

    def _next(self) -> Words:
        tried = [self._drawn(self._vector(self._crowd)) for _ in range(_TRIES)]
        answers = [self._target.response[_distances(self._target.codes, v)] for v in tried]
        best = int(np.argmax([_entropy(a, self._left) for a in answers]))
        shares = np.bincount(answers[best], self._left)
        if shares.max() > _EXPECTED:
            rest = np.where(answers[best] == shares.argmax(), self._left, 0.0)
            self._left = rest / rest.sum()
        return tried[best]

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
        return np.flatnonzero((answers != _NOTHING) & (self._left > 0))

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


def _chance(weight: Float) -> Float:
    """Posterior chances of the candidates, from log-likelihoods."""
    likely = np.exp(weight - weight.max())
    chance: Float = likely / likely.sum()
    return chance


def _entropy(answers: Numbers, chance: Float) -> float:
    """What an answer is expected to tell, nats."""
    shares = np.bincount(answers, chance)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
