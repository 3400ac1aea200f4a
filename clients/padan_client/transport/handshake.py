"""A TLS handshake that sees a server's certificate and whether it takes ours, and sends no more."""

from __future__ import annotations

import contextlib
import re
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509

from padan_client.base.errors import PadanError
from padan_client.base.language import t
from padan_client.transport.connecting import Called, connect
from padan_client.transport.faults import ConnectionFault
from padan_client.transport.tls_files import TlsFiles
from padan_client.transport.waiting import Awaited
from padan_linkage.crypto.certificates import UNREADABLE, readable

#: OpenSSL's X509_V_ERR_… of a certificate that does not convince; any other is an unknown issuer.
_VERDICTS = {
    9: ConnectionFault.SERVER_NOT_YET,
    10: ConnectionFault.SERVER_EXPIRED,
    26: ConnectionFault.SERVER_USAGE,
    62: ConnectionFault.SERVER_NAME,
    64: ConnectionFault.SERVER_NAME,
    66: ConnectionFault.SERVER_WEAK,
    67: ConnectionFault.SERVER_WEAK,
    68: ConnectionFault.SERVER_WEAK,
}
#: What a TLS record begins with: change of cipher, alert, handshake, data.
_TLS_RECORDS = frozenset(b"\x14\x15\x16\x17")
_SAFE_NAME = re.compile(r"[A-Za-z0-9.:*_-]{1,80}")
#: How long a server is waited for to end a handshake, and one that speaks HTTP/2 to say so: it
#: speaks first (RFC 9113, 3.4).
_HANDSHAKE_SECONDS, _GREETING_SECONDS = 15.0, 10.0


@dataclass(frozen=True)
class Handshake:
    """What a server proved to have the key of; ``trouble``: why it is not to be spoken to."""

    certificate: x509.Certificate
    trouble: PadanError | None


def shake_hands(called: Called, name: str, files: TlsFiles) -> Handshake:
    """Shake hands with whoever answers, and hang up; ``name`` is looked for in its certificate.

    Raises what :func:`connect` raises, and UnavailableError where what answers does not speak TLS
    1.3; ``reason`` tells which.
    """
    try:
        with contextlib.closing(_Conversation(called, _trusting(files), name)) as trusted:
            return Handshake(trusted.certificate, _unwelcome(trusted, files))
    except ssl.SSLCertVerificationError as error:
        with contextlib.closing(_Conversation(called, _curious(), name)) as seen:
            return Handshake(seen.certificate, _mistrust(called, error, seen.certificate, name))


