"""Runs and datasets as the unit lists them, and what may be done to them by name."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from google.protobuf import empty_pb2

from padan.v1 import dataset_service_pb2, run_service_pb2
from padan_client.base.effects import Patience, Steps, call
from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.protocol.paging import listed

_PAGE = 200
_INDONESIAN = {"runs": "pemadanan", "datasets": "himpunan data"}


def resource_name(place: FlowPlace, collection: str, given: str) -> str:
    """The resource name of a run or dataset of the flow, given by name or by id."""
    name = given if "/" in given else f"{place.name}/{collection}/{given}"
    if not re.fullmatch(re.escape(f"{place.name}/{collection}/") + r"[0-9a-f]{32}", name):
        raise BadInputError(
            t(
                f"Bukan nama atau id {_INDONESIAN[collection]} pada alur {place.flow.id}.",
                f"Not the name or id of one of the {collection} of flow {place.flow.id}.",
            )
        )
    return name


def list_runs(place: FlowPlace, limit: int, patience: Patience) -> Steps[list[run_service_pb2.Run]]:
    """The newest runs of the flow, newest first."""
    request = run_service_pb2.ListRunsRequest(parent=place.name, page_size=min(_PAGE, limit))
    method, answer = "RunService.ListRuns", run_service_pb2.ListRunsResponse
    return (yield from listed(method, request, answer, "runs", patience, limit=limit))


def list_datasets(
    place: FlowPlace, limit: int, patience: Patience
) -> Steps[list[dataset_service_pb2.Dataset]]:
    """The newest own datasets of the flow, newest first."""
    request = dataset_service_pb2.ListDatasetsRequest(
        parent=place.name, page_size=min(_PAGE, limit)
    )
    method, answer = "DatasetService.ListDatasets", dataset_service_pb2.ListDatasetsResponse
    return (yield from listed(method, request, answer, "datasets", patience, limit=limit))


def get_run(name: str, patience: Patience) -> Steps[run_service_pb2.Run]:
    """One run."""
    request = run_service_pb2.GetRunRequest(name=name)
    return (yield from call("RunService.GetRun", request, run_service_pb2.Run, patience))


def cancel_run(
    name: str, randomness: Callable[[int], bytes], patience: Patience
) -> Steps[run_service_pb2.Run]:
    """Ask a run to stop; one that has ended stays as it is."""
    request = run_service_pb2.CancelRunRequest(name=name, request_id=_request_id(randomness))
    return (yield from call("RunService.CancelRun", request, run_service_pb2.Run, patience))


def delete_dataset(
    name: str, randomness: Callable[[int], bytes], patience: Patience
) -> Steps[None]:
    """Erase one of the caller's datasets at the unit."""
    request = dataset_service_pb2.DeleteDatasetRequest(
        name=name, request_id=_request_id(randomness)
    )
    yield from call("DatasetService.DeleteDataset", request, empty_pb2.Empty, patience)


def _request_id(randomness: Callable[[int], bytes]) -> str:
    return str(uuid.UUID(bytes=randomness(16), version=4))
