"""A registry row answers so many distinct questions of a list, a day and an epoch, and no more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

import grpc
import numpy as np
import pytest
from agency import one_list_an_epoch, small_passes
from engines import FakeEngine, Gate
from parties import refusal
from server_fixture import FixedClock

from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import resources_pb2 as resources_pb
from padan.v1 import run_service_pb2 as run_pb
from padan_server.base.clock import jakarta_day
from padan_server.matching import confirmations

PASS = "lahir"
CLOSED, SUCCEEDED = run_pb.Run.STATE_CLOSED, run_pb.Run.STATE_SUCCEEDED
#: What an agreement allows that says nothing: of a list or a day, and of an epoch.
LIST, EPOCH = 8, 16


@pytest.fixture
def asked(make_unit):
    """A unit with a registry: ``asked(…)`` gives the unit, both sides, the registry's tables."""

    def make(edit=small_passes, **options):
        unit = make_unit(edit=edit, **options)
        provider, requester = unit.pair()
        registry = provider.tables(40)
        provider.publish(40, tables=registry)
        return unit, provider, requester, registry

    return make


def crowd(requester, registry, questions, *, seed=0, row=0):
    """A list's tables in which so many rows of one pass, each another vector, meet one row."""
    tables = requester.tables(30, seed=seed, same_as=registry)
    mine, theirs = tables[PASS].columns, registry[PASS].columns
    mine["keys"][40 : 40 + questions] = theirs["keys"][row]
    mine["filters"][40 : 40 + questions, :2] = theirs["filters"][row, :2]
    return tables


def run(requester, tables):
    """The run of a list, as it ends."""
    listed = requester.publish(30, tables=tables)
    return requester.watch(requester.run_of(requester.start_run(listed)).name)


def results(requester, run):
    return list(requester.runs.StreamResults(run_pb.StreamResultsRequest(name=run.name)))


def question(requester, registry, *, seed, row=0, rows=1):
    """Rows that meet a registry row, as a ConfirmRecords request."""
    table = crowd(requester, registry, rows, seed=seed, row=row)[PASS]
    return confirmation_pb.ConfirmRecordsRequest(
        parent=requester.parent,
        encoding=requester.encoding(),
        pass_id=PASS,
        rows=resources_pb.TableRows(row_count=rows, **table.rows(40, 40 + rows)),
    )


def ask(requester, registry, **which):
    """What comes of a single question: "" or the reason of its refusal."""
    try:
        requester.confirmations.ConfirmRecords(question(requester, registry, **which))
    except grpc.RpcError as error:
        return refusal(error).reason
    return ""


def test_a_list_in_excess_is_closed_whole_and_stays_charged(asked):
    unit, _, requester, registry = asked()
    ended = run(requester, crowd(requester, registry, LIST))
    assert ended.state == CLOSED  # the row's own question is one more
    assert (list(ended.passes), ended.failure_reason, ended.progress) == ([], "", 1.0)
    assert ended.record_count == 256
    with pytest.raises(grpc.RpcError) as caught:
        results(requester, ended)
    told = refusal(caught.value)
    assert (told.reason, told.metadata["state"]) == ("RUN_NOT_SUCCEEDED", "closed")
    assert unit.unit._maintenance._files.run_ids() == set()
    # It is kept as long as an upload may be resumed, not for its retention.
    stay = requester.datasets.GetDataset(
        dataset_pb.GetDatasetRequest(name=ended.requester_dataset)
    ).expire_time
    assert stay.ToDatetime(UTC) == unit.clock.now() + timedelta(days=7)
    with unit.unit._store.read() as tx:
        day = jakarta_day(unit.clock.now())
        assert tx.quotas.used("kemnaker-bkn-2024", "asn-status", day) == 256


def test_a_list_within_the_limit_is_answered_and_repeats_are_one_question(asked):
    _, _, requester, registry = asked()
    tables = crowd(requester, registry, LIST - 1)
    for column in tables[PASS].columns.values():
        column[60:120] = column[40]
    ended = run(requester, tables)
    assert ended.state == SUCCEEDED
    assert [p.requester_rows for p in ended.passes] == [256] * len(requester.schema.passes)
    assert results(requester, ended)


def test_nothing_is_told_of_a_pass_while_the_list_may_be_closed(asked):
    gate = Gate()
    engine = FakeEngine(before=lambda pass_id: gate(pass_id) if pass_id == PASS else None)
    _, _, requester, registry = asked(engine=engine)
    listed = requester.publish(30, tables=crowd(requester, registry, 3))
    name = requester.run_of(requester.start_run(listed)).name
    assert gate.reached.wait(60)
    under_way = requester.runs.GetRun(run_pb.GetRunRequest(name=name))
    assert under_way.progress >= 0.5
    assert list(under_way.passes) == []
    requester.runs.CancelRun(run_pb.CancelRunRequest(name=name))
    gate.opened.set()
    assert list(requester.watch(name).passes) == []


