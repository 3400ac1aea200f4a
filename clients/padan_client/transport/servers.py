"""A server, known by its key before the first call is made to it.

grpcio neither shows a server's certificate nor asks before it trusts one. So a TLS handshake of our
own sees the certificate first; it is compared with what is agreed; and gRPC is given *that very
certificate* as its only authority. It can then talk to nobody else, at the first connection and at
every later one, whatever a network does between. Spec 30, "Who the unit is".
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import PadanError
from padan_client.base.shared import Shared, with_others
from padan_client.home.config import ClientConfig
from padan_client.transport.connecting import Called, ignored
from padan_client.transport.faults import ConnectionFault
from padan_client.transport.handshake import shake_hands
from padan_client.transport.pinning import PinsOf, require_agreed
from padan_client.transport.proxies import proxy_for, split_address
from padan_client.transport.tls_files import TlsFiles
from padan_client.transport.waiting import Awaited, Waiting

#: The service's own limit; larger answers break the protocol.
_MESSAGE_BYTES = 4 * 1024 * 1024
_OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ("grpc.enable_retries", 0),  # repeats are decided in core.effects
    # Watching a run is silent for long. Spec 30, "Patience", step 3.
    ("grpc.keepalive_time_ms", 15_000),
    ("grpc.keepalive_timeout_ms", 15_000),
    # What gives a connection up in grpcio: a ping that is not answered, after a minute else.
    ("grpc.http2.ping_timeout_ms", 15_000),
    ("grpc.http2.max_pings_without_data", 0),
)


#: How long a look takes at most that only tells why a call failed.
_LOOK_SECONDS = 10.0
#: What a party is called on the wire; any other name is no party's, and is not sent.
_PARTY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")


class KnownServer:
    """One server: where it is, and how it is told from others.

    ``config`` says for whom it is called, and how its proxy is chosen; ``name``: the one in its
    certificate, where its address is another; ``pins``: what it may show.
    """

    def __init__(
        self,
        kind: ServerKind,
        address: str,
        config: ClientConfig,
        files: TlsFiles,
        pins: PinsOf,
        *,
        name: str | None = None,
    ) -> None:
        self.address = address
        self._kind = kind
        self._host, port = split_address(address)
        self._choose = partial(proxy_for, self._host, port, config.proxy)
        self._files = files
        self._pins = pins
        self._name = name
        self._seconds = config.timeouts.call
        named = _PARTY.fullmatch(config.party)
        #: Sent with every call. Spec 30, "Transport", step 8.
        self.metadata = (("padan-party", config.party),) if named else ()
        self._known: x509.Certificate | None = None
        #: Whoever looks why calls failed, for all that want to know.
        self.looking = Shared[None]()
        self._looked = float("-inf")
        self._found: PadanError | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Mutual TLS with this server alone; a handshake is made with whoever answers.

        Raises VerificationError that names what was seen and what is agreed, UnavailableError where
        nobody answers; ``reason`` tells why.
        """
        shown = self._known = self._look(self._seconds)
        # Spec 30, "Who the unit is", step 4.
        return grpc.ssl_channel_credentials(
            root_certificates=shown.public_bytes(Encoding.PEM),
            private_key=self._files.own.key,
            certificate_chain=self._files.own.chain,
        )

    def why_lost(self, failed: float) -> PadanError:
        """Why a call failed to get through at that moment, by a look at who is there since.

        Calls that fail together share one look.
        """
        while (found := self.found_since(failed)) is None:
            with_others(self.looking, self.look_again)
        return found

    def found_since(self, failed: float) -> PadanError | None:
        """What a look found that began after that moment (``time.monotonic``), if there was one."""
        return self._found if self._looked >= failed else None

    def look_again(self) -> None:
        """Look at who is there, once a call has failed."""
        began = time.monotonic()
        self._found, self._looked = self._lost(), began

    def _lost(self) -> PadanError:
        try:
            shown = self._look(min(_LOOK_SECONDS, self._seconds))
        except PadanError as error:
            return error
        changed = shown != self._known
        fault = ConnectionFault.SERVER_CHANGED if changed else ConnectionFault.CALL_BROKEN_OFF
        return self._called(self._seconds).error(fault)

    def _look(self, seconds: float) -> x509.Certificate:
        """The certificate of who answers, once it is known to be the server's."""
        agreed = self._pins(self._kind)
        with self.waiting(Awaited.CONNECTION) as waiting:
            called = self._called(seconds, waiting.waits_for)
            shown = shake_hands(called, self._name or self._host, self._files)
        require_agreed(called, shown.certificate, agreed)
        # Spec 30, "Who the unit is", step 3.
        if shown.trouble:
            raise shown.trouble
        return shown.certificate

    def waiting(self, owed: Awaited = Awaited.ANSWER) -> Waiting:
        """A wait for this server."""
        return Waiting(self._kind, self.address, owed)

    def _called(self, seconds: float, owes: Callable[[Awaited], None] = ignored) -> Called:
        return Called(self._kind, self.address, self._choose(), seconds, owes)

    def options(self) -> list[tuple[str, int | str]]:
        """Channel options: with the name to look for, and the proxy to go through or not."""
        proxy = self._choose()
        through = ("grpc.http_proxy", proxy.url) if proxy else ("grpc.enable_http_proxy", 0)
        name = [("grpc.ssl_target_name_override", self._name)] if self._name else []
        return [*_OPTIONS, through, *name]


def servers_of(config: ClientConfig, home: Path, pins: PinsOf) -> dict[ServerKind, KnownServer]:
    """The servers of the settings. Raises BadInputError that names a TLS file of no use."""
    tls = config.tls
    files = TlsFiles.read(tls, home)
    unit, provider = ServerKind.UNIT, ServerKind.PROVIDER
    made = {unit: KnownServer(unit, config.unit, config, files, pins, name=tls.server_name)}
    if config.provider:
        name = tls.provider_server_name
        made[provider] = KnownServer(provider, config.provider, config, files, pins, name=name)
    return made
