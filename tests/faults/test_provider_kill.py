"""SIGKILL of a provider: nothing acknowledged is lost, nothing is charged or counted twice."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import pytest
from direct_party import asked
from journey import Driver
from patience import PATIENCE
from provider_fixture import alive, children, table_id
from server_fixture import NOW

from padan.v1 import direct_service_pb2 as pb
from padan_server.base.failpoints import PROVIDER_NAMES

SIZE = 1030


@pytest.fixture
def driver(make_provider_process):
    """Makes a driver whose provider is up; one table expires while it runs."""

    def make(failpoints=(), **terms):
        process, publisher = make_provider_process(
            settings={"sweep_seconds": 0.05, "rescan_seconds": 0.05}, **terms
        )
        publisher.publish("a")
        publisher.publish("old", epoch=7, created=NOW - timedelta(days=2), days=1.9999)
        made = Driver(process, iter(failpoints))
        return made, publisher

    return make


def books(process):
    """What the database says when nobody runs it."""
    queries = {
        "used": "SELECT sum(used) FROM quota_days",
        "keys": "SELECT sum(used) FROM evaluation_keys",
        "lists": "SELECT count(*) FROM blinded_lists",
        "elements": "SELECT sum(element_count) FROM blinded_lists",
        "evaluated": "SELECT sum(evaluated_count) FROM blinded_lists",
    }
    with closing(sqlite3.connect(process.house.data_dir / "provider.sqlite")) as connection:
        return {name: connection.execute(query).fetchone()[0] for name, query in queries.items()}


def round_of(made, number, mine):
    """Commit to a list and have it evaluated, whatever dies meanwhile; the evaluated elements."""
    request_id = f"00000000-0000-4000-8000-{number:012d}"
    committed = made.ask("kemnaker", lambda c: mine.commit(c, request_id=request_id))
    answers = []
    for chunk in range(mine.chunks):
        message = mine.message(committed.name, chunk)
        answers.append(made.ask("kemnaker", lambda c, m=message: c.direct.EvaluateElements(m)))
    found = made.ask(
        "kemnaker",
        lambda c: c.direct.GetBlindedList(pb.GetBlindedListRequest(name=committed.name)),
    )
    assert found.evaluated_count == mine.count
    return answers


def check(made, publisher, rounds):
    """Quota, key, lists and chunks are those of ``rounds`` rounds, each counted once."""
    assert made.unit.stop() == 0
    total = rounds * SIZE
    assert books(made.unit) == {
        "used": total,
        "keys": total,
        "lists": rounds,
        "elements": total,
        "evaluated": total,
    }


def test_a_kill_at_every_durable_step(driver):
    """Each life ends at the next fail point: all that was answered stands in the next."""
    wanted = [n for n in PROVIDER_NAMES if not n.startswith("table.")]
    made, publisher = driver(wanted)
    made.start()
    mine, rounds = asked(SIZE), 0
    key = publisher.public_keys(1)
    while len(made.deaths) < len(wanted):
        answers = round_of(made, rounds, mine)
        evaluated = b"".join(a.evaluated for a in answers)
        assert len(evaluated) == SIZE * 32
        rounds += 1
        assert rounds < 2 * len(wanted), f"never reached: {made.armed}"
    assert made.deaths == wanted
    assert key == publisher.public_keys(1)
    check(made, publisher, rounds)


def test_a_table_is_recorded_and_destroyed_whatever_dies(driver, make_provider):
    wanted = [n for n in PROVIDER_NAMES if n.startswith("table.")]
    made, publisher = driver(wanted)
    # The first provider sees the table in force, those after it when it has expired.
    provider = make_provider(publisher, settings={"data_dir": str(made.unit.house.data_dir)})
    provider.clock.forward(days=-1)
    provider.provider.clock.accept()
    provider.rescan()
    provider.stop()
    publisher.publish("b")
    made.start()
    made.ask(
        "kemnaker", lambda c: c.direct.ListLabelTables(pb.ListLabelTablesRequest(parent=c.parent))
    )
    assert sorted(made.deaths) == sorted(wanted)
    assert made.unit.stop() == 0
    assert not (publisher.tables_dir / table_id("old")).exists()
    with closing(sqlite3.connect(made.unit.house.data_dir / "provider.sqlite")) as connection:
        query = "SELECT id, destroy_time IS NOT NULL FROM label_tables"
        assert dict(connection.execute(query)) == {
            table_id("a"): 0,
            table_id("b"): 0,
            table_id("old"): 1,
        }


def test_its_workers_end_with_it(make_provider_process):
    process, publisher = make_provider_process()
    publisher.publish("a")
    process.start()
    (worker,) = children(process.process.pid)
    process.kill()
    ends = time.monotonic() + PATIENCE
    while alive(worker):
        assert time.monotonic() < ends, "an evaluation process outlives its provider"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_enumeration_under_random_kills_stays_within_the_quota(driver):
    """A requester that restarts the provider at will learns no more than a day's quota."""
    import grpc
    from journey import Killer
    from parties import refusal

    made, publisher = driver(day=20 * SIZE, per_list=SIZE)
    made.start()
    rounds, refused = 0, 0
    with Killer(made, seed=5, longest=1.0, most=40):
        while refused < 3:
            try:
                round_of(made, rounds + refused, asked(SIZE))
                rounds += 1
            except AssertionError as stopped:
                cause = stopped.__cause__
                assert isinstance(cause, grpc.RpcError)
                assert refusal(cause).reason == "QUOTA_DAY_EXCEEDED"
                refused += 1
    assert rounds == 20
    check(made, publisher, rounds)
