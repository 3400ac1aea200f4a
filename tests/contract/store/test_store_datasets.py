"""What every store promises of datasets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from padan_server.base.model import DatasetState, DatasetTable, Role, Seal

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
            made.id,
            replace(made.tables[1], uploaded=256, complete=True, digest=b"x" * 32),
            made.create_time + timedelta(days=7),
        )
    with open_store().read() as tx:
        found = tx.datasets.get(made.id)
    assert found.expire_time == made.create_time + timedelta(days=7)
    assert found.tables == (
        DatasetTable("nik", 256, 256),
        DatasetTable("lahir", 256, 256, 256, True, b"x" * 32),
    )


def test_replace_changes_state_times_tables_and_seal(store, dataset, start):
    with store.write() as tx:
        made = tx.datasets.add(dataset())
        changed = replace(
            made,
            state=DatasetState.COMMITTED,
            commit_time=start + timedelta(hours=1),
            expire_time=start + timedelta(days=2),
            tables=(DatasetTable("nik", 256, 300, 256, True, b"x" * 32),),
            seal=Seal(b"j" * 16, b"f" * 32),
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
    """By the order of commits: a clock that was set back must not bring an old registry back."""

    def commit(tx, made, hours):
        tx.datasets.replace(
            replace(made, state=DatasetState.COMMITTED, commit_time=start + timedelta(hours=hours))
        )

    with store.write() as tx:
        first, second, third, other, listed, _ = (
            tx.datasets.add(made)
            for made in (
                dataset("1" * 32),
                dataset("2" * 32, encoding=replace(dataset().encoding, epoch=2)),
                dataset("3" * 32),
                dataset("4" * 32, flow=replace(flow, agreement="x")),
                dataset("5" * 32, role=Role.REQUESTER, owner="kemnaker"),
                dataset("6" * 32),
            )
        )
    for made, hours in ((third, 9), (second, 5), (first, 1), (other, 1), (listed, 1)):
        with store.write() as tx:
            commit(tx, made, hours)
    with store.write() as tx:
        commit(tx, second, 99)  # repeating a commit does not make it newer
    with store.read() as tx:
        assert tx.datasets.newest(flow, Role.PROVIDER).id == first.id
        assert tx.datasets.newest(flow, Role.PROVIDER, epoch=2).id == second.id
        assert tx.datasets.newest(flow, Role.PROVIDER, epoch=3) is None
        assert tx.datasets.newest(flow, Role.REQUESTER).id == listed.id
    with store.write() as tx:
        tx.datasets.replace(replace(first, state=DatasetState.DELETED))
    with store.read() as tx:
        assert tx.datasets.newest(flow, Role.PROVIDER).id == second.id


def test_datasets_are_found_by_state(store, dataset):
    with store.write() as tx:
        for i, state in enumerate(DatasetState):
            tx.datasets.add(dataset(f"{i:032x}", state=state))
    with store.read() as tx:
        found = tx.datasets.in_state([DatasetState.OPEN, DatasetState.DELETING])
    assert [d.state for d in found] == [DatasetState.OPEN, DatasetState.DELETING]
