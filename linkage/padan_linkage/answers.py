"""The 16-byte payload of a sealed code: which of the flow's codes hold for one row.

Spec: ``proto/spec/25-sealed-codes.md``, "Payload".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

PAYLOAD_BYTES = 16
VERSION = 1
MAX_CODES = 64
MAX_CONFIRMED_FIELDS = 32

_DECOY = 1
_LAYOUT = np.dtype(
    [("version", "u1"), ("flags", "u1"), ("zero", "<u2"), ("codes", "<u8"), ("empty", "<u4")]
)


@dataclass(frozen=True, repr=False)
class Answers:
    """Answers of ``n`` rows.

    ``codes`` is ``uint64[n]``, bit i set where code number i of the flow holds; ``empty`` is
    ``uint32[n]``, bit i set where the provider's value of the i-th confirmed field is empty;
    ``decoy`` is ``bool[n]``: the row is nobody, its answer is "not matched"; ``valid`` is
    ``bool[n]``, False where an unpacked payload is of no known form. The repr shows the size only.
    """

    codes: NDArray[np.uint64]
    empty: NDArray[np.uint32]
    decoy: NDArray[np.bool_]
    valid: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.codes.shape[0])

    def __repr__(self) -> str:
        return f"Answers(rows={len(self)})"

    @classmethod
    def of(
        cls,
        codes: NDArray[np.uint64],
        empty: NDArray[np.uint32] | None = None,
        decoy: NDArray[np.bool_] | None = None,
    ) -> Self:
        """Answers from the codes' bits; by default no field is empty and no row a decoy."""
        count = codes.shape[0]
        return cls(
            codes.astype(np.uint64, copy=False),
            np.zeros(count, np.uint32) if empty is None else empty.astype(np.uint32, copy=False),
            np.zeros(count, np.bool_) if decoy is None else decoy,
            np.ones(count, np.bool_),
        )

    @classmethod
    def decoys(cls, count: int) -> Self:
        """``count`` answers of decoy rows."""
        return cls.of(np.zeros(count, np.uint64), decoy=np.ones(count, np.bool_))

    def pack(self) -> NDArray[np.uint8]:
        """``uint8[n, 16]``: version, flags, two zero bytes, codes, empty; little-endian."""
        packed = np.zeros(len(self), _LAYOUT)
        packed["version"] = VERSION
        packed["flags"] = np.where(self.decoy, _DECOY, 0)
        packed["codes"] = self.codes
        packed["empty"] = self.empty
        return packed.view(np.uint8).reshape(-1, PAYLOAD_BYTES)

    @classmethod
    def unpack(cls, payloads: NDArray[np.uint8]) -> Self:
        """The answers in ``uint8[n, 16]``; rows of an unknown form come back with valid False.

        Raises ValueError if the array has another shape.
        """
        if payloads.ndim != 2 or payloads.shape[1] != PAYLOAD_BYTES:
            raise ValueError(f"payloads are uint8[n, {PAYLOAD_BYTES}]")
        fields = np.ascontiguousarray(payloads, np.uint8).view(_LAYOUT).reshape(-1)
        known = fields["flags"] <= _DECOY
        valid = (fields["version"] == VERSION) & (fields["zero"] == 0) & known
        decoy = fields["flags"] == _DECOY
        return cls(fields["codes"].copy(), fields["empty"].copy(), decoy, valid)
