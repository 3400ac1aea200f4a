"""Where peers call, and with what."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

_SECONDS = 10.0


@dataclass(frozen=True, repr=False)
class Caller:
    """A certificate of the authority, and the server that it is shown to."""

    address: str
    ca: Path
    certificate: Path
    key: Path

    def channel(self) -> grpc.Channel:
        """A connection of its own, shared with nobody."""
        credentials = grpc.ssl_channel_credentials(
            self.ca.read_bytes(), self.key.read_bytes(), self.certificate.read_bytes()
        )
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
        return grpc.secure_channel(self.address, credentials, options)

    def tcp(self, buffer: int = 0) -> socket.socket:
        """A connection without a word; ``buffer`` bytes at most are taken unread."""
        host, _, port = self.address.rpartition(":")
        made = socket.socket()
        if buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        made.settimeout(_SECONDS)
        try:
            made.connect((host, int(port)))
        except OSError:
            made.close()
            raise
        return made

    def tls(self, buffer: int = 0) -> ssl.SSLSocket:
        """One after the handshake, for HTTP/2."""
        context = ssl.create_default_context(cafile=str(self.ca))
        context.check_hostname = False
        context.load_cert_chain(self.certificate, self.key)
        context.set_alpn_protocols(["h2"])
        return context.wrap_socket(self.tcp(buffer))


@dataclass(frozen=True, repr=False)
class Ground:
    """What peers know: a party's certificate and a stranger's, and what the party may ask.

    ``question`` is a ConfirmRecordsRequest that is answered, ``listed`` a list of the party's own
    and ``run`` the run that answered it, ``parent`` their flow; ``answering`` a flow in which the
    party is the provider, ``draft`` a dataset that it may open there.
    """

    party: Caller
    stranger: Caller
    parent: str
    answering: str
    question: bytes
    listed: str
    run: str
    draft: bytes
