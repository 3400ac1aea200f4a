"""A unit that was restored from a backup: clients see it, and nobody goes on before all agree.

The backup is of the whole data directory, so nothing in it tells the unit that time has passed.
"""

from __future__ import annotations

import asyncio
import json
import shutil

import pytest
from agency import people, point_home_at, registry_table, small_passes
from engines import FakeEngine
from server_fixture import NOW
from typer.testing import CliRunner

from padan.v1 import agreement_service_pb2 as pb
from padan.v1 import resources_pb2
from padan.v1.reason_texts import ServerKind
from padan_client import Home, ProviderClient, RefusedError, RequesterClient, VerificationError
from padan_client.aio import AsyncRequesterClient
from padan_client.base.effects import call
from padan_client.base.errors import BadInputError
from padan_client.cli.app import app
from padan_client.protocol.rotating import rotate
from padan_client.protocol.session import open_session
from padan_client.transport.channel import Link
from padan_client.transport.pasts import Pasts, ServerPastError
from padan_linkage.crypto.heads import chain_name
from padan_server.base.accepting import Acceptable, Acceptances

PEOPLE = people(40, seed=5)
REGISTRY = registry_table(PEOPLE)


class RestorableUnit:
    """Both agencies and a unit whose directory can be backed up and restored."""

    def __init__(self, pair, make_unit, folder):
        self.pair, self._make_unit = pair, make_unit
        self._running, self._kept = pair.unit, folder / "kept"
        self.agreement, self.flow = pair.names

    @property
    def unit(self):
        return self._running

    def publish(self):
        with ProviderClient(self.pair.provider, *self.pair.names) as client:
            client.publish(REGISTRY, id_column="id", status_column="status")

    def confirm(self, rows=20):
        with RequesterClient(self.pair.requester, *self.pair.names) as client:
            return client.confirm(PEOPLE[:rows])

    def ask(self):
        with RequesterClient(self.pair.requester, *self.pair.names) as client:
            return client.confirm_one(PEOPLE[0])

    def change_by(self, link, home, method):
        request = getattr(pb, f"{method}Request")(name=f"agreements/{self.agreement}")
        if method == "SuspendAgreement":
            request.article = "Pasal 10 ayat (2)"
        return link.run(call(f"AgreementService.{method}", request, pb.Agreement, home.patience))

    def change(self, home, method):
        with Link.open(home, self.agreement) as link:
            return self.change_by(link, home, method)

    def suspend(self, home):
        return self.change(home, "SuspendAgreement")

    def resume(self, home):
        return self.change(home, "ResumeAgreement")

    def back_up(self):
        """Keep the whole data directory as it is."""
        self._stop()
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self.data, self._kept)
        self.start()

    def restore(self, declared=False):
        """Put the kept directory in the place of the present one."""
        self._stop()
        shutil.rmtree(self.data)
        shutil.copytree(self._kept, self.data)
        if declared:
            self.declare()
        self.start()

    def restart(self, meanwhile=lambda data: None):
        self._stop()
        meanwhile(self.data)
        self.start()

    def declare(self):
        Acceptances(self.data).leave(Acceptable.RESTORE)

    @property
    def data(self):
        return self._running.house.data_dir

    def _stop(self):
        self._running.house.close()
        self._running.stop()

    def start(self):
        before = self._running
        self._running = self._make_unit(house=before.house, engine=FakeEngine(), clock=before.clock)
        for home in (self.pair.provider, self.pair.requester):
            point_home_at(home.folder, self._running.port)
        folders = self.pair.provider.folder, self.pair.requester.folder
        provider, requester = (Home.open(f, jitter=lambda: 0.0) for f in folders)
        self.pair.provider, self.pair.requester = provider, requester


@pytest.fixture
def stand(make_pair, make_unit, tmp_path):
    made = RestorableUnit(make_pair(edit=small_passes), make_unit, tmp_path)
    made.publish()
    return made


def generation(home, agreement, flow=""):
    """How far the unit had come when the home last saw it."""
    past = home.known_heads(agreement).of(ServerKind.UNIT)
    return past.heads[chain_name(agreement, flow)].generation


def cli(home, *arguments):
    return CliRunner().invoke(app, [*arguments, "--home", str(home.folder)])


def test_every_change_moves_the_head_and_a_restart_does_not(stand):
    requester, names = stand.pair.requester, stand.pair.names
    stand.confirm()
    before = generation(requester, *names), generation(requester, names[0])
    stand.back_up()  # a restart
    stand.ask()
    assert generation(stand.pair.requester, *names) > before[0]
    stand.suspend(stand.pair.requester)
    stand.resume(stand.pair.requester)
    assert generation(stand.pair.requester, names[0]) == before[1] + 2


