"""Folders of another version: what an older one left goes on, what a newer one left is not touched.

``older/65d7c02.tar.xz`` was made by that commit (migration 0006, before marks, heads and format
numbers): a unit's directory after one registry and one list, and both agencies' homes. The people
in it are generated.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import sqlite3
import tarfile
from pathlib import Path

import pytest
from agency import people, registry_table, small_passes, write_home
from engines import FakeEngine
from server_fixture import NOW
from typer.testing import CliRunner

from padan_client import Home, ProviderClient, RefusedError, RequesterClient, VerificationError
from padan_client.cli.app import app
from padan_client.home.protection.home_format import FILE, HOME_FORMAT
from padan_client.protocol.rotating import rotate
from padan_client.transport.channel import Link
from padan_linkage.crypto.software import software
from padan_server.store.port import OtherVersionError
from padan_server.store.sql.store import data_format

OLDER = Path(__file__).parent / "older/65d7c02.tar.xz"
#: Of the fixture: small enough for a repository.
MOST_BYTES = 150_000
NAMES = ("kemnaker-bkn-2024", "asn-status")
PEOPLE = people(40, seed=5)


@pytest.fixture
def older(tmp_path):
    """The folders as the older version left them."""
    assert OLDER.stat().st_size <= MOST_BYTES
    with lzma.open(OLDER) as packed, tarfile.open(fileobj=packed) as archive:
        archive.extractall(tmp_path / "older")
    for path in (tmp_path / "older").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return tmp_path / "older"


@pytest.fixture
def served(older, make_house, make_unit):
    """A unit of this version on the older directory, and both homes pointing at it."""
    house = make_house(edit=small_passes)
    for name in ("agreements", "data"):
        shutil.rmtree(house.folder / name, ignore_errors=True)
        shutil.copytree(older / "unit" / name, house.folder / name)
    return make_unit(house=house, engine=FakeEngine())


def contents(folder):
    """Every file and what is in it."""
    return {
        p.relative_to(folder): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def homes(older, unit):
    """Both homes at the unit, opened by this version."""
    for party, name in (("bkn", "provider"), ("kemnaker", "requester")):
        write_home(older / name, unit.house, party, unit.port)
        yield Home.open(older / name, jitter=lambda: 0.0)


def test_what_an_older_version_left_is_read_as_far_as_it_can_be_and_refused_before_it_costs(
    older, served
):
    """Its editions had another format: said before a charge, and mended by publishing."""
    provider, requester = homes(older, served)
    with (
        RequesterClient(requester, *NAMES) as client,
        pytest.raises(VerificationError, match="versi terdahulu"),
    ):
        client.confirm(PEOPLE[5:30])
    with served.unit._store.read() as tx:
        charged = tx.heads.head(*NAMES).generation
    assert charged == 0  # nothing happened since the chains began
    for home in (provider, requester):
        with Link.open(home, *NAMES) as link:
            link.run(rotate(home, *NAMES, NOW))
    with ProviderClient(provider, *NAMES) as client:
        client.publish(registry_table(PEOPLE), id_column="id", status_column="status")
    with RequesterClient(requester, *NAMES) as client:
        result = client.confirm(PEOPLE[5:30])
    assert result.counts.get("TIDAK_DITEMUKAN", 0) == 0
    assert json.loads((served.house.data_dir / "mark.json").read_text())["format"] == data_format()
    for home in (provider, requester):
        told = json.loads((home.folder / FILE).read_text())
        assert told == {"format": HOME_FORMAT, "software": software()}


def test_a_registry_of_another_schema_version_is_refused_with_both_versions(make_pair):
    """As an upgrade left it: the same agreement, of which another version makes another schema."""
    pair = make_pair(edit=small_passes)
    with ProviderClient(pair.provider, *NAMES) as client:
        client.publish(registry_table(PEOPLE), id_column="id", status_column="status")
    with sqlite3.connect(pair.unit.house.data_dir / "unit.sqlite") as store:
        other = "UPDATE datasets SET schema_digest = ?, made_by = '0.0.9 (abc)'"
        store.execute(other, (bytes(32),))
    store.close()
    with (
        RequesterClient(pair.requester, *NAMES) as client,
        pytest.raises(RefusedError, match="SCHEMA_MISMATCH") as refused,
    ):
        client.confirm(PEOPLE[:25])
    assert "0.0.9 (abc)" in str(refused.value)
    assert software() in str(refused.value)


@pytest.mark.parametrize("made_by", ["9.9.9 (fedcba987654)", "\x1b[31m9.9.9\n"])
def test_a_directory_of_a_newer_version_is_refused_and_left_as_it_is(served, make_unit, made_by):
    data = served.house.data_dir
    served.stop()
    mark = json.loads((data / "mark.json").read_text())
    later = {**mark, "format": data_format() + 1, "software": made_by, "unknown": 1}
    (data / "mark.json").write_text(json.dumps(later))
    before = contents(data)
    with pytest.raises(OtherVersionError, match=r"9\.9\.9.*lebih baru.*newer") as refused:
        make_unit(house=served.house)
    assert software() in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert contents(data) == before


@pytest.mark.parametrize("command", [("keys", "show"), ("agreement", "heads", NAMES[0])])
def test_a_home_of_a_newer_version_is_refused_and_left_as_it_is(older, served, command):
    home, _ = homes(older, served)
    made = {"format": HOME_FORMAT + 1, "software": "9.9.9 (fedcba987654)", "unknown": 1}
    (home.folder / FILE).write_text(json.dumps(made))
    del home
    folder = older / "provider"
    before = contents(folder)
    found = CliRunner().invoke(app, [*command, "--home", str(folder)])
    assert found.exit_code == 3, found.output
    said = " ".join(found.output.split())
    assert "9.9.9 (fedcba987654)" in said
    assert software() in said
    assert contents(folder) == before
