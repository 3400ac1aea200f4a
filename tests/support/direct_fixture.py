"""Both sides of a flow in direct mode: homes, a provider in this process, and a unit if wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from agency import make_agencies, write_home
from provider_fixture import Publisher, RunningProvider
from server_fixture import House, RunningUnit

from padan_client import Home, ProviderClient, PublishResult, RequesterClient
from padan_client.results.table import ConfirmResult
from padan_client.transport.channel import Link


@dataclass
class DirectPair:
    """Provider and requester of a flow, their homes, and the running servers."""

    server: RunningProvider
    unit: RunningUnit | None
    flow: str
    provider: Home
    requester: Home

    @property
    def names(self) -> tuple[str, str]:
        """Agreement and flow, as the clients' constructors take them."""
        return self.server.house.signed.agreement.id, self.flow

    @property
    def tables(self) -> list[Path]:
        """Folders of the published tables."""
        return sorted(self.server.publisher.tables_dir.glob("[!.]*"))

    def publish(self, table: pa.Table | None, *, threads: int = 1, **more) -> PublishResult:
        """``padan publish --mode direct``, and the server takes note."""
        more.setdefault("status_column", "status")
        with ProviderClient(self.provider, *self.names, threads=threads) as client:
            result = client.publish_table(table, id_column="id", **more)
        self.server.rescan()
        return result

    def confirm(self, records, link: Link | None = None, **more) -> ConfirmResult:
        """``padan confirm --mode direct``, unless another mode is given."""
        more.setdefault("mode", "direct")
        with RequesterClient(self.requester, *self.names, link=link) as client:
            return client.confirm(records, **more)

    def charged(self) -> int:
        """Elements charged to the flow today."""
        store = self.server.provider._store
        with store.read() as tx:
            return tx.quotas.used(*self.names, self.server.clock.now().date())


def point_at(home: Path, server: RunningProvider) -> None:
    """Give a home the provider's address and folders."""
    publisher, path = server.publisher, home / "client.toml"
    text = path.read_text()
    own = (
        f'provider = "127.0.0.1:{server.port}"\n'
        f'tables_dir = "{publisher.tables_dir}"\nseeds_dir = "{publisher.seeds_dir}"\n'
    )
    path.write_text(text.replace("[tls]", own + "[tls]", 1))


@pytest.fixture
def make_direct(make_house, make_provider, make_unit, tmp_path) -> Callable[..., DirectPair]:
    """Makes a :class:`DirectPair`: ``make_direct(edit=…, unit=True, engine=…)``."""

    def make(unit: bool = False, engine=None, **signing) -> DirectPair:
        house: House = make_house(**signing)
        folder = tmp_path / "homes"
        own = {"data_dir": str(house.folder / "provider")}
        server = make_provider(publisher=Publisher(house), published=False, settings=own)
        flow = house.signed.agreement.flow(house.flow_id)
        running = make_unit(house=house, engine=engine) if unit else None
        if running:
            made = make_agencies(folder, running)
            homes = [made.provider.folder, made.requester.folder]
        else:
            homes = [write_home(folder / p, house, p, 1) for p in (flow.provider, flow.requester)]
        for home in homes:
            point_at(home, server)
        opened = [Home.open(home, jitter=lambda: 0.0) for home in homes]
        return DirectPair(server, running, flow.id, *opened)

    return make
