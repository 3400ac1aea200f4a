"""Made-up Bloom filters that all have one weight, as those of a run all look alike in theirs.

Among filters of one weight w, Dice is 1 - d / 2w for a Hamming distance d: peers that know Dice and
peers that know distances can then be asked the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

#: Set bits in a thousand, as people's names, dates and places were measured to give.
_FILL = 475
#: Eighths of the bits that a copy has dealt anew: a near copy, and one that is over Dice .8 or not.
_NEAR, _MAYBE = 2, 3
#: Filters that all are copies of: two thirds of their copies alike make one pair in a hundred.
_FAMILIES = 65


def weight_of(bits: int) -> int:
    """Set bits of every filter of so many bits."""
    return bits * _FILL // 1000


def unlike(rows: int, bits: int, seed: int = 1) -> tuple[Words, Words]:
    """Two tables uint64[rows, words] without likeness, but for a copy in a hundred."""
    rng = np.random.default_rng(seed)
    left, right = _random(rng, rows, bits), _random(rng, rows, bits)
    right[::100] = _copies(rng, left[::100], _NEAR)
    return _packed(left), _packed(right)


def alike(rows: int, bits: int, seed: int = 1) -> tuple[Words, Words]:
    """Two tables uint64[rows, words] of copies of few filters: one pair in a hundred is alike."""
    rng = np.random.default_rng(seed)
    families = _random(rng, _FAMILIES, bits)
    left, right = (
        _copies(rng, families[rng.integers(0, _FAMILIES, rows)], _MAYBE) for _ in range(2)
    )
    return _packed(left), _packed(right)


def _random(rng: np.random.Generator, rows: int, bits: int) -> NDArray[np.bool_]:
    one = np.arange(bits) < weight_of(bits)
    dealt: NDArray[np.bool_] = rng.permuted(np.tile(one, (rows, 1)), axis=1)
    return dealt


def _copies(
    rng: np.random.Generator, filters: NDArray[np.bool_], eighths: int
) -> NDArray[np.bool_]:
    """Copies of the same weight with so many eighths of their bits dealt anew."""
    dealt = filters.shape[1] * eighths // 8
    anew = rng.permuted(filters[:, :dealt], axis=1)
    return np.concatenate([anew, filters[:, dealt:]], axis=1)


def _packed(bits: NDArray[np.bool_]) -> Words:
    """Rows of bits as rows of words."""
    return np.packbits(bits, axis=1, bitorder="little").view("<u8").astype(np.uint64)
