"""What is particular to the SQL store: its migrations, its durability, its silence."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from padan_server.store.port import StoreFullError
from padan_server.store.sql import SqlStore
from padan_server.store.tables import metadata


@pytest.fixture
def path(tmp_path):
    """Where the database is."""
    return tmp_path / "unit.sqlite"


def test_migrations_end_at_the_tables_of_the_code(path):
    SqlStore(f"sqlite:///{path}").close()
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_commits_are_on_the_disk(path, dataset):
    store = SqlStore(f"sqlite:///{path}")
    with store.write() as tx:
        connection = tx.datasets._connection
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        tx.datasets.add(dataset())
    # Another process, with nothing in this one's memory, sees the row.
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT count(*) FROM datasets").fetchone() == (1,)
    other.close()
    store.close()


def test_a_full_disk_is_told_as_such_and_keeps_what_was_there(path, dataset):
    store = SqlStore(f"sqlite:///{path}")
    with store.write() as tx:
        tx.datasets.add(dataset())
    with pytest.raises(StoreFullError), store.write() as tx:  # noqa: PT012 - the block as a whole
        connection = tx.datasets._connection
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        for i in range(2000):
            tx.datasets.add(dataset(f"{i:032x}"))
    with store.read() as tx:
        assert tx.datasets.get("a" * 32) is not None
        assert tx.datasets.get(f"{0:032x}") is None
    store.close()


def test_errors_do_not_quote_values(path, dataset):
    store = SqlStore(f"sqlite:///{path}")
    with store.write() as tx:
        tx.datasets.add(dataset())
    with pytest.raises(sa.exc.IntegrityError) as caught, store.write() as tx:
        tx.datasets.add(dataset())
    assert "a" * 32 not in str(caught.value)
    assert "kkkk" not in str(caught.value)
    store.close()
