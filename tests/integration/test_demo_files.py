"""``padan demo --registry … --list …``: files one has, real processes, several lists."""

import csv
import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_lab.generate import FileRequest, Level, PopulationProfile, write_files


def demo(*arguments, code):
    """Run the command; the object it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "padan_client", "demo", *map(str, arguments), "--json"],
        env={**os.environ, "PADAN_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def rows_of(path):
    """A CSV's rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Registry, list and truth of one profile; a registry that no column names, as its owner's."""
    folder = tmp_path_factory.mktemp("people")
    request = FileRequest(PopulationProfile.ASN, 1500, 4, Level.REAL, 600, 0.5, copies=0)
    files = write_files(request, folder, lambda _done, _total: None).files
    registry = rows_of(files["registry"])
    number = {row.pop("id"): str(at) for at, row in enumerate(registry, 1)}
    renamed = [{("NIK_PNS" if k == "nik" else k): v for k, v in row.items()} for row in registry]
    write(files["registry"], renamed)
    truth = rows_of(files["truth"])
    write(files["truth"], [t | {"rec_id_b": number[t["rec_id_b"]]} for t in truth])
    return files


def asked(people, folder, lists, *options):
    """Ask ``lists`` against the registry, and where they are answered."""
    named = [part for path in lists for part in ("--list", path)]
    told = demo(
        "--registry", people["registry"], *named, "--truth", people["truth"],
        "--map", "nik=NIK_PNS", "--out", folder / "out", *options, code=4,
    )  # fmt: skip
    return told, folder / "out"


@pytest.fixture(scope="module")
def lists(people):
    """One of numbers alone, a bad one, and the whole one that they are cut from."""
    rows, whole = rows_of(people["list"]), people["list"]
    numbers = [{"id": row["id"], "No. KTP": row["nik"]} for row in rows[:40]]
    bare = write(whole.with_name("bare.csv"), numbers)
    return [bare, write(whole.with_name("bad.csv"), rows[:1] * 2), whole]


@pytest.fixture(scope="module")
def played(people, lists, tmp_path_factory):
    """All of them."""
    return asked(people, tmp_path_factory.mktemp("played"), lists)


def test_each_list_has_its_answers_and_its_verdict(played, people):
    told, folder = played
    truth = {row["rec_id_a"] for row in rows_of(people["truth"])}
    bare, _, whole = told["lists"]
    for one, name, rows in ((bare, "codes", 40), (whole, "codes-3", 600)):
        answers = rows_of(folder / f"{name}.csv")
        assert one["rows"] == len(answers) == rows == sum(one["outcomes"].values())
        assert one["in_registry"] == sum(row["id"] in truth for row in answers)
        found = [row for row in answers if row["hasil"] == "ditemukan"]
        assert one["found"] == len(found) == one["outcomes"].get("ditemukan", 0)
        wrong = [row for row in found if row["id"] not in truth]
        assert one["strangers"].get("ditemukan", 0) == len(wrong)
        assert (folder / f"{name}.karantina.csv").exists() == (one["quarantine"] is not None)
    assert told["registry"]["rows"] > 1450
    assert told["precision"] > 0.98
    assert whole["recall"] > 0.9
    assert told["candidates"] == 642
    assert (told["agreement_widened"], told["accepts"]) == (True, ["repeats", "deltas"])
    assert json.loads((folder / "demo.json").read_text())["lists"] == told["lists"]


def test_a_refused_list_does_not_stop_the_next_and_missing_fields_are_told(played):
    bare, bad, whole = played[0]["lists"]
    assert "Duplicate ids" in bad["error"]
    assert (bare["without"], whole["without"]) == (["nama", "tempat_lahir", "tanggal_lahir"], [])


@pytest.mark.slow
def test_every_list_may_be_asked_again_after_a_restart(people, lists, tmp_path):
    told, folder = asked(people, tmp_path, lists[1:], "--repeat", "--restart")
    assert told["lists"][1]["differing_again"] == 0
    log = [json.loads(line) for line in (folder / "logs" / "unit.jsonl").read_text().splitlines()]
    assert sum(entry.get("event") == "unit_started" for entry in log) == 4


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--list", "{list}"), "--registry"),
        (("--registry", "{registry}"), "--list"),
        (("--registry", "{registry}", "--list", "{list}", "--map", "nik=TIADA"), "TIADA"),
        (("--registry", "{registry}", "--list", "{list}", "--flow", "referensi"), "referensi"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_touched(
    people, tmp_path, arguments, named
):
    given = [a.format(**people) for a in arguments]
    told = CliRunner().invoke(app, ["--lang", "en", "demo", *given, "--out", str(tmp_path / "out")])
    assert told.exit_code == 3
    assert named in told.stderr
    assert not (tmp_path / "out").exists()
