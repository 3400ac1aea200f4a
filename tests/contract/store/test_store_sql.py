"""What is particular to the SQL store: its migrations, its durability, its silence."""

from __future__ import annotations

import sqlite3
import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from padan_server.store.port import OtherVersionError, StoreBusyError, StoreFullError
from padan_server.store.sql import store as sql_store
from padan_server.store.sql.store import SqlStore
from padan_server.store.sql.tables import metadata


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


@pytest.mark.parametrize("step", ["0001", "0003", "0999"])
def test_a_store_of_another_version_is_refused_and_left_as_it_is(path, dataset, step):
    store = SqlStore(f"sqlite:///{path}")
    with store.write() as tx:
        tx.datasets.add(dataset())
    store.close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE alembic_version SET version_num = ?", (step,))
        other.execute("DROP TABLE releases")  # as a store that stopped half way
    before = list(other.iterdump())
    with pytest.raises(OtherVersionError, match=r"versi Padan lain.*another version") as caught:
        SqlStore(f"sqlite:///{path}")
    assert step in str(caught.value)
    assert list(other.iterdump()) == before
    other.close()


def test_a_store_that_went_through_the_folded_steps_goes_on(path, dataset, flow):
    """They end at 0006, the number of the migration that folds them."""
    store = SqlStore(f"sqlite:///{path}")
    with store.write() as tx:
        tx.datasets.add(dataset())
    store.close()
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE marks")
        other.execute("ALTER TABLE runs DROP COLUMN deaths")
        for index in ("datasets_of_owner", "datasets_by_commit", "datasets_committed"):
            other.execute(f"DROP INDEX {index}")
        for kind in ("datasets", "runs"):
            other.execute(f"DROP INDEX {kind}_of_flow")
            other.execute(f"CREATE INDEX {kind}_of_flow ON {kind} (agreement, flow, sequence)")
        other.execute("DROP INDEX datasets_of_epoch")
        other.execute("DROP INDEX runs_of_owner")
        other.execute("DROP TABLE held_rows")
        other.execute("DROP TABLE heads")
        other.execute("DROP TABLE run_turns")
        other.execute("ALTER TABLE datasets DROP COLUMN made_by")
        other.execute("ALTER TABLE blinded_lists RENAME COLUMN public_keys TO public_key")
        for column in ("manifest", "signature"):
            other.execute(f"ALTER TABLE label_tables DROP COLUMN {column}")
        other.execute("UPDATE alembic_version SET version_num = '0006'")
        other.execute("PRAGMA user_version = 0")
    other.close()
    for beside in ("count", "sums"):
        path.with_name(f"{path.name}-{beside}").unlink(missing_ok=True)
    store = SqlStore(f"sqlite:///{path}")
    with store.read() as tx:
        assert tx.datasets.get("a" * 32) is not None
        assert tx.marks.get() is None
        held = {(h.pass_id, h.rows) for h in tx.datasets.held(flow, "bkn")}
        assert held == {("nik", 256), ("lahir", 256)}
    store.close()


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


@pytest.fixture
def impatient(monkeypatch):
    """Stores wait for a lock for a moment only."""
    monkeypatch.setattr(sql_store, "_BUSY_SECONDS", 0.05)


def test_a_store_that_another_program_holds_is_busy(impatient, path, dataset):
    store = SqlStore(f"sqlite:///{path}")
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError), store.write():
            pass
        other.execute("ROLLBACK")
    with store.write() as tx:
        tx.datasets.add(dataset())
    store.close()


def test_a_writer_waits_for_another_only_for_a_while(impatient, path):
    store = SqlStore(f"sqlite:///{path}")

    def write():
        with pytest.raises(StoreBusyError), store.write():
            pass

    with store.write():
        second = threading.Thread(target=write)
        second.start()
        second.join()
    with store.write():
        pass
    store.close()
