"""Lines above the column names and behind the last row; every line in between is a row."""

import pytest

from padan_client.base.errors import BadInputError
from padan_client.records import TableFile, open_batches, read_table

ROWS = {"NIK": ["3201010507790002", "3201010507790003"], "Nama Lengkap": ["BUDI", "ANI"]}
BODY = "NIK;Nama Lengkap\n3201010507790002;BUDI\n3201010507790003;ANI\n"


@pytest.mark.parametrize(
    ("above", "lines"),
    [
        ("sep=;\n", 1),
        ('"sep=;"\r\n', 1),
        ("SEP=;;\n", 1),
        ("\n", 1),
        ("DAFTAR PENERIMA BANTUAN\n", 1),
        ("DAFTAR PENERIMA BANTUAN;\n;\n", 2),
        ("DAFTAR, KABUPATEN SLEMAN\n\nPer 1 Januari 2026;\n", 3),
        ('"DAFTAR\nPENERIMA";\n', 2),
        ("sep=;\nDAFTAR PENERIMA;\n\n", 3),
    ],
)
def test_lines_above_the_names_are_left_out_and_told(file, above, lines):
    said = []
    given = TableFile(file((above + BODY).encode()), tell=said.append)
    assert given().to_pydict() == ROWS
    assert (given.counts.above, given.counts.rows) == (lines, 2)
    assert said == [f"Judul kolom ada di baris {lines + 1}; {lines} baris di atasnya dilewati."]


def test_a_title_of_several_cells_is_understood_beside_more_names(file):
    text = "Kabupaten:;Sleman;;\nTahun:;2026;;\nNo;NIK;Nama;Tgl Lahir\n1;2;BUDI;1980-01-02\n"
    table = read_table(file(text.encode()))
    assert table.column_names == ["No", "NIK", "Nama", "Tgl Lahir"]
    assert table.num_rows == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("LAPORAN;\nx1;x2\n1;2\n", "baris 1 .judul kolom.: kolom ke-2 tidak bernama"),
        ("\nnik;\n1;2\n", "baris 2 .judul kolom.: kolom ke-2"),
        ("sep=;\nnik;nik\n1;2\n", "baris 2 .judul kolom.: nama kolom muncul lebih dari sekali"),
        ("BUDI;3201010507790002\nANI;3201010507790003\n", "baris 1: berisi data"),
    ],
)
def test_what_is_not_plain_is_refused_by_its_line(file, text, says):
    with pytest.raises(BadInputError, match=says):
        read_table(file(text.encode()))


def test_names_that_nobody_knows_are_taken_from_the_first_line(file):
    table = read_table(file(b"x;y\nNIK;Nama lain\n1;2\n"))
    assert table.to_pydict() == {"x": ["NIK", "1"], "y": ["Nama lain", "2"]}


def test_a_column_of_which_nothing_is_there_is_none(file):
    assert read_table(file(b"nik;nama;;\n1;BUDI;;\n2;ANI;;\n")).column_names == ["nik", "nama"]
    with pytest.raises(BadInputError, match="kolom ke-4"):
        read_table(file(b"nik;nama;;\n1;BUDI;;\n2;ANI;;x\n"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_of_one_column_is_a_row(file, end):
    path = file(end.join(["nik", "1", "", "3", "", "", ""]).encode())
    assert read_table(path)["nik"].to_pylist() == ["1", "", "3", "", ""]
    assert next(open_batches(path).tables)["nik"].to_pylist() == ["1", "", "3", "", ""]


@pytest.mark.parametrize("tail", ["\n\n\n", ";;;;\n" * 50, ";\n;\n", "  \n\t\n", '"";""\n', ";"])
def test_empty_rows_at_the_end_are_counted_and_no_rows(file, tail):
    said = []
    given = TableFile(file(("nik;nama\n1;BUDI\n\n3;ANI\n" + tail).encode()), tell=said.append)
    assert given()["nik"].to_pylist() == ["1", "", "3"]
    ends = given.counts.end
    assert ends == len(tail.splitlines())
    assert said == [f"{ends} baris kosong di akhir berkas tidak dihitung."]


@pytest.mark.parametrize("empty", ["", ";", ";;;;", "   ", '""', " ; "])
def test_empty_rows_in_between_keep_their_numbers(file, empty):
    text = f"nik;nama\n1;BUDI\n{empty}\n{empty}\n4;ANI\n5;EKA\n{empty}\n7;DEWI\n"
    table = read_table(file(text.encode()))
    assert [row for row, nik in enumerate(table["nik"].to_pylist(), 1) if nik.strip(' "')] == [
        1, 4, 5, 7
    ]  # fmt: skip


def test_one_column_of_names_with_commas_needs_no_quotes(file):
    assert read_table(file(b"nama\nBUDI, S.H.\nANI\n"))["nama"].to_pylist() == ["BUDI, S.H.", "ANI"]


def test_counts_say_where_every_line_went(file):
    text = 'DAFTAR\n\nnik;nama\n1;"BUDI\nS.H."\n\n3;ANI\n;\n\n'
    given = TableFile(file(text.encode()))
    given()
    counts = given.counts
    assert (counts.lines, counts.above, counts.names) == (9, 2, 1)
    assert (counts.rows, counts.inside, counts.end) == (3, 1, 2)
