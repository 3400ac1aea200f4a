"""ConfirmationService: a few rows at once, in real time."""

from __future__ import annotations

import grpc

from padan.v1 import confirmation_service_pb2 as pb
from padan.v1 import confirmation_service_pb2_grpc as pb_grpc
from padan_server.admission.enforcement import REQUESTER, Enforcement
from padan_server.base.metrics import Metrics
from padan_server.matching.confirmations import Confirmations, Question
from padan_server.services import convert, names
from padan_server.services.guard.call import admitted, current_call


class ConfirmationService(pb_grpc.ConfirmationServiceServicer):
    """Answers single records."""

    def __init__(
        self, enforcement: Enforcement, confirmations: Confirmations, metrics: Metrics
    ) -> None:
        self._enforcement = enforcement
        self._confirmations = confirmations
        self._metrics = metrics

    def ConfirmRecords(
        self, request: pb.ConfirmRecordsRequest, context: grpc.ServicerContext
    ) -> pb.ConfirmRecordsResponse:
        """Match up to 1,000 rows of one pass against the newest committed registry."""
        del context
        flow = names.parse_flow("parent", request.parent)
        grant = admitted(self._enforcement, *flow, roles=REQUESTER)
        question = Question(
            convert.encoding("encoding", request.encoding),
            request.pass_id,
            request.rows.row_count,
            convert.rows(request.rows),
        )
        registry, answers = self._confirmations.confirm(
            grant, question, convert.request_key(request), current_call()
        )
        current_call().note(dataset=registry.id, rows=len(answers))
        self._metrics.answers.inc(len(answers))
        return pb.ConfirmRecordsResponse(
            rows=convert.matched_rows(0, answers),
            seal=convert.seal_message(registry.seal),
            provider_dataset=names.dataset_name(registry.flow, registry.id),
            edition=names.edition_name(registry.flow, registry.edition),
        )
