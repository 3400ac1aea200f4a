"""Decoy rows: nobody's rows, made so that the linkage unit cannot tell them from records.

Spec: ``proto/spec/10-encoding.md``, "Decoys".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from padan_linkage.crypto.randomness import Drbg

Numbers = NDArray[np.int64]
_TRIES = 32


@dataclass(frozen=True, repr=False)
class Decoys:
    """Which decoys a pass's registry holds: numbers below ``count``, except ``removed`` (sorted).

    The owner keeps it beside the handle key, one a pass, so that deltas can touch decoys again.
    """

    count: int
    removed: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))

    def live(self) -> Numbers:
        """Numbers of the decoys in the registry, ascending."""
        return np.setdiff1d(np.arange(self.count), self.removed, assume_unique=True)


def recombine(kin: Numbers, count: int, drbg: Drbg) -> tuple[Numbers, Numbers]:
    """Whose exact fields and whose other fields each decoy takes, two ``int64[count]``.

    ``kin`` is equal where records' exact values are, -1 where one has none. The two records differ
    in their exact values, for a decoy with both from equal ones would be a copy of a person. Where
    none such is found, the first is -1: a random hash. Both are -1 if no record is usable.
    """
    usable = np.flatnonzero(kin >= 0)
    if not usable.size:
        nobody = np.full(count, -1, np.int64)
        return nobody, nobody.copy()
    exact = usable[drbg.integers(count, usable.size)]
    other = usable[drbg.integers(count, usable.size)]
    for _ in range(_TRIES):
        same = np.flatnonzero(kin[exact] == kin[other])
        if not same.size:
            return exact, other
        exact[same] = usable[drbg.integers(same.size, usable.size)]
    exact[kin[exact] == kin[other]] = -1
    return exact, other


@dataclass(frozen=True, repr=False)
class Cover:
    """The decoy traffic of one delta, as decoy numbers ``int64[…]``, and what is left after it."""

    joined: Numbers
    renewed: Numbers
    dropped: Numbers
    after: Decoys


def cover_traffic(decoys: Decoys, rows: int, drbg: Drbg) -> Cover:
    """Fills ``rows`` rows of a delta with decoys that join, are renewed and leave, a third each.

    So a person who joins, changes or leaves is one among many rows that do the same, in every
    pass. Where too few decoys live to be renewed or to leave, more join. The counts depend on
    ``rows`` and the number of living decoys alone, hence are equal in all passes.
    """
    living = decoys.live()
    shuffled = living[drbg.permutation(living.size)]
    third = min(rows // 3, living.size)
    dropped, renewed = shuffled[:third], shuffled[third : rows - rows // 3]
    joining = rows - dropped.size - renewed.size
    joined = np.arange(decoys.count, decoys.count + joining)
    removed = np.union1d(decoys.removed, dropped)
    return Cover(joined, renewed, dropped, Decoys(decoys.count + joining, removed))