def test_a_suspension_that_a_backup_lifts_is_seen_by_who_suspended(stand):
    stand.back_up()
    stand.suspend(stand.pair.provider)
    stand.restore()
    with pytest.raises(ServerPastError, match=r"mundur.*accept restore.*accept-restore") as seen:
        stand.publish()
    assert "event 1 of agreements" in str(seen.value) or "kejadian ke-1" in str(seen.value)
    assert seen.value.exit_code == VerificationError.exit_code


def test_quota_that_a_backup_gives_back_is_seen_by_who_was_charged(stand):
    stand.back_up()
    stand.confirm()
    stand.restore()
    with pytest.raises(ServerPastError, match="mundur"):
        stand.confirm()
    with pytest.raises(ServerPastError, match="mundur"):
        stand.ask()

    async def ask():
        async with AsyncRequesterClient(stand.pair.requester, *stand.pair.names) as client:
            await client.confirm_one(PEOPLE[0])

    with pytest.raises(ServerPastError, match="mundur"):
        asyncio.run(ask())


def test_a_restored_unit_that_has_overtaken_what_was_seen_is_known_all_the_same(stand, unit_log):
    stand.back_up()
    stand.suspend(stand.pair.provider)
    stand.restore()
    for _ in range(2):  # the other side saw nothing of the suspension, and leads it further
        stand.suspend(stand.pair.requester)
        stand.resume(stand.pair.requester)
    with pytest.raises(ServerPastError, match="riwayat lain"):
        stand.publish()
    assert "head_unknown" in unit_log.getvalue()


def test_a_unit_that_shows_another_past_at_the_same_number_is_refused(stand):
    stand.back_up()
    stand.suspend(stand.pair.provider)
    stand.restore()
    stand.suspend(stand.pair.requester)
    stand.resume(stand.pair.requester)
    known = stand.pair.provider.known_heads(stand.agreement)
    assert known.of(ServerKind.UNIT).heads[chain_name(stand.agreement)].generation == 1
    with pytest.raises(ServerPastError, match="riwayat lain"):
        stand.publish()


def test_a_declared_restore_holds_the_agreement_until_all_parties_have_agreed(stand):
    stand.confirm()
    stand.back_up()
    stand.suspend(stand.pair.provider)
    stand.restore(declared=True)

    for home, work in ((stand.pair.provider, stand.publish), (stand.pair.requester, stand.ask)):
        with pytest.raises(ServerPastError, match=r"riwayat baru.*accept-restore"):
            work()
        refused = cli(home, "agreement", "accept-restore", stand.agreement)
        assert refused.exit_code == 3  # nobody agreed
        done = cli(home, "agreement", "accept-restore", stand.agreement, "--yes")
        assert done.exit_code == 0, done.output
        with pytest.raises(RefusedError, match="SUSPENDED"):
            work()
    stand.resume(stand.pair.requester)
    with pytest.raises(RefusedError, match="SUSPENDED"):
        stand.ask()
    stand.resume(stand.pair.provider)
    with pytest.raises(RefusedError, match="QUOTA_DAY_EXCEEDED"):
        stand.ask()
    stand.unit.pass_time(days=1)
    assert stand.ask()["kode"] != "TIDAK_DITEMUKAN"
    with pytest.raises(RefusedError, match="EPOCH_LISTS_EXCEEDED"):
        stand.confirm(25)
    for home in (stand.pair.provider, stand.pair.requester):
        with Link.open(home, *stand.pair.names) as link:
            link.run(rotate(home, *stand.pair.names, NOW))
    stand.publish()
    assert stand.confirm(25).table.num_rows == 25


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"x")])
def test_what_comes_to_light_after_a_declared_restore_is_held_as_well(stand, spoil, unit_log):
    stand.back_up()
    stand.suspend(stand.pair.provider)
    files = {path: path.read_bytes() for path in stand.unit.house.agreements_dir.rglob("*.*")}
    for path in files:
        spoil(path)
    stand.restore(declared=True)
    assert "agreements_held" not in unit_log.getvalue()
    for path, content in files.items():
        path.write_bytes(content)
    stand.restart()
    assert "agreements_held" in unit_log.getvalue()
    accepted = cli(stand.pair.requester, "agreement", "accept-restore", stand.agreement, "--yes")
    assert accepted.exit_code == 0, accepted.output
    with pytest.raises(RefusedError, match="SUSPENDED"):
        stand.ask()
    for home in (stand.pair.provider, stand.pair.requester):
        cli(home, "agreement", "accept-restore", stand.agreement, "--yes")
        stand.resume(home)
    unit_log.truncate(0)
    stand.restart()
    assert "agreements_held" not in unit_log.getvalue()
    with pytest.raises(RefusedError, match="QUOTA_DAY_EXCEEDED"):
        stand.ask()


