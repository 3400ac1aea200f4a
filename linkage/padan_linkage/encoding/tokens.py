"""Tokens: the keyed hash of a record's exact fields, and what is cut from it.

Spec: ``proto/spec/10-encoding.md``, "Token".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.sha256 import hmac_sha256
from padan_linkage.encoding.columns import StringColumn, all_present, framed_messages


@dataclass(frozen=True, repr=False)
class Tokens:
    """Keyed hashes of ``n`` records.

    ``hashes`` is ``uint8[n, 32]``, 16 bytes of token and 16 of salt key; ``whole`` ``bool[n]``:
    who has all exact values.
    """

    hashes: NDArray[np.uint8]
    whole: NDArray[np.bool_]

    @property
    def usable(self) -> NDArray[np.int64]:
        """Numbers of the records that have all exact fields."""
        return np.flatnonzero(self.whole)


def make_tokens(key: bytes, columns: Sequence[StringColumn]) -> Tokens:
    """HMAC-SHA-256 of every record's framed exact values.

    Equal values are hashed again: to find them would take as long.
    """
    # Spec 10, step 1: T of every record.
    hashes = hmac_sha256(key, framed_messages(columns))
    return Tokens(hashes, all_present(columns))


def buckets(hashes: NDArray[np.uint8], bucket_bits: int) -> NDArray[np.uint8]:
    """The leading ``bucket_bits`` of each hash as uint16, little-endian: ``uint8[n, 2]``."""
    leading = hashes[:, 0].astype(np.uint16) << 8 | hashes[:, 1]
    return (leading >> (16 - bucket_bits)).astype("<u2").view(np.uint8).reshape(-1, 2)


def salt_keys(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The SipHash key of each row, bytes 16 to 31 as two little-endian words: ``uint64[n, 2]``."""
    return np.ascontiguousarray(hashes[:, 16:32]).view("<u8").astype(np.uint64)
