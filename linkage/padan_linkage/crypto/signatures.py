"""Ed25519 signatures with raw 32-byte keys (RFC 8032; spec 20, "Identity").

Deterministic: the randomness of a new key is an argument. A public key of small order is refused,
because a signature under it proves nothing.
"""

from __future__ import annotations

from Crypto.PublicKey.ECC import EccKey
from Crypto.Signature import eddsa

PRIVATE_KEY_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


class SignatureError(Exception):
    """A signature does not verify, or a key is not a usable Ed25519 key."""


def generate(randomness: bytes) -> bytes:
    """The private key made of ``randomness``, 32 secret bytes; ValueError on another length."""
    if len(randomness) != PRIVATE_KEY_BYTES:
        raise ValueError(f"randomness must be {PRIVATE_KEY_BYTES} bytes, not {len(randomness)}")
    return bytes(randomness)


def public_key(private: bytes) -> bytes:
    """The 32-byte public key of a 32-byte private key. Raises ValueError on another length."""
    return bytes(_private(private).public_key().export_key(format="raw"))


def sign(private: bytes, message: bytes) -> bytes:
    """The 64-byte signature of ``message``; the same every time. Raises ValueError on a bad key."""
    return bytes(eddsa.new(_private(private), "rfc8032").sign(message))


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Return if ``signature`` is the key owner's over ``message``; else raise SignatureError."""
    key = check_public_key(public)
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"signature must be {SIGNATURE_BYTES} bytes, not {len(signature)}")
    try:
        eddsa.new(key, "rfc8032").verify(message, signature)
    except ValueError as e:
        raise SignatureError("signature does not verify") from e


def check_public_key(public: bytes) -> EccKey:
    """The key object of a usable public key; raises SignatureError naming what is wrong."""
    if len(public) != PUBLIC_KEY_BYTES:
        raise SignatureError(f"public key must be {PUBLIC_KEY_BYTES} bytes, not {len(public)}")
    try:
        key = eddsa.import_public_key(public)
    except ValueError as e:
        raise SignatureError("public key is not a point of the curve") from e
    if (key.pointQ * 8).is_point_at_infinity():
        raise SignatureError("public key has small order")
    return key


def _private(private: bytes) -> EccKey:
    if len(private) != PRIVATE_KEY_BYTES:
        raise ValueError(f"private key must be {PRIVATE_KEY_BYTES} bytes, not {len(private)}")
    return eddsa.import_private_key(private)


def holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether :func:`verify` takes it."""
    try:
        verify(public, message, signature)
    except SignatureError:
        return False
    return True
