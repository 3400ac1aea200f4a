"""A TLS handshake that sees a server's certificate, and sends nothing after it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import ssl
from dataclasses import dataclass

from cryptography import x509

from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import PadanError
from padan_client.transport.proxies import Proxy, proxy_for, split_address
from padan_client.transport.refusals import not_taken, unreachable, untrusted, wrong_name
from padan_client.transport.tls_files import TlsFiles

#: OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
_NAME_ERRORS = frozenset({62, 64})


@dataclass(frozen=True)
class Handshake:
    """What a server proved to have the key of; ``trouble``: why TLS alone would not trust it."""

    certificate: x509.Certificate
    trouble: PadanError | None


def shake_hands(
    kind: ServerKind, address: str, name: str, files: TlsFiles, seconds: float
) -> Handshake:
    """Shake hands with whoever answers at ``address``, and hang up.

    ``name`` is looked for in its certificate. Raises UnavailableError where nobody answers, or not
    in TLS 1.3; RefusedError where our certificate is not taken.
    """
    proxy = proxy_for(split_address(address)[0])
    via = proxy.variable if proxy else ""
    try:
        try:
            return Handshake(_shown(address, proxy, _trusting(files), name, seconds), None)
        except ssl.SSLCertVerificationError as error:
            wrong = error.verify_code in _NAME_ERRORS
            trouble = wrong_name(kind) if wrong else untrusted(kind)
            return Handshake(_shown(address, proxy, _curious(), name, seconds), trouble)
    except ssl.SSLError as error:
        raise not_taken(kind) if "ALERT" in str(error.reason) else unreachable(kind, via) from None
    except (OSError, ValueError, http.client.HTTPException):
        raise unreachable(kind, via) from None


def _shown(
    address: str, proxy: Proxy | None, context: ssl.SSLContext, name: str, seconds: float
) -> x509.Certificate:
    with (
        contextlib.closing(_connected(address, proxy, seconds)) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        certificate = secure.getpeercert(binary_form=True)
    assert certificate is not None
    return x509.load_der_x509_certificate(certificate)


def _connected(address: str, proxy: Proxy | None, seconds: float) -> socket.socket:
    """A connection to ``address``; through a proxy by CONNECT (RFC 9110, 9.3.6)."""
    host, port = split_address(address)
    if proxy is None:
        return socket.create_connection((host, port), timeout=seconds)
    tunnel = http.client.HTTPConnection(proxy.host, proxy.port, timeout=seconds)
    headers = {"Host": address}
    if proxy.credentials:
        user = base64.b64encode(proxy.credentials.encode()).decode("ascii")
        headers["Proxy-Authorization"] = f"Basic {user}"
    tunnel.set_tunnel(host, port, headers)
    tunnel.connect()
    return tunnel.sock


def _trusting(files: TlsFiles) -> ssl.SSLContext:
    """As gRPC trusts: whoever one of the authority's certificates vouches for."""
    context = _tls()
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=files.authority.decode("ascii"))
    context.load_cert_chain(files.chain_path, files.key_path)
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
