"""Rows of a table that are nobody's labels: random ones, and those that call a person gone.

They come a partition at a time, as labels do, so that a table of any size is written in the memory
of one partition. Spec 60, "Table" and "Deltas".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_client.protocol.direct.blocks import PARTITIONS
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.table import ROW_BYTES, TAG_BYTES

Bytes = NDArray[np.uint8]

#: First bytes of tags that are one partition's.
_WIDTH = 256 // PARTITIONS


@dataclass(frozen=True, repr=False)
class DummyRows:
    """Rows of nobody, not drawn yet.

    ``gone``: uint8[m, 10], the tags of gone rows; ``first``: uint8[n], of each dummy the first
    byte, which says its partition; ``drbg``: the rest comes from it.
    """

    gone: Bytes
    first: Bytes
    drbg: Drbg

    def __repr__(self) -> str:
        return f"DummyRows(gone={len(self.gone)}, dummies={len(self.first)})"

    @classmethod
    def of(cls, gone: Bytes, dummies: int, drbg: Drbg) -> Self:
        """So many dummies beside rows with these tags."""
        first = np.sort(np.frombuffer(drbg.fork("first bytes").bytes(dummies), np.uint8))
        return cls(gone, first, drbg)

    def rows(self, partition: int) -> Bytes:
        """Those of a partition, uint8[k, 40], the same whenever they are asked for.

        The rest of a gone row is random, so that it looks like a dummy.
        """
        bounds = partition * _WIDTH, (partition + 1) * _WIDTH
        start, stop = np.searchsorted(self.first, bounds)
        gone = self.gone[self.gone[:, 0] // _WIDTH == partition]
        count = len(gone) + int(stop - start)
        drawn = self.drbg.fork(f"partition {partition}").bytes(count * ROW_BYTES)
        made = np.frombuffer(drawn, np.uint8).reshape(-1, ROW_BYTES).copy()
        made[: len(gone), :TAG_BYTES] = gone
        made[len(gone) :, 0] = self.first[start:stop]
        return made
