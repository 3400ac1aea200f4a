"""Whoever means ill, beside an honest party on a real process: its work goes on and is right."""

from __future__ import annotations

import socket

import pytest
from hostile_peers import hostile_ground, listed, second_agreement
from parties import answers
from patience import PATIENCE

from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import resources_pb2 as resources_pb
from padan.v1 import run_service_pb2 as run_pb
from padan_lab.bench.hostile.peers import PEERS, Harassing


@pytest.fixture
def idlers():
    """Opens TCP connections that say nothing."""
    opened: list[socket.socket] = []

    def open_(port, count):
        at = "127.0.0.1", port
        opened.extend(socket.create_connection(at, PATIENCE) for _ in range(count))
        return opened

    yield open_
    for each in opened:
        each.close()


def test_idle_connections_are_closed_and_keep_nobody_out(make_unit_process, idlers):
    unit = make_unit_process(settings={"limits": {"connections_per_address": 30}})
    unit.start()
    before = unit.client("kemnaker")
    listed(before)
    silent = idlers(unit.port, 120)
    for each in silent[60:]:  # closed by the server, the newest first
        each.settimeout(PATIENCE)
        assert each.recv(1) == b""
    listed(before)
    assert b"connections_closed" in unit.log.read_bytes()


def test_a_connection_that_shakes_no_hands_is_closed(make_unit_process, idlers):
    unit = make_unit_process(settings={"limits": {"handshake_seconds": 0.2}})
    unit.start()
    for each in idlers(unit.port, 5):
        each.settimeout(PATIENCE)
        assert each.recv(1) == b""
    listed(unit.client("bkn"))


def honest_work(unit):
    """A registry, a list and single questions: what an agency's day holds, and its answers."""
    provider, requester = unit.client("bkn"), unit.client("kemnaker")
    provider.contribute()
    requester.contribute()
    registry = provider.tables(20)
    mine = requester.tables(20, same_as=registry)
    provider.publish(20, tables=registry)
    operation = requester.start_run(requester.publish(20, tables=mine))
    run = requester.watch(requester.run_of(operation).name)
    streamed = requester.runs.StreamResults(run_pb.StreamResultsRequest(name=run.name))
    told = {name: rows.outcomes for name, rows in answers(streamed).items()}
    table = mine["nik-depan"]
    question = confirmation_pb.ConfirmRecordsRequest(
        parent=requester.parent,
        encoding=requester.encoding(),
        pass_id=table.pass_id,
        rows=resources_pb.TableRows(row_count=20, **table.rows(0, 20)),
    )
    asked = [requester.confirmations.ConfirmRecords(question).rows.outcomes for _ in range(30)]
    return told, asked


def right(outcomes):
    """Whether the first twenty rows of a table were found, and no other."""
    found, rest = outcomes[:20], outcomes[20:]
    return found == bytes([resources_pb.OUTCOME_MATCHED]) * 20 and set(rest) <= {
        resources_pb.OUTCOME_NOT_MATCHED
    }


#: Who is played together: any of them, and every one.
TOGETHER = (
    ("rubbish", "silent_uploader", "flooder", "reconnector", "watcher", "scanner"),
    ("questioner", "runner", "administrator", "stopper", "checker"),
    ("unread", "slow_reader", "slow_shaker", "bomber"),
    ("opener", "resetter", "nothing_caller", "pinger", "settler", "header_bomber"),
)


def test_every_peer_is_played():
    assert sorted(PEERS) == sorted(name for names in TOGETHER for name in names)


@pytest.mark.parametrize("names", TOGETHER, ids=lambda names: names[0])
def test_the_honest_party_s_work_is_done_and_right(make_unit_process, names):
    unit = make_unit_process()
    signed = second_agreement(unit.house)
    unit.start()
    ground = hostile_ground(unit, signed)
    with Harassing(ground, names):
        told, asked = honest_work(unit)
        assert unit.stop() == 0  # with all of them still there
    assert all(map(right, told.values()))
    assert set(told) == {p.id for p in unit.client("bkn").schema.passes}
    assert len(asked) == 30
    assert all(map(right, asked))
    log = unit.log.read_bytes()
    assert b'"defect"' not in log
    assert b'"INTERNAL"' not in log
    assert b"Traceback" not in log
