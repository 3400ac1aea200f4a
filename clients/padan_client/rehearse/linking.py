"""Each pass of a rehearsal: encode both sides, match as the unit, open as the requester."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from padan_client.rehearse.one_file import estimate_of, expected_of, own_file, score_of, scoring_of
from padan_client.rehearse.sides import Keys, Records
from padan_linkage.answering.answers import OpenedAnswers, RecordAnswers
from padan_linkage.answering.estimates import Expected, PassEstimate
from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED, UNDECIDED
from padan_linkage.answering.payloads import Payloads
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.crypto.sealing import Opener
from padan_linkage.encoding import EncodedPass
from padan_linkage.matching import errors_of, link_within, match_and_learn
from padan_linkage.matching.result import Scoring
from padan_linkage.merging.merge import merge
from padan_linkage.merging.rule import MergeRule
from padan_linkage.merging.union import Claims, Rule, best_f1, chance_of_error, demanded, together
from padan_linkage.schema import Pass, Schema

#: Without a demand a pass answers whatever is likelier right than wrong; the union decides.
_UNDEMANDING = {"min_precision": 0.5}

#: Which record has to yield its row is decided where all passes are seen.
_FREE = {"one_to_one": False}

#: Hears of every table made: pass, side ("a" or "b"), encoding.
Dump = Callable[[str, str, EncodedPass], None]


@dataclass(frozen=True)
class PassReport:
    """One pass in numbers; ``estimate`` counts the answers that the list's owner is left with.

    ``unopened``: answers of rows with other exact fields.
    """

    estimate: PassEstimate
    scoring: Scoring
    unopened: int = 0


@dataclass(frozen=True, repr=False)
class Linked:
    """The pairs that all passes together vouch for, by record position.

    ``a``, ``b``: int64[k]; ``score``: float32[k], nats; ``answered_by``: int64[k], the number of
    their pass, -1 where other pairs stand for one; ``error``: float64[k], the chance that they are
    wrong.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    score: NDArray[np.float32]
    answered_by: NDArray[np.int64]
    error: NDArray[np.float64]
    expected: Expected
    reports: tuple[PassReport, ...]