def test_a_unit_that_began_anew_undeclared_is_not_accepted(stand):
    """As when its volume is not mounted: it knows of no suspension, and cannot say so."""
    stand.suspend(stand.pair.provider)
    stand.restart(shutil.rmtree)
    accept = "agreement", "accept-restore", stand.agreement, "--yes"
    for home, work in ((stand.pair.provider, stand.publish), (stand.pair.requester, stand.ask)):
        with pytest.raises(ServerPastError, match=r"riwayat baru.*Bila ia telah menyatakan"):
            work()
        refused = cli(home, *accept)
        assert refused.exit_code == BadInputError.exit_code
        assert "tanpa pernyataan pemulihan" in refused.output
        with pytest.raises(ServerPastError):
            work()
    stand.restart(lambda _: stand.declare())
    assert cli(stand.pair.requester, *accept).exit_code == 0
    with pytest.raises(RefusedError, match="SUSPENDED"):
        stand.ask()


@pytest.mark.parametrize("command", ["accept-restore", "suspend", "resume"])
def test_a_flow_that_no_provider_s_server_answers_is_named_before_any_is_asked(stand, command):
    """An empty name is none: it is not taken for the unit's."""
    said = {
        "xyz": "tidak memiliki alur «xyz»",
        "": "tidak memiliki alur «»",
        "casn-agregat": "unit",
    }
    for flow, words in said.items():
        refused = cli(stand.pair.requester, "agreement", command, stand.agreement, "--flow", flow)
        assert refused.exit_code == BadInputError.exit_code
        assert words in refused.output
    stand.ask()  # nothing was suspended


def test_a_store_that_was_left_is_not_accepted_for_a_restore_of_long_ago(stand):
    """X was declared restored, which made Y; Y once more, which made Z; and Y is put back."""
    accept = "agreement", "accept-restore", stand.agreement, "--yes"
    homes = "provider", "requester"

    def go_on():
        for side in homes:
            assert cli(getattr(stand.pair, side), *accept).exit_code == 0
            stand.resume(getattr(stand.pair, side))

    stand.restart(lambda _: stand.declare())
    go_on()
    stand.back_up()
    stand.restart(lambda _: stand.declare())
    go_on()
    stand.suspend(stand.pair.provider)
    stand.restore()
    for side in homes:
        refused = cli(getattr(stand.pair, side), *accept)
        assert refused.exit_code == BadInputError.exit_code
        assert "kembali ke basis data" in refused.output
    with pytest.raises(ServerPastError):
        stand.ask()
    stand.restart(lambda _: stand.declare())
    assert cli(stand.pair.requester, *accept).exit_code == 0
    with pytest.raises(RefusedError, match="SUSPENDED"):
        stand.ask()


def accept_and_go_on(stand):
    """Both officers accept what the unit's operator declared, and end its suspension."""
    for side in ("provider", "requester"):
        home = getattr(stand.pair, side)
        accepted = cli(home, "agreement", "accept-restore", stand.agreement, "--yes")
        assert accepted.exit_code == 0, accepted.output
        stand.resume(home)


def test_a_client_that_stays_open_brings_no_head_of_the_store_that_was_left(stand):
    stand.back_up()
    with RequesterClient(stand.pair.requester, *stand.pair.names) as client:
        for asked in PEOPLE[:3]:
            client.confirm_one(asked)
        stand.restore(declared=True)
        accept_and_go_on(stand)
    stand.unit.pass_time(days=1)
    assert stand.ask()["kode"] != "TIDAK_DITEMUKAN"


def mixed(home, agreement, spoil):
    """What an earlier version left: the agreement's head of another store than the flow's."""
    file = home.folder / f"heads/unit/{agreement}.json"
    document = json.loads(file.read_bytes())
    del document["left"]
    spoil(document["heads"])
    file.write_text(json.dumps(document | {"format": 1}))


