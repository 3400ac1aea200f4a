"""`padan assess`: from a dump to a verdict, a page and an object."""

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_lab.assess import assessing
from padan_lab.assess.assessing import Effort
from padan_lab.assess.controls import Control
from padan_lab.assess.material.dump import sample
from padan_lab.assess.material.population import grouped_people
from padan_lab.assess.material.schemes import PassScheme
from padan_lab.assess.suite import Attack, AttackLimits, Rate, View
from padan_linkage.schema import Kind, Pass, Schema, SchemaField, Segment

SCHEMA = """
decoy_share = 0.25
[[fields]]
name = "nama"
kind = "person_name"
[[fields]]
name = "tanggal_lahir"
kind = "date"
[[passes]]
id = "lahir"
exact = ["tanggal_lahir"]
similar = [{ fields = ["nama"], weight = 150, diffusion = 12 }]
bucket_bits = 4
[[passes]]
id = "nama"
exact = ["nama:phonetic"]
similar = [{ fields = ["tanggal_lahir"], weight = 200, diffusion = 16 }]
bucket_bits = 4
"""


def schema(diffusion=12):
    return Schema(
        fields=(
            SchemaField(name="nama", kind=Kind.PERSON_NAME),
            SchemaField(name="tanggal_lahir", kind=Kind.DATE),
        ),
        passes=(
            Pass(
                id="lahir",
                exact=("tanggal_lahir",),
                similar=(Segment(fields=("nama",), diffusion=diffusion),),
                bucket_bits=4,
            ),
        ),
    )


def run(*arguments, code=0):
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


@pytest.fixture
def small(monkeypatch):
    """A little effort, and controls that need not be tried again here."""
    fallen = Control("plain", Rate(Attack.SIG, View.TABLE, 100, 100, 0.01), 0.95)
    monkeypatch.setattr(assessing, "controls", lambda *_: iter([fallen]))
    monkeypatch.setattr(Effort, "of", classmethod(lambda cls, **_: cls(300, 2, 1, 100)))


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assessed")
    made = grouped_people(schema(), schema().passes[0], 5, 100, 1)
    ids = pa.array([f"P{i}" for i in range(100)])
    pyarrow.csv.write_csv(pa.table({"rec_id": ids, **made}), folder / "a.csv")
    (folder / "schema.toml").write_text(SCHEMA)
    run(
        "rehearse", folder / "a.csv", "--schema", folder / "schema.toml",
        "--dump-encodings", folder / "dump", "--seed", 1,
    )  # fmt: skip
    return folder


def test_a_dump_is_assessed_with_what_it_holds(dump, small, tmp_path):
    page = tmp_path / "report.html"
    found = json.loads(run("assess", dump / "dump", "--out", page, "--json"))
    assert found["population"] == 100
    assert found["controls_fell"]
    assert not found["encoded_anew"]
    assert {p["id"] for p in found["passes"]} == {"lahir", "nama"}
    birth = next(p for p in found["passes"] if p["id"] == "lahir")
    assert birth["persons"] == 100
    assert (birth["group_median"], birth["group_largest"]) == (5, 5)
    tried = {(r["attack"], r["view"]) for r in birth["rates"]}
    assert tried >= {("FREQ", "table"), ("PM", "table"), ("GMA", "table"), ("SIG", "table")}
    assert tried >= {("SEED", "some"), ("DEA", "half")}
    assert all(r["low"] <= r["persons"] <= r["high"] for r in birth["rates"])
    assert not found["within_limits"]  # a hundred people cannot show one in a hundred
    assert not birth["enough_persons"]
    assert birth["within_limit"]
    assert {i["part"] for i in found["without"]} >= {None, "salt", "diffusion", "decoys"}
    assert {("GRP", "groups"), ("GRP", "table")} <= tried
    assert len(birth["null"]) == len(birth["rates"])
    assert {r["view"] for r in found["across_passes"]} == {"table", "aligned"}
    assert page.stat().st_mode & 0o777 == 0o600
    text = page.read_text("utf-8")
    assert "<svg" in text
    assert "GRP" in text
    assert re.findall(r"(?:src|href)\s*=\s*[\"']?(?!#)(?:https?:)?//", text) == []
    assert "<script" not in text


def test_the_attacker_may_know_fewer_people_and_not_nobody(dump, small):
    made = pyarrow.csv.read_csv(dump / "a.csv")
    others = grouped_people(schema(), schema().passes[0], 5, 100, 9)
    pyarrow.csv.write_csv(pa.table(others), dump / "others.csv")
    pyarrow.csv.write_csv(made.slice(0, 50), dump / "half.csv")
    command = ("assess", dump / "dump", "--json", "--population")
    assert "--map" in run(*command, dump / "others.csv", code=3)
    found = json.loads(run(*command, dump / "half.csv"))
    assert [p["persons"] for p in found["passes"]] == [50, 50]


def test_a_folder_that_is_no_dump_is_refused(tmp_path):
    assert "schema.json" in run("assess", tmp_path, code=3)


def test_a_sample_keeps_buckets_whole():
    scheme = PassScheme(schema(), schema().passes[0])
    made = grouped_people(scheme.schema, scheme.p, 5, 400, 1)
    table = scheme.encode(made, 1)
    part, persons = sample(table, 200, 1)
    assert 0 < len(part.seen) <= 200
    kept = np.unique(part.seen.blocks)
    assert np.isin(table.seen.blocks, kept).sum() == len(part.seen)
    real = part.person >= 0
    whole = {(int(p), int(b)) for p, b in zip(table.person, table.seen.blocks, strict=True)}
    found = zip(persons[part.person[real]], part.seen.blocks[real], strict=True)
    assert {(int(p), int(b)) for p, b in found} <= whole


def test_limits_follow_profile_view_and_salt():
    strict = schema()
    birth = strict.passes[0]
    weak = birth.model_copy(update={"exact": ("nama:phonetic", "tanggal_lahir")})
    limits = AttackLimits.of(strict)
    assert limits.at(strict, birth, View.GROUPS) == limits.at(strict, weak, View.TABLE) == 0.01
    assert limits.at(strict, weak, View.GROUPS) == 0.03
    balanced = strict.model_copy(update={"presence": True})
    assert AttackLimits.of(balanced).at(balanced, weak, View.GROUPS) == 0.10


def test_a_dump_ties_no_rows_of_two_passes_together(dump):
    """Each pass has its own order, its own keys and handles, and the size of every other."""
    unit, owner = dump / "dump" / "unit" / "a", dump / "dump" / "owner" / "a"
    columns = [{f.stem: np.load(f) for f in (unit / p).iterdir()} for p in ("lahir", "nama")]
    orders = [np.load(owner / p / "record_of_row.npy") for p in ("lahir", "nama")]
    assert len({len(column) for table in columns for column in table.values()}) == 1
    places = [np.argsort(order)[np.sort(order) >= 0] for order in orders]
    assert abs(np.corrcoef(*places)[0, 1]) < 0.35
    for name in columns[0].keys() & columns[1].keys() - {"keys"}:
        one, two = ({row.tobytes() for row in table[name]} for table in columns)
        assert one.isdisjoint(two), name


def test_a_side_that_is_neither_is_wrong_usage(tmp_path):
    """And no defect: the exit code tells scripts which of the two it was."""
    done = CliRunner().invoke(app, ["assess", str(tmp_path), "--side", "c"])
    assert done.exit_code == 2
    assert "--side" in done.output
