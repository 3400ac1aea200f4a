"""A server that may open few files: nobody takes them all, and what lacks one is told so."""

from __future__ import annotations

import os
import resource
import select
import socket
import ssl
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import pytest
import sqlalchemy as sa
from hostile_peers import listed
from parties import refusal
from patience import PATIENCE
from structlog.testing import capture_logs

from padan_server.roles.connections import Connections, connections_within, most_of_one_address
from padan_server.store.port import StoreUnopenedError
from padan_server.store.sql.store import SqlStore


@contextmanager
def no_descriptor(pid):
    """While the block runs, the process may open no further file."""
    used = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
    free = next(number for number in range(len(used) + 1) if number not in used)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("wanted", "descriptors", "most"), [
    (256, 100_000, 256),
    (256, 1024, 256),
    (256, 300, 75),
    (8, 300, 8),
    (256, 2, 1),
])  # fmt: skip
def test_no_address_may_have_more_than_half(wanted, descriptors, most):
    assert most_of_one_address(wanted, descriptors) == most
    assert most == 1 or most <= connections_within(descriptors) / 2


def test_whoever_came_later_gives_way_whatever_its_number():
    there = Connections(7443, 2, 1000)
    assert there.beyond({"a": [5000, 5001], "b": [7]}) == frozenset()
    assert there.beyond({"a": [5000, 5001, 10], "b": [7, 3]}) == {10}
    assert there.beyond({"a": [5001, 10, 11]}) == {11}
    assert there.beyond({"a": [10, 11, 5001]}) == {11}


@pytest.mark.parametrize(("listening", "calling", "peer"), [
    ("127.0.0.1", "127.0.0.1", "ipv4:127.0.0.1:{}"),
    ("::1", "::1", "ipv6:%5B::1%5D:{}"),
    ("::", "127.0.0.1", "ipv4:127.0.0.1:{}"),
])  # fmt: skip
def test_a_peer_that_is_unwanted_loses_its_connection_and_no_other(listening, calling, peer):
    family = socket.AF_INET6 if ":" in listening else socket.AF_INET
    with (
        socket.create_server((listening, 0), family=family, dualstack_ipv6=listening == "::") as at,
        socket.create_connection((calling, at.getsockname()[1]), PATIENCE) as one,
        socket.create_connection((calling, at.getsockname()[1]), PATIENCE) as other,
        at.accept()[0],
        at.accept()[0] as kept,
    ):
        there = Connections(at.getsockname()[1], 100, 1000)
        there.look([peer.format(one.getsockname()[1]), "unix:x"])
        assert one.recv(1) == b""
        kept.sendall(b"x")
        assert other.recv(1) == b"x"
        assert there.close_all() == 1
        assert other.recv(1) == b""


def test_connections_from_many_addresses_that_take_every_place_are_told():
    """gRPC turns away whoever comes beyond, without a word to anybody."""
    with socket.create_server(("127.0.0.1", 0)) as at, ExitStack() as held:
        there = Connections(at.getsockname()[1], per_address=100, most=3)
        told = []
        for number in range(1, 4):
            line = held.enter_context(socket.socket())
            line.bind((f"127.0.1.{number}", 0))
            line.connect(at.getsockname())
            held.enter_context(at.accept()[0])
            with capture_logs() as log:
                there.look()
                there.look()
            told.append(log)
    assert told[:2] == [[], []]
    [line] = told[2]
    assert (line["event"], line["limit"], line["addresses"]) == ("connections_full", 3, 3)


def test_what_needs_a_file_and_gets_none_is_refused_and_goes_on_later(make_unit_process):
    unit = make_unit_process()
    unit.start()
    provider, requester = unit.client("bkn"), unit.client("kemnaker")
    provider.contribute()
    requester.contribute()
    made, tables = provider.create(20), provider.tables(20)
    with no_descriptor(unit.process.pid), pytest.raises(grpc.RpcError) as caught:
        provider.send(made, next(iter(tables.values())))
    found = refusal(caught.value)
    assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_EXHAUSTED")
    for table in tables.values():
        provider.send(made, table)
    provider.commit(made)
    assert unit.stop() == 0
    log = unit.log.read_bytes()
    assert b"descriptors_exhausted" in log
    assert b'"defect"' not in log


def test_a_store_that_cannot_be_opened_says_why(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    store = SqlStore(f"sqlite:///{folder / 'unit.sqlite'}")
    store.close()
    with no_descriptor(os.getpid()), pytest.raises(StoreUnopenedError), store.read():
        pass
    with store.read() as tx:
        assert tx.marks.get() is None
    store.close()
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(sa.exc.OperationalError), store.read():
        pass


def ended(connections, most):
    """Those of which the server has shut its end, once there are so many."""
    found, until = set(), time.monotonic() + PATIENCE
    while len(found) < most and time.monotonic() < until:
        readable, _, _ = select.select(set(connections) - found, [], [], 1.0)
        found |= {each for each in readable if each.recv(1) == b""}
    return found


def is_let_in(tls, at):
    """Whether another address gets a connection, as often as a client would try.

    grpcio counts a connection until it has noticed that its end was shut.
    """
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        other = socket.create_connection(at, PATIENCE, source_address=("127.0.0.2", 0))
        try:
            with tls.wrap_socket(other, server_hostname="localhost") as shaken:
                return bool(shaken.recv(1))  # the settings of its HTTP/2
        except (ssl.SSLError, ConnectionError):
            other.close()
            time.sleep(0.1)
    return False


def test_one_address_leaves_connections_to_others(make_unit_process, tmp_path, monkeypatch):
    few = tmp_path / "few"
    few.write_text(f'#!/bin/sh\nulimit -n 120\nexec {sys.executable} "$@"\n')
    few.chmod(0o755)
    unit = make_unit_process(settings={"limits": {"handshake_seconds": 2 * PATIENCE}})
    unit.zygote = None
    monkeypatch.setattr(sys, "executable", str(few))
    unit.start()
    at = "127.0.0.1", unit.port
    silent = [socket.create_connection(at, PATIENCE) for _ in range(80)]
    try:
        closed = ended(silent, 50)  # 60 connections in all, half of them for one address
        assert len(closed) == 50
        pki, own = unit.house.pki, unit.house.certificates["bkn"]
        tls = ssl.create_default_context(cafile=pki.ca)
        tls.load_cert_chain(own.certificate, own.key)
        tls.set_alpn_protocols(["h2"])
        assert is_let_in(tls, at)
    finally:
        for each in silent:
            each.close()


def test_a_connection_without_a_call_is_closed_and_made_again(make_unit_process):
    unit = make_unit_process(settings={"limits": {"idle_seconds": 1}})
    unit.start()
    client, idle = unit.client("bkn"), threading.Event()
    listed(client)
    client.raw.subscribe(lambda now: now is grpc.ChannelConnectivity.IDLE and idle.set())
    assert idle.wait(PATIENCE)
    listed(client)
