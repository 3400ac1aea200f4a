"""RunService: matchings, and the same as google.longrunning operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import any_pb2, empty_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2

from padan.v1 import run_service_pb2 as pb
from padan.v1 import run_service_pb2_grpc as pb_grpc
from padan.v1.reason_texts import ServerKind
from padan_server.admission.enforcement import REQUESTER, Enforcement, Grant
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.model import ENDED, Run, RunState
from padan_server.matching.runs import Runs
from padan_server.services import convert, names
from padan_server.services.guard.call import admitted, current_call
from padan_server.services.guard.status import status_of
from padan_server.services.pages import PageTokens


class RunService(pb_grpc.RunServiceServicer):
    """Serves runs to the requester of a flow."""

    def __init__(
        self, enforcement: Enforcement, runs: Runs, tokens: PageTokens, result_bytes: int
    ) -> None:
        self._admit = partial(admitted, enforcement, roles=REQUESTER)
        self._runs = runs
        self._tokens = tokens
        self._result_bytes = result_bytes

    def CreateRun(self, request: pb.CreateRunRequest, context: grpc.ServicerContext) -> Any:
        """Charge the quota and start a run."""
        del context
        grant = self._admit(*names.parse_flow("parent", request.parent))
        if not request.run.requester_dataset:
            raise field_invalid("run.requester_dataset", "wajib", "required")
        list_id = convert.dataset_in(grant, "run.requester_dataset", request.run.requester_dataset)
        registry_id = convert.dataset_in(
            grant, "run.provider_dataset", request.run.provider_dataset
        )
        run = self._runs.create(grant, list_id, registry_id, convert.request_key(request))
        current_call().note(run=run.id, dataset=list_id, records=run.record_count)
        return operation(run, self._message(grant, run))

    def GetRun(self, request: pb.GetRunRequest, context: grpc.ServicerContext) -> pb.Run:
        """One run."""
        del context
        grant, run_id = self._named(request.name)
        return self._message(grant, self._runs.get(grant, run_id))

    def ListRuns(
        self, request: pb.ListRunsRequest, context: grpc.ServicerContext
    ) -> pb.ListRunsResponse:
        """The caller's runs of a flow, newest first."""
        del context
        grant = self._admit(*names.parse_flow("parent", request.parent))
        shown, token = self._tokens.page(
            f"ListRuns {grant.party} {request.parent}",
            request,
            lambda before, limit: self._runs.page(grant, before=before, limit=limit),
            place=lambda run: run.sequence,
        )
        return pb.ListRunsResponse(
            runs=[self._message(grant, r) for r in shown], next_page_token=token
        )

    def WatchRun(
        self, request: pb.WatchRunRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.Run]:
        """State and progress until the run ends."""
        grant, run_id = self._named(request.name)
        for run in self._runs.watch(grant, run_id, _going_on(context)):
            yield self._message(grant, run)

    def CancelRun(self, request: pb.CancelRunRequest, context: grpc.ServicerContext) -> pb.Run:
        """Stop a run; allowed out of force too."""
        del context
        grant, run_id = self._named(request.name, erasing=True)
        return self._message(grant, self._runs.cancel(grant, run_id, convert.request_key(request)))

    def StreamResults(
        self, request: pb.StreamResultsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.StreamResultsResponse]:
        """Answers of a succeeded run."""
        del context
        if request.row_offset and not request.pass_id:
            raise field_invalid("row_offset", "hanya dengan pass_id", "only with pass_id")
        grant, run_id = self._named(request.name)
        run = self._runs.get(grant, run_id)
        seal = convert.seal_message(self._runs.seal(run))
        rows = 0
        for first, answers in self._runs.results(
            grant, run, request.pass_id, request.row_offset, self._result_bytes
        ):
            rows += len(answers)
            yield pb.StreamResultsResponse(seal=seal, rows=convert.matched_rows(first, answers))
            seal = None
        current_call().note(rows=rows)

    def _message(self, grant: Grant, run: Run) -> pb.Run:
        return convert.run_message(run, self._runs.step(grant, run))

    def _named(self, name: str, *, erasing: bool = False) -> tuple[Grant, str]:
        agreement_id, flow_id, run_id = names.parse_run("name", name)
        current_call().note(run=run_id)
        return self._admit(agreement_id, flow_id, erasing=erasing), run_id


