"""From PRF outputs to answers, at the requester: search, open, settle. Spec 60, "Answers"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.labels import label_keys, open_rows
from padan_linkage.direct.table import LabelTable
from padan_linkage.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED


@dataclass(frozen=True)
class SourceTable:
    """A table with the id under which its labels were made."""

    table: LabelTable
    table_id: bytes


@dataclass(frozen=True, repr=False)
class Found:
    """What the tables say to ``m`` inputs.

    ``hit``: bool[m], a label answers (``codes`` uint64[m], or ``ambiguous`` bool[m]); ``failed``:
    bool[m], the tag was there and the label did not open: the table is wrong, and whoever asked
    must be told. No two of hit and failed.
    """

    hit: NDArray[np.bool_]
    codes: NDArray[np.uint64]
    ambiguous: NDArray[np.bool_]
    failed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.hit)

    def __repr__(self) -> str:
        return f"Found(inputs={len(self)}, hits={int(self.hit.sum())})"


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


class Answering:
    """Answers of ``n`` records, key after key in the agreement's order.

    Ask only for ``open_records()``; :meth:`take` settles those that were hit. A record is settled
    by the first key that hits it: values that agree give the code; values that differ, or an
    ambiguous label, make it ambiguous, never a guess.
    """

    def __init__(self, records: int) -> None:
        #: NOT_MATCHED, MATCHED or AMBIGUOUS of :mod:`padan_linkage.merging.merge`, uint8[n].
        self.outcome = np.full(records, NOT_MATCHED, np.uint8)
        #: uint64[n], 0 unless matched.
        self.codes = np.zeros(records, np.uint64)
        #: Number of the key that settled the record, int64[n]; -1 while open.
        self.answered_by = np.full(records, -1, np.int64)
        #: Labels that did not open.
        self.failed = 0

    def open_records(self) -> NDArray[np.int64]:
        """Numbers of the records that no key has settled yet, ascending."""
        return np.flatnonzero(self.answered_by < 0)

    def take(self, key: int, record: NDArray[np.int64], found: Found) -> None:
        """Take in what key number ``key`` found; ``record`` int64[m]: the record of each input.

        Records that are settled already are left alone.
        """
        self.failed += int(found.failed.sum())
        use = found.hit & (self.answered_by[record] < 0)
        rows, codes, ambiguous = record[use], found.codes[use], found.ambiguous[use]
        if not rows.size:
            return
        highest = np.zeros(len(self.outcome), np.uint64)
        lowest = np.full(len(self.outcome), np.iinfo(np.uint64).max, np.uint64)
        np.maximum.at(highest, rows, codes)
        np.minimum.at(lowest, rows, codes)
        unclear = np.zeros(len(self.outcome), np.bool_)
        unclear[rows[ambiguous]] = True
        settled = np.unique(rows)
        unclear[settled] |= highest[settled] != lowest[settled]
        self.answered_by[settled] = key
        self.outcome[settled] = np.where(unclear[settled], AMBIGUOUS, MATCHED)
        self.codes[settled] = np.where(unclear[settled], np.uint64(0), highest[settled])