def test_an_epoch_counts_over_lists_restarts_republications_and_deltas(asked, make_unit):
    unit, provider, requester, registry = asked()
    first = crowd(requester, registry, LIST - 1, seed=1)
    assert run(requester, first).state == SUCCEEDED
    base = provider.publish(40, tables=registry)
    assert run(requester, crowd(requester, registry, LIST - 1, seed=2)).state == SUCCEEDED
    unit.stop()
    unit = make_unit(house=unit.house)
    requester, provider = unit.client("kemnaker"), unit.client("bkn")
    delta = provider.tables(5, seed=9)
    changes = {"base_dataset": base.name}
    made = provider.create(5, **changes)
    for table in delta.values():
        table.layout.__dict__["operations"] = 1
        table.columns["operations"] = np.ones((len(table), 1), np.uint8)
        provider.send(made, table)
    provider.commit(made)
    assert run(requester, first).state == SUCCEEDED  # the same questions again are free
    assert run(requester, crowd(requester, registry, 1, seed=3)).state == SUCCEEDED
    assert run(requester, crowd(requester, registry, 1, seed=4)).state == CLOSED
    assert run(requester, crowd(requester, registry, 1, seed=4, row=1)).state == SUCCEEDED


def test_of_lists_side_by_side_the_last_is_closed(asked):
    _, _, requester, registry = asked(settings={"run_workers": 3})
    with ThreadPoolExecutor(3) as pool:
        ended = pool.map(
            lambda seed: run(requester, crowd(requester, registry, 6, seed=seed)), (1, 2, 3)
        )
    assert sorted(e.state for e in ended) == [SUCCEEDED, SUCCEEDED, CLOSED]


def test_single_questions_of_a_day_are_one_list(asked, make_unit):
    clock = FixedClock()
    unit, _, requester, registry = asked(clock=clock)
    for seed in range(LIST):
        assert ask(requester, registry, seed=seed) == ""
        assert ask(requester, registry, seed=0) == ""  # the same again is free
    assert ask(requester, registry, seed=99) == "QUESTIONS_CLOSED"
    assert ask(requester, registry, seed=0, row=5) == "QUESTIONS_CLOSED"
    unit.stop()
    unit = make_unit(house=unit.house, clock=clock)
    requester = unit.client("kemnaker")
    assert ask(requester, registry, seed=0, row=5) == "QUESTIONS_CLOSED"
    clock.forward(days=1)
    for seed in range(EPOCH - LIST - 2):
        assert ask(requester, registry, seed=100 + seed) == ""
    # With the one that closed the day fifteen in the epoch; a list brings the row's own, no more.
    assert run(requester, crowd(requester, registry, 1, seed=200)).state == CLOSED
    assert run(requester, crowd(requester, registry, 1, seed=200, row=3)).state == SUCCEEDED
    clock.forward(days=1)
    assert ask(requester, registry, seed=300, row=3) == ""
    assert ask(requester, registry, seed=300) == "QUESTIONS_CLOSED"


@pytest.mark.parametrize("counted", [1, 256])
def test_in_pieces_a_question_closes_the_day_where_it_would_at_once(asked, monkeypatch, counted):
    monkeypatch.setattr(confirmations, "_COUNTED", counted)
    _, _, requester, registry = asked()
    assert ask(requester, registry, seed=0, rows=LIST) == ""
    assert ask(requester, registry, seed=1, row=5, rows=LIST - 1) == ""
    assert ask(requester, registry, seed=2, row=3, rows=LIST + 1) == "QUESTIONS_CLOSED"
    assert ask(requester, registry, seed=1, row=5) == "QUESTIONS_CLOSED"


def test_questions_from_many_threads_do_not_slip_past(asked):
    _, _, requester, registry = asked()
    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(lambda seed: ask(requester, registry, seed=seed), range(24)))
    assert told.count("") == LIST


def quota(**changes):
    """An agreement with other limits."""
    given = ", ".join(f"{name} = {value}" for name, value in changes.items())
    return lambda text: small_passes(text).replace(
        "minimum_batch = 10 }", f"minimum_batch = 10, {given} }}", 1
    )


