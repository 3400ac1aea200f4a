"""A party's keys change within an agreement: with the old key, and without it."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path

import grpc
import pytest
from agency import people, registry_table, small_passes, turn_epoch
from parties import refusal
from patience import PATIENCE
from typer.testing import CliRunner

from padan.v1 import resources_pb2
from padan_client import Home, ProviderClient, RequesterClient, VerificationError
from padan_client.cli.app import app
from padan_client.home import identity as identities
from padan_client.protocol.contributions import verify_contribution
from padan_linkage.agreement import load_signed
from padan_linkage.crypto import signatures
from padan_linkage.crypto.epochs import contribution_statement

PEOPLE = people(30, seed=14)
REGISTRY = registry_table(PEOPLE)


def padan(home, *arguments, code=0):
    """The command's JSON."""
    told = CliRunner().invoke(app, [*map(str, arguments), "--home", str(home.folder), "--json"])
    assert told.exit_code == code, told.output
    return json.loads(told.stdout) if code == 0 else told.output


def reopened(home):
    return Home.open(home.folder, jitter=lambda: 0.0)


def publish(pair):
    with ProviderClient(reopened(pair.provider), *pair.names) as client:
        client.publish(REGISTRY, id_column="id", status_column="status")


def found(pair):
    """How many of the twenty that are registered got a code."""
    with RequesterClient(reopened(pair.requester), *pair.names) as client:
        result = client.confirm(PEOPLE[:20])
    return 20 - result.counts["TIDAK_DITEMUKAN"]


def turn(pair):
    for home in (pair.provider, pair.requester):
        turn_epoch(reopened(home), pair)


@pytest.fixture
def pair(make_pair, unit_log):
    return make_pair(edit=small_passes)


def agreed(pair):
    """The agreement as everybody loads it now."""
    return load_signed(pair.unit.house.agreements_dir / f"{pair.agreement}.toml")


@pytest.mark.parametrize("roles", [("provider",), ("requester",), ("provider", "requester")])
def test_keys_change_and_what_was_sealed_before_still_opens(pair, roles):
    publish(pair)
    for role in roles:
        home = getattr(pair, role)
        told = padan(home, "keys", "renew", "--yes")
        assert len(told["files"]) == 1
    pair.unit.unit._rescan()
    assert found(pair) == 20, "the epoch of the old keys goes on"
    publish(pair)
    assert found(pair) == 20, "an edition signed by the new key, in the old epoch"
    turn(pair)
    publish(pair)
    assert found(pair) == 20


def test_a_renewal_that_broke_off_hands_out_the_new_keys(pair):
    """The identity was replaced, and the process died before the public file was."""
    public = pair.provider.folder / "bkn.public.json"
    old = pair.provider.identity
    new = identities.renewed(old, os.urandom)
    identities.replace_identity(pair.provider.folder, new, passphrase=None, randomness=os.urandom)
    public.write_text(json.dumps(old.public.as_json()))
    padan(pair.provider, "keys", "renew", "--yes")
    assert json.loads(public.read_text()) == new.public.as_json()


def contribution(pair, party, sign, epoch=2):
    place = pair.requester.place(*pair.names)
    statement = contribution_statement(place.digest, pair.flow, epoch, party, b"e" * 32)
    return resources_pb2.EpochContribution(
        epoch=f"{place.name}/epochs/{epoch}",
        party=party,
        public_key=b"e" * 32,
        signature=sign(statement),
    )


def test_the_old_key_opens_no_epoch_any_more(pair):
    old = pair.provider.identity
    padan(pair.provider, "keys", "renew", "--yes")
    pair.unit.unit._rescan()
    new = reopened(pair.provider).identity
    place = reopened(pair.requester).place(*pair.names)
    verify_contribution(place, contribution(pair, "bkn", new.sign))
    with pytest.raises(VerificationError):
        verify_contribution(place, contribution(pair, "bkn", old.sign))
    with pytest.raises(VerificationError):
        verify_contribution(place, contribution(pair, "bkn", new.sign, epoch=1))
    party = pair.unit.client("bkn")
    forged = contribution(pair, "bkn", old.sign)
    with pytest.raises(grpc.RpcError) as caught:
        party.agreements.CreateEpochContribution(party_request(forged), timeout=PATIENCE)
    assert refusal(caught.value).reason == "CONTRIBUTION_INVALID"


def party_request(given):
    from padan.v1 import agreement_service_pb2 as pb

    return pb.CreateEpochContributionRequest(parent=given.epoch, contribution=given)


def lose(pair, tmp_path):
    """The requester's home is gone; a new one has new keys."""
    folder = pair.requester.folder
    fresh = tmp_path / "baru"
    fresh.mkdir(mode=0o700)
    new = identities.create_identity("kemnaker", os.urandom)
    public = identities.save_identity(fresh, new, passphrase=None, randomness=os.urandom)
    shutil.copy(folder / "client.toml", fresh / "client.toml")
    shutil.rmtree(folder)
    return fresh, public, new


def test_lost_keys_are_replaced_by_both_parties_and_count_no_more(pair, tmp_path):
    publish(pair)
    lost = pair.requester.identity
    fresh, public, new = lose(pair, tmp_path)
    out = tmp_path / "surat"
    out.mkdir()
    told = padan(
        pair.provider,
        "agreement",
        "replace-keys",
        pair.agreement,
        "--party",
        "kemnaker",
        "--keys",
        public,
        "--out",
        out,
        "--yes",
    )
    assert told["missing"] == ["new"]
    target = pair.unit.house.agreements_dir / Path(told["file"]).name
    shutil.copy(told["file"], target)
    assert [f.code for f in agreed(pair).problems] == ["key-change-refused"], "one signature alone"
    target.unlink()
    home = Home.open(fresh)
    told = padan(home, "agreement", "co-sign-keys", told["file"], pair.agreement)
    assert told["missing"] == []
    shutil.copy(told["file"], target)
    pair.unit.unit._rescan()
    present = agreed(pair).agreement
    assert present.signers("kemnaker") == (new.public.sign_key,)
    assert lost.public.sign_key not in present.signers("kemnaker")
    with pytest.raises(VerificationError):
        verify_contribution(home.place(*pair.names), contribution_of(present, pair, lost))
    pair.requester = home
    turn(pair)
    publish(pair)
    assert found(pair) == 20


def contribution_of(agreement, pair, identity):
    pair.requester = pair.provider
    return contribution(pair, "kemnaker", identity.sign)


def test_a_thief_of_the_unit_or_a_single_party_replaces_nobody(pair, tmp_path):
    """The other party alone, a stranger, or the new key alone: nothing holds."""
    _, public, new = lose(pair, tmp_path)
    told = padan(
        pair.provider,
        "agreement",
        "replace-keys",
        pair.agreement,
        "--party",
        "kemnaker",
        "--keys",
        public,
        "--out",
        tmp_path,
        "--yes",
    )
    path = pair.unit.house.agreements_dir / Path(told["file"]).name
    content = json.loads(Path(told["file"]).read_bytes())
    thief = signatures.generate(b"t" * 32)
    for signed in ({"new": b""}, {"new": new.sign(b"x")}, {"new": signatures.sign(thief, b"x")}):
        content["signatures"] |= {k: base64.b64encode(v).decode() for k, v in signed.items()}
        path.write_text(json.dumps(content))
        assert agreed(pair).agreement is None
