"""What the store's own troubles look like to callers."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import grpc
import numpy as np
import pytest
import sqlalchemy as sa
from google.rpc import error_details_pb2
from parties import refusal

from padan.v1 import dataset_service_pb2 as dataset_pb
from padan_linkage.tables import PassTable
from padan_server.store.sql import store as sql_store


def test_a_store_that_another_program_holds_is_unavailable_for_a_moment(make_unit, monkeypatch):
    monkeypatch.setattr(sql_store, "_BUSY_SECONDS", 0.05)
    unit = make_unit(settings={"run_workers": 0})
    provider, requester = unit.pair()
    provider.publish(10)
    with closing(sqlite3.connect(unit.house.data_dir / "unit.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(grpc.RpcError) as caught:
            requester.create(10)
        # What reads is served as ever.
        asked = dataset_pb.GetRegistryRequest(parent=requester.parent)
        assert requester.datasets.GetRegistry(asked).dataset
    found = refusal(caught.value)
    assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_BUSY")
    (retry,) = (d for d in found.details if isinstance(d, error_details_pb2.RetryInfo))
    assert retry.retry_delay.seconds > 0
    requester.create(10)


def test_uploads_that_are_open_are_bounded_and_one_that_is_deleted_makes_room(make_unit):
    unit = make_unit(settings={"limits": {"open_datasets": 3}})
    provider, _ = unit.pair()
    made = [provider.create(10) for _ in range(3)]
    with pytest.raises(grpc.RpcError) as caught:
        provider.create(10)
    found = refusal(caught.value)
    assert found.reason == "OPEN_DATASETS_EXCEEDED"
    assert (found.metadata["limit"], found.metadata["used"]) == ("3", "3")
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=made[0].name))
    provider.create(10)


@pytest.fixture
def steps():
    """Counts the steps of SQLite's machine that a call needs, at a unit that this watches."""

    def watch(unit):
        taken = 0

        def counted():
            nonlocal taken
            taken += 1

        @sa.event.listens_for(unit.unit._store._engine, "checkout")
        def _watch(connection, *_):
            connection.set_progress_handler(counted, 1)

        def of(call, *args, **kwargs):
            nonlocal taken
            taken = 0
            answer = call(*args, **kwargs)
            assert taken > 0
            return taken, answer

        return of

    return watch


def test_opening_an_upload_is_no_more_work_after_many(make_unit, steps):
    unit = make_unit()
    provider, _ = unit.pair()
    counted = steps(unit)

    def work():
        """The steps of one more upload, given up again."""
        needed, made = counted(provider.create, 10)
        provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=made.name))
        return needed

    first = [work() for _ in range(3)][-1]
    assert max(work() for _ in range(40)) <= first * 1.1


def test_a_delta_is_no_more_work_after_many(make_unit, steps):
    unit = make_unit()
    provider, _ = unit.pair()
    counted = steps(unit)
    base = provider.publish(10)
    one_each = [dataset_pb.Table(pass_id=p.id, row_count=1) for p in provider.schema.passes]

    def work():
        """The steps that opening and committing one more delta need each."""
        nonlocal base
        shape = {"record_count": 1, "tables": one_each, "base_dataset": base.name}
        opened, delta = counted(provider.create, **shape)
        for table in registry_delta(provider).values():
            provider.send(delta, table)
        committed, base = counted(provider.commit, delta)
        return np.array([opened, committed])

    first = [work() for _ in range(2)][-1]
    last = [work() for _ in range(8)][-1]
    assert (last <= first * 1.1).all(), (first, last)


def registry_delta(provider):
    """One person put anew, in every pass."""
    return {
        pass_id: PassTable(
            pass_id,
            table.layout.model_copy(update={"operations": 1}),
            {name: rows[:1] for name, rows in table.columns.items()}
            | {"operations": np.ones((1, 1), np.uint8)},
        )
        for pass_id, table in provider.tables(10).items()
    }
