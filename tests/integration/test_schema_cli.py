"""`padan schema`: advice written down and read again; weak hardening refused by attack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_client.rehearse import load_schema_file, run_rehearsal
from padan_lab.generate import FileRequest, Format, Level, PopulationProfile, write_files
from padan_linkage.agreement import example

WEAK = """
rows = 20000
[[fields]]
name = "nama"
kind = "person_name"
[[fields]]
name = "lahir"
kind = "date"
[[fields]]
name = "kota"
kind = "place"
[[passes]]
id = "p"
exact = ["lahir"]
similar = [{ fields = ["nama"] }]
"""


def padan(*arguments, code=0):
    """Run a command; returns its standard output, or what it said of its failure."""
    done = CliRunner().invoke(app, ["--lang", "en", *map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


@pytest.fixture(scope="module")
def registers(tmp_path_factory):
    """Two generated public registers with titles, places and dates as officials write them."""
    folder = tmp_path_factory.mktemp("registers")
    request = FileRequest(PopulationProfile.REGISTER, 2000, 1, Level.REAL, 700, 0.8, Format.CSV)
    made = write_files(request, folder, lambda *_: None)
    return {name: Path(path) for name, path in made.files.items()}


def test_what_is_written_down_is_what_was_suggested(registers, tmp_path):
    told = json.loads(
        padan("schema", "suggest", registers["list"], registers["registry"],
              "--profile", "seimbang", "-o", tmp_path / "s.toml", "--json")
    )  # fmt: skip
    file = load_schema_file(tmp_path / "s.toml")
    assert json.loads(json.dumps(told["schema"])) == file.schema.model_dump(mode="json")
    assert file.rows == told["rows"] == 2000
    assert file.policy.min_precision < 0.999
    by_name = {f["name"]: tuple(f["columns_b"]) for f in told["fields"]}
    assert by_name == dict(file.columns_b)
    assert "Nothing found" in padan("schema", "lint", tmp_path / "s.toml")


def test_registers_of_officials_are_linked_as_they_are(registers):
    result = json.loads(
        padan("rehearse", registers["list"], registers["registry"], "--truth", registers["truth"],
              "--seed", 1, "--json")
    )  # fmt: skip
    assert result["f1"] >= 0.98
    assert result["precision"] >= 0.98
    assert result["estimated_precision"] == pytest.approx(result["precision"], abs=0.02)


def test_a_lean_schema_links_them_too(registers, tmp_path):
    told = json.loads(
        padan("schema", "suggest", registers["list"], registers["registry"], "--size", "lean",
              "-o", tmp_path / "lean.toml", "--json")
    )  # fmt: skip
    assert told["record_bytes"] <= 512
    result = run_rehearsal(
        registers["list"], registers["registry"], load_schema_file(tmp_path / "lean.toml"),
        truth=registers["truth"], seed=1,
    )  # fmt: skip
    assert result.quality.precision >= 0.99
    assert result.quality.recall >= 0.9


@pytest.mark.parametrize(
    ("old", "new", "attack"),
    [
        ('["nama"] }', '["nama"], diffusion = 4 }', "graph matching"),
        ('["nama"] }', '["nama"], weight = 30 }', "group fingerprints"),
        ('["nama"] }', '["kota"] }', "equality"),
        ('["lahir"]', '["kota"]', "frequency alignment"),
        ("rows = 20000", "rows = 5000000", "group fingerprints"),
        ('kind = "place"', 'kind = "place"\nvalues = 3', "unused"),
    ],
    ids=["diffusion", "sparse", "low entropy", "unsalted", "hundreds", "unused"],
)  # fmt: skip
def test_weak_hardening_is_refused_with_the_attacks_name(tmp_path, old, new, attack):
    (tmp_path / "s.toml").write_text(WEAK.replace(old, new))
    said = json.loads(padan("schema", "lint", tmp_path / "s.toml", "--json", code=3))
    texts = " ".join(f["code"] + f["text"] for f in said["findings"] if f["severity"] == "error")
    assert attack in texts


def test_the_size_decides_and_may_be_told(tmp_path):
    used = WEAK.replace('exact = ["lahir"]', 'exact = ["lahir", "kota"]')
    (tmp_path / "s.toml").write_text(used)
    assert "Nothing found" in padan("schema", "lint", tmp_path / "s.toml")
    said = json.loads(
        padan("schema", "lint", tmp_path / "s.toml", "--rows", 500_000_000, "--json", code=3)
    )
    assert said["rows"] == 500_000_000
    assert {f["code"] for f in said["findings"]} >= {"pass-group"}


def test_an_agreements_schemas_are_linted_as_they_stand(tmp_path):
    (tmp_path / "a.toml").write_bytes(example("kemenkopmk-kemnaker-2023"))
    assert "Nothing found" in padan("schema", "lint", tmp_path / "a.toml")
    said = padan("schema", "lint", tmp_path / "a.toml", "--rows", 900_000_000, code=3)
    assert "frequency analysis" in " ".join(said.split())


def test_a_file_that_is_neither_is_refused(tmp_path):
    (tmp_path / "a.toml").write_text("[[flow]]\nid = 3\n")
    padan("schema", "lint", tmp_path / "a.toml", code=3)
    (tmp_path / "s.toml").write_text("passes = 3\n")
    padan("schema", "lint", tmp_path / "s.toml", code=3)
