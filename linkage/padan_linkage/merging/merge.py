"""From the answers of separate passes to one answer a record: the requester's last step.

Only here, at the owner of the records, may passes be brought together. Spec:
``proto/spec/35-matching.md``, "Merging".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.answers import OpenedAnswers, RecordAnswers
from padan_linkage.answering.outcomes import AMBIGUOUS, BELOW_PRECISION, CODES_DIFFER, MATCHED


def merge(
    n_records: int, opened: Sequence[OpenedAnswers], *, one_to_one: bool = False
) -> RecordAnswers:
    """Merge the passes' answers: the best band wins; codes that differ within it are undecided.

    Matched beats ambiguous beats not matched. A decoy and a code that did not open count as not
    matched; an answer without a code is ambiguous. Among equal answers the higher score is kept,
    otherwise the earlier pass. With ``one_to_one`` a registry row answers one record at most: the
    one with the best answer; the others are undecided. Passes are numbered as given; ``checks`` are
    for whoever knows the fields.
    """
    best = RecordAnswers.none(n_records)
    score = np.full(n_records, -np.inf, np.float32)
    conflict = np.zeros(n_records, np.bool_)
    for number, given in enumerate(opened):
        best.outcome[given.record[given.outcome == AMBIGUOUS]] = AMBIGUOUS
        _take(best, score, conflict, number, given)
    displaced = _displaced(best, score, opened) if one_to_one else np.zeros_like(conflict)
    best.outcome[best.band > 0] = MATCHED
    merged = best.without(conflict, CODES_DIFFER).without(displaced, BELOW_PRECISION)
    # Spec 25, step 7: a person whom the registry has several times, with other codes.
    return merged.ambiguous((merged.outcome == MATCHED) & (merged.code == 0))


def _take(
    best: RecordAnswers,
    score: NDArray[np.float32],
    conflict: NDArray[np.bool_],
    number: int,
    given: OpenedAnswers,
) -> None:
    """Take in the believed matches of pass ``number``; ``score`` and ``conflict`` are by record."""
    at = np.flatnonzero(given.matched)
    record, band, code = given.record[at], given.band[at], given.payload.codes[at]
    higher = band > best.band[record]
    level = band == best.band[record]
    differs = level & (code != best.code[record])
    conflict[record[higher]] = False
    conflict[record[differs]] = True
    better = higher | (level & ~differs & (given.score[at] > score[record]))
    chosen, answer = record[better], at[better]
    score[chosen] = given.score[answer]
    best.band[chosen] = given.band[answer]
    best.code[chosen] = given.payload.codes[answer]
    best.day[chosen] = given.payload.day[answer]
    best.answered_by[chosen] = number
    best.position[chosen] = answer


def _displaced(
    best: RecordAnswers, score: NDArray[np.float32], opened: Sequence[OpenedAnswers]
) -> NDArray[np.bool_]:
    """Records whose answer belongs to a record with a better one, bool[n].

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
    taken: set[tuple[int, int]] = set()
    lost = np.zeros(len(best), np.bool_)
    for record in rank[shared[rank]].tolist():
        number = int(best.answered_by[record])
        mine = claims[record]
        if number >= 0 and taken.isdisjoint(c for c in mine if c[0] == number):
            taken.update(mine)
        else:
            lost[record] = number >= 0
    return lost
