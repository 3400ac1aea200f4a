"""The unit's and the provider's channels for asyncio: :mod:`.channel` and :mod:`.carrying` again.

Encoding and opening run in a thread, so the event loop stays free.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

import grpc
from google.protobuf.message import Message

from padan.v1.reason_texts import ServerKind
from padan_client.base.closing import AsyncClosing
from padan_client.base.effects import (
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
    run_here,
)
from padan_client.base.errors import PadanError, RefusedError
from padan_client.base.shared import GivenUpError, Shared
from padan_client.home.config import Timeouts
from padan_client.home.folder import Home
from padan_client.transport.carrying import FlowSteps, StepsOf, named_after
from padan_client.transport.channel import (
    MOST_RESTARTS,
    Methods,
    deadline,
    no_provider,
    past_request,
    told_of,
)
from padan_client.transport.faults import ConnectionFault
from padan_client.transport.pasts import PAST, Metadata, Pasts, Sent
from padan_client.transport.pinning import agreed_pins
from padan_client.transport.refusals import from_rpc_error, is_lost
from padan_client.transport.servers import KnownServer, servers_of
from padan_client.transport.waiting import Waiting

F = TypeVar("F", bound=FlowSteps)
P = ParamSpec("P")
T = TypeVar("T")


class AsyncLink(AsyncClosing):
    """As :class:`~padan_client.transport.channel.Link`, on asyncio channels."""

    def __init__(
        self,
        servers: Mapping[ServerKind, KnownServer],
        timeouts: Timeouts,
        *,
        pasts: Pasts | None = None,
    ) -> None:
        self._servers = servers
        self.pasts = pasts or Pasts()
        self._timeouts = timeouts
        self._open: dict[ServerKind, tuple[grpc.aio.Channel, Methods]] = {}
        self._opening = {peer: Shared[None]() for peer in servers}
        self._looking = {peer: Shared[None]() for peer in servers}

    @classmethod
    def open(cls, home: Home, agreement: str, flow: str = "") -> Self:
        """As :meth:`padan_client.transport.channel.Link.open`."""
        pins = agreed_pins(home, agreement, flow)
        servers = servers_of(home.config, home.folder, pins)
        pasts = Pasts(home.known_heads(agreement, flow), agreement, flow)
        return cls(servers, home.config.timeouts, pasts=pasts)

    async def close(self) -> None:
        """Close the channels."""
        await asyncio.to_thread(self.pasts.flush)
        for peer in list(self._open):
            await self._forget(peer)

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
        for _ in range(MOST_RESTARTS):
            try:
                return await self._once(effect)
            except RefusedError as refused:
                # The next attempt looks at the past of the process that answers now.
                if isinstance(effect, Local):
                    raise
                if not self.pasts.restarted(effect.peer, refused):
                    raise
        return await self._once(effect)

    async def _once(self, effect: Effect) -> object:
        match effect:
            case Work(function):
                return await asyncio.to_thread(function)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case Others(made):
                return await _of_others(made)
            case Unary(method, request, peer):
                return await self._call(peer, method, request, deadline(method, self._timeouts))
            case Upload(method, requests, peer):
                sent = _off_the_loop(requests())
                return await self._call(peer, method, sent, self._timeouts.stream)
            case Download(method, request, sink, peer):
                await self._stream(peer, method, request, sink)
            case Exchange(method, requests, sink, peer):
                await self._stream(peer, method, requests(), sink)
        return None

    async def _method(self, peer: ServerKind, method: str) -> Any:
        while (opened := self._open.get(peer)) is None:
            await _with_others(self._opening[peer], partial(self._connect, peer))
        return opened[1][method]

    async def _connect(self, peer: ServerKind) -> None:
        if peer not in self._open:
            server = self._servers[peer]
            mine = await asyncio.to_thread(server.credentials)
            channel = grpc.aio.secure_channel(server.address, mine, server.options())
            self._open[peer] = channel, Methods(channel)

    async def _forget(self, peer: ServerKind) -> None:
        channel, _ = self._open.pop(peer, (None, None))
        if channel is not None:
            await channel.close()

    async def _failure(
        self, error: grpc.RpcError, peer: ServerKind, waiting: Waiting
    ) -> PadanError:
        silent = waiting.end()
        told = from_rpc_error(error, peer, silent)
        if not is_lost(error):
            return told
        why = await self._why_lost(peer)
        if why.reason == ConnectionFault.SERVER_CHANGED:
            await self._forget(peer)
        return told_of(told, why, silent)

    async def _why_lost(self, peer: ServerKind) -> PadanError:
        """As :meth:`KnownServer.why_lost`; one thread looks, and none waits for it."""
        failed, server = time.monotonic(), self._servers[peer]
        while (found := server.found_since(failed)) is None:
            await _with_others(server.looking, partial(asyncio.to_thread, server.look_again))
        return found

    async def _call(
        self,
        peer: ServerKind,
        method: str,
        argument: Message | AsyncIterator[Message],
        seconds: float,
    ) -> object:
        answer, certain = await self._compared(peer, method, argument, seconds)
        for _ in range(self.pasts.MOST_ROUNDS):
            if certain:
                break
            request = past_request(self.pasts)
            _, certain = await self._compared(peer, PAST, request, self._timeouts.call)
        return answer

    async def _sent(self, peer: ServerKind, method: str) -> Sent:
        if peer not in self._servers:
            raise no_provider()
        while self.pasts.unseen(sent := self.pasts.before(peer), method):
            await _with_others(self._looking[peer], partial(self._look, peer))
        return sent

    async def _look(self, peer: ServerKind) -> None:
        if self.pasts.unseen(self.pasts.before(peer), ""):
            await self._call(peer, PAST, past_request(self.pasts), self._timeouts.call)

    async def _compared(
        self,
        peer: ServerKind,
        method: str,
        argument: Message | AsyncIterator[Message],
        seconds: float,
    ) -> tuple[object, bool]:
        sent = await self._sent(peer, method)
        asked = await self._method(peer, method)
        with self._servers[peer].waiting() as waiting:
            given = argument if isinstance(argument, Message) else _noted(argument, waiting)
            try:
                call = asked(given, timeout=seconds, metadata=self._said(peer, sent))
                answer, trailing = await call, await call.trailing_metadata()
            except grpc.RpcError as error:
                raise await self._failure(error, peer, waiting) from None
        return answer, self.pasts.after(peer, method, sent, trailing or ())

    def _said(self, peer: ServerKind, sent: Sent) -> Metadata:
        return *self._servers[peer].metadata, *sent.metadata

    async def _stream(
        self,
        peer: ServerKind,
        method: str,
        argument: Message | Iterator[Message],
        sink: Callable[[Any], None],
    ) -> None:
        sent = await self._sent(peer, method)
        asked = await self._method(peer, method)
        with self._servers[peer].waiting() as waiting:
            given = argument if isinstance(argument, Message) else waiting.sent(argument)
            stream = asked(given, timeout=self._timeouts.stream, metadata=self._said(peer, sent))
            try:
                async for message in stream:
                    waiting.moved()
                    sink(message)
                self.pasts.after(peer, method, sent, await stream.trailing_metadata() or ())
            except grpc.RpcError as error:
                raise await self._failure(error, peer, waiting) from None
            finally:
                stream.cancel()


async def _with_others(shared: Shared[T], make: Callable[[], Awaitable[T]]) -> T:
    """As :func:`padan_client.base.shared.with_others`."""
    while True:
        turn = shared.join()
        if turn.mine:
            with turn:
                turn.result = await make()
            return turn.result
        with suppress(GivenUpError):
            return await _of_others(turn.made)


async def _of_others(made: Future[T]) -> T:
    """What others make; whoever stops waiting does not stop them."""
    return await asyncio.shield(asyncio.wrap_future(made))


async def _noted(messages: AsyncIterator[Message], waiting: Waiting) -> AsyncIterator[Message]:
    """The messages of an upload, each noted as it goes out."""
    while True:
        with waiting.ours():
            message = await anext(messages, None)
        if message is None:
            return
        yield message


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
            self._link = AsyncLink.open(self._home, self.flow.agreement, self.flow.flow)
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
