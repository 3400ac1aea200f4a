"""DirectService: label tables out, blinded elements in and out evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate
from threading import Event

import grpc

from padan.v1 import direct_service_pb2 as pb
from padan.v1 import direct_service_pb2_grpc as pb_grpc
from padan_server.admission.enforcement import REQUESTER, Enforcement, Grant
from padan_server.base.config import ProviderLimits
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.metrics import ProviderMetrics
from padan_server.base.model import BlindedList, FlowKey
from padan_server.direct.label_tables import ServedTables
from padan_server.direct.lists import (
    BlindedLists,
    ElementChunk,
    Evaluation,
    NewList,
    PendingEvaluation,
)
from padan_server.direct.readings import ServedTable
from padan_server.services import convert, names
from padan_server.services.guard.call import Call, admitted, current_call
from padan_server.services.pages import PageTokens
from padan_server.services.pipeline import pipelined

_ROOT_BYTES = 32
#: A page of tables leaves room for the rest of its message.
_PAGE_SHARE = 0.75


class DirectService(pb_grpc.DirectServiceServicer):
    """Serves the requester of a flow."""

    def __init__(
        self,
        enforcement: Enforcement,
        tables: ServedTables,
        lists: BlindedLists,
        tokens: PageTokens,
        metrics: ProviderMetrics,
        stopping: Event,
        limits: ProviderLimits,
    ) -> None:
        self._admit = partial(admitted, enforcement, roles=REQUESTER)
        self._tables = tables
        self._lists = lists
        self._tokens = tokens
        self._metrics = metrics
        self._stopping = stopping
        self._limits = limits

    def ListLabelTables(
        self, request: pb.ListLabelTablesRequest, context: grpc.ServicerContext
    ) -> pb.ListLabelTablesResponse:
        """The tables that answer a flow now: the newest base and its deltas, oldest first."""
        del context
        grant = self._admit(*names.parse_flow("parent", request.parent))
        tables = self._tables.of_flow(grant.key)
        # A page token holds for one base: a newer one begins a new list.
        base = tables[0].manifest.table if tables else ""
        shown, token = self._tokens.page(
            f"ListLabelTables {grant.party} {request.parent} {base}",
            request,
            lambda skip, limit: [_table_message(t) for t in tables[skip : skip + limit]],
            fitting=self._fitting,
        )
        current_call().note(tables=len(shown))
        return pb.ListLabelTablesResponse(label_tables=shown, next_page_token=token)

    def _fitting(self, tables: Sequence[pb.LabelTable]) -> int:
        """How many of the tables fit a message, one at least."""
        left = self._limits.message_bytes * _PAGE_SHARE
        sizes = accumulate(table.ByteSize() for table in tables)
        return max(1, sum(size <= left for size in sizes))

    def DownloadLabelTable(
        self, request: pb.DownloadLabelTableRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.DownloadLabelTableResponse]:
        """The chunks of a table from ``start_chunk`` on."""
        del context
        call = current_call()
        agreement_id, flow_id, table_id = names.parse_label_table("name", request.name)
        grant = self._admit(agreement_id, flow_id)
        table = self._tables.get(grant, table_id)
        if not 0 <= request.start_chunk <= table.chunk_count:
            raise field_invalid(
                "start_chunk", f"0 sampai {table.chunk_count}", f"0 to {table.chunk_count}"
            )
        call.note(table=table_id, start_chunk=request.start_chunk, chunks=0)
        for number, rows in self._tables.chunks(grant, table, request.start_chunk):
            if self._stopping.is_set():
                raise Refusal(Reason.SHUTTING_DOWN)
            yield pb.DownloadLabelTableResponse(chunk=number, rows=rows)
            call.note(chunks=number + 1 - request.start_chunk)
            self._metrics.table_bytes.inc(len(rows))

    def CreateBlindedList(
        self, request: pb.CreateBlindedListRequest, context: grpc.ServicerContext
    ) -> pb.BlindedList:
        """Commit the caller to a list and charge it."""
        del context
        call = current_call()
        grant = self._admit(*names.parse_flow("parent", request.parent))
        made = self._lists.create(
            grant, _new_list(request.blinded_list), convert.request_key(request)
        )
        call.note(list=made.id, epoch=made.epoch, elements=made.element_count)
        return _list_message(made)

    def GetBlindedList(
        self, request: pb.GetBlindedListRequest, context: grpc.ServicerContext
    ) -> pb.BlindedList:
        """One of the caller's lists."""
        del context
        call = current_call()
        agreement_id, flow_id, list_id = names.parse_blinded_list("name", request.name)
        found = self._lists.get(self._admit(agreement_id, flow_id), list_id)
        call.note(list=list_id)
        return _list_message(found)

    def EvaluateElements(
        self, request: pb.EvaluateElementsRequest, context: grpc.ServicerContext
    ) -> pb.EvaluateElementsResponse:
        """Evaluate one chunk of a committed list."""
        del context
        call = current_call()
        return self._finish(call, self._begin(call, request))

    def EvaluateElementStream(
        self,
        request_iterator: Iterator[pb.EvaluateElementsRequest],
        context: grpc.ServicerContext,
    ) -> Iterator[pb.EvaluateElementsResponse]:
        """Evaluate chunks as they come, several at a time, answered in order."""
        del context
        call = current_call()
        yield from pipelined(
            request_iterator,
            lambda request: self._begin(call, request),
            lambda begun: self._finish(call, begun),
            self._limits.chunks_ahead,
        )

    def _begin(self, call: Call, request: pb.EvaluateElementsRequest) -> _Begun:
        """Each chunk is admitted by itself: a suspension stops a stream at the next one."""
        if self._stopping.is_set():
            raise Refusal(Reason.SHUTTING_DOWN)
        agreement_id, flow_id, list_id = names.parse_blinded_list(
            "blinded_list", request.blinded_list
        )
        grant = self._admit(agreement_id, flow_id, call=call)
        chunk = ElementChunk(list_id, request.chunk, request.elements, request.audit_path)
        return _Begun(grant, self._lists.begin(grant, chunk))

    def _finish(self, call: Call, begun: _Begun) -> pb.EvaluateElementsResponse:
        done = self._lists.finish(begun.grant, begun.pending)
        _count(call, begun.pending.chunk.list_id, done)
        return pb.EvaluateElementsResponse(
            chunk=done.number, evaluated=done.evaluated, proof=done.proof
        )


