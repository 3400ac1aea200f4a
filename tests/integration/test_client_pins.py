"""Clients speak to the servers that the signed agreement names, and to nobody else.

An :class:`Impostor` has a valid certificate of the same authority, for the right host name: a
party's own. The control shows that it would be believed without pins.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import re

import grpc
import pytest
from agency import people, point_home_at, registry_table, small_passes
from grpc_health.v1 import health_pb2, health_pb2_grpc
from impostor import Impostor
from patience import PATIENCE
from relay import Relay
from signing import server_key, server_pin, write_signed

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import agreement_service_pb2_grpc as agreement_grpc
from padan_client import Home, ProviderClient, RequesterClient, UnavailableError, VerificationError
from padan_client.aio import AsyncProviderClient, AsyncRequesterClient

PEOPLE = people(30, seed=12)
REGISTRY = registry_table(PEOPLE)
CALL = agreement_pb.GetAgreementRequest(name="agreements/kemnaker-bkn-2024")


@pytest.fixture
def pair(fresh_jobs):
    """Both sides at a unit that all tests here share; their addresses are its own again."""
    for home in (fresh_jobs.provider, fresh_jobs.requester):
        point_home_at(home.folder, fresh_jobs.unit.port)
    return fresh_jobs


@pytest.fixture
def impostor(pair):
    """The provider's own server certificate, where a unit is expected."""
    house = pair.unit.house
    with Impostor(house.pki.ca, house.servers["bkn"]) as made:
        yield made


def at(home: Home, port: int, attempts: int = 1) -> Home:
    """The home with another address of the unit, and with less patience."""
    point_home_at(home.folder, port)
    opened = Home.open(home.folder, jitter=lambda: 0.0)
    patience = dataclasses.replace(opened.patience, attempts=attempts, first_seconds=0.01)
    return dataclasses.replace(opened, patience=patience)


def publish(home, names):
    with ProviderClient(home, *names) as client:
        return client.publish(REGISTRY, id_column="id", status_column="status")


def confirm(home, names):
    with RequesterClient(home, *names) as client:
        return client.confirm(PEOPLE[:20])


def confirm_one(home, names):
    with RequesterClient(home, *names) as client:
        return client.confirm_one(PEOPLE[0])


def publish_async(home, names):
    async def steps():
        async with AsyncProviderClient(home, *names) as client:
            return await client.publish(REGISTRY, id_column="id", status_column="status")

    return asyncio.run(steps())


def confirm_async(home, names):
    async def steps():
        async with AsyncRequesterClient(home, *names) as client:
            return await client.confirm(PEOPLE[:20])

    return asyncio.run(steps())


WAYS = [
    ("provider", publish),
    ("provider", publish_async),
    ("requester", confirm),
    ("requester", confirm_one),
    ("requester", confirm_async),
]


def test_a_party_s_certificate_in_the_units_place_gets_no_call(pair, impostor):
    for role, way in WAYS:
        home = at(getattr(pair, role), impostor.port)
        with pytest.raises(VerificationError) as caught:
            way(home, pair.names)
        for told in (pair.unit.house.servers["bkn"].pin, server_pin("unit"), pair.agreement):
            assert told in str(caught.value)
    assert impostor.calls == []


def raw(root, house, port):
    """A channel as the specification shows it to whoever calls the stubs."""
    mine = house.certificates["kemnaker"]
    credentials = grpc.ssl_channel_credentials(
        root_certificates=root.read_bytes(),
        private_key=mine.key.read_bytes(),
        certificate_chain=mine.certificate.read_bytes(),
    )
    return grpc.secure_channel(f"127.0.0.1:{port}", credentials)


def test_raw_stubs_that_trust_the_units_certificate_alone_reach_it_alone(pair, impostor):
    house = pair.unit.house
    unit = house.servers["unit"].certificate
    with raw(unit, house, pair.unit.port) as channel:
        agreement_grpc.AgreementServiceStub(channel).GetAgreement(CALL, timeout=PATIENCE)
    with raw(unit, house, impostor.port) as channel, pytest.raises(grpc.RpcError):
        agreement_grpc.AgreementServiceStub(channel).GetAgreement(CALL, timeout=PATIENCE)
    assert impostor.calls == []
    with raw(house.pki.ca, house, impostor.port) as channel, pytest.raises(grpc.RpcError):
        agreement_grpc.AgreementServiceStub(channel).GetAgreement(CALL, timeout=PATIENCE)
    assert impostor.calls == ["/padan.v1.AgreementService/GetAgreement"]  # the control


