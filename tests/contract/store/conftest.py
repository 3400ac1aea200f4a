"""Every store that must keep the contract. PostgreSQL joins by adding its opener here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from padan_server.base.model import (
    Dataset,
    DatasetState,
    DatasetTable,
    Encoding,
    FlowKey,
    Role,
    Run,
    RunState,
    Seal,
)
from padan_server.store.port import Store
from padan_server.store.sql.store import SqlStore

START = datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)
FLOW = FlowKey("kemnaker-bkn-2024", b"d" * 32, "asn-status")


@pytest.fixture(params=["sqlite"])
def open_store(request, tmp_path) -> Iterator[Callable[[], Store]]:
    """Opens the same store again and again: what one has written the next one finds."""
    assert request.param == "sqlite"
    opened: list[Store] = []

    def open_again() -> Store:
        opened.append(SqlStore(f"sqlite:///{tmp_path / 'store.sqlite'}"))
        return opened[-1]

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store) -> Store:
    """One store."""
    return open_store()


def make_dataset(dataset_id: str = "a" * 32, **changes) -> Dataset:
    """A dataset as the domain makes it."""
    values = {
        "id": dataset_id,
        "flow": FLOW,
        "owner": "bkn",
        "role": Role.PROVIDER,
        "state": DatasetState.OPEN,
        "record_count": 10,
        "encoding": Encoding(1, b"k" * 16, b"s" * 32, "id-1"),
        "tables": (DatasetTable("nik", 256, 256), DatasetTable("lahir", 256, 256)),
        "seal": Seal(b"i" * 16, b"e" * 32),
        "base": "",
        "create_time": START,
        "expire_time": START + timedelta(days=30),
        **changes,
    }
    return Dataset(**values)


def make_run(run_id: str = "b" * 32, **changes) -> Run:
    """A run as the domain makes it."""
    values = {
        "id": run_id,
        "flow": FLOW,
        "owner": "kemnaker",
        "requester_dataset": "l" * 32,
        "provider_dataset": "r" * 32,
        "state": RunState.PENDING,
        "record_count": 10,
        "edition": "0123456789abcdef",
        "create_time": START,
        **changes,
    }
    return Run(**values)


@pytest.fixture
def dataset() -> Callable[..., Dataset]:
    """Makes datasets."""
    return make_dataset


@pytest.fixture
def run() -> Callable[..., Run]:
    """Makes runs."""
    return make_run


@pytest.fixture
def start() -> datetime:
    """A moment with microseconds."""
    return START


@pytest.fixture
def flow() -> FlowKey:
    """A flow."""
    return FLOW
