"""The 16-byte payload of a sealed code: which of the flow's codes hold for one row.

Spec: ``proto/spec/25-sealed-codes.md``, "Payload".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

PAYLOAD_BYTES = 16
VERSION = 1
MAX_CODES = 64

_DECOY = 1
_LAYOUT = np.dtype(
    [("version", "u1"), ("flags", "u1"), ("day", "<u2"), ("codes", "<u8"), ("empty", "<u4")]
)
#: Days are counted from this one, which is 1; 0 is no day.
_EVE = date(1999, 12, 31)


def day_number(day: date) -> int:
    """The number of a day in a payload: 1 is 1 January 2000. ValueError outside 2000 to 2179."""
    number = (day - _EVE).days
    if not 1 <= number <= np.iinfo(np.uint16).max:
        raise ValueError("a day from 2000 to 2179 is expected")
    return number


def day_text(number: int) -> str:
    """ISO date of a payload's day; empty for none."""
    return (_EVE + timedelta(days=number)).isoformat() if number else ""


@dataclass(frozen=True, repr=False)
class Payloads:
    """What the codes of ``n`` rows say.

    ``codes`` is ``uint64[n]``, bit i set where code number i of the flow holds; ``empty`` is
    ``uint32[n]``, bit i set where the provider's value of the i-th confirmed field is empty;
    ``day`` is ``uint16[n]``, the day whose facts the codes state (:func:`day_number`), 0 where the
    agreement asks for none; ``decoy`` is ``bool[n]``: the row is nobody, its answer is "not
    matched"; ``valid`` is ``bool[n]``, False where an unpacked payload is of no known form. The
    repr shows the size only.
    """

    codes: NDArray[np.uint64]
    empty: NDArray[np.uint32]
    decoy: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    day: NDArray[np.uint16]

    def __len__(self) -> int:
        return int(self.codes.shape[0])

    def __repr__(self) -> str:
        return f"Payloads(rows={len(self)})"

    @classmethod
    def of(
        cls,
        codes: NDArray[np.uint64],
        empty: NDArray[np.uint32] | None = None,
        decoy: NDArray[np.bool_] | None = None,
        day: int = 0,
    ) -> Self:
        """Payloads from the codes' bits; by default no field is empty, no row a decoy, no day."""
        count = codes.shape[0]
        return cls(
            codes.astype(np.uint64, copy=False),
            np.zeros(count, np.uint32) if empty is None else empty.astype(np.uint32, copy=False),
            np.zeros(count, np.bool_) if decoy is None else decoy,
            np.ones(count, np.bool_),
            np.full(count, day, np.uint16),
        )

    @classmethod
    def decoys(cls, count: int) -> Self:
        """``count`` payloads of decoy rows."""
        return cls.of(np.zeros(count, np.uint64), decoy=np.ones(count, np.bool_))

    def pack(self) -> NDArray[np.uint8]:
        """``uint8[n, 16]``: version, flags, day, codes, empty; little-endian."""
        # Spec 25, step 3.
        packed = np.zeros(len(self), _LAYOUT)
        packed["version"] = VERSION
        packed["flags"] = np.where(self.decoy, _DECOY, 0)
        packed["day"] = self.day
        packed["codes"] = self.codes
        packed["empty"] = self.empty
        return packed.view(np.uint8).reshape(-1, PAYLOAD_BYTES)

    @classmethod
    def unpack(cls, payloads: NDArray[np.uint8]) -> Self:
        """The payloads in ``uint8[n, 16]``; rows of an unknown form come back with valid False.

        Raises ValueError if the array has another shape.
        """
        if payloads.ndim != 2 or payloads.shape[1] != PAYLOAD_BYTES:
            raise ValueError(f"payloads are uint8[n, {PAYLOAD_BYTES}]")
        fields = np.ascontiguousarray(payloads, np.uint8).view(_LAYOUT).reshape(-1)
        # Spec 25, step 7.
        known = fields["flags"] <= _DECOY
        valid = (fields["version"] == VERSION) & known
        decoy = fields["flags"] == _DECOY
        day = fields["day"].copy()
        return cls(fields["codes"].copy(), fields["empty"].copy(), decoy, valid, day)
