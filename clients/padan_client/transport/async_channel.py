"""The unit's and the provider's channels for asyncio: :mod:`.channel` and :mod:`.carrying` again.

Encoding and opening run in a thread, so the event loop stays free.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

import grpc
from google.protobuf.message import Message

from padan.v1.reason_texts import ServerKind
from padan_client.base.closing import AsyncClosing
from padan_client.base.effects import (
    Download,
    Effect,
    Exchange,
    Pause,
    Steps,
    Unary,
    Upload,
    Work,
    run_here,
)
from padan_client.base.errors import PadanError
from padan_client.home.config import ClientConfig, Timeouts
from padan_client.home.folder import Home
from padan_client.transport.carrying import StepsOf, named_after
from padan_client.transport.channel import Methods, credentials, deadline, no_provider, options
from padan_client.transport.refusals import from_rpc_error

F = TypeVar("F")
P = ParamSpec("P")
T = TypeVar("T")


class AsyncLink(AsyncClosing):
    """As :class:`~padan_client.transport.channel.Link`, on asyncio channels."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        timeouts: Timeouts,
        provider: grpc.aio.Channel | None = None,
    ) -> None:
        self._channel = channel
        self._provider = provider
        self._methods = {ServerKind.UNIT: Methods(channel)}
        if provider is not None:
            self._methods[ServerKind.PROVIDER] = Methods(provider)
        self._timeouts = timeouts

    @classmethod
    def open(cls, config: ClientConfig, home: Path) -> Self:
        """Channels with the settings' certificates; each connects at the first call."""
        mine, secure = credentials(config, home), grpc.aio.secure_channel
        channel = secure(config.unit, mine, options(config))
        provider = None
        if config.provider:
            provider = secure(config.provider, mine, options(config, ServerKind.PROVIDER))
        return cls(channel, config.timeouts, provider)

    async def close(self) -> None:
        """Close the channels."""
        await self._channel.close()
        if self._provider is not None:
            await self._provider.close()

    async def run(self, steps: Steps[T]) -> T:
        """Carry out ``steps`` to their end and return their result."""
        result: Any = None
        failure: PadanError | None = None
        try:
            while True:
                effect = steps.throw(failure) if failure else steps.send(result)
                result, failure = None, None
                try:
                    result = await self._perform(effect)
                except PadanError as error:
                    failure = error
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            steps.close()

    async def _perform(self, effect: Effect) -> object:
        match effect:
            case Work(function):
                return await asyncio.to_thread(function)
            case Pause(seconds):
                await asyncio.sleep(seconds)
                return None
            case Unary(method, request, peer):
                return await self._call(peer, method, request, deadline(method, self._timeouts))
            case Upload(method, requests, peer):
                sent = _off_the_loop(requests())
                return await self._call(peer, method, sent, self._timeouts.stream)
            case Download(method, request, sink, peer):
                await self._stream(peer, method, request, sink)
                return None
            case Exchange(method, requests, sink, peer):
                await self._stream(peer, method, requests(), sink)
                return None

    def _method(self, peer: ServerKind, method: str) -> Any:
        if peer not in self._methods:
            raise no_provider()
        return self._methods[peer][method]

    async def _call(
        self,
        peer: ServerKind,
        method: str,
        argument: Message | AsyncIterator[Message],
        seconds: float,
    ) -> object:
        try:
            return await self._method(peer, method)(argument, timeout=seconds)
        except grpc.RpcError as error:
            raise from_rpc_error(error, peer) from None

    async def _stream(
        self,
        peer: ServerKind,
        method: str,
        argument: Message | Iterator[Message],
        sink: Callable[[Any], None],
    ) -> None:
        stream = self._method(peer, method)(argument, timeout=self._timeouts.stream)
        try:
            async for message in stream:
                sink(message)
        except grpc.RpcError as error:
            raise from_rpc_error(error, peer) from None
        finally:
            stream.cancel()


async def _off_the_loop(messages: Iterator[Message]) -> AsyncIterator[Message]:
    """The messages of an upload; what they are made of may have to be encoded first."""
    while (message := await asyncio.to_thread(next, messages, None)) is not None:
        yield message


class AsyncFlowClient(AsyncClosing, Generic[F]):
    """As :class:`~padan_client.transport.carrying.FlowClient`."""

    def __init__(self, flow: F, home: Home, link: AsyncLink | None) -> None:
        self.flow = flow
        self._home = home
        self._link = link

    async def run(self, steps: Steps[T]) -> T:
        """Carry out ``steps``."""
        if self._link is None:
            self._link = AsyncLink.open(self._home.config, self._home.folder)
        return await self._link.run(steps)

    async def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            await self._link.close()


def carried_out(
    steps: StepsOf[F, P, T],
) -> Callable[Concatenate[AsyncFlowClient[F], P], Coroutine[Any, Any, T]]:
    """As :func:`padan_client.transport.carrying.carried_out`."""

    async def method(client: AsyncFlowClient[F], /, *args: P.args, **more: P.kwargs) -> T:
        return await client.run(steps(client.flow, *args, **more))

    return named_after(steps, method)


def done_aside(
    steps: StepsOf[F, P, T],
) -> Callable[Concatenate[AsyncFlowClient[F], P], Coroutine[Any, Any, T]]:
    """As :func:`padan_client.transport.carrying.done_here`, in a thread."""

    async def method(client: AsyncFlowClient[F], /, *args: P.args, **more: P.kwargs) -> T:
        return await asyncio.to_thread(run_here, steps(client.flow, *args, **more))

    return named_after(steps, method)
