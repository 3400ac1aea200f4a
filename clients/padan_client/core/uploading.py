"""Puts a dataset's tables to the unit in resumable pieces.

Spec ``proto/spec/30-unit-mode.md``, "Upload": about 256 KiB a piece, a digest each, a digest of the
whole table at its end; after a break the unit says which rows are safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from padan.v1 import dataset_service_pb2 as pb
from padan.v1 import resources_pb2
from padan_client.core.effects import Patience, Steps, Upload, call
from padan_client.errors import RefusedError, UnavailableError, VerificationError
from padan_client.language import t
from padan_linkage.schema import Layout
from padan_linkage.tables import PassTable, RunningDigest, columns_digest

PIECE_BYTES = 256 * 1024
#: A stream ends after this much, so that its deadline fits slow lines and rows become safe.
STREAM_BYTES = 256 * 1024 * 1024
_FRUITLESS_STREAMS = 4
#: Refusals that sending again may mend, and what each costs of a table's budget.
_MENDABLE = {"OFFSET_OUT_OF_ORDER": 1, "CHUNK_CORRUPT": 1, "TABLE_DIGEST_MISMATCH": 4}
_MENDING_BUDGET = 8

Report = Callable[[int], None]


def upload_table(name: str, table: PassTable, patience: Patience, report: Report) -> Steps[None]:
    """Upload ``table`` under the resource name ``name``, from where the unit has it.

    ``report(rows)`` is told how many rows are safe. Raises VerificationError if the unit
    acknowledges what was not sent.
    """
    digest = _TableDigest(table)
    status = yield from write_status(name, patience)
    safe, complete = _checked(status, 0, len(table))
    backoff, budget, fruitless = patience.start(), _MENDING_BUDGET, 0
    while not complete:
        report(safe)
        before = safe
        try:
            reply = yield Upload(
                "DatasetService.UploadTable", partial(_pieces, name, table, digest, safe)
            )
            fruitless += reply.committed_rows <= before
        except UnavailableError as failure:
            yield backoff.after(failure)
            reply = yield from write_status(name, patience)
        except RefusedError as refusal:
            budget -= _MENDABLE.get(refusal.reason, _MENDING_BUDGET + 1)
            if budget < 0:
                raise
            reply = yield from write_status(name, patience)
            before = min(before, reply.committed_rows)  # a table that was damaged is thrown away
        safe, complete = _checked(reply, before, len(table))
        if safe > before:
            backoff.progress()
        elif fruitless > _FRUITLESS_STREAMS and not complete:
            raise _no_progress()
    report(len(table))


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


class _TableDigest:
    """The digest of a table, made on the way: rows are hashed when their piece is."""

    def __init__(self, table: PassTable) -> None:
        self._table = table
        self._rows = 0
        self._running = RunningDigest(table.layout)

    def up_to(self, stop: int) -> None:
        """Take in the rows before ``stop`` that have not been; a stream may begin again earlier."""
        if stop > self._rows:
            columns = self._table.columns.items()
            self._running.update({name: c[self._rows : stop].data for name, c in columns})
            self._rows = stop

    def digest(self) -> bytes:
        """The digest of the rows so far, 32 bytes."""
        return self._running.digest()


def _pieces(
    name: str, table: PassTable, digest: _TableDigest, start: int
) -> Iterator[pb.UploadTableRequest]:
    """The requests of one stream, from row ``start`` to the end or to STREAM_BYTES."""
    step = rows_per_piece(table.layout)
    last = min(len(table), start + max(step, STREAM_BYTES // table.layout.row_bytes))
    for offset in range(start, max(last, start + 1), step):
        stop = min(offset + step, last)
        columns = table.rows(offset, stop)
        digest.up_to(stop)
        finish = stop == len(table)
        yield pb.UploadTableRequest(
            table=name if offset == start else "",
            row_offset=offset,
            rows=resources_pb2.TableRows(row_count=stop - offset, **columns),
            chunk_digest=columns_digest(table.layout, columns),
            finish_write=finish,
            table_digest=digest.digest() if finish else b"",
        )


def rows_per_piece(layout: Layout) -> int:
    """Rows in a piece of about PIECE_BYTES."""
    return max(1, PIECE_BYTES // layout.row_bytes)
