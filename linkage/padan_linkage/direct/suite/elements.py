"""Elements of the group as they travel, together with the points that they encode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.lanes import group
from padan_linkage.direct.lanes.group import Points

Bytes = NDArray[np.uint8]

ELEMENT_BYTES = 32


class NotAnElementError(ValueError):
    """32 bytes are not the canonical encoding of a point, or are the identity's."""


@dataclass(frozen=True, repr=False)
class Elements:
    """Elements, none of them the identity: ``raw`` ``uint8[n, 32]`` are their encodings."""

    raw: Bytes
    points: Points

    def __len__(self) -> int:
        return len(self.raw)

    @classmethod
    def decode(cls, raw: Bytes) -> Self:
        """Those of ``uint8[n, 32]``; raises NotAnElementError."""
        # RFC 9497 section 4.1: DeserializeElement refuses the identity.
        points, good = group.decode(raw)
        if not (good & raw.any(axis=1)).all():
            raise NotAnElementError
        return cls(raw, points)


def split(packed: bytes) -> Bytes:
    """Packed encodings as ``uint8[n, 32]``."""
    return np.frombuffer(packed, np.uint8).reshape(-1, ELEMENT_BYTES)
