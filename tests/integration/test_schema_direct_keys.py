"""`padan schema suggest --mode direct`: what it prints is pasted into an agreement."""

from __future__ import annotations

import json

import pyarrow.csv as pv
import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_lab.generate.scenarios import generate_demo
from padan_linkage.agreement import Severity, example, lint, load_agreement

KEYS_OF = "kemnaker-bkn-2024", "asn-status"


def padan(*arguments, code=0):
    done = CliRunner().invoke(app, ["--lang", "en", *map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def errors(document):
    return [(f.code, f.where) for f in lint(document) if f.severity is Severity.ERROR]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asn")
    agreement, flow = KEYS_OF
    made = generate_demo(load_agreement(example(agreement)).flow(flow), 2_000, 1_000, seed=62)
    for name, table in (("a.csv", made.requests), ("b.csv", made.registry)):
        pv.write_csv(table, folder / name)
    return folder / "a.csv", folder / "b.csv"


def test_what_is_printed_is_pasted_into_an_agreement_and_lints(files, tmp_path):
    told = json.loads(
        padan("schema", "suggest", "--mode", "direct", *files, "--rows", 5_000_000,
              "-o", tmp_path / "keys.toml", "--json")
    )  # fmt: skip
    agreement, flow = KEYS_OF
    text = example(agreement).decode()
    start = text.index("[flow.direct]", text.index(f'id = "{flow}"'))
    end = text.index("[[flow]]", start)
    pasted = text[:start] + (tmp_path / "keys.toml").read_text() + "\n" + text[end:]
    loaded = load_agreement(pasted.encode())
    keys = loaded.flow(flow).direct.keys
    assert [k.id for k in keys] == [k["id"] for k in told["keys"]]
    assert [k.exact for k in keys] == [tuple(k["exact"]) for k in told["keys"]]
    assert errors(pasted.encode()) == errors(example(agreement))  # keys and pins are not there yet


def test_a_reader_is_told_the_bound_the_quota_and_what_was_passed_over(files):
    said = padan("schema", "suggest", "--mode", "direct", *files)
    for part in ("Profile bound", "day's quota", "opening alone", "two together", "less than"):
        assert part in said


def test_a_registry_is_needed(files):
    assert "name its file too" in padan("schema", "suggest", "--mode", "direct", files[0], code=3)
