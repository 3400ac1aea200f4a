"""The choice of an edition's threshold, and of what is an answer to which records.

A wrong answer about a stranger is what an agreement tolerates so seldom, so strangers decide: the
registry's own people, who meet everybody but themselves. Spec: ``proto/spec/36-editions.md``,
"Choice".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.answers import OpenedAnswers, RecordAnswers
from padan_linkage.answering.outcomes import MATCHED, NOT_MATCHED
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.edition.asking import OwnQuestions
from padan_linkage.edition.document import ANY, GivenFields
from padan_linkage.edition.doubles import Doubles
from padan_linkage.edition.meetings import Meeting, PassMeetings
from padan_linkage.merging.merge import merge
from padan_linkage.merging.rule import MergeRule

#: A single answer may be this many times likelier to be wrong than tolerated on average.
WORST_TO_AVERAGE = 50.0
#: How far below the threshold a row is still undecided, at most, and for what share of strangers.
DOUBT, DOUBTED = 6.0, 0.005
#: Records whose names tell equally much are judged by themselves where so many were asked about.
LEAST_ASKED = 500
#: Share of the tolerated rate that is used: a list's strangers are relatives of registered people
#: more often than two registered people are.
HELD_BACK = 0.6
#: A pass that sees somebody for a larger share of strangers, and may not answer, tells nothing.
SEEN = 0.02

Numbers = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class EditionChoice:
    """The threshold of all passes with a filter, from where on rows are undecided, and the rest."""

    threshold: float
    doubt: float
    given: tuple[GivenFields, ...]


@dataclass(frozen=True, repr=False)
class Chooser:
    """Chooses for a registry that was asked about itself.

    ``names``: the fields of the questions; ``codes``: uint64[records], what the registry says;
    ``doubles``: whose strangers are known.
    """

    policy: MatchPolicy
    names: Sequence[str]
    asked: OwnQuestions
    passes: Sequence[PassMeetings]
    codes: NDArray[np.uint64]
    doubles: Doubles

    def choose(self) -> EditionChoice:
        """The threshold from the sizes alone; then each kind of record by its strangers."""
        # Spec 36, "Choice", step 1.
        threshold = self._threshold()
        # Spec 36, "Choice", step 2.
        doubt = self._doubt(threshold)
        strangers = [self._answers(p, p.others, threshold, doubt) for p in self.passes]
        own = [self._answers(p, p.themselves, threshold, doubt) for p in self.passes]
        given: list[GivenFields] = []
        for fields, questions in self._combinations():
            put = questions[questions < self.asked.damaged]
            spoilt = questions[questions >= self.asked.damaged]
            if len(put):
                seen = _Heard(
                    [_of(o, put) for o in strangers],
                    [_of(o, put) for o in own],
                    [_of(o, spoilt) for o in own],
                )
                # Spec 36, "Choice", step 3.
                for telling in self._tellings(put):
                    given += self._given(fields, telling, put, spoilt, seen)
        return EditionChoice(threshold, doubt, tuple(given))

    def _threshold(self) -> float:
        """The score from which on a match is told to the requester.

        No answer is more than so many times likelier wrong than tolerated. And where n strangers
        are too few to say how seldom they are answered, the odds of an answer itself have to do,
        for each of P passes: 1 / (e^t / P + n) is at most what is tolerated.
        """
        filters = sum(p.calibration is not None for p in self.passes)
        rate = self.policy.max_false_match_rate
        unseen = filters * max(1 / rate - self.asked.whole, 1.0)
        return max(0.0, -math.log(min(1.0, WORST_TO_AVERAGE * rate)), math.log(max(1.0, unseen)))

    def _doubt(self, threshold: float) -> float:
        """The lowest score, :data:`DOUBT` below at most, that few strangers reach."""
        best = np.full(self.asked.whole, -np.inf)
        for p in self.passes:
            if p.calibration is not None:
                mine = p.others.question < self.asked.whole
                np.maximum.at(best, p.others.question[mine], p.others.score[mine])
        if not len(best):
            return threshold - DOUBT
        seldom = float(np.sort(best)[::-1][int(len(best) * DOUBTED)]) + 1e-6
        return float(np.clip(seldom, threshold - DOUBT, threshold))

    def _answers(
        self, p: PassMeetings, met: Meeting, threshold: float, doubt: float
    ) -> OpenedAnswers:
        return p.answers(met, self.codes, threshold, doubt, self.policy)

    def _combinations(self) -> list[tuple[tuple[str, ...], Numbers]]:
        """Every combination of fields with the questions that have just these, most first."""
        distinct, which = np.unique(self.asked.given, axis=0, return_inverse=True)
        which = which.reshape(-1)
        found = []
        for number in np.argsort(-distinct.sum(axis=1), kind="stable").tolist():
            fields = tuple(n for n, has in zip(self.names, distinct[number], strict=True) if has)
            if fields:
                found.append((fields, np.flatnonzero(which == number)))
        return found

    def _tellings(self, questions: Numbers) -> list[list[int]]:
        """All of the questions as one kind; and by how much their names tell, where many do."""
        values, number = np.unique(self.asked.telling[questions], return_counts=True)
        many = values[(number >= LEAST_ASKED) & (values > 0)].tolist()
        return [[ANY], many] if len(many) > 1 else [[ANY]]

    def _given(
        self,
        fields: tuple[str, ...],
        telling: list[int],
        put: Numbers,
        spoilt: Numbers,
        seen: _Heard,
    ) -> list[GivenFields]:
        """What is an answer to records of these kinds, and how often they are found."""
        kinds = _Kinds.of(telling, self.asked.telling[put])
        worse = _Kinds.of(telling, self.asked.telling[spoilt])
        codes = self.codes[self.asked.person]
        # Spec 36, "Choice", step 4.
        known = self._known(kinds, put)
        answering = self._answering(seen, kinds, worse, codes[spoilt], float(known.sum()))
        # Spec 36, "Choice", step 5.
        rule = self._hushed(seen, kinds, answering)
        # Spec 36, "Choice", step 6.
        wrong = kinds.counted(kinds.merged(seen.strangers, rule).outcome == MATCHED)
        found = kinds.merged(seen.own, rule)
        answered = kinds.counted(_right(found, codes[put]))
        noticed = kinds.counted(found.outcome != NOT_MATCHED)
        still = worse.counted(_right(worse.merged(seen.damaged, rule), codes[spoilt]))
        ids = [p.p.id for p in self.passes]
        usable = [bool(len(o)) for o in seen.own]
        asked, errors = kinds.asked, worse.asked
        return [
            GivenFields(
                fields=fields,
                telling=telling[k],
                asked=int(asked[k]),
                answered=round(float(answered[k] / asked[k]), 6),
                noticed=round(float(noticed[k] / asked[k]), 6),
                wrong=float((1 + wrong[k]) / (known[k] + 1 / self.policy.max_false_match_rate)),
                answering=tuple(compress(ids, rule.answering[k] & usable)),
                usable=tuple(compress(ids, usable)),
                silent=tuple(compress(ids, rule.silent[k])),
                damaged=round(float(still[k] / errors[k]), 6) if errors[k] else None,
            )
            for k in range(len(telling))
        ]

    def _known(self, kinds: _Kinds, put: Numbers) -> NDArray[np.float64]:
        """Strangers asked about, by kind: of people whose strangers are known, as far as they are.

        A stranger who has no number in the registry may be the person asked about, and is left out;
        so all that are counted stand for more.
        """
        number = kinds.counted(self.doubles.known[self.asked.person[put]])
        return number.astype(np.float64) * self.doubles.share

    def _answering(
        self,
        seen: _Heard,
        kinds: _Kinds,
        worse: _Kinds,
        codes: NDArray[np.uint64],
        strangers: float,
    ) -> Bool:
        """The passes, bool[kinds, passes], that together answer few enough strangers.

        If merging answers more of them than the sum of steps foresaw, the pass that answers most of
        them may no longer.
        """
        most = self.policy.max_false_match_rate * strangers * HELD_BACK
        weighed = self._not_agreed(seen.strangers)
        wrongly = _Reached.of(kinds, weighed, None)
        rightly = _Reached.of(worse, seen.damaged, codes)
        answering = _worthwhile(wrongly, rightly, int(most))
        while True:
            rule = _Rule(answering, np.zeros_like(answering))
            answered = kinds.merged(weighed, rule).outcome == MATCHED
            if kinds.counted(answered).sum() <= most:
                return answering
            by = wrongly.new(~answered) * answering
            answering[np.unravel_index(int(by.argmax()), by.shape)] = False

    def _not_agreed(self, strangers: Sequence[OpenedAnswers]) -> list[OpenedAnswers]:
        """The answers about strangers, but of passes that are for rows ``without`` fields.

        A number that nothing checks answers because the agreement says so: who stands in the
        registry under another's number is told as wrong, and does not silence the pass.
        """
        return [
            o.only(np.zeros(len(o), np.bool_)) if p.p.without else o
            for p, o in zip(self.passes, strangers, strict=True)
        ]

    def _hushed(self, seen: _Heard, kinds: _Kinds, answering: Bool) -> _Rule:
        """Silence passes that see, and do not answer, too many strangers to tell anything of them.

        Only where registered people are noticed as often as demanded without the pass.
        """
        rule = _Rule(answering, np.zeros_like(answering))
        for p, o in enumerate(seen.strangers):
            may = np.append(rule.answering[:, p], np.False_)[kinds.kind[o.record]]
            idle = np.zeros(len(kinds.kind), np.bool_)
            idle[o.record[(o.outcome != NOT_MATCHED) & ~(o.matched & may)]] = True
            often = kinds.counted(idle) > SEEN * kinds.asked
            if not often.any():
                continue
            quiet = rule.without(often, p)
            noticed = kinds.counted(kinds.merged(seen.own, quiet).outcome != NOT_MATCHED)
            enough = often & (noticed >= self.policy.min_found * kinds.asked)
            rule = rule.without(enough, p)
        return rule


@dataclass(frozen=True, repr=False)
class _Rule:
    """Which passes answer, and which tell nothing: bool[kinds, passes] each."""

    answering: Bool
    silent: Bool

    def without(self, kinds: Bool, p: int) -> _Rule:
        """The same, but pass ``p`` is silent for these ``kinds``, bool[kinds]."""
        silent = self.silent.copy()
        silent[kinds, p] = True
        return _Rule(self.answering & ~silent, silent)


@dataclass(frozen=True, repr=False)
class _Heard:
    """The passes' answers to the questions of one combination of fields.

    About strangers, about registered people themselves, and about some of these with errors.
    """

    strangers: Sequence[OpenedAnswers]
    own: Sequence[OpenedAnswers]
    damaged: Sequence[OpenedAnswers]


@dataclass(frozen=True, repr=False)
class _Kinds:
    """Kinds of questions by how much their names tell; ``kind``: int64[n], of each, or -1."""

    telling: Sequence[int]
    kind: Numbers

    @classmethod
    def of(cls, telling: Sequence[int], values: Numbers) -> Self:
        """Kinds by how much names tell; of ``[ANY]`` every question is."""
        if telling[0] == ANY:
            return cls(telling, np.zeros(len(values), np.int64))
        place = np.searchsorted(np.array(telling), values)
        known = np.array([*telling, ANY])[place] == values
        return cls(telling, np.where(known, place, -1))

    @property
    def asked(self) -> Numbers:
        """Questions of each kind, int64[kinds]."""
        return self.counted(np.ones(len(self.kind), np.bool_))

    def counted(self, chosen: Bool) -> Numbers:
        """How many of each kind are ``chosen``, bool[n]: int64[kinds]."""
        return np.bincount(self.kind[chosen & (self.kind >= 0)], minlength=len(self.telling))

    def merged(self, opened: Sequence[OpenedAnswers], by: _Rule) -> RecordAnswers:
        """The passes' answers as the requester merges them."""
        kinds = len(by.answering)
        vouched, unknown = np.zeros(kinds, np.uint8), np.zeros(kinds)
        rule = MergeRule(self.kind, by.answering, by.silent, vouched, unknown)
        return merge(len(self.kind), opened, rule)


