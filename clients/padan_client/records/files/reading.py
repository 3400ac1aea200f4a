"""Any file that a data officer gives, to a table of strings.

A file is read whole or refused: a row that does not fit its header means that a quote or a
separator is wrong somewhere, and then no row can be trusted. Every line behind the column names is
a row, an empty one too, so that the table's n-th row is the file's n-th data row; only empty lines
at the end of the file are none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records.files.counts import FileCounts, Tell, require_same_rows, untold
from padan_client.records.files.csv_files import HEAD, check_csv
from padan_client.records.files.parquet_files import open_parquet, parquet_batches, read_parquet
from padan_client.records.files.text import read_head
from padan_client.records.files.workbooks import read_workbook

_BATCH_ROWS = 1 << 17
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_FOREIGN = ((b"\x1f\x8b", "gzip"), (b"%PDF", "PDF"))

#: Rows as they are given: a table of strings, or what reads one (nobody holds it longer than it is
#: needed).
TableSource: TypeAlias = "pa.Table | Callable[[], pa.Table]"


@dataclass(repr=False)
class TableFile:
    """A file to be read when it is called for.

    ``sheet``: of a workbook; ``tell`` gets what is to be known of it; ``rows_expected``: a file
    without any is refused; ``adding``: what adds columns to the table. ``counts`` says where the
    file's lines went, once it was read.
    """

    path: Path
    sheet: str | None = None
    tell: Tell = untold
    rows_expected: bool = True
    adding: Callable[[pa.Table], pa.Table] | None = None
    counts: FileCounts | None = None

    def __call__(self) -> pa.Table:
        """The table; see :func:`read_table`."""
        head = read_head(self.path, HEAD)
        table, self.counts = self._read(head)
        self.counts.require_conserved(self.path)
        require_same_rows(self.counts.rows, table.num_rows, ("dibaca", "reading"))
        if self.rows_expected and table.num_rows == 0:
            raise BadInputError(
                t(
                    f"Berkas {self.path.name} hanya berisi judul kolom, tanpa baris data.",
                    f"The file {self.path.name} has column names only and no data row.",
                )
            )
        if self.adding is None:
            return table
        more = self.adding(table)
        require_same_rows(table.num_rows, more.num_rows, ("dibaca", "reading"))
        return more

    def require_all(self, rows: int) -> None:
        """Raise ConservationError where a result has more or fewer rows than the file."""
        if self.counts is not None:
            require_same_rows(self.counts.rows, rows, ("pemadanan", "matching"))

    def _read(self, head: bytes) -> tuple[pa.Table, FileCounts]:
        if head.startswith(_WORKBOOKS):
            return read_workbook(self.path, self.sheet, self.tell)
        _refuse_sheet(self.path, self.sheet)
        if head.startswith(b"PAR1"):
            table = read_parquet(self.path)
            return table, FileCounts(lines=table.num_rows, rows=table.num_rows)
        _refuse_foreign(self.path, head)
        checked = check_csv(self.path, head, self.tell)
        return checked.read(), checked.counts


def tell_of(source: object) -> Tell:
    """Who gets what is to be known of rows that are given."""
    return source.tell if isinstance(source, TableFile) else untold


def read_table(
    path: Path | str,
    sheet: str | None = None,
    tell: Tell = untold,
    *,
    rows_expected: bool = True,
) -> pa.Table:
    """Read a CSV, Parquet file or workbook (XLSX, XLSM, XLSB, XLS, ODS).

    A CSV is separated by ``,`` ``;`` ``|`` or tabs, or by what its line ``sep=`` says; in UTF-8, or
    UTF-16 with its mark. Every column comes as strings; a cell of a CSV or workbook is never null,
    a null of Parquet stays one. ``tell`` gets sentences about what was left out above the column
    names and at the end. Raises BadInputError, which says what is wrong and where: no such file,
    empty, no row (where ``rows_expected``), no header, another encoding, a column name twice or
    empty, rows that differ from the header in length, a quote that swallows rows, several sheets;
    ConservationError where a line is not accounted for.
    """
    return TableFile(Path(path), sheet, tell, rows_expected)()


@dataclass
class Batches:
    """A file read piece by piece: ``names`` of the columns, ``size`` of the file in bytes.

    Iterating gives tables of strings as :func:`read_table` would; the data rows numbered ``ragged``
    (of another length than the header) and ``empty`` (the same, and nothing stands in them), from
    1, are in no table.
    """

    names: list[str]
    size: int
    tables: Iterator[pa.Table]
    ragged: list[int] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)


def open_batches(path: Path | str, sheet: str | None = None, tell: Tell = untold) -> Batches:
    """Open a file that :func:`read_table` reads, for one pass.

    In constant memory, unless it is a workbook. Raises as that does, but not for rows that differ
    from the header in length; while iterating, for a file that breaks off.
    """
    path = Path(path)
    head = read_head(path, HEAD)
    if head.startswith(_WORKBOOKS):
        table = TableFile(path, sheet, tell)()
        size = table.nbytes
        pieces = range(0, table.num_rows, _BATCH_ROWS)
        tables = (table.slice(start, _BATCH_ROWS) for start in pieces)
        return Batches(table.column_names, size, tables)
    _refuse_sheet(path, sheet)
    size = path.stat().st_size
    if head.startswith(b"PAR1"):
        file = open_parquet(path)
        return Batches(file.schema_arrow.names, size, parquet_batches(path, file))
    _refuse_foreign(path, head)
    checked = check_csv(path, head, tell)
    ragged = [row for row in checked.scan.ragged if row <= checked.counts.rows]
    return Batches(checked.kept, size, checked.batches(), ragged, checked.empty)


def _refuse_sheet(path: Path, sheet: str | None) -> None:
    if sheet is not None:
        raise BadInputError(
            t(
                f"Berkas {path.name} bukan buku kerja, jadi tidak memiliki lembar (--sheet).",
                f"The file {path.name} is no workbook and has no sheets (--sheet).",
            )
        )


def _refuse_foreign(path: Path, head: bytes) -> None:
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise BadInputError(
                t(
                    f"Berkas {path.name} adalah {what}, bukan daftar. Simpan sebagai CSV UTF-8, "
                    "Excel, ODS, atau Parquet.",
                    f"The file {path.name} is {what}, not a list. Save it as CSV UTF-8, Excel, ODS "
                    "or Parquet.",
                )
            )
