"""Callers that mean a server ill, and a harmless one to stand beside them."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress

import grpc
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
    # Kept: a call that nobody holds is cancelled.
    held = [call(nothing(), timeout=PATIENCE) for _ in range(calls)]
    try:
        yield held
    finally:
        enough.set()


def listed(client):
    """A harmless call of a party."""
    return client.datasets.ListDatasets(dataset_pb.ListDatasetsRequest(parent=client.parent))


class Peer:
    """Somebody who means ill from several threads, until the block ends."""

    threads = 4

    def __init__(self, house, port):
        self.house, self.port = house, port
        self.stopped = threading.Event()
        self.calls = 0
        self.stranger = house.pki.issue_client("orang-luar")

    def channel(self, name):
        """A connection of its own, so that none is shared with anybody honest."""
        known = self.house.certificates.get(name, self.stranger)
        options = [("grpc.use_local_subchannel_pool", 1)]
        return grpc.secure_channel(
            f"127.0.0.1:{self.port}", mutual(self.house.pki.ca, known), options
        )

    def harass(self, number):
        """One round of it, from one thread."""
        raise NotImplementedError

    def _run(self, number):
        while not self.stopped.is_set():
            with suppress(grpc.RpcError, OSError, StopIteration):
                self.harass(number)
            self.calls += 1

    def __enter__(self):
        self._threads = [
            threading.Thread(target=self._run, args=(number,)) for number in range(self.threads)
        ]
        for thread in self._threads:
            thread.start()
        while self.calls < self.threads:  # it is at it
            self.stopped.wait(0.01)
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE)


def mutual(ca, certificate):
    """Credentials of a certificate."""
    return grpc.ssl_channel_credentials(
        root_certificates=ca.read_bytes(),
        private_key=certificate.key.read_bytes(),
        certificate_chain=certificate.certificate.read_bytes(),
    )


class RubbishOfAStranger(Peer):
    """No party, and no message."""

    def harass(self, number):
        with self.channel("orang-luar") as channel:
            for method in (UNARY, STREAM, CHECK) * 20:
                with suppress(grpc.RpcError):
                    list(channel.stream_stream(method)(iter([b"\xff"]), timeout=5))


class SilentUploader(Peer):
    """A party that opens uploads and sends nothing."""

    def harass(self, number):
        with self.channel("bpjstk") as channel, silence(channel, STREAM, 30):
            self.stopped.wait(0.2)


class Flooder(Peer):
    """A party that asks without waiting, on as many streams as there may be."""

    def harass(self, number):
        with self.channel("bpjstk") as channel:
            call = channel.unary_unary(UNARY)
            asked = [call.future(b"", timeout=5) for _ in range(300)]
            for each in asked:
                each.exception()


class Reconnector(Peer):
    """Connects, shakes hands and goes, again and again."""

    def harass(self, number):
        with self.channel("bpjstk") as channel:
            grpc.channel_ready_future(channel).result(5)


class UnreadWatcher(Peer):
    """A party that watches whatever it may, and reads nothing of it."""

    def harass(self, number):
        with self.channel("bpjstk") as channel:
            watches = [
                channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=5)
                for _ in range(20)
            ]
            self.stopped.wait(0.2)
            for each in watches:
                each.cancel()


class Scanner(Peer):
    """Opens sockets and never shakes hands."""

    def harass(self, number):
        opened = [socket.create_connection(("127.0.0.1", self.port), 5) for _ in range(40)]
        self.stopped.wait(0.2)
        for each in opened:
            each.close()


PEERS = (
    RubbishOfAStranger, SilentUploader, Flooder, Reconnector, UnreadWatcher, Scanner,
)  # fmt: skip
