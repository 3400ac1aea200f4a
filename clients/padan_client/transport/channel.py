"""Carries out the effects of protocol steps over gRPC with mutual TLS, synchronously.

:mod:`.async_channel` does the same for asyncio. Both are thin: every decision is in
:mod:`padan_client.protocol`.
"""

from __future__ import annotations

import threading
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
from padan.v1.reason_texts import ServerKind
from padan_client.base.closing import Closing
from padan_client.base.effects import (
    Download,
    Effect,
    Exchange,
    Pause,
    Steps,
    Unary,
    Upload,
    Work,
)
from padan_client.base.errors import BadInputError, PadanError
from padan_client.base.language import t
from padan_client.home.config import ClientConfig, Timeouts
from padan_client.home.folder import Home
from padan_client.transport.faults import ConnectionFault
from padan_client.transport.pinning import PinsOf, agreed_pins
from padan_client.transport.refusals import from_rpc_error, is_lost
from padan_client.transport.servers import KnownServer, servers_of

T = TypeVar("T")

#: Calls in which the unit may have to read or write a whole registry.
_SLOW = frozenset(
    {
        "ConfirmationService.ConfirmRecords",
        "DatasetService.CommitDataset",
        "DatasetService.DeleteDataset",
    }
)
_STUBS: dict[str, Callable[[Any], object]] = {
    "AgreementService": agreement_service_pb2_grpc.AgreementServiceStub,
    "ConfirmationService": confirmation_service_pb2_grpc.ConfirmationServiceStub,
    "DatasetService": dataset_service_pb2_grpc.DatasetServiceStub,
    "DirectService": direct_service_pb2_grpc.DirectServiceStub,
    "ReleaseService": release_service_pb2_grpc.ReleaseServiceStub,
    "RunService": run_service_pb2_grpc.RunServiceStub,
}


class Methods:
    """The callables of all services on one channel, by ``Service.Method``.

    ``metadata`` goes with every call.
    """

    def __init__(
        self,
        channel: grpc.Channel | grpc.aio.Channel,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self._metadata = metadata
        self._stubs = {name: make(channel) for name, make in _STUBS.items()}

    def __getitem__(self, method: str) -> Any:
        service, _, name = method.partition(".")
        return partial(getattr(self._stubs[service], name), metadata=self._metadata)


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
    ) -> None:
        self._servers = servers
        self._timeouts = timeouts
        self._sleep = sleep
        self._open: dict[ServerKind, tuple[grpc.Channel, Methods]] = {}
        self._opening = threading.Lock()

    @classmethod
    def open(cls, home: Home, agreement: str, flow: str = "") -> Self:
        """A link to the servers that the signed agreement names.

        Without a ``flow``, to the unit alone. Raises BadInputError where an own TLS file is of no
        use.
        """
        return cls.known(home.config, home.folder, agreed_pins(home, agreement, flow))

    @classmethod
    def known(cls, config: ClientConfig, home: Path, pins: PinsOf) -> Self:
        """A link to the servers of the settings, as long as they show one of ``pins``."""
        return cls(servers_of(config, home, pins), config.timeouts)

    def close(self) -> None:
        """Close the channels."""
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
        match effect:
            case Work(function):
                return function()
            case Pause(seconds):
                self._sleep(seconds)
                return None
            case Unary(method, request, peer):
                return self._call(peer, method, request, deadline(method, self._timeouts))
            case Upload(method, requests, peer):
                return self._call(peer, method, requests(), self._timeouts.stream)
            case Download(method, request, sink, peer):
                self._stream(peer, method, request, sink)
                return None
            case Exchange(method, requests, sink, peer):
                self._stream(peer, method, requests(), sink)
                return None

    def _method(self, peer: ServerKind, method: str) -> Any:
        with self._opening:
            if peer not in self._open:
                self._open[peer] = self._connected(peer)
            return self._open[peer][1][method]

    def _connected(self, peer: ServerKind) -> tuple[grpc.Channel, Methods]:
        if peer not in self._servers:
            raise no_provider()
        server = self._servers[peer]
        channel = grpc.secure_channel(server.address, server.credentials(), server.options())
        return channel, Methods(channel, server.metadata)

    def _forget(self, peer: ServerKind) -> None:
        with self._opening:
            channel, _ = self._open.pop(peer, (None, None))
        if channel is not None:
            channel.close()

    def _failure(self, error: grpc.RpcError, peer: ServerKind) -> PadanError:
        if not is_lost(error):
            return from_rpc_error(error, peer)
        why = self._servers[peer].why_lost()
        if why.reason == ConnectionFault.SERVER_CHANGED:
            self._forget(peer)  # the next attempt connects to what it may then show
        return why

    def _call(
        self, peer: ServerKind, method: str, argument: Message | Iterator[Message], seconds: float
    ) -> object:
        try:
            return self._method(peer, method)(argument, timeout=seconds)
        except grpc.RpcError as error:
            raise self._failure(error, peer) from None

    def _stream(
        self,
        peer: ServerKind,
        method: str,
        argument: Message | Iterator[Message],
        sink: Callable[[Any], None],
    ) -> None:
        stream = self._method(peer, method)(argument, timeout=self._timeouts.stream)
        try:
            for message in stream:
                sink(message)
        except grpc.RpcError as error:
            raise self._failure(error, peer) from None
        finally:
            stream.cancel()
