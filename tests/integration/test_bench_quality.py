"""`padan bench quality`: what passes can find at all, and Splink's figures beside Padan's."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_client.rehearse import load_schema_file
from padan_client.rehearse.sides import read_side
from padan_client.rehearse.tables import Truth
from padan_lab.bench.quality import recall_ceiling
from padan_lab.generate import FileRequest, Format, Level, PopulationProfile, write_files

SCHEMA = """
[[fields]]
name = "nama"
kind = "person_name"
[[fields]]
name = "lahir"
kind = "date"
[[passes]]
id = "lahir"
exact = ["lahir"]
similar = [{ fields = ["nama"] }]
[[passes]]
id = "nama"
exact = ["nama:ends3"]
similar = [{ fields = ["lahir"] }]
"""


@pytest.fixture(scope="module")
def registers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registers")
    request = FileRequest(PopulationProfile.REGISTER, 1500, 2, Level.REAL, 600, 0.8, Format.CSV)
    made = write_files(request, folder, lambda *_: None)
    return {name: Path(path) for name, path in made.files.items()}


def test_the_ceiling_counts_pairs_that_meet_in_some_pass(tmp_path):
    a = [("Siti Aminah", "1980-02-17"), ("Budi Santoso", "1975-12-03"), ("Rina", "1990-07-21")]
    b = [("Siti Aminah", "1980-12-17"), ("Joko Santoso", "1975-12-03"), ("Tini", "1991-07-21")]
    for name, rows in (("a", a), ("b", b)):
        columns = dict(zip(("nama", "lahir"), map(pa.array, zip(*rows, strict=True)), strict=True))
        ids = pa.array([f"{name}{n}" for n in range(3)])
        pyarrow.csv.write_csv(pa.table({"rec_id": ids} | columns), tmp_path / f"{name}.csv")
    (tmp_path / "t.csv").write_text("x,y\na0,b0\na1,b1\na2,b2\n")
    (tmp_path / "s.toml").write_text(SCHEMA)
    file = load_schema_file(tmp_path / "s.toml")
    one, two = (read_side(tmp_path / f"{n}.csv", file.schema, {}, None) for n in "ab")
    truth = Truth.read(tmp_path / "t.csv", one, two, within=False)
    assert recall_ceiling(file, truth, one, two) == pytest.approx(2 / 3)


def measured(registers, *options):
    command = ["bench", "quality", registers["list"], registers["registry"], "--json"]
    command += ["--truth", registers["truth"], "--fields", "nama,tanggal_lahir", *options]
    done = CliRunner().invoke(app, list(map(str, command)))
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_without_splink_it_says_so_and_measures_padan(registers, monkeypatch):
    monkeypatch.setattr("padan_lab.bench.quality.peer", lambda _: None)
    told = measured(registers, "--size", "lean")
    assert told["measured"]["quality"]["padan"]["f1"] > 0.9
    assert told["measured"]["recall_ceiling"] >= told["measured"]["quality"]["padan"]["recall"]
    assert told["ratios"] == {}
    assert "Splink" in told["measured"]["absent"][0]


@pytest.mark.slow
def test_splink_runs_beside_it_on_the_same_fields(registers):
    pytest.importorskip("splink")
    told = measured(registers)
    lines = told["measured"]["quality"]
    assert lines["splink oracle"]["f1"] >= lines["splink blind"]["f1"] > 0.7
    ours, theirs = lines["padan"]["f1"], lines["splink blind"]["f1"]
    assert told["ratios"]["f1_vs_splink_blind"] == pytest.approx(ours / theirs, abs=0.002)
