"""AgreementService: signed agreements, suspensions, key epochs."""

from __future__ import annotations

import grpc

from padan.v1 import agreement_service_pb2 as pb
from padan.v1 import agreement_service_pb2_grpc as pb_grpc
from padan.v1.resources_pb2 import EpochContribution
from padan_server.admission.agreements import AgreementBook
from padan_server.admission.enforcement import Enforcement, Grant
from padan_server.admission.epochs import Epochs
from padan_server.admission.suspensions import Suspensions
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.services import convert, names
from padan_server.services.guard.call import admitted, current_call
from padan_server.services.pages import PageTokens

_MAX_ARTICLE = 200


class AgreementService(pb_grpc.AgreementServiceServicer):
    """Serves agreements to their parties; a server of direct mode has no ``epochs``."""

    def __init__(
        self,
        book: AgreementBook,
        enforcement: Enforcement,
        epochs: Epochs | None,
        suspensions: Suspensions,
        tokens: PageTokens,
    ) -> None:
        self._book = book
        self._enforcement = enforcement
        self._epochs = epochs
        self._suspensions = suspensions
        self._tokens = tokens

    def GetAgreement(
        self, request: pb.GetAgreementRequest, context: grpc.ServicerContext
    ) -> pb.Agreement:
        """One agreement with its exact signed bytes."""
        del context
        return self._shown(names.parse_agreement("name", request.name))

    def ListAgreements(
        self, request: pb.ListAgreementsRequest, context: grpc.ServicerContext
    ) -> pb.ListAgreementsResponse:
        """The agreements that the caller is a party to, by name."""
        del context
        party = current_call().party
        ids = self._book.ids_of(party)
        shown, token = self._tokens.page(
            f"ListAgreements {party}", request, lambda skip, limit: ids[skip : skip + limit]
        )
        return pb.ListAgreementsResponse(
            agreements=[self._show(i) for i in shown], next_page_token=token
        )

    def SuspendAgreement(
        self, request: pb.SuspendAgreementRequest, context: grpc.ServicerContext
    ) -> pb.Agreement:
        """Suspend an agreement for the caller's part; a second time replaces the article."""
        del context
        agreement_id = self._party_to(request.name)
        article = request.article.strip()
        if not 0 < len(article) <= _MAX_ARTICLE or not article.isprintable():
            raise field_invalid(
                "article",
                "sebut pasalnya, misalnya Pasal 10 ayat (2)",
                "name the article, such as Pasal 10 ayat (2)",
            )
        key = convert.request_key(request)
        self._suspensions.suspend(agreement_id, current_call().party, article, key)
        return self._shown(agreement_id)

    def ResumeAgreement(
        self, request: pb.ResumeAgreementRequest, context: grpc.ServicerContext
    ) -> pb.Agreement:
        """End the caller's own suspension."""
        del context
        agreement_id = self._party_to(request.name)
        key = convert.request_key(request)
        self._suspensions.resume(agreement_id, current_call().party, key)
        return self._shown(agreement_id)

    def CreateEpochContribution(
        self, request: pb.CreateEpochContributionRequest, context: grpc.ServicerContext
    ) -> EpochContribution:
        """Publish the caller's contribution to a key epoch."""
        del context
        agreement_id, flow_id, epoch = names.parse_epoch("parent", request.parent)
        convert.request_key(request)
        if request.contribution.epoch != request.parent:
            raise field_invalid("contribution.epoch", "harus sama dengan parent", "must be parent")
        public_key = convert.exact_bytes(
            "contribution.public_key", request.contribution.public_key, 32
        )
        signature = convert.exact_bytes(
            "contribution.signature", request.contribution.signature, 64
        )
        grant = admitted(self._enforcement, agreement_id, flow_id)
        current_call().note(epoch=epoch)
        epochs = self._epochs_of(grant)
        # A contribution is its own request id: repeating it is harmless by nature.
        return convert.contribution_message(epochs.contribute(grant, epoch, public_key, signature))

    def ListEpochContributions(
        self, request: pb.ListEpochContributionsRequest, context: grpc.ServicerContext
    ) -> pb.ListEpochContributionsResponse:
        """Contributions of a flow, newest epoch first."""
        del context
        grant = admitted(self._enforcement, *names.parse_flow("parent", request.parent))
        epochs = self._epochs_of(grant)
        shown, token = self._tokens.page(
            f"ListEpochContributions {grant.party} {request.parent}",
            request,
            lambda skip, limit: epochs.page(grant, skip=skip, limit=limit),
        )
        return pb.ListEpochContributionsResponse(
            contributions=[convert.contribution_message(c) for c in shown], next_page_token=token
        )

    def _epochs_of(self, grant: Grant) -> Epochs:
        if self._epochs is not None:
            return self._epochs
        raise Refusal(Reason.MODE_NOT_PERMITTED, **grant.metadata)

    def _party_to(self, name: str) -> str:
        agreement_id = names.parse_agreement("name", name)
        self._book.of_party(agreement_id, current_call().party)
        return agreement_id

    def _shown(self, agreement_id: str) -> pb.Agreement:
        """One agreement; with it go the heads of all flows that the caller is a side of."""
        call = current_call()
        _, agreement = self._book.of_party(agreement_id, call.party)
        mine = [f.id for f in agreement.flows if call.party in {f.provider, f.requester}]
        call.chains = tuple((agreement_id, flow) for flow in ("", *mine))
        return self._show(agreement_id)

    def _show(self, agreement_id: str) -> pb.Agreement:
        call = current_call()
        signed, _ = self._book.of_party(agreement_id, call.party)
        call.note(agreement=agreement_id)
        standing, article = self._enforcement.standing(agreement_id)
        suspended_by = self._suspensions.parties(agreement_id)
        return convert.agreement_message(signed, standing, article, suspended_by)
