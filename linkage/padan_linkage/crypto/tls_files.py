"""A process's own TLS files, examined before a connection is made or a port is bound.

gRPC takes a file of no use without a word, and then says that nobody is there, or that it cannot
bind. What can be known from the files alone is found here, and told by file and setting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from padan_linkage.crypto.certificates import UNREADABLE, for_clients_alone, readable
from padan_linkage.crypto.pem import PemBlock, PemFile
from padan_linkage.crypto.tls_faults import TlsFault, TlsFileError

#: Sizes of RSA keys that OpenSSL and BoringSSL both take, in bits.
_LEAST_RSA, _MOST_RSA = 2048, 16384
#: BoringSSL signs with no other curves unless it is told to, and gRPC does not tell it.
_CURVES = ("secp256r1", "secp384r1")
_CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE")
_A_CERTIFICATE = ("sertifikat", "certificate")
_A_KEY = ("kunci privat", "private key")


class TlsUse(Enum):
    """What a certificate is used for: to call, or to serve."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, repr=False)
class OwnTls:
    """Authorities, certificate chain and private key, as PEM that OpenSSL and gRPC both read."""

    authority: bytes
    chain: bytes
    key: bytes
    certificate: x509.Certificate

    @property
    def issuer_is_trusted(self) -> bool:
        """Whether an authority of the file issued the certificate, or another of its chain."""
        issuers = x509.load_pem_x509_certificates(self.authority)
        chain = x509.load_pem_x509_certificates(self.chain)
        return any(_issued(each, by) for each in chain for by in issuers)


def open_to_anybody(_: Path) -> None:
    """Whoever may read a key is not looked at."""


def read_tls(
    ca: Path,
    certificate: Path,
    key: Path,
    use: TlsUse,
    moment: datetime,
    *,
    keep_private: Callable[[Path], None] = open_to_anybody,
) -> OwnTls:
    """The files of ``[tls]``, good for ``use`` at ``moment``.

    ``keep_private`` looks at who may read the key, once the file is known to hold one. Raises
    TlsFileError that names the first that is of no use, and why.
    """
    files = [
        PemFile.read(f"tls.{field}", path)
        for field, path in (("certificate", certificate), ("key", key), ("ca", ca))
    ]
    chain_file, key_file, authority_file = files
    chain, private = _certificates(chain_file), _private_key(key_file)
    keep_private(key)
    authorities = _certificates(authority_file)
    _require_pair(key_file, chain_file, private, chain)
    if chain[0] in authorities and not _is_authority(chain[0]) and len(authorities) == 1:
        raise authority_file.error(TlsFault.AUTHORITY_IS_CERTIFICATE)
    _require_valid(chain_file, chain[0], moment)
    _require_use(chain_file, chain[0], use)
    _require_authority(authority_file, authorities, moment)
    return OwnTls(
        b"".join(each.public_bytes(Encoding.PEM) for each in authorities),
        b"".join(each.public_bytes(Encoding.PEM) for each in chain),
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        chain[0],
    )


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _certificates(file: PemFile) -> list[x509.Certificate]:
    found = [block for block in file.blocks if block.label in _CERTIFICATES]
    if not found:
        if any(_is_key(block) for block in file.blocks):
            raise file.error(TlsFault.KEY_WHERE_CERTIFICATE)
        raise file.error(
            TlsFault.PEM_OTHER_KIND,
            kind=file.blocks[0].label,
            wanted=("sertifikat (CERTIFICATE)", "a certificate (CERTIFICATE)"),
        )
    try:
        return [readable(block.der) for block in found]
    except UNREADABLE:
        raise file.error(TlsFault.PEM_DAMAGED, kind=_A_CERTIFICATE) from None


def _is_key(block: PemBlock) -> bool:
    return block.label.endswith("PRIVATE KEY")


def _private_key(file: PemFile) -> PrivateKeyTypes:
    found = [block for block in file.blocks if _is_key(block)]
    if len(found) > 1:
        raise file.error(TlsFault.KEYS_SEVERAL, count=len(found))
    if not found:
        if any(block.label in _CERTIFICATES for block in file.blocks):
            raise file.error(TlsFault.CERTIFICATE_WHERE_KEY)
        raise _no_private_key(file, file.blocks[0].label)
    if found[0].label == "OPENSSH PRIVATE KEY":
        raise _no_private_key(file, found[0].label)
    if found[0].encrypted:
        raise file.error(TlsFault.KEY_ENCRYPTED)
    return _usable(file, found[0])


