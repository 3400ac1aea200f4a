"""Peers that speak gRPC, and mean nothing good by it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Any

import grpc
from google.longrunning import operations_pb2

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import confirmation_service_pb2 as confirmation_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import release_service_pb2 as release_pb
from padan.v1 import run_service_pb2 as run_pb
from padan_lab.bench.hostile.ground import Ground
from padan_lab.bench.hostile.sockets import LIST, RESULTS

_SERVICE = "/padan.v1."
_UPLOAD = f"{_SERVICE}DatasetService/UploadTable"
_CHECK, _WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
_REFLECT = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
_SECONDS = 10.0
#: Calls of one connection at once.
_AT_ONCE = 128
_READERS = 16


def flood(ground: Ground, stopped: Event) -> None:
    """Asks on as many streams as there may be, and waits for none."""
    with ground.party.channel() as channel:
        call: Any = channel.unary_unary(LIST)
        while not stopped.is_set():
            for asked in [call.future(b"", timeout=_SECONDS) for _ in range(_AT_ONCE)]:
                asked.exception()


def question(ground: Ground, stopped: Event) -> None:
    """Asks good questions from eight threads, none of which ever waits after a refusal."""
    asked = confirmation_pb.ConfirmRecordsRequest.FromString(ground.question)

    def ask(_: int) -> None:
        mine = confirmation_pb.ConfirmRecordsRequest()
        mine.CopyFrom(asked)
        while not stopped.is_set():
            mine.request_id = str(uuid.uuid4())
            with suppress(grpc.RpcError):
                call(mine.SerializeToString(), timeout=_SECONDS)

    with ground.party.channel() as channel, ThreadPoolExecutor(8) as threads:
        call: Any = channel.unary_unary(f"{_SERVICE}ConfirmationService/ConfirmRecords")
        list(threads.map(ask, range(8)))


def send_rubbish(ground: Ground, stopped: Event) -> None:
    """Sends what is no message."""
    with ground.party.channel() as channel:
        call: Any = channel.unary_unary(LIST)
        while not stopped.is_set():
            call.future(b"\xff" * 1000, timeout=_SECONDS).exception()


def reconnect(ground: Ground, stopped: Event) -> None:
    """Shakes hands and goes."""
    del stopped
    with ground.party.channel() as channel:
        grpc.channel_ready_future(channel).result(_SECONDS)


def say_nothing(ground: Ground, stopped: Event) -> None:
    """Opens uploads of which no message comes."""

    def nothing() -> Iterator[bytes]:
        stopped.wait()
        yield from ()

    with ground.party.channel() as channel:
        upload: Any = channel.stream_unary(_UPLOAD)
        calls = [upload.future(nothing(), timeout=_SECONDS) for _ in range(100)]
        stopped.wait(_SECONDS / 2)
        for call in calls:
            call.cancel()


def stop_midway(ground: Ground, stopped: Event) -> None:
    """Opens datasets, begins uploads by sixteens and stops in the middle of each."""
    draft = dataset_pb.Dataset.FromString(ground.draft)
    request = dataset_pb.CreateDatasetRequest(parent=ground.answering, dataset=draft)
    with ground.party.channel() as channel:
        create: Any = channel.unary_unary(
            f"{_SERVICE}DatasetService/CreateDataset",
            dataset_pb.CreateDatasetRequest.SerializeToString,
            dataset_pb.Dataset.FromString,
        )
        upload: Any = channel.stream_unary(_UPLOAD)
        calls = []
        for _ in range(_READERS):
            with suppress(grpc.RpcError):
                made = create(request, timeout=_SECONDS)
                calls.append(upload.future(_half(made, stopped), timeout=_SECONDS))
        stopped.wait(_SECONDS / 2)
        for call in calls:
            call.cancel()
        _delete(channel, ground, stopped)


def _half(made: dataset_pb.Dataset, stopped: Event) -> Iterator[bytes]:
    first = dataset_pb.UploadTableRequest(table=f"{made.name}/tables/{made.tables[0].pass_id}")
    yield first.SerializeToString()
    stopped.wait(_SECONDS / 2)


def _delete(channel: grpc.Channel, ground: Ground, stopped: Event) -> None:
    """Every second time it makes room again, so that it can begin anew."""
    list_: Any = channel.unary_unary(
        LIST,
        dataset_pb.ListDatasetsRequest.SerializeToString,
        dataset_pb.ListDatasetsResponse.FromString,
    )
    delete: Any = channel.unary_unary(
        f"{_SERVICE}DatasetService/DeleteDataset",
        dataset_pb.DeleteDatasetRequest.SerializeToString,
    )
    asked = dataset_pb.ListDatasetsRequest(parent=ground.answering)
    with suppress(grpc.RpcError):
        for found in list_(asked, timeout=_SECONDS).datasets:
            if found.state == dataset_pb.Dataset.STATE_OPEN and not stopped.is_set():
                delete(dataset_pb.DeleteDatasetRequest(name=found.name), timeout=_SECONDS)


def read_nothing(ground: Ground, stopped: Event) -> None:
    """Asks for results and never reads them."""
    request = run_pb.StreamResultsRequest(name=ground.run).SerializeToString()
    with ground.party.channel() as channel:
        results: Any = channel.unary_stream(RESULTS)
        calls = [results(request, timeout=3600) for _ in range(_READERS)]
        stopped.wait()
        for call in calls:
            call.cancel()


def run_in_circles(ground: Ground, stopped: Event) -> None:
    """Starts runs and cancels them, again and again."""
    with ground.party.channel() as channel:
        start: Any = channel.unary_unary(
            f"{_SERVICE}RunService/CreateRun",
            run_pb.CreateRunRequest.SerializeToString,
            operations_pb2.Operation.FromString,
        )
        cancel: Any = channel.unary_unary(
            "/google.longrunning.Operations/CancelOperation",
            operations_pb2.CancelOperationRequest.SerializeToString,
        )
        while not stopped.is_set():
            request = run_pb.CreateRunRequest(
                parent=ground.parent,
                run=run_pb.Run(requester_dataset=ground.listed),
                request_id=str(uuid.uuid4()),
            )
            with suppress(grpc.RpcError):
                name = start(request, timeout=_SECONDS).name
                cancel(operations_pb2.CancelOperationRequest(name=name), timeout=_SECONDS)


def administer_in_circles(ground: Ground, stopped: Event) -> None:
    """Asks for agreements, releases and runs, and hands in releases that are none."""
    agreement = ground.parent.rpartition("/flows/")[0]
    asked = (
        ("AgreementService/GetAgreement", agreement_pb.GetAgreementRequest(name=agreement)),
        ("AgreementService/ListAgreements", agreement_pb.ListAgreementsRequest()),
        ("RunService/ListRuns", run_pb.ListRunsRequest(parent=ground.parent)),
        ("ReleaseService/ListReleases", release_pb.ListReleasesRequest(parent=f"{agreement}/x")),
        ("ReleaseService/CreateRelease", release_pb.CreateReleaseRequest(parent=ground.parent)),
    )
    with ground.party.channel() as channel:
        calls: list[tuple[Any, bytes]] = [
            (channel.unary_unary(f"{_SERVICE}{method}"), request.SerializeToString())
            for method, request in asked
        ]
        while not stopped.is_set():
            under_way = [c.future(r, timeout=_SECONDS) for c, r in calls for _ in range(10)]
            for each in under_way:
                each.exception()


def watch(ground: Ground, stopped: Event) -> None:
    """A stranger that watches health and reads nothing."""
    with ground.stranger.channel() as channel:
        method: Any = channel.unary_stream(_WATCH)
        watches = [method(b"", timeout=_SECONDS) for _ in range(20)]
        stopped.wait(_SECONDS / 2)
        for each in watches:
            each.cancel()


def check_health(ground: Ground, stopped: Event) -> None:
    """A stranger that checks health and asks for reflection on every stream there is."""
    with ground.stranger.channel() as channel:
        check: Any = channel.unary_unary(_CHECK)
        reflect: Any = channel.stream_unary(_REFLECT)
        while not stopped.is_set():
            asked = [check.future(b"", timeout=_SECONDS) for _ in range(_AT_ONCE)]
            asked += [reflect.future(iter([b"\x3a\x00"]), timeout=_SECONDS) for _ in range(8)]
            for each in asked:
                each.exception()


def send_bombs(ground: Ground, stopped: Event) -> None:
    """Sends megabytes of nothing, well compressed."""
    content = bytes(200 << 20)
    with ground.party.channel() as channel:
        call: Any = channel.unary_unary(LIST)
        while not stopped.is_set():
            with suppress(grpc.RpcError):
                call(content, timeout=_SECONDS, compression=grpc.Compression.Gzip)