class _Begun:
    """A chunk under way, and what admitted it."""

    def __init__(self, grant: Grant, pending: PendingEvaluation) -> None:
        self.grant = grant
        self.pending = pending

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self.pending.cancel()


def _count(call: Call, list_id: str, done: Evaluation) -> None:
    """Add a chunk to the call's line in the log: how many elements, how many of them again."""
    facts = call.facts
    elements = int(facts.get("elements", 0)) + done.count
    repeated = int(facts.get("repeated", 0)) + (0 if done.fresh else done.count)
    call.note(list=list_id, elements=elements, repeated=repeated)


def _new_list(message: pb.BlindedList) -> NewList:
    """What a caller commits to, each value checked for form."""
    if message.epoch < 1:
        raise field_invalid("blinded_list.epoch", "dihitung dari 1", "counts from 1")
    if message.element_count < 1:
        raise field_invalid("blinded_list.element_count", "paling sedikit 1", "at least 1")
    root = convert.exact_bytes("blinded_list.root", message.root, _ROOT_BYTES)
    return NewList(message.epoch, message.element_count, root)


def _list_message(found: BlindedList) -> pb.BlindedList:
    return pb.BlindedList(
        name=names.blinded_list_name(found.flow, found.id),
        epoch=found.epoch,
        element_count=found.element_count,
        root=found.root,
        evaluated_count=found.evaluated_count,
        create_time=convert.timestamp(found.create_time),
    )


def _table_message(table: ServedTable) -> pb.LabelTable:
    key: FlowKey = table.key
    return pb.LabelTable(
        name=names.label_table_name(key, table.manifest.table),
        manifest=table.document,
        signature=table.signature,
        chunk_hashes=table.chunk_hashes,
    )
