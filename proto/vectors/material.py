"""What all vectors are made from: fixed keys and the name of a flow. All of it is made up."""

from __future__ import annotations

import hashlib

FLOW, EPOCH = "asn-status", 3


def key_bytes(name: str) -> bytes:
    """A fixed 32-byte key or digest for the vectors."""
    return hashlib.sha256(b"padan vectors: " + name.encode()).digest()
