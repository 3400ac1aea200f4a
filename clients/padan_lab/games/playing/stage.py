"""The stage: both agencies' clients over mutual TLS, and the servers as processes of their own.

The clients run in this process, with a recorder before the wire; what they do is what an officer's
commands do.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from padan_client.home.folder import Home
from padan_client.protocol.rotating import rotate
from padan_client.protocol.session import open_session
from padan_client.protocol.unit.publishing import handle_key
from padan_client.provider import ProviderClient
from padan_client.requester import RequesterClient
from padan_client.results.table import ConfirmResult
from padan_lab.demo.deployment import prepare, running
from padan_lab.demo.flows import ChosenFlow, with_filters
from padan_lab.games.seeing.owners import Owners, watched_owners
from padan_lab.games.seeing.transcript import RecordedLink, Transcript
from padan_lab.generate import ID_COLUMN
from padan_linkage.agreement import Flow, load_agreement
from padan_linkage.encoding.handles import record_handles
from padan_linkage.schema import Schema

#: The flow that is played: people, both modes, a registry that changes.
AGREEMENT, FLOW = "kemnaker-bkn-2024", "asn-status"
#: Lists of one epoch.
LISTS = 12


@dataclass(repr=False)
class Agency:
    """One side's client and its recorder."""

    home: Home
    link: RecordedLink


@dataclass(frozen=True, repr=False)
class Confirmed:
    """What the servers saw of a confirmation, and what the requester got."""

    transcript: Transcript
    result: ConfirmResult


@dataclass(repr=False)
class GameStage:
    """A flow with its servers running, and both sides ready to be driven.

    ``now`` is the servers' time, by which epochs begin; ``direct_server`` runs the provider's own.
    """

    agreement: str
    flow: Flow
    provider: Agency
    requester: Agency
    owners: Owners
    now: dt.datetime
    direct_server: Callable[[], AbstractContextManager[object]]
    dataset: str = field(default="", init=False)

    @property
    def schema(self) -> Schema:
        """The flow's schema."""
        assert self.flow.schema is not None
        return self.flow.schema

    def turn_epoch(self) -> None:
        """Both sides join the next key epoch; the owners' notes of the last one go."""
        for agency in (self.provider, self.requester):
            agency.link.run(rotate(agency.home, self.agreement, self.flow.id, self.now))
            agency.link.taken()
        self.owners.made.clear()

    def publish(self, registry: pa.Table) -> Transcript:
        """A whole registry; returns what the unit saw."""
        client = ProviderClient(*self._at(self.provider), link=self.provider.link, threads=1)
        self.dataset = client.publish(registry, id_column=ID_COLUMN).dataset
        return self.provider.link.taken()

    def update(self, changed: pa.Table | None, gone: list[str]) -> Transcript:
        """A delta of the newest registry: changed and new rows, ids of those who left."""
        client = ProviderClient(*self._at(self.provider), link=self.provider.link, threads=1)
        self.dataset = client.publish(
            changed, id_column=ID_COLUMN, delta_of=self.dataset, deletes=gone
        ).dataset
        return self.provider.link.taken()

    @contextlib.contextmanager
    def serving(self, registry: pa.Table, changed: pa.Table | None = None) -> Iterator[None]:
        """The provider's server with a label table of ``registry``, and one of what ``changed``."""
        client = ProviderClient(*self._at(self.provider), link=self.provider.link, threads=1)
        base = client.publish_table(registry, id_column=ID_COLUMN).dataset
        if changed is not None:
            client.publish_table(changed, id_column=ID_COLUMN, delta_of=base)
        with self.direct_server():
            yield

    def confirm(self, asked: pa.Table, mode: str = "unit") -> Confirmed:
        """A list."""
        client = RequesterClient(*self._at(self.requester), link=self.requester.link, threads=1)
        result = client.confirm(asked, id_column=ID_COLUMN, mode=mode)
        return Confirmed(self.requester.link.taken(), result)

    def handles(self, ids: Sequence[str]) -> dict[str, dict[bytes, int]]:
        """Each record's place in ``ids`` by its handle in each pass, as its owner alone knows."""
        home = self.provider.home
        session = self.provider.link.run(
            open_session(home, home.place(self.agreement, self.flow.id))
        )
        self.provider.link.taken()
        key, named = handle_key(session), pa.array(ids, pa.string())
        return {
            p.id: {bytes(h): place for place, h in enumerate(record_handles(key, p.id, named))}
            for p in self.schema.passes
        }

    def requesting(self) -> RequesterClient:
        """A requester's client that keeps its session between questions in real time."""
        return RequesterClient(*self._at(self.requester), link=self.requester.link, threads=1)

    def _at(self, agency: Agency) -> tuple[Home, str, str]:
        return agency.home, self.agreement, self.flow.id


def _agreement() -> ChosenFlow:
    """The flow, good for as many epochs and lists a year as a bench plays in a day.

    It takes several lists an epoch, deltas and filters, as agreements do that accept it by name.
    """
    chosen = ChosenFlow.of(AGREEMENT, FLOW, "unit").asked_often(LISTS)
    year = f"lists_per_year = {12 * LISTS}".encode()
    for_years = b"lists_per_year = 1000000, epochs_per_year = 100000"
    document = with_filters(chosen.document.replace(year, for_years))
    return replace(chosen, document=document, flow=load_agreement(document).flow(FLOW))


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[GameStage]:
    """A stage in an empty folder."""
    chosen = _agreement()
    folder.mkdir(parents=True, exist_ok=True)
    site = prepare(
        folder,
        chosen.agreement_id,
        chosen.flow.id,
        chosen.document,
        dt.datetime.now(dt.UTC),
    )
    with contextlib.ExitStack() as held:
        held.enter_context(running(site, "unit"))
        owners = held.enter_context(watched_owners())
        agencies = []
        for party in (site.provider, site.requester):
            home = Home.open(site.home(party))
            link = RecordedLink.of(home, site.agreement_id, site.flow_id)
            agencies.append(Agency(home, held.enter_context(link)))
        now = site.simulated_time or dt.datetime.now(dt.UTC)
        yield GameStage(
            site.agreement_id, chosen.flow, agencies[0], agencies[1], owners, now,
            lambda: running(site, "provider"),
        )  # fmt: skip
