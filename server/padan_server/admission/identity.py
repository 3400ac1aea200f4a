"""Who calls: the public key of the caller's certificate, pinned to a party."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography import x509

from padan_linkage.crypto.certificates import UNREADABLE, for_clients_alone, spki_pin
from padan_server.base.errors import Reason, Refusal


class Pins:
    """Parties by the SHA-256 of their certificates' DER SubjectPublicKeyInfo."""

    def __init__(self, parties: Mapping[str, Sequence[str]]) -> None:
        self.parties = frozenset(parties)
        self._parties = {pin: party for party, pins in parties.items() for pin in pins}

    def party_of(self, auth_context: Mapping[str, Sequence[bytes]]) -> str:
        """The party whose key the TLS handshake proved, or a refusal."""
        certificates = auth_context.get("x509_pem_cert") or [b""]
        # Spec 30, "Transport", step 1.
        party = self._parties.get(_client_pin(bytes(certificates[0])), "")
        if not party:
            raise Refusal(Reason.CALLER_UNKNOWN)
        return party

    def require(self, auth_context: Mapping[str, Sequence[bytes]], party: str) -> None:
        """Refuse a caller whose key is no longer that party's."""
        if self.party_of(auth_context) != party:
            raise Refusal(Reason.CALLER_UNKNOWN)


class OwnCertificate:
    """The certificate that the server shows."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self._certificate = certificate
        self.pin = spki_pin(self._certificate)

    @property
    def expiry(self) -> datetime:
        """When it stops being valid, aware."""
        return self._certificate.not_valid_after_utc

    def require_apart(self, parties: Mapping[str, Sequence[str]]) -> None:
        """Raise ValueError where a party calls with the very key that this server shows."""
        for party, pins in parties.items():
            if self.pin in pins:
                raise ValueError(
                    f"kunci sertifikat server ini terdaftar sebagai milik {party}; pakai kunci "
                    f"lain. / this server's certificate has the key registered for {party}; use "
                    "another."
                )


@lru_cache(maxsize=256)
def _client_pin(certificate_pem: bytes) -> str:
    """The pin of a certificate that is good for a client and no server; empty of any other."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        return spki_pin(certificate) if for_clients_alone(certificate) else ""
    except UNREADABLE:
        return ""
