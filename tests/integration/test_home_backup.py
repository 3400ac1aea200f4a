"""A home comes back on another machine: it goes on, and what was destroyed stays destroyed."""

from __future__ import annotations

import json
import shutil

import pytest
import structlog.testing
from agency import DyingLink, Killed, people, registry_table
from typer.testing import CliRunner

from padan_client import Home, ProviderClient, RequesterClient
from padan_client.base import files
from padan_client.base.errors import BadInputError
from padan_client.cli.app import app
from padan_client.home.protection import locked
from padan_client.protocol.direct import blocks
from padan_linkage.crypto.sealing import Sealer

PASSPHRASE = "sapi goreng merah tua hujan"
PEOPLE = people(60, seed=91)


@pytest.fixture(autouse=True)
def _quiet_and_cheap(monkeypatch):
    monkeypatch.setattr(locked, "SCRYPT_N", 2**10)
    with structlog.testing.capture_logs():
        yield


def padan(home, *arguments, code=0, **environment):
    """Run ``padan … --json``; returns the object, or what it said where it fails."""
    given = {"PADAN_HOME": str(home), "PADAN_PASSPHRASE": PASSPHRASE, **environment}
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"], env=given)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if code == 0 else done.stderr


def backed_up(home: Home, file):
    """A backup of a home that nobody has open."""
    home.lock.release()
    told = padan(home.folder, "home", "backup", file, "--force")
    assert told["party"] == home.identity.party
    return file


def restored(file, folder, *more) -> tuple[Home, dict]:
    """The home on another machine, and what the command told."""
    told = padan(folder, "home", "restore", file, *more)
    return Home.open(folder, jitter=lambda: 0.0), told


def publish(home, pair, table, link=None, **more):
    with ProviderClient(home, *pair.names, link=link, threads=1) as client:
        return client.publish(table, id_column="id", status_column="status", **more)


def confirm(home, pair, records, link=None):
    with RequesterClient(home, *pair.names, link=link) as client:
        return client.confirm(records)


def charged(pair) -> int:
    """What the flow was charged today."""
    unit = pair.unit.unit
    with unit._store.read() as tx:
        return tx.quotas.used(*pair.names, unit.clock.now().date())


def test_a_registry_is_updated_from_another_machine(small_pair, tmp_path):
    pair = small_pair
    base = publish(pair.provider, pair, registry_table(PEOPLE[:40]))
    file = backed_up(pair.provider, tmp_path / "cadangan")
    again, told = restored(file, tmp_path / "baru")
    assert told["epochs"] == 1
    assert again.identity.public == pair.provider.identity.public
    changes = registry_table(PEOPLE).slice(40, 1)
    publish(again, pair, changes, delta_of=base.dataset)
    assert confirm(pair.requester, pair, PEOPLE[:50]).counts["TIDAK_DITEMUKAN"] == 9


def test_a_list_goes_on_from_another_machine_and_is_charged_once(small_pair, tmp_path):
    pair = small_pair
    publish(pair.provider, pair, registry_table(PEOPLE[:40]))
    before = charged(pair)
    with pytest.raises(Killed):
        confirm(pair.requester, pair, PEOPLE[10:50], DyingLink(pair.requester, 11))
    once = charged(pair) - before
    assert once > 0
    again, _ = restored(backed_up(pair.requester, tmp_path / "cadangan"), tmp_path / "baru")
    assert confirm(again, pair, PEOPLE[10:50]).counts["TIDAK_DITEMUKAN"] == 10
    assert charged(pair) - before == once


def test_two_machines_never_seal_under_one_key_and_nonce(small_pair, tmp_path, monkeypatch):
    pair = small_pair
    sealed: list[set[tuple[bytes, bytes]]] = []
    seal = Sealer.seal

    def noting(sealer, pass_id, *rest):
        codes = seal(sealer, pass_id, *rest)
        key = sealer._pass_key(pass_id)
        sealed[-1] |= {(key, bytes(code[:12])) for code in codes}
        return codes

    monkeypatch.setattr(Sealer, "seal", noting)
    table = registry_table(PEOPLE[:30])
    sealed.append(set())
    with pytest.raises(Killed):
        publish(pair.provider, pair, table, DyingLink(pair.provider, 6))
    assert pair.provider.jobs.pending()
    file = backed_up(pair.provider, tmp_path / "cadangan")
    homes = [pair.provider, *(restored(file, tmp_path / name)[0] for name in "ab")]
    for home in homes:
        sealed.append(set())
        publish(home, pair, table)
    first, goes_on, *others = sealed
    assert first & goes_on, "the same machine goes on with the same seals"
    for one, another in ((goes_on, others[0]), (goes_on, others[1]), tuple(others)):
        assert one
        assert another
        assert not one & another


