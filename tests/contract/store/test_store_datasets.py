"""What every store promises of datasets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from padan_server.model import DatasetState, FlowKey, Role, Seal, Table

FIRST = 2**62


def test_a_dataset_comes_back_as_it_was(store, open_store, dataset):
    with store.write() as tx:
        made = tx.datasets.add(dataset())
    assert made.sequence > 0
    with open_store().read() as tx:
        assert tx.datasets.get(made.id) == made
        assert tx.datasets.get("f" * 32) is None


def test_a_failed_block_leaves_nothing(store, dataset):
    with pytest.raises(RuntimeError), store.write() as tx:  # noqa: PT012 - the block as a whole
        tx.datasets.add(dataset())
        raise RuntimeError
    with store.read() as tx:
        assert tx.datasets.get("a" * 32) is None


def test_table_progress_is_kept(store, open_store, dataset):
    made = dataset()
    with store.write() as tx:
        tx.datasets.add(made)
    with store.write() as tx:
        tx.datasets.set_table(
            made.id, replace(made.tables[1], uploaded=256, complete=True, digest=b"x" * 32)
        )
    with open_store().read() as tx:
        found = tx.datasets.get(made.id)
    assert found.tables == (
        Table("nik", 256, 256),
        Table("lahir", 256, 256, 256, True, b"x" * 32),
    )


def test_replace_changes_state_times_tables_and_seals(store, dataset, start):
    with store.write() as tx:
        made = tx.datasets.add(dataset())
        changed = replace(
            made,
            state=DatasetState.COMMITTED,
            commit_time=start + timedelta(hours=1),
            expire_time=start + timedelta(days=2),
            tables=(Table("nik", 256, 300, 256, True, b"x" * 32),),
            seals=(*made.seals, Seal(2, b"j" * 16, b"f" * 32)),
        )
        tx.datasets.replace(changed)
    with store.read() as tx:
        assert tx.datasets.get(made.id) == changed


def test_pages_are_newest_first_and_the_owners_alone(store, dataset, flow):
    with store.write() as tx:
        made = [tx.datasets.add(dataset(f"{i:032x}")) for i in range(5)]
        tx.datasets.add(dataset("b" * 32, owner="kemnaker", role=Role.REQUESTER))
        tx.datasets.add(dataset("c" * 32, flow=replace(flow, flow="other")))
        tx.datasets.add(dataset("d" * 32, flow=replace(flow, digest=b"o" * 32)))
    with store.read() as tx:
        page = tx.datasets.page(flow, "bkn", before=FIRST, limit=2)
        assert [d.id for d in page] == [made[4].id, made[3].id]
        rest = tx.datasets.page(flow, "bkn", before=page[-1].sequence, limit=50)
        assert [d.id for d in rest] == [made[2].id, made[1].id, made[0].id]


def test_newest_is_the_one_committed_last(store, dataset, flow, start):
    def committed(dataset_id, hours, **changes):
        return dataset(
            dataset_id,
            state=DatasetState.COMMITTED,
            commit_time=start + timedelta(hours=hours),
            **changes,
        )

    old = committed("1" * 32, 2)
    other_epoch = replace(old.encoding, epoch=2)
    with store.write() as tx:
        for made in (
            old,
            committed("2" * 32, 1, encoding=other_epoch),
            dataset("3" * 32),
            replace(committed("4" * 32, 9), state=DatasetState.DELETED),
            committed("5" * 32, 8, role=Role.REQUESTER, owner="kemnaker"),
            committed("6" * 32, 8, flow=FlowKey("x", b"d" * 32, "asn-status")),
        ):
            tx.datasets.add(made)
    with store.read() as tx:
        assert tx.datasets.newest(flow, Role.PROVIDER).id == "1" * 32
        assert tx.datasets.newest(flow, Role.PROVIDER, epoch=2).id == "2" * 32
        assert tx.datasets.newest(flow, Role.PROVIDER, epoch=3) is None
        assert tx.datasets.newest(flow, Role.REQUESTER).id == "5" * 32


def test_datasets_are_found_by_state(store, dataset):
    with store.write() as tx:
        for i, state in enumerate(DatasetState):
            tx.datasets.add(dataset(f"{i:032x}", state=state))
    with store.read() as tx:
        found = tx.datasets.in_state([DatasetState.OPEN, DatasetState.DELETING])
    assert [d.state for d in found] == [DatasetState.OPEN, DatasetState.DELETING]
