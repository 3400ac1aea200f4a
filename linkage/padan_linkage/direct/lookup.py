"""From PRF outputs to answers, at the requester: search, open, settle. Spec 60, "Answers"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    BROKEN_LABEL,
    MATCHED,
    NO_REASON,
    UNDECIDED,
)
from padan_linkage.direct.labels import label_keys, open_rows
from padan_linkage.direct.table import LabelTable


@dataclass(frozen=True)
class SourceTable:
    """A table with the id under which its labels were made."""

    table: LabelTable
    table_id: bytes


@dataclass(frozen=True, repr=False)
class Found:
    """What the tables say to ``m`` inputs.

    ``hit``: bool[m], a label answers (``codes`` uint64[m], or ``ambiguous`` bool[m]); ``failed``:
    bool[m], the tag was there and the label does not open, or says what the flow does not have: the
    table is wrong, and whoever asked must be told. No two of hit and failed.
    """

    hit: NDArray[np.bool_]
    codes: NDArray[np.uint64]
    ambiguous: NDArray[np.bool_]
    failed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.hit)

    def __repr__(self) -> str:
        return f"Found(inputs={len(self)}, hits={int(self.hit.sum())})"

    def within(self, codes: int) -> Found:
        """The same, labels that say none of the flow's first ``codes`` codes, or others, failed."""
        unknown = np.uint64(~((1 << codes) - 1) & (1 << 64) - 1)
        empty = ~self.ambiguous & (self.codes == 0)
        wrong = self.hit & (empty | ((self.codes & unknown) != 0))
        return Found(self.hit & ~wrong, self.codes, self.ambiguous, self.failed | wrong)


def look_up(tables: Sequence[SourceTable], outputs: NDArray[np.uint8]) -> Found:
    """Search PRF outputs ``uint8[m, 64]`` in a base and its deltas, ``tables`` oldest first.

    The newest table that has an input speaks for it; one that says «removed» ends the search
    without a hit.
    """
    count = len(outputs)
    hit, ambiguous, failed = (np.zeros(count, np.bool_) for _ in range(3))
    codes = np.zeros(count, np.uint64)
    left = np.arange(count)
    for source in reversed(tables):
        tags, keys = label_keys(outputs[left], source.table_id)
        rows = source.table.find(tags)
        there = np.flatnonzero(rows >= 0)
        answers, opened = open_rows(keys[there], source.table.rows[rows[there]])
        at = left[there]
        failed[at] = ~opened
        hit[at] = opened & ~answers.removed
        codes[at] = np.where(opened, answers.codes, np.uint64(0))
        ambiguous[at] = opened & answers.ambiguous
        left = left[rows < 0]
    return Found(hit, codes, ambiguous, failed)


def settle(answers: RecordAnswers, key: int, record: NDArray[np.int64], found: Found) -> None:
    """Take in what key number ``key`` found of records that no key before it settled.

    ``answers`` is filled in; ``record``: int64[m], the record of each input. Of a record that the
    key hits, values that agree give the code; values that differ, or an ambiguous
    label, make it ambiguous, never a guess; a label that failed leaves it undecided. Records that
    are settled already are left alone.
    """
    use = (found.hit | found.failed) & (answers.answered_by[record] < 0)
    rows, codes, ambiguous = record[use], found.codes[use], found.ambiguous[use]
    if not rows.size:
        return
    broken = np.zeros(len(answers), np.bool_)
    broken[rows[found.failed[use]]] = True
    highest = np.zeros(len(answers), np.uint64)
    lowest = np.full(len(answers), np.iinfo(np.uint64).max, np.uint64)
    np.maximum.at(highest, rows, codes)
    np.minimum.at(lowest, rows, codes)
    unclear = np.zeros(len(answers), np.bool_)
    unclear[rows[ambiguous]] = True
    settled = np.unique(rows)
    failed = broken[settled]
    clear = ~unclear[settled] & ~failed & (highest[settled] == lowest[settled])
    answers.answered_by[settled] = key
    answers.outcome[settled] = np.select([failed, clear], [UNDECIDED, MATCHED], AMBIGUOUS)
    answers.reason[settled] = np.where(failed, BROKEN_LABEL, NO_REASON)
    answers.code[settled] = np.where(clear, highest[settled], np.uint64(0))
