"""Ways to a server: through an HTTP proxy, past it, over IPv6, under another name."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from agency import (
    give_address,
    make_agencies,
    people,
    registry_table,
    small_passes,
    turn_epoch,
)
from patience import PATIENCE
from relay import HttpProxy, Relay

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan_client import Home, ProviderClient, UnavailableError
from padan_client.base.effects import Patience, call
from padan_client.transport import async_channel
from padan_client.transport.async_channel import AsyncLink
from padan_client.transport.servers import KnownServer

REGISTRY = registry_table(people(30, seed=13))
PROXIES = ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


def publish(pair, address, **patience):
    """Publish to a unit at ``address``, whose certificate is for localhost."""
    give_address(pair.provider.folder, address)
    home = Home.open(pair.provider.folder, jitter=lambda: 0.0)
    home = dataclasses.replace(home, patience=dataclasses.replace(home.patience, **patience))
    with ProviderClient(home, *pair.names) as client:
        return client.publish(REGISTRY, id_column="id", status_column="status")


@pytest.mark.parametrize("variable", ["grpc_proxy", "https_proxy", "http_proxy"])
def test_through_a_proxy_with_a_password(make_pair, monkeypatch, variable):
    pair = make_pair(edit=small_passes)
    with HttpProxy(pair.unit.port) as proxy:
        monkeypatch.setenv(variable, f"http://nama:sandi@127.0.0.1:{proxy.port}")
        publish(pair, "unit.example:7443")
    looked, called = proxy.requests  # the handshake of our own, then gRPC's
    for request in (looked, called):
        assert request.startswith("CONNECT unit.example:7443 HTTP/1.")
        assert "\r\nHost: unit.example:7443\r\n" in request
        assert "Basic bmFtYTpzYW5kaQ==" in request


def test_loopback_and_exceptions_go_past_the_proxy(make_pair, monkeypatch):
    pair = make_pair(edit=small_passes)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    publish(pair, f"127.0.0.1:{pair.unit.port}")
    publish(pair, f"localhost:{pair.unit.port}")


def test_a_proxy_that_is_not_there_is_named(make_pair, monkeypatch):
    pair = make_pair(edit=small_passes)
    monkeypatch.setenv("https_proxy", "http://nama:sandi@127.0.0.1:9")
    with pytest.raises(UnavailableError, match="https_proxy") as caught:
        publish(pair, "unit.example:7443", attempts=1)
    assert "sandi" not in str(caught.value)


async def asked_at_once(link, times):
    """The errors of calls that are made together."""
    request = agreement_pb.GetAgreementRequest(name="agreements/kemnaker-bkn-2024")
    steps = [
        call(
            "AgreementService.GetAgreement",
            request,
            agreement_pb.Agreement,
            Patience(lambda: 0.0, attempts=1),
        )
        for _ in range(times)
    ]
    return await asyncio.gather(*map(link.run, steps), return_exceptions=True)


def test_calls_that_lose_their_server_together_look_once_and_tell_why(make_pair, monkeypatch):
    pair = make_pair(edit=small_passes)
    looks = []

    def look(server, seconds, plain=KnownServer._look):
        looks.append(seconds)
        return plain(server, seconds)

    monkeypatch.setattr(KnownServer, "_look", look)

    async def before_and_after():
        with Relay(pair.unit.port) as relay:
            give_address(pair.requester.folder, f"127.0.0.1:{relay.port}")
            link = AsyncLink.open(Home.open(pair.requester.folder), *pair.names)
            good = await asked_at_once(link, 8)
        return good, await asked_at_once(link, 8), await link.close()

    good, bad, _ = asyncio.run(before_and_after())
    assert not [error for error in good if isinstance(error, Exception)]
    assert {getattr(error, "reason", error) for error in bad} == {"CONNECTION_REFUSED"}
    assert len(looks) < 8


def test_a_look_at_a_lost_server_keeps_no_thread_from_the_rest_of_a_program(make_pair, monkeypatch):
    pair = make_pair(edit=small_passes)
    looking, let, failed = threading.Event(), threading.Event(), threading.Semaphore(0)

    def fails(*given, plain=async_channel.from_rpc_error):
        failed.release()
        return plain(*given)

    def look(server, seconds, plain=KnownServer._look):
        if looking.is_set():
            assert let.wait(PATIENCE)
        return plain(server, seconds)

    async def ask():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        with Relay(pair.unit.port) as relay:
            give_address(pair.requester.folder, f"127.0.0.1:{relay.port}")
            link = AsyncLink.open(Home.open(pair.requester.folder), *pair.names)
            await asked_at_once(link, 8)
        looking.set()
        lost = asyncio.create_task(asked_at_once(link, 8))
        with ThreadPoolExecutor(1) as aside:
            for _ in range(8):
                await asyncio.get_running_loop().run_in_executor(aside, failed.acquire)
        await asyncio.wait_for(asyncio.to_thread(let.set), PATIENCE)
        return await lost, await link.close()

    monkeypatch.setattr(async_channel, "from_rpc_error", fails)
    monkeypatch.setattr(KnownServer, "_look", look)
    lost, _ = asyncio.run(ask())
    assert {getattr(error, "reason", error) for error in lost} == {"CONNECTION_REFUSED"}


def test_over_ipv6(make_unit, tmp_path):
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        unit = make_unit(settings={"listen": "[::1]:0"}, edit=small_passes)
    except OSError:
        pytest.skip("no IPv6 here")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("agency.turn_epoch", lambda home, agencies: None)
        pair = make_agencies(tmp_path / "homes", unit)
    for home in (pair.provider, pair.requester):
        give_address(home.folder, f"[::1]:{unit.port}")
        turn_epoch(Home.open(home.folder), pair)