@dataclass(frozen=True, repr=False)
class _Reached:
    """Whether each pass meets somebody for each question; ``met``: bool[n, passes]."""

    kinds: _Kinds
    met: Bool

    @classmethod
    def of(
        cls, kinds: _Kinds, opened: Sequence[OpenedAnswers], codes: NDArray[np.uint64] | None
    ) -> Self:
        """``codes``: uint64[n], the only right ones; without them whoever is met counts."""
        reached = np.zeros((len(kinds.kind), len(opened)), np.bool_)
        for p, o in enumerate(opened):
            met = o.matched
            if codes is not None:
                met = met & (o.payload.codes == codes[o.record])
            reached[o.record[met], p] = True
        return cls(kinds, reached)

    def new(self, covered: Bool) -> Numbers:
        """Questions that each pass reaches and that are not ``covered``: int64[kinds, passes]."""
        passes = range(self.met.shape[1])
        return np.stack([self.kinds.counted(self.met[:, p] & ~covered) for p in passes], axis=1)

    def covered(self, answering: Bool) -> Bool:
        """Which questions any pass answers, bool[n]; ``answering``: bool[kinds, passes]."""
        nobody = np.zeros((1, self.met.shape[1]), np.bool_)
        may = np.concatenate([answering, nobody])[self.kinds.kind]
        done: Bool = np.logical_or.reduce(self.met & may, axis=1)
        return done


