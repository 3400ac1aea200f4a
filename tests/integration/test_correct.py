"""A registry is mended: its requester finds the rows that are answered otherwise, and no others."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pyarrow.csv
import pytest
import structlog.testing
from agency import make_agencies, people, registry_table, small_passes
from engines import FakeEngine
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_client.results import minutes

PEOPLE = people(80, seed=31)
FLOW = ("--agreement", "kemnaker-bkn-2024", "--flow", "asn-status")
PUBLISH = ("publish", *FLOW, "--id", "id", "--status", "status")


def padan(home, *arguments, code=0):
    """Run a command; returns (standard output, standard error)."""
    done = CliRunner().invoke(
        app, [str(a) for a in arguments], env={"PADAN_HOME": str(home.folder), "COLUMNS": "200"}
    )
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout, done.stderr


def as_json(home, *arguments, code=0):
    return json.loads(padan(home, *arguments, "--json", code=code)[0])


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def write(path, rows):
    pyarrow.csv.write_csv(pa.Table.from_pylist(rows), path)


def founded(folder, unit):
    """Both homes, a registry of people 0 to 39 and a list of people 20 to 59, as files."""
    registry = registry_table(PEOPLE[:40]).to_pylist()
    write(folder / "registri.csv", registry)
    write(folder / "daftar.csv", [{"NO": f"C{i}", **p} for i, p in enumerate(PEOPLE[20:60])])
    return make_agencies(folder, unit), folder, registry


@pytest.fixture
def town(make_unit_process, tmp_path):
    """The unit in a process of its own, with the real matcher."""
    unit = make_unit_process(engine="real", edit=small_passes)
    unit.start()
    return founded(tmp_path, unit)


@pytest.fixture
def hamlet(make_unit, tmp_path):
    """The unit in this process, its matcher a stand-in that does not keep anybody waiting."""
    with structlog.testing.capture_logs():
        yield founded(tmp_path, make_unit(engine=FakeEngine(), edit=small_passes))


def mended(person):
    return {**person, "status": "PENSIUN" if person["status"] == "AKTIF" else "AKTIF"}


def test_a_delta_is_found_row_by_row(town):
    pair, folder, registry = town
    ask = (folder / "daftar.csv", *FLOW, "--id", "NO")
    correct = ("correct", folder / "kode.csv", "--list", *ask, "--out", folder / "koreksi.csv")
    base = as_json(pair.provider, *PUBLISH, folder / "registri.csv")["dataset"]
    first = as_json(pair.requester, "confirm", *ask, "--out", folder / "kode.csv")
    untouched = as_json(pair.requester, *correct)
    assert (untouched["asked"], untouched["changed"], untouched["charged"]) == (False, 0, 0)
    (run,) = as_json(pair.requester, "runs", "list", *FLOW)["runs"]
    assert run["answers"] is True

    write(folder / "ubah.csv", [mended(registry[i]) for i in (22, 25)])
    (folder / "keluar.txt").write_text("R00030\n")
    delta = ("--delta-of", base, "--deletes", folder / "keluar.txt")
    as_json(pair.provider, *PUBLISH, folder / "ubah.csv", *delta)
    shown, told = padan(pair.requester, "runs", "show", run["run"], *FLOW)
    assert "tidak" in shown.split()
    assert "registri terdahulu" in told
    _, told = padan(pair.requester, *correct, code=3)
    assert "40 baris itu ditanyakan lagi" in told
    assert not (folder / "koreksi.csv").exists()

    found = as_json(pair.requester, *correct, "--yes", code=8)
    assert (found["changed"], found["charged"]) == (3, first["charged"])
    changed = rows_of(folder / "koreksi.csv")
    assert [row["id"] for row in changed] == ["C2", "C5", "C10"]
    before = rows_of(folder / "kode.csv")
    now = rows_of(folder / "koreksi.kode.csv")
    for row in changed:
        at = int(row["row"]) - 1
        assert (row["kode_dahulu"], row["kode"]) == (before[at]["kode"], now[at]["kode"])
        assert row["sebab"] == "delta"
        assert row["sejak"]
        assert row["edisi"] == first["edition"]
    assert changed[2]["kode"] == "TIDAK_DITEMUKAN"
    same = [i for i in range(40) if i not in (2, 5, 10)]
    assert [now[i]["kode"] for i in same] == [before[i]["kode"] for i in same]

    record = minutes.verify(pair.requester, folder / "koreksi.json")
    assert record.signed_by == ("kemnaker",)
    assert record.content["corrects"].keys() == {"answers_sha256", "editions"}
    assert (record.content["rows"], record.content["counted"], record.content["counts"]) == (
        40, 0, {},
    )  # fmt: skip
    assert record.content["corrects"]["editions"] == [first["edition"]]
    assert "KOREKSI" in (folder / "koreksi.txt").read_text()
    assert "C10" not in (folder / "koreksi.json").read_text()

    again = ("correct", folder / "koreksi.kode.csv", *correct[2:-1], folder / "lagi.csv")
    assert as_json(pair.requester, *again)["asked"] is False
    assert not list(folder.glob("lagi*"))


def test_a_new_publication_that_changes_nobody_of_the_list_changes_nothing(hamlet):
    pair, folder, registry = hamlet
    ask = (folder / "daftar.csv", *FLOW, "--id", "NO")
    as_json(pair.provider, *PUBLISH, folder / "registri.csv")
    as_json(pair.requester, "confirm", *ask, "--out", folder / "kode.csv")
    write(folder / "baru.csv", [mended(p) if i < 20 else p for i, p in enumerate(registry)])
    as_json(pair.provider, *PUBLISH, folder / "baru.csv")
    lines = (folder / "kode.csv").read_text().splitlines()
    (folder / "kode.csv").write_text(
        "\n".join([lines[0], lines[1][:-2] + '"keberatan"', *lines[2:]])
    )
    correct = ("correct", folder / "kode.csv", "--list", *ask, "--out", folder / "koreksi.csv")
    found = as_json(pair.requester, *correct, "--yes")
    assert (found["asked"], found["changed"], found["out"]) == (True, 0, None)
    assert not (folder / "koreksi.csv").exists()
    assert rows_of(folder / "koreksi.kode.csv")[0]["catatan"] == "keberatan"
    padan(pair.requester, *correct, "--yes", code=3)  # it would overwrite what is there
    _, told = padan(pair.requester, *correct, "--yes", "--force")
    assert "tidak satu pun jawaban" in told


def test_what_is_not_that_list_or_no_result_is_refused_and_nothing_charged(hamlet):
    pair, folder, _ = hamlet
    ask = ("--list", folder / "daftar.csv", *FLOW)
    rest = ("--id", "NO", "--out", folder / "koreksi.csv", "--yes")
    as_json(pair.provider, *PUBLISH, folder / "registri.csv")
    confirm = ("confirm", folder / "daftar.csv", *FLOW, "--id", "NO")
    as_json(pair.requester, *confirm, "--out", folder / "kode.csv")
    as_json(pair.provider, *PUBLISH, folder / "registri.csv")
    correct = ("correct", folder / "kode.csv")

    listed = rows_of(folder / "daftar.csv")
    write(folder / "lain.csv", [*listed[:3], {**listed[3], "nama": "ORANG LAIN"}, *listed[4:]])
    write(folder / "pendek.csv", listed[1:])
    write(
        folder / "tanpa.csv",
        [{"row": r["row"], "kode": r["kode"]} for r in rows_of(folder / "kode.csv")],
    )
    for arguments, said in (
        ((*correct, "--list", folder / "lain.csv", *FLOW, *rest), "Baris 4: isi daftar lain"),
        ((*correct, "--list", folder / "pendek.csv", *FLOW, *rest), "39 baris, dahulu 40"),
        ((*correct, *ask, "--map", "nama=NO", *rest), "tidak satu baris pun"),
        ((*correct, *ask[:-1], "jf-binaan", *rest), ""),
        (("correct", folder / "tanpa.csv", *ask, *rest), "edisi"),
        ((*correct, *ask, *rest[:-2], folder / "kode.csv", "--yes"), "berkas masukan"),
    ):
        _, told = padan(pair.requester, *arguments, code=3)
        assert said in told
    assert not list(folder.glob("koreksi*"))
    assert len(as_json(pair.requester, "runs", "list", *FLOW)["runs"]) == 1
