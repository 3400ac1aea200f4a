"""What the answers of a record's passes have to be for the record to be answered.

Made of an edition (``padan_linkage.edition.applying``). Spec: ``proto/spec/35-matching.md``,
"Merging".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.outcomes import STRONGEST_BAND

#: As a least band: a pass's match is never an answer; and it is not even a reason for doubt.
NEVER, SILENT = STRONGEST_BAND + 1, STRONGEST_BAND + 2


@dataclass(frozen=True, repr=False)
class MergeRule:
    """By kind of record, of which there are ``c``, for ``n`` records.

    ``kind``: int64[n], each record's kind, -1 for one that nothing is known of; ``band``: uint8[c,
    passes], the least band in which a pass's match is an answer, :data:`NEVER` or :data:`SILENT`;
    ``unvouched``: uint8[c], 0 where «not found» may be said, otherwise the reason why it may not
    (:mod:`padan_linkage.answering.outcomes`).
    """

    kind: NDArray[np.int64]
    band: NDArray[np.uint8]
    unvouched: NDArray[np.uint8]

    @classmethod
    def open(cls, records: int, passes: int) -> Self:
        """Every match is an answer and «not found» may always be said: somebody else decides."""
        return cls.same(records, np.ones(passes, np.uint8))

    @classmethod
    def silent(cls, records: int, passes: int) -> Self:
        """Nothing is known of any record: where nobody could be asked."""
        nothing = np.full((1, passes), NEVER, np.uint8)
        return cls(np.full(records, -1, np.int64), nothing, np.zeros(1, np.uint8))

    @classmethod
    def same(cls, records: int, band: NDArray[np.uint8]) -> Self:
        """The same least bands, uint8[passes], for all records; «not found» may be said."""
        return cls(np.zeros(records, np.int64), band[None], np.zeros(1, np.uint8))

    def least(self, number: int) -> NDArray[np.uint8]:
        """The least band of pass ``number`` for each record, uint8[n]."""
        return np.append(self.band[:, number], np.uint8(NEVER))[self.kind]
