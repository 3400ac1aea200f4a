"""A server that is killed, restored and started again under a channel that stays open.

gRPC connects again by itself and says nothing: the first call that then goes out must not change
anything at a server whose past has not been looked at.
"""

from __future__ import annotations

import asyncio
import shutil

import pytest
from agency import make_agencies, people, registry_table, small_passes

from padan.v1 import agreement_service_pb2 as pb
from padan.v1 import resources_pb2
from padan_client import ProviderClient, RequesterClient
from padan_client.aio import AsyncRequesterClient
from padan_client.base.effects import call
from padan_client.transport.async_channel import AsyncLink
from padan_client.transport.channel import Link
from padan_client.transport.pasts import ServerPastError

PEOPLE = people(40, seed=5)
CHANGES = ("SuspendAgreement", "ResumeAgreement")


class KilledUnit:
    """A unit process at one address, both agencies, and a backup of its directory."""

    def __init__(self, unit, folder):
        self.unit, self._kept = unit, folder / "kept"
        unit.start()
        self.pair = make_agencies(folder / "homes", unit)
        self.agreement = self.pair.agreement

    def publish(self):
        with ProviderClient(self.pair.provider, *self.pair.names) as client:
            client.publish(registry_table(PEOPLE), id_column="id", status_column="status")

    def back_up(self):
        self.unit.stop()
        shutil.copytree(self.unit.house.data_dir, self._kept)
        self.unit.start()

    def restore(self):
        self.unit.kill()
        shutil.rmtree(self.unit.house.data_dir)
        shutil.copytree(self._kept, self.unit.house.data_dir)
        self.unit.start()

    def restart(self):
        self.unit.kill()
        self.unit.start()

    def steps(self, method):
        request = getattr(pb, f"{method}Request")(name=f"agreements/{self.agreement}")
        if method == "SuspendAgreement":
            request.article = "Pasal 10 ayat (2)"
        return call(
            f"AgreementService.{method}",
            request,
            pb.Agreement,
            self.pair.provider.patience,
        )

    @property
    def suspended_by(self):
        """As a stub of somebody's own sees it."""
        request = pb.GetAgreementRequest(name=f"agreements/{self.agreement}")
        return list(self.unit.client("bkn").agreements.GetAgreement(request).suspended_by)

    @property
    def charged(self):
        """How far the flow's chain has come, as a stub sees it."""
        name = f"agreements/{self.agreement}"
        _, made = self.unit.client("kemnaker").agreements.GetAgreement.with_call(
            pb.GetAgreementRequest(name=name)
        )
        said = dict(made.trailing_metadata())["padan-handshake-bin"]
        heads = resources_pb2.Handshake.FromString(said).heads
        return {head.name: head.generation for head in heads}


@pytest.fixture
def stand(make_unit_process, free_port, tmp_path):
    unit = make_unit_process(settings={"listen": f"127.0.0.1:{free_port()}"}, edit=small_passes)
    return KilledUnit(unit, tmp_path)


@pytest.mark.parametrize("method", CHANGES)
def test_a_change_over_a_channel_that_lasted_is_not_taken_by_a_restored_server(stand, method):
    first, then = ("SuspendAgreement", "ResumeAgreement")
    if method == "ResumeAgreement":
        with Link.open(stand.pair.provider, stand.agreement) as link:
            link.run(stand.steps(first))
    stand.back_up()
    before = stand.suspended_by
    with Link.open(stand.pair.provider, stand.agreement) as link:
        link.run(stand.steps(then if before else first))
        link.run(stand.steps(first if before else then))
        stand.restore()
        for _ in range(2):
            with pytest.raises(ServerPastError):
                link.run(stand.steps(method))
    assert stand.suspended_by == before


def test_so_it_is_for_asyncio(stand):
    stand.back_up()

    async def change():
        async with AsyncLink.open(stand.pair.provider, stand.agreement) as link:
            for method in CHANGES:
                await link.run(stand.steps(method))
            await asyncio.to_thread(stand.restore)
            for _ in range(2):
                with pytest.raises(ServerPastError):
                    await link.run(stand.steps(CHANGES[0]))

    asyncio.run(change())
    assert stand.suspended_by == []


def test_a_question_is_not_charged_by_a_restored_server(stand):
    stand.publish()
    stand.back_up()
    with RequesterClient(stand.pair.requester, *stand.pair.names) as client:
        client.confirm_one(PEOPLE[0])
        client.confirm(PEOPLE[:20])
        stand.restore()
        before = stand.charged
        for ask in (lambda: client.confirm_one(PEOPLE[1]), lambda: client.confirm(PEOPLE[5:25])):
            with pytest.raises(ServerPastError):
                ask()
    assert stand.charged == before


def test_a_registry_is_not_uploaded_to_a_restored_server(stand):
    stand.publish()
    stand.back_up()
    with ProviderClient(stand.pair.provider, *stand.pair.names) as client:
        client.publish(registry_table(PEOPLE), id_column="id", status_column="status")
        stand.restore()
        before = stand.charged
        with pytest.raises(ServerPastError):
            client.publish(registry_table(PEOPLE[:30]), id_column="id", status_column="status")
    assert stand.charged == before


def test_a_server_that_only_died_is_gone_on_with_and_asked_once(stand):
    stand.publish()
    with RequesterClient(stand.pair.requester, *stand.pair.names) as client:
        whole = client.confirm(PEOPLE[:20]).table
        stand.restart()
        assert client.confirm_one(PEOPLE[0]) is not None
        stand.restart()
        assert client.confirm(PEOPLE[:20]).table.num_rows == whole.num_rows

    async def ask_on():
        async with AsyncRequesterClient(stand.pair.requester, *stand.pair.names) as client:
            await client.confirm_one(PEOPLE[0])
            await asyncio.to_thread(stand.restart)
            return await asyncio.gather(*(client.confirm_one(p) for p in PEOPLE[:8]))

    assert len(asyncio.run(ask_on())) == 8
    with Link.open(stand.pair.provider, stand.agreement) as link:
        for method in CHANGES:
            stand.restart()
            link.run(stand.steps(method))
    assert stand.suspended_by == []
