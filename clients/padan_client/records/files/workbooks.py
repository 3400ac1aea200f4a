"""Workbooks: XLSX, XLSM, XLSB, XLS and ODS, one sheet of them, as the text of its cells.

A number of more digits than a spreadsheet keeps is written as the spreadsheet shows it
(``3.2E+15``), so that nobody takes it for whole. What a formula came to is read; formulas and
errors are counted and told where the format lets one see them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records.files.counts import FileCounts, Tell
from padan_client.records.files.layout import (
    Record,
    check_names,
    find_names,
    tell_above,
    tell_end,
)
from padan_client.records.files.marks import ERROR_TEXT, CellMarks, cell_marks

#: A whole number from here on has more than the 15 digits that a spreadsheet keeps.
TOO_LONG = 10**15
#: Doubles hold every whole number below this.
_EXACT = 2**53
_LOOKED_AT = 200


def read_workbook(path: Path, sheet: str | None, tell: Tell) -> tuple[pa.Table, FileCounts]:
    """Read the sheet of that name, or the only one with data; where its rows went.

    Raises BadInputError: no workbook, a password, several sheets and none named, no such sheet.
    """
    try:
        with CalamineWorkbook.from_path(path) as book:
            chosen = _sheet(path, book, sheet, tell)
            rows = chosen.to_python(skip_empty_area=False)
            merged = chosen.merged_cell_ranges or []
        marks = cell_marks(path, chosen.name)
    except (CalamineError, OSError, ValueError) as e:
        raise BadInputError(
            t(
                f"Berkas {path.name} bukan buku kerja Excel/ODS yang utuh, atau terkunci kata "
                "sandi. Buka dan simpan ulang tanpa sandi, atau simpan sebagai «CSV UTF-8».",
                f"The file {path.name} is no whole Excel/ODS workbook, or has a password. Open it "
                "and save it again without one, or save it as «CSV UTF-8».",
            )
        ) from e
    table, counts = _read(path, rows, tell)
    counts = replace(counts, lines=chosen.end[0] + 1 if chosen.end else 0)
    _tell_merged(merged, counts, tell)
    _tell_errors({*marks.errors, *_error_texts(rows)}, counts, tell)
    _tell_formulas(marks, tell)
    return table, counts


def _sheet(path: Path, book: CalamineWorkbook, wanted: str | None, tell: Tell) -> CalamineSheet:
    names = {m.name: m.visible is SheetVisibleEnum.Visible for m in book.sheets_metadata}
    if wanted is not None:
        alike = [n for n in names if n.strip().casefold() == wanted.strip().casefold()]
        if len(alike) != 1:
            raise BadInputError(
                t(
                    f"Berkas {path.name} tidak memiliki lembar {wanted}. Lembarnya: "
                    f"{', '.join(names)}.",
                    f"The file {path.name} has no sheet {wanted}. Its sheets: {', '.join(names)}.",
                )
            )
        return book.get_sheet_by_name(alike[0])
    full = {n: book.get_sheet_by_name(n) for n, visible in names.items() if visible}
    full = {n: sheet for n, sheet in full.items() if sheet.start is not None}
    if not full:
        raise BadInputError(
            t(
                f"Berkas {path.name}: tidak ada lembar yang berisi data.",
                f"The file {path.name}: no sheet holds data.",
            )
        )
    if len(full) > 1:
        raise BadInputError(
            t(
                f"Berkas {path.name} memiliki beberapa lembar berisi: {', '.join(full)}. Sebutkan "
                "satu dengan --sheet, atau simpan lembar itu sendiri.",
                f"The file {path.name} has several sheets with data: {', '.join(full)}. Name one "
                "with --sheet, or save that sheet by itself.",
            )
        )
    (name,) = full
    if len(names) > 1:
        tell(t(f"Yang dibaca lembar {name}.", f"The sheet that is read is {name}."))
    return full[name]


def _read(path: Path, rows: Sequence[Sequence[Any]], tell: Tell) -> tuple[pa.Table, FileCounts]:
    head = [
        Record(tuple(" ".join(cell_text(c).split()) for c in row), i + 1, i + 1)
        for i, row in enumerate(rows[:_LOOKED_AT])
    ]
    names = find_names(head)
    if names is None:
        raise BadInputError(t(f"Berkas {path.name} kosong.", f"The file {path.name} is empty."))
    below = rows[names.last :]
    columns = [[cell_text(row[i]) for row in below] for i in range(len(names.cells))]
    filled = [any(cell.strip() for cell in column) for column in columns]
    kept = [i for i, name in enumerate(names.cells) if name or filled[i]]
    check_names(path, {i: names.cells[i] for i in kept}, names.first)
    tell_above(names.first - 1, tell)
    last = max((_last_filled(column) for column in columns), default=0)
    tell_end(len(below) - last, tell)
    table = pa.table(
        {names.cells[i]: pa.array(columns[i][:last], pa.string()) for i in kept},
    )
    counts = FileCounts(
        lines=len(rows), above=names.first - 1, names=1, rows=last, end=len(below) - last
    )
    return table, counts


def _last_filled(column: Sequence[str]) -> int:
    """The number of the last cell in which something stands, 0 for none."""
    return next((i for i in range(len(column), 0, -1) if column[i - 1].strip()), 0)


def cell_text(cell: object) -> str:
    """What a cell holds, as an officer would have written it into a CSV."""
    if isinstance(cell, str):
        return "" if cell[:1] in {"#", "E"} and ERROR_TEXT.fullmatch(cell) else cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int) or (isinstance(cell, float) and cell.is_integer()):
        return whole_text(int(cell))
    if isinstance(cell, dt.datetime):
        return str(cell.date() if cell.time() == dt.time() else cell)
    return str(cell)


def whole_text(number: int) -> str:
    """A whole number of a cell: its digits, unless the spreadsheet may have rounded them."""
    doubtful = abs(number) >= TOO_LONG and (number % 10 == 0 or abs(number) >= _EXACT)
    return f"{number:.5E}" if doubtful else str(number)


def _tell_merged(
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]], counts: FileCounts, tell: Tell
) -> None:
    """Cells merged over several data rows hold their value in the first of them alone."""
    names = counts.above + counts.names
    rows = sorted({first[0] + 1 for first, last in merged if last[0] > first[0] >= names})
    if rows:
        tell(
            t(
                f"Sel gabungan di baris lembar {_listed(rows)}: nilainya hanya di baris "
                "pertamanya. Pisahkan selnya bila berlaku bagi semua.",
                f"Merged cells on sheet rows {_listed(rows)}: only their first row has the value. "
                "Unmerge them if it holds for all.",
            )
        )


def _error_texts(rows: Sequence[Sequence[Any]]) -> list[int]:
    """The sheet rows in which an error stands as text."""
    return [
        i
        for i, row in enumerate(rows, 1)
        if any(isinstance(cell, str) and cell and not cell_text(cell) for cell in row)
    ]


def _tell_errors(rows: set[int], counts: FileCounts, tell: Tell) -> None:
    below = sorted(row for row in rows if row > counts.above + counts.names)
    if below:
        tell(
            t(
                f"{len(below)} baris berisi galat (#N/A, #REF! …), selnya dibaca kosong: baris "
                f"lembar {_listed(below)}.",
                f"{len(below)} rows hold errors (#N/A, #REF! …), the cells are read as empty: "
                f"sheet rows {_listed(below)}.",
            )
        )


def _tell_formulas(marks: CellMarks, tell: Tell) -> None:
    if marks.formulas:
        tell(
            t(
                f"{marks.formulas} sel berisi rumus; yang dibaca hasil terakhirnya yang tersimpan.",
                f"{marks.formulas} cells hold formulas; their last saved result is read.",
            )
        )


def _listed(rows: Sequence[int], most: int = 10) -> str:
    return ", ".join(map(str, rows[:most])) + (", …" if len(rows) > most else "")
