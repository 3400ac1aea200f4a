"""What a party does in one class of calls takes nothing from its others, nor from anybody."""

from __future__ import annotations

import gc
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from engines import FakeEngine
from google.rpc import error_details_pb2
from hostile_peers import STREAM, listed, second_agreement, second_party, silence
from parties import refusal
from patience import PATIENCE
from prometheus_client import generate_latest

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import resources_pb2 as resources_pb
from padan_server.admission.ledger import Ledger
from padan_server.base.clock import jakarta_day
from padan_server.base.errors import Reason, Refusal
from padan_server.datasets.lifecycle import Datasets
from padan_server.services.guard import interceptor, receipts
from padan_server.services.guard.call import current_call
from padan_server.services.guard.handshakes import Heads
from padan_server.services.guard.turns import Turns
from padan_server.store.port import StoreBusyError


def question(client, table):
    """One row of a table, asked about."""
    return client.confirmations.ConfirmRecords(
        confirmation_pb.ConfirmRecordsRequest(
            parent=client.parent,
            encoding=client.encoding(),
            pass_id=table.pass_id,
            rows=resources_pb.TableRows(row_count=1, **table.rows(0, 1)),
        )
    )


def test_its_own_uploads_take_nothing_from_a_party_s_questions(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    provider.publish(10)
    table = requester.tables(1)["nik-depan"]
    channel = unit.house.channel(unit.port, unit.house.certificates["kemnaker"])
    with silence(channel, STREAM, 100):
        assert question(requester, table).rows.row_count == 1
        listed(requester)
        listed(provider)


def test_questions_that_do_not_come_hold_up_no_other_of_their_party(make_unit, monkeypatch):
    """As many as may be under way but one; fewer than these are at work at once."""
    monkeypatch.setattr(receipts, "MESSAGE_SECONDS", 10 * PATIENCE)
    unit = make_unit()
    provider, requester = unit.pair()
    provider.publish(10)
    table = requester.tables(1)["nik-depan"]
    channel = unit.house.channel(unit.port, unit.house.certificates["kemnaker"])
    with silence(channel, "/padan.v1.ConfirmationService/ConfirmRecords", 15):
        awaited = time.monotonic() + PATIENCE
        while active(unit) < 15:
            assert time.monotonic() < awaited
            time.sleep(0.01)
        for _ in range(3):
            assert question(requester, table).rows.row_count == 1
        assert active(unit) == 15


def active(unit):
    """Calls that the unit has begun and not ended."""
    return unit.unit.metrics.registry.get_sample_value("padan_calls_active")


def test_long_commits_of_one_party_hold_up_nobody_s_list(make_unit, monkeypatch):
    """A delta of national size is merged for minutes."""
    unit = make_unit()
    provider, requester = unit.pair()
    provider.publish(10)
    held = requester.publish(10)
    begun, ended = threading.Semaphore(0), threading.Event()

    def lasts(*_):
        begun.release()
        ended.wait(PATIENCE)
        raise Refusal(Reason.STORE_BUSY)

    monkeypatch.setattr(Datasets, "commit", lasts)
    opened = provider.create(10)
    with ThreadPoolExecutor(4) as threads:
        commits = [threads.submit(provider.commit, opened) for _ in range(4)]
        for _ in commits:
            assert begun.acquire(timeout=PATIENCE)
        try:
            assert requester.run_of(requester.start_run(held)).name
        finally:
            ended.set()
        for commit in commits:
            with pytest.raises(grpc.RpcError):
                commit.result()


def test_an_answer_whose_past_cannot_be_told_is_a_refusal(make_unit, monkeypatch):
    unit = make_unit()
    client = unit.client("kemnaker")

    def busy(*_):
        raise StoreBusyError

    monkeypatch.setattr(Heads, "answer", busy)
    with pytest.raises(grpc.RpcError) as caught:
        listed(client)
    assert refusal(caught.value).reason == "STORE_BUSY"


def test_who_is_too_fast_is_told_when_to_come_again(make_unit):
    unit = make_unit(settings={"limits": {"rates": {"administration": 2}}})
    hasty, other = unit.client("kemnaker"), unit.client("bkn")
    for _ in range(2):  # one second's worth at once
        listed(hasty)
    with pytest.raises(grpc.RpcError) as caught:
        [listed(hasty) for _ in range(1000)]
    found = refusal(caught.value)
    assert (found.reason, found.metadata["limit"]) == ("CALL_RATE_EXCEEDED", "2")
    (told,) = (d for d in found.details if isinstance(d, error_details_pb2.RetryInfo))
    assert told.retry_delay.seconds == 1
    listed(other)
    text = generate_latest(unit.unit.metrics.registry).decode()
    for outcome in ("call_rate_exceeded", "admitted"):
        assert f'padan_call_admissions_total{{class="administration",outcome="{outcome}"}}' in text
    assert 'outcome="call_rate_exceeded"} 1.0' in text


def test_calls_that_are_broken_off_give_their_streams_back(make_unit):
    """A connection has 128: none is kept until a collection, which comes when it comes."""
    unit = make_unit()
    provider, requester = unit.pair()
    provider.publish(10)
    table = requester.tables(1)["nik-depan"]
    request = confirmation_pb.ConfirmRecordsRequest(
        parent=requester.parent,
        encoding=requester.encoding(),
        pass_id=table.pass_id,
        rows=resources_pb.TableRows(row_count=1, **table.rows(0, 1)),
    )

    def ask(times):
        ask_one = requester.confirmations.ConfirmRecords.future
        return [ask_one(request, timeout=PATIENCE) for _ in range(times)]

    ask(1)[0].result()
    gc.disable()
    try:
        for _ in range(60):
            asked = ask(32)
            time.sleep(0.003)
            for call in asked:
                call.cancel()
            while not all(call.done() for call in asked):
                time.sleep(0.001)
        assert [call.result().rows.row_count for call in ask(32)] == [1] * 32
    finally:
        gc.enable()


def long_question(client, table, rows=3):
    """Some rows of a table, asked about; the id makes a repetition of it free."""
    return confirmation_pb.ConfirmRecordsRequest(
        parent=client.parent,
        encoding=client.encoding(),
        pass_id=table.pass_id,
        request_id=str(uuid.uuid4()),
        rows=resources_pb.TableRows(row_count=rows, **table.rows(0, rows)),
    )


@pytest.fixture
def turns(monkeypatch):
    """The turns of every unit that is made."""
    made = []

    def kept(at_once):
        made.append(Turns(at_once))
        return made[-1]

    monkeypatch.setattr(interceptor, "Turns", kept)
    return made


@pytest.fixture
def two_askers(turns, make_house, make_unit):
    """A unit whose engine stops between two pieces, and requesters of two agreements."""
    house, gate = make_house(), StepGate()
    signed = second_agreement(house)
    unit = make_unit(house=house, engine=FakeEngine(between=gate))
    provider, requester = unit.pair()
    registry = provider.tables(40)
    provider.publish(40, tables=registry)
    other, theirs = (second_party(unit, signed, name) for name in ("bpjstk", "imigrasi"))
    for client in (theirs, other):
        client.contribute()
    theirs.publish(40)
    tables = (
        requester.tables(40, same_as=registry)["nik-depan"],
        next(iter(other.tables(1).values())),
    )
    question(other, tables[1])  # a block of its day is charged
    yield unit, gate, (requester, tables[0]), (other, tables[1])
    gate.open()


class StepGate:
    """Holds whoever calls it, one step at a time, until it is opened."""

    def __init__(self):
        self.reached, self.steps = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, _):
        self.call = current_call()
        self.reached.release()
        assert self.steps.acquire(timeout=PATIENCE)

    def reach(self):
        """Wait until somebody is held."""
        assert self.reached.acquire(timeout=PATIENCE)

    def step(self):
        """Let one go on."""
        self.steps.release()

    def open(self):
        """Let all go on."""
        self.steps.release(1000)


