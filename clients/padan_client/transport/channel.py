"""Carries out the effects of protocol steps over gRPC with mutual TLS, synchronously.

:mod:`.async_channel` does the same for asyncio. Both are thin: every decision is in
:mod:`padan_client.protocol`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import grpc
from google.protobuf.message import Message

from padan.v1 import (
    agreement_service_pb2_grpc,
    confirmation_service_pb2_grpc,
    dataset_service_pb2_grpc,
    direct_service_pb2_grpc,
    release_service_pb2_grpc,
    run_service_pb2_grpc,
)
from padan.v1.agreement_service_pb2 import GetAgreementRequest
from padan.v1.reason_texts import ServerKind
from padan_client.base.closing import Closing
from padan_client.base.effects import (
    DeadlineError,
    Download,
    Effect,
    Exchange,
    Local,
    Others,
    Pause,
    Steps,
    Unary,
    Upload,
    Work,
)
from padan_client.base.errors import BadInputError, PadanError, RefusedError, UnavailableError
from padan_client.base.language import t
from padan_client.base.shared import Shared, with_others
from padan_client.home.config import ClientConfig, Timeouts
from padan_client.home.folder import Home
from padan_client.transport.faults import ConnectionFault
from padan_client.transport.pasts import PAST, Metadata, Pasts, Sent
from padan_client.transport.pinning import PinsOf, agreed_pins
from padan_client.transport.refusals import from_rpc_error, is_lost
from padan_client.transport.servers import KnownServer, servers_of
from padan_client.transport.waiting import Waiting

T = TypeVar("T")

#: Calls in which the unit may have to read or write a whole registry.
_SLOW = frozenset(
    {
        "ConfirmationService.ConfirmRecords",
        "DatasetService.CommitDataset",
        "DatasetService.DeleteDataset",
    }
)
#: How often one call is repeated because the server was started again under it.
MOST_RESTARTS = 5
_STUBS: dict[str, Callable[[Any], object]] = {
    "AgreementService": agreement_service_pb2_grpc.AgreementServiceStub,
    "ConfirmationService": confirmation_service_pb2_grpc.ConfirmationServiceStub,
    "DatasetService": dataset_service_pb2_grpc.DatasetServiceStub,
    "DirectService": direct_service_pb2_grpc.DirectServiceStub,
    "ReleaseService": release_service_pb2_grpc.ReleaseServiceStub,
    "RunService": run_service_pb2_grpc.RunServiceStub,
}


class Methods:
    """The callables of all services on one channel, by ``Service.Method``."""

    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None:
        self._stubs = {name: make(channel) for name, make in _STUBS.items()}

    def __getitem__(self, method: str) -> Any:
        service, _, name = method.partition(".")
        return getattr(self._stubs[service], name)


def deadline(method: str, timeouts: Timeouts) -> float:
    """Seconds that a unary call may take."""
    return timeouts.stream if method in _SLOW else timeouts.call


def no_provider() -> BadInputError:
    """A direct call without an address to send it to."""
    return BadInputError(
        t(
            'Alamat penyedia belum diisi. Tambahkan provider = "host:port" ke client.toml.',
            'The provider\'s address is not set. Add provider = "host:port" to client.toml.',
        )
    )


def told_of(told: PadanError, why: PadanError, silent_seconds: float) -> PadanError:
    """Of a failed call, what gRPC told or what a look at the server found: the truer.

    Where the look found it silent, so it was for the call: it was waited for all that time.
    """
    if isinstance(told, DeadlineError) and why.reason == ConnectionFault.CALL_BROKEN_OFF:
        return told
    if isinstance(why, UnavailableError) and why.silent_seconds:
        return type(why)(str(why), why.reason, why.silent_seconds + silent_seconds)
    return why


def past_request(pasts: Pasts) -> GetAgreementRequest:
    """What brings the rest of a long past, as often as it is asked."""
    return GetAgreementRequest(name=f"agreements/{pasts.agreement}")


class Link(Closing):
    """Channels to the unit and the provider; close it, or use it as a context manager.

    ``servers`` may leave out one that is not called. Each is connected at the first call to it, and
    looked at before (:class:`KnownServer`).
    """

    def __init__(
        self,
        servers: Mapping[ServerKind, KnownServer],
        timeouts: Timeouts,
        sleep: Callable[[float], None] = time.sleep,
        *,
        pasts: Pasts | None = None,
    ) -> None:
        self._servers = servers
        self.pasts = pasts or Pasts()
        self._timeouts = timeouts
        self._sleep = sleep
        self._open: dict[ServerKind, tuple[grpc.Channel, Methods]] = {}
        self._opening = {peer: Shared[None]() for peer in servers}
        self._looking = {peer: Shared[None]() for peer in servers}

    @classmethod
    def open(cls, home: Home, agreement: str, flow: str = "") -> Self:
        """A link to the servers that the signed agreement names.

        Without a ``flow``, to the unit alone. Raises BadInputError where an own TLS file is of no
        use.
        """
        servers = servers_of(home.config, home.folder, agreed_pins(home, agreement, flow))
        pasts = Pasts(home.known_heads(agreement, flow), agreement, flow)
        return cls(servers, home.config.timeouts, pasts=pasts)

    @classmethod
    def known(
        cls, config: ClientConfig, home: Path, pins: PinsOf, pasts: Pasts | None = None
    ) -> Self:
        """A link to the servers of the settings, as long as they show one of ``pins``."""
        return cls(servers_of(config, home, pins), config.timeouts, pasts=pasts)

    def close(self) -> None:
        """Close the channels."""
        self.pasts.flush()
        for peer in list(self._open):
            self._forget(peer)

    def run(self, steps: Steps[T]) -> T:
        """Carry out ``steps`` to their end and return their result."""
        result: Any = None
        failure: PadanError | None = None
        try:
            while True:
                effect = steps.throw(failure) if failure else steps.send(result)
                result, failure = None, None
                try:
                    result = self._perform(effect)
                except PadanError as error:
                    failure = error
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            steps.close()

    def _perform(self, effect: Effect) -> object:
        for _ in range(MOST_RESTARTS):
            try:
                return self._once(effect)
            except RefusedError as refused:
                # The next attempt looks at the past of the process that answers now.
                if isinstance(effect, Local):
                    raise
                if not self.pasts.restarted(effect.peer, refused):
                    raise
        return self._once(effect)

    def _once(self, effect: Effect) -> object:
        match effect:
            case Work(function):
                return function()
            case Pause(seconds):
                self._sleep(seconds)
            case Others(made):
                return made.result()
            case Unary(method, request, peer):
                return self._call(peer, method, request, deadline(method, self._timeouts))
            case Upload(method, requests, peer):
                return self._call(peer, method, requests(), self._timeouts.stream)
            case Download(method, request, sink, peer):
                self._stream(peer, method, request, sink)
            case Exchange(method, requests, sink, peer):
                self._stream(peer, method, requests(), sink)
        return None

    def _method(self, peer: ServerKind, method: str) -> Any:
        while (opened := self._open.get(peer)) is None:
            with_others(self._opening[peer], partial(self._connect, peer))
        return opened[1][method]

    def _connect(self, peer: ServerKind) -> None:
        if peer not in self._open:
            server = self._servers[peer]
            channel = grpc.secure_channel(server.address, server.credentials(), server.options())
            self._open[peer] = channel, Methods(channel)

    def _forget(self, peer: ServerKind) -> None:
        channel, _ = self._open.pop(peer, (None, None))
        if channel is not None:
            channel.close()

    def _failure(self, error: grpc.RpcError, peer: ServerKind, waiting: Waiting) -> PadanError:
        silent = waiting.end()
        told = from_rpc_error(error, peer, silent)
        if not is_lost(error):
            return told
        why = self._servers[peer].why_lost(time.monotonic())
        if why.reason == ConnectionFault.SERVER_CHANGED:
            self._forget(peer)  # the next attempt connects to what it may then show
        return told_of(told, why, silent)

    def _call(
        self, peer: ServerKind, method: str, argument: Message | Iterator[Message], seconds: float
    ) -> object:
        answer, certain = self._compared(peer, method, argument, seconds)
        for _ in range(self.pasts.MOST_ROUNDS):
            if certain:
                break
            _, certain = self._compared(peer, PAST, past_request(self.pasts), self._timeouts.call)
        return answer

    def _sent(self, peer: ServerKind, method: str) -> Sent:
        """What is said with a call, once the past of the process that answers was looked at."""
        if peer not in self._servers:
            raise no_provider()
        # Spec 30, "Handshake", step 2.
        while self.pasts.unseen(sent := self.pasts.before(peer), method):
            with_others(self._looking[peer], partial(self._look, peer))
        return sent

    def _look(self, peer: ServerKind) -> None:
        if self.pasts.unseen(self.pasts.before(peer), ""):
            self._call(peer, PAST, past_request(self.pasts), self._timeouts.call)

    def _compared(
        self, peer: ServerKind, method: str, argument: Message | Iterator[Message], seconds: float
    ) -> tuple[object, bool]:
        """An answer, and whether all of the server's past that came with it could be followed."""
        sent = self._sent(peer, method)
        asked = self._method(peer, method)
        with self._servers[peer].waiting() as waiting:
            given = argument if isinstance(argument, Message) else waiting.sent(argument)
            try:
                answer, call = asked.with_call(
                    given, timeout=seconds, metadata=self._said(peer, sent)
                )
            except grpc.RpcError as error:
                raise self._failure(error, peer, waiting) from None
        return answer, self.pasts.after(peer, method, sent, call.trailing_metadata() or ())

    def _said(self, peer: ServerKind, sent: Sent) -> Metadata:
        """What goes with every call: which party this is, and the handshake."""
        return *self._servers[peer].metadata, *sent.metadata

    def _stream(
        self,
        peer: ServerKind,
        method: str,
        argument: Message | Iterator[Message],
        sink: Callable[[Any], None],
    ) -> None:
        sent = self._sent(peer, method)
        asked = self._method(peer, method)
        with self._servers[peer].waiting() as waiting:
            given = argument if isinstance(argument, Message) else waiting.sent(argument)
            stream = asked(given, timeout=self._timeouts.stream, metadata=self._said(peer, sent))
            try:
                for message in waiting.received(stream):
                    sink(message)
                self.pasts.after(peer, method, sent, stream.trailing_metadata() or ())
            except grpc.RpcError as error:
                raise self._failure(error, peer, waiting) from None
            finally:
                stream.cancel()
