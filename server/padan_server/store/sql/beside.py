"""What lies beside a SQLite file, so that a store that lost or changed something is seen.

``<store>-count``: the number of the last commit that was acknowledged. The store says its own
(``PRAGMA user_version``), within the transaction that it counts; a lower one has lost something:
its log ended too early for SQLite, is gone, or belongs to another file. ``<store>-sums``: what its
pages' checksums are once all of the log is written back; the log's own vouch for a page that it
has. So the log is written back here, and by nobody else. Spec: ``proto/spec/30-unit-mode.md``,
"Doubt".
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import sqlalchemy as sa
import structlog

from padan_server.base.ordinary import lies_ordinary
from padan_server.store.doubts import Doubt
from padan_server.store.files.disk import Disk, write_whole
from padan_server.store.port import StoreFullError
from padan_server.store.sql.commits import CommitCount, ahead, next_number
from padan_server.store.sql.page_sums import Pages, PageSums
from padan_server.store.sql.wal import Log, LogLength, read_log

_log = structlog.get_logger(__name__)
#: Frames after which a log is written back, as SQLite does it by itself.
_LONG = 1000
#: What its files end in: SQLite's own, and ours.
_ENDINGS = ("", "-wal", "-shm", "-journal", "-count", "-sums")
#: Where page 1 of a SQLite file says its ``user_version``.
_NUMBER = slice(60, 64)


class Beside:
    """Of one store, for the one process that may write it."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._log_file = store.with_name(f"{store.name}-wal")
        self._count_file = store.with_name(f"{store.name}-count")
        self._sums_file = store.with_name(f"{store.name}-sums")
        self._length = LogLength(self._log_file)
        self._count = CommitCount(self._count_file)
        self._known = 0
        self._counting: int | None = None
        self._pages = Pages()
        #: The commit as of which the checksums are; None where they are of none that is known.
        self._summed: int | None = 0
        self._uncounted = False
        #: The checksums' file, if it has none of a store that is not doubted.
        self.uncompared = ""
        self._unsummed = False
        #: Of a store that is new here, or doubted, nothing is told before something is written.
        self.untold = True

    def examine(self) -> Doubt | None:
        """What is wrong with the store that lies there; to be asked before SQLite opens it.

        Raises NotOrdinaryError where something is no file: SQLite would wait for it, or read on.
        """
        # Spec 30, "Doubt", step 2.
        for ending in _ENDINGS:
            lies_ordinary(self._store.with_name(f"{self._store.name}{ending}"))
        log = read_log(self._log_file)
        self._pages = Pages.of(self._store, log.page_bytes)
        number = _number_in(log.first or self._pages.first)
        try:
            kept = CommitCount.read(self._count_file)
        except (OSError, ValueError):
            self._known = self._summed = number
            self._unsummed = True
            return Doubt.unreadable(self._count_file)
        self._uncounted = kept is None
        self._known = number if kept is None or ahead(number, kept) > 0 else kept
        # Pages and log are read here: what is numbered from now on follows on this.
        self._summed = self._known
        # Lost, empty, or no database: its mark or SQLite says so.
        doubt = self._doubt(log, number, kept) if self._pages.sums else None
        self.untold = doubt is not None or not self._pages.sums
        self._unsummed |= self.untold
        return doubt

    def _doubt(self, log: Log, number: int, kept: int | None) -> Doubt | None:
        if kept is None:
            # Of a store that was made and never used there are no sums: the first commit has them.
            self._unsummed = True
            # The first commit may be on the disk when its count is not yet.
            return _missing(self._count_file) if number > 1 else None
        if ahead(number, kept) < 0:
            return _behind(self._log_file if _has_content(self._log_file) else self._store)
        sums = PageSums.read(self._sums_file)
        if sums is None or (_is_foreign(log, number, sums.number) and ahead(number, kept) <= 1):
            self._unsummed, self.uncompared = True, self._sums_file.name
            return None
        self._summed = sums.number
        found = next(_changed(sums, self._pages, log), None)
        return None if found is None else _altered(self._store, found)

    @contextmanager
    def counting(self, connection: sa.Connection) -> Iterator[None]:
        """Number what a transaction, which has the store to itself, changes in the block."""
        before, self._counting = _plain(connection).total_changes, None
        if self._uncounted:  # else two deaths before a count look like a lost one
            self._count.keep(self._known)
            self._uncounted = False
        yield
        if _plain(connection).total_changes > before:
            said = connection.exec_driver_sql("PRAGMA user_version").scalar_one() & 0xFFFFFFFF
            number = next_number(max(said, self._known, key=lambda n: ahead(n, self._known)))
            connection.exec_driver_sql(f"PRAGMA user_version={ahead(number, 0)}")
            self._counting = number

    def counted(self, connection: sa.Connection) -> None:
        """The transaction is committed: make its number durable. Raises StoreFullError."""
        if self._counting is None:
            return
        self._known, self.untold = self._counting, False
        self._count.keep(self._known)
        if self._unsummed or self._length.left() >= _LONG:
            self.write_back(connection)

    def write_back(self, connection: sa.Connection) -> None:
        """Sum the pages in the log and bring them into the store, as far as readers let it.

        The sums come first: until all of it is in the store the log is there and vouches for them.
        What fails is tried again with a later commit; it harms none.
        """
        log = read_log(self._log_file)
        if _number_in(log.first) != self._known:
            if self._length.left():  # no start goes on from what would become of it
                _log.error("file_damaged", file=self._log_file.name, problem="it ends too early")
            return
        if self._summed is not None and _is_foreign(log, self._known, self._summed):
            # What the log had then is not known here; SQLite has the file open, and would lose its
            # locks on it if it were read. The next start sums it.
            _log.warning("store_not_compared", file=self._sums_file.name)
            self._summed = None
        if self._summed is None:
            content = b""
        else:
            self._pages = _with(self._pages, log)
            content = PageSums(self._pages.page_bytes, self._known, self._pages.sums).content()
            self._summed = self._known
        try:
            write_whole(Disk(), self._sums_file, (content,))
            _plain(connection).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except (sqlite3.Error, StoreFullError, OSError) as e:
            _log.warning("store_not_written_back", error=type(e).__name__)
            return
        self._length.written_back()
        self._unsummed = False

    def close(self) -> None:
        """Let go of files."""
        self._count.close()


