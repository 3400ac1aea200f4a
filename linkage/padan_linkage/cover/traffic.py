"""The cover people of a registry that a delta touches.

Spec: ``proto/spec/10-encoding.md``, "Deltas".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from padan_linkage.crypto.randomness import Drbg

Numbers = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Decoys:
    """Which cover people a registry holds: numbers below ``count``, except ``removed`` (sorted).

    The owner keeps it beside the handle key, so that deltas can touch them again.
    """

    count: int
    removed: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))

    def live(self) -> Numbers:
        """Numbers of those in the registry, ascending."""
        return np.setdiff1d(np.arange(self.count), self.removed, assume_unique=True)


@dataclass(frozen=True, repr=False)
class Cover:
    """The cover people that one delta touches, ``int64[…]`` numbers, and who is left after it."""

    joined: Numbers
    renewed: Numbers
    dropped: Numbers
    after: Decoys


def cover_traffic(decoys: Decoys, rows: int, drbg: Drbg) -> Cover:
    """Fills ``rows`` rows of a delta with cover people who join, change and leave, a third each.

    So a person who joins, changes or leaves is one among many who do the same. Where too few live
    to change or to leave, more join.
    """
    living = decoys.live()
    shuffled = living[drbg.permutation(living.size)]
    third = min(rows // 3, living.size)
    dropped, renewed = shuffled[:third], shuffled[third : rows - rows // 3]
    joining = rows - dropped.size - renewed.size
    joined = np.arange(decoys.count, decoys.count + joining)
    removed = np.union1d(decoys.removed, dropped)
    return Cover(joined, renewed, dropped, Decoys(decoys.count + joining, removed))
