"""Carries out the effects of protocol steps over gRPC with mutual TLS, synchronously.

:mod:`.async_channel` does the same for asyncio. Both are thin: every decision is in
:mod:`padan_client.protocol`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
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
from padan_client.base.language import system_reason, t
from padan_client.base.ownership import require_private
from padan_client.home.config import ClientConfig, Timeouts
from padan_client.transport.refusals import from_rpc_error

T = TypeVar("T")

#: The service's own limit; larger answers break the protocol.
_MESSAGE_BYTES = 4 * 1024 * 1024
OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ("grpc.enable_retries", 0),  # repeats are decided in core.effects
    ("grpc.keepalive_time_ms", 30_000),  # watching a run is silent for long
    ("grpc.keepalive_timeout_ms", 20_000),
)
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
    """The callables of all services on one channel, by ``Service.Method``."""

    def __init__(self, channel: grpc.Channel | grpc.aio.Channel) -> None:
        self._stubs = {name: make(channel) for name, make in _STUBS.items()}

    def __getitem__(self, method: str) -> Any:
        service, _, name = method.partition(".")
        return getattr(self._stubs[service], name)


def credentials(config: ClientConfig, home: Path) -> grpc.ChannelCredentials:
    """Mutual TLS from the PEM files of the settings. Raises BadInputError that names the file."""
    tls = config.tls
    require_private(home / tls.key, linked=True)
    key, chain = _pem(home / tls.key), _pem(home / tls.certificate)
    certificate = _certificate(home / tls.certificate, chain)
    _check_pair(home / tls.key, key, certificate)
    return grpc.ssl_channel_credentials(
        root_certificates=_pem(home / tls.ca), private_key=key, certificate_chain=chain
    )


def options(
    config: ClientConfig, peer: ServerKind = ServerKind.UNIT
) -> list[tuple[str, int | str]]:
    """Channel options; with the name in the peer's certificate where its address is another."""
    tls = config.tls
    name = tls.server_name if peer is ServerKind.UNIT else tls.provider_server_name
    return [*OPTIONS, *([("grpc.ssl_target_name_override", name)] if name else [])]


def deadline(method: str, timeouts: Timeouts) -> float:
    """Seconds that a unary call may take."""
    return timeouts.stream if method in _SLOW else timeouts.call


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


def no_provider() -> BadInputError:
    """A direct call without an address to send it to."""
    return BadInputError(
        t(
            'Alamat penyedia belum diisi. Tambahkan provider = "host:port" ke client.toml.',
            'The provider\'s address is not set. Add provider = "host:port" to client.toml.',
        )
    )


class Link(Closing):
    """A channel to the unit, and one to the provider; close it, or use it as a context manager.

    ``provider`` may be left out where only the unit is called.
    """

    def __init__(
        self,
        channel: grpc.Channel,
        timeouts: Timeouts,
        sleep: Callable[[float], None] = time.sleep,
        provider: grpc.Channel | None = None,
    ) -> None:
        self._channel = channel
        self._provider = provider
        self._methods = {ServerKind.UNIT: Methods(channel)}
        if provider is not None:
            self._methods[ServerKind.PROVIDER] = Methods(provider)
        self._timeouts = timeouts
        self._sleep = sleep

    @classmethod
    def open(cls, config: ClientConfig, home: Path) -> Self:
        """Channels with the settings' certificates; each connects at the first call."""
        mine = credentials(config, home)
        channel = grpc.secure_channel(config.unit, mine, options(config))
        provider = None
        if config.provider:
            provider = grpc.secure_channel(
                config.provider, mine, options(config, ServerKind.PROVIDER)
            )
        return cls(channel, config.timeouts, provider=provider)

    def close(self) -> None:
        """Close the channels."""
        self._channel.close()
        if self._provider is not None:
            self._provider.close()

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
        if peer not in self._methods:
            raise no_provider()
        return self._methods[peer][method]

    def _call(
        self, peer: ServerKind, method: str, argument: Message | Iterator[Message], seconds: float
    ) -> object:
        try:
            return self._method(peer, method)(argument, timeout=seconds)
        except grpc.RpcError as error:
            raise from_rpc_error(error, peer) from None

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
            raise from_rpc_error(error, peer) from None
        finally:
            stream.cancel()
