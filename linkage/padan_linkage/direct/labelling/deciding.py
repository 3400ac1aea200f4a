"""Who answers a record, of the persons that it met: one decision, for lists and for measuring.

Spec 60, "Answers".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    BELOW_PRECISION,
    BROKEN_LABEL,
    MATCHED,
    NO_REASON,
    UNDECIDED,
)
from padan_linkage.direct.labelling.scoring import rarest, scores
from padan_linkage.direct.schema import DirectSchema

Bool = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Encounters:
    """``m`` values of records that are somebody's: ``record``, ``person``, ``key``, int64[m] each.

    ``rarity``: uint8[m], as the label says it.
    """

    record: Numbers
    person: Numbers
    key: Numbers
    rarity: NDArray[np.uint8]

    def __repr__(self) -> str:
        return f"Encounters(labels={len(self.record)})"


@dataclass(frozen=True, repr=False)
class Acquaintances:
    """Whom records met: ``p`` pairs of a record and a person, ascending by both.

    ``record``, ``person``: int64[p]; ``keys``: int64[p], bit i set where key number i met;
    ``opens``: bool[p], that is enough to open the person's labels; ``strong``: bool[p], a strong
    key met; ``score``: int64[p], quarter bits, 0 where the agreement weighs nothing.
    """

    record: Numbers
    person: Numbers
    keys: Numbers
    opens: Bool
    strong: Bool
    score: Numbers

    def __len__(self) -> int:
        return len(self.record)

    def __repr__(self) -> str:
        return f"Acquaintances(pairs={len(self)})"

    @classmethod
    def of(
        cls, schema: DirectSchema, met: Encounters, asked: Bool
    ) -> tuple[Acquaintances, Numbers]:
        """Those of ``m`` meetings, and the pair that each meeting is of, int64[m].

        ``asked``: bool[records, keys], under which keys each record asked anything.
        """
        persons = int(met.person.max()) + 1 if len(met.person) else 1
        pairs, at = np.unique(met.record * persons + met.person, return_inverse=True)
        pair, record = at.reshape(-1), pairs // persons
        keys = np.zeros(len(pairs), np.int64)
        np.bitwise_or.at(keys, pair, np.int64(1) << met.key)
        # Spec 60, "Answers", step 1.
        shared = keys & _bits(schema, [k.shared for k in schema.keys])
        strong = (keys & _bits(schema, [not k.weak for k in schema.keys])) != 0
        alone = (keys & _bits(schema, [not k.shared for k in schema.keys])) != 0
        several = (shared & (shared - 1)) != 0
        score = np.zeros(len(pairs), np.int64)
        if schema.score is not None:
            put = (asked * (np.int64(1) << np.arange(asked.shape[1]))).sum(axis=1)
            rare = rarest(len(pairs), pair, met.rarity)
            score = scores(schema, schema.score, keys, put[record], rare)
        return cls(record, pairs % persons, keys, alone | several, strong, score), pair

    def sure(self, schema: DirectSchema) -> Bool:
        """Who opens, and where the agreement weighs it by enough; bool[p]."""
        if schema.score is None:
            return self.opens
        enough: Bool = self.opens & (self.score >= schema.score.threshold)
        return enough


@dataclass(frozen=True, repr=False)
class Said:
    """What the labels of ``p`` pairs say, where they open: codes uint64[p], or ``set_aside``.

    ``set_aside``: bool[p], of the person no one answer is right; ``broken``: bool[p], the labels
    say nothing that they may.
    """

    codes: NDArray[np.uint64]
    set_aside: Bool
    broken: Bool


@dataclass(frozen=True, repr=False)
class Decided:
    """Answers to records, and the ``ways`` to them: keys' numbers, which ``answered_by`` counts."""

    answers: RecordAnswers
    ways: tuple[tuple[int, ...], ...]

    def settled_by(self, key: int, outcome: int) -> int:
        """Records with this outcome whose person that key met."""
        mine = np.array([key in way for way in self.ways] + [False])
        return int((mine[self.answers.answered_by] & (self.answers.outcome == outcome)).sum())


