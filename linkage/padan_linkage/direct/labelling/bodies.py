"""What stands in a label: whom it is of, an opener, how rare the value is, a masked answer.

Spec 60, "Body".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.labelling.hkdf import expand, extract, same_info
from padan_linkage.direct.labelling.shares import SHARE_BYTES
from padan_linkage.direct.schema import MOST_CODES
from padan_linkage.direct.table import BODY_BYTES

PSEUDONYM_BYTES = 8
ANSWER_BYTES = 5

_MASK = b"padan/v2 answer\x00"
_SET_ASIDE = 1

Bytes = NDArray[np.uint8]

#: 30 bytes. ``opener``: the secret that unmasks the answer, or a share of it.
BODY = np.dtype(
    [
        ("pseudonym", np.uint8, PSEUDONYM_BYTES),
        ("opener", np.uint8, SHARE_BYTES),
        ("rarity", np.uint8),
        ("answer", np.uint8, ANSWER_BYTES),
    ]
)
Bodies = NDArray[np.void]  # of BODY
assert BODY.itemsize == BODY_BYTES


@dataclass(frozen=True, repr=False)
class LabelAnswers:
    """What ``n`` persons' labels say.

    ``codes``: uint64[n], bit i set where code number i of the flow holds, none where ``set_aside``:
    bool[n], the registry has the person twice with codes that differ; ``valid``: bool[n], False
    where an unmasked answer is of no known form.
    """

    codes: NDArray[np.uint64]
    set_aside: NDArray[np.bool_]
    valid: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"LabelAnswers(persons={len(self)})"

    @classmethod
    def of(cls, codes: NDArray[np.uint64]) -> Self:
        """Answers from the codes' bits; a person without one is set aside.

        Raises ValueError for a code beyond the first MOST_CODES.
        """
        if (codes >> np.uint64(MOST_CODES)).any():
            raise ValueError(f"direct mode has {MOST_CODES} codes at most")
        return cls(codes.astype(np.uint64), codes == 0, np.ones(len(codes), np.bool_))

    def pack(self) -> Bytes:
        """``uint8[n, 5]``: flags, then the codes, little-endian."""
        packed = np.empty((len(self), ANSWER_BYTES), np.uint8)
        packed[:, 0] = self.set_aside * np.uint8(_SET_ASIDE)
        packed[:, 1:] = self.codes.astype("<u4").view(np.uint8).reshape(-1, 4)
        return packed

    @classmethod
    def unpack(cls, packed: Bytes, codes: int) -> Self:
        """The answers in ``uint8[n, 5]`` of a flow with so many ``codes``.

        Raises ValueError for another shape.
        """
        if packed.ndim != 2 or packed.shape[1] != ANSWER_BYTES:
            raise ValueError(f"answers are uint8[n, {ANSWER_BYTES}]")
        said = np.ascontiguousarray(packed[:, 1:]).view("<u4").reshape(-1).astype(np.uint64)
        set_aside = packed[:, 0] == _SET_ASIDE
        known = (packed[:, 0] & ~np.uint8(_SET_ASIDE)) == 0
        fitting = (said >> np.uint64(codes)) == 0
        return cls(said, set_aside, known & fitting & (set_aside == (said == 0)))


def masked(answers: Bytes, secrets: Bytes, table_id: bytes) -> Bytes:
    """Packed answers ``uint8[n, 5]`` under their persons' secrets ``uint8[n, 16]``, or unmasked."""
    info = same_info(_MASK + table_id, len(secrets))
    return answers ^ expand(extract(secrets), info, ANSWER_BYTES)