def _worthwhile(wrongly: _Reached, rightly: _Reached, most: int) -> Bool:
    """The passes, bool[kinds, passes], that find most people for at most so many strangers.

    First whatever answers no stranger at all; then, one by one, what finds most people whom nothing
    else finds, for each stranger that nothing else answers (a knapsack, filled greedily).
    """
    answering: Bool = wrongly.new(np.zeros(len(wrongly.met), np.bool_)) == 0
    scale = wrongly.kinds.asked / np.maximum(rightly.kinds.asked, 1)
    while True:
        bad = wrongly.covered(answering)
        cost = wrongly.new(bad)
        found = rightly.new(rightly.covered(answering)) * scale[:, None]
        affordable = ~answering & (cost <= most - int(bad.sum()))
        worth = np.where(affordable, (found + 1e-3) / (cost + 1e-6), 0.0)
        if not worth.any():
            return answering
        answering[np.unravel_index(int(worth.argmax()), worth.shape)] = True


def _right(answers: RecordAnswers, codes: NDArray[np.uint64]) -> Bool:
    """Which records got their own code, bool[n]."""
    right: Bool = (answers.outcome == MATCHED) & (answers.code == codes)
    return right


def _of(opened: OpenedAnswers, questions: Numbers) -> OpenedAnswers:
    """The answers to these questions (ascending), numbered by their place among them."""
    if not len(questions):
        return opened.only(np.zeros(len(opened), np.bool_))
    place = np.searchsorted(questions, opened.record)
    here = questions[np.minimum(place, len(questions) - 1)] == opened.record
    return replace(opened.only(here), record=place[here])