def _plain(connection: sa.Connection) -> sqlite3.Connection:
    """SQLite's own; SQLAlchemy's would begin a transaction."""
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def _number_in(first: bytes) -> int:
    """The commit that page 1 says it is of."""
    return int.from_bytes(first[_NUMBER], "big")


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _is_foreign(log: Log, number: int, summed: int) -> bool:
    """Whether another program has written back commits after ``summed``: they are not in the log.

    The store is at ``number``.
    """
    begins = _number_in(log.opening) if log.frames else next_number(number)
    return ahead(begins, summed) > 1


def _with(pages: Pages, log: Log) -> Pages:
    """The pages once a log is written back."""
    if not log.frames:
        return pages
    size = pages.page_bytes or len(log.first)
    never = zlib.crc32(bytes(size))
    sums = pages.sums[: log.size]
    sums.extend(never for _ in range(log.size - len(sums)))
    for page, crc in log.pages.items():
        if page <= log.size:
            sums[page - 1] = crc
    return Pages(size, log.first or pages.first, sums)


def _changed(sums: PageSums, pages: Pages, log: Log) -> Iterator[int]:
    """Numbers of the pages that are not what they were summed as, and that no log has anew."""
    if sums.page_bytes != pages.page_bytes:
        yield 1
    there = pages.sums
    for page, was in enumerate(sums.sums, 1):
        gone = page > len(there)
        if (gone or there[page - 1] != was) and page not in log.pages:
            yield page


def _behind(path: Path) -> Doubt:
    return Doubt(
        path.name,
        (
            f"{path.name} rusak atau tidak lengkap: perubahan yang sudah disahkan tidak ada di "
            "sana",
            f"{path.name} is damaged or incomplete: changes that were acknowledged are not in it",
        ),
    )


def _altered(path: Path, page: int) -> Doubt:
    return Doubt(
        path.name,
        (
            f"{path.name} bukan seperti yang ditulis server, pada halaman {page} (bila Anda "
            f"sendiri yang menulisnya kembali, misalnya dengan VACUUM: hapus {path.name}-sums)",
            f"{path.name} is not what the server wrote, in page {page} (if you have rewritten it "
            f"yourself, by VACUUM say: delete {path.name}-sums)",
        ),
    )


def _missing(path: Path) -> Doubt:
    name = path.name
    return Doubt(
        name,
        (
            f"{name} hilang: tidak diketahui apakah basis datanya lengkap",
            f"{name} is missing: whether the database is complete is not known",
        ),
        (name, name),
    )