@pytest.mark.parametrize("way", [confirm, confirm_async])
def test_a_network_that_shows_the_unit_first_leads_no_call_astray(pair, impostor, way):
    """Between the look and the call, and between a call and the next, whatever it alternates."""
    publish(pair.provider, pair.names)
    with Relay(pair.unit.port) as relay:
        relay.route = lambda n: impostor.port if n % 2 else pair.unit.port
        home = at(pair.requester, relay.port, attempts=6)
        with pytest.raises((UnavailableError, VerificationError)):
            way(home, pair.names)
        assert relay.connections >= 4  # looks and calls in turn
    assert impostor.calls == []


async def ended(result):
    """A result of either kind of client."""
    return await result if inspect.isawaitable(result) else result


@pytest.mark.parametrize("client", [RequesterClient, AsyncRequesterClient])
def test_a_connection_that_breaks_off_does_not_go_on_elsewhere(pair, impostor, client):
    publish(pair.provider, pair.names)

    async def steps():
        with Relay(pair.unit.port) as relay:
            home = at(pair.requester, relay.port, attempts=4)
            opened = client(home, *pair.names)
            await ended(opened.confirm(PEOPLE[:20]))
            relay.route = lambda n: impostor.port
            relay.cut()
            with pytest.raises(VerificationError, match=server_pin("unit")):
                await ended(opened.confirm(PEOPLE[:10]))
            await ended(opened.close())

    asyncio.run(steps())
    assert impostor.calls == []


def test_a_certificate_renewed_for_the_same_key_is_the_same_unit(pair):
    publish(pair.provider, pair.names)
    house = pair.unit.house
    renewed = house.pki.issue_server("unit-renewed", server_key("unit"))
    with Impostor(house.pki.ca, renewed) as other, Relay(pair.unit.port) as relay:
        home = at(pair.requester, relay.port, attempts=4)
        with RequesterClient(home, *pair.names) as client:
            client.confirm(PEOPLE[:20])
            relay.route = lambda n: other.port
            relay.cut()
            with pytest.raises(Exception, match="UNIMPLEMENTED"):
                client.confirm(PEOPLE[:10])
        assert other.calls


def without_pins(text: str) -> str:
    return re.sub(r"(?ms)^\[unit\]\n.*?(?=^\[)", "", small_passes(text))


def test_without_pins_nothing_is_sent_unless_the_settings_have_some(make_pair):
    pair = make_pair(edit=small_passes)
    house = pair.unit.house
    write_signed(house.agreements_dir, edit=without_pins)
    with Impostor(house.pki.ca, house.servers["unit"]) as seen:
        home = at(pair.requester, seen.port)
        with pytest.raises(VerificationError, match=r"tls\.unit_pins"):
            confirm(home, pair.names)
        assert seen.calls == []
        settings = home.folder / "client.toml"
        text = settings.read_text()
        settings.write_text(f'{text}unit_pins = ["{server_pin("bkn")}"]\n')
        with pytest.raises(VerificationError, match=r"client\.toml"):
            confirm(Home.open(home.folder), pair.names)
        assert seen.calls == []
        settings.write_text(f'{text}unit_pins = ["{server_pin("unit")}"]\n')
        with pytest.raises(Exception, match="UNIMPLEMENTED"):
            confirm(Home.open(home.folder), pair.names)
        assert seen.calls


def test_settings_do_not_overrule_the_agreement(pair, impostor):
    home = at(pair.requester, impostor.port)
    settings = home.folder / "client.toml"
    settings.write_text(f'{settings.read_text()}unit_pins = ["{server_pin("bkn")}"]\n')
    with pytest.raises(VerificationError, match=server_pin("unit")):
        confirm(Home.open(home.folder), pair.names)
    assert impostor.calls == []


def test_in_direct_mode_another_partys_server_gets_no_call(make_direct):
    direct = make_direct()
    house = direct.server.house
    with Impostor(house.pki.ca, house.servers["imigrasi"]) as impostor:
        settings = direct.requester.folder / "client.toml"
        text = settings.read_text()
        settings.write_text(text.replace(f":{direct.server.port}", f":{impostor.port}"))
        with pytest.raises(VerificationError, match=server_pin("provider")):
            confirm_directly(Home.open(direct.requester.folder), direct.names)
        assert impostor.calls == []


def confirm_directly(home, names):
    with RequesterClient(home, *names) as client:
        return client.confirm(PEOPLE[:20], mode="direct")


# What a certificate is good for.


def test_a_client_certificate_serves_nobody_and_a_server_certificate_calls_nobody(pair):
    house = pair.unit.house
    with Impostor(house.pki.ca, house.certificates["bkn"]) as impostor:
        with raw(house.pki.ca, house, impostor.port) as channel:
            assert health(channel) is grpc.StatusCode.UNAVAILABLE
        assert impostor.calls == []
    for server in ("bkn", "unit"):
        with house.channel(pair.unit.port, house.servers[server]) as channel:
            assert health(channel) is grpc.StatusCode.UNAVAILABLE


def health(channel):
    """How a harmless call ends."""
    with pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    return caught.value.code()
