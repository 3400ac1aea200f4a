"""Tokens: the keyed hash of a record's exact fields, and what is cut from it.

Spec: ``proto/spec/10-encoding.md``, "Token".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.encoding.columns import StringColumn, all_present, framed_messages
from padan_linkage.encoding.sha256 import hmac_sha256


@dataclass(frozen=True, repr=False)
class Tokens:
    """Keyed hashes of ``n`` records.

    ``distinct`` is ``uint8[d, 32]``, 16 bytes of token and 16 of salt key; ``of_record``
    ``int64[n]`` numbers each record's hash, -1 where an exact field is empty.
    """

    distinct: NDArray[np.uint8]
    of_record: NDArray[np.int64]

    @property
    def usable(self) -> NDArray[np.int64]:
        """Numbers of the records that have all exact fields."""
        return np.flatnonzero(self.of_record >= 0)


def make_tokens(key: bytes, columns: Sequence[StringColumn]) -> Tokens:
    """HMAC-SHA-256 of every record's framed exact values, once for each distinct combination."""
    encoded = framed_messages(columns).dictionary_encode()
    of_record = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    distinct = hmac_sha256(key, encoded.dictionary)
    return Tokens(distinct, np.where(all_present(columns), of_record, -1))


def buckets(hashes: NDArray[np.uint8], bucket_bits: int) -> NDArray[np.uint8]:
    """The leading ``bucket_bits`` of each hash as uint16, little-endian: ``uint8[n, 2]``."""
    leading = hashes[:, 0].astype(np.uint16) << 8 | hashes[:, 1]
    return (leading >> (16 - bucket_bits)).astype("<u2").view(np.uint8).reshape(-1, 2)


def salt_keys(hashes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The SipHash key of each row, bytes 16 to 31 as two little-endian words: ``uint64[n, 2]``."""
    return np.ascontiguousarray(hashes[:, 16:32]).view("<u8").astype(np.uint64)
