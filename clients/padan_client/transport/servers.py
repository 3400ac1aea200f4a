"""A server, known by its key before the first call is made to it.

grpcio neither shows a server's certificate nor asks before it trusts one. So a TLS handshake of our
own sees the certificate first; it is compared with what is agreed; and gRPC is given *that very
certificate* as its only authority. It can then talk to nobody else, at the first connection and at
every later one, whatever a network does between. Spec 30, "Who the unit is".
"""

from __future__ import annotations

from pathlib import Path

import grpc
from cryptography.hazmat.primitives.serialization import Encoding

from padan.v1.reason_texts import ServerKind
from padan_client.home.config import ClientConfig
from padan_client.transport.handshake import shake_hands
from padan_client.transport.pinning import PinsOf, require_agreed
from padan_client.transport.proxies import proxy_for, split_address
from padan_client.transport.tls_files import TlsFiles

#: The service's own limit; larger answers break the protocol.
_MESSAGE_BYTES = 4 * 1024 * 1024
_OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ("grpc.enable_retries", 0),  # repeats are decided in core.effects
    ("grpc.keepalive_time_ms", 30_000),  # watching a run is silent for long
    ("grpc.keepalive_timeout_ms", 20_000),
)


class KnownServer:
    """One server: where it is, and how it is told from others.

    ``name``: the one in its certificate, where its address is another; ``pins``: what it may show;
    ``seconds``: how long a handshake may take.
    """

    def __init__(
        self,
        kind: ServerKind,
        address: str,
        files: TlsFiles,
        pins: PinsOf,
        *,
        name: str | None = None,
        seconds: float = 30.0,
    ) -> None:
        self.address = address
        self._kind = kind
        self._host = split_address(address)[0]
        self._files = files
        self._pins = pins
        self._name = name
        self._seconds = seconds

    def credentials(self) -> grpc.ChannelCredentials:
        """Mutual TLS with this server alone; a handshake is made with whoever answers.

        Raises VerificationError that names what was seen and what is agreed, UnavailableError where
        nobody answers.
        """
        agreed = self._pins(self._kind)
        name = self._name or self._host
        shown = shake_hands(self._kind, self.address, name, self._files, self._seconds)
        require_agreed(self._kind, self.address, shown.certificate, agreed)
        # Spec 30, "Who the unit is", step 3.
        if shown.trouble:
            raise shown.trouble
        # Spec 30, "Who the unit is", step 4.
        return grpc.ssl_channel_credentials(
            root_certificates=shown.certificate.public_bytes(Encoding.PEM),
            private_key=self._files.key,
            certificate_chain=self._files.chain,
        )

    def options(self) -> list[tuple[str, int | str]]:
        """Channel options: with the name to look for, and the proxy to go through or not."""
        proxy = proxy_for(self._host)
        through = ("grpc.http_proxy", proxy.url) if proxy else ("grpc.enable_http_proxy", 0)
        name = [("grpc.ssl_target_name_override", self._name)] if self._name else []
        return [*_OPTIONS, through, *name]


def servers_of(config: ClientConfig, home: Path, pins: PinsOf) -> dict[ServerKind, KnownServer]:
    """The servers of the settings. Raises BadInputError that names a TLS file of no use."""
    tls, seconds = config.tls, config.timeouts.call
    files = TlsFiles.read(tls, home)
    made = {
        ServerKind.UNIT: KnownServer(
            ServerKind.UNIT, config.unit, files, pins, name=tls.server_name, seconds=seconds
        )
    }
    if config.provider:
        made[ServerKind.PROVIDER] = KnownServer(
            ServerKind.PROVIDER,
            config.provider,
            files,
            pins,
            name=tls.provider_server_name,
            seconds=seconds,
        )
    return made
