"""The store over SQLAlchemy Core: SQLite by default.

SQLite runs in WAL mode with ``synchronous=FULL``: a commit is on the disk when it returns. Writers
queue for a lock of this process, each for a while only, and begin with BEGIN IMMEDIATE: SQLite's
own waiting is a lottery, and only another program can still hold it. Statements' values never reach
an error message (``hide_parameters``).
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from padan_linkage.crypto.heads import Head
from padan_linkage.crypto.software import software
from padan_server.store.doubts import StoreDoubtError
from padan_server.store.port import (
    DamagedStoreError,
    OtherVersionError,
    StoreBusyError,
    StoreFullError,
    StoreUnopenedError,
)
from padan_server.store.sql.beside import Beside
from padan_server.store.sql.datasets import SqlDatasets
from padan_server.store.sql.direct import SqlLabelTables, SqlLists
from padan_server.store.sql.heads import SqlHeads
from padan_server.store.sql.ledger import SqlAgreements, SqlMarks, SqlQuotas, SqlRequests
from padan_server.store.sql.places import file_of, looking_url, opening, place_of
from padan_server.store.sql.releases import SqlReleases
from padan_server.store.sql.runs import SqlRuns

_log = structlog.get_logger(__name__)
#: How long a call waits for whoever holds the store, an own writer or another program.
_BUSY_SECONDS = 10.0
#: Bytes of a store up to which its check may take some seconds of the start.
_WHOLLY_CHECKED = 256 * 1024**2
_PAGE_BYTES = 4096
#: SQLite's codes for a file that is not what it was.
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
#: Its codes for a lock that somebody else has.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
#: The process, or the machine, may open no further file.
_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE}
#: What a connection opens: the database, its log, their shared memory, a journal.
_FILES = 4


class SqlTransaction:
    """:class:`padan_server.store.port.Transaction` over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self.heads = SqlHeads(connection)
        self.datasets = SqlDatasets(connection, self.heads)
        self.runs = SqlRuns(connection)
        self.agreements = SqlAgreements(connection, self.heads)
        self.quotas = SqlQuotas(connection, self.heads)
        self.requests = SqlRequests(connection)
        self.lists = SqlLists(connection)
        self.label_tables = SqlLabelTables(connection)
        self.releases = SqlReleases(connection, self.heads)
        self.marks = SqlMarks(connection)


class SqlStore:
    """:class:`padan_server.store.port.Store` at a SQLAlchemy URL, migrated when opened."""

    @classmethod
    def look(cls, path: Path) -> SqlStore:
        """A store in a SQLite file, only to be read: nothing of it is changed.

        Raises DamagedStoreError, and OtherVersionError unless it is of this version.
        """
        return cls(looking_url(path), change=False, path=path)

    def __init__(
        self,
        url: str,
        *,
        change: bool = True,
        accept: bool = False,
        path: Path | None = None,
        data_dir: Path | None = None,
    ) -> None:
        """``accept``: an operator takes a store that is doubted; else raises StoreDoubtError."""
        place = path or file_of(url)
        with opening(place):
            self._open(url, place, data_dir, change=change, accept=accept)

    def _open(
        self, url: str, place: Path | None, data_dir: Path | None, *, change: bool, accept: bool
    ) -> None:
        self._beside = Beside(place) if place else None
        #: Why the store is to be doubted, if an operator accepted that, or asks.
        self.doubt = self._beside.examine() if self._beside else None
        #: The file of checksums that the store's pages could not be compared with.
        self.uncompared = self._beside.uncompared if self._beside else ""
        if place and change:
            _require_readable(place)
            if self.doubt and not accept:
                raise StoreDoubtError(data_dir or place.parent, self.doubt)
            if self.uncompared:
                _log.warning("store_not_compared", file=self.uncompared)
        self._engine = sa.create_engine(url, hide_parameters=True, pool_size=16, max_overflow=64)
        if self._engine.dialect.name == "sqlite":
            _tame_sqlite(self._engine, change=change)
        self._changes = change
        self._stamps = count(1)
        self._stamp = 0
        self._writing = threading.Lock()
        self._heads: dict[tuple[str, str], Head] = {}
        self._moving = threading.Lock()
        with _translated():
            if change:
                self._migrate()
            else:
                _require_whole(self._engine)
                _require_newest(self._engine)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """A view that does not change while the block runs."""
        with _translated(), self._engine.connect() as connection, connection.begin():
            yield SqlTransaction(connection)

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """An atomic change, durable when the block has ended without an error."""
        with self._alone(), _translated(), self._engine.connect() as plain:
            connection = plain.execution_options(padan_write=True)
            with connection.begin(), self._counting(connection):
                tx = SqlTransaction(connection)
                yield tx
            if tx.datasets.changed or tx.agreements.changed or tx.releases.changed:
                self._stamp = next(self._stamps)
            self._move(tx.heads.moved)
            self._counted(connection)

    def _counting(self, connection: sa.Connection) -> AbstractContextManager[None]:
        return nullcontext() if self._beside is None else self._beside.counting(connection)

    def _counted(self, connection: sa.Connection) -> None:
        if self._beside is not None:
            self._beside.counted(connection)

    def head(self, agreement: str, flow: str) -> Head:
        """The head of a chain; never behind one that was given before."""
        if (agreement, flow) not in self._heads:
            with self.read() as tx:
                self._move({(agreement, flow): tx.heads.head(agreement, flow)})
        return self._heads[agreement, flow]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other thread writes. Raises StoreBusyError after a while."""
        if not self._writing.acquire(timeout=_BUSY_SECONDS):
            raise StoreBusyError
        try:
            yield
        finally:
            self._writing.release()

    def stamp(self) -> int:
        """Changes whenever a dataset's state, a release or a suspension has: all read is old."""
        return self._stamp

    def _move(self, heads: Mapping[tuple[str, str], Head]) -> None:
        with self._moving:
            for chain, head in heads.items():
                before = self._heads.get(chain)
                if before is None or before.generation < head.generation:
                    self._heads[chain] = head

    def _migrate(self) -> None:
        with self._engine.connect() as plain:
            connection = plain.execution_options(padan_write=True)
            # In the place of one that is lost it is not counted: the right one may come back.
            counting = nullcontext() if self._is_untold() else self._counting(connection)
            with connection.begin(), counting:
                if _require_known(connection) != _steps()[0]:
                    config = _alembic()
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")
            self._counted(connection)

    def _is_untold(self) -> bool:
        return self._beside is not None and self._beside.untold

    def close(self) -> None:
        """Let go of connections, with all of the log in the database."""
        if self._beside is not None:
            if self._changes and not self._beside.untold:
                with suppress(StoreBusyError), self._alone(), self._engine.connect() as connection:
                    self._beside.write_back(connection)
            self._beside.close()
        self._engine.dispose()


