"""Workbooks: the sheet, the cells as text, and what is told of them."""

import datetime as dt
import zipfile

import pytest
import xlsxwriter

from padan_client.base.errors import BadInputError
from padan_client.records import TableFile, open_batches, prepare, read_table

NIK = "3171011708450001"
MOMENT = dt.datetime.fromisoformat("2026-01-02 10:30")


@pytest.fixture
def workbook(tmp_path):
    """Writes sheets (name to rows of cells) and gives the file's path."""

    def write(sheets, name="daftar.xlsx", hidden=()):
        path = tmp_path / name
        book = xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"})
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    sheet.write(r, c, cell)
            if title in hidden:
                sheet.hide()
        book.close()
        return path

    return write


def test_cells_become_the_text_that_an_officer_means(workbook):
    rows = [
        ["nik", "nama", "lahir", "dicatat", "anak", "tinggi", "aktif"],
        [
            NIK,
            "BUDI",
            dt.date(1980, 11, 23),
            dt.datetime.fromisoformat("2026-01-02 10:30"),
            3,
            1.5,
            True,
        ],
        [None, " ANI ", "23-11-1980", None, 0, -2, False],
    ]
    assert read_table(workbook({"Data": rows})).to_pylist() == [
        {"nik": NIK, "nama": "BUDI", "lahir": "1980-11-23", "dicatat": "2026-01-02 10:30:00",
         "anak": "3", "tinggi": "1.5", "aktif": "TRUE"},
        {"nik": "", "nama": " ANI ", "lahir": "23-11-1980", "dicatat": "", "anak": "0",
         "tinggi": "-2", "aktif": "FALSE"},
    ]  # fmt: skip


def test_a_number_that_a_spreadsheet_rounds_is_never_a_sound_nik(workbook, schema):
    niks = [int(NIK), 3171011708450010, 9171011708450002, NIK[:-2] + "10"]
    path = workbook({"Data": [["nik", "nama", "tanggal_lahir"], *([nik] for nik in niks)]})
    prepared = prepare(read_table(path), schema)
    assert prepared.usable.tolist() == [True, False, False, True]
    reasons = {r["row"]: r["reason"] for r in prepared.quarantine.to_pylist() if r["field"]}
    assert reasons == {2: "spreadsheet", 3: "spreadsheet"}


def test_titles_empty_rows_and_edges(workbook):
    said = []
    rows = [["DAFTAR PENERIMA"], [], [None, "No", "NIK", "Nama Lengkap"], [None, 1, NIK, "BUDI"],
            [], [None, 3, NIK[:-1] + "2", "ANI"], [None, " "], [None, "", ""]]  # fmt: skip
    given = TableFile(workbook({"Data": rows}), tell=said.append)
    assert given()["No"].to_pylist() == ["1", "", "3"]
    assert given.counts.above == 2
    assert [line.split(";")[0] for line in said] == [
        "Judul kolom ada di baris 3",
        "1 baris kosong di akhir berkas tidak dihitung.",
    ]


def test_the_only_sheet_with_data_is_read_and_several_are_asked_about(workbook):
    data = [["nik", "nama"], [NIK, "BUDI"]]
    said = []
    path = workbook({"Catatan": [], "Isi": data, "Rumus": [["x"]]}, hidden=["Rumus"])
    assert read_table(path, tell=said.append).num_rows == 1
    assert said == ["Yang dibaca lembar Isi."]
    path = workbook({"Januari": data, "Februari": [*data, [NIK, "ANI"]]})
    with pytest.raises(BadInputError, match=r"Januari, Februari.*--sheet"):
        read_table(path)
    assert read_table(path, "februari").num_rows == 2
    assert sum(t.num_rows for t in open_batches(path, "Februari").tables) == 2
    with pytest.raises(BadInputError, match=r"tidak memiliki lembar Maret\. Lembarnya: Januari"):
        read_table(path, "Maret")


def test_errors_formulas_and_merged_cells_are_told(tmp_path):
    path = tmp_path / "daftar.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["nik", "nama", "kota"])
    sheet.write_column(1, 0, [NIK, NIK, NIK])
    sheet.write_formula(1, 1, '=UPPER("budi")', None, "BUDI")
    sheet.write_formula(2, 1, "=NA()", None, "#N/A")
    sheet.write(3, 1, "#REF!")
    sheet.merge_range(1, 2, 3, 2, "Sleman")
    book.close()
    said = []
    table = read_table(path, tell=said.append)
    assert table["nama"].to_pylist() == ["BUDI", "", ""]
    assert table["kota"].to_pylist() == ["Sleman", "", ""]
    assert len(said) == 3
    assert "baris lembar 2:" in said[0]
    assert "2 baris berisi galat" in said[1]
    assert "baris lembar 3, 4" in said[1]
    assert said[2].startswith("2 sel berisi rumus")


@pytest.mark.parametrize("content", [b"PK\x03\x04....", b"\xd0\xcf\x11\xe0" + bytes(600)])
def test_what_is_no_workbook_is_refused(file, content):
    with pytest.raises(BadInputError, match="bukan buku kerja"):
        read_table(file(content, "daftar.xlsx"))


def test_a_csv_has_no_sheets(file):
    with pytest.raises(BadInputError, match="--sheet"):
        read_table(file(b"nik\n1\n"), "Lembar1")


def ods(path, rows, formula=""):
    """A smallest OpenDocument sheet."""
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell {formula} office:value-type="string"><text:p>{c}</text:p>'
            "</table:table-cell>"
            for c in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = {"office": "office", "table": "table", "text": "text"}
    spaces = " ".join(
        f'xmlns:{k}="urn:oasis:names:tc:opendocument:xmlns:{v}:1.0"' for k, v in names.items()
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body>'
        f'<office:spreadsheet><table:table table:name="Lembar1">{cells}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest '
            'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", content)


def test_opendocument_is_read(tmp_path):
    path = tmp_path / "daftar.ods"
    ods(path, [["nik", "nama"], [NIK, "BUDI"], ["#N/A", "ANI"]], 'table:formula="of:=A1"')
    said = []
    assert read_table(path, tell=said.append).to_pydict() == {
        "nik": [NIK, ""], "nama": ["BUDI", "ANI"]
    }  # fmt: skip
    assert [line.split(" berisi ")[0] for line in said] == ["1 baris", "6 sel"]
