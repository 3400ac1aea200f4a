"""Handles: the owner's names for its rows in one pass, so that a delta can name them again.

Spec: ``proto/spec/10-encoding.md``, "Handles".
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from padan_linkage.encoding.tokens import hmac_all
from padan_linkage.schema import HANDLE_BYTES


def record_handles(key: bytes, pass_id: str, ids: Iterable[str]) -> NDArray[np.uint8]:
    """Handles of records by their ids, ``uint8[n, 16]``: ``HMAC(key, pass ‖ 0x00 ‖ id)[:16]``."""
    prefix = pass_id.encode() + b"\x00"
    return _handles(key, [prefix + record_id.encode() for record_id in ids])


def decoy_handles(key: bytes, pass_id: str, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Handles of decoys, ``uint8[n, 16]``: ``HMAC(key, pass ‖ 0x01 ‖ number)[:16]``.

    The number takes 8 bytes, big-endian.
    """
    prefix = pass_id.encode() + b"\x01"
    return _handles(key, [prefix + int(number).to_bytes(8, "big") for number in numbers])


def _handles(key: bytes, messages: list[bytes]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(hmac_all(key, messages)[:, :HANDLE_BYTES])
