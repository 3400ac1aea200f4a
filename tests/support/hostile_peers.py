"""Callers that mean a server ill, and a harmless one to stand beside them."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from functools import partial

from parties import PartyClient
from patience import PATIENCE
from signing import write_signed

from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import resources_pb2 as resources_pb
from padan_lab.bench.hostile.ground import Caller, Ground

UNARY, STREAM = "/padan.v1.DatasetService/ListDatasets", "/padan.v1.DatasetService/UploadTable"
CHECK, REFLECT = (
    "/grpc.health.v1.Health/Check",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)


def stranger(unit, number=0):
    """A channel with a certificate of the authority that no party has."""
    return unit.house.channel(unit.port, unit.house.pki.issue_client(f"orang-luar-{number}"))


@contextmanager
def silence(channel, method, calls):
    """Holds so many calls of ``method`` open, of which the message never comes."""
    enough = threading.Event()

    def nothing():
        enough.wait(PATIENCE)
        yield from ()

    call = channel.stream_stream(method)
    # Kept: a call that nobody holds is cancelled.
    held = [call(nothing(), timeout=PATIENCE) for _ in range(calls)]
    try:
        yield held
    finally:
        enough.set()


def listed(client):
    """A harmless call of a party."""
    return client.datasets.ListDatasets(dataset_pb.ListDatasetsRequest(parent=client.parent))


#: The agreement and flow in which a hostile party asks, and that in which it is asked.
SECOND, ASKING, ASKED = "bpjstk-imigrasi-2023", "paspor", "kepesertaan"


def second_agreement(house):
    """Another two parties' agreement, beside that of the house; before the unit starts."""
    endless = partial(
        re.sub, r"records_per_(day|list) = [0-9_]+", r"records_per_\1 = 1_000_000_000"
    )
    return write_signed(house.agreements_dir, SECOND, edit=endless)


def second_party(unit, signed, name, flow=ASKING):
    """A party of that agreement at a unit, on a new channel."""
    return PartyClient(
        unit.house.channel(unit.port, unit.house.certificates[name]), name, signed, flow
    )


def hostile_ground(unit, signed):
    """What a hostile requester has: an agreement, a list that was answered, good questions."""
    house = unit.house

    provider, requester = (second_party(unit, signed, name) for name in ("imigrasi", "bpjstk"))
    provider.contribute()
    requester.contribute()
    registry = provider.tables(500)
    mine = requester.tables(500, same_as=registry)
    provider.publish(500, tables=registry)
    listed = requester.publish(500, tables=mine)
    run = requester.watch(requester.run_of(requester.start_run(listed)).name)
    table = next(iter(mine.values()))
    question = confirmation_pb.ConfirmRecordsRequest(
        parent=requester.parent,
        encoding=requester.encoding(),
        pass_id=table.pass_id,
        rows=resources_pb.TableRows(row_count=1, **table.rows(0, 1)),
    )
    answering = second_party(unit, signed, "bpjstk", ASKED)
    return Ground(
        party=caller(unit, house.certificates["bpjstk"]),
        stranger=caller(unit, house.pki.issue_client("orang-luar")),
        parent=requester.parent,
        answering=answering.parent,
        question=question.SerializeToString(),
        listed=listed.name,
        run=run.name,
        draft=answering.draft(20).SerializeToString(),
    )


def caller(unit, certificate):
    """Who shows a certificate to a server."""
    own = certificate.certificate, certificate.key
    return Caller(f"127.0.0.1:{unit.port}", unit.house.pki.ca, *own)
