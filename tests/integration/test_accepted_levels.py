"""Error levels: proposed by a rehearsal, accepted by both sides, and named by the edition."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.csv
import pytest
from agency import people, registry_table, small_passes
from typer.testing import CliRunner

from padan_client import Home, ProviderClient, RequesterClient, VerificationError
from padan_client.cli.app import app
from padan_client.home.accepted_levels import read_levels
from padan_linkage.edition.document import SHIPPED
from padan_server.matching.linkage_engine import LinkageEngine

PEOPLE = people(400, seed=8)
REGISTRY = registry_table(PEOPLE[:300])
LIST = PEOPLE[200:]


def padan(home, *arguments, code=0):
    """Run a command of an agency; returns its output, or its error."""
    done = CliRunner(env={"PADAN_HOME": str(home.folder)}).invoke(app, [str(a) for a in arguments])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else " ".join(done.stderr.split())


@pytest.fixture
def pair(make_pair):
    return make_pair(edit=small_passes, engine=LinkageEngine())


@pytest.fixture
def proposal(pair, tmp_path):
    """Levels learned from a sample that both sides may see."""
    pa.csv.write_csv(registry_table(PEOPLE), tmp_path / "b.csv")
    pa.csv.write_csv(pa.Table.from_pylist(PEOPLE[:200]), tmp_path / "a.csv")
    agreement = pair.unit.house.agreements_dir / f"{pair.agreement}.toml"
    path = tmp_path / "usulan.json"
    padan(
        pair.provider, "rehearse", tmp_path / "a.csv", tmp_path / "b.csv", "--agreement", agreement,
        "--flow", pair.flow, "--propose", path, "--seed", 1,
    )  # fmt: skip
    return path


def publish(pair, table=REGISTRY, **more):
    with ProviderClient(pair.provider, *pair.names) as client:
        return client.publish(table, id_column="id", status_column="status", **more).edition


def confirm(pair):
    with RequesterClient(pair.requester, *pair.names) as client:
        return client.confirm(LIST)


def accept(pair, home: Home, path):
    flow = ("--agreement", pair.agreement, "--flow", pair.flow)
    return json.loads(padan(home, "agreement", "accept-levels", path, *flow, "--yes", "--json"))


def test_what_both_sides_accepted_is_published_by_and_named(pair, proposal):
    learned = read_levels(proposal).levels
    assert (learned.rows, min(learned.pairs.values()) > 100) == (200, True)
    assert accept(pair, pair.provider, proposal)["missing"] == [pair.requester.identity.party]
    assert publish(pair).levels == SHIPPED  # one signature changes nothing
    before = confirm(pair)
    assert accept(pair, pair.requester, proposal)["missing"] == []
    assert publish(pair).levels == SHIPPED  # the provider has not seen the second signature yet
    given = accept(pair, pair.provider, proposal)
    edition = publish(pair)
    assert edition.levels == given["levels"] == learned.digest()
    after = confirm(pair)
    assert after.edition == edition.name() != before.edition
    assert after.counts["TIDAK_DITEMUKAN"] == before.counts["TIDAK_DITEMUKAN"] == 100
    with RequesterClient(pair.requester, *pair.names) as client:
        assert client.confirm_one(LIST[0])["hasil"] == "ditemukan"


def test_a_requester_that_never_signed_the_levels_takes_no_code(pair, proposal, tmp_path):
    accept(pair, pair.provider, proposal)
    accept(pair, pair.requester, proposal)
    accept(pair, pair.provider, proposal)
    kept = list((pair.requester.folder / "levels").rglob("*.json"))
    (tmp_path / "aside").write_bytes(kept[0].read_bytes())
    kept[0].unlink()
    publish(pair)
    with pytest.raises(VerificationError, match="accept-levels"):
        confirm(pair)
    kept[0].write_bytes((tmp_path / "aside").read_bytes())
    assert confirm(pair).counts["TIDAK_DITEMUKAN"] == 100


def test_levels_that_were_changed_or_are_of_another_flow_are_refused(pair, proposal):
    flow = ("--agreement", pair.agreement, "--flow", pair.flow)
    command = ("agreement", "accept-levels", proposal, *flow)
    assert "--yes" in padan(pair.provider, *command, code=3)
    accept(pair, pair.provider, proposal)
    signed = proposal.read_text()
    proposal.write_text(signed.replace('"rows": 200', '"rows": 201'))
    assert "signatures" in padan(pair.requester, *command, "--yes", code=7)
    digest = pair.unit.house.signed.digest.hex()
    proposal.write_text(signed.replace(digest, "ab" * 32))
    assert "(agreement)" in padan(pair.requester, *command, "--yes", code=7)
    proposal.write_text("{}")
    assert "--propose" in padan(pair.requester, *command, "--yes", code=3)
