"""HKDF-SHA-256 (RFC 5869) of many secrets at once, without salt."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_linkage.compiled.sha256 import HASH_BYTES, hmac_rows, hmac_sha256

Bytes = NDArray[np.uint8]


def extract(material: Bytes) -> Bytes:
    """Pseudorandom keys ``uint8[n, 32]`` of the rows of ``uint8[n, k]``; the salt is empty."""
    count, width = material.shape
    ends = np.arange(count + 1, dtype=np.int64) * width
    data = np.ascontiguousarray(material, np.uint8)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(data)]
    messages = pa.LargeBinaryArray.from_buffers(pa.large_binary(), count, buffers)
    return hmac_sha256(b"", messages)


def expand(keys: Bytes, infos: Bytes, length: int) -> Bytes:
    """``uint8[n, length]`` of keys ``uint8[n, 32]`` and an info each, ``uint8[n, m]``.

    Raises ValueError for more than 255 blocks of 32 bytes.
    """
    blocks = -(-length // HASH_BYTES)
    if blocks > 255:
        raise ValueError("HKDF gives 255 blocks at most")
    made: list[Bytes] = []
    for number in range(1, blocks + 1):
        counter = np.full((len(keys), 1), number, np.uint8)
        made.append(hmac_rows(keys, np.hstack([*made[-1:], infos, counter])))
    return np.hstack(made)[:, :length]


def same_info(info: bytes, count: int) -> Bytes:
    """One info for ``count`` secrets."""
    return np.broadcast_to(np.frombuffer(info, np.uint8), (count, len(info)))
