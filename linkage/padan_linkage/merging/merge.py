"""From the answers of separate passes to one answer a record: the requester's last step.

Only here, at the owner of the records, may passes be brought together. Spec:
``proto/spec/35-matching.md``, "Merging".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED


@dataclass(frozen=True, repr=False)
class PassAnswers:
    """The opened answers of one pass to ``k`` records, each at most once, decoy rows left out.

    ``record``: int64[k]; ``outcome``, ``band``: uint8[k], as the unit sent them. Where the outcome
    is MATCHED: ``code``: uint64[k], what the answer says (the mask of codes); ``decoy``: bool[k],
    the registry's row is nobody; ``failed``: bool[k], the sealed code did not open; ``row``:
    int64[k], equal where one registry row answers: equal sealed codes, numbered. ``score``:
    float32[k] breaks ties; only a rehearsal, which is its own unit, has it.
    """

    record: NDArray[np.int64]
    outcome: NDArray[np.uint8]
    band: NDArray[np.uint8]
    code: NDArray[np.uint64]
    decoy: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    row: NDArray[np.int64]
    score: NDArray[np.float32] | None = None

    def matched(self) -> NDArray[np.bool_]:
        """Which answers are believed matches, bool[k]."""
        believed: NDArray[np.bool_] = (self.outcome == MATCHED) & ~self.decoy & ~self.failed
        return believed


@dataclass(frozen=True, repr=False)
class Merged:
    """One answer a record.

    ``outcome``: uint8[n]; ``band``: uint8[n], 0 unless matched; ``code``: uint64[n], 0 unless
    matched; ``answered_by``: int64[n], number of the pass in the given order, and ``answer``:
    int64[n], position in that pass's answers, both -1 unless matched; ``failed``: answers whose
    code did not open.
    """

    outcome: NDArray[np.uint8]
    band: NDArray[np.uint8]
    code: NDArray[np.uint64]
    answered_by: NDArray[np.int64]
    answer: NDArray[np.int64]
    failed: int

    def without(self, doubtful: NDArray[np.bool_]) -> Merged:
        """The same, but records that are ``doubtful`` (bool[n]) and matched are ambiguous."""
        matched = (self.outcome == MATCHED) & ~doubtful
        outcome = np.where((self.outcome == MATCHED) & doubtful, AMBIGUOUS, self.outcome)
        return Merged(
            outcome=outcome.astype(np.uint8),
            band=np.where(matched, self.band, 0).astype(np.uint8),
            code=np.where(matched, self.code, np.uint64(0)),
            answered_by=np.where(matched, self.answered_by, -1),
            answer=np.where(matched, self.answer, -1),
            failed=self.failed,
        )


def merge(n_records: int, answers: Sequence[PassAnswers], *, one_to_one: bool = False) -> Merged:
    """Merge the passes' answers: the best band wins; codes that differ within it are ambiguous.

    Matched beats ambiguous beats not matched. A decoy and a code that did not open count as not
    matched. Among equal answers the higher score is kept, otherwise the earlier pass. With
    ``one_to_one`` a registry row answers one record at most: the one with the best answer; the
    others are ambiguous.
    """
    state = _State.empty(n_records)
    for number, given in enumerate(answers):
        state.ambiguous[given.record[given.outcome == AMBIGUOUS]] = True
        state.take(number, given)
    if one_to_one:
        state.conflict |= _displaced(state, answers)
    outcome = np.full(n_records, NOT_MATCHED, dtype=np.uint8)
    outcome[state.ambiguous] = AMBIGUOUS
    outcome[state.band > 0] = MATCHED
    merged = Merged(
        outcome=outcome,
        band=state.band,
        code=state.code,
        answered_by=state.answered_by,
        answer=state.answer,
        failed=sum(int((a.failed & (a.outcome == MATCHED)).sum()) for a in answers),
    )
    return merged.without(state.conflict)


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