class _Conversation:
    """A handshake over a socket, of which the other side's first bytes are known."""

    def __init__(self, called: Called, context: ssl.SSLContext, name: str) -> None:
        self.called = called
        self._read, self._written = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(self._read, self._written, server_hostname=name)
        except ValueError:  # a part of the name is longer than DNS has any
            raise called.error(ConnectionFault.NAME_UNKNOWN, host=name) from None
        self._heard = bytearray()
        self._socket = connect(called)
        self._waits(_HANDSHAKE_SECONDS, Awaited.HANDSHAKE)
        try:
            self._begin()
        except BaseException:
            self._socket.close()
            raise

    @property
    def certificate(self) -> x509.Certificate:
        """What the other side showed, and proved to have the key of."""
        shown = self._tls.getpeercert(binary_form=True)
        assert shown is not None
        try:
            made = readable(shown)
            made.public_key()
        except UNREADABLE:
            reason = "CERTIFICATE_UNREADABLE"
            raise self.called.error(ConnectionFault.TLS_FAILED, system=reason) from None
        return made

    @property
    def speaks_http2(self) -> bool:
        """Whether it chose HTTP/2."""
        return self._tls.selected_alpn_protocol() == "h2"

    def goes_on(self) -> bool:
        """Whether the other side keeps the connection now that it has seen our certificate.

        TLS 1.3 has it look after the handshake. It speaks first, or hangs up; UnavailableError
        where it does neither.
        """
        self._waits(_GREETING_SECONDS, Awaited.GREETING)
        try:
            while True:
                with contextlib.suppress(ssl.SSLWantReadError):
                    return bool(self._tls.read(1))
                if not self._hear():
                    return False
        except TimeoutError:
            raise self._late(ConnectionFault.SERVER_SILENT) from None
        except (OSError, ssl.SSLError):
            return False

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _begin(self) -> None:
        try:
            while not self._shaken():
                if not self._hear():
                    raise self.called.error(ConnectionFault.TLS_BROKEN_OFF)
        except ssl.SSLCertVerificationError:
            raise
        except ssl.SSLError as error:
            raise self._no_tls(error) from None
        except TimeoutError:
            raise self._late(ConnectionFault.TLS_SILENT) from None
        except OSError:
            raise self.called.error(ConnectionFault.TLS_BROKEN_OFF) from None

    def _shaken(self) -> bool:
        """Take a step; whether it was the last."""
        done = False
        try:
            self._tls.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            with contextlib.suppress(OSError):
                self._socket.sendall(self._written.read())  # why, for the other side's log
            raise
        self._socket.sendall(self._written.read())
        return done

    def _waits(self, seconds: float, owed: Awaited) -> None:
        """So long from now the other side has in all, whatever it sends meanwhile."""
        # Spec 30, "Patience", step 1.
        self._seconds = min(seconds, self.called.seconds)
        self._until = time.monotonic() + self._seconds
        self.called.owes(owed)

    def _late(self, fault: ConnectionFault) -> PadanError:
        return self.called.error(fault, seconds=self._seconds)

    def _hear(self) -> bool:
        """Wait for more from the other side; False where it has hung up."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        heard = self._socket.recv(16384)
        self._heard += heard[: max(0, 16 - len(self._heard))]
        self._read.write(heard)
        return bool(heard)

    def _no_tls(self, error: ssl.SSLError) -> PadanError:
        """What answers, by the first bytes that came from there."""
        heard, reason = bytes(self._heard), _reason(error)
        if heard[:1] and heard[0] in _TLS_RECORDS:
            return self.called.error(_tls_fault(reason), system=reason)
        if heard.startswith((b"HTTP/", b"<")):
            return self.called.error(ConnectionFault.NOT_TLS_BUT_HTTP)
        # RFC 9113, 4.1: type 4 (SETTINGS) on stream 0.
        if len(heard) >= 9 and heard[3] == 4 and heard[5:9] == bytes(4):
            return self.called.error(ConnectionFault.NOT_TLS_BUT_GRPC)
        return self.called.error(ConnectionFault.NOT_TLS)


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's name of what went wrong; Python lacks some, and has the words then."""
    words = re.search(r"\] (.+) \(", str(error))
    return error.reason or (words[1].upper().replace(" ", "_") if words else "TLS")


def _tls_fault(reason: str) -> ConnectionFault:
    if "PROTOCOL_VERSION" in reason or reason in {"UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION"}:
        return ConnectionFault.TLS_VERSION
    if "NO_APPLICATION_PROTOCOL" in reason:
        return ConnectionFault.NOT_GRPC
    return ConnectionFault.TLS_FAILED


def _unwelcome(talk: _Conversation, files: TlsFiles) -> PadanError | None:
    """Why the server, whom TLS trusts, is not to be called."""
    if not talk.speaks_http2:
        return talk.called.error(ConnectionFault.NOT_GRPC)
    if talk.goes_on():
        return None
    issuer = t(" (penerbitnya juga bukan CA pada tls.ca)", " (nor is it the CA in tls.ca)")
    known = files.own.issuer_is_trusted
    return talk.called.error(
        ConnectionFault.OWN_CERTIFICATE_REFUSED, issuer="" if known else issuer
    )


def _mistrust(
    called: Called, error: ssl.SSLCertVerificationError, shown: x509.Certificate, name: str
) -> PadanError:
    """Why TLS does not trust the certificate that was shown."""
    return called.error(
        _VERDICTS.get(error.verify_code, ConnectionFault.SERVER_UNTRUSTED),
        name=name,
        names=", ".join(_names(shown)[:5]) or t("tidak ada", "none"),
        begin=f"{shown.not_valid_before_utc:%Y-%m-%d}",
        end=f"{shown.not_valid_after_utc:%Y-%m-%d}",
        now=f"{datetime.now(UTC):%Y-%m-%d}",
    )


def _names(shown: x509.Certificate) -> list[str]:
    """Host names and addresses that a certificate is for, those that are safe to show."""
    try:
        held = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    found = [
        *held.get_values_for_type(x509.DNSName),
        *map(str, held.get_values_for_type(x509.IPAddress)),
    ]
    return [each for each in found if _SAFE_NAME.fullmatch(each)]


def _trusting(files: TlsFiles) -> ssl.SSLContext:
    """As gRPC trusts: whoever one of the authority's certificates vouches for."""
    context = _tls()
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=files.own.authority.decode("ascii"))
    files.show_on(context)
    return context


def _curious() -> ssl.SSLContext:
    """Trusts everybody and shows nothing: to see whom a message is to name."""
    context = _tls()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2"])
    return context
