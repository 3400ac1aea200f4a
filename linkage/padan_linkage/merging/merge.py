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
from padan_linkage.merging.rule import NEVER, SILENT, MergeRule

Bool = NDArray[np.bool_]

#: So many bands stronger than any other code, an answer stands; one band stronger, nobody knows.
CLEARLY = 2


def merge(
    n_records: int, opened: Sequence[OpenedAnswers], rule: MergeRule, *, one_to_one: bool = False
) -> RecordAnswers:
    """Merge the passes' answers: the best band's code, if the rule lets its passes answer.

    Passes are numbered as given, and so are the rule's. A decoy and a code that did not open count
    as not matched. Codes of one best band are ambiguous: several people fit; so is an answer
    without a code. Between any two of a code, «ganda» and «not found» lies undecided, so that a
    band or a score that moves by one step never turns one into another. Among equal answers the
    higher score is kept, otherwise the earlier pass. With ``one_to_one`` a registry row answers one
    record at most: the one with the best answer; the others are undecided. ``checks`` are for
    whoever knows the fields.
    """
    opened = [_heard(o, rule.least(number)) for number, o in enumerate(opened)]
    # Spec 35, "Merging", step 1.
    best = _Best.of(n_records, opened)
    support = _Support.of(best, opened, rule)
    merged = best.answers
    found = merged.band > 0
    clear = (best.rival == 0) | (merged.band >= best.rival + CLEARLY)
    # Spec 35, "Merging", step 2.
    settled = found & support.enough & clear
    # Spec 35, "Merging", step 3.
    tied = found & (merged.band == best.rival)
    several = tied | (~found & support.several)
    # Spec 35, "Merging", step 4.
    near = found | support.near
    merged.outcome[:] = NOT_MATCHED
    merged.outcome[near] = UNDECIDED
    merged.outcome[several & (tied | ~support.near)] = AMBIGUOUS
    # Spec 25, step 7: without a code, a person whom the registry has several times, with others.
    merged.outcome[settled] = np.where(merged.code[settled] == 0, AMBIGUOUS, MATCHED)
    merged.reason[near] = np.where(found & (best.rival > 0), CODES_DIFFER, support.reason)[near]
    displaced = _displaced(merged, best.score, opened) if one_to_one else np.zeros(0, np.int64)
    merged.outcome[displaced], merged.reason[displaced] = UNDECIDED, DISPLACED
    # Spec 35, "Merging", step 5.
    _vouch(merged, rule)
    return merged.settled()


@dataclass(frozen=True, repr=False)
class _Best:
    """The best answer of every record, and the best band of any other code.

    ``score``: float32[n]; ``rival``: uint8[n], 0 where all matches give the same code.
    """

    answers: RecordAnswers
    score: NDArray[np.float32]
    rival: NDArray[np.uint8]

    @classmethod
    def of(cls, n_records: int, opened: Sequence[OpenedAnswers]) -> Self:
        best = cls(
            RecordAnswers.none(n_records),
            np.full(n_records, -np.inf, np.float32),
            np.zeros(n_records, np.uint8),
        )
        for number, given in enumerate(opened):
            best.take(number, given)
        for given in opened:
            at = np.flatnonzero(given.matched)
            record = given.record[at]
            other = given.payload.codes[at] != best.answers.code[record]
            np.maximum.at(best.rival, record[other], given.band[at[other]])
        return best

    def take(self, number: int, given: OpenedAnswers) -> None:
        """Take in the believed matches of pass ``number``."""
        at = np.flatnonzero(given.matched)
        record, band = given.record[at], given.band[at]
        best = self.answers
        level = band == best.band[record]
        better = (band > best.band[record]) | (level & (given.score[at] > self.score[record]))
        chosen, answer = record[better], at[better]
        self.score[chosen] = given.score[answer]
        best.band[chosen] = given.band[answer]
        best.code[chosen] = given.payload.codes[answer]
        best.day[chosen] = given.payload.day[answer]
        best.answered_by[chosen] = number
        best.position[chosen] = answer


@dataclass(frozen=True, repr=False)
class _Support:
    """What the passes say of each record, bool[n] each.

    ``enough``: a pass that may answer so matches with the best code; ``several``: one that may
    answer sees several people; ``near``: some pass comes close, or sees what it may not answer;
    ``reason``: uint8[n], why it is no more than near.
    """

    enough: Bool
    several: Bool
    near: Bool
    reason: NDArray[np.uint8]

    @classmethod
    def of(cls, best: _Best, opened: Sequence[OpenedAnswers], rule: MergeRule) -> Self:
        n = len(best.score)
        enough, several, weak, close = np.zeros((4, n), np.bool_)
        for number, given in enumerate(opened):
            least = rule.least(number)
            at = np.flatnonzero(given.matched)
            at = at[given.payload.codes[at] == best.answers.code[given.record[at]]]
            mine = given.record[at]
            enough[mine] |= given.band[at] >= least[mine]
            close[mine] |= (given.band[at] < least[mine]) & (least[mine] < NEVER)
            weak[mine] |= least[mine] == NEVER
            seen = given.record[given.outcome == AMBIGUOUS]
            several[seen] |= least[seen] < NEVER
            weak[seen] |= least[seen] == NEVER
            close[given.record[given.outcome == UNDECIDED]] = True
        reason = np.where(close, BELOW_PRECISION, ALONE).astype(np.uint8)
        return cls(enough, several, weak | close, reason)


def _heard(given: OpenedAnswers, least: NDArray[np.uint8]) -> OpenedAnswers:
    """The answers of a pass, as if it had seen nobody for records that it tells nothing about."""
    silent = least[given.record] == SILENT
    outcome = np.where(silent, NOT_MATCHED, given.outcome).astype(np.uint8)
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
    """Records whose answer belongs to a record with a better one.

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
    rank = np.lexsort((-score.astype(np.float64), -best.band.astype(np.int64)))
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
