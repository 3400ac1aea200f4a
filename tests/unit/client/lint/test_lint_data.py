import csv
import datetime as dt
import json

import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from padan_client.base.errors import BadInputError
from padan_client.base.language import set_language
from padan_client.cli.app import app
from padan_client.lint import (
    CheckedColumn,
    duplicates,
    fields_of_file,
    fields_of_schema,
    lint,
)
from padan_client.records import read_table
from padan_client.records.files import csv_files
from padan_linkage.agreement import example, load_agreement
from padan_linkage.schema import Kind

TODAY = dt.date(2026, 11, 20)
HEADER = "nik,nama,tanggal_lahir,jenis_kelamin"
#: Every row says what is wrong with it.
ROWS = [
    ("3171011708450001", "Budi Santoso", "17-08-1945", "L", set()),
    ("3171015708450002", "Sri Wahyuni", "17-08-1945", "P", set()),
    ("3171015708450003", "Ratna Juwita", "17-08-1945", "L", {"nik_sex"}),
    ("3171010307800001", "Agus Salim", "07-03-1980", "L", {"nik_date_swapped"}),
    ("3171010407800001", "Joko Susilo", "05-07-1980", "L", {"nik_date_one_part"}),
    ("3171010407800002", "Dedi Kurnia", "15-11-1982", "L", {"nik_date_other"}),
    ("3171011708460009", "Eko Prasetyo", "17-08-1946", "L", {"repeated"}),
    ("3171011708460009", "Dwi Handoko", "17-08-1946", "L", {"repeated"}),
    ("3171011708470001", "Tri Utami", "18-08-1947", "L", {"nik_date_one_part", "same_person"}),
    ("", "Drs. Tri Utami, S.H.", "18 Agustus 1947", "L", {"same_person"}),
    ("317101170845", "Wawan", "17-08-1945", "L", {"too_short"}),
    ("3.2E+15", "Yanto", "31-02-1990", "laki", {"spreadsheet", "impossible_date"}),
    ("1111111111111111", "XXX", "2030-01-15", "x", {"filler", "future", "unknown_value"}),
    ("", "Hasan4", "1890-05-05", "L", {"partly_read", "very_old"}),
    ("", "JosÃ© Pires", "05/13/1980", "L", {"damaged_text", "month_first"}),
]
WATCHED = [
    CheckedColumn("nik", Kind.NIK, "nik"),
    CheckedColumn("nama", Kind.PERSON_NAME, "nama"),
    CheckedColumn("lahir", Kind.DATE, "tanggal_lahir", birth=True),
    CheckedColumn("kelamin", Kind.SEX, "jenis_kelamin"),
]


@pytest.fixture
def planted(tmp_path):
    path = tmp_path / "daftar.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER.split(","), *(row[:4] for row in ROWS)])
    return path


def look(path, out=None):
    return lint(path, lambda _: WATCHED, quarantine=out, today=TODAY)


