"""A provider's server of direct mode that was restored from a backup: ledger, tables, suspensions.

What is restored may be its data directory, its tables, or both; neither says that time has passed.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import time

import pytest
from agency import people, registry_table
from provider_fixture import Publisher
from typer.testing import CliRunner

from padan.v1 import agreement_service_pb2 as pb
from padan_client import Home, RefusedError
from padan_client.cli.app import app
from padan_client.transport.pasts import ServerPastError
from padan_server.base.accepting import Acceptable, Acceptances

PEOPLE = people(40, seed=5)


class PublisherAt(Publisher):
    """A publisher whose server is the requester's own."""

    def settings(self, **changes):
        return super().settings(**changes) | {"tls": self.house.tls("kemnaker")}


class RestorableProvider:
    """Both agencies and a provider's server whose folders can be backed up and restored."""

    def __init__(self, pair, make_provider, folder):
        self.pair, self._make, self._kept = pair, make_provider, folder / "kept"
        self._data = pair.server.house.folder / "provider"
        self._tables = pair.server.publisher.tables_dir
        self.agreement = pair.names[0]

    def publish(self, rows=40):
        self.pair.publish(registry_table(PEOPLE[:rows]))

    def back_up(self):
        self._stop()
        for folder in (self._data, self._tables):
            shutil.copytree(folder, self._kept / folder.name)
        self.start()

    def restore(self, *, data=True, tables=False, declared=False):
        self._stop()
        for folder, wanted in ((self._data, data), (self._tables, tables)):
            if wanted:
                shutil.rmtree(folder)
                shutil.copytree(self._kept / folder.name, folder)
        if declared:
            Acceptances(self._data).leave(Acceptable.RESTORE)
        self.start()

    def _stop(self):
        self.pair.server.house.close()
        self.pair.server.stop()

    def start(self):
        before = self.pair.server
        after = self._make(
            publisher=before.publisher,
            clock=before.clock,
            published=False,
            settings={"data_dir": str(self._data)},
        )
        self.pair.server = after
        for home in (self.pair.provider, self.pair.requester):
            text = (home.folder / "client.toml").read_text()
            path = home.folder / "client.toml"
            path.write_text(text.replace(f":{before.port}", f":{after.port}"))
        folders = self.pair.provider.folder, self.pair.requester.folder
        opened = (Home.open(f, jitter=lambda: 0.0) for f in folders)
        self.pair.provider, self.pair.requester = opened

    def padan(self, home, command, code=0):
        """What an officer types."""
        done = CliRunner().invoke(app, [*command.split()[1:], "--home", str(home.folder)])
        assert done.exit_code == code, done.output
        return done

    def both(self, command):
        for home in (self.pair.provider, self.pair.requester):
            self.padan(home, command)

    @property
    def suspended_by(self):
        request = pb.GetAgreementRequest(name=f"agreements/{self.agreement}")
        return set(self.pair.server.client("bkn").agreements.GetAgreement(request).suspended_by)


@pytest.fixture
def stand(make_direct, make_provider, tmp_path):
    made = RestorableProvider(make_direct(), make_provider, tmp_path)
    made.publish()
    return made


def test_each_of_two_providers_has_a_server_with_a_past_of_its_own(make_direct, make_provider):
    """Of one agreement: bkn answers for asn-status, and kemnaker for jf-binaan."""
    pair = make_direct()
    folder = pair.server.house.folder / "kemnaker"
    shutil.copytree(pair.server.house.agreements_dir, folder / "agreements")
    publisher = PublisherAt(
        dataclasses.replace(pair.server.house, flow_id="jf-binaan", folder=folder)
    )

    def started():
        data = {"data_dir": str(folder / "provider")}
        return make_provider(publisher=publisher, published=False, settings=data)

    def padan(command, own=None):
        env = {"PADAN_CLIENT_PROVIDER": f"127.0.0.1:{own.port}"} if own else {}
        arguments = [*command.split(), "--home", str(pair.requester.folder)]
        done = CliRunner().invoke(app, arguments, env=env)
        assert done.exit_code == 0, done.output
        return done.output

    server, agreement = started(), pair.names[0]
    padan(f"agreement resume {agreement} --flow asn-status")
    padan(f"agreement suspend {agreement} --flow jf-binaan", server)
    padan(f"agreement resume {agreement} --flow jf-binaan", server)
    known = json.loads(padan(f"agreement heads {agreement} --json"))["servers"]
    assert set(known["providers"]) == {"bkn", "kemnaker"}

    server.stop()
    Acceptances(folder / "provider").leave(Acceptable.RESTORE)
    server = started()
    padan(f"agreement accept-restore {agreement} --flow jf-binaan --yes", server)
    padan(f"agreement resume {agreement} --flow jf-binaan", server)
    padan(f"agreement resume {agreement} --flow asn-status")


