"""Randomness as an argument: a deterministic generator that the caller seeds.

Nothing in this package draws from the machine's entropy by itself; a table, its permutation and
its decoys follow from the seed. Spec: ``proto/spec/10-encoding.md``, "Randomness".
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

SEED_BYTES = 32


class Drbg:
    """AES-256 in counter mode, keyed with a 32-byte seed, counter from zero (SP 800-38A).

    The seed must come from the operating system and be used once. The repr shows nothing and the
    object does not pickle, so that a seed is not written anywhere by accident.
    """

    __slots__ = ("_stream",)

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
        self._stream = Cipher(algorithms.AES(seed), modes.CTR(bytes(16))).encryptor()

    def __repr__(self) -> str:
        return "Drbg(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Drbg is not serialised")

    def bytes(self, count: int) -> bytes:
        """The next ``count`` bytes of the keystream."""
        return self._stream.update(bytes(count))

    def uint64(self, count: int) -> NDArray[np.uint64]:
        """The next ``8 * count`` bytes as little-endian numbers, ``uint64[count]``."""
        return np.frombuffer(self.bytes(8 * count), dtype="<u8").astype(np.uint64)

    def integers(self, count: int, below: int) -> NDArray[np.int64]:
        """``int64[count]``, each uniform in ``0 … below - 1``.

        Words past the last multiple of ``below`` are drawn again, so that no number is favoured.
        """
        if not 0 < below < 1 << 63:
            raise ValueError("the bound must be positive and below 2^63")
        words = self.uint64(count)
        highest = np.uint64((1 << 64) - 1 - (1 << 64) % below)
        while (bad := np.flatnonzero(words > highest)).size:
            words[bad] = self.uint64(bad.size)
        return (words % np.uint64(below)).astype(np.int64)

    def permutation(self, count: int) -> NDArray[np.int64]:
        """A random order of ``0 … count - 1``, ``int64[count]``: the order of random 64-bit keys.

        Two keys are equal with a probability of about ``count² / 2^65``; which of them then comes
        first is the sorting's affair.
        """
        return np.argsort(self.uint64(count))

    def fork(self, label: str) -> Drbg:
        """A generator of its own, independent of this one and of every other fork.

        Its seed is HMAC-SHA-256 of the label under the next 32 bytes, so forking twice with the
        same label gives two different generators.
        """
        return Drbg(hmac.digest(self.bytes(SEED_BYTES), label.encode(), hashlib.sha256))