def test_a_home_whose_file_mixes_stores_is_healed_by_accepting_the_restore(stand):
    stand.restart(lambda _: stand.declare())
    accept_and_go_on(stand)
    stand.unit.pass_time(days=1)
    stand.ask()

    def of_another_store(heads):
        next(h for h in heads if "/flows/" in h["name"])["store"] = "73" * 16

    mixed(stand.pair.requester, stand.agreement, of_another_store)
    with pytest.raises(ServerPastError, match="riwayat baru"):
        stand.ask()
    accept = "agreement", "accept-restore", stand.agreement, "--yes"
    healed = cli(stand.pair.requester, *accept)
    assert healed.exit_code == 0, healed.output
    assert stand.ask()["kode"] != "TIDAK_DITEMUKAN"
    again = cli(stand.pair.requester, *accept)
    assert again.exit_code == BadInputError.exit_code
    assert "sejak itu" in again.output

    def gone_back(heads):
        of_another_store(heads)
        next(h for h in heads if "/flows/" not in h["name"])["generation"] += 1

    mixed(stand.pair.requester, stand.agreement, gone_back)
    refused = cli(stand.pair.requester, *accept)
    assert refused.exit_code == ServerPastError.exit_code
    assert "mundur" in refused.output


def test_a_store_that_comes_with_a_chain_never_seen_is_another_one_as_well(stand, monkeypatch):
    """One server has one store: what it says of a new flow is compared with the other chains."""
    stand.suspend(stand.pair.provider)
    stand.resume(stand.pair.provider)

    def change(told):
        del told.heads[1:]
        told.heads[0].name += "/flows/lain"
        told.heads[0].store = bytes(16)

    tampering(monkeypatch, change)
    monkeypatch.setattr(Pasts, "_require_told", lambda *_: None)
    with pytest.raises(ServerPastError, match="riwayat baru"):
        stand.resume(stand.pair.provider)


def turn(stand):
    """Both sides open the next epoch, the provider first; returns what each was told."""
    turned = []
    for side in ("provider", "requester"):
        home = getattr(stand.pair, side)
        with Link.open(home, *stand.pair.names) as link:
            turned.append(link.run(rotate(home, *stand.pair.names, NOW)).epoch)
    return turned


def test_an_epoch_begun_after_the_backup_is_never_begun_again(stand):
    """Its lists were put, and the unit has forgotten them: another would share their keys."""
    stand.back_up()
    turn(stand)
    stand.publish()
    with Link.open(stand.pair.requester, *stand.pair.names) as link:
        link.run(open_session(stand.pair.requester, stand.pair.requester.place(*stand.pair.names)))
    stand.restore(declared=True)
    accept_and_go_on(stand)
    stand.unit.pass_time(days=1)
    with pytest.raises(VerificationError, match=r"epok 2 sudah dipakai.*padan keys rotate"):
        stand.confirm()
    assert turn(stand) == [3, 3]
    stand.publish()
    assert stand.confirm().table.num_rows == 20


def test_a_side_that_knows_of_a_later_epoch_passes_by_the_one_that_the_other_opened(stand):
    """The provider's home went back with the unit; the requester's did not."""
    stand.back_up()
    requester, names = stand.pair.requester, stand.pair.names
    place = requester.place(*names)
    record = requester.epochs.create(place, 2, NOW)
    spent = record.model_copy(update={"peer_public_key": record.public_key})
    requester.epochs._save(place, spent)
    assert turn(stand) == [2, 3]
    assert turn(stand) == [3, 4]


def test_a_restore_declared_while_the_clock_is_behind_uses_up_no_day_gone_by(stand):
    stand.confirm()
    stand.unit.pass_time(days=-1)
    stand.restart(lambda _: stand.declare())
    for home in (stand.pair.provider, stand.pair.requester):
        cli(home, "agreement", "accept-restore", stand.agreement, "--yes")
        stand.resume(home)
    stand.unit.pass_time(days=1)
    with pytest.raises(RefusedError, match="QUOTA_DAY_EXCEEDED"):
        stand.ask()


def test_a_restore_declared_while_the_clock_is_far_ahead_uses_up_the_day_once_it_is_right(stand):
    """Whatever day the backup is of: the clock says which one it is as soon as it is believed."""
    stand.back_up()
    stand.unit.pass_time(days=2)
    stand.confirm()
    stand.unit.pass_time(days=10)
    stand.restore(declared=True)
    accept_and_go_on(stand)
    stand.unit.pass_time(days=-10)
    stand.unit.unit._keep_time()
    for _ in range(2):
        with pytest.raises(RefusedError, match="QUOTA_DAY_EXCEEDED"):
            stand.ask()
        stand.restart()
    stand.unit.pass_time(days=1)
    assert stand.ask()["kode"] != "TIDAK_DITEMUKAN"