def test_an_older_ledger_is_seen_by_the_home_that_was_charged(stand):
    stand.back_up()
    stand.pair.confirm(PEOPLE[:20])
    stand.restore()
    for _ in range(2):
        with pytest.raises(ServerPastError, match="mundur"):
            stand.pair.confirm(PEOPLE[:20])
    assert stand.pair.charged() == 0


@pytest.mark.parametrize("command", ["suspend", "resume"])
def test_a_suspension_that_a_backup_lifts_is_seen_by_who_suspended(stand, command):
    stand.back_up()
    stand.padan(stand.pair.provider, f"padan agreement suspend {stand.agreement} --flow asn-status")
    assert stand.suspended_by == {"bkn"}
    stand.restore()
    refused = f"padan agreement {command} {stand.agreement} --flow asn-status"
    assert "mundur" in stand.padan(stand.pair.provider, refused, code=7).stderr
    assert stand.suspended_by == set()


def test_a_declared_restore_holds_all_until_both_agree_and_counts_as_used(stand):
    stand.back_up()
    stand.pair.confirm(PEOPLE[:20])
    stand.restore(declared=True)
    with pytest.raises(ServerPastError, match="riwayat baru") as refused:
        stand.pair.confirm(PEOPLE[:20])
    (accept,) = re.findall(r"padan agreement accept-restore \S+ --flow [\w-]+", str(refused.value))
    stand.both(f"{accept} --yes")
    assert stand.suspended_by == {"bkn", "kemnaker"}
    with pytest.raises(RefusedError, match=r"SUSPENDED") as held:
        stand.pair.confirm(PEOPLE[:20])
    assert "padan agreement resume --flow" in str(held.value)
    stand.both(f"padan agreement resume {stand.agreement} --flow asn-status")
    with pytest.raises(RefusedError, match="QUOTA_DAY_EXCEEDED"):
        stand.pair.confirm(PEOPLE[20:21])
    clock = stand.pair.server.clock
    clock.forward(days=1)
    stand.pair.server.provider.clock.accept()
    result = stand.pair.confirm(PEOPLE[20:30])
    assert result.table.num_rows == 10


def test_older_tables_are_not_answered_from_behind_newer_ones(stand):
    stand.back_up()
    stand.pair.confirm(PEOPLE[:20])
    stand.publish(30)
    stand.pair.confirm(PEOPLE[:20])
    charged = stand.pair.charged()
    stand.restore(data=False, tables=True)
    with pytest.raises(RefusedError) as refused:  # the store knows of newer ones
        stand.pair.confirm(PEOPLE[:20])
    assert refused.value.reason == "DATA_DAMAGED"
    assert stand.pair.charged() == charged
    time.sleep(2.1)  # a table is known by its second, one more where two came in one
    stand.publish(30)
    assert stand.pair.confirm(PEOPLE[:20]).table.num_rows == 20


def test_an_older_ledger_beside_newer_tables_is_no_reason_to_erase_them(stand):
    stand.back_up()
    stand.publish(30)
    newer = [path.name for path in stand.pair.tables]
    stand.restore(declared=True)
    assert [path.name for path in stand.pair.tables] == newer
