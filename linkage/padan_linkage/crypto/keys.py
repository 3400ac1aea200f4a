"""The linkage key of one (agreement, flow, epoch), and everything derived from it.

Both agencies derive it; the linkage unit cannot. Spec: ``proto/spec/20-keys.md``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import NoReturn

from Crypto.Hash import SHA256
from Crypto.Protocol.DH import (
    import_x25519_private_key,
    import_x25519_public_key,
    key_agreement,
)
from Crypto.Protocol.KDF import HKDF

from padan_linkage.crypto.epochs import DIGEST_BYTES, EXCHANGE_KEY_BYTES, flow_context, framed

SECRET_BYTES = 32
SUBKEY_BYTES = 32
CHECK_VALUE_BYTES = 16


class KeyAgreementError(Exception):
    """The two sides' keys do not make a linkage key; the message says which input is wrong."""


class LinkageKey:
    """The secret that both agencies share for one epoch of one flow.

    It shows no secret in its repr, does not pickle or copy, and compares in constant time.
    """

    __slots__ = ("_secret", "agreement_digest", "epoch", "flow_id")
    __hash__ = None  # type: ignore[assignment]  # a secret is no dictionary key

    def __init__(self, secret: bytes, agreement_digest: bytes, flow_id: str, epoch: int) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"a linkage secret has {SECRET_BYTES} bytes")
        flow_context(agreement_digest, flow_id, epoch)  # raises if one of them is malformed
        self._secret = bytes(secret)
        self.agreement_digest = agreement_digest
        self.flow_id = flow_id
        self.epoch = epoch

    def __repr__(self) -> str:
        return f"LinkageKey(flow_id={self.flow_id!r}, epoch={self.epoch}, secret=…)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LinkageKey):
            return NotImplemented
        mine = flow_context(self.agreement_digest, self.flow_id, self.epoch)
        theirs = flow_context(other.agreement_digest, other.flow_id, other.epoch)
        return mine == theirs and hmac.compare_digest(self._secret, other._secret)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a linkage key is derived again, never serialised or copied")

    def check_value(self) -> bytes:
        """16 bytes that tell two linkage keys apart and reveal neither (spec 20, "Check value")."""
        return _hkdf(self._secret, b"", b"padan/v1 check value\x00", CHECK_VALUE_BYTES)

    def subkey(self, label: str, schema_digest: bytes, *names: str) -> bytes:
        """The 32-byte subkey called ``label`` for ``names`` (pass id, segment label), spec 20.

        ``HKDF-SHA-256(secret, salt = schema digest, info = "padan/v1 <label>" ‖ 0x00 ‖ framed
        names)``. Raises ValueError if the digest is not 32 bytes long.
        """
        if len(schema_digest) != DIGEST_BYTES:
            raise ValueError(f"a schema digest has {DIGEST_BYTES} bytes")
        info = b"padan/v1 " + label.encode() + b"\x00" + b"".join(framed(n) for n in names)
        return _hkdf(self._secret, schema_digest, info, SUBKEY_BYTES)


def derive_linkage_key(
    *,
    exchange_static: Callable[[bytes], bytes],
    peer_static: bytes,
    my_epoch: bytes,
    peer_epoch: bytes,
    agreement_digest: bytes,
    flow_id: str,
    epoch: int,
    provider_contribution: bytes,
    requester_contribution: bytes,
) -> LinkageKey:
    """The linkage key of (agreement, flow, epoch), the same on both sides (spec 20, "Derivation").

    ``exchange_static`` is X25519 with this side's static private key, ``my_epoch`` a private key,
    ``peer_*`` and the contributions are public ones, 32 bytes each.
    The peer's contribution must have been verified against its signature before. Raises
    KeyAgreementError if the contributions are not the two epoch keys, or if a key is unusable.
    """
    mine = exchange_public_key(my_epoch)
    if {mine, peer_epoch} != {provider_contribution, requester_contribution} or mine == peer_epoch:
        raise KeyAgreementError("the two contributions are not this side's and the peer's keys")
    # Spec 20, step 5.
    shared = exchange_static(peer_static) + exchange(my_epoch, peer_epoch)
    info = (
        b"padan/v1 linkage key\x00"
        + flow_context(agreement_digest, flow_id, epoch)
        + provider_contribution
        + requester_contribution
    )
    secret = _hkdf(shared, agreement_digest, info, SECRET_BYTES)
    return LinkageKey(secret, agreement_digest, flow_id, epoch)


def exchange_public_key(private: bytes) -> bytes:
    """The X25519 public key (32 bytes) of a 32-byte private key. Raises KeyAgreementError."""
    _check_length(private)
    public: bytes = import_x25519_private_key(private).public_key().export_key(format="raw")
    return public


def exchange(private: bytes, public: bytes) -> bytes:
    """X25519 (RFC 7748), 32 bytes.

    Raises KeyAgreementError for a wrong length or when the result is all zero, which a public key
    of small order forces.
    """
    _check_length(private)
    _check_length(public)
    try:
        shared: bytes = key_agreement(
            static_priv=import_x25519_private_key(private),
            static_pub=import_x25519_public_key(public),
            kdf=bytes,
        )
    except ValueError as error:
        raise KeyAgreementError("the public key is not usable for X25519") from error
    if hmac.compare_digest(shared, bytes(EXCHANGE_KEY_BYTES)):
        raise KeyAgreementError("the public key forces an all-zero secret")
    return shared


def _check_length(key: bytes) -> None:
    if len(key) != EXCHANGE_KEY_BYTES:
        raise KeyAgreementError(f"an X25519 key has {EXCHANGE_KEY_BYTES} bytes, not {len(key)}")


def _hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869)."""
    key = HKDF(secret, length, salt, SHA256, context=info)
    assert isinstance(key, bytes)
    return key
