"""An answer on its way: of a pass to rows, opened, and in the end of all passes to a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.outcomes import MATCHED


@dataclass(frozen=True, repr=False)
class PassAnswers:
    """What one pass answers to ``n`` rows, in the requester's order: all that leaves the matcher.

    ``outcome``, ``band``: uint8[n], no band unless matched; and of the ``m`` matched rows alone, in
    row order: ``sealed``: uint8[m, 44], their sealed codes, ``origin``: uint16[m], the number of
    the seal that opens each, ``confirmations``: uint8[m, ceil(fields / 8)], bit i set where both
    tags of ``confirm[i]`` are equal. The registry's row and the score are not among them.
    """

    pass_id: str
    outcome: NDArray[np.uint8]
    band: NDArray[np.uint8]
    sealed: NDArray[np.uint8]
    origin: NDArray[np.uint16]
    confirmations: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.outcome)

    def __repr__(self) -> str:
        return f"PassAnswers({self.pass_id!r}, rows={len(self)}, matched={len(self.sealed)})"

    @property
    def matched_rows(self) -> NDArray[np.int64]:
        """The matched rows, ascending: int64[m]."""
        return np.flatnonzero(self.outcome == MATCHED)

    @property
    def row_bytes(self) -> int:
        """Bytes of a matched row's answer."""
        return int(2 + self.sealed.shape[1] + self.origin.itemsize + self.confirmations.shape[1])

    def pieces(self, row: int, size: int) -> Iterator[tuple[int, PassAnswers]]:
        """The answers from ``row`` on, ``size`` rows at a time, each with its first row."""
        matched = int(np.count_nonzero(self.outcome[:row] == MATCHED))
        for start in range(row, len(self), size):
            rows = slice(start, start + size)
            before = matched
            matched += int(np.count_nonzero(self.outcome[rows] == MATCHED))
            of = slice(before, matched)
            yield start, PassAnswers(
                self.pass_id, self.outcome[rows], self.band[rows],
                self.sealed[of], self.origin[of], self.confirmations[of],
            )  # fmt: skip

    @classmethod
    def joined(cls, pieces: Sequence[PassAnswers]) -> PassAnswers:
        """The whole of consecutive pieces of one pass; at least one."""
        columns = ("outcome", "band", "sealed", "origin", "confirmations")
        return cls(
            pieces[0].pass_id,
            **{name: np.concatenate([getattr(p, name) for p in pieces]) for name in columns},
        )