def refused(requester, registry, seed=0):
    tables = requester.tables(30, seed=seed, same_as=registry)
    with pytest.raises(grpc.RpcError) as caught:
        run(requester, tables)
    return refusal(caught.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("lists_per_epoch", "EPOCH_LISTS_EXCEEDED"), ("lists_per_year", "YEAR_LISTS_EXCEEDED")],
)
def test_lists_of_an_epoch_and_a_year_are_counted(asked, make_unit, name, reason):
    unit, _, requester, registry = asked(edit=quota(**{name: 2}))
    listed = requester.publish(30, tables=requester.tables(30, same_as=registry))
    request = "0" * 8 + "-0000-4000-8000-" + "0" * 12
    first = requester.run_of(requester.start_run(listed, request))
    assert requester.run_of(requester.start_run(listed, request)).name == first.name
    another = requester.publish(30, tables=requester.tables(30, seed=1, same_as=registry))
    requester.start_run(another)
    unit.stop()
    unit = make_unit(house=unit.house)
    requester = unit.client("kemnaker")
    before = requester.runs.ListRuns(run_pb.ListRunsRequest(parent=requester.parent)).runs
    found = refused(requester, registry)
    assert (found.reason, found.metadata["limit"], found.metadata["used"]) == (reason, "2", "2")
    assert found.metadata["article"] == "Pasal 2 angka 2"
    after = requester.runs.ListRuns(run_pb.ListRunsRequest(parent=requester.parent)).runs
    assert len(after) == len(before) == 2
    with unit.unit._store.read() as tx:
        day = jakarta_day(unit.clock.now())
        assert tx.quotas.used("kemnaker-bkn-2024", "asn-status", day) == 512


def test_epochs_of_a_year_are_counted_for_lists_and_questions(asked):
    unit, provider, requester, registry = asked(edit=quota(epochs_per_year=1))
    assert ask(requester, registry, seed=1) == ""
    provider.contribute(2)
    requester.contribute(2)
    made = provider.create(40, encoding=provider.encoding(epoch=2))
    for table in registry.values():
        provider.send(made, table)
    provider.commit(made)
    request = question(requester, registry, seed=2)
    request.encoding.epoch = 2
    with pytest.raises(grpc.RpcError) as caught:
        requester.confirmations.ConfirmRecords(request)
    assert refusal(caught.value).reason == "YEAR_EPOCHS_EXCEEDED"
    with pytest.raises(grpc.RpcError) as caught:
        requester.create(30, encoding=requester.encoding(epoch=2))
    assert refusal(caught.value).reason == "YEAR_EPOCHS_EXCEEDED"
    unit.clock.forward(days=60)  # another year
    listed = requester.create(30, encoding=requester.encoding(epoch=2))
    for table in requester.tables(30).values():
        requester.send(listed, table)
    requester.commit(listed)
    assert requester.start_run(listed).name
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=made.name))


def test_an_epoch_sees_one_list_and_a_whole_registry_unless_more_is_accepted(asked):
    """What recurs in an epoch, or changes in it, would tie the rows of two passes."""
    _, provider, requester, registry = asked(edit=one_list_an_epoch)
    assert run(requester, requester.tables(30, same_as=registry)).state == SUCCEEDED
    assert refused(requester, registry, seed=1).reason == "EPOCH_LISTS_EXCEEDED"
    [base] = provider.datasets.ListDatasets(
        dataset_pb.ListDatasetsRequest(parent=provider.parent)
    ).datasets
    with pytest.raises(grpc.RpcError) as caught:
        provider.create(5, base_dataset=base.name)
    assert refusal(caught.value).reason == "DELTAS_NOT_ACCEPTED"
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=base.name))
    with pytest.raises(grpc.RpcError) as caught:
        provider.create(40)  # what is deleted has been seen
    assert refusal(caught.value).reason == "DELTAS_NOT_ACCEPTED"
    for party in (provider, requester):
        party.contribute(2)
    second = provider.encoding(epoch=2)
    made = provider.create(40, encoding=second)
    for table in registry.values():
        provider.send(made, table)
    provider.commit(made)
    listed = requester.create(30, encoding=second)
    for table in requester.tables(30, seed=2).values():
        requester.send(listed, table)
    requester.commit(listed)
    assert requester.start_run(listed).name


def test_what_was_met_is_erased_when_nobody_can_ask_in_the_epoch_any_more(asked):
    unit, provider, requester, registry = asked()
    listed = requester.publish(30, tables=crowd(requester, registry, 3))
    requester.watch(requester.run_of(requester.start_run(listed)).name)

    def kept():
        unit.sweep()
        return {p.name for p in (unit.house.data_dir / "meters").glob("*/*/*")}

    assert len(kept()) == 1
    for client in (provider, requester):
        mine = client.datasets.ListDatasets(dataset_pb.ListDatasetsRequest(parent=client.parent))
        for dataset in mine.datasets:
            client.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=dataset.name))
    assert len(kept()) == 1  # the registry may be published again
    provider.contribute(2)
    requester.contribute(2)
    made = provider.create(40, encoding=provider.encoding(epoch=2))
    for table in registry.values():
        provider.send(made, table)
    provider.commit(made)
    assert not kept()