def _tame_sqlite(engine: sa.Engine, *, change: bool) -> None:
    writing = ("journal_mode=WAL", "wal_autocheckpoint=0", "synchronous=FULL")

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        # sqlite3 must not begin transactions by itself: it would begin them deferred.
        connection.isolation_level = None
        for pragma in (
            *(writing if change else ()),
            f"busy_timeout={_BUSY_SECONDS * 1000:.0f}",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("padan_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _require_readable(place: Path) -> None:
    """Raise what keeps a SQLite file from being used; nothing in it, or beside it, is changed."""
    if not place.exists() or not place.stat().st_size:
        return
    engine = sa.create_engine(looking_url(place), hide_parameters=True, poolclass=sa.NullPool)
    _tame_sqlite(engine, change=False)
    with _translated():
        _require_whole(engine)
        with engine.connect() as connection:
            _require_known(connection)


def _require_whole(engine: sa.Engine) -> None:
    """Raise DamagedStoreError for a SQLite file of which a part cannot be what was written.

    Up to ``_WHOLLY_CHECKED`` bytes the indexes are compared with their tables too; above that every
    page is still looked at.
    """
    # Spec 30, "Doubt", step 2.
    if engine.dialect.name != "sqlite":
        return
    place = place_of(engine)
    try:
        with engine.connect() as connection:
            size = connection.exec_driver_sql("PRAGMA page_count").scalar_one() * _PAGE_BYTES
            check = "integrity_check" if size <= _WHOLLY_CHECKED else "quick_check"
            found = connection.exec_driver_sql(f"PRAGMA {check}(1)").scalar_one()
    except sa.exc.DatabaseError as e:
        if getattr(e.orig, "sqlite_errorcode", None) not in _DAMAGE:
            raise
        found = "damaged"
    if found != "ok":
        raise DamagedStoreError(
            f"{place} rusak dan tidak diubah: pulihkan dari cadangan. / "
            f"{place} is damaged and was left as it is: restore it from a backup."
        )


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@cache
def _steps() -> tuple[str, ...]:
    """All steps, the newest first."""
    scripts = ScriptDirectory.from_config(_alembic())
    return tuple(each.revision for each in scripts.walk_revisions())


def data_format() -> int:
    """The number of the newest step: what this version writes, and the newest that it reads."""
    return int(_steps()[0])


def _require_known(connection: sa.Connection) -> str | None:
    """The step of a store, None if it is empty.

    Raises OtherVersionError if no migration starts from it.
    """
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in _steps():
        place = place_of(connection.engine)
        raise OtherVersionError(
            f"{place} dibuat oleh versi Padan lain (langkah {found}) daripada yang ini "
            f"({software()}, langkah {data_format():04}) dan tidak disentuh: jalankan dengan versi "
            "itu, atau pakai data_dir yang kosong. / "
            f"{place} was made by another version of Padan (step {found}) than this one "
            f"({software()}, step {data_format():04}) and is left as it is: run it with that "
            "version, or use an empty data_dir."
        )
    return found


def _require_newest(engine: sa.Engine) -> None:
    """Raise OtherVersionError for a store that is not of this very version."""
    with engine.connect() as connection:
        found = _require_known(connection)
    if found is None:
        raise DamagedStoreError(
            f"{place_of(engine)}: basis datanya hilang atau kosong. / the database is lost or "
            "empty."
        )
    if found != _steps()[0]:
        place = place_of(engine)
        raise OtherVersionError(
            f"{place} dari versi Padan sebelumnya: jalankan servernya sekali dengan versi ini. / "
            f"{place} is of an earlier version of Padan: start its server once with this one."
        )


def _may_open() -> bool:
    """Whether this process may open what a connection needs: SQLite does not say why it failed."""
    try:
        with ExitStack() as stack:
            for _ in range(_FILES):
                stack.enter_context(Path(os.devnull).open("rb"))
    except OSError as e:
        return e.errno not in _NO_DESCRIPTOR
    return True


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.TimeoutError as e:  # every connection is taken
        raise StoreBusyError from e
    except sa.exc.DBAPIError as e:
        # The low byte is the kind, what is above it says more of it.
        kind = (getattr(e.orig, "sqlite_errorcode", None) or 0) & 0xFF
        if kind == sqlite3.SQLITE_FULL:
            raise StoreFullError from e
        if kind in _BUSY:
            raise StoreBusyError from e
        if kind == sqlite3.SQLITE_CANTOPEN and not _may_open():
            raise StoreUnopenedError from e
        raise