def test_two_machines_never_make_two_tables_of_one_id(make_direct, tmp_path, monkeypatch):
    pair = make_direct()
    made = []
    plan = blocks.BlockPlan.of
    monkeypatch.setattr(
        blocks.BlockPlan, "of", staticmethod(lambda *args: made.append(args[3]) or plan(*args))
    )
    table = registry_table(PEOPLE[:20])
    finish = blocks.PartFiles.read
    with monkeypatch.context() as patch:
        patch.setattr(blocks.PartFiles, "read", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            pair.publish(table)
    assert finish is blocks.PartFiles.read
    file = backed_up(pair.provider, tmp_path / "cadangan")
    again, _ = restored(file, tmp_path / "baru")
    pair.publish(table)
    with ProviderClient(again, *pair.names, threads=1) as client:
        client.publish_table(table, id_column="id", status_column="status")
    interrupted, goes_on, other = made
    assert interrupted == goes_on != other


def test_what_was_destroyed_does_not_come_back_where_the_later_home_is_there(make_pair, tmp_path):
    pair = make_pair()
    home, place = pair.provider, pair.provider.place(*pair.names)
    publish(home, pair, registry_table(PEOPLE[:20]))
    (record,) = home.epochs.records(place)
    file = backed_up(home, tmp_path / "cadangan")
    where = ("--agreement", pair.agreement, "--flow", pair.flow)
    padan(home.folder, "keys", "destroy", *where, "--epoch", 1, "--yes")

    came_back, told = restored(file, tmp_path / "tanpa")
    assert (told["epochs"], told["destroyed_again"]) == (1, [])
    assert came_back.epochs.private_key(place, 1)

    buried, told = restored(file, tmp_path / "dengan", "--later", home.folder)
    assert told["epochs"] == 0
    assert told["destroyed_again"] == [
        {**dict(zip(("agreement", "flow"), pair.names, strict=True)), "mode": "unit", "epoch": 1}
    ]
    with pytest.raises(BadInputError, match="dimusnahkan"):
        buried.epochs.private_key(place, 1)
    assert buried.epochs.record(place, 1).destroyed == home.epochs.record(place, 1).destroyed
    assert buried.epochs.record(place, 1).public_key == record.public_key
    assert not list(buried.folder.rglob("*.key"))
    assert not list(buried.folder.rglob("*.sealed"))
    assert not [p for p in (buried.folder / "registries").rglob("*") if p.is_file()]


def test_the_other_sides_key_stays_pinned(make_pair, tmp_path):
    pair = make_pair()
    home, place = pair.requester, pair.requester.place(*pair.names)
    file = backed_up(home, tmp_path / "cadangan")
    publish(pair.provider, pair, registry_table(PEOPLE[:20]))
    confirm(home, pair, PEOPLE[:10])
    pinned = home.epochs.record(place, 1).peer_public_key
    assert pinned
    loose, _ = restored(file, tmp_path / "tanpa")
    assert loose.epochs.record(place, 1).peer_public_key is None
    kept, _ = restored(file, tmp_path / "dengan", "--later", home.folder)
    assert kept.epochs.record(place, 1).peer_public_key == pinned


def test_what_a_user_does_wrong_is_said_and_changes_nothing(small_pair, tmp_path):
    home = small_pair.provider
    file = tmp_path / "cadangan"
    busy = Home.open(home.folder)
    inside = home.folder / "cadangan"
    assert "di dalam folder" in padan(home.folder, "home", "backup", inside, code=3)
    assert "sedang memakai" in padan(home.folder, "home", "backup", file, code=3)
    busy.lock.release()
    backed_up(home, file)
    weak = padan(home.folder, "home", "backup", file, "--force", code=3, PADAN_PASSPHRASE="pendek")
    assert "Frasa sandi" in weak
    assert "sudah ada" in padan(home.folder, "home", "backup", file, code=3)
    assert "tidak kosong" in padan(home.folder, "home", "restore", file, code=3)
    target = tmp_path / "baru"
    assert "sandi" in padan(target, "home", "restore", file, code=3, PADAN_PASSPHRASE="lain sekali")
    missing = padan(target, "home", "restore", file, "--later", tmp_path / "tak-ada", code=3)
    assert "tak-ada" in missing
    file.write_bytes(file.read_bytes()[:-1])
    assert "terpotong" in padan(target, "home", "restore", file, code=7)
    assert not target.exists() or not list(target.iterdir())


def test_a_locked_home_is_backed_up_under_its_own_passphrase(tmp_path):
    home = tmp_path / "home"
    padan(home, "keys", "init", "--party", "bkn")
    file = tmp_path / "cadangan"
    wrong = padan(home, "home", "backup", file, code=3, PADAN_PASSPHRASE="sapi goreng merah tua")
    assert "sandi salah" in wrong
    assert not file.exists()
    told = padan(home, "home", "backup", file)
    assert told["outside"] == []
    shutil.rmtree(home)
    padan(home, "home", "restore", file)
    assert padan(home, "keys", "show")["party"] == "bkn"


def test_a_passphrase_is_changed_and_the_keys_stay(tmp_path):
    home, new = tmp_path / "home", tmp_path / "baru"
    before = padan(home, "keys", "init", "--party", "bkn", "--no-passphrase")
    files.write_private(new, b"kuda lari pagi buta\n")
    given = {"PADAN_NEW_PASSPHRASE_FILE": str(new)}
    assert "PADAN_NEW_PASSPHRASE_FILE" in padan(home, "keys", "passphrase", code=3)
    for old, now in ((PASSPHRASE, "kuda lari pagi buta"), ("kuda lari pagi buta", PASSPHRASE)):
        files.write_private(new, f"{now}\n".encode())
        padan(home, "keys", "passphrase", **given, PADAN_PASSPHRASE=old)
        assert "sandi salah" in padan(home, "keys", "show", code=3, PADAN_PASSPHRASE=old)
        shown = padan(home, "keys", "show", PADAN_PASSPHRASE=now)
        assert shown["exchange_key"] == before["exchange_key"]
    files.write_private(new, b"pendek\n")
    assert "12" in padan(home, "keys", "passphrase", code=3, **given)
    new.chmod(0o644)
    assert "chmod 600" in padan(home, "keys", "passphrase", code=3, **given)
    assert padan(home, "keys", "show")["party"] == "bkn"
