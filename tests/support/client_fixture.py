"""Fixtures for tests of the client against a unit in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from agency import Agencies, make_agencies, small_passes
from engines import FakeEngine
from laid_store import lay_store
from server_fixture import FixedClock, House, RunningUnit
from signing import write_signed

from padan_server.base.config import UnitConfig
from padan_server.roles.unit import Unit


@pytest.fixture
def make_pair(make_unit, tmp_path) -> Callable[..., Agencies]:
    """Makes a unit and both agencies of a flow; arguments as for ``make_unit``."""

    def make(flow_id: str = "", **unit) -> Agencies:
        return make_agencies(tmp_path / "homes", make_unit(**unit), flow_id)

    return make


@pytest.fixture(scope="module")
def small_pair(session_pki, tmp_path_factory) -> Iterator[Agencies]:
    """One unit and two agencies for a whole module: few passes, an engine that matches equals."""
    folder = tmp_path_factory.mktemp("small")
    pki, clients, servers = session_pki
    signed = write_signed(folder / "agreements", edit=small_passes)
    house = House(folder, pki, signed, dict(clients), servers, "asn-status")
    clock, engine = FixedClock(), FakeEngine()
    config = UnitConfig(**house.settings())
    lay_store(config)
    unit = Unit(config, engine, clock=clock)
    unit.start()
    try:
        yield make_agencies(folder / "homes", RunningUnit(house, unit, clock, engine))
    finally:
        house.close()
        unit.stop()


@pytest.fixture
def fresh_jobs(small_pair: Agencies) -> Agencies:
    """The small pair without jobs that an earlier test left pending."""
    for home in (small_pair.provider, small_pair.requester):
        shutil.rmtree(home.folder / "jobs", ignore_errors=True)
    return small_pair
