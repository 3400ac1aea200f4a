"""Puts a dataset's tables to the unit in resumable pieces.

Spec ``proto/spec/30-unit-mode.md``, "Upload": about 256 KiB a piece, a digest each, a digest of the
whole table at its end; after a break the unit says which rows are safe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

from padan.v1 import dataset_service_pb2 as pb
from padan.v1 import resources_pb2
from padan.v1.reason_texts import Reason
from padan_client.base.effects import Patience, Steps, Upload, call, work
from padan_client.base.errors import RefusedError, UnavailableError, VerificationError
from padan_client.base.language import t
from padan_linkage.schema import Layout
from padan_linkage.tables import (
    Chunked,
    PassTable,
    RunningDigest,
    chunk_edges,
    chunk_of,
    columns_digest,
)

PIECE_BYTES = 256 * 1024
#: A stream ends after this much, so that its deadline fits slow lines and rows become safe.
STREAM_BYTES = 256 * 1024 * 1024
_FRUITLESS_STREAMS = 4
#: Refusals that sending again may mend, and what each costs of a table's budget.
_MENDABLE: Mapping[str, int] = {
    Reason.OFFSET_OUT_OF_ORDER: 1,
    Reason.CHUNK_CORRUPT: 1,
    Reason.TABLE_DIGEST_MISMATCH: 4,
}
_MENDING_BUDGET = 8

Report = Callable[[int], None]


def upload_table(name: str, table: Chunked, patience: Patience, report: Report) -> Steps[None]:
    """Upload ``table`` under the resource name ``name``, from where the unit has it.

    Of a table that is made chunk by chunk, one is made while the one before is on its way.
    ``report(rows)`` is told how many rows are safe. Raises VerificationError if the unit
    acknowledges what was not sent.
    """
    status = yield from write_status(name, patience)
    safe, complete = _checked(status, 0, len(table))
    if not complete:
        source = _Source(table)
        try:
            yield from work(lambda: source.hash_up_to(safe))
            yield from _send(name, source, safe, patience, report)
        finally:
            source.close()
    report(len(table))


def _send(name: str, source: _Source, safe: int, patience: Patience, report: Report) -> Steps[None]:
    """Send what is not safe yet, stream after stream."""
    complete = False
    backoff, budget, fruitless = patience.start(), _MENDING_BUDGET, 0
    while not complete:
        report(safe)
        before = safe
        try:
            reply = yield Upload("DatasetService.UploadTable", partial(_pieces, name, source, safe))
            fruitless += reply.committed_rows <= before
        except UnavailableError as failure:
            source.require_sound()
            yield backoff.after(failure)
            reply = yield from write_status(name, patience)
        except RefusedError as refusal:
            budget -= _MENDABLE.get(refusal.reason, _MENDING_BUDGET + 1)
            if budget < 0:
                raise
            reply = yield from write_status(name, patience)
            before = min(before, reply.committed_rows)  # a table that was damaged is thrown away
        safe, complete = _checked(reply, before, len(source))
        if safe > before:
            backoff.progress()
        elif fruitless > _FRUITLESS_STREAMS and not complete:
            raise _no_progress()


def write_status(name: str, patience: Patience) -> Steps[pb.QueryWriteStatusResponse]:
    """How many rows of a table are safe."""
    return (
        yield from call(
            "DatasetService.QueryWriteStatus",
            pb.QueryWriteStatusRequest(table=name),
            pb.QueryWriteStatusResponse,
            patience,
        )
    )


def _checked(
    reply: pb.QueryWriteStatusResponse | pb.UploadTableResponse, before: int, rows: int
) -> tuple[int, bool]:
    """Safe rows and completeness; what was acknowledged once is never taken back."""
    safe, complete = reply.committed_rows, reply.complete
    if not before <= safe <= rows or (complete and safe != rows):
        raise VerificationError(
            t(
                "Unit pemadanan melaporkan jumlah baris tersimpan yang tidak mungkin. Hapus "
                "himpunan data itu dan hubungi operator unit.",
                "The linkage unit reports an impossible number of safe rows. Delete the dataset "
                "and ask the unit's operator.",
            )
        )
    return safe, complete


def _no_progress() -> UnavailableError:
    return UnavailableError(
        t(
            "Unit pemadanan menerima unggahan tetapi tidak menyimpannya. Hubungi operator unit, "
            "lalu ulangi perintah yang sama untuk melanjutkan.",
            "The linkage unit takes the upload but keeps nothing of it. Ask the unit's operator, "
            "then repeat the same command to go on.",
        )
    )


class _Source:
    """A table on its way: the chunk at hand, the next one in the making, and the digest so far."""

    def __init__(self, table: Chunked) -> None:
        self._table = table
        self._chunks: dict[int, Future[PassTable]] = {}
        self._hashed = 0
        self._running = RunningDigest(table.layout)
        self._turn = threading.Lock()  # a stream that broke may still be asking
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="encode")

    def __len__(self) -> int:
        return len(self._table)

    @property
    def layout(self) -> Layout:
        """The table's columns."""
        return self._table.layout

    def close(self) -> None:
        """Make no more chunks."""
        self._beside.shutdown(wait=True, cancel_futures=True)

    def require_sound(self) -> None:
        """Raise what making a chunk raised: of that, a stream only breaks."""
        for chunk in self._chunks.values():
            if chunk.done() and (error := chunk.exception()):
                raise error

    def piece(self, start: int, most: int) -> tuple[int, dict[str, bytes]]:
        """Rows from ``start`` on, ``most`` at most and of one chunk: where they end, and they."""
        if start == len(self):
            return start, {name: b"" for name, _ in self.layout.columns()}
        with self._turn:
            first, last = chunk_edges(chunk_of(start), len(self))
            stop = min(start + most, last)
            rows = self._chunk(chunk_of(start)).rows(start - first, stop - first)
            if start <= self._hashed < stop:
                self._hash(stop)
            return stop, rows

    def hash_up_to(self, stop: int) -> None:
        """Take the rows before ``stop`` into the digest; a stream may begin again earlier."""
        with self._turn:
            while self._hashed < stop:
                _, end = chunk_edges(chunk_of(self._hashed), len(self))
                self._hash(min(end, stop))

    def digest(self) -> bytes:
        """The digest of the whole table, 32 bytes."""
        self.hash_up_to(len(self))
        return self._running.digest()

    def _hash(self, stop: int) -> None:
        """The next rows of the digest, of one chunk."""
        number = chunk_of(self._hashed)
        first, _ = chunk_edges(number, len(self))
        columns = self._chunk(number).columns.items()
        self._running.update({n: c[self._hashed - first : stop - first].data for n, c in columns})
        self._hashed = stop

    def _chunk(self, number: int) -> PassTable:
        """A chunk; the next one is begun, all others are let go."""
        wanted = [number]
        if chunk_edges(number + 1, len(self))[0] < len(self):
            wanted.append(number + 1)
        kept = {n: chunk for n, chunk in self._chunks.items() if n in wanted}
        for n in wanted:
            if n not in kept:
                kept[n] = self._beside.submit(copy_context().run, self._table.chunk, n)
        self._chunks = kept
        return kept[number].result()


def _pieces(name: str, source: _Source, start: int) -> Iterator[pb.UploadTableRequest]:
    """The requests of one stream, from row ``start`` to the end or to STREAM_BYTES."""
    layout, rows = source.layout, len(source)
    step = rows_per_piece(layout)
    last = min(rows, start + max(step, STREAM_BYTES // layout.row_bytes))
    offset = start
    while offset == start or offset < last:
        stop, columns = source.piece(offset, min(step, last - offset))
        finish = stop == rows
        yield pb.UploadTableRequest(
            table=name if offset == start else "",
            row_offset=offset,
            rows=resources_pb2.TableRows(row_count=stop - offset, **columns),
            chunk_digest=columns_digest(layout, columns),
            finish_write=finish,
            table_digest=source.digest() if finish else b"",
        )
        offset = stop
        if finish:
            return


def rows_per_piece(layout: Layout) -> int:
    """Rows in a piece of about PIECE_BYTES."""
    return max(1, PIECE_BYTES // layout.row_bytes)
