"""``padan demo --registry … --list …``: files one has, real processes, several lists."""

import csv
import json
import os
import subprocess
import sys

import pytest

from padan_lab.generate import FileRequest, Level, PopulationProfile, write_files


def demo(*arguments, code=0):
    """Run the command; the object it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "padan_client", "demo", *map(str, arguments), "--json"],
        env={**os.environ, "PADAN_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code in (0, 4) else done.stderr


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


@pytest.fixture(scope="module")
def played(people, tmp_path_factory):
    """A short list before the whole one it is cut from, each twice, the unit restarted."""
    folder = tmp_path_factory.mktemp("played") / "out"
    short = write(people["list"].with_name("short.csv"), rows_of(people["list"])[100:160])
    told = demo(
        "--registry", people["registry"], "--list", short, "--list", people["list"],
        "--truth", people["truth"], "--map", "nik=NIK_PNS", "--repeat", "--restart",
        "--out", folder,
    )  # fmt: skip
    return told, folder


def test_each_list_has_its_answers_and_its_verdict(played, people):
    told, folder = played
    truth = {row["rec_id_a"] for row in rows_of(people["truth"])}
    for one, (name, rows) in zip(told["lists"], (("codes", 60), ("codes-2", 600)), strict=True):
        answers = rows_of(folder / f"{name}.csv")
        assert one["rows"] == len(answers) == rows == sum(one["outcomes"].values())
        assert one["in_registry"] == sum(row["id"] in truth for row in answers)
        found = [row for row in answers if row["hasil"] == "ditemukan"]
        assert one["found"] == len(found) == one["outcomes"].get("ditemukan", 0)
        wrong = [row for row in found if row["id"] not in truth]
        assert one["strangers"].get("ditemukan", 0) == len(wrong)
        assert (folder / f"{name}.karantina.csv").exists() == (one["quarantine"] is not None)
        assert one["differing_again"] is not None
    assert told["registry"]["rows"] > 1450
    assert told["precision"] > 0.98
    assert told["lists"][1]["recall"] > 0.9
    assert told["lists"][1]["seen_before"]["rows"] >= 60
    assert told["candidates"] == 660
    assert json.loads((folder / "demo.json").read_text())["lists"] == told["lists"]


def test_a_restart_is_a_restart(played):
    _, folder = played
    log = [json.loads(line) for line in (folder / "logs" / "unit.jsonl").read_text().splitlines()]
    assert sum(entry.get("event") == "unit_started" for entry in log) == 4


def test_a_refused_list_does_not_stop_the_next_one_of_numbers_alone(people, tmp_path):
    bad = write(tmp_path / "bad.csv", rows_of(people["list"])[:1] * 2)
    rows = [{"id": r["id"], "No. KTP": r["nik"]} for r in rows_of(people["list"])[:40]]
    good = write(tmp_path / "good.csv", rows)
    told = demo(
        "--registry", people["registry"], "--list", bad, "--list", good,
        "--map", "nik=NIK_PNS", "--mode", "direct", "--out", tmp_path / "out", code=4,
    )  # fmt: skip
    refused, answered = told["lists"]
    assert "Duplicate ids" in refused["error"]
    assert refused["without"] == []
    assert answered["without"] == ["nama", "tanggal_lahir"]
    assert sum(answered["outcomes"].values()) == 40
    assert "precision" not in told


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
    assert named in demo(*given, "--out", tmp_path / "out", code=3)
    assert not (tmp_path / "out").exists()
