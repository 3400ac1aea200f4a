"""The 16-byte payload of a label: unit mode's, with two more flags. Spec 60, "Payload"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.payloads import PAYLOAD_BYTES, Payloads

_FLAGS = 1  # byte of the payload that holds them
_AMBIGUOUS, _REMOVED = 2, 4


@dataclass(frozen=True, repr=False)
class LabelPayloads:
    """What ``n`` labels say.

    ``codes``: uint64[n], bit i set where code number i of the flow holds; ``ambiguous``: bool[n],
    several records of the registry share the input and no one answer is right; ``removed``:
    bool[n], in a delta, the registry no longer has it; ``valid``: bool[n], False where an opened
    payload is of no known form. Ambiguous and removed answers have no code.
    """

    codes: NDArray[np.uint64]
    ambiguous: NDArray[np.bool_]
    removed: NDArray[np.bool_]
    valid: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.codes.shape[0])

    def __repr__(self) -> str:
        return f"LabelPayloads(rows={len(self)})"

    @classmethod
    def of(
        cls,
        codes: NDArray[np.uint64],
        ambiguous: NDArray[np.bool_] | None = None,
        removed: NDArray[np.bool_] | None = None,
    ) -> Self:
        """Payloads from the codes' bits; ambiguous and removed ones (by default none) lose theirs.

        Raises ValueError if one is both.
        """
        no = np.zeros(codes.shape[0], np.bool_)
        unclear = no if ambiguous is None else ambiguous
        gone = no if removed is None else removed
        if (unclear & gone).any():
            raise ValueError("an answer is ambiguous or removed, not both")
        kept = np.where(unclear | gone, np.uint64(0), codes.astype(np.uint64, copy=False))
        return cls(kept, unclear, gone, ~no)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> LabelPayloads:
        """The payloads of those rows."""
        return LabelPayloads(
            self.codes[rows], self.ambiguous[rows], self.removed[rows], self.valid[rows]
        )

    def pack(self) -> NDArray[np.uint8]:
        """``uint8[n, 16]`` as :meth:`.answering.payloads.Payloads.pack`, with the flags."""
        packed = Payloads.of(self.codes).pack()
        packed[:, _FLAGS] = self.ambiguous * _AMBIGUOUS + self.removed * _REMOVED
        return packed

    @classmethod
    def unpack(cls, payloads: NDArray[np.uint8]) -> Self:
        """The payloads in ``uint8[n, 16]``; ValueError for another shape."""
        plain = np.array(payloads, np.uint8)
        if plain.ndim != 2 or plain.shape[1] != PAYLOAD_BYTES:
            raise ValueError(f"payloads are uint8[n, {PAYLOAD_BYTES}]")
        flags = plain[:, _FLAGS].copy()
        plain[:, _FLAGS] = 0
        answers = Payloads.unpack(plain)
        bare = (answers.empty == 0) & (answers.day == 0)
        known = np.isin(flags, (0, _AMBIGUOUS, _REMOVED)) & bare
        silent = (flags == 0) | (answers.codes == 0)
        valid = answers.valid & known & silent
        return cls(answers.codes, flags == _AMBIGUOUS, flags == _REMOVED, valid)