def quarantined(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reasons_by_row(path):
    found = {}
    for row in quarantined(path):
        found.setdefault(int(row["row"]), set()).add(row["reason"])
    return found


def test_every_planted_trouble_is_found_in_its_row_and_nothing_else(planted, tmp_path):
    told = look(planted, tmp_path / "q.csv")
    expected = {number: row[4] for number, row in enumerate(ROWS, 1) if row[4]}
    assert reasons_by_row(tmp_path / "q.csv") == expected
    notes = len(quarantined(tmp_path / "q.csv"))
    assert (told.quarantined, told.notes) == (len(expected), notes) != (notes, notes)


def test_counts_have_the_right_denominators(planted):
    findings = {(f.field, f.code): f for f in look(planted).findings}
    assert (findings["nik", "nik_sex"].count, findings["nik", "nik_sex"].of) == (1, 9)
    assert findings["nik", "empty"].count == 3
    assert findings["nik", "repeated"].count == 2
    assert findings["nik", "invalid"].count == 3
    assert findings["nik", "invalid"].verdict == "di atas wajar"
    assert findings["lahir", "day_or_month"].expected == 0.39
    assert findings["", "same_person"].count == 2


def test_the_worst_column_comes_first(planted):
    shares = [c.troubled / c.filled for c in look(planted).worst_first()]
    assert shares == sorted(shares, reverse=True)


def test_nothing_of_a_value_is_said_or_written_and_the_input_stays(planted, tmp_path):
    before = planted.read_bytes()
    report = look(planted, tmp_path / "q.csv")
    said = (tmp_path / "q.csv").read_text("utf-8") + json.dumps(report.as_json()) + repr(report)
    assert planted.read_bytes() == before
    for row in ROWS:
        for value in row[:2]:
            assert not value or value not in said
    assert (tmp_path / "q.csv").stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["daftar.csv", "q.csv"]


def test_a_repeated_value_names_its_first_row(planted, tmp_path):
    look(planted, tmp_path / "q.csv")
    repeated = [r for r in quarantined(tmp_path / "q.csv") if r["reason"] == "repeated"]
    assert [(r["row"], r["first_row"]) for r in repeated] == [("7", "7"), ("8", "7")]


def long_file(path, rows=3000):
    lines = [HEADER]
    for i in range(rows):
        nik = f"31710117084{i % 2900 + 50001:05d}"
        lines.append(f"{nik},Budi {'abcdefghij'[i % 10] * 2}santoso,17-08-1945,L")
    lines[1000] += ",lebih"
    path.write_text("\n".join(lines) + "\n")


def test_a_file_in_many_pieces_gives_what_it_gives_in_one(tmp_path, monkeypatch):
    path = tmp_path / "panjang.csv"
    long_file(path)
    whole = look(path, tmp_path / "1.csv")
    monkeypatch.setattr(csv_files, "_SMALL_BLOCK", 4096)
    monkeypatch.setattr(duplicates, "_PENDING", 500)
    pieces = look(path, tmp_path / "2.csv")
    assert pieces == whole

    def found(name):
        return sorted((int(r["row"]), r["reason"], r["first_row"]) for r in quarantined(name))

    assert found(tmp_path / "2.csv") == found(tmp_path / "1.csv")
    assert (1000, "ragged", "") in found(tmp_path / "1.csv")
    assert (2902, "repeated", "2") in found(tmp_path / "1.csv")  # counted as in the file


def test_parquet_streams_too(planted, tmp_path):
    table = read_table(planted)
    pa.parquet.write_table(table, tmp_path / "daftar.parquet", row_group_size=4)
    from_csv, from_parquet = look(planted), look(tmp_path / "daftar.parquet")
    assert from_parquet.findings == from_csv.findings


def test_a_column_with_a_limit_shows_what_was_cut_off(tmp_path):
    path = tmp_path / "x.csv"
    names = [f"Budi Santoso {'W' * (i % 40)}icaksana"[:25] for i in range(400)]
    path.write_text("nama\n" + "\n".join(names) + "\n")
    report = lint(path, lambda _: [CheckedColumn("nama", Kind.PERSON_NAME, "nama")], today=TODAY)
    (finding,) = [f for f in report.findings if f.code == "cut_off"]
    assert finding.count == sum(len(n) == 25 for n in names)


def test_fields_of_a_flow_are_found_by_name_by_likeness_and_by_mapping():
    schema = load_agreement(example("kemnaker-bkn-2024")).flows[0].schema
    head = pa.table(
        {
            "NO_KTP": ["3.2E+15", "3.2E+15", "3171011708450001"],
            "Nama Lengkap": ["Budi Santoso", "Sri Wahyuni", "Agus Salim"],
            "tgl_lhr": ["17-08-1945", "18-08-1945", "19-08-1945"],
        }
    )
    found = {w.field: w for w in fields_of_schema(schema, head, None)}
    assert found["nik"].column == "NO_KTP"
    assert found["tanggal_lahir"].column == "tgl_lhr"
    assert found["tanggal_lahir"].birth
    mapped = fields_of_schema(schema, head, {"nama": "Nama Lengkap", "nik": ""})
    assert {w.field: w.column for w in mapped}["nama"] == "Nama Lengkap"
    assert {w.field: w.column for w in mapped}["nik"] is None
    with pytest.raises(BadInputError, match="kolom_lain"):
        fields_of_schema(schema, head, {"nama": "kolom_lain"})


def test_columns_without_a_flow_are_recognised_or_told():
    head = pa.table({"NIK": ["3.2E+15"] * 3, "x": ["Budi", "Sri", "Agus"]})
    kinds = {w.column: w.kind for w in fields_of_file(head, {"x": "person_name"})}
    assert kinds == {"NIK": Kind.NIK, "x": Kind.PERSON_NAME}
    with pytest.raises(BadInputError, match="bukan_jenis"):
        fields_of_file(head, {"x": "bukan_jenis"})


@pytest.fixture
def run():
    yield lambda *arguments: CliRunner().invoke(app, [*map(str, arguments)])
    set_language("id")


def test_the_command_reports_in_indonesian_or_english(run, planted, tmp_path):
    out = tmp_path / "karantina.csv"
    result = run("lint-data", planted, "--flow", "asn-status", "--out", out)
    assert result.exit_code == 0, result.output
    assert "15 baris diperiksa; berkas tidak diubah" in result.output
    assert "jangan ubah NIK" in out.read_text("utf-8")
    result = run("--lang", "en", "lint-data", planted, "--flow", "asn-status")
    assert "15 rows checked; the file is unchanged" in result.output


def test_the_command_speaks_json(run, planted):
    result = run("lint-data", planted, "--json")
    report = json.loads(result.stdout)
    assert report["rows"] == 15
    assert {f["code"] for f in report["findings"]} >= {"nik_sex", "repeated", "impossible_date"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--flow", "tidak-ada"], "tidak-ada"),
        (["--map", "x"], "nama=KOLOM"),
    ],
)
def test_mistakes_in_the_command_are_told(run, planted, arguments, says):
    result = run("lint-data", planted, *arguments)
    assert result.exit_code == 3
    assert says in result.output


def test_the_input_is_never_the_output(run, planted):
    before = planted.read_bytes()
    assert run("lint-data", planted, "--out", planted).exit_code == 3
    assert planted.read_bytes() == before


@pytest.mark.parametrize("content", ["", "nik,nama\n"])
def test_a_file_without_rows_is_refused(tmp_path, content):
    path = tmp_path / "kosong.csv"
    path.write_text(content)
    with pytest.raises(BadInputError):
        look(path)