def until(condition):
    """Wait for it."""
    awaited = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < awaited
        time.sleep(0.01)


def asked_so_far(unit):
    """What questions have used of the first flow's day."""
    day = "kemnaker-bkn-2024", "asn-status", jakarta_day(unit.clock.now())
    with unit.unit._store.read() as tx:
        return tx.quotas.used(*day) - unit.unit._ledger.held(*day)


def test_a_long_question_leaves_others_their_turn_between_two_pieces(turns, two_askers):
    unit, gate, (requester, table), (other, theirs) = two_askers
    asked = long_question(requester, table)
    call = requester.confirmations.ConfirmRecords.future(asked, timeout=PATIENCE)
    gate.reach()
    beside = other.confirmations.ConfirmRecords.future(long_question(other, theirs, 1))
    until(lambda: sum(each.waiting() for each in turns) == 1)
    gate.step()
    gate.reach()
    assert beside.result().rows.row_count == 1
    assert not call.done()
    gate.open()
    answer = call.result()
    assert answer.rows.row_count == 3
    assert requester.confirmations.ConfirmRecords(asked) == answer
    assert asked_so_far(unit) == 3


def test_a_long_question_that_is_cancelled_ends_at_its_next_piece(two_askers):
    unit, gate, (requester, table), _ = two_askers
    asked = long_question(requester, table)
    call = requester.confirmations.ConfirmRecords.future(asked, timeout=PATIENCE)
    gate.reach()
    call.cancel()
    until(lambda: not gate.call.is_awaited())
    gate.open()
    until(lambda: not active(unit))
    assert unit.engine.pieces == 1
    assert asked_so_far(unit) == 3
    assert requester.confirmations.ConfirmRecords(asked).rows.row_count == 3
    assert asked_so_far(unit) == 3


def test_a_suspension_ends_a_long_question_at_its_next_piece(two_askers):
    _, gate, (requester, table), _ = two_askers
    asked = long_question(requester, table)
    call = requester.confirmations.ConfirmRecords.future(asked, timeout=PATIENCE)
    gate.reach()
    name = f"agreements/{requester.signed.agreement.id}"
    request = agreement_pb.SuspendAgreementRequest(name=name, article="Pasal 10 ayat (2)")
    requester.agreements.SuspendAgreement(request)
    gate.open()
    assert refusal(call.exception()).reason == "AGREEMENT_SUSPENDED"


def test_a_question_that_waits_for_the_disk_holds_up_nobody_s(two_askers, monkeypatch):
    unit, gate, (requester, table), (other, theirs) = two_askers
    gate.open()
    writing, written = threading.Event(), threading.Event()
    charge = Ledger._charge_ahead

    def slow(*arguments):
        writing.set()
        written.wait(PATIENCE)
        charge(*arguments)

    monkeypatch.setattr(Ledger, "_charge_ahead", slow)
    asked = long_question(requester, table)
    call = requester.confirmations.ConfirmRecords.future(asked, timeout=PATIENCE)
    assert writing.wait(PATIENCE)
    try:
        assert question(other, theirs).rows.row_count == 1
    finally:
        written.set()
    assert call.result().rows.row_count == 3
    assert asked_so_far(unit) == 3
