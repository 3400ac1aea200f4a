"""What the store's own troubles look like to callers."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import grpc
import pytest
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
