"""Results as files for programs, for spreadsheets, and as workbooks."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, example, settings
from hypothesis import given as drawn
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

import padan_client
from padan_client.base.errors import BadInputError
from padan_client.base.formats import EXACT, PLAIN, TableFormat, TableStyle, style_for
from padan_client.lint.quarantine import Quarantine
from padan_client.records import workbook
from padan_client.records.inert import inert, inert_table, original
from padan_client.records.table_files import read_result, write_table
from padan_linkage.release.formulas import is_formula
from padan_linkage.schema import Kind

FORMULAS = ['=HYPERLINK("http://x","y")', "+62 811", "-1", "@SUM(1)", "\t=1", "'=1", "'biasa", "7"]
RESULT = pa.table(
    {
        "row": pa.array(range(1, len(FORMULAS) + 1)),
        "id": pa.array(["3174014505800001"] * len(FORMULAS)),
        "kode": pa.array([""] * len(FORMULAS)),
        "catatan": pa.array(FORMULAS),
    }
)


def _quarantined(path, cells):
    with Quarantine(path) as file:
        for cell in cells:
            file.add(np.array([1]), cell, Kind.NIK, "spreadsheet")


def _written(path, cells):
    write_table(path, pa.table({"row": range(len(cells)), **dict.fromkeys({*cells}, cells)}))


#: By the module that writes: a file with the cells, and with them as names of columns.
WRITERS = {"records/table_files.py": _written, "lint/quarantine.py": _quarantined}


def sheets(path):
    """The rows of each sheet."""
    book = CalamineWorkbook.from_path(path)
    return [book.get_sheet_by_name(n).to_python() for n in book.sheet_names]


STYLES = [PLAIN, TableStyle(separator=";"), TableStyle(bom=True), TableStyle(separator="\t")]
#: Text as a hostile file has it: much of what begins formulas, cells and orders of a terminal.
CELLS = st.lists(
    st.sampled_from([*"=+-@,;|\t\n'\" \x1b\r\x00\uff1d17a", "=cmd|'/c '!A0", "+62 8", "\x1b[2J"])
    | st.characters(exclude_categories=["Cs"]),
    max_size=8,
).map("".join)  # fmt: skip
#: What opens as a formula though a spreadsheet divides the file by another separator.
HIDDEN = ["x;=1+1", "a|@SUM(1)", 'b,"=1"', "c\t'=1", "d\n=1", "\uff1d1+1", "=A;-1"]


def carried_out(cell):
    """Whether a spreadsheet would carry the cell out, as OWASP tells it."""
    return cell.lstrip(' "')[:1] in {*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"}


def orders_in(content, separator=","):
    """Cells that order something, by whatever separator the file is divided."""
    text = content.decode("utf-8-sig")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    cells = [cell for row in rows for cell in row]
    foreign = [cell for cell in cells if not re.fullmatch("[+-][0-9][0-9 .,]*|-+", cell)]
    parts = [part for cell in foreign for part in re.split("[,;|\t\n]", cell)]
    controls = [c for c in text if unicodedata.category(c) == "Cc" and c not in "\t\n"]
    return controls + [part for part in parts if carried_out(part)]


@pytest.mark.parametrize("style", STYLES)
def test_a_csv_holds_no_formula_and_reads_back_unchanged(tmp_path, style):
    path = tmp_path / "kode.csv"
    assert write_table(path, RESULT, style) == 4
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") == style.bom
    assert orders_in(content, style.separator) == []
    assert read_result(path)["catatan"].to_pylist() == FORMULAS


@settings(max_examples=300)
@drawn(CELLS)
@example("=cmd|'/c calc'!A0")
@example("\x1b]0;x\x07")
@example("-5")
def test_a_cell_orders_nothing_and_comes_back(text):
    shown = inert(text)
    assert orders_in(f'"{shown.replace(chr(34), chr(34) * 2)}"'.encode()) == []
    if not re.search("[\x7f-\x9f\u2400-\u241f]", text):
        assert original(shown) == text
    assert inert_table(pa.table({"id": [text]})) == (pa.table({"id": [shown]}), shown != text)


@pytest.mark.parametrize("cell", [*FORMULAS[:1], *HIDDEN])
def test_a_formula_is_found_behind_every_separator(cell):
    assert is_formula(cell)
    assert inert(cell) != cell
    assert original(inert(cell)) == cell


@pytest.mark.parametrize("cell", ["-5", "+62 811", "-1,5", "-", "--", "Jl. A-B, no. 5", "a=b", ""])
def test_what_calls_nothing_stays_as_it_is(cell):
    assert inert(cell) == cell


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@drawn(st.lists(CELLS, min_size=1, max_size=3))
@pytest.mark.parametrize("writer", WRITERS)
def test_no_writer_leaves_an_order_in_a_file(tmp_path, writer, cells):
    path = tmp_path / "out.csv"
    WRITERS[writer](path, cells)
    assert orders_in(path.read_bytes()) == []


def test_every_writer_of_a_csv_is_one_of_these():
    found = set()
    for path in Path(padan_client.__file__).parent.rglob("*.py"):
        if re.search(r"csv\.(write_csv|CSVWriter|DictWriter|writer)\b", path.read_text()):
            found.add(path.relative_to(Path(padan_client.__file__).parent).as_posix())
    assert found == set(WRITERS)


def test_an_exact_csv_is_for_programs(tmp_path):
    path = tmp_path / "kode.csv"
    assert write_table(path, RESULT, EXACT) == 0
    with path.open(newline="") as file:
        assert [row["catatan"] for row in csv.DictReader(file)] == FORMULAS
    assert read_result(path)["catatan"].to_pylist() == FORMULAS


@pytest.mark.parametrize("name", ["kode.csv", "kode.xlsx", "kode.parquet"])
def test_a_result_reads_back_unchanged(tmp_path, name):
    path = tmp_path / name
    write_table(path, RESULT)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == [name]
    if name == "kode.xlsx":
        ((_, *rows),) = sheets(path)
        assert [row[3] for row in rows] == FORMULAS
    else:
        assert read_result(path)["catatan"].to_pylist() == FORMULAS


def test_a_workbook_has_text_in_its_text_cells_and_no_formula(tmp_path):
    path = tmp_path / "kode.xlsx"
    write_table(path, RESULT)
    ((header, first, *_),) = sheets(path)
    assert header == RESULT.column_names
    assert (first[0], first[1]) == (1, "3174014505800001"), "a number of a person is no number"
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet.lower().replace("=hyperlink(", "")


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "SHEET_ROWS", 3)
    path = tmp_path / "kode.xlsx"
    write_table(path, RESULT)
    parts = sheets(path)
    assert [len(rows) - 1 for rows in parts] == [3, 3, 2]
    assert [row[0] for header, *rows in parts for row in rows] == list(range(1, 9))
    write_table(path, RESULT.slice(0, 0))
    assert sheets(path) == [[RESULT.column_names]]


def test_what_no_cell_can_hold_is_refused_by_row(tmp_path):
    table = pa.table({"NO": ["1", "2"], "catatan": ["", "x" * (workbook.CELL_CHARACTERS + 1)]})
    with pytest.raises(BadInputError, match=r"Baris 2, kolom catatan.*--format csv"):
        workbook.require_cells_fit(table, "NO", None, "lain", "catatan")
    workbook.require_cells_fit(table.slice(0, 1), "NO", "catatan")


def test_the_format_is_the_name_s_or_the_option_s_and_never_two():
    assert style_for(Path("kode.CSV"), None, ",", bom=False) == PLAIN
    assert style_for(Path("kode.xlsx"), None, ",", bom=False).default is TableFormat.XLSX
    assert style_for(Path("kode"), TableFormat.XLSX, ",", bom=False).default is TableFormat.XLSX
    assert style_for(Path("kode"), None, "tab", bom=True) == TableStyle(separator="\t", bom=True)
    for path, given, separator, bom in (
        ("kode.csv", TableFormat.XLSX, ",", False),
        ("kode.csv", None, ":", False),
        ("kode.xlsx", None, ";", False),
        ("kode", TableFormat.PARQUET, ",", True),
    ):
        with pytest.raises(BadInputError):
            style_for(Path(path), given, separator, bom=bom)
    for path, separator, bom in (("kode.xlsx", ",", False), ("k", ";", False), ("k", ",", True)):
        with pytest.raises(BadInputError, match="--exact"):
            style_for(Path(path), None, separator, bom=bom, exact=True)
    assert style_for(Path("k"), None, ",", bom=False, exact=True) == EXACT
