"""A server that takes a connection and says nothing: how long it has, and what is told."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partialmethod
from pathlib import Path

import grpc
import pytest
from agency import give_address
from relay import Relay
from tls_ways import answering, speaks_tls, stays_silent
from typer.testing import CliRunner

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1.reason_texts import ServerKind
from padan_client import Home, UnavailableError
from padan_client.base.effects import DeadlineError, Patience, Unary, call
from padan_client.base.language import set_language
from padan_client.cli.app import app
from padan_client.transport import async_channel, channel, handshake, servers, waiting
from padan_client.transport.async_channel import AsyncLink
from padan_client.transport.channel import Link
from padan_client.transport.refusals import from_rpc_error
from padan_client.transport.servers import KnownServer
from padan_client.transport.waiting import Awaited, Waiting, tell_waiting

#: As a server of HTTP/2 begins: SETTINGS on stream 0.
SETTINGS = bytes(3) + b"\x04" + bytes(5)


def trickles(talk):
    """A byte now and then: each read gets something, and it never ends."""
    talk.recv(4096)
    talk.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB
    while True:
        time.sleep(0.02)
        talk.sendall(b"\x02")


def greets_and_stays(shown):
    """Speaks HTTP/2 so far that gRPC takes it for a server, and answers no call."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    context.set_alpn_protocols(["h2"])

    def stay(talk):
        with contextlib.suppress(OSError), context.wrap_socket(talk, server_side=True) as secure:
            secure.sendall(SETTINGS)
            while secure.recv(4096):
                pass

    def answer(talk):
        threading.Thread(target=stay, args=(talk.dup(),), daemon=True).start()

    return answer


@pytest.fixture
def hurried(monkeypatch):
    """The times of the product, shortened alike."""
    monkeypatch.setattr(handshake, "_HANDSHAKE_SECONDS", 0.4)
    monkeypatch.setattr(handshake, "_GREETING_SECONDS", 0.4)
    for name in ("FIRST_SECONDS", "AGAIN_SECONDS", "_LOOK_SECONDS"):
        monkeypatch.setattr(waiting, name, 0.1)


def impatient(pair, folder: Path, port: int) -> Home:
    """The requester's home with another address, and little time."""
    shutil.copytree(pair.requester.folder, folder)
    give_address(folder, f"127.0.0.1:{port}")
    with (folder / "client.toml").open("a") as settings:
        settings.write("\n[timeouts]\ncall = 1\n")
    home = Home.open(folder, jitter=lambda: 0.0)
    return replace(home, patience=replace(home.patience, silent_seconds=0.3))


def ask(home, link):
    name = f"agreements/{link.pasts.agreement}"
    steps = call(
        "AgreementService.GetAgreement",
        agreement_pb.GetAgreementRequest(name=name),
        agreement_pb.Agreement,
        home.patience,
    )
    return link.run(steps)


def asked(home, names, way):
    """What a question ends in, and what was told meanwhile."""
    told = []
    tell_waiting(told.append)
    set_language("en")
    try:
        with pytest.raises(UnavailableError) as caught:
            WAYS[way](home, names)
    finally:
        tell_waiting(None)
        set_language("id")
    return caught.value, told


def asked_now(home, names):
    with Link.open(home, *names) as link:
        ask(home, link)


async def asked_later(home, names):
    async with AsyncLink.open(home, *names) as link:
        await ask(home, link)


WAYS = {"sync": asked_now, "async": lambda *given: asyncio.run(asked_later(*given))}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("answer", "reason", "owed"),
    [
        (lambda _: stays_silent, "TLS_SILENT", Awaited.HANDSHAKE),
        (lambda _: trickles, "TLS_SILENT", Awaited.HANDSHAKE),
        (lambda shown: speaks_tls(shown, after=b""), "SERVER_SILENT", Awaited.GREETING),
        (greets_and_stays, "", Awaited.ANSWER),
    ],
)
def test_what_is_waited_for_is_told_and_then_the_cause(
    small_pair, tmp_path, hurried, answer, reason, owed, way
):
    shown = small_pair.unit.house.servers["unit"]
    with answering(answer(shown)) as port:
        home = impatient(small_pair, tmp_path / "home", port)
        error, told = asked(home, small_pair.names, way)
    assert (error.exit_code, error.reason) == (6, reason)
    assert isinstance(error, DeadlineError) is (not reason)
    assert error.silent_seconds > 0.3
    assert any(waiting._OWED[owed][1] in sentence for sentence in told)
    assert all(re.search(r"127\.0\.0\.1:\d+", sentence) for sentence in told)