def _no_private_key(file: PemFile, label: str) -> TlsFileError:
    wanted = ("kunci privat TLS (PRIVATE KEY)", "a private key for TLS (PRIVATE KEY)")
    return file.error(TlsFault.PEM_OTHER_KIND, kind=label, wanted=wanted)


def _usable(file: PemFile, block: PemBlock) -> PrivateKeyTypes:
    try:
        key = load_pem_private_key(block.pem(), password=None)
    except UnsupportedAlgorithm:
        raise _unusable(file, ("jenis yang tidak dikenal", "an unknown kind")) from None
    except (TypeError, ValueError):
        raise file.error(TlsFault.PEM_DAMAGED, kind=_A_KEY) from None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return key
    if isinstance(key, rsa.RSAPrivateKey) and _LEAST_RSA <= key.key_size <= _MOST_RSA:
        return key
    raise _unusable(file, _kind(key))


def _unusable(file: PemFile, kind: str | tuple[str, str]) -> TlsFileError:
    return file.error(TlsFault.KEY_KIND, kind=kind, least=_LEAST_RSA, most=_MOST_RSA)


def _kind(key: PrivateKeyTypes) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return f"EC {key.curve.name}"
    if isinstance(key, rsa.RSAPrivateKey | dsa.DSAPrivateKey):
        return f"{'RSA' if isinstance(key, rsa.RSAPrivateKey) else 'DSA'} {key.key_size} bit"
    return type(key).__name__.removeprefix("_").removesuffix("PrivateKey")


def _require_pair(
    key_file: PemFile,
    chain_file: PemFile,
    key: PrivateKeyTypes,
    chain: Sequence[x509.Certificate],
) -> None:
    """The key belongs to the first certificate: that is the one TLS shows for it."""
    mine = key.public_key()
    fitting = [i for i, each in enumerate(chain, 1) if _public_key(each) == mine]
    if fitting[:1] == [1]:
        return
    if fitting:
        raise chain_file.error(TlsFault.CHAIN_ORDER, place=fitting[0], count=len(chain))
    if _is_authority(chain[0]):
        raise chain_file.error(TlsFault.CERTIFICATE_IS_AUTHORITY)
    raise key_file.error(TlsFault.KEY_MISMATCH)


def _public_key(certificate: x509.Certificate) -> object:
    """Its key, or None where the kind is unknown: then it is not ours either."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return found.value.ca


def _require_valid(file: PemFile, certificate: x509.Certificate, moment: datetime) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= moment <= end:
        expired = moment > end
        raise file.error(
            TlsFault.CERTIFICATE_EXPIRED if expired else TlsFault.CERTIFICATE_NOT_YET,
            begin=_written(begin),
            end=_written(end),
            now=_written(moment),
        )


def _require_use(file: PemFile, certificate: x509.Certificate, use: TlsUse) -> None:
    """Spec 30, "Transport": a caller's certificate is for clients alone."""
    named = _usages(certificate)
    if use is TlsUse.CLIENT and not for_clients_alone(certificate):
        facts = {
            "use": ("klien saja", "client alone"),
            "wanted": ("clientAuth tanpa serverAuth", "clientAuth and without serverAuth"),
        }
    elif use is TlsUse.SERVER and named and not named & {"serverAuth", "anyExtendedKeyUsage"}:
        facts = {"use": ("server", "server"), "wanted": ("serverAuth", "serverAuth")}
    else:
        return
    none = ("tidak ada", "none")
    raise file.error(
        TlsFault.CERTIFICATE_USAGE, named=", ".join(sorted(named)) if named else none, **facts
    )


_USAGES = {
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
}


def _usages(certificate: x509.Certificate) -> set[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return set()
    return {_USAGES.get(each, each.dotted_string) for each in found}


def _require_authority(
    file: PemFile, authorities: Sequence[x509.Certificate], moment: datetime
) -> None:
    """One at least has its time now."""
    if any(a.not_valid_before_utc <= moment <= a.not_valid_after_utc for a in authorities):
        return
    last = max(authorities, key=lambda a: a.not_valid_after_utc)
    if last.not_valid_after_utc < moment:
        raise file.error(
            TlsFault.AUTHORITY_EXPIRED,
            end=_written(last.not_valid_after_utc),
            now=_written(moment),
        )
    first = min(authorities, key=lambda a: a.not_valid_before_utc)
    raise file.error(
        TlsFault.AUTHORITY_NOT_YET,
        begin=_written(first.not_valid_before_utc),
        now=_written(moment),
    )


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