@dataclass(frozen=True, repr=False)
class Rehearsing:
    """What the linking of every pass needs.

    ``demanded``: answers are as sure as ``policy`` asks; else for the greatest expected F1.
    ``list_is_single``: nobody is on the list twice, so that it shows what strangers look like where
    it is longer than the registry.
    """

    schema: Schema
    policy: MatchPolicy
    keys: Keys
    demanded: bool = True
    list_is_single: bool = False
    threads: int = 1
    dump: Dump | None = None
    progress: Callable[[float], None] | None = None

    def link(self, a: Records, b: Records | None) -> Linked:
        """Ask registry ``b`` about every record of ``a``, or ``a`` about itself."""
        return self._two(a, b) if b is not None else self._within(a)

    @property
    def rule(self) -> Rule:
        """Which answers are kept, from their chances of error."""
        return demanded(self.policy) if self.demanded else best_f1(0.0)

    def _two(self, a: Records, b: Records) -> Linked:
        """One answer at most for a record of ``a``, merged as the requester merges."""
        opener = self.keys.opener()
        opened, claims, reports = [], [], []
        for number, p in enumerate(self.schema.passes):
            theirs = self._encode(p, b, "b", provider=True)
            mine = self._encode(p, a, "a", provider=False)
            given, claim, report = self._match(p, theirs, mine, opener)
            opened.append(given)
            claims.append(claim)
            reports.append(report)
            self._tell(number)
        free = MergeRule.open(len(a), len(opened))
        merged = merge(len(a), opened, free, one_to_one=self.policy.one_to_one)
        if self.policy.one_to_one:
            claims = _after_displacing(merge(len(a), opened, free), merged, claims, len(b))
        answered = merged.outcome == MATCHED
        unclear = np.isin(merged.outcome, (AMBIGUOUS, UNDECIDED))
        held = together(answered, unclear, claims, self.rule, len(a))
        kept = np.flatnonzero(held.kept)
        return Linked(
            a=kept,
            b=merged.of_passes([o.row for o in opened])[kept],
            score=merged.of_passes([o.score for o in opened])[kept],
            answered_by=merged.answered_by[kept],
            error=held.error[kept],
            expected=held.expected,
            reports=tuple(reports),
        )

    def _within(self, a: Records) -> Linked:
        """All pairs of ``a`` that its owner, who holds all passes, takes for the same."""
        number = iter(range(len(self.schema.passes)))

        def turn(p: Pass) -> None:
            self._tell(next(number))
            if self.dump is not None:
                self._encode(p, a, "a", provider=True)

        own = own_file(self.schema, self.keys, a, turn, self.threads)
        result = link_within(self.schema, own, self.rule)
        by = np.where(result.met.any(axis=1), result.met.argmax(axis=1), -1)
        score = score_of(result.error).astype(np.float32)
        reports = (
            PassReport(estimate_of(result, n, p, len(a)), scoring_of(result, n))
            for n, p in enumerate(self.schema.passes)
        )
        expected = expected_of(result)
        return Linked(result.a, result.b, score, by, result.error, expected, tuple(reports))

    def _encode(self, p: Pass, records: Records, side: str, *, provider: bool) -> EncodedPass:
        encoded = self.keys.encode(p, records, provider=provider, threads=self.threads)
        if self.dump is not None:
            self.dump(p.id, side, encoded)
        return encoded

    def _tell(self, number: int) -> None:
        if self.progress is not None:
            self.progress((number + 1) / len(self.schema.passes))

    def _match(
        self, p: Pass, theirs: EncodedPass, mine: EncodedPass, opener: Opener
    ) -> tuple[OpenedAnswers, Claims, PassReport]:
        """Match one pass as the unit does, then undo the permutation and open the codes.

        The row of an answer is here the registry's record.
        """
        policy = self.policy.model_copy(update=_FREE | ({} if self.demanded else _UNDEMANDING))
        result = match_and_learn(
            self.schema,
            p,
            theirs.table,
            mine.table,
            policy,
            threads=self.threads,
            others=mine.table if self.list_is_single else None,
        )
        answers = result.answers(theirs.table)
        rows = answers.matched_rows
        packed, genuine = opener.open(p.id, mine.tokens[rows], answers.sealed)
        given = OpenedAnswers.of(
            answers,
            mine.record_of_row,
            Payloads.unpack(packed),
            ~genuine,
            theirs.record_of_row[result.row[rows]],
            result.score,
        )
        error = np.ones(len(answers))
        error[rows] = self._errors(result.score[rows], result.estimate)
        believed = given.matched
        error = error[mine.record_of_row >= 0][believed]
        claim = Claims(given.record[believed], error, not p.similar, result.estimate.unanswered)
        left = replace(
            result.estimate,
            matched_rows=len(error),
            ambiguous_rows=int((given.outcome == AMBIGUOUS).sum()),
        )
        return given, claim, PassReport(left, result.scoring, int(given.failed.sum()))

    def _errors(self, score: NDArray[np.float32], estimate: PassEstimate) -> NDArray[np.float64]:
        """Chances of being wrong; a pass that cannot estimate is believed as the policy demands."""
        errors = errors_of(score, estimate.precision)
        return np.full(len(score), 1 - self.policy.min_precision) if errors is None else errors


def _after_displacing(
    before: RecordAnswers, after: RecordAnswers, claims: list[Claims], registry: int
) -> list[Claims]:
    """The claims, where each record that had to yield its row took a wrong answer away.

    At least as large a share of the wrong ones is left as of the registry's rows is free.
    """
    answered, held = before.outcome == MATCHED, int((after.outcome == MATCHED).sum())
    displaced = int((answered & (after.outcome != MATCHED)).sum())
    wrong = float(chance_of_error(len(before), claims)[answered].sum())
    if not displaced or not wrong:
        return claims
    left = max(1 - displaced / wrong, 1 - held / registry)
    return [replace(c, error=c.error * left) for c in claims]