@pytest.mark.parametrize("way", WAYS)
def test_many_who_ask_a_silent_server_wait_for_one_look(
    small_pair, tmp_path, hurried, monkeypatch, way
):
    looks = []

    def look(server, seconds, plain=KnownServer._look):
        looks.append(seconds)
        return plain(server, seconds)

    monkeypatch.setattr(KnownServer, "_look", look)
    with answering(stays_silent) as port:
        home = impatient(small_pair, tmp_path / "home", port)
        errors = MANY[way](home, small_pair.names, 20)
    assert [error.reason for error in errors] == ["TLS_SILENT"] * 20
    assert len(looks) < 20


class Hole(Relay):
    """A network that takes everything, and from some moment on passes nothing on."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.open = threading.Event()
        self.open.set()

    def _pass_on(self, source, target, kept):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.open.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_falls_silent_in_a_call_is_not_waited_for_anew_with_each_attempt(
    small_pair, tmp_path, hurried, monkeypatch, way
):
    """The keepalive ends the call; what it took counts, as the look does that follows."""
    calls, codes, hole = [], [], Hole(small_pair.unit.port)

    def told(error, *given):
        codes.append(error.code())
        return from_rpc_error(error, *given)

    def once(link, effect, plain):
        if isinstance(effect, Unary):
            calls.append(effect.method)
            hole.open.clear()
        return plain(link, effect)

    hurry = {name: number // 40 for name, number in servers._OPTIONS if name.endswith("_ms")}
    options = tuple((dict(servers._OPTIONS) | hurry).items())
    monkeypatch.setattr(servers, "_OPTIONS", options)
    for module in (channel, async_channel):
        monkeypatch.setattr(module, "from_rpc_error", told)
    with hole:
        home = impatient(small_pair, tmp_path / "home", hole.port)
        timeouts = home.config.timeouts.model_copy(update={"call": 30.0})
        config = home.config.model_copy(update={"timeouts": timeouts})
        home = replace(home, config=config, patience=replace(home.patience, silent_seconds=0.6))
        FALLING[way](home, small_pair.names, monkeypatch, once)
        hole.open.set()
    assert calls == ["AgreementService.GetAgreement"]
    assert codes == [grpc.StatusCode.UNAVAILABLE]  # and no deadline


def falls_now(home, names, monkeypatch, once):
    with Link.open(home, *names) as link:
        ask(home, link)
        monkeypatch.setattr(Link, "_once", partialmethod(once, plain=Link._once))
        with pytest.raises(UnavailableError, match="TLS"):
            ask(home, link)


async def falls_later(home, names, monkeypatch, once):
    async with AsyncLink.open(home, *names) as link:
        await ask(home, link)
        monkeypatch.setattr(AsyncLink, "_once", partialmethod(once, plain=AsyncLink._once))
        with pytest.raises(UnavailableError, match="TLS"):
            await ask(home, link)


FALLING = {"sync": falls_now, "async": lambda *given: asyncio.run(falls_later(*given))}


def many_now(home, names, count):
    def failing(link):
        with pytest.raises(UnavailableError) as caught:
            ask(home, link)
        return caught.value

    with Link.open(home, *names) as link, ThreadPoolExecutor(count) as pool:
        return list(pool.map(failing, [link] * count))


async def many_later(home, names, count):
    async with AsyncLink.open(home, *names) as link:
        return await asyncio.gather(
            *(ask(home, link) for _ in range(count)), return_exceptions=True
        )


MANY = {"sync": many_now, "async": lambda *given: asyncio.run(many_later(*given))}


def test_a_command_tells_it_on_standard_error_and_leaves_with_the_cause(
    small_pair, tmp_path, hurried, monkeypatch
):
    monkeypatch.setattr(Patience, "silent_seconds", 0.3)
    with answering(stays_silent) as port:
        home = impatient(small_pair, tmp_path / "home", port)
        arguments = ["agreement", "status", "--unit", "--home", str(home.folder)]
        done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 6, done.output
    told = re.sub(r"\s+", " ", done.stderr)
    assert "Menunggu unit pemadanan (127.0.0.1:" in told
    assert "jabat tangan TLS belum selesai, sudah" in told
    assert told.rstrip().endswith("[TLS_SILENT]")


def test_what_moves_is_not_told_and_a_program_hears_nothing(hurried):
    told = []
    tell_waiting(told.append)
    with Waiting(ServerKind.UNIT, "unit.example:7443") as wait:
        for _ in wait.received(range(10)):
            time.sleep(0.03)
        for _ in wait.sent(time.sleep(0.3) or name for name in ("made", "slowly")):
            pass
    tell_waiting(None)
    with Waiting(ServerKind.UNIT, "unit.example:7443"):
        time.sleep(0.3)
    assert not told
