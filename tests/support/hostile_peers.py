"""Callers that mean a server ill, and a harmless one to stand beside them."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from patience import PATIENCE

from padan.v1 import dataset_service_pb2 as dataset_pb

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
    try:
        yield [call(nothing(), timeout=PATIENCE) for _ in range(calls)]
    finally:
        enough.set()


def listed(client):
    """A harmless call of a party."""
    return client.datasets.ListDatasets(dataset_pb.ListDatasetsRequest(parent=client.parent))
