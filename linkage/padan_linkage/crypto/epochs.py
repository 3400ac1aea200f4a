"""Key epochs: the statement a party signs to take part in one. Holds no secret.

Spec: ``proto/spec/20-keys.md``, "Contributions". The linkage unit imports this module to check the
statements that it relays; it cannot make a key from them.
"""

from __future__ import annotations

DIGEST_BYTES = 32
EXCHANGE_KEY_BYTES = 32
_MAX_FRAMED_BYTES = 0xFFFF


def framed(text: str) -> bytes:
    """``text`` in UTF-8 behind its length, 2 bytes big-endian. Raises ValueError if too long."""
    data = text.encode()
    if len(data) > _MAX_FRAMED_BYTES:
        raise ValueError("a framed text has at most 65,535 bytes")
    return len(data).to_bytes(2, "big") + data


def flow_context(agreement_digest: bytes, flow_id: str, epoch: int) -> bytes:
    """What names a flow's epoch inside every statement, key and seal.

    ``agreement digest (32) ‖ len16 ‖ flow id ‖ epoch (8, big-endian)``. Raises ValueError for a
    digest of another length or an epoch below 1.
    """
    if len(agreement_digest) != DIGEST_BYTES:
        raise ValueError(f"an agreement digest has {DIGEST_BYTES} bytes")
    if not 1 <= epoch < 1 << 63:
        raise ValueError("epochs count from 1")
    return agreement_digest + framed(flow_id) + epoch.to_bytes(8, "big")


def contribution_statement(
    agreement_digest: bytes, flow_id: str, epoch: int, party: str, public_key: bytes
) -> bytes:
    """Bytes that ``party`` signs with its Ed25519 key to contribute ``public_key`` to an epoch.

    ``"padan/v1 epoch contribution" ‖ 0x00 ‖ flow context ‖ len16 ‖ party ‖ public key (32)``.
    Raises ValueError for a wrong length.
    """
    if len(public_key) != EXCHANGE_KEY_BYTES:
        raise ValueError(f"an X25519 public key has {EXCHANGE_KEY_BYTES} bytes")
    return (
        b"padan/v1 epoch contribution\x00"
        + flow_context(agreement_digest, flow_id, epoch)
        + framed(party)
        + public_key
    )
