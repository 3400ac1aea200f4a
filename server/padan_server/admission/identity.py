"""Who calls: the public key of the caller's certificate, pinned to a party."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from padan_server.base.errors import Reason, Refusal


class Pins:
    """Parties by the SHA-256 of their certificates' DER SubjectPublicKeyInfo."""

    def __init__(self, parties: Mapping[str, Sequence[str]]) -> None:
        self._parties = {pin: party for party, pins in parties.items() for pin in pins}

    def party_of(self, auth_context: Mapping[str, Sequence[bytes]]) -> str:
        """The party whose key the TLS handshake proved, or a refusal."""
        certificates = auth_context.get("x509_pem_cert") or [b""]
        # Spec 30, "Transport", step 1.
        party = self._parties.get(_pin(bytes(certificates[0])), "")
        if not party:
            raise Refusal(Reason.CALLER_UNKNOWN)
        return party


def spki_pin(certificate_pem: bytes) -> str:
    """SHA-256, in hex, of the certificate's DER SubjectPublicKeyInfo. ValueError if it is none."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def expiry(certificate_pem: bytes) -> datetime:
    """When a certificate stops being valid, aware. ValueError if it is none."""
    return x509.load_pem_x509_certificate(certificate_pem).not_valid_after_utc


@lru_cache(maxsize=256)
def _pin(certificate_pem: bytes) -> str:
    try:
        return spki_pin(certificate_pem)
    except ValueError:
        return ""
