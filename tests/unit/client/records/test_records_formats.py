"""Results as files for programs, for spreadsheets, and as workbooks."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from python_calamine import CalamineWorkbook

from padan_client.base.errors import BadInputError
from padan_client.base.formats import PLAIN, TableFormat, TableStyle, style_for
from padan_client.records import workbook
from padan_client.records.table_files import read_result, write_table

FORMULAS = ['=HYPERLINK("http://x","y")', "+62 811", "-1", "@SUM(1)", "\t=1", "'=1", "'biasa", "7"]
RESULT = pa.table(
    {
        "row": pa.array(range(1, len(FORMULAS) + 1)),
        "id": pa.array(["3174014505800001"] * len(FORMULAS)),
        "kode": pa.array([""] * len(FORMULAS)),
        "catatan": pa.array(FORMULAS),
    }
)


def sheets(path):
    """The rows of each sheet."""
    book = CalamineWorkbook.from_path(path)
    return [book.get_sheet_by_name(n).to_python() for n in book.sheet_names]


@pytest.mark.parametrize("style", [TableStyle(separator=";"), TableStyle(bom=True)])
def test_a_csv_for_a_spreadsheet_holds_no_formula_and_reads_back_unchanged(tmp_path, style):
    path = tmp_path / "kode.csv"
    write_table(path, RESULT, style)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") == style.bom
    assert f'"row"{style.separator}"id"'.encode() in content
    for cell in content.decode("utf-8-sig").replace("\n", style.separator).split(style.separator):
        assert not cell.strip('"').startswith(("=", "+", "-", "@", "\t"))
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
