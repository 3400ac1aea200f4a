"""The agency's own TLS files, checked before anybody is called: gRPC would only hang up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from padan_client.base.errors import BadInputError
from padan_client.base.language import system_reason, t
from padan_client.base.ownership import require_private
from padan_client.home.config import Tls


@dataclass(frozen=True, repr=False)
class TlsFiles:
    """Authority, certificate chain and private key, PEM; and where the last two lie."""

    authority: bytes
    chain: bytes
    key: bytes
    chain_path: Path
    key_path: Path

    @classmethod
    def read(cls, tls: Tls, home: Path) -> Self:
        """The files of the settings. Raises BadInputError that names the file."""
        key_path, chain_path = home / tls.key, home / tls.certificate
        require_private(key_path, linked=True)
        key, chain = _pem(key_path), _pem(chain_path)
        _check_pair(key_path, key, _certificate(chain_path, chain))
        return cls(_pem(home / tls.ca), chain, key, chain_path, key_path)


def _pem(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInputError(
            t(
                f"Berkas TLS {path} tidak dapat dibaca ({system_reason(error)}). Periksa bagian "
                "[tls] pada client.toml.",
                f"The TLS file {path} cannot be read ({system_reason(error)}). Check section "
                "[tls] of client.toml.",
            )
        ) from None
    if b"-----BEGIN" not in content:
        raise BadInputError(t(f"Berkas TLS {path} bukan PEM.", f"The TLS file {path} is not PEM."))
    return content


def _certificate(path: Path, content: bytes) -> x509.Certificate:
    """The own certificate. One out of date is named: the unit would hang up without a word."""
    try:
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError:
        raise BadInputError(
            t(f"Sertifikat TLS {path} rusak.", f"The TLS certificate {path} is damaged.")
        ) from None
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= datetime.now(UTC) <= end:
        raise BadInputError(
            t(
                f"Sertifikat TLS {path} hanya berlaku {begin:%Y-%m-%d} sampai {end:%Y-%m-%d}. "
                "Minta yang baru.",
                f"The TLS certificate {path} is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d} "
                "only. Get a new one.",
            )
        )
    return certificate


def _check_pair(path: Path, content: bytes, certificate: x509.Certificate) -> None:
    """Name a private key that is of no use: gRPC would only say that nobody is there."""
    try:
        key = load_pem_private_key(content, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise BadInputError(
            t(
                f"Kunci TLS {path} rusak, atau terlindung frasa sandi. Simpan tanpa frasa sandi.",
                f"The TLS key {path} is damaged, or protected by a passphrase. Save it without.",
            )
        ) from None
    if key.public_key() != certificate.public_key():
        raise BadInputError(
            t(
                f"Kunci TLS {path} bukan pasangan sertifikat pada tls.certificate.",
                f"The TLS key {path} does not belong to the certificate in tls.certificate.",
            )
        )