def decide(schema: DirectSchema, records: int, met: Acquaintances, said: Said) -> Decided:
    """The answer to each of ``records``.

    Of the persons that open, and are sure enough where the agreement weighs them, the best are left
    (:func:`_best`). One who is left answers; several do if strong keys met all and their codes are
    equal. Otherwise the record is ambiguous, as it is where a person who is set aside is left; it
    is undecided where labels are broken, or whoever opens is not sure enough.
    """
    # Spec 60, step 13, that is Spec 60, "Answers", steps 2 to 5.
    open_pairs = np.flatnonzero(met.opens)
    sure = np.flatnonzero(met.sure(schema))
    left = _best(schema, met, sure)
    broken, unsure = np.zeros(records, np.bool_), np.zeros(records, np.bool_)
    broken[met.record[open_pairs[said.broken[open_pairs]]]] = True
    unsure[met.record[open_pairs]] = True
    unsure[met.record[sure]] = False
    spoken = np.sort(np.concatenate([left, open_pairs[unsure[met.record[open_pairs]]]]))
    clear, code, keys = _agreed(records, met, said, spoken)
    clear &= ~broken & ~unsure
    answers, settled = RecordAnswers.none(records), np.unique(met.record[spoken])
    ways, way = np.unique(keys[settled], return_inverse=True)
    answers.answered_by[settled] = way.reshape(-1)
    outcome = np.select([broken | unsure, clear], [UNDECIDED, MATCHED], AMBIGUOUS)
    reason = np.select([broken, unsure], [BROKEN_LABEL, BELOW_PRECISION], NO_REASON)
    answers.outcome[settled] = outcome[settled]
    answers.reason[settled] = reason[settled]
    answers.code[settled] = np.where(clear, code, np.uint64(0))[settled]
    return Decided(answers, tuple(_numbers(keys) for keys in ways.tolist()))


def _best(schema: DirectSchema, met: Acquaintances, pairs: Numbers) -> Numbers:
    """Of pairs, ascending by record, those who stand before the others of their record.

    Those whom a strong key met before the others. Of those, where the agreement weighs them,
    whoever is not behind the heaviest by the margin, and otherwise whoever agrees in more of the
    same parts than others.
    """
    strongly = np.unique(met.record[pairs[met.strong[pairs]]])
    left = pairs[met.strong[pairs] | ~np.isin(met.record[pairs], strongly)]
    record = met.record[left]
    if schema.score is None:
        return left[~_beaten(schema, record, met.keys[left])]
    score, starts = met.score[left], np.searchsorted(record, record)
    heaviest = np.full(len(left), np.iinfo(np.int64).min)
    np.maximum.at(heaviest, starts, score)
    return left[heaviest[starts] - score < schema.score.margin]


def _agreed(
    records: int, met: Acquaintances, said: Said, left: Numbers
) -> tuple[Bool, NDArray[np.uint64], Numbers]:
    """By record: whether those who are left give one code, that code, and which keys met them."""
    record, codes = met.record[left], said.codes[left]
    highest = np.zeros(records, np.uint64)
    lowest = np.full(records, np.iinfo(np.uint64).max, np.uint64)
    np.maximum.at(highest, record, codes)
    np.minimum.at(lowest, record, codes)
    keys = np.zeros(records, np.int64)
    np.bitwise_or.at(keys, record, met.keys[left])
    unclear = np.zeros(records, np.bool_)
    unclear[record[said.set_aside[left]]] = True
    several = np.bincount(record, minlength=records) > 1
    weakly = np.zeros(records, np.bool_)
    weakly[record[~met.strong[left]]] = True
    return ~unclear & ~(several & weakly) & (highest == lowest), highest, keys


def _beaten(schema: DirectSchema, record: Numbers, keys: Numbers) -> Bool:
    """Of pairs, ascending by record: who agrees in a true part of what another agrees in."""
    starts = np.searchsorted(record, record)
    size = np.searchsorted(record, record, side="right") - starts
    contested = np.flatnonzero(size > 1)
    beaten = np.zeros(len(record), np.bool_)
    if not len(contested):
        return beaten
    kinds, kind = np.unique(keys, return_inverse=True)
    beats = _beats(schema, kinds.tolist())
    kind = kind.reshape(-1)
    mine = np.repeat(contested, size[contested])
    ends = np.cumsum(size[contested])
    among = np.arange(ends[-1]) - np.repeat(ends - size[contested], size[contested])
    other = starts[mine] + among
    beaten[mine[beats[kind[other], kind[mine]]]] = True
    return beaten


def _beats(schema: DirectSchema, kinds: list[int]) -> Bool:
    """Which sets of keys agree in more than which, of the same parts."""
    parts = [
        frozenset(part for n in _numbers(keys) for part in schema.keys[n].exact) for keys in kinds
    ]
    return np.array([[one > other for other in parts] for one in parts], np.bool_)


def _bits(schema: DirectSchema, chosen: list[bool]) -> np.int64:
    return np.int64(sum(1 << n for n in range(len(schema.keys)) if chosen[n]))


def _numbers(keys: int) -> tuple[int, ...]:
    return tuple(n for n in range(keys.bit_length()) if keys >> n & 1)
