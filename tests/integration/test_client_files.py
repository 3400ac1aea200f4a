"""Files as officers have them, through the commands: every row is accounted for, or refused."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pyarrow.csv
import pytest
import structlog.testing
import xlsxwriter
from agency import CODES, people, registry_table, small_passes, write_home
from engines import FakeEngine
from typer.testing import CliRunner

from padan_client.cli.app import app

PEOPLE = people(60, seed=12)
FLOW = ("--agreement", "kemnaker-bkn-2024", "--flow", "asn-status")


def padan(home, *arguments, code=0):
    """Run a command; returns (standard output, standard error)."""
    done = CliRunner().invoke(app, [str(a) for a in arguments], env={"PADAN_HOME": str(home)})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout, done.stderr


@pytest.fixture
def _quiet_unit():
    """The unit runs in this process: keep its log out of the command's standard output."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def agencies(make_unit, tmp_path, _quiet_unit):
    """Two homes with an epoch, and nothing published."""
    unit = make_unit(engine=FakeEngine(), edit=small_passes)
    homes = [write_home(tmp_path / p, unit.house, p, unit.port) for p in ("bkn", "kemnaker")]
    for home in homes:
        padan(home, "keys", "rotate", *FLOW)
    return homes


def workbook(path, table):
    """The table as a sheet below a title, NIKs as text."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Pegawai")
    sheet.write(0, 0, "REGISTRI PEGAWAI")
    sheet.write_row(2, 0, table.column_names)
    for i, row in enumerate(table.to_pylist(), 3):
        sheet.write_row(i, 0, list(row.values()))
    book.close()


def sloppy(path):
    """A list with a line for the spreadsheet, a title, empty rows and names of its own."""
    lines = ["sep=;", "DAFTAR CALON;;;;", "No;No. KTP;NAMA LENGKAP;Tempat Lahir;Tgl Lahir"]
    for i, person in enumerate(PEOPLE[20:50], 1):
        lines.append(";".join([str(i), *person.values()]))
        lines += [";;;;"] * (i == 3) + [""] * (i == 7)
    path.write_bytes("\r\n".join([*lines, *[";;;;;;"] * 5, ""]).encode("utf-8-sig"))


def test_a_workbook_is_published_and_a_sloppy_list_answered_row_by_row(agencies, tmp_path):
    bkn, kemnaker = agencies
    registry = registry_table(PEOPLE[:40]).rename_columns(
        {"nik": "NIK Pegawai", "nama": "Nama Lengkap"}
    )
    workbook(tmp_path / "registri.xlsx", registry)
    _, said = padan(
        bkn, "publish", tmp_path / "registri.xlsx", *FLOW, "--id", "id", "--status", "status"
    )
    assert "NIK Pegawai → nik, Nama Lengkap → nama" in said
    assert "Berkas: 43 baris = 2 di atas judul kolom + 1 judul kolom + 40 baris data." in said

    sloppy(tmp_path / "daftar.csv")
    _, said = padan(
        kemnaker, "confirm", tmp_path / "daftar.csv", *FLOW, "--out", tmp_path / "kode.csv"
    )
    assert "No. KTP → nik, NAMA LENGKAP → nama, Tgl Lahir → tanggal_lahir" in said
    assert said.index("→") < said.index("Berkas:")
    assert "40 baris = 2 di atas judul kolom + 1 judul kolom + 32 baris data + 5 kosong" in said
    assert "32 baris data = 30 dipadankan + 2 karantina." in said
    with (tmp_path / "kode.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["row"]) for row in rows] == list(range(1, 33))
    assert [row["row"] for row in rows if row["alasan"] == "empty_row"] == ["4", "9"]
    status = registry["status"].to_pylist()[20:]
    answered = [row["kode"] for row in rows if row["hasil"] != "karantina"]
    assert answered == [CODES[s] for s in status] + ["TIDAK_DITEMUKAN"] * 10


def test_a_list_in_one_column_keeps_its_row_numbers(agencies, tmp_path):
    bkn, kemnaker = agencies
    pa.csv.write_csv(registry_table(PEOPLE[:40]), tmp_path / "registri.csv")
    padan(bkn, "publish", tmp_path / "registri.csv", *FLOW, "--id", "id", "--status", "status")
    niks = [p["nik"] for p in PEOPLE[:20]]
    lines = ["NIK", niks[0], "", *niks[1:4], "", *niks[4:], "", ""]
    (tmp_path / "nik.csv").write_text("\n".join(lines))
    stdout, _ = padan(
        kemnaker,
        *("confirm", tmp_path / "nik.csv", *FLOW, "--out", tmp_path / "kode.csv", "--json"),
        *("--map", "nama=", "--map", "tempat_lahir=", "--map", "tanggal_lahir="),
    )
    given = json.loads(stdout)
    assert (given["rows"], given["lines"]["rows"], given["counts"]["karantina"]) == (23, 23, 3)
    with (tmp_path / "kode.csv").open() as file:
        empty = [row["row"] for row in csv.DictReader(file) if row["hasil"] == "karantina"]
    assert empty == ["2", "6", "23"]


def stray(path, names=("id", *PEOPLE[0], "status", "kode")):
    """A file in which a quote swallows rows 2 to 4."""
    rows = [[p.get(n, "x") for n in names] for p in PEOPLE[:8]]
    rows[1][2], rows[3][2] = '"' + rows[1][2], rows[3][2] + '"'
    path.write_text("\n".join("|".join(row) for row in [list(names), *rows]))
    return path


def test_rows_that_a_quote_swallows_are_refused_by_every_command(agencies, tmp_path):
    bkn, kemnaker = agencies
    pa.csv.write_csv(registry_table(PEOPLE[:40]), tmp_path / "registri.csv")
    register = ("--id", "id", "--status", "status")
    given, _ = padan(bkn, "publish", tmp_path / "registri.csv", *FLOW, *register, "--json")
    base = json.loads(given)["dataset"]
    bad, out = stray(tmp_path / "rusak.csv"), ("--out", tmp_path / "k.csv")
    sloppy(tmp_path / "daftar.csv")
    for home, command in (
        (bkn, ("publish", bad, *FLOW, *register)),
        (bkn, ("publish", bad, *FLOW, *register, "--delta-of", base)),
        (kemnaker, ("confirm", bad, *FLOW, *out)),
        (kemnaker, ("confirm", tmp_path / "daftar.csv", *FLOW, *out, "--controls", bad)),
        (kemnaker, ("lint-data", bad)),
    ):
        _, said = padan(home, *command, code=3)
        assert "baris teks 3:" in " ".join(said.split())
    assert not (tmp_path / "k.csv").exists()
    runs, _ = padan(kemnaker, "runs", "list", *FLOW, "--json")
    assert json.loads(runs)["runs"] == []


def test_two_columns_that_fit_are_named_before_anything_is_asked(agencies, tmp_path):
    _, kemnaker = agencies
    path = tmp_path / "daftar.csv"
    path.write_text("No. KTP;NIK Penerima;nama;tanggal_lahir\n1;2;BUDI;1980-01-02\n")
    for command in (("confirm", *FLOW, "--out", tmp_path / "k.csv"), ("lint-data", *FLOW[2:])):
        _, said = padan(kemnaker, command[0], path, *command[1:], code=3)
        assert "nik: No. KTP, NIK Penerima" in " ".join(said.split())
