"""Rows arrive: checked before they are kept, acknowledged only once they are safe.

A row is safe when its columns are on the disk and the store's row count has passed it. The count
moves every few MiB inside a stream, at its end, and when it breaks; what lies behind the count in
the files is cut off by the next writer. Spec: ``proto/spec/30-unit-mode.md``, "Upload".
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Self

from padan_linkage.schema import Layout, Pass
from padan_linkage.tables import RunningDigest, columns_digest
from padan_server.admission.enforcement import Grant
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import Dataset, DatasetState, DatasetTable
from padan_server.datasets.owners import owned, state_invalid
from padan_server.datasets.retention import upload_end
from padan_server.datasets.rows import check_values, columns_of, layout_of
from padan_server.datasets.table_locks import TableLocks
from padan_server.store.cache import StoreCache
from padan_server.store.files.columns import ColumnFiles
from padan_server.store.files.sums import FileSums, RunningSums
from padan_server.store.files.writing import TableWriter
from padan_server.store.port import Store, StoreFullError

#: A stream waits once this many times ``sync_bytes`` are not safe yet.
_BEHIND = 3
#: Bytes read back at a time to be hashed; tables whose digest so far is remembered.
_READ_BYTES, _MOST_HASHED = 8 * 1024**2, 1024


@dataclass(frozen=True, repr=False)
class UploadChunk:
    """A piece of a table as it was sent; ``columns`` has every column, absent ones empty."""

    row_offset: int
    row_count: int
    columns: Mapping[str, bytes]
    digest: bytes
    finish: bool
    table_digest: bytes


class Uploads:
    """Receives tables."""

    def __init__(
        self,
        store: Store,
        files: ColumnFiles,
        locks: TableLocks,
        failpoints: Failpoints,
        sync_bytes: int,
    ) -> None:
        self._store = store
        self._locks = locks
        known = StoreCache[str, Dataset | None](store, lambda tx, name: tx.datasets.get(name))
        self._parts = _UploadParts(store, known, files, failpoints, sync_bytes, _HashedTables())

    def status(self, grant: Grant, dataset_id: str, pass_id: str) -> DatasetTable:
        """How much of a table is safe."""
        with self._store.read() as tx:
            return _table(owned(tx, grant, dataset_id), pass_id)

    def receive(
        self,
        admit: Callable[[], Grant],
        dataset_id: str,
        pass_id: str,
        chunks: Iterable[UploadChunk],
        interrupt: Callable[[], object],
    ) -> DatasetTable:
        """Take chunks until the table is complete or they end; returns what is then safe.

        ``admit`` is asked again whenever rows are made safe, so that a suspension also stops a
        stream under way. ``interrupt`` must make ``chunks`` end: a newer upload uses it.
        """
        # Spec 30, "Upload", step 7.
        with self._locks.exclusive((dataset_id, pass_id), interrupt):
            try:
                session = _Session(self._parts, admit, dataset_id, pass_id)
                with session:
                    for chunk in chunks:
                        if session.take(chunk):
                            break
            except StoreFullError:
                raise Refusal(Reason.STORAGE_FULL) from None
            return session.table  # with the rows that were made safe on leaving


class _Hashed:
    """The digest of a table's first ``rows`` rows, as its files have them."""

    def __init__(self, layout: Layout) -> None:
        self.rows = 0
        self._layout = layout
        self._digest = RunningDigest(layout)
        self._sums = {name: RunningSums() for name, _ in layout.columns()}
        self._begun = False

    def go_on(self, writer: TableWriter, rows: int) -> None:
        """Take in the rows up to ``rows``."""
        if not self._begun:
            self._take_in(writer.heads())
            self._begun = True
        step = max(1, _READ_BYTES // self._layout.row_bytes)
        while self.rows < rows:
            stop = min(self.rows + step, rows)
            columns = writer.rows(self.rows, stop)
            self._digest.update(columns)
            self._take_in(columns)
            self.rows = stop

    def _take_in(self, columns: Mapping[str, bytes]) -> None:
        for name, running in self._sums.items():
            running.update(columns[name])

    def sums(self) -> dict[str, FileSums]:
        """The sums of the columns' files so far."""
        return {f"{name}.npy": running.sums() for name, running in self._sums.items()}

    def digest(self) -> bytes:
        """The table digest of the rows so far."""
        return self._digest.digest()


class _HashedTables:
    """How far the tables of the latest streams are hashed."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], _Hashed] = OrderedDict()

    def of(self, dataset_id: str, table: DatasetTable, layout: Layout) -> _Hashed:
        """How far a table is hashed: where its last stream was, or from the beginning."""
        key = dataset_id, table.pass_id
        known = self._known.pop(key, None)
        if known is None or not 0 <= known.rows <= table.uploaded:
            known = _Hashed(layout)
        self._known[key] = known
        while len(self._known) > _MOST_HASHED:
            self._known.popitem(last=False)
        return known


@dataclass(frozen=True)
class _UploadParts:
    """What every session of an :class:`Uploads` works with."""

    store: Store
    known: StoreCache[str, Dataset | None]
    files: ColumnFiles
    failpoints: Failpoints
    sync_bytes: int
    hashed: _HashedTables


class _Session:
    """One writer's time with one table.

    ``written`` rows are in the files, ``table.uploaded`` of them are safe. Rows are made safe, and
    hashed for the table's digest, by a thread beside the one that takes more of them in; they count
    only then.
    """

    def __init__(
        self, parts: _UploadParts, admit: Callable[[], Grant], dataset_id: str, pass_id: str
    ) -> None:
        self._store = parts.store
        self._files = parts.files
        self._known = parts.known
        self._failpoints = parts.failpoints
        self._sync_bytes = parts.sync_bytes
        self._admit = admit
        grant = admit()
        with self._store.read() as tx:
            self._dataset = owned(tx, grant, dataset_id)
        if self._dataset.state is not DatasetState.OPEN:
            raise state_invalid(self._dataset)
        self.table = _table(self._dataset, pass_id)
        self._pass: Pass = grant.schema.get_pass(pass_id)
        self._layout = layout_of(grant, self._dataset, pass_id, uploaded=True)
        self._written = self.table.uploaded
        self._writer: TableWriter | None = None
        self._hashed = parts.hashed.of(dataset_id, self.table, self._layout)
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        if not self.table.complete:
            self._writer = self._files.upload_writer(
                self._dataset.id,
                self.table.pass_id,
                self._layout,
                self.table.upload_rows,
                self.table.uploaded,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.keep()
            elif not issubclass(kind, StoreFullError):
                # The stream broke; keep what arrived whole, but report the break.
                with suppress(StoreFullError, Refusal):
                    self.keep()
        finally:
            self._beside.shutdown()
            if self._writer:
                self._writer.close()

    def take(self, chunk: UploadChunk) -> bool:
        """Check and write one chunk; True when it completed the table."""
        self._check_open()
        # Spec 30, "Upload", step 2.
        if chunk.row_offset != self._written:
            self.keep()
            raise _out_of_order(self.table)
        if self._writer is None:
            return self._take_again(chunk)
        room = self.table.upload_rows - self._written
        # Spec 30, "Upload", step 3.
        columns = checked_columns(self._layout, self._pass, chunk, room)
        if chunk.row_count:
            self._writer.append(columns)
            self._written += chunk.row_count
            self._failpoints.hit("upload.appended")
        if chunk.finish:
            self._finish(chunk.table_digest)
            return True
        unsafe = (self._written - self.table.uploaded) * self._layout.row_bytes
        if unsafe >= self._sync_bytes:
            self._keep_beside(wait=unsafe >= _BEHIND * self._sync_bytes)
        return False

    def _check_open(self) -> None:
        """Refuse rows of a dataset that is erased meanwhile."""
        current = self._known.get(self._dataset.id)
        if current is not None and current.state is not DatasetState.OPEN:
            raise state_invalid(current)

    def keep(self) -> None:
        """Make every written row safe and record it."""
        self._settle()
        if self._writer is not None and self._written != self.table.uploaded:
            self._make_safe(self._writer, self._written)

    def _keep_beside(self, *, wait: bool) -> None:
        """Begin to make the written rows safe, unless that is under way; ``wait`` until it ends."""
        if self._writer is None:
            return
        if self._under_way is not None and not (wait or self._under_way.done()):
            return
        self._settle()
        self._under_way = self._beside.submit(
            copy_context().run, self._make_safe, self._writer, self._written
        )

    def _settle(self) -> None:
        """Wait for what is under way, and raise what it raised."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def _make_safe(self, writer: TableWriter, rows: int) -> None:
        # Spec 30, "Upload", step 4.
        writer.sync()
        self._failpoints.hit("upload.synced")
        self._record(replace(self.table, uploaded=rows))
        self._failpoints.hit("upload.recorded")
        self._hashed.go_on(writer, rows)

    def _finish(self, claimed: bytes) -> None:
        self.keep()
        if self._written != self.table.upload_rows:
            raise Refusal(Reason.TABLE_INCOMPLETE, committed_rows=self.table.uploaded)
        # Over the files, not the stream: what is vouched for is what will be matched.
        assert self._writer is not None
        self._hashed.go_on(self._writer, self._written)
        # Spec 30, "Upload", step 5.
        stored = self._hashed.digest()
        if not hmac.compare_digest(stored, claimed):
            self._record(replace(self.table, uploaded=0))
            self._written, self._hashed.rows = 0, -1
            raise Refusal(Reason.TABLE_DIGEST_MISMATCH, committed_rows="0")
        # What was just vouched for is what later use is compared with (spec 30, "Doubt", step 7).
        self._writer.keep_sums(self._hashed.sums())
        self._record(replace(self.table, complete=True, digest=stored))
        self._failpoints.hit("upload.finished")

    def _take_again(self, chunk: UploadChunk) -> bool:
        """Nothing but the repetition of the last, empty message fits a complete table."""
        # Spec 30, "Upload", step 6.
        if chunk.row_count or not chunk.finish:
            raise _out_of_order(self.table)
        if not hmac.compare_digest(chunk.table_digest, self.table.digest):
            raise Refusal(Reason.TABLE_DIGEST_MISMATCH, committed_rows=self.table.uploaded)
        return True

    def _record(self, table: DatasetTable) -> None:
        grant = self._admit()
        with self._store.write() as tx:
            current = owned(tx, grant, self._dataset.id)
            if current.state is not DatasetState.OPEN:
                raise state_invalid(current)
            until = upload_end(grant, current.create_time)
            tx.datasets.set_table(current.id, table, until)
        self.table = table


def checked_columns(layout: Layout, p: Pass, chunk: UploadChunk, room: int) -> dict[str, bytes]:
    """The columns of a chunk that is whole and undamaged, with at most ``room`` rows.

    Raises Refusal otherwise, before anything is written (spec 30, "Upload").
    """
    if chunk.row_count < 0 or (chunk.row_count == 0 and not chunk.finish):
        raise field_invalid("rows.row_count", "paling sedikit 1", "at least 1")
    if chunk.row_count > room:
        raise Refusal(Reason.ROWS_MALFORMED, field="rows.row_count")
    columns = columns_of(layout, chunk.columns, chunk.row_count)
    if not hmac.compare_digest(columns_digest(layout, columns), chunk.digest):
        raise Refusal(Reason.CHUNK_CORRUPT, row_offset=chunk.row_offset)
    check_values(layout, p, columns)
    return columns


def _table(dataset: Dataset, pass_id: str) -> DatasetTable:
    table = dataset.table(pass_id)
    if table is None:
        raise Refusal(Reason.DATASET_NOT_FOUND, dataset=dataset.id)
    return table


def _out_of_order(table: DatasetTable) -> Refusal:
    return Refusal(
        Reason.OFFSET_OUT_OF_ORDER,
        committed_rows=table.uploaded,
        complete="true" if table.complete else "false",
    )
