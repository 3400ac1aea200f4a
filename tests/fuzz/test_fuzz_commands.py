"""Files of a home and of an officer, damaged in any way: a command says what is wrong, or works.

No command ends as a defect (exit code 1), whatever lies in the files that it reads.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow.csv
import pytest
import structlog.testing
from agency import people, registry_table, small_passes, write_home
from engines import FakeEngine
from parsers.mutation import mutated
from typer.testing import CliRunner

from padan_client.cli.app import app

PEOPLE = people(40, seed=5)
FLOW = ("--agreement", "kemnaker-bkn-2024", "--flow", "asn-status")
DEFECT = 1


@dataclass
class OfficersFiles:
    """Both homes after a matching, the officers' files, and an agreement of the folder."""

    folder: Path
    homes: dict[str, Path]
    agreements: Path

    def run(self, party: str, *arguments: object) -> int:
        """The exit code of a command; a defect's own words where it is one."""
        done = CliRunner().invoke(
            app, [str(a) for a in arguments], env={"PADAN_HOME": str(self.homes[party])}
        )
        strange = done.exception is not None and not isinstance(done.exception, SystemExit)
        assert not strange, f"{arguments}: {done.exception!r}"
        assert done.exit_code != DEFECT, f"{arguments}: {done.output[-600:]}"
        return done.exit_code

    def publish(self, *more: object) -> int:
        """The provider publishes its file."""
        source = self.folder / "registri.csv"
        return self.run("bkn", "publish", source, *FLOW, "--id", "id", "--status", "status", *more)

    def confirm(self, *more: object) -> int:
        """The requester has its list answered."""
        listed, out = self.folder / "daftar.csv", self.folder / "kode.csv"
        return self.run(
            "kemnaker", "confirm", listed, *FLOW, "--id", "id", "--out", out, "--force", *more
        )

    def files(self) -> list[tuple[str, Path]]:
        """Everything that a command reads, and whose it is."""
        own = [(p, f) for p, home in self.homes.items() for f in sorted(home.rglob("*"))]
        given = [("kemnaker", f) for f in sorted(self.folder.glob("*.*"))]
        signed = [("kemnaker", f) for f in sorted(self.agreements.iterdir())]
        return [(p, f) for p, f in own + given + signed if f.is_file() and f.stat().st_size]

    def try_all(self, party: str, path: Path) -> Counter[int]:
        """Every command that might read the file, by its exit code."""
        minutes = self.folder / "berita-acara.json"
        commands: list[tuple[object, ...]] = [
            ("keys", "show"),
            ("agreement", "status"),
            ("agreement", "heads"),
            ("runs", "list", *FLOW),
            ("runs", "datasets", *FLOW),
            ("minutes", "verify", minutes),
            ("minutes", "sign", minutes, "--yes"),
            ("agreement", "lint", path),
            ("fingerprint", *FLOW),
        ]
        codes = Counter(self.run(party, *command) for command in commands)
        codes[self.publish("--yes") if party == "bkn" else self.confirm("--yes")] += 1
        return codes


@pytest.fixture
def scene(make_unit, tmp_path):
    unit = make_unit(engine=FakeEngine(), edit=small_passes)
    homes = {p: write_home(tmp_path / p, unit.house, p, unit.port) for p in ("bkn", "kemnaker")}
    made = OfficersFiles(tmp_path / "given", homes, unit.house.agreements_dir)
    made.folder.mkdir()
    table = registry_table(PEOPLE[:30])
    pyarrow.csv.write_csv(table, made.folder / "registri.csv")
    pyarrow.csv.write_csv(
        registry_table(PEOPLE[20:]).drop_columns(["status"]), made.folder / "daftar.csv"
    )
    with structlog.testing.capture_logs():
        for party in homes:
            assert made.run(party, "keys", "rotate", *FLOW) == 0
        assert made.publish() == 0
        minutes = made.folder / "berita-acara.json"
        assert made.confirm("--minutes", minutes) == 0
        assert made.run("kemnaker", "minutes", "verify", minutes) == 0
        yield made


def damage(scene: OfficersFiles, seed: int, tries: int) -> Counter[int]:
    """``tries`` files changed, one after another, each put back."""
    draw, codes = random.Random(seed), Counter[int]()
    kept = {path: path.read_bytes() for _, path in scene.files()}
    for _ in range(tries):
        party, path = draw.choice(scene.files())
        before = kept.get(path) or path.read_bytes()
        path.write_bytes(mutated(before, draw))
        try:
            codes += scene.try_all(party, path)
        finally:
            path.write_bytes(before)
    return codes


def test_no_file_is_a_defect(scene):
    codes = damage(scene, seed=1, tries=4)
    assert codes[0]
    assert sum(codes.values()) > codes[0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_no_file_is_a_defect_of_many(scene, seed):
    assert damage(scene, seed, tries=25)[0]
