"""A unit process on loopback with two agencies, for benches: real TLS, keys and agreement.

What is published is random bytes of the right shape: neither uploads nor the answer to a question
takes longer or shorter for them than for encoded people.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np

from padan.v1 import dataset_service_pb2 as pb
from padan.v1 import resources_pb2
from padan.v1.reason_texts import ServerKind
from padan_client.base.effects import Steps, call
from padan_client.home.folder import Home
from padan_client.protocol.session import Session, open_session
from padan_client.protocol.unit.datasets import describe
from padan_client.protocol.unit.uploading import upload_table
from padan_client.transport.channel import Link
from padan_client.transport.pinning import agreed_pins
from padan_client.transport.servers import servers_of
from padan_lab.bench.rates.unmeasured import open_edition, priors_of, signed_edition
from padan_lab.demo.deployment import Deployment, prepare, running
from padan_lab.demo.flows import FILTER_PASSES, several_lists, with_filters
from padan_linkage.agreement import example
from padan_linkage.schema import Layout, Pass, Schema
from padan_linkage.tables import PassTable

AGREEMENT, FLOW = "kemnaker-bkn-2024", "asn-status"

_BLOCK = "[[flow.schema.passes]]"
_QUOTA = re.compile(r"records_per_(day|list) = [0-9_]+")
_QUOTA_LINE = re.compile(r"^quota = .*$", re.MULTILINE)
_ENDLESS = r"records_per_\1 = 1_000_000_000"
#: Lists of an epoch: a bench asks again and again.
_LISTS = 1_000


def lean_document(
    passes: Collection[str], agreement: str = AGREEMENT, flow: str = FLOW, *, endless: bool = True
) -> bytes:
    """An example agreement with only some passes in one flow (where any are named).

    They may be of :data:`~padan_lab.demo.flows.FILTER_PASSES`, which no example has. ``endless``:
    no quota stops a bench that asks again and again.
    """
    document = example(agreement)
    filters = set(passes).intersection(FILTER_PASSES)
    text = (with_filters(document, flow) if filters else document).decode()
    begin = text.index(f'id = "{flow}"')
    end = text.find("\n[[flow]]\n", begin)
    head, body, tail = text[:begin], text[begin:end], text[end:] if end >= 0 else ""
    first, *blocks = body.split(_BLOCK)
    kept, rest = [first], ""
    for block in blocks:
        definition, separator, after = block.partition("\n[")
        name = re.search(r'^id = "([^"]+)"', definition, re.MULTILINE)
        if name and (not passes or name.group(1) in passes):
            kept.append(definition + "\n")
        rest = separator + after
    body = _BLOCK.join(kept) + rest
    if endless:
        body = _QUOTA_LINE.sub(lambda line: _QUOTA.sub(_ENDLESS, line.group()), body)
        body = several_lists(body.encode(), _LISTS).decode()
    return (head + body + tail).encode()


@dataclass(frozen=True, repr=False)
class AgencyAtUnit:
    """One agency at the unit."""

    home: Home
    link: Link
    session: Session

    def channel(self) -> grpc.Channel:
        """A channel of its own to the unit."""
        pins = agreed_pins(self.home, AGREEMENT)
        unit = servers_of(self.home.config, self.home.folder, pins)[ServerKind.UNIT]
        return grpc.secure_channel(unit.address, unit.credentials(), unit.options())

    def publish(self, records: int, tables: Mapping[str, PassTable]) -> str:
        """Put a dataset of ``records`` records; its name."""
        return self.link.run(_put(self, records, tables))


@dataclass(frozen=True, repr=False)
class Workbench:
    """The unit, by the number of its process, and both sides of a flow."""

    site: Deployment
    unit: int
    provider: AgencyAtUnit
    requester: AgencyAtUnit

    def unit_seconds(self) -> float:
        """Processor seconds that the unit has used, whose process runs on Linux alone."""
        fields = Path(f"/proc/{self.unit}/stat").read_text(encoding="ascii").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def unit_stand(folder: Path, document: bytes, strangers: Sequence[str] = ()) -> Iterator[Workbench]:
    """A running unit in ``folder``, both sides' epoch keys exchanged."""
    site = prepare(folder, AGREEMENT, FLOW, document, dt.datetime.now(dt.UTC), strangers)
    with running(site, "unit") as unit, sides(site, unit, FLOW) as bench:
        yield bench


@contextmanager
def sides(site: Deployment, unit: int, flow: str) -> Iterator[Workbench]:
    """Both sides of a flow of the agreement, at the unit that runs."""
    place = "--agreement", AGREEMENT, "--flow", flow
    for party in (site.provider, site.requester):
        site.run(party, "keys", "rotate", "--mode", "unit", *place)
    with (
        _side(site, site.provider, flow) as one,
        _side(site, site.requester, flow) as other,
    ):
        answers = one.session.place.party == one.session.place.flow.provider
        yield Workbench(site, unit, one if answers else other, other if answers else one)


@contextmanager
def _side(site: Deployment, party: str, flow: str) -> Iterator[AgencyAtUnit]:
    home = Home.open(site.home(party), passphrase=None)
    with Link.open(home, AGREEMENT, flow) as link:
        session = link.run(open_session(home, home.place(AGREEMENT, flow)))
        yield AgencyAtUnit(home, link, session)


def random_table(
    schema: Schema, p: Pass, rows: int, rng: np.random.Generator, *, provider: bool
) -> PassTable:
    """A table of random bytes; buckets are in range."""
    layout = Layout.of(schema, p, provider=provider)
    columns = {
        name: np.frombuffer(rng.bytes(rows * width), np.uint8).reshape(rows, width)
        for name, width in layout.columns()
    }
    if p.similar:
        buckets = rng.integers(0, 1 << p.bucket_bits, rows, dtype=np.uint16).astype("<u2")
        columns["keys"] = buckets.view(np.uint8).reshape(rows, 2)
    return PassTable(p.id, layout, columns)


def draft_of(side: AgencyAtUnit, records: int) -> pb.Dataset:
    """What a side would put: a dataset of so many records."""
    session = side.session
    provider = session.place.party == session.place.flow.provider
    role = resources_pb2.ROLE_PROVIDER if provider else resources_pb2.ROLE_REQUESTER
    wanted = describe(session, role, records, session.schema.padded_rows(records))
    if provider:
        wanted.seal.seal_id, wanted.seal.encapsulated_key = uuid.uuid4().bytes, bytes(32)
    return wanted


def _put(side: AgencyAtUnit, records: int, tables: Mapping[str, PassTable]) -> Steps[str]:
    session, patience = side.session, side.home.patience
    wanted = draft_of(side, records)
    created = yield from call(
        "DatasetService.CreateDataset",
        pb.CreateDatasetRequest(parent=session.place.name, dataset=wanted),
        pb.Dataset,
        patience,
    )
    for pass_id, table in tables.items():
        yield from upload_table(f"{created.name}/tables/{pass_id}", table, patience, lambda _: None)
    request = pb.CommitDatasetRequest(name=created.name)
    if wanted.role == resources_pb2.ROLE_PROVIDER:
        flow, calibrations = session.place.flow, priors_of(session.schema)
        edition = open_edition(
            session.schema, session.place.digest, flow.id, flow.match, calibrations
        )
        request.edition.CopyFrom(signed_edition(edition, calibrations, session.identity.sign))
    yield from call("DatasetService.CommitDataset", request, pb.Dataset, patience)
    return created.name
