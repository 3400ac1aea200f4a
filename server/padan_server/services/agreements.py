"""AgreementService: signed agreements, suspensions, key epochs."""

from __future__ import annotations

import grpc

from padan.v1 import agreement_service_pb2 as pb
from padan.v1 import agreement_service_pb2_grpc as pb_grpc
from padan.v1.resources_pb2 import EpochContribution
from padan_server.admission.agreements import AgreementBook
from padan_server.admission.enforcement import Enforcement, Grant
from padan_server.admission.epochs import Epochs
from padan_server.admission.requests import remember, replayed
from padan_server.base.clock import Clock
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.model import Suspension
from padan_server.services import convert, names
from padan_server.services.call import current_call
from padan_server.services.pages import PageTokens, page_size
from padan_server.store.port import Store

_MAX_ARTICLE = 200


class AgreementService(pb_grpc.AgreementServiceServicer):
    """Serves agreements to their parties; a server of direct mode has no ``epochs``."""

    def __init__(
        self,
        book: AgreementBook,
        enforcement: Enforcement,
        epochs: Epochs | None,
        store: Store,
        clock: Clock,
        tokens: PageTokens,
    ) -> None:
        self._book = book
        self._enforcement = enforcement
        self._epochs = epochs
        self._store = store
        self._clock = clock
        self._tokens = tokens

    def GetAgreement(
        self, request: pb.GetAgreementRequest, context: grpc.ServicerContext
    ) -> pb.Agreement:
        """One agreement with its exact signed bytes."""
        del context
        return self._show(names.parse_agreement("name", request.name))

    def ListAgreements(
        self, request: pb.ListAgreementsRequest, context: grpc.ServicerContext
    ) -> pb.ListAgreementsResponse:
        """The agreements that the caller is a party to, by name."""
        del context
        size = page_size(request.page_size)
        scope = f"ListAgreements {current_call().party}"
        skip = self._tokens.read(scope, request.page_token, first=0)
        ids = self._book.ids_of(current_call().party)
        more = len(ids) > skip + size
        return pb.ListAgreementsResponse(
            agreements=[self._show(i) for i in ids[skip : skip + size]],
            next_page_token=self._tokens.make(scope, skip + size) if more else "",
        )

    def SuspendAgreement(
        self, request: pb.SuspendAgreementRequest, context: grpc.ServicerContext
    ) -> pb.Agreement:
        """Suspend an agreement for the caller's part; a second time keeps the first article."""
        del context
        agreement_id = self._party_to(request.name)
        article = request.article.strip()
        if not 0 < len(article) <= _MAX_ARTICLE or not article.isprintable():
            raise field_invalid(
                "article",
                "sebut pasalnya, misalnya Pasal 10 ayat (2)",
                "name the article, such as Pasal 10 ayat (2)",
            )
        party, now = current_call().party, self._clock.now()
        key = convert.request_key(request)
        with self._store.write() as tx:
            if replayed(tx, key) is None:
                tx.agreements.suspend(Suspension(agreement_id, party, article, now))
                remember(tx, key, agreement_id, now)
        return self._show(agreement_id)

    def ResumeAgreement(
        self, request: pb.ResumeAgreementRequest, context: grpc.ServicerContext
    ) -> pb.Agreement:
        """End the caller's own suspension."""
        del context
        agreement_id = self._party_to(request.name)
        party, now = current_call().party, self._clock.now()
        key = convert.request_key(request)
        with self._store.write() as tx:
            if replayed(tx, key) is None:
                tx.agreements.resume(agreement_id, party)
                remember(tx, key, agreement_id, now)
        return self._show(agreement_id)

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
        call = current_call()
        grant = self._enforcement.admit(call.party, agreement_id, flow_id)
        call.note_grant(grant)
        call.note(epoch=epoch)
        epochs = self._epochs_of(grant)
        # A contribution is its own request id: repeating it is harmless by nature.
        return convert.contribution_message(epochs.contribute(grant, epoch, public_key, signature))

    def ListEpochContributions(
        self, request: pb.ListEpochContributionsRequest, context: grpc.ServicerContext
    ) -> pb.ListEpochContributionsResponse:
        """Contributions of a flow, newest epoch first."""
        del context
        call = current_call()
        grant = self._enforcement.admit(call.party, *names.parse_flow("parent", request.parent))
        call.note_grant(grant)
        epochs = self._epochs_of(grant)
        size = page_size(request.page_size)
        scope = f"ListEpochContributions {call.party} {request.parent}"
        skip = self._tokens.read(scope, request.page_token, first=0)
        found = epochs.page(grant, skip=skip, limit=size + 1)
        return pb.ListEpochContributionsResponse(
            contributions=[convert.contribution_message(c) for c in found[:size]],
            next_page_token=self._tokens.make(scope, skip + size) if len(found) > size else "",
        )

    def _epochs_of(self, grant: Grant) -> Epochs:
        if self._epochs is not None:
            return self._epochs
        raise Refusal(Reason.MODE_NOT_PERMITTED, **grant.metadata)

    def _party_to(self, name: str) -> str:
        agreement_id = names.parse_agreement("name", name)
        self._book.of_party(agreement_id, current_call().party)
        return agreement_id

    def _show(self, agreement_id: str) -> pb.Agreement:
        call = current_call()
        signed, _ = self._book.of_party(agreement_id, call.party)
        call.note(agreement=agreement_id)
        standing, article = self._enforcement.standing(agreement_id)
        with self._store.read() as tx:
            suspended_by = [s.party for s in tx.agreements.suspensions(agreement_id)]
        return convert.agreement_message(signed, standing, article, suspended_by)
