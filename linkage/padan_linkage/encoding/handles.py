"""Handles: the owner's names for its rows in one pass, so that a delta can name them again.

Spec: ``proto/spec/10-encoding.md``, "Handles".
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.compiled.sha256 import hmac_sha256
from padan_linkage.schema import HANDLE_BYTES


def record_handles(key: bytes, pass_id: str, ids: pa.StringArray) -> NDArray[np.uint8]:
    """Handles of records by their ids, ``uint8[n, 16]``: ``HMAC(key, pass ‖ 0x00 ‖ id)[:16]``."""
    return _handles(key, pass_id.encode() + b"\x00", ids.cast(pa.large_string()))


def cover_handles(key: bytes, pass_id: str, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Handles of cover people, ``uint8[n, 16]``: ``HMAC(key, pass ‖ 0x01 ‖ number)[:16]``.

    The number takes 8 bytes, big-endian.
    """
    raw = pa.py_buffer(numbers.astype(">i8").tobytes())
    eight = pa.FixedSizeBinaryArray.from_buffers(pa.binary(8), len(numbers), [None, raw])
    return _handles(key, pass_id.encode() + b"\x01", eight)


def _handles(key: bytes, prefix: bytes, names: pa.Array) -> NDArray[np.uint8]:
    before, nothing = (pa.scalar(text, pa.large_binary()) for text in (prefix, b""))
    messages = pc.binary_join_element_wise(before, names.cast(pa.large_binary()), nothing)
    return np.ascontiguousarray(hmac_sha256(key, messages)[:, :HANDLE_BYTES])