@pytest.mark.parametrize("method", ["SuspendAgreement", "ResumeAgreement"])
def test_what_a_client_calls_refused_was_not_done(stand, method):
    stand.back_up()
    stand.suspend(stand.pair.provider)
    stand.restore(declared=True)
    request = pb.GetAgreementRequest(name=f"agreements/{stand.agreement}")
    stub = stand.unit.client("bkn").agreements
    held = stub.GetAgreement(request).suspended_by
    with Link.open(stand.pair.provider, stand.agreement) as link:
        for _ in range(2):
            with pytest.raises(ServerPastError):
                stand.change_by(link, stand.pair.provider, method)
    assert held
    assert stub.GetAgreement(request).suspended_by == held


def dies(*_):
    raise SystemExit


def test_a_restore_holds_although_the_server_dies_before_it_could(stand, monkeypatch):
    stand.back_up()
    stand.suspend(stand.pair.provider)
    with monkeypatch.context() as patched:
        patched.setattr("padan_server.roles.serving.hold", dies)
        with pytest.raises(SystemExit):
            stand.restore(declared=True)
    stand.start()
    with pytest.raises(ServerPastError, match="riwayat baru"):
        stand.publish()
    assert (
        cli(stand.pair.requester, "agreement", "accept-restore", stand.agreement, "--yes").exit_code
        == 0
    )
    with pytest.raises(RefusedError, match="SUSPENDED"):
        stand.ask()


def test_what_was_not_declared_cannot_be_accepted(stand):
    stand.back_up()
    stand.suspend(stand.pair.provider)
    stand.restore()
    found = cli(stand.pair.provider, "agreement", "accept-restore", stand.agreement, "--yes")
    assert found.exit_code == 3
    assert "accept restore" in found.output
    with pytest.raises(ServerPastError):
        stand.publish()


def test_a_home_that_was_restored_catches_up_however_much_it_missed(stand, tmp_path):
    """More than one answer has room for; nobody who went on refuses anybody."""
    kept = tmp_path / "home-kept"
    shutil.copytree(stand.pair.provider.folder, kept)
    for _ in range(130):
        stand.suspend(stand.pair.requester)
        stand.resume(stand.pair.requester)
    shutil.rmtree(stand.pair.provider.folder)
    shutil.copytree(kept, stand.pair.provider.folder)
    home = Home.open(stand.pair.provider.folder, jitter=lambda: 0.0)
    assert generation(home, stand.agreement) == 0
    stand.resume(home)
    assert generation(home, stand.agreement) == 260


def test_both_sides_can_compare_what_the_unit_showed_them(stand):
    stand.confirm()
    stand.resume(stand.pair.provider)  # changes nothing: it only looks
    stand.resume(stand.pair.requester)
    seen = []
    for home in (stand.pair.provider, stand.pair.requester):
        found = cli(home, "agreement", "heads", stand.agreement, "--json")
        seen.append(json.loads(found.output)["servers"]["unit"])
    assert seen[0] == seen[1]
    assert set(seen[0]["heads"]) >= {
        chain_name(stand.agreement),
        chain_name(stand.agreement, stand.flow),
    }


def test_a_side_sees_no_chain_of_a_flow_that_is_not_its_own(stand):
    """How much another flow is asked is nobody else's business."""
    own = {chain_name(stand.agreement)} | {
        chain_name(stand.agreement, f.id)
        for f in stand.pair.provider.signed_agreement(stand.agreement).agreement.flows
        if "bkn" in {f.provider, f.requester}
    }
    stand.resume(stand.pair.provider)
    known = stand.pair.provider.known_heads(stand.agreement).of(ServerKind.UNIT)
    assert set(known.heads) == own


def tampering(monkeypatch, change):
    """Somebody changes what the unit says of its past."""

    def parse(value):
        told = resources_pb2.Handshake.FromString(value)
        change(told)
        return told

    monkeypatch.setattr("padan_client.transport.pasts._parse", parse)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda told: told.ClearField("heads"), "tidak lagi mengatakan"),
        (lambda told: setattr(told.heads[0], "digest", bytes(32)), "riwayat lain"),
        (lambda told: setattr(told.heads[0], "digest", b"short"), "tidak terbaca"),
        (lambda told: setattr(told.heads[0], "generation", 1 << 60), "tidak terbaca"),
        (lambda told: setattr(told.heads[0], "generation", 1 << 40), "riwayat lain"),
        (lambda told: told.heads[0].steps.append(bytes(32)), "riwayat lain"),
    ],
)
def test_a_unit_that_lies_about_its_past_is_refused(stand, monkeypatch, change, says):
    stand.suspend(stand.pair.provider)
    stand.resume(stand.pair.provider)
    tampering(monkeypatch, change)
    with pytest.raises(VerificationError, match=says):
        stand.publish()
