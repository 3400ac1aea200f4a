"""Sealed codes of proto/spec/25-sealed-codes.md, opened without the package and without its HPKE.

HPKE's auth mode (RFC 9180, 4.1, 5.1, 5.3) is written out for DHKEM(X25519, HKDF-SHA256); curve and
AES-GCM come from ``cryptography``, which the package uses for neither HPKE nor X25519.
"""

import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM_SUITE = b"KEM" + struct.pack(">H", 0x0020)
HPKE_SUITE = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0002)
AUTH_MODE = b"\x02"


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def labeled_extract(suite, salt, label, secret):
    return hmac_sha256(salt or bytes(32), b"HPKE-v1" + suite + label + secret)


def labeled_expand(suite, key, label, info):
    """32 bytes: one block of HKDF-Expand."""
    return hmac_sha256(key, struct.pack(">H", 32) + b"HPKE-v1" + suite + label + info + b"\x01")


def exchange(private, public):
    key = X25519PrivateKey.from_private_bytes(private)
    return key.exchange(X25519PublicKey.from_public_bytes(public))


def public_key(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def auth_decap(encapsulated, receiver_private, sender_public):
    shared = exchange(receiver_private, encapsulated) + exchange(receiver_private, sender_public)
    context = encapsulated + public_key(receiver_private) + sender_public
    extracted = labeled_extract(KEM_SUITE, b"", b"eae_prk", shared)
    return labeled_expand(KEM_SUITE, extracted, b"shared_secret", context)


def exporter_secret(shared_secret, info):
    id_hash = labeled_extract(HPKE_SUITE, b"", b"psk_id_hash", b"")
    info_hash = labeled_extract(HPKE_SUITE, b"", b"info_hash", info)
    secret = labeled_extract(HPKE_SUITE, shared_secret, b"secret", b"")
    return labeled_expand(HPKE_SUITE, secret, b"exp", AUTH_MODE + id_hash + info_hash)


def framed(text):
    return struct.pack(">H", len(text.encode())) + text.encode()


def seal_info(agreement_digest, flow_id, epoch, seal_id):
    flow = agreement_digest + framed(flow_id) + struct.pack(">Q", epoch)
    return b"padan/v1 seal\x00" + flow + seal_id


def pass_key(encapsulated, receiver_private, sender_public, info, pass_id):
    shared = auth_decap(encapsulated, receiver_private, sender_public)
    context = b"pass\x00" + pass_id.encode()
    return labeled_expand(HPKE_SUITE, exporter_secret(shared, info), b"sec", context)


def open_code(key, info, pass_id, token, sealed):
    """The payload, or None."""
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], info + framed(pass_id) + token)
    except InvalidTag:
        return None


def read_payload(payload):
    """(codes, empty, decoy), or None if the form is unknown."""
    version, flags, zero, codes, empty = struct.unpack("<BBHQI", payload)
    if version != 1 or flags > 1 or zero:
        return None
    return codes, empty, bool(flags)
