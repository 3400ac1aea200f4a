"""From the answers of separate passes to one answer a record: the requester's last step.

Only here, at the owner of the records, may passes be brought together. Spec:
``proto/spec/35-matching.md``, "Merging".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.answers import OpenedAnswers, RecordAnswers
from padan_linkage.answering.outcomes import (
    ALONE,
    AMBIGUOUS,
    BELOW_PRECISION,
    CODES_DIFFER,
    DISPLACED,
    FIELDS_MISSING,
    MATCHED,
    NOT_MATCHED,
    UNDECIDED,
)
from padan_linkage.merging.rule import MergeRule

Bool = NDArray[np.bool_]


def merge(
    n_records: int, opened: Sequence[OpenedAnswers], rule: MergeRule, *, one_to_one: bool = False
) -> RecordAnswers:
    """Merge the passes' answers: the one code of those that the rule lets answer.

    Passes are numbered as given, and so are the rule's. A decoy and a code that did not open count
    as not matched. An answer without a code is ambiguous: several people fit. Between any two of a
    code, «ganda» and «not found» lies undecided, so that one answer that moves by one step never
    turns one into another. Among equal answers the higher score is kept, otherwise the earlier
    pass. With ``one_to_one`` a registry row answers one record at most: the one with the best
    answer; the others are undecided. ``checks`` are for whoever knows the fields.
    """
    opened = [_heard(o, rule.is_silent(number)) for number, o in enumerate(opened)]
    # Spec 35, "Merging", step 1.
    best = _Best.of(n_records, opened, rule)
    support = _Support.of(n_records, opened, rule)
    merged = best.answers
    found = merged.answered_by >= 0
    # Spec 35, "Merging", step 2.
    settled = found & ~best.contested
    # Spec 35, "Merging", steps 3 and 4.
    near = found | support.near
    merged.outcome[:] = NOT_MATCHED
    merged.outcome[near] = UNDECIDED
    merged.outcome[support.several & ~near] = AMBIGUOUS
    # Spec 25, step 7: without a code, a person whom the registry has several times, with others.
    merged.outcome[settled] = np.where(merged.code[settled] == 0, AMBIGUOUS, MATCHED)
    merged.reason[near] = np.where(found, CODES_DIFFER, support.reason)[near]
    displaced = _displaced(merged, best.score, opened) if one_to_one else np.zeros(0, np.int64)
    merged.outcome[displaced], merged.reason[displaced] = UNDECIDED, DISPLACED
    # Spec 35, "Merging", step 5.
    _vouch(merged, rule)
    return merged.settled()


@dataclass(frozen=True, repr=False)
class _Best:
    """Of every record the best match of a pass that may answer it.

    ``score``: float32[n]; ``contested``: bool[n], another such match gives another code.
    """

    answers: RecordAnswers
    score: NDArray[np.float32]
    contested: Bool

    @classmethod
    def of(cls, n_records: int, opened: Sequence[OpenedAnswers], rule: MergeRule) -> Self:
        best = cls(
            RecordAnswers.none(n_records),
            np.full(n_records, -np.inf, np.float32),
            np.zeros(n_records, np.bool_),
        )
        for number, given in enumerate(opened):
            best.take(number, given, rule.may_answer(number))
        return best

    def take(self, number: int, given: OpenedAnswers, allowed: Bool) -> None:
        """Take in the believed matches of pass ``number`` with records that it may answer."""
        at = np.flatnonzero(given.matched & allowed[given.record])
        record, code = given.record[at], given.payload.codes[at]
        best = self.answers
        first = best.answered_by[record] < 0
        self.contested[record] |= ~first & (code != best.code[record])
        better = first | (given.score[at] > self.score[record])
        chosen, answer = record[better], at[better]
        self.score[chosen] = given.score[answer]
        best.code[chosen] = given.payload.codes[answer]
        best.day[chosen] = given.payload.day[answer]
        best.answered_by[chosen] = number
        best.position[chosen] = answer


@dataclass(frozen=True, repr=False)
class _Support:
    """What the passes say of each record beside what answers it, bool[n] each.

    ``several``: a pass that may answer sees several people; ``near``: some pass comes close, or
    sees what it may not answer; ``reason``: uint8[n], why it is no more than near.
    """

    several: Bool
    near: Bool
    reason: NDArray[np.uint8]

    @classmethod
    def of(cls, n_records: int, opened: Sequence[OpenedAnswers], rule: MergeRule) -> Self:
        several, weak, close = np.zeros((3, n_records), np.bool_)
        for number, given in enumerate(opened):
            allowed = rule.may_answer(number)[given.record]
            seen = given.outcome == AMBIGUOUS
            several[given.record[seen & allowed]] = True
            weak[given.record[(seen | given.matched) & ~allowed]] = True
            close[given.record[given.outcome == UNDECIDED]] = True
        reason = np.where(close, BELOW_PRECISION, ALONE).astype(np.uint8)
        return cls(several, weak | close, reason)


def _heard(given: OpenedAnswers, silent: Bool) -> OpenedAnswers:
    """The answers of a pass, as if it had seen nobody for records that it tells nothing about."""
    outcome = np.where(silent[given.record], NOT_MATCHED, given.outcome).astype(np.uint8)
    return replace(given, outcome=outcome)


def _vouch(merged: RecordAnswers, rule: MergeRule) -> None:
    """Take «not found» back where the given fields would not find everybody often enough."""
    reasons = np.append(rule.unvouched, np.uint8(FIELDS_MISSING))[rule.kind]
    silent = (merged.outcome == NOT_MATCHED) & (reasons > 0)
    merged.outcome[silent] = UNDECIDED
    merged.reason[silent] = reasons[silent]


def _displaced(
    best: RecordAnswers, score: NDArray[np.float32], opened: Sequence[OpenedAnswers]
) -> NDArray[np.int64]:
    """Records whose answer belongs to a record with a better one: a higher score, or more passes.

    Best first, a record takes its answer with all rows by which other passes answered it: they are
    one person. It goes without if the row that answers it best is taken.
    """
    claims: dict[int, list[tuple[int, int]]] = {}
    shared = np.zeros(len(best), np.bool_)
    for number, given in enumerate(opened):
        at = np.flatnonzero(given.matched)
        _, place, count = np.unique(given.row[at], return_inverse=True, return_counts=True)
        shared[given.record[at[count[place.reshape(-1)] > 1]]] = True
        for record, row in zip(given.record[at].tolist(), given.row[at].tolist(), strict=True):
            claims.setdefault(record, []).append((number, row))
    passes = np.array([len(claims.get(record, ())) for record in range(len(best))], np.int64)
    rank = np.lexsort((-passes, -score.astype(np.float64)))
    rank = rank[shared[rank] & (best.outcome[rank] == MATCHED)]
    taken: set[tuple[int, int]] = set()
    lost: list[int] = []
    for record in rank.tolist():
        number, mine = int(best.answered_by[record]), claims[record]
        if taken.isdisjoint(c for c in mine if c[0] == number):
            taken.update(mine)
        else:
            lost.append(record)
    return np.array(lost, np.int64)
