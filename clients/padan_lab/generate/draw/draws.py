"""Chance that belongs to a row: row ``i`` of a stream draws the same number in whatever batch.

Nothing here keeps a state, so people can be made in any order, in batches of any size, and twice.
The numbers depend on the seed, the stream's label and the row alone, not on the NumPy release.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_TABLE_BITS = 16


class Choice:
    """A weighted choice among ``len(weights)`` positions, to within 1/65,536 of each share."""

    def __init__(self, weights: Sequence[float]) -> None:
        edges = np.cumsum(np.asarray(weights, dtype=float))
        points = (np.arange(1 << _TABLE_BITS) + 0.5) / (1 << _TABLE_BITS)
        self._table = np.searchsorted(edges / edges[-1], points, side="right").astype(np.int32)

    def at(self, bits: NDArray[np.uint64]) -> Ints:
        """The positions that some random 64-bit numbers stand for."""
        drawn: Ints = self._table[bits >> np.uint64(64 - _TABLE_BITS)].astype(np.int64)
        return drawn


class Draws:
    """Streams of one part of the generator; ``rows`` are int64[n], results have their shape."""

    def __init__(self, seed: int, part: str = "") -> None:
        self._seed, self._part = seed, part

    def of(self, part: str) -> Draws:
        """Streams of another part, independent of these."""
        return Draws(self._seed, f"{self._part}/{part}")

    def bits(self, label: str, rows: Ints) -> NDArray[np.uint64]:
        """uint64, uniform (the finaliser of SplitMix64 over a stream's own starting point)."""
        name = f"{self._seed}:{self._part}:{label}".encode()
        start = np.uint64(int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little"))
        x = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + start
        x ^= x >> np.uint64(30)
        x *= np.uint64(0xBF58476D1CE4E5B9)
        x ^= x >> np.uint64(27)
        x *= np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
        return x

    def share(self, label: str, rows: Ints) -> Floats:
        """float64 in [0, 1)."""
        drawn: Floats = (self.bits(label, rows) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return drawn

    def chance(self, label: str, rows: Ints, probability: ArrayLike) -> Bools:
        """True with ``probability``, a number or one for each row."""
        return self.share(label, rows) < np.asarray(probability)

    def below(self, label: str, rows: Ints, limit: ArrayLike) -> Ints:
        """int64 in [0, limit); ``limit`` below 2**32, a number or one for each row."""
        high = self.bits(label, rows) >> np.uint64(32)
        scaled = high * np.asarray(limit).astype(np.uint64) >> np.uint64(32)
        return scaled.astype(np.int64)

    def pick(self, label: str, rows: Ints, choice: Choice) -> Ints:
        """Positions by weight."""
        return choice.at(self.bits(label, rows))

    def bell(self, label: str, rows: Ints) -> Floats:
        """About standard normal: the sum of four uniform numbers."""
        total = np.zeros(rows.shape)
        for i in range(4):
            total += self.share(f"{label} {i}", rows)
        total -= 2.0
        total *= 3.0**0.5
        return total
