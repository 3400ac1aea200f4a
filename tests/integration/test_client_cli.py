"""The commands a data officer types: files in, files out, exit codes, messages."""

from __future__ import annotations

import csv
import errno
import json
import os

import numpy as np
import pyarrow.csv
import pytest
import structlog.testing
from agency import CODES, people, registry_table, small_passes, write_home
from engines import FakeEngine
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from padan_client.cli.app import app

PEOPLE = people(60, seed=12)


def padan(home, *arguments, code=0, **environment):
    """Run a command; returns (standard output, standard error)."""
    done = CliRunner().invoke(
        app, [str(a) for a in arguments], env={"PADAN_HOME": str(home), **environment}
    )
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.stdout, done.stderr


def rows_of(path):
    """The rows of a CSV file."""
    return list(csv.DictReader(path.read_text().splitlines()))


def as_json(home, *arguments, code=0):
    stdout, _ = padan(home, *arguments, "--json", code=code)
    return json.loads(stdout)


@pytest.fixture
def _quiet_unit():
    """The unit runs in this process: keep its log out of the command's standard output."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def scene(make_unit, tmp_path, _quiet_unit):
    """A unit and two homes with keys but no epoch, a registry file and a list file."""
    unit = make_unit(engine=FakeEngine(), edit=small_passes)
    homes = {}
    for party in ("bkn", "kemnaker"):
        homes[party] = write_home(tmp_path / party, unit.house, party, unit.port)
    pyarrow.csv.write_csv(registry_table(PEOPLE[:40]), tmp_path / "registri.csv")
    with (tmp_path / "daftar.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["NO", "NIK", "NAMA LENGKAP", "TGL"])
        writer.writeheader()
        for i, person in enumerate(PEOPLE[20:50]):
            writer.writerow(
                {
                    "NO": f"C{i}",
                    "NIK": person["nik"],
                    "NAMA LENGKAP": person["nama"],
                    "TGL": person["tanggal_lahir"],
                }
            )
        writer.writerow({"NO": "C99", "NIK": "123", "NAMA LENGKAP": "", "TGL": ""})
    return tmp_path, homes["bkn"], homes["kemnaker"]


FLOW = ("--agreement", "kemnaker-bkn-2024", "--flow", "asn-status")
MAP = ("--map", "nama=NAMA LENGKAP", "--map", "tanggal_lahir=TGL", "--id", "NO")


def rotate_both(bkn, kemnaker):
    first = as_json(bkn, "keys", "rotate", *FLOW)
    assert first == {
        "agreement": "kemnaker-bkn-2024",
        "flow": "asn-status",
        "epoch": 1,
        "complete": False,
        "waiting_for": "kemnaker",
    }
    assert as_json(kemnaker, "keys", "rotate", *FLOW)["complete"]


def test_what_is_at_the_unit_says_whose_step_is_missing(scene):
    _, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    assert as_json(bkn, "runs", "datasets", *FLOW)["waiting_for"] is None
    padan(kemnaker, "keys", "rotate", *FLOW, "--yes")
    mine, theirs = (kemnaker, "menunggu bkn"), (bkn, "menunggu instansi ini")
    for (home, whose), view in ((mine, "list"), (mine, "datasets"), (theirs, "datasets")):
        told = as_json(home, "runs", view, *FLOW)
        assert (told["waiting_for"], told["waiting_epoch"]) == ("bkn", 2)
        _, said = padan(home, "runs", view, *FLOW)
        assert "Epok 2 sudah dibuka" in said
        assert whose in said


def publish(folder, bkn, *more):
    return as_json(
        bkn, "publish", folder / "registri.csv", *FLOW, "--id", "id", "--status", "status", *more
    )


def test_from_keys_to_codes(scene):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    assert publish(folder, bkn)["rows"] == 40

    out, quarantine = folder / "kode.csv", folder / "karantina.csv"
    given = as_json(
        kemnaker,
        *("confirm", folder / "daftar.csv", *FLOW, *MAP),
        *("--out", out, "--quarantine", quarantine),
    )
    assert given["counts"]["TIDAK_DITEMUKAN"] == 10
    assert given["counts"]["belum_dapat_dipastikan"] == 1
    assert given["rows"] == 31
    assert given["quarantined"] == 1 < len(rows_of(quarantine))
    assert {p["pass"] for p in given["passes"]} == {"nik", "lahir"}
    rows = rows_of(out)
    assert [row["id"] for row in rows[:2]] == ["C0", "C1"]
    status = registry_table(PEOPLE[:40])["status"].to_pylist()
    assert [row["kode"] for row in rows[:20]] == [CODES[s] for s in status[20:]]
    assert rows[30]["hasil"] == "belum_dapat_dipastikan"
    assert (rows[30]["alasan"], rows[0]["alasan"]) == ("ruas_kurang", "")
    assert "nik: Bukan NIK: angkanya kurang." in rows[30]["penjelasan"]
    assert "123" not in quarantine.read_text()
    assert out.stat().st_mode & 0o777 == 0o600

    stdout, told = padan(
        kemnaker, "confirm", folder / "daftar.csv", *FLOW, *MAP, "--out", folder / "k.parquet"
    )
    assert str(folder / "k.karantina.parquet") in told
    assert "tercatat sebagai ASN aktif" in stdout
    assert (folder / "k.parquet").read_bytes()[:4] == b"PAR1"


def test_runs_and_datasets_can_be_looked_at(scene):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    dataset = publish(folder, bkn)["dataset"]
    given = as_json(
        kemnaker, "confirm", folder / "daftar.csv", *FLOW, *MAP, "--out", folder / "k.csv"
    )
    (run,) = as_json(kemnaker, "runs", "list", *FLOW)["runs"]
    # 30 records travel in 256 rows, and every row is answered and charged.
    assert (run["run"], run["state"], run["charged"]) == (given["run"], "succeeded", 256)
    identifier = run["run"].rpartition("/")[2]
    for command in ("show", "watch", "cancel"):
        assert as_json(kemnaker, "runs", command, identifier, *FLOW)["state"] == "succeeded"
    (listed,) = as_json(bkn, "runs", "datasets", *FLOW)["datasets"]
    assert (listed["dataset"], listed["state"], listed["epoch"]) == (dataset, "committed", 1)
    padan(bkn, "runs", "delete", dataset, *FLOW, code=3)
    assert as_json(bkn, "runs", "datasets", *FLOW)["datasets"][0]["state"] == "committed"
    assert as_json(bkn, "runs", "delete", dataset, *FLOW, "--yes")["deleted"]
    assert as_json(bkn, "runs", "datasets", *FLOW)["datasets"][0]["state"] == "deleted"
    for arguments in (("list",), ("show", identifier)):
        stdout, _ = padan(kemnaker, "runs", *arguments, *FLOW, COLUMNS="120")
        assert identifier in stdout, "an id that can be copied into the next command"
        assert "berhasil" in stdout
        assert not {"succeeded", "charged", "created"} & set(stdout.split())
        stdout, _ = padan(kemnaker, "--lang", "en", "runs", *arguments, *FLOW, COLUMNS="120")
        assert "succeeded" in stdout
    for strange in ("agreements/x/flows/y/runs/z", "nol", "../" + identifier):
        padan(kemnaker, "runs", "show", strange, *FLOW, code=3)
    padan(kemnaker, "runs", "show", identifier[::-1], *FLOW, code=4)


def test_a_delta_from_files(scene):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    base = publish(folder, bkn)["dataset"]
    (folder / "keluar.txt").write_text("R00020\n\nR00021\n")
    delta = as_json(
        bkn, "publish", *FLOW, "--id", "id", "--delta-of", base, "--deletes", folder / "keluar.txt"
    )
    assert (delta["rows"], delta["deleted"]) == (0, 2)
    given = as_json(
        kemnaker, "confirm", folder / "daftar.csv", *FLOW, *MAP, "--out", folder / "k.csv"
    )
    assert given["counts"]["TIDAK_DITEMUKAN"] == 12
    padan(bkn, "publish", *FLOW, "--id", "id", code=3)


def test_a_registry_of_bad_rows_alone_leaves_its_quarantine(scene):
    folder, bkn, _ = scene
    header = "id,nik,nama,tempat_lahir,tanggal_lahir,status"
    (folder / "buruk.csv").write_text(f"{header}\na,,,,,AKTIF\nb,,,,,\n")
    padan(
        bkn,
        *("publish", folder / "buruk.csv", *FLOW, "--id", "id", "--status", "status"),
        *("--quarantine", folder / "q.csv"),
        code=3,
    )
    assert {row["id"] for row in rows_of(folder / "q.csv")} == {"a", "b"}


def test_encode_shows_what_would_leave_and_no_more(scene):
    folder, bkn, kemnaker = scene
    for home, arguments, role, columns in (
        (bkn, ("registri.csv", "--id", "id"), "provider", {"keys", "handles", "sealed_codes"}),
        (kemnaker, ("daftar.csv", *MAP), "requester", {"keys"}),
    ):
        target = folder / role
        file, *more = arguments
        given = as_json(home, "encode", folder / file, *more, *FLOW, "--out", target)
        assert (given["role"], given["throwaway_key"], given["epoch"]) == (role, True, None)
        exact = next(p for p in given["passes"] if p["id"] == "nik")
        assert {c["name"] for c in exact["columns"]} == columns
        keys = np.load(target / "nik" / "keys.npy")
        assert keys.shape == (given["rows"], 16)
        content = b"".join(p.read_bytes() for p in target.rglob("*") if p.is_file())
        for person in PEOPLE:
            assert person["nik"].encode() not in content
            assert person["nama"].encode() not in content
        padan(home, "encode", folder / file, *more, *FLOW, "--out", target, code=3)
    one = np.load(folder / "provider" / "nik" / "keys.npy")
    two = as_json(
        bkn, "encode", folder / "registri.csv", "--id", "id", *FLOW, "--out", folder / "again"
    )
    other = np.load(folder / "again" / "nik" / "keys.npy")
    assert two["rows"] == len(one)
    assert not {k.tobytes() for k in one} & {k.tobytes() for k in other}, "the key was reused"

    rotate_both(bkn, kemnaker)
    real = as_json(
        kemnaker,
        *("encode", folder / "daftar.csv", *MAP, *FLOW),
        *("--out", folder / "real", "--epoch", "1"),
    )
    assert (real["throwaway_key"], real["epoch"]) == (False, 1)


@pytest.mark.parametrize("side", ["provider", "requester"])
def test_encode_shows_one_record_s_bits_as_they_would_leave(scene, side):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    home, *file = {
        "provider": (bkn, folder / "registri.csv", "--id", "id"),
        "requester": (kemnaker, folder / "daftar.csv", *MAP),
    }[side]
    command = ("encode", *file, *FLOW, "--epoch", "1")
    bundle = as_json(home, *command, "--out", folder / "all")
    record = {"provider": "R00004", "requester": "C4"}[side]
    shown = as_json(home, *command, "--show", record)
    assert (shown["id"], shown["epoch"]) == (record, 1)
    assert [p["id"] for p in shown["passes"]] == [p["id"] for p in bundle["passes"]]
    filters = 0
    for one in shown["passes"]:
        columns = {c.stem: np.load(c) for c in (folder / "all" / one["id"]).glob("*.npy")}
        if one["segments"]:
            keys = columns["keys"].view("<u2")[:, 0] == one["bucket"]
            bits = np.array([int(b) for s in one["segments"] for b in s["bits"]], np.uint8)
            rows = columns["filters"] == np.packbits(bits, bitorder="little")
            assert sum(s["set"] for s in one["segments"]) == bits.sum()
            filters += 1
        else:
            keys = np.ones(len(columns["keys"]), np.bool_)
            rows = columns["keys"] == np.frombuffer(bytes.fromhex(one["token"]), np.uint8)
        assert (rows.all(axis=1) & keys).sum() == 1
        assert ("sealed_codes" in one) == (side == "provider")
    assert filters
    seen, _ = padan(home, *command, "--show", record, COLUMNS="200")
    assert next(p["token"] for p in shown["passes"] if not p["segments"]) in seen
    secrets = json.loads((home / "identity.json").read_text())["plain"]
    assert not [s for s in secrets.values() if s in seen + json.dumps(shown)]


def test_encode_shows_only_what_can_be_encoded_and_one_thing_at_a_time(scene):
    folder, _, kemnaker = scene
    command = ("encode", folder / "daftar.csv", *MAP, *FLOW)
    _, message = padan(kemnaker, *command, "--show", "C99", code=3)
    assert "--quarantine" in message
    padan(kemnaker, *command, code=2)
    padan(kemnaker, *command, "--show", "C4", "--out", folder / "both", code=2)
    assert not (folder / "both").exists()


def test_keys_are_made_shown_and_destroyed(scene, tmp_path):
    _, bkn, kemnaker = scene
    home = tmp_path / "baru"
    made = as_json(home, "keys", "init", "--party", "bkn", "--no-passphrase")
    assert set(made) == {"party", "sign_key", "exchange_key", "public_file"}
    assert "tls" in (home / "client.toml").read_text()
    padan(home, "keys", "init", "--party", "bkn", "--no-passphrase", code=3)

    locked = tmp_path / "terkunci"
    secret = {"PADAN_PASSPHRASE": "sapi goreng merah tua hujan"}
    padan(locked, "keys", "init", "--party", "bkn", **secret)
    shown, _ = padan(locked, "keys", "show", "--json", **secret)
    assert json.loads(shown)["party"] == "bkn"
    _, message = padan(locked, "keys", "show", code=3, PADAN_PASSPHRASE="lain")
    assert "sandi salah" in message

    _, message = padan(locked, "keys", "show", code=3)  # no variable, and no terminal to ask at
    assert "PADAN_PASSPHRASE" in message
    padan(tmp_path / "kosong", "keys", "init", "--party", "bkn", code=3, PADAN_PASSPHRASE="")
    padan(tmp_path / "kosong", "keys", "init", "--party", "../bkn", "--no-passphrase", code=3)
    assert not (tmp_path / "kosong").exists()

    rotate_both(bkn, kemnaker)
    (epoch,) = as_json(bkn, "keys", "show")["epochs"]
    assert (epoch["flow"], epoch["epoch"], epoch["destroyed"]) == ("asn-status", 1, None)
    publish(tmp_path, bkn)
    _, message = padan(bkn, "keys", "destroy", *FLOW, "--epoch", "1", code=3)
    assert "--yes" in message
    assert as_json(bkn, "keys", "show")["epochs"][0]["destroyed"] is None
    destroyed = as_json(bkn, "keys", "destroy", *FLOW, "--epoch", "1", "--yes")
    assert destroyed["registries_forgotten"] == 1
    assert not [p for p in (bkn / "registries").rglob("*") if p.is_file()]
    assert as_json(bkn, "keys", "show")["epochs"][0]["destroyed"]
    stdout, _ = padan(bkn, "keys", "show", COLUMNS="200")
    secrets = json.loads((bkn / "identity.json").read_text())["plain"]
    for secret_key in secrets.values():
        assert secret_key not in stdout


def test_a_second_epoch_is_opened_on_purpose_alone(scene):
    _, bkn, kemnaker = scene
    rotate = ("keys", "rotate", *FLOW)
    as_json(bkn, *rotate)
    as_json(bkn, *rotate)  # still the first: the other side has not joined
    as_json(kemnaker, *rotate)
    _, message = padan(kemnaker, *rotate, code=3)
    assert "Epok 2" in message
    assert "--yes" in message
    assert len(as_json(kemnaker, "keys", "show")["epochs"]) == 1
    assert as_json(kemnaker, *rotate, "--yes")["epoch"] == 2
    assert as_json(bkn, *rotate)["complete"], "joining what the other side opened asks nothing"


@pytest.mark.parametrize("nameless", ["/", ".", ""])
@pytest.mark.parametrize("option", ["--out", "--quarantine", "--minutes", "--corrections"])
def test_where_a_file_is_written_has_a_name(scene, option, nameless):
    """As of a variable of the shell that nobody set; nothing is asked then, or written."""
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    given = {"--out": folder / "k.csv", option: nameless}
    confirm = ("confirm", folder / "daftar.csv", *FLOW, *MAP)
    before = sorted(folder.iterdir())
    padan(kemnaker, *confirm, *(word for pair in given.items() for word in pair), code=3)
    assert sorted(folder.iterdir()) == before


def test_errors_are_messages_in_both_languages_with_their_exit_codes(scene, tmp_path):
    folder, bkn, kemnaker = scene
    confirm = ("confirm", folder / "daftar.csv", *FLOW, *MAP, "--out", folder / "k.csv")
    _, message = padan(kemnaker, *confirm, code=3)
    assert "padan keys rotate" in message
    _, message = padan(kemnaker, "--lang", "en", *confirm, code=3)
    assert "no key epoch yet" in message
    rotate_both(bkn, kemnaker)
    _, message = padan(kemnaker, *confirm, code=4)
    assert "padan publish" in message
    padan(bkn, *confirm, code=3)
    padan(kemnaker, *confirm[:-1], folder / "tiada" / "k.csv", code=3)
    padan(kemnaker, "confirm", folder / "tiada.csv", *FLOW, "--out", folder / "k.csv", code=3)
    padan(kemnaker, "confirm", folder / "daftar.csv", *FLOW, code=2)
    padan(kemnaker, *confirm, "--map", "nik", code=3)
    _, message = padan(tmp_path / "kosong", *confirm, code=3)
    assert "padan keys init" in message


def test_only_the_party_that_suspended_resumes_and_the_other_is_told(scene):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    padan(bkn, "agreement", "suspend", FLOW[1])
    stdout, _ = padan(kemnaker, "agreement", "resume", FLOW[1])
    assert "Ditangguhkan oleh bkn" in stdout
    padan(bkn, "publish", folder / "registri.csv", *FLOW, "--id", "id", code=4)
    stdout, _ = padan(bkn, "agreement", "resume", FLOW[1])
    assert "Ditangguhkan oleh" not in stdout
    assert publish(folder, bkn)["rows"] == 40


def test_a_full_disk_is_a_message_and_the_job_goes_on(scene, monkeypatch):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    publish(folder, bkn)
    confirm = ("confirm", folder / "daftar.csv", *FLOW, *MAP, "--out", folder / "k.csv")

    def full(path, table, style):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("padan_client.records.table_files.write_table", full)
        _, message = padan(kemnaker, *confirm, code=3)
    assert "ruang simpan penuh" in message
    assert len(list((kemnaker / "jobs").glob("*.job"))) == 1
    first = as_json(kemnaker, "runs", "list", *FLOW)["runs"]
    assert as_json(kemnaker, *confirm)["run"] == first[0]["run"], "charged once"


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("put_dataset", "kuota belum terpakai"),
        ("watch_run", "kuotanya sudah terpakai"),
        ("collect_pass", "kuotanya sudah terpakai"),
    ],
)
def test_a_confirmation_that_is_stopped_says_what_was_charged_and_goes_on(
    scene, monkeypatch, step, told
):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    publish(folder, bkn)
    confirm = ("confirm", folder / "daftar.csv", *FLOW, *MAP, "--out", folder / "k.csv")

    def stop(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"padan_client.protocol.unit.confirming.{step}", stop)
        patch.setattr("sys.argv", ["padan", "confirm", "daftar saya.csv"])
        _, message = padan(kemnaker, *confirm, code=130)
    assert told in message
    assert "padan confirm 'daftar saya.csv'" in message
    begun = as_json(kemnaker, "runs", "list", *FLOW)["runs"]
    assert len(begun) == (step != "put_dataset")
    assert not begun or begun[0]["run"].rpartition("/")[2] in message
    run = as_json(kemnaker, *confirm)["run"]
    assert [r["run"] for r in as_json(kemnaker, "runs", "list", *FLOW)["runs"]] == [run]
    assert not begun or begun[0]["run"] == run, "charged once"


def test_one_that_is_stopped_after_it_has_written_goes_on_with_force(scene, monkeypatch):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    publish(folder, bkn)
    confirm = ("confirm", folder / "daftar.csv", *FLOW, *MAP, "--out", folder / "k.csv")

    def stop(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("padan_client.home.jobs.JobStore.close", stop)
        patch.setattr("sys.argv", ["padan", *map(str, confirm)])
        _, message = padan(kemnaker, *confirm, code=130)
    assert "k.csv --force" in message
    padan(kemnaker, *confirm, code=3)
    as_json(kemnaker, *confirm, "--force")
    assert len(as_json(kemnaker, "runs", "list", *FLOW)["runs"]) == 1


def test_nothing_is_asked_where_a_result_would_take_a_file_s_place(scene):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    publish(folder, bkn)
    listed, codes, minutes = (folder / n for n in ("daftar.csv", "k.csv", "ba.json"))
    (folder / "lain.csv").symlink_to("daftar.csv")
    confirm = ("confirm", listed, *FLOW, *MAP, "--out")
    before = listed.read_bytes()
    for arguments in (
        (listed, "--force"),
        (folder / "lain.csv", "--force"),
        (codes, "--minutes", codes, "--force"),
        (codes, "--quarantine", folder / "K.csv", "--force"),
        (folder / "ba.txt", "--minutes", minutes),
        (folder / "y.txt", "--minutes", folder / "y.txt"),
    ):
        padan(kemnaker, *confirm, *arguments, code=3)
    for kept in ("k.csv", "k.karantina.csv", "ba.json", "ba.txt", "ba.json.kemnaker.sig"):
        (folder / kept).write_text("dari kemarin")
        _, message = padan(kemnaker, *confirm, codes, "--minutes", minutes, code=3)
        assert kept in message
        assert "--force" in message
        assert (folder / kept).read_text() == "dari kemarin"
        (folder / kept).unlink()
    assert not as_json(kemnaker, "runs", "list", *FLOW)["runs"], "charged for nothing"
    assert listed.read_bytes() == before
    codes.write_text("dari kemarin")
    given = as_json(kemnaker, *confirm, codes, "--force")
    assert given["quarantine"] == str(folder / "k.karantina.csv")
    assert len(rows_of(codes)) == 31


def test_an_objection_stays_with_its_row_from_result_to_result(scene):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    publish(folder, bkn)
    confirm = ("confirm", folder / "daftar.csv", *FLOW, *MAP)
    as_json(kemnaker, *confirm, "--out", folder / "k.xlsx")
    book = CalamineWorkbook.from_path(folder / "k.xlsx").get_sheet_by_index(0).to_python()
    assert book[1][:2] == [1, "C0"]
    as_json(kemnaker, *confirm, "--out", folder / "k.csv", "--separator", ";", "--bom")
    lines = (folder / "k.csv").read_text().splitlines()
    objection = "keberatan: status keliru"
    (folder / "k.csv").write_text(
        "\n".join([lines[0], lines[1][:-2] + f'"{objection}"', *lines[2:]])
    )

    padan(kemnaker, *confirm, "--notes", folder / "k.csv", "--out", folder / "k.csv", code=3)
    again = ("--notes", folder / "k.csv", "--out", folder / "k2.csv")
    as_json(kemnaker, *confirm, *again)
    assert [row["catatan"] for row in rows_of(folder / "k2.csv")] == [objection] + [""] * 30
    padan(kemnaker, *confirm[:-2], *again, "--force", code=3)  # no --id to find rows by

    noted = [
        f"{line},{note}"
        for line, note in zip(
            (folder / "daftar.csv").read_text().splitlines(),
            ["KET", "-62", "@SUM(1)"] + [""] * 29,
            strict=True,
        )
    ]
    (folder / "daftar.csv").write_text("\n".join(noted) + "\n")
    _, said = padan(kemnaker, *confirm, "--note-column", "KET", "--out", folder / "k3.csv")
    assert "1 sel akan dijalankan" in said
    assert "--exact" in said
    notes = [row["catatan"] for row in rows_of(folder / "k3.csv")]
    assert notes == ["-62", "'@SUM(1)", *[""] * 29]
    exact = ("--note-column", "KET", "--out", folder / "k5.csv", "--exact")
    as_json(kemnaker, *confirm, *exact)
    assert rows_of(folder / "k5.csv")[1]["catatan"] == "@SUM(1)"
    padan(kemnaker, *confirm, "--note-column", "CAT", "--out", folder / "k4.csv", code=3)


def test_no_file_is_left_of_a_quarantine_with_nothing_in_it(scene):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    assert publish(folder, bkn)["quarantine"] is None
    whole, cut = folder / "daftar.csv", folder / "bersih.csv"
    cut.write_text("\n".join(whole.read_text().splitlines()[:-1]) + "\n")
    out = folder / "k.csv"
    as_json(kemnaker, "confirm", whole, *FLOW, *MAP, "--out", out)
    assert rows_of(folder / "k.karantina.csv")
    given = as_json(kemnaker, "confirm", cut, *FLOW, *MAP, "--out", out, "--force")
    assert given["quarantine"] is None
    assert not (folder / "k.karantina.csv").exists()
    assert not (folder / "registri.karantina.csv").exists()


def test_each_publication_keeps_its_own_quarantine(scene):
    folder, bkn, kemnaker = scene
    rotate_both(bkn, kemnaker)
    with (folder / "registri.csv").open("a") as file:
        file.write("R99999,123,,,,AKTIF\n")
    written = [publish(folder, bkn)["quarantine"] for _ in range(2)]
    assert written == [str(folder / f"registri.karantina{n}.csv") for n in ("", "2")]
    assert {row["id"] for row in rows_of(folder / "registri.karantina2.csv")} == {"R99999"}


def test_an_unforeseen_error_shows_its_place_and_no_value(scene, monkeypatch):
    _, _, kemnaker = scene

    def broken(folder):
        raise LookupError("3174014505800001")

    monkeypatch.setattr("padan_client.cli.commands.keys.open_home", broken)
    stdout, message = padan(kemnaker, "keys", "show", code=1)
    assert "cacat pada Padan (LookupError, test_client_cli.py:" in message or (
        "LookupError, keys.py:" in message
    )
    assert "3174014505800001" not in stdout + message
    with pytest.raises(LookupError, match="3174"):
        padan(kemnaker, "keys", "show", PADAN_DEBUG="1")


def test_a_demonstration_that_cannot_be_is_explained(tmp_path, monkeypatch):
    demo = ("demo", "--out", tmp_path / "peragaan")
    _, message = padan(tmp_path, *demo, "--agreement", "lain", code=3)
    assert "kemnaker-bkn-2024" in message
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    _, message = padan(tmp_path, *demo, code=3)
    assert "[server]" in message
    assert not (tmp_path / "peragaan").exists()


def test_a_list_of_bad_rows_alone_leaves_its_quarantine(scene):
    folder, _, kemnaker = scene
    (folder / "buruk.csv").write_text("nik,nama,tempat_lahir,tanggal_lahir\n,,,\n123,,,\n,,,\n")
    quarantine = folder / "karantina.csv"
    padan(
        kemnaker,
        *("confirm", folder / "buruk.csv", *FLOW, "--out", folder / "k.csv"),
        *("--quarantine", quarantine),
        code=3,
    )
    assert len(rows_of(quarantine)) >= 2
    answered = [row["hasil"] for row in rows_of(folder / "k.csv")]
    assert answered == ["karantina", "belum_dapat_dipastikan"]
