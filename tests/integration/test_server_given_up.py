"""Uploads that come to nothing: erased once nobody can use them, and never before."""

from __future__ import annotations

from datetime import timedelta

import grpc
import numpy as np
import pytest
from agency import people, registry_table, small_passes
from engines import FakeEngine
from parties import chunks, refusal

from padan.v1 import dataset_service_pb2 as dataset_pb
from padan_client import ProviderClient, RefusedError, RequesterClient
from padan_linkage.tables import PassTable

DAY = timedelta(days=1)


def refused(call, *args, **kwargs):
    """The reason why a call is refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, **kwargs)
    return refusal(caught.value).reason


def id_of(dataset):
    return dataset.name.rpartition("/")[2]


def shown(client, dataset):
    """The dataset as its owner is told of it."""
    return client.datasets.GetDataset(dataset_pb.GetDatasetRequest(name=dataset.name))


def gone(unit, client, dataset):
    """Whether nothing but the record is left."""
    state = shown(client, dataset).state
    assert (state == dataset_pb.Dataset.STATE_DELETED) is (id_of(dataset) not in unit.uploads)
    return state == dataset_pb.Dataset.STATE_DELETED


def stay(dataset):
    """How long the unit says that it will keep it."""
    return dataset.expire_time.ToDatetime() - dataset.create_time.ToDatetime()


def begin(client, dataset, tables, rows=200):
    """Send the first rows of one table, and break off."""
    table = next(iter(tables.values()))
    name = f"{dataset.name}/tables/{table.pass_id}"
    client.datasets.UploadTable(chunks(name, table, stop=rows))


def go_on(client, dataset, tables, rows=200):
    """Send the rest and commit."""
    first, *others = tables.values()
    client.send(dataset, first, start=rows)
    for table in others:
        client.send(dataset, table)
    return client.commit(dataset)


@pytest.fixture
def sides(make_unit):
    """A unit and both sides, contributed to epochs 1 and 2, each of which may see one list."""
    unit = make_unit(edit=lambda text: text.replace("quota = {", "quota = { lists_per_epoch = 1,"))
    provider, requester = unit.pair()
    provider.contribute(2)
    requester.contribute(2)
    return unit, provider, requester


def test_a_broken_upload_is_resumed_within_a_week_of_its_last_row(sides):
    unit, provider, _ = sides
    dataset, tables = provider.create(100), provider.tables(100)
    unit.pass_time(days=6.9)
    unit.sweep()
    begin(provider, dataset, tables)
    unit.pass_time(days=6.9)
    unit.sweep()
    committed = go_on(provider, dataset, tables)
    assert stay(committed) == 30 * DAY
    unit.pass_time(days=15)
    unit.sweep()
    assert not gone(unit, provider, dataset)


def test_a_broken_upload_that_nobody_resumed_is_erased_and_stays_counted(sides):
    unit, provider, requester = sides
    provider.publish(10)
    listed = requester.create(100)
    assert stay(shown(requester, listed)) == 7 * DAY
    begin(requester, listed, requester.tables(100))
    unit.pass_time(days=7.1)
    unit.sweep()
    assert gone(unit, requester, listed)
    assert refused(begin, requester, listed, requester.tables(100)) == "DATASET_STATE_INVALID"
    assert refused(requester.create, 100) == "EPOCH_LISTS_EXCEEDED"


def test_a_commit_while_the_unit_sweeps_loses_nothing(sides, monkeypatch):
    """The sweep has read that two uploads are over; while it erases one, the other is committed."""
    unit, provider, _ = sides
    first, second = provider.create(10), provider.create(10, encoding=provider.encoding(epoch=2))
    for table in provider.tables(10).values():
        provider.send(second, table)
    unit.pass_time(days=7.1)
    datasets, erase = unit.unit._datasets, unit.unit._datasets.erase

    def erase_slowly(dataset):
        monkeypatch.setattr(datasets, "erase", erase)
        erase(dataset)
        provider.commit(second)

    monkeypatch.setattr(datasets, "erase", erase_slowly)
    unit.sweep()
    assert gone(unit, provider, first)
    assert not gone(unit, provider, second)
    assert unit.uploads == {id_of(second)}


def test_what_its_owner_replaces_in_a_new_epoch_is_erased_at_once(sides):
    unit, provider, requester = sides
    other = provider.publish(10)
    listed = requester.create(100)
    begin(requester, listed, requester.tables(100))
    broken = provider.create(100, encoding=provider.encoding(epoch=2))
    begin(provider, broken, provider.tables(100))
    provider.contribute(3)
    requester.contribute(3)
    newest = provider.publish(10, encoding=provider.encoding(epoch=3))
    assert gone(unit, provider, broken)
    assert not gone(unit, requester, listed)  # that is for its own owner to say
    assert unit.uploads == {id_of(other), id_of(listed), id_of(newest)}


def test_an_erasure_that_broke_off_is_ended_by_the_next_sweep(sides, monkeypatch):
    unit, provider, _ = sides
    broken = provider.create(100)
    begin(provider, broken, provider.tables(100))

    def dies(_):
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(unit.unit._datasets, "erase", dies)
        with pytest.raises(grpc.RpcError):
            provider.publish(10, encoding=provider.encoding(epoch=2))
    assert shown(provider, broken).state == dataset_pb.Dataset.STATE_DELETED
    unit.sweep()
    assert gone(unit, provider, broken)
    assert len(unit.uploads) == 1


# Deltas


def delta_of(provider, base, *, seed=9, twice=False):
    """A delta of 20 upserts, two of which are of the same row where it is ``twice``."""
    tables = {}
    for pass_id, fresh in provider.tables(10, seed=seed).items():
        columns = {n: c.copy() for n, c in fresh.columns.items()}
        columns["handles"][:2] = base[pass_id].columns["handles"][[0, 0] if twice else [0, 1]]
        columns["operations"] = np.ones((len(fresh), 1), np.uint8)
        layout = fresh.layout.model_copy(update={"operations": 1})
        tables[pass_id] = PassTable(pass_id, layout, columns)
    return tables


@pytest.fixture
def published(make_unit):
    """A unit whose provider has published, and the tables of it."""
    unit = make_unit()
    provider, _ = unit.pair()
    base = provider.tables(10)
    return unit, provider, base, provider.publish(10, tables=base)


def test_a_delta_whose_base_is_not_the_newest_any_more_is_erased_at_once(published):
    unit, provider, base, registry = published
    late = provider.create(10, base_dataset=registry.name)
    begin(provider, late, delta_of(provider, base))
    provider.publish(10, tables=delta_of(provider, base, seed=10), base_dataset=registry.name)
    assert gone(unit, provider, late)
    assert not gone(unit, provider, registry)


def test_a_delta_that_no_commit_can_take_is_erased_and_its_base_stays(published):
    unit, provider, base, registry = published
    twice = delta_of(provider, base, twice=True)
    assert refused(provider.publish, 10, tables=twice, base_dataset=registry.name) == (
        "TABLES_INVALID"
    )
    assert unit.uploads == {id_of(registry)}
    assert not gone(unit, provider, registry)
    provider.publish(10, tables=delta_of(provider, base), base_dataset=registry.name)


def test_a_delta_whose_base_its_owner_erased_is_erased_when_it_is_committed(published):
    unit, provider, base, registry = published
    delta = provider.create(10, base_dataset=registry.name)
    for table in delta_of(provider, base).values():
        provider.send(delta, table)
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=registry.name))
    assert not gone(unit, provider, delta)
    assert refused(provider.commit, delta) == "DATASET_STATE_INVALID"
    assert unit.uploads == set()


def test_a_commit_that_can_be_put_right_leaves_the_upload(published):
    unit, provider, _, _ = published
    dataset = provider.create(10)
    assert refused(provider.commit, dataset) == "TABLE_INCOMPLETE"
    for table in provider.tables(10, seed=3).values():
        provider.send(dataset, table)
    wrong = provider.edition()
    wrong.signature = b"s" * 64
    assert refused(provider.commit, dataset, edition=wrong) == "EDITION_INVALID"
    assert not gone(unit, provider, dataset)
    provider.commit(dataset)


# By the client


def test_a_list_whose_run_the_unit_failed_is_kept_for_the_same_command(make_pair):
    """The list is there, nothing is charged, and the next run of it answers."""

    def fails(_):
        raise ValueError

    engine = FakeEngine(fails)
    pair = make_pair(edit=small_passes, engine=engine)
    persons = people(20)
    with ProviderClient(pair.provider, *pair.names) as client:
        client.publish(registry_table(persons), id_column="id", status_column="status")
    with RequesterClient(pair.requester, *pair.names) as client:
        with pytest.raises(RefusedError) as caught:
            client.confirm(persons)
        assert caught.value.reason == "RUN_WORKER_FAILED"
        assert len(pair.requester.jobs.pending()) == 1
        kept = pair.unit.uploads
        engine.before = lambda pass_id: None
        assert client.confirm(persons).charged
    assert pair.requester.jobs.pending() == []
    assert len(pair.unit.uploads) == len(kept) - 1
