"""Tables as workbooks (.xlsx) that open by a double click: text stays text, nothing is a formula.

The file format is ECMA-376; XlsxWriter writes it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from padan_client.base.errors import BadInputError
from padan_client.base.files import write_private
from padan_client.base.language import t

#: Rows of a sheet without its header, and characters of a cell, at most.
SHEET_ROWS, CELL_CHARACTERS = (1 << 20) - 1, (1 << 15) - 1
_WIDEST = 60
_PART = 1 << 20
#: No value is taken for a number, a link or a formula because of how it looks.
_OPTIONS = {
    "constant_memory": True,
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}


def write_workbook(path: Path, table: pa.Table) -> None:
    """Write ``table`` as a workbook, mode 0600: a sheet, and further ones where it is too long.

    Columns of strings are cells of text. What is half written lies beside ``path``, for its
    owner's eyes alone.
    """
    with tempfile.TemporaryDirectory(prefix=".padan-", dir=path.parent) as scratch:
        draft = Path(scratch) / "draft"
        with xlsxwriter.Workbook(draft, {**_OPTIONS, "tmpdir": scratch}) as book:
            bold = book.add_format({"bold": True})
            text = book.add_format({"num_format": "@"})
            for number, start in enumerate(range(0, max(1, table.num_rows), SHEET_ROWS), 1):
                sheet = book.add_worksheet(str(number))
                _fill(sheet, table.slice(start, SHEET_ROWS), bold, text)
        write_private(path, _parts(draft))


def require_cells_fit(table: pa.Table, *columns: str | None) -> None:
    """Raise BadInputError for a value of ``columns`` that no cell of a workbook can hold."""
    for name in columns:
        if name is None or name not in table.column_names:
            continue
        lengths = pc.utf8_length(table[name].cast(pa.string()))
        row = pc.index(pc.greater(lengths, CELL_CHARACTERS), True).as_py() + 1
        if row:
            raise BadInputError(
                t(
                    f"Baris {row}, kolom {name}: terlalu panjang untuk sel Excel. Pendekkan, atau "
                    "pakai --format csv.",
                    f"Row {row}, column {name}: too long for a cell of Excel. Shorten it, or use "
                    "--format csv.",
                )
            )


def _fill(sheet: Worksheet, table: pa.Table, bold: Format, text: Format) -> None:
    for place, name in enumerate(table.column_names):
        sheet.set_column(place, place, _width(table[name], name))
        sheet.write_string(0, place, name, bold)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, table.num_rows, max(0, table.num_columns - 1))
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    for row, values in enumerate(_rows(table), 1):
        for place, value in enumerate(values):
            if isinstance(value, str):
                sheet.write_string(row, place, value, text)
            elif value is not None:
                sheet.write_number(row, place, value)


def _rows(table: pa.Table) -> Iterator[tuple[str | float | None, ...]]:
    for batch in table.to_batches(max_chunksize=1 << 14):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _width(column: pa.ChunkedArray, name: str) -> int:
    """Characters that the first values take."""
    shown = pc.utf8_length(column.slice(0, 1000).cast(pa.string()))
    return min(_WIDEST, max(len(name), pc.max(shown).as_py() or 0) + 3)


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_PART):
            yield part
