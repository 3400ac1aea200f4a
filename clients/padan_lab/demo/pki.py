"""A throw-away certificate authority on loopback, for demonstrations and tests alone."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from padan_linkage.crypto.certificates import spki_pin

_LIFETIME = dt.timedelta(days=2)
_LOOPBACK = ipaddress.ip_address("127.0.0.1")


def _usage(**bits: bool) -> x509.KeyUsage:
    every = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**{**every, **bits})


@dataclass(frozen=True)
class Certificate:
    """Paths of a PEM certificate and its key; ``pin`` is the SHA-256 of its SPKI in hex."""

    certificate: Path
    key: Path
    pin: str


class Authority:
    """A CA whose key lives only in this process; certificates are valid around ``moment``.

    Nobody can issue below it. It is not confined to loopback by name constraints: gRPC's TLS
    refuses those on addresses.
    """

    def __init__(self, folder: Path, moment: dt.datetime) -> None:
        self._folder = folder
        self._moment = moment
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Padan demo CA", "CA")
        cert = (
            self._builder(self._name, self._key.public_key(), moment)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True), critical=True)
            .sign(self._key, SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(cert.public_bytes(serialization.Encoding.PEM))

    def issue_client(self, name: str, moment: dt.datetime | None = None) -> Certificate:
        """A certificate with which ``name`` can call, and cannot serve.

        Valid around ``moment``, by default the authority's own.
        """
        place = x509.UniformResourceIdentifier(f"urn:padan:client:{name}")
        return self._issue(name, "client", ExtendedKeyUsageOID.CLIENT_AUTH, (place,), moment)

    def issue_server(self, name: str, key: ec.EllipticCurvePrivateKey | None = None) -> Certificate:
        """A certificate with which ``name`` can serve on loopback, and cannot call.

        ``key``: an earlier certificate's, where it is only renewed.
        """
        places = (x509.DNSName("localhost"), x509.IPAddress(_LOOPBACK))
        return self._issue(name, "server", ExtendedKeyUsageOID.SERVER_AUTH, places, None, key)

    def _issue(
        self,
        name: str,
        use: str,
        usage: x509.ObjectIdentifier,
        places: tuple[x509.GeneralName, ...],
        moment: dt.datetime | None,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> Certificate:
        key = key or ec.generate_private_key(ec.SECP256R1())
        made = (
            self._builder(_name(name, use), key.public_key(), moment or self._moment)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            .add_extension(x509.SubjectAlternativeName(places), critical=False)
        )
        paths = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate = made.sign(self._key, SHA256())
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].touch(mode=0o600)
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return Certificate(*paths, spki_pin(certificate))

    def _builder(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey, moment: dt.datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(moment - _LIFETIME)
            .not_valid_after(moment + _LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )


def _name(common_name: str, use: str) -> x509.Name:
    """A subject; ``use`` keeps the names of an agency's client and server apart."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Padan demo"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, use),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
