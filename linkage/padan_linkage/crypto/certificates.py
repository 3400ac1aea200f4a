"""What is read from an X.509 certificate: whose key it shows, and what it is good for.

The name in a certificate says nothing here; the key does. Spec 30, "Transport".
"""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

#: What the library raises where a certificate, or its key, is not one that can be read.
UNREADABLE = (
    ValueError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)  # fmt: skip


def readable(der: bytes) -> x509.Certificate:
    """A certificate whose extensions and dates can be read too. Raises :data:`UNREADABLE`."""
    made = x509.load_der_x509_certificate(der)
    _ = made.extensions, made.public_key_algorithm_oid, made.not_valid_after_utc
    return made


def spki_pin(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER SubjectPublicKeyInfo, 64 hex digits (RFC 7469, 2.4).

    A certificate that is renewed for the same key keeps its pin. Raises :data:`UNREADABLE`.
    """
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def for_clients_alone(certificate: x509.Certificate) -> bool:
    """Whether its extended key usage names clients and not servers (RFC 5280, 4.2.1.12).

    One without the extension, or for any usage, could stand for a server too.
    """
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    named = set(usage)
    other = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    return ExtendedKeyUsageOID.CLIENT_AUTH in named and not named & other
