"""Direct mode as a data officer types it."""

from __future__ import annotations

import csv
import json

import pyarrow as pa
import pyarrow.csv
import pytest
import structlog.testing
from agency import CODES, people, registry_table
from typer.testing import CliRunner

from padan_client.cli.app import app

PEOPLE = people(60, seed=12)
FLOW = ("--agreement", "kemnaker-bkn-2024", "--flow", "asn-status")


def padan(home, *arguments, code=0):
    """Run a command; returns (standard output, standard error)."""
    done = CliRunner().invoke(
        app, [str(a) for a in arguments], env={"PADAN_HOME": str(home.folder)}
    )
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout, done.stderr


def as_json(home, *arguments, code=0):
    return json.loads(padan(home, *arguments, "--json", code=code)[0])


def publish(pair, file, *more, **expected):
    base = ("publish", file, *FLOW, "--id", "id", "--mode", "direct", "--processes", "1")
    given = as_json(pair.provider, *base, *more, **expected)
    pair.server.rescan()
    return given


@pytest.fixture
def scene(make_direct, tmp_path):
    """The servers, a published registry file, a list file; the servers' log is kept away."""
    with structlog.testing.capture_logs():
        pair = make_direct()
        pyarrow.csv.write_csv(registry_table(PEOPLE[:40]), tmp_path / "registri.csv")
        pyarrow.csv.write_csv(pa.Table.from_pylist(PEOPLE[20:50]), tmp_path / "daftar.csv")
        yield pair, tmp_path


def test_a_provider_sees_whom_its_keys_find(scene):
    pair, folder = scene
    base = ("publish", folder / "registri.csv", *FLOW, "--id", "id", "--mode", "direct")
    shown = padan(pair.provider, *base, "--processes", "1", "--status", "status")
    assert "nik + nama" in "".join(shown)
    assert "1,0000" in "".join(shown)


def test_from_a_registry_to_codes_with_controls(scene):
    pair, folder = scene
    made = publish(pair, folder / "registri.csv", "--status", "status", "--days", "5")
    assert (made["mode"], made["epoch"], made["rows"]) == ("direct", 1, 40)
    assert made["expires"]
    found = {tuple(each["fields"]): each["found"] for each in made["given"] if each["keys"]}
    assert found["nik",] == found["nik", "nama"] == 1.0
    assert found["nama", "tanggal_lahir", "tempat_lahir"] == 1.0
    assert found["nama", "tanggal_lahir"] == 0.0, "one weak key opens nothing"

    status = registry_table(PEOPLE[:40])["status"].to_pylist()
    controls = [{**PEOPLE[0], "kode": CODES[status[0]]}, {**PEOPLE[59], "kode": "TIDAK_DITEMUKAN"}]
    pyarrow.csv.write_csv(pa.Table.from_pylist(controls), folder / "kontrol.csv")
    out = folder / "kode.csv"
    confirm = ("confirm", folder / "daftar.csv", *FLOW, "--mode", "direct", "--out", out)
    given = as_json(pair.requester, *confirm, "--controls", folder / "kontrol.csv")
    assert given["mode"] == "direct"
    assert given["counts"]["TIDAK_DITEMUKAN"] == 10
    numbers, names = "nik-nama+nik-paruh+nik-wilayah", "nama-tempat+nama-lahir+nama-bulan"
    assert given["ways"] == {f"direct:{numbers}+{names}": 20}
    assert given["controls"] == {"asked": 2, "wrong": []}
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["kode"] for row in rows[:20]] == [CODES[s] for s in status[20:]]
    assert len(rows) == 30

    wrong = [{**controls[0], "kode": "TIDAK_DITEMUKAN"}]
    pyarrow.csv.write_csv(pa.Table.from_pylist(wrong), folder / "kontrol.csv")
    _, message = padan(
        pair.requester, *confirm, "--controls", folder / "kontrol.csv", "--force", code=7
    )
    assert "1 dari 1 rekaman kontrol" in message
    stdout, _ = padan(pair.requester, *confirm, "--force")
    assert "tercatat sebagai ASN aktif" in stdout
    padan(pair.requester, *confirm[:-3], "lain", "--out", out, code=3)


def test_direct_keys_are_rotated_shown_and_destroyed(scene):
    pair, folder = scene
    rotate = ("keys", "rotate", *FLOW, "--mode", "direct")
    first = as_json(pair.provider, *rotate)
    assert (first["epoch"], first["mode"]) == (1, "direct")
    publish(pair, folder / "registri.csv", "--status", "status")
    padan(pair.provider, *rotate, code=3)
    assert as_json(pair.provider, *rotate, "--yes")["epoch"] == 2
    made = publish(pair, folder / "registri.csv", "--status", "status")
    assert made["epoch"] == 2
    destroy = ("keys", "destroy", *FLOW, "--mode", "direct", "--epoch", "1")
    padan(pair.provider, *destroy, code=3)
    destroyed = as_json(pair.provider, *destroy, "--yes")
    assert destroyed["registries_forgotten"] == 1
    shown = as_json(pair.provider, "keys", "show")["epochs"]
    assert [(e["epoch"], bool(e["destroyed"])) for e in shown] == [(2, False), (1, True)]
    assert [folder.name for folder in pair.tables] == [made["dataset"]]
    assert not list(pair.server.publisher.seeds_dir.rglob("1.seed"))
    padan(pair.requester, *rotate, code=3)


def test_a_delta_from_files(scene):
    pair, folder = scene
    base = publish(pair, folder / "registri.csv", "--status", "status")["dataset"]
    confirm = ("confirm", folder / "daftar.csv", *FLOW, "--mode", "direct")
    first = as_json(pair.requester, *confirm, "--out", folder / "awal.csv")
    correct = ("correct", folder / "awal.csv", "--list", folder / "daftar.csv", *FLOW)
    assert as_json(pair.requester, *correct, "--out", folder / "koreksi.csv")["asked"] is False
    (folder / "keluar.txt").write_text("R00020\nR00021\n")
    delta = as_json(
        pair.provider,
        *("publish", *FLOW, "--id", "id", "--mode", "direct", "--delta-of", base),
        *("--deletes", folder / "keluar.txt"),
    )
    assert (delta["rows"], delta["deleted"]) == (0, 2)
    pair.server.rescan()
    given = as_json(pair.requester, *confirm, "--out", folder / "k.csv")
    assert given["counts"]["TIDAK_DITEMUKAN"] == 12
    assert given["edition"] == first["edition"] == base

    found = as_json(pair.requester, *correct, "--out", folder / "koreksi.csv", "--yes", code=8)
    assert (found["mode"], found["changed"]) == ("direct", 2)
    changed = list(csv.DictReader((folder / "koreksi.csv").read_text().splitlines()))
    assert [(row["row"], row["kode"]) for row in changed] == [
        (row, "TIDAK_DITEMUKAN") for row in ("1", "2")
    ]
    assert {row["sebab"] for row in changed} == {"delta"}


def test_a_missing_address_and_a_role_are_told(scene):
    pair, folder = scene
    path = pair.requester.folder / "client.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("provider")]
    path.write_text("\n".join(lines))
    confirm = ("confirm", folder / "daftar.csv", *FLOW, "--mode", "direct", "--out", folder / "k")
    _, message = padan(pair.requester, *confirm, code=3)
    assert "provider =" in message
    padan(pair.provider, *confirm, code=3)
