"""Small parts: fail points, clocks, logs, merging of deltas, one writer a table."""

from __future__ import annotations

import json
import logging
import os
import threading
from datetime import UTC, date, datetime

import numpy as np
import pytest
import structlog
from patience import PATIENCE

from padan_server.base.clock import SimulatedClock, jakarta_day
from padan_server.base.errors import Reason, Refusal
from padan_server.base.failpoints import Failpoints
from padan_server.datasets.deltas import named
from padan_server.datasets.table_locks import TableLocks
from padan_server.roles.maintenance import Ticker


def test_an_unknown_fail_point_is_refused():
    with pytest.raises(ValueError, match="unknown fail point"):
        Failpoints("upload.syncd")


def test_fail_points_are_not_armed_unless_allowed(monkeypatch):
    killed = []
    monkeypatch.setattr("os.kill", lambda process, _: killed.append(process))
    monkeypatch.setenv("PADAN_UNIT_FAILPOINT", "commit.recorded")
    Failpoints.from_environment(allowed=False).hit("commit.recorded")
    assert killed == []
    Failpoints.from_environment(allowed=True).hit("commit.recorded")
    assert killed == [os.getpid()]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 20, 16, 59, 59, tzinfo=UTC), date(2026, 11, 20)),
        (datetime(2026, 11, 20, 17, 0, 0, tzinfo=UTC), date(2026, 11, 21)),
    ],
)
def test_days_are_jakartas(moment, day):
    assert jakarta_day(moment) == day


def test_a_simulated_clock_begins_where_it_is_told_and_runs():
    start = datetime(2020, 1, 1, tzinfo=UTC)
    clock = SimulatedClock(start)
    assert start <= clock.now() <= clock.now()


def test_the_log_is_json_and_keeps_libraries_messages_out(unit_log):
    structlog.get_logger().info("call", rows=3)
    try:
        raise ValueError("3201010101900001")
    except ValueError:
        logging.getLogger("grpc._server").exception("could not parse %s", "3201010101900001")
    first, second = (json.loads(line) for line in unit_log.getvalue().splitlines())
    assert (first["event"], first["rows"]) == ("call", 3)
    assert (second["logger"], second["error"]) == ("grpc._server", "ValueError")
    assert "3201010101900001" not in unit_log.getvalue()


def test_a_delta_names_rows_by_their_whole_handle():
    rng = np.random.default_rng(3)
    handles = rng.integers(0, 256, (500, 16), dtype=np.uint8)
    twin = handles[7].copy()
    twin[15] ^= 1  # shares its first half with row 7
    changed = np.vstack([handles[[3, 499]], twin[None]])
    found = named(handles, changed, "nik")
    assert np.flatnonzero(found).tolist() == [3, 499]


def test_a_delta_that_names_a_row_twice_is_refused():
    handles = np.zeros((2, 16), np.uint8)
    with pytest.raises(Refusal) as refused:
        named(handles, handles, "nik")
    assert refused.value.reason is Reason.TABLES_INVALID


def test_a_newer_writer_takes_over():
    writers, order = TableLocks(), []
    interrupted, inside = threading.Event(), threading.Event()

    def older():
        with writers.exclusive(("d", "p"), interrupted.set):
            inside.set()
            assert interrupted.wait(PATIENCE)
            order.append("older")

    thread = threading.Thread(target=older)
    thread.start()
    assert inside.wait(PATIENCE)
    with writers.exclusive(("d", "other"), lambda: None):
        order.append("another table")
    with writers.exclusive(("d", "p"), lambda: None):
        order.append("newer")
    thread.join()
    assert order == ["another table", "older", "newer"]


def test_a_ticker_goes_on_after_a_fault():
    turns, enough = [], threading.Event()

    def turn():
        turns.append(1)
        if len(turns) > 2:
            enough.set()
        raise RuntimeError

    ticker = Ticker("test", 0.001, turn)
    ticker.start()
    assert enough.wait(PATIENCE)
    ticker.stop()


def test_a_turn_waits_for_one_that_is_under_way():
    begun, go_on, order = threading.Event(), threading.Event(), []

    def action():
        order.append("begins")
        begun.set()
        go_on.wait(PATIENCE)
        order.append("ends")

    ticker = Ticker("test", 0, action)
    ticker.start()
    assert begun.wait(PATIENCE)
    other = threading.Thread(target=ticker.turn)
    other.start()
    other.join(0.3)
    go_on.set()
    other.join(PATIENCE)
    ticker.stop()
    assert order == ["begins", "ends"] * (len(order) // 2)
