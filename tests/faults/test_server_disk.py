"""A disk that fills up: nothing acknowledged is lost, and on it goes once there is room."""

from __future__ import annotations

import errno

import grpc
import pytest
from agency import filtered
from google.rpc import error_details_pb2
from parties import refusal

from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import run_service_pb2 as run_pb
from padan_linkage.tables import PassTable
from padan_server.store.files.disk import Disk


class Scarce(Disk):
    """A disk with room for so many bytes, and one that may fail to sync."""

    def __init__(self):
        self.room = 10**9
        self.syncs = True
        self.total = 10**9

    def write(self, descriptor, data):
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = super().write(descriptor, memoryview(data)[: self.room])
        self.room -= written
        return written

    def sync(self, descriptor):
        if not self.syncs:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().sync(descriptor)

    def capacity(self, folder):
        return self.total


@pytest.fixture
def scarce(make_unit):
    """A unit on a scarce disk, its disk, its parties."""
    disk = Scarce()
    unit = make_unit(disk=disk, settings={"limits": {"sync_bytes": 5_000}}, edit=filtered)
    return unit, disk, *unit.pair()


def full(call, *args, **kwargs):
    """That a call is refused for want of room, with the advice to try again."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*args, **kwargs)
    found = refusal(caught.value)
    assert (found.code, found.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL")
    assert any(isinstance(d, error_details_pb2.RetryInfo) for d in found.details)


def safe_rows(client, dataset, table):
    return client.datasets.QueryWriteStatus(
        dataset_pb.QueryWriteStatusRequest(table=f"{dataset.name}/tables/{table.pass_id}")
    ).committed_rows


@pytest.mark.parametrize("room", [0, 100, 3_000, 20_000, 30_000])
def test_an_upload_goes_on_where_the_disk_was_full(scarce, room):
    _, disk, provider, _ = scarce
    dataset, table = provider.create(100), provider.tables(100)["lahir-depan"]
    disk.room = room
    full(provider.send, dataset, table, step=20)
    safe = safe_rows(provider, dataset, table)
    full(provider.send, dataset, table, start=safe, step=20)
    assert safe_rows(provider, dataset, table) >= safe
    disk.room = 10**9
    safe = safe_rows(provider, dataset, table)
    assert provider.send(dataset, table, start=safe).complete


def test_what_cannot_be_synced_is_not_acknowledged(scarce):
    _, disk, provider, _ = scarce
    dataset, table = provider.create(100), provider.tables(100)["lahir-depan"]
    disk.syncs = False
    full(provider.send, dataset, table)
    assert safe_rows(provider, dataset, table) == 0
    disk.syncs = True
    assert provider.send(dataset, table).complete


def test_a_party_keeps_to_its_share_of_the_disk(scarce):
    _, disk, provider, requester = scarce
    first = provider.publish(20)
    taken = sum(len(t) * t.layout.row_bytes for t in provider.tables(20).values())
    disk.total = 2 * (3 * taken - 1)  # half of it has room for two and no third
    provider.create(20)
    with pytest.raises(grpc.RpcError) as caught:
        provider.create(20)
    found = refusal(caught.value)
    assert (found.code, found.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "STORAGE_SHARE_EXCEEDED",
    )
    assert found.metadata["used"] == str(2 * taken)
    assert found.metadata["limit"] == str(3 * taken - 1)
    # A delta may leave its base and all of its rows.
    with pytest.raises(grpc.RpcError):
        provider.create(1, base_dataset=first.name)
    # The other party has a share of its own, and what is deleted is given back.
    requester.create(20)
    provider.datasets.DeleteDataset(dataset_pb.DeleteDatasetRequest(name=first.name))
    assert provider.create(20).name


def test_a_run_waits_for_room_or_says_so(scarce):
    _, disk, provider, requester = scarce
    registry = provider.tables(20)
    provider.publish(20, tables=registry)
    listed = requester.publish(20, tables=requester.tables(20, same_as=registry))
    disk.room = 0
    run = requester.watch(requester.run_of(requester.start_run(listed)).name)
    assert (run.state, run.failure_reason) == (run_pb.Run.STATE_FAILED, "STORAGE_FULL")
    disk.room = 10**9
    run = requester.watch(requester.run_of(requester.start_run(listed)).name)
    assert run.state == run_pb.Run.STATE_SUCCEEDED


def test_a_delta_is_merged_once_there_is_room(scarce):
    _, disk, provider, _ = scarce
    base = provider.publish(20)
    delta = provider.create(20, base_dataset=base.name)
    for table in provider.tables(20, seed=5).values():
        upserts = table.layout.model_copy(update={"operations": 1})
        columns = dict(table.columns)
        columns["operations"] = columns["keys"][:, :1] * 0 + 1
        provider.send(delta, PassTable(table.pass_id, upserts, columns))
    disk.room = 30_000
    full(provider.commit, delta)
    disk.room = 10**9
    assert provider.commit(delta).state == dataset_pb.Dataset.STATE_COMMITTED


def test_a_full_database_is_told_the_same_way(scarce):
    unit, _, provider, _ = scarce
    before = provider.create(100)
    engine = unit.unit._store._engine

    def limit(pages):
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    engine.dispose()  # so that one connection is used, and this limit holds for it
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    limit(pages)
    full(lambda: [provider.create(100) for _ in range(100)])
    limit(2**30)
    shown = provider.datasets.GetDataset(dataset_pb.GetDatasetRequest(name=before.name))
    assert shown.state == dataset_pb.Dataset.STATE_OPEN
    provider.create(100)
