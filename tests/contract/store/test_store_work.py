"""What a party asks of the store is no more work because of what it or somebody else has in it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from padan_server.base.model import Contribution, DatasetState, ReleaseRecord, Role
from padan_server.store.sql.store import SqlStore

FIRST = 2**62
LISTER, HOARDER = "bkn", "kemnaker"
#: What calls ask for under a lock, or at every page.
ASKED = {
    "datasets": lambda tx, flow: tx.datasets.page(flow, LISTER, before=FIRST, limit=2),
    "own datasets": lambda tx, flow: tx.datasets.page(flow, HOARDER, before=FIRST, limit=2),
    "open": lambda tx, flow: tx.datasets.open(flow, HOARDER, 16),
    "uploads": lambda tx, flow: tx.datasets.uploads(flow, HOARDER),
    "held": lambda tx, flow: tx.datasets.held(flow, HOARDER),
    "newest": lambda tx, flow: tx.datasets.newest(flow, Role.PROVIDER),
    "newest of an epoch": lambda tx, flow: tx.datasets.newest(flow, Role.REQUESTER, epoch=2),
    "runs": lambda tx, flow: tx.runs.page(flow, LISTER, before=FIRST, limit=2),
    "runs of every flow": lambda tx, _: tx.runs.of_owner(LISTER, before=FIRST, limit=2),
    "whose run is next": lambda tx, _: tx.runs._turns.next(),
    "who waits for a run": lambda tx, _: tx.runs.is_awaited(LISTER),
    "contributions": lambda tx, flow: tx.agreements.contributions(flow, limit=2),
    "contributions of one": lambda tx, flow: tx.agreements.contributions(flow, epoch=1),
    "releases": lambda tx, flow: tx.releases.page(flow, "line", before=FIRST, limit=2),
    "newest release": lambda tx, flow: tx.releases.newest(flow, "other"),
}


@pytest.fixture
def store(tmp_path):
    """A store of which the steps of SQLite's machine are counted, and their number."""
    made = SqlStore(f"sqlite:///{tmp_path / 'unit.sqlite'}")
    made.steps = 0

    def count():
        made.steps += 1

    @sa.event.listens_for(made._engine, "checkout")
    def _watch(connection, *_):
        connection.set_progress_handler(count, 1)

    yield made
    made.close()


@pytest.fixture
def fill(store, dataset, run, flow, start):
    """Puts things of the hoarder into the store."""

    def put(numbers):
        with store.write() as tx:
            for i in numbers:
                for role, state in (
                    (Role.PROVIDER, DatasetState.DELETED),
                    (Role.REQUESTER, DatasetState.COMMITTED),
                ):
                    name = f"{role.value[0]}{i:031x}"
                    tx.datasets.add(dataset(name, owner=HOARDER, role=role, state=state))
                tx.runs.add(run(f"{i:032x}"))
                tx.agreements.add_contribution(
                    Contribution(flow, i, HOARDER, b"k" * 32, b"s" * 64, start)
                )
                tx.releases.add(
                    ReleaseRecord(
                        *(f"{i:032x}", flow, "line", i, HOARDER, LISTER, 1, b"d" * 32, start),
                        *(start, False),
                    )
                )

    return put


def work(store, flow):
    """The steps of everything that is asked."""
    found = {}
    for name, ask in ASKED.items():
        with store.read() as tx:
            store.steps = 0
            ask(tx, flow)
            found[name] = store.steps
    assert all(found.values())
    return found


def test_nothing_that_is_asked_grows_with_what_somebody_has(store, fill, dataset, run, flow):
    with store.write() as tx:
        for i in range(3):
            made = dataset(f"a{i:031x}", owner=LISTER, state=DatasetState.COMMITTED)
            tx.datasets.add(made)
            tx.runs.add(run(f"a{i:031x}", owner=LISTER))
    fill(range(1, 31))
    before = work(store, flow)
    fill(range(31, 331))
    after = work(store, flow)
    assert {name for name in ASKED if after[name] > before[name] * 1.1} == set()
