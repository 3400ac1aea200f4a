"""Certificates, files and servers with one fault each: what a connection can fail of."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from padan_lab.demo.pki import Authority, Certificate

PEM = serialization.Encoding.PEM
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


@dataclass(frozen=True)
class TlsCopies:
    """The three files of ``[tls]``, and what made them."""

    pki: Authority
    ca: Path
    certificate: Path
    key: Path


def own_files(folder: Path, pki: Authority, name: str = "own", server: bool = False) -> TlsCopies:
    """Good files of a client, or of a server, copied to a folder of their own."""
    made = pki.issue_server(name) if server else pki.issue_client(name)
    return _copied(folder, pki, made)


def _copied(folder: Path, pki: Authority, made: Certificate) -> TlsCopies:
    folder.mkdir(parents=True, exist_ok=True)
    files = TlsCopies(pki, folder / "ca.pem", folder / "own.pem", folder / "own.key")
    files.ca.write_bytes(pki.ca.read_bytes())
    files.certificate.write_bytes(made.certificate.read_bytes())
    files.key.touch(mode=0o600)
    files.key.write_bytes(made.key.read_bytes())
    return files


def private(files: TlsCopies) -> ec.EllipticCurvePrivateKey:
    """The key of the files."""
    return serialization.load_pem_private_key(files.key.read_bytes(), None)


def put_key(files: TlsCopies, key: object, form: str = "PKCS8", password: bytes = b"") -> None:
    """Write a key in another form, or protected."""
    locked = serialization.BestAvailableEncryption(password) if password else None
    files.key.write_bytes(
        key.private_bytes(
            PEM,
            getattr(serialization.PrivateFormat, form),
            locked or serialization.NoEncryption(),
        )
    )


def put_certificate(
    files: TlsCopies,
    key: object,
    usages: tuple[x509.ObjectIdentifier, ...] = (CLIENT,),
    *,
    begin: timedelta = timedelta(days=-1),
    end: timedelta = timedelta(days=1),
    names: tuple[str, ...] = ("localhost",),
) -> None:
    """Write a certificate of choice for a key, by the files' own authority."""
    now = datetime.now(UTC)
    authority = x509.load_pem_x509_certificate(files.pki.ca.read_bytes())
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begin)
        .not_valid_after(now + end)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=True
        )
    )
    if usages:
        made = made.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    files.certificate.write_bytes(made.sign(files.pki._key, SHA256()).public_bytes(PEM))


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A listener on loopback that does ``answer`` with each connection; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    talk, _ = listening.accept()
                except OSError:
                    return
                with talk, contextlib.suppress(OSError):
                    answer(talk)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def says(text: bytes) -> Callable[[socket.socket], None]:
    """Answers the first bytes that come with ``text``."""

    def answer(talk: socket.socket) -> None:
        talk.recv(4096)
        talk.sendall(text)

    return answer


def hangs_up(talk: socket.socket) -> None:
    """Takes what comes and closes."""
    talk.recv(4096)


def stays_silent(talk: socket.socket) -> None:
    """Reads until the other side goes."""
    while talk.recv(4096):
        pass


def speaks_tls(
    shown: Certificate,
    *,
    alpn: str | None = "h2",
    highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    after: bytes = bytes(3) + b"\x04" + bytes(5),
    ca: Path | None = None,
) -> Callable[[socket.socket], None]:
    """A TLS server; sends ``after`` once hands are shaken. ``ca``: whose clients alone it takes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    context.maximum_version = highest
    if alpn:
        context.set_alpn_protocols([alpn])
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED

    def answer(talk: socket.socket) -> None:
        with context.wrap_socket(talk, server_side=True) as secure:
            if after:
                secure.sendall(after)
            secure.recv(1)

    return answer


def with_file(files: TlsCopies, **changes: Path) -> TlsCopies:
    """The same files, some of them elsewhere."""
    return replace(files, **changes)
