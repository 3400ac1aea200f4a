"""Clients and servers one number of the protocol apart, over the wire, at a unit and a provider.

Either end refuses the other before anything is done, and says so with both versions.
"""

from __future__ import annotations

import pytest
from agency import people, registry_table, small_passes

from padan.v1 import agreement_service_pb2 as pb
from padan.v1.reason_texts import ServerKind
from padan_client import MismatchError, ProviderClient, RequesterClient
from padan_client.base.effects import call
from padan_client.base.language import LANGUAGES, set_language
from padan_client.transport import pasts
from padan_client.transport.channel import Link
from padan_linkage.crypto.software import PROTOCOL, software
from padan_server.services.guard import handshakes, interceptor

PEOPLE = people(40, seed=5)
REGISTRY = registry_table(PEOPLE)
APART = [PROTOCOL - 1, PROTOCOL + 1]
SAYS = {
    "id": "tidak berbicara protokol yang sama. Tidak ada yang dijalankan",
    "en": "do not speak the same protocol. Nothing was carried out",
}


class TalkingPair:
    """Both agencies, a unit and a provider of direct mode, with a registry at each."""

    def __init__(self, made):
        self.made, self.names = made, made.names
        with ProviderClient(made.provider, *made.names) as client:
            client.publish(REGISTRY, id_column="id", status_column="status")
        made.publish(REGISTRY)

    def publish(self):
        with ProviderClient(self.made.provider, *self.names) as client:
            client.publish(REGISTRY, id_column="id", status_column="status")

    def confirm(self):
        with RequesterClient(self.made.requester, *self.names) as client:
            client.confirm(PEOPLE[:20])

    def ask(self):
        with RequesterClient(self.made.requester, *self.names) as client:
            client.confirm_one(PEOPLE[0])

    def confirm_directly(self):
        self.made.confirm(PEOPLE[:20])

    def suspend_at_the_unit(self):
        self._suspend(ServerKind.UNIT)

    def suspend_at_the_provider(self):
        self._suspend(ServerKind.PROVIDER)

    def _suspend(self, server):
        request = pb.SuspendAgreementRequest(
            name=f"agreements/{self.names[0]}", article="Pasal 10 ayat (2)"
        )
        patience = self.made.provider.patience
        steps = call("AgreementService.SuspendAgreement", request, pb.Agreement, patience, server)
        with Link.open(self.made.provider, *self.names) as link:
            link.run(steps)

    @property
    def state(self):
        """All that either server has charged, counted, suspended or keeps."""
        return [
            (
                [tx.heads.head(*chain) for chain in ((self.names[0], ""), self.names)],
                tx.agreements.suspensions(self.names[0]),
                tx.quotas.used(*self.names, self.made.server.clock.now().date()),
            )
            for store in (self.made.unit.unit._store, self.made.server.provider._store)
            for tx in self._reading(store)
        ]

    @staticmethod
    def _reading(store):
        with store.read() as tx:
            yield tx


@pytest.fixture
def talking(make_direct):
    return TalkingPair(make_direct(unit=True, edit=small_passes))


ACTIONS = (
    TalkingPair.publish,
    TalkingPair.confirm,
    TalkingPair.ask,
    TalkingPair.confirm_directly,
    TalkingPair.suspend_at_the_unit,
    TalkingPair.suspend_at_the_provider,
)


def refused(talking, version):
    """Every action is refused, in both languages, and nothing has moved."""
    before = talking.state
    for language in LANGUAGES:
        set_language(language)
        try:
            for act in ACTIONS:
                with pytest.raises(MismatchError, match="PROTOCOL_MISMATCH") as told:
                    act(talking)
                assert told.value.exit_code == 5
                assert SAYS[language] in str(told.value)
                assert version in str(told.value)
        finally:
            set_language("id")
    assert talking.state == before


@pytest.mark.parametrize("spoken", APART)
def test_a_client_of_another_protocol_is_refused_by_the_server(talking, monkeypatch, spoken):
    monkeypatch.setattr(pasts, "PROTOCOL", spoken)
    monkeypatch.setattr(pasts, "software", lambda: "0.0.7 (0123456789ab)")
    refused(talking, "0.0.7 (0123456789ab)")


@pytest.mark.parametrize("spoken", APART)
def test_a_server_of_another_protocol_refuses_this_client(talking, monkeypatch, spoken):
    monkeypatch.setattr(handshakes, "PROTOCOL", spoken)
    monkeypatch.setattr(handshakes, "software", lambda: "9.9.9 (0123456789ab)")
    refused(talking, "9.9.9 (0123456789ab)")


@pytest.mark.parametrize("spoken", APART)
def test_a_server_that_takes_any_client_is_refused_by_this_one(talking, monkeypatch, spoken):
    """As one may be that compares nothing, or the other number."""
    monkeypatch.setattr(handshakes, "PROTOCOL", spoken)
    monkeypatch.setattr(handshakes, "software", lambda: "9.9.9 (0123456789ab)")
    monkeypatch.setattr(handshakes, "_checked", handshakes.pb.Handshake.FromString)
    refused(talking, "9.9.9 (0123456789ab)")


def test_a_server_too_old_to_say_is_refused(talking, monkeypatch):
    monkeypatch.setattr(interceptor, "METADATA", "padan-other-bin")
    refused(talking, software())