class OperationService(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]
    """google.longrunning.Operations over the caller's runs."""

    def __init__(self, enforcement: Enforcement, runs: Runs, tokens: PageTokens) -> None:
        self._admit = partial(admitted, enforcement, roles=REQUESTER)
        self._runs = runs
        self._tokens = tokens

    def GetOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One operation."""
        del context
        grant, run = self._named(request.name)
        return self._message(grant, run)

    def ListOperations(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The caller's operations, newest first; filters are not supported."""
        del context
        if request.filter:
            raise field_invalid("filter", "tidak didukung", "not supported")
        party = current_call().party
        shown, token = self._tokens.page(
            f"ListOperations {party}",
            request,
            lambda before, limit: self._runs.of_party(party, before=before, limit=limit),
            place=lambda run: run.sequence,
        )
        operations = []
        for run in shown:
            # A flow that is out of force shows nothing of its runs.
            with suppress(Refusal):
                operations.append(self._message(self._admit(*_flow(run)), run))
        return operations_pb2.ListOperationsResponse(operations=operations, next_page_token=token)

    def CancelOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Stop a run."""
        del context
        grant, run = self._named(request.name, erasing=True)
        self._runs.cancel(grant, run.id, None)
        return empty_pb2.Empty()

    def WaitOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The operation once it is done, or as it stands when the timeout is over."""
        grant, run = self._named(request.name)
        seconds = math.inf
        if request.HasField("timeout"):
            seconds = request.timeout.ToTimedelta().total_seconds()
        for seen in self._runs.watch(grant, run.id, _going_on(context), seconds=seconds):
            run = seen
        return self._message(grant, run)

    def DeleteOperation(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Not offered: a run's answers go with its list (DeleteDataset)."""
        self._named(request.name, erasing=True)
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "Hapus daftarnya dengan DeleteDataset. / Erase the list with DeleteDataset.",
        )

    def _named(self, name: str, *, erasing: bool = False) -> tuple[Grant, Run]:
        run_id = names.parse_operation("name", name)
        current_call().note(run=run_id)
        run = self._runs.find(current_call().party, run_id)
        return self._admit(*_flow(run), erasing=erasing), run

    def _message(self, grant: Grant, run: Run) -> Any:
        return operation(run, convert.run_message(run, self._runs.step(grant, run)))


def _going_on(context: grpc.ServicerContext) -> Callable[[], bool]:
    """Whether a caller still waits; raises a refusal once it may no longer."""
    call = current_call()

    def waits() -> bool:
        call.check()
        return context.is_active()

    return waits


def _flow(run: Run) -> tuple[str, str]:
    return run.flow.agreement, run.flow.flow


def operation(run: Run, message: pb.Run) -> Any:
    """A run as an operation: done with a Run, also a closed one, or with a status."""
    made = operations_pb2.Operation(
        name=f"operations/{run.id}", metadata=_any(pb.RunMetadata(run=message))
    )
    if run.state not in ENDED:
        return made
    made.done = True
    if run.state in {RunState.SUCCEEDED, RunState.CLOSED}:
        made.response.CopyFrom(_any(message))
    elif run.state is RunState.CANCELLED:
        made.error.CopyFrom(
            status_pb2.Status(
                code=grpc.StatusCode.CANCELLED.value[0],
                message="Pemadanan dihentikan. / The run was cancelled.",
            )
        )
    else:
        made.error.CopyFrom(status_of(_failure(run), ServerKind.UNIT))
    return made


def _failure(run: Run) -> Refusal:
    return Refusal(Reason(run.failure_reason), agreement=run.flow.agreement, flow=run.flow.flow)


def _any(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
