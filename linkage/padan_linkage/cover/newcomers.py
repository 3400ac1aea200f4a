"""Whose value a new person would share: what a file of people tells of the next one.

The next person has a value that r of n people have about as often as one of the n has a value that
r others have (Good 1953, «The population frequencies of species»; leaving one out). So whoever is
drawn anew looks at a random person: if r others share that person's value, so shall r people share
the new one's; if nobody does, the new one's value is to be made, and nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.crypto.randomness import Drbg

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: A value that more people have is taken as it is: one more or less among them shows nothing.
_MANY = 24
#: Positions to either side from which somebody near is picked: so many, or this part of the file.
_LEAST_NEAR, _NEAR = 8, 0.01
#: The code of a value that is missing.
MISSING = -1


def coded(column: pa.StringArray) -> Numbers:
    """Equal numbers for equal values, MISSING for "", ``int64[n]``."""
    encoded = column.dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    lengths = pc.binary_length(encoded.dictionary).to_numpy(zero_copy_only=False)
    return np.where(lengths[codes] > 0, codes, MISSING) if len(lengths) else codes


@dataclass(frozen=True, repr=False)
class Neighbours:
    """An order of people in which those who stand near are alike, and nobody is near another block.

    ``order``: int64[n]; ``rank``: int64[n], each one's place in it; ``first``, ``last``: int64[n],
    by place, the block's bounds.
    """

    order: Numbers
    rank: Numbers
    first: Numbers
    last: Numbers

    @classmethod
    def of(cls, block: Numbers, height: Numbers, drbg: Drbg) -> Self:
        """By block, then by height, those alike in random order."""
        shuffled = drbg.permutation(block.size)
        order = shuffled[np.lexsort((height[shuffled], block[shuffled]))]
        rank = np.empty_like(order)
        rank[order] = np.arange(order.size)
        ordered = block[order]
        first = np.searchsorted(ordered, ordered, "left")
        last = np.searchsorted(ordered, ordered, "right") - 1
        return cls(order, rank, first.astype(np.int64), last.astype(np.int64))

    def pick(self, of: Numbers, drbg: Drbg) -> Numbers:
        """Somebody near each of ``of``; alone in a block, one is one's own neighbour."""
        place = self.rank[of]
        reach = max(_LEAST_NEAR, int(self.order.size * _NEAR))
        step = drbg.integers(of.size, 2 * reach) - reach
        place = place + np.where(step >= 0, step + 1, step)
        first, last = self.first[self.rank[of]], self.last[self.rank[of]]
        width = last - first + 1
        return self.order[first + (place - first) % width]


def whose(codes: Numbers, of: Numbers, place: Numbers, drbg: Drbg) -> Numbers:
    """Whose value each newcomer takes, who looks at ``of``: ``int64[k]``, -1 for nobody's.

    ``codes``: int64[n], not MISSING where ``of`` looks; ``place``: int64[n]: of several who would
    do, one who stands near is taken.
    """
    known = codes >= 0
    sizes = np.zeros(codes.size, np.int64)
    sizes[known] = np.bincount(codes[known])[codes[known]]
    others = sizes[of] - 1
    taken = np.where(others > 0, of, -1)
    few = np.flatnonzero((others > 0) & (others < _MANY))
    pool = np.flatnonzero((sizes > 0) & (sizes <= _MANY))
    if not few.size or not pool.size:
        return taken
    span = np.int64(place.max()) + 1
    key = sizes[pool] * span + place[pool]
    order = np.argsort(key, kind="stable")
    pool, key = pool[order], key[order]
    begin = np.searchsorted(key, others[few] * span)
    end = np.searchsorted(key, (others[few] + 1) * span)
    reach = np.maximum(_LEAST_NEAR, ((end - begin) * _NEAR).astype(np.int64))
    step = (drbg.integers(few.size, 1 << 32) % (2 * reach + 1)) - reach
    at = np.searchsorted(key, others[few] * span + place[of[few]]) + step
    at = np.clip(at, begin, np.maximum(end - 1, begin))
    found = end > begin
    taken[few[found]] = pool[at[found]]
    return taken
