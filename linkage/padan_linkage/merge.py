"""From the answers of separate passes to one answer a record: the requester's last step.

Only here, at the owner of the records, may passes be brought together. Spec:
``proto/spec/35-matching.md``, "Merging".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOT_MATCHED, MATCHED, AMBIGUOUS = 1, 2, 3


@dataclass(frozen=True, repr=False)
class PassAnswers:
    """The opened answers of one pass to ``k`` records, each at most once, decoy rows left out.

    ``record``: int64[k]; ``outcome``, ``band``: uint8[k], as the unit sent them. Where the outcome
    is MATCHED: ``code``: uint64[k], what the answer says (the mask of codes); ``decoy``: bool[k],
    the registry's row is nobody; ``failed``: bool[k], the sealed code did not open. ``score``:
    float32[k] breaks ties; only a rehearsal, which is its own unit, has it. ``row``: int64[k],
    equal where one registry row answers: equal sealed codes, numbered.
    """

    record: NDArray[np.int64]
    outcome: NDArray[np.uint8]
    band: NDArray[np.uint8]
    code: NDArray[np.uint64]
    decoy: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    score: NDArray[np.float32] | None = None
    row: NDArray[np.int64] | None = None

    def matched(self) -> NDArray[np.bool_]:
        """Which answers are believed matches, bool[k]."""
        believed: NDArray[np.bool_] = (self.outcome == MATCHED) & ~self.decoy & ~self.failed
        return believed


@dataclass(frozen=True, repr=False)
class Merged:
    """One answer a record.

    ``outcome``: uint8[n]; ``band``: uint8[n], 0 unless matched or ambiguous by conflict; ``code``:
    uint64[n], 0 unless matched; ``answered_by``: int64[n], number of the pass in the given order,
    and ``answer``: int64[n], position in that pass's answers, both -1 unless matched; ``failed``:
    answers whose code did not open.
    """

    outcome: NDArray[np.uint8]
    band: NDArray[np.uint8]
    code: NDArray[np.uint64]
    answered_by: NDArray[np.int64]
    answer: NDArray[np.int64]
    failed: int


def merge(n_records: int, answers: Sequence[PassAnswers], *, one_to_one: bool = False) -> Merged:
    """Merge the passes' answers: the best band wins; codes that differ within it are ambiguous.

    Matched beats ambiguous beats not matched. A decoy and a code that did not open count as not
    matched. Among equal answers the higher score is kept, otherwise the earlier pass. With
    ``one_to_one`` a registry row answers one record at most (the answers' ``row`` must be known):
    the one with the best answer; the others are ambiguous.
    """
    state = _State.empty(n_records)
    for number, given in enumerate(answers):
        state.ambiguous[given.record[given.outcome == AMBIGUOUS]] = True
        state.take(number, given)
    if one_to_one:
        state.conflict |= _displaced(state, answers)
    matched = (state.band > 0) & ~state.conflict
    outcome = np.full(n_records, NOT_MATCHED, dtype=np.uint8)
    outcome[state.ambiguous | state.conflict] = AMBIGUOUS
    outcome[matched] = MATCHED
    return Merged(
        outcome=outcome,
        band=state.band,
        code=np.where(matched, state.code, np.uint64(0)),
        answered_by=np.where(matched, state.answered_by, -1),
        answer=np.where(matched, state.answer, -1),
        failed=sum(int((a.failed & (a.outcome == MATCHED)).sum()) for a in answers),
    )


@dataclass(repr=False)
class _State:
    """The best so far, a record each."""

    band: NDArray[np.uint8]
    score: NDArray[np.float32]
    code: NDArray[np.uint64]
    conflict: NDArray[np.bool_]
    ambiguous: NDArray[np.bool_]
    answered_by: NDArray[np.int64]
    answer: NDArray[np.int64]

    @classmethod
    def empty(cls, n: int) -> _State:
        return cls(
            band=np.zeros(n, np.uint8),
            score=np.full(n, -np.inf, np.float32),
            code=np.zeros(n, np.uint64),
            conflict=np.zeros(n, np.bool_),
            ambiguous=np.zeros(n, np.bool_),
            answered_by=np.full(n, -1, np.int64),
            answer=np.full(n, -1, np.int64),
        )

    def take(self, number: int, given: PassAnswers) -> None:
        """Take in the believed matches of pass ``number``."""
        at = np.flatnonzero(given.matched())
        record, band, code = given.record[at], given.band[at], given.code[at]
        score = np.zeros(len(at), np.float32) if given.score is None else given.score[at]
        higher = band > self.band[record]
        level = band == self.band[record]
        differs = level & (code != self.code[record])
        self.conflict[record[higher]] = False
        self.conflict[record[differs]] = True
        better = higher | (level & ~differs & (score > self.score[record]))
        chosen = record[better]
        self.band[chosen] = band[better]
        self.score[chosen] = score[better]
        self.code[chosen] = code[better]
        self.answered_by[chosen] = number
        self.answer[chosen] = at[better]


def _displaced(state: _State, answers: Sequence[PassAnswers]) -> NDArray[np.bool_]:
    """Records whose answer belongs to a record with a better one, bool[n].

    Best first, a record takes its answer with all rows by which other passes answered it: they are
    one person. It goes without if the row that answers it best is taken.
    """
    claims: dict[int, list[tuple[int, int]]] = {}
    shared = np.zeros(len(state.band), np.bool_)
    for number, given in enumerate(answers):
        assert given.row is not None
        at = np.flatnonzero(given.matched())
        _, place, count = np.unique(given.row[at], return_inverse=True, return_counts=True)
        shared[given.record[at[count[place.reshape(-1)] > 1]]] = True
        for record, row in zip(given.record[at].tolist(), given.row[at].tolist(), strict=True):
            claims.setdefault(record, []).append((number, row))
    rank = np.lexsort((-state.score.astype(np.float64), -state.band.astype(np.int64)))
    taken: set[tuple[int, int]] = set()
    lost = np.zeros(len(state.band), np.bool_)
    for record in rank[shared[rank]].tolist():
        number = int(state.answered_by[record])
        mine = claims[record]
        if number >= 0 and taken.isdisjoint(c for c in mine if c[0] == number):
            taken.update(mine)
        else:
            lost[record] = number >= 0
    return lost


def chance_of_error(
    n_records: int, claims: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]
) -> NDArray[np.float64]:
    """Each record's chance of being answered wrongly by the passes together, 1 where none answers.

    ``claims``: for each pass the records that it answers and each answer's chance of being wrong,
    as that pass sees it. Right answers of the passes overlap, wrong ones add up as far as they are
    about different records. How far they are is seen here alone, where passes may be linked: from
    how many passes stand behind the records in doubt. The sum over records is then the sum of the
    passes' wrong answers divided by that number, shared out by each record's best pass. Spec 35,
    "All passes together".
    """
    least = np.ones(n_records)
    passes = np.zeros(n_records, np.int64)
    for record, error in claims:
        np.minimum.at(least, record, error)
        np.add.at(passes, record, 1)
    answered = passes > 0
    doubt = float(least[answered].sum())
    if not doubt:
        return np.where(answered, 0.0, 1.0)
    behind = float((least * passes)[answered].sum()) / doubt
    wrong = sum(float(error.sum()) for _, error in claims) / behind
    return np.where(answered, np.minimum(least * (wrong / doubt), 1.0), 1.0)


def surest(error: NDArray[np.float64], min_precision: float) -> NDArray[np.bool_]:
    """As many answers as together are right as often as demanded, the surest first: bool[n].

    Equal ones stand or fall together.
    """
    order = np.argsort(error, kind="stable")
    mean = np.cumsum(error[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(mean <= 1 - min_precision)
    if not len(good):
        return np.zeros(len(error), np.bool_)
    last = error[order[good[-1]]]
    after = np.searchsorted(error[order], last, side="right")
    kept: NDArray[np.bool_] = (
        error <= last if mean[after - 1] <= 1 - min_precision else error < last
    )
    return kept
