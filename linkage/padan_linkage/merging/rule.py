"""Which passes may answer each record, and when nobody may be said to be found.

Made of an edition (``padan_linkage.edition.applying``). Spec: ``proto/spec/35-matching.md``,
"Merging".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]


@dataclass(frozen=True, repr=False)
class MergeRule:
    """By kind of record, of which there are ``c``, for ``n`` records.

    ``kind``: int64[n], each record's kind, -1 for one that nothing is known of; ``answering``:
    bool[c, passes], whose match is an answer; ``silent``: bool[c, passes], whose match is not even
    a reason for doubt; ``unvouched``: uint8[c], 0 where «not found» may be said, otherwise the
    reason why it may not (:mod:`padan_linkage.answering.outcomes`); ``wrong``: float64[c], how
    often a stranger of the kind is answered, 0 where nobody measured it.
    """

    kind: NDArray[np.int64]
    answering: Bool
    silent: Bool
    unvouched: NDArray[np.uint8]
    wrong: NDArray[np.float64]

    @classmethod
    def open(cls, records: int, passes: int) -> Self:
        """Every match is an answer and «not found» may always be said: somebody else decides."""
        return cls.same(records, np.ones(passes, np.bool_))

    @classmethod
    def unknown(cls, records: int, passes: int) -> Self:
        """Nothing is known of any record: where nobody could be asked."""
        nothing = np.zeros((1, passes), np.bool_)
        kind = np.full(records, -1, np.int64)
        return cls(kind, nothing, nothing, np.zeros(1, np.uint8), np.zeros(1))

    @classmethod
    def same(cls, records: int, answering: Bool) -> Self:
        """The same passes, bool[passes], answer all records; «not found» may be said."""
        silent = np.zeros((1, len(answering)), np.bool_)
        kind = np.zeros(records, np.int64)
        return cls(kind, answering[None], silent, np.zeros(1, np.uint8), np.zeros(1))

    def may_answer(self, number: int) -> Bool:
        """Whether pass ``number`` may answer each record, bool[n]."""
        return _by_kind(self.answering[:, number], self.kind)

    def is_silent(self, number: int) -> Bool:
        """Whether pass ``number`` tells nothing about each record, bool[n]."""
        return _by_kind(self.silent[:, number], self.kind)

    @property
    def stranger_answered(self) -> NDArray[np.float64]:
        """How often each record would be answered if it were a stranger's, float64[n]."""
        return np.append(self.wrong, 0.0)[self.kind]


def _by_kind(values: Bool, kind: NDArray[np.int64]) -> Bool:
    """Each record's value, False where nothing is known of it."""
    chosen: Bool = np.append(values, np.False_)[kind]
    return chosen
