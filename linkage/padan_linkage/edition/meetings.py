"""Whom a registry's own people meet in one pass: themselves, and everybody but themselves.

The first is how registered people are found, the second how strangers are answered: two rows of a
registry without copies are two people. Spec: ``proto/spec/36-editions.md``, "Asked of itself".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.answers import OpenedAnswers
from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED
from padan_linkage.answering.payloads import Payloads
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.edition.doubles import Doubles
from padan_linkage.matching.exact import token_words
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.matching.sides import SweepRunner
from padan_linkage.matching.similar import Best, Candidates, SortedRegistry, decided
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable

Numbers = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Meeting:
    """The best of a pass for each of ``n`` questions.

    ``question``: int64[n]; ``score``, ``runner_up``: float32[n], -inf where nobody is met, both
    +inf where several have the row's token; ``person``: int64[n], the registry's record, -1 for a
    decoy or nobody.
    """

    question: Numbers
    score: NDArray[np.float32]
    runner_up: NDArray[np.float32]
    person: Numbers


@dataclass(frozen=True, repr=False)
class PassMeetings:
    """Both meetings of a pass; ``calibration``: None in an exact one."""

    p: Pass
    themselves: Meeting
    others: Meeting
    calibration: Calibration | None

    def without(self, doubles: Doubles, person: Numbers) -> PassMeetings:
        """The same, but who may be the person asked about is no stranger of theirs.

        ``person``: int64[questions], whom each is about.
        """
        met = self.others
        some = np.flatnonzero(met.person >= 0)
        same = some[doubles.among(person[met.question[some]], met.person[some])]
        score = met.score.copy()
        score[same] = -np.inf
        return replace(self, others=replace(met, score=score))

    def answers(
        self,
        met: Meeting,
        codes: NDArray[np.uint64],
        threshold: float,
        doubt: float,
        policy: MatchPolicy,
    ) -> OpenedAnswers:
        """What the pass would answer to all questions, as the requester opens it.

        ``codes``: uint64[records], what the registry says of each person.
        """
        if self.calibration is None:
            several = met.runner_up == np.inf
            hit = np.where(several, AMBIGUOUS, MATCHED)
            outcome = np.where(met.score == -np.inf, NOT_MATCHED, hit).astype(np.uint8)
        else:
            at = self.calibration.drawn(threshold, doubt)
            score = met.score.astype(np.float64)
            outcome = decided(score, met.runner_up.astype(np.float64), at, policy)
        known = np.where(met.person >= 0, np.append(codes, np.uint64(0))[met.person], np.uint64(0))
        return OpenedAnswers(
            pass_id=self.p.id,
            record=met.question,
            outcome=outcome,
            payload=Payloads.of(known, decoy=met.person < 0),
            failed=np.zeros(len(outcome), np.bool_),
            row=met.person,
            confirmations=np.zeros((len(outcome), 0), np.uint8),
            score=np.zeros(len(outcome), np.float32),
        )


def meet_exact(
    p: Pass, provider: PassTable, record_of_row: Numbers, asked: PassTable, question: Numbers,
    person: Numbers,
) -> PassMeetings:  # fmt: skip
    """The meetings of an exact pass.

    ``record_of_row``: int64[rows] of the provider's table; ``question``: int64[n], the number of
    the question that each row of ``asked`` puts, or -1; ``person``: int64[questions], whom it is
    about. Tokens are compared by their first half: at 2²⁴ rows one pair in 10⁵ tables is wrong.
    """
    real = np.flatnonzero(record_of_row >= 0)
    words = token_words(provider)[real, 0]
    order = np.argsort(words, kind="stable")
    words, record = words[order], record_of_row[real][order]
    rows = np.flatnonzero(question >= 0)
    mine = token_words(asked)[rows, 0]
    first = np.searchsorted(words, mine, "left")
    number = np.searchsorted(words, mine, "right") - first
    padded = np.append(record, [-1, -1])
    own = person[question[rows]]
    group = padded[first], padded[first + 1]
    inside = _holds(words, record, own, mine)
    beside = np.where(group[0] == own, group[1], group[0])

    def meeting(count: Numbers, whom: Numbers) -> Meeting:
        score = np.where(count > 0, np.inf, -np.inf).astype(np.float32)
        runner = np.where(count > 1, np.inf, -np.inf).astype(np.float32)
        return Meeting(question[rows], score, runner, np.where(count == 1, whom, -1))

    return PassMeetings(
        p,
        meeting(number, group[0]),
        meeting(number - inside, beside),
        None,
    )


def _holds(
    words: NDArray[np.uint64], record: Numbers, own: Numbers, mine: NDArray[np.uint64]
) -> NDArray[np.bool_]:
    """Whether the person asked about has the very token, bool[n]."""
    size = max(int(record.max(initial=-1)), int(own.max(initial=-1))) + 1
    token, there = np.zeros(size, np.uint64), np.zeros(size, np.bool_)
    token[record], there[record] = words, True
    holds: NDArray[np.bool_] = there[own] & (token[own] == mine)
    return holds


def meet_similar(
    registry: SortedRegistry, record_of_row: Numbers, asked: PassTable, question: Numbers,
    person: Numbers, calibration: Calibration, runner: SweepRunner,
) -> PassMeetings:  # fmt: skip
    """The meetings of a pass with a filter; arguments as in :func:`meet_exact`."""
    row_of_record = np.full(int(record_of_row.max(initial=-1)) + 2, -1, np.int64)
    real = np.flatnonzero(record_of_row >= 0)
    row_of_record[record_of_row[real]] = real
    whom = np.where(question >= 0, person[np.maximum(question, 0)], len(row_of_record) - 1)
    own = row_of_record[np.minimum(whom, len(row_of_record) - 1)]
    found = Candidates.of(registry, asked, calibration, runner)
    rows = np.flatnonzero(question >= 0)

    def meeting(best: Best) -> Meeting:
        first = best.row[rows, 0]
        return Meeting(
            question[rows],
            best.score[rows, 0].astype(np.float32),
            best.score[rows, 1].astype(np.float32),
            np.where(first >= 0, record_of_row[np.maximum(first, 0)], -1),
        )

    return PassMeetings(
        registry.p,
        meeting(found.best(calibration)),
        meeting(found.best(calibration, own)),
        calibration,
    )
