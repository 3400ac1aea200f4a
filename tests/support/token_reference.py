"""The join of tokens in plain NumPy, which the compiled one is compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.exact import NOBODY, SEVERAL


def pair_up(
    provider: NDArray[np.uint64], requester: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], int]:
    """Rows of unique tokens, as :class:`padan_linkage.matching.TokenIndex` finds them.

    Arguments uint64[rows, 2]; gives int64[requester rows] (row, NOBODY or SEVERAL) and how many
    provider rows share their token with another.
    """
    everything = np.concatenate([provider, requester])
    _, number = np.unique(everything, axis=0, return_inverse=True)
    number = number.reshape(-1)
    mine, theirs = number[len(provider) :], number[: len(provider)]
    counts = np.bincount(theirs, minlength=int(number.max(initial=0)) + 1)
    last = np.full(len(counts), NOBODY, dtype=np.int64)
    last[theirs] = np.arange(len(provider))
    found = np.where(counts[mine] > 1, SEVERAL, last[mine])
    return found, int((counts[theirs] > 1).sum())
