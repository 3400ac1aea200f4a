"""What the store's own troubles look like to callers."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import grpc
import pytest
import sqlalchemy as sa
from google.rpc import error_details_pb2
from parties import refusal

from padan.v1 import dataset_service_pb2 as dataset_pb
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


def test_opening_an_upload_is_no_more_work_after_many(make_unit):
    unit = make_unit()
    provider, _ = unit.pair()
    steps = 0

    def counted():
        nonlocal steps
        steps += 1

    @sa.event.listens_for(unit.unit._store._engine, "checkout")
    def _watch(connection, *_):
        connection.set_progress_handler(counted, 1)

    def work():
        """SQLite's steps for one more upload, given up again."""
        nonlocal steps
        steps = 0
        made = provider.create(10)
        needed = steps
        provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=made.name))
        return needed

    first = [work() for _ in range(3)][-1]
    assert first > 0
    for _ in range(40):
        last = work()
    assert last <= first * 1.1
