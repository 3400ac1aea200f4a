"""Short sketches of filters whose distance is never above the filters' own: a lossless filter.

Folding: word i of a sketch of 2p words is the XOR of the words i, i + 2p, i + 4p … of the filter.
A bit of the sketch differs only where some of the bits it came from differ, so the distance of two
sketches is at most that of the filters. Pairing: of the words 2i and 2i + 1 of a sketch, bits that
differ in either are counted once (``paired_hits``), which takes nothing to the bound's validity and
saves a third of the work. A pair whose bound is above the limit needs no further look; how many
words it takes to reject nearly all pairs depends on the data, so a sample decides, and where no
sketch pays the filters are compared in full.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]


def fold(filters: Words, words: int) -> Words:
    """Sketches uint64[n, words] of filters uint64[n, more words]."""
    sketch = filters[:, :words].copy()
    for first in range(words, filters.shape[1], words):
        part = filters[:, first : first + words]
        sketch[:, : part.shape[1]] ^= part
    return sketch


def lower_bound(one: Words, others: Words) -> NDArray[np.int64]:
    """The paired distance of a sketch uint64[words] to others uint64[n, words]; int64[n].

    ``words`` is even. What the kernel's ``paired_hits`` counts, in plain NumPy.
    """
    differing = one ^ others
    either = differing[:, 0::2] | differing[:, 1::2]
    counted: NDArray[np.int64] = np.bitwise_count(either).sum(axis=1, dtype=np.int64)
    return counted


#: What a pair costs, in vector operations: a word in full, a pair of words in a sketch, a tile's
#: other work, and a candidate that has to be looked up and compared in full.
WORD_COST, PAIR_COST, TILE_COST, CANDIDATE_COST = 3.0, 4.0, 4.0, 6000.0


def choose(words: int, candidates: Callable[[int], float]) -> int:
    """Words of the sketch that makes a search cheapest, or 0 for no sketch.

    ``candidates(w)``: the share of pairs that a sketch of w words does not reject.
    """
    best, least = 0, WORD_COST * words + TILE_COST
    for kept in range((words - 1) // 2 * 2, 0, -2):
        cost = PAIR_COST * (kept // 2) + TILE_COST
        cost += CANDIDATE_COST * candidates(kept)
        if cost < least:
            best, least = kept, cost
        elif cost > 2 * least:
            break  # shorter ones reject still less
    return best
