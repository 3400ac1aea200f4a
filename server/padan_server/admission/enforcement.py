"""The agreement is the program: one function admits every data call, or refuses it by article."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from padan_linkage.agreement import (
    Agreement,
    AgreementState,
    Flow,
    FlowKind,
    Mode,
    ReleaseLine,
    ReleasePolicy,
    Standing,
    term,
)
from padan_linkage.schema import Schema
from padan_server.admission.agreements import AgreementBook
from padan_server.base.clock import Clock
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import FlowKey, Role, Suspension
from padan_server.store.cache import StoreCache
from padan_server.store.port import Store

EITHER = frozenset({Role.PROVIDER, Role.REQUESTER})
PROVIDER = frozenset({Role.PROVIDER})
REQUESTER = frozenset({Role.REQUESTER})


@dataclass(frozen=True, kw_only=True)
class Admission:
    """What every admitted call may rely on: a party in a flow that is in force now."""

    party: str
    key: FlowKey
    agreement: Agreement
    flow: Flow
    now: datetime
    end_time: datetime

    @property
    def metadata(self) -> dict[str, str]:
        """What a refusal that rests on the agreement names."""
        return {
            "agreement": self.agreement.id,
            "flow": self.flow.id,
            "article": self.agreement.article_of(self.flow),
        }


@dataclass(frozen=True, kw_only=True)
class Grant(Admission):
    """What a call of matching may rely on besides: its role, its mode, what is compared.

    ``schema_digest`` is that of what the mode compares: the linkage schema, the direct schema.
    """

    role: Role
    mode: Mode
    schema_digest: bytes

    @property
    def schema(self) -> Schema:
        """The linkage schema, which a flow of either mode has."""
        assert self.flow.schema is not None
        return self.flow.schema


@dataclass(frozen=True, kw_only=True)
class LineGrant(Admission):
    """What a call about releases may rely on besides: the line, and what may be sent of it."""

    line: ReleaseLine
    policy: ReleasePolicy

    @property
    def metadata(self) -> dict[str, str]:
        """What a refusal that rests on the agreement names."""
        return {**super().metadata, "article": self.line.article}


class Enforcement:
    """Admits calls by the agreements, the clock and the standing suspensions.

    ``mode`` is what the server serves; with a ``provider``, only the flows that it answers.
    """

    def __init__(
        self,
        book: AgreementBook,
        store: Store,
        clock: Clock,
        mode: Mode = Mode.UNIT,
        provider: str = "",
    ) -> None:
        self._book = book
        self._clock = clock
        self._mode = mode
        self._provider = provider
        self._suspensions = StoreCache[str, list[Suspension]](
            store, lambda tx, agreement: tx.agreements.suspensions(agreement)
        )
        self._schema_digests: dict[tuple[bytes, str], bytes] = {}

    def admit(
        self,
        party: str,
        agreement_id: str,
        flow_id: str,
        *,
        roles: Collection[Role] = EITHER,
        erasing: bool = False,
    ) -> Grant:
        """Admit ``party`` to a data call on a flow, or raise a :class:`Refusal`.

        In this order: party to a signed agreement, flow, role, mode, in force now. ``erasing``
        calls (delete a dataset, cancel a run) are admitted out of force too: they end the use of
        data, which no agreement forbids.
        """
        signed, agreement = self._book.of_party(agreement_id, party)
        flow = _flow(agreement, flow_id, self._provider)
        role = _role(agreement, flow, party, roles)
        self._check_mode(agreement, flow)
        now, end_time = self._in_force(agreement, flow, erasing=erasing)
        return Grant(
            party=party,
            role=role,
            mode=self._mode,
            key=FlowKey(agreement.id, signed.digest, flow.id),
            agreement=agreement,
            flow=flow,
            schema_digest=self._schema_digest(signed.digest, flow),
            now=now,
            end_time=end_time,
        )

    def admit_line(
        self,
        party: str,
        agreement_id: str,
        flow_id: str,
        line_id: str,
        *,
        roles: Collection[Role] = EITHER,
        erasing: bool = False,
    ) -> LineGrant:
        """Admit ``party`` to a call about the releases of a line, as :meth:`admit` does.

        A line's publisher has the role PROVIDER in it, its receiver REQUESTER, whatever they are in
        the flow: reference lists go both ways.
        """
        signed, agreement = self._book.of_party(agreement_id, party)
        flow = _flow(agreement, flow_id, self._provider)
        line = _line(agreement, flow, line_id)
        _line_role(agreement, flow, line, party, roles)
        now, end_time = self._in_force(agreement, flow, erasing=erasing)
        assert flow.release is not None
        return LineGrant(
            party=party,
            key=FlowKey(agreement.id, signed.digest, flow.id),
            agreement=agreement,
            flow=flow,
            now=now,
            end_time=end_time,
            line=line,
            policy=flow.release,
        )

    def _in_force(
        self, agreement: Agreement, flow: Flow, *, erasing: bool
    ) -> tuple[datetime, datetime]:
        """The present moment and the end of the term; a refusal if it is out of force."""
        now = self._clock.now()
        standing, article = self._standing_at(agreement.id, now)
        if standing.state is not AgreementState.IN_FORCE and not erasing:
            raise _out_of_force(agreement, flow, standing, article)
        return now, standing.until or term(agreement)[1]

    def _schema_digest(self, agreement_digest: bytes, flow: Flow) -> bytes:
        key = (agreement_digest, flow.id)
        if key not in self._schema_digests:
            self._schema_digests[key] = schema_digest(flow, self._mode)
        return self._schema_digests[key]

    def _check_mode(self, agreement: Agreement, flow: Flow) -> None:
        described = flow.schema is not None and (self._mode is Mode.UNIT or flow.direct is not None)
        if self._mode in flow.modes and described:
            return
        raise Refusal(
            Reason.MODE_NOT_PERMITTED, **_names(agreement, flow, agreement.article_of(flow))
        )

    def standing(self, agreement_id: str) -> tuple[Standing, str]:
        """Where a held agreement stands now, and the article that this rests on."""
        return self._standing_at(agreement_id, self._clock.now())

    def is_over(self, flow: FlowKey) -> bool:
        """Whether the exact document of a flow's agreement is held, and over for good."""
        signed = self._book.get(flow.agreement)
        if signed is None or signed.digest != flow.digest:
            return False
        return self.standing(flow.agreement)[0].state in _FOR_GOOD

    def _standing_at(self, agreement_id: str, now: datetime) -> tuple[Standing, str]:
        signed = self._book.get(agreement_id)
        if signed is None:
            raise LookupError("standing of an agreement that the server does not hold")
        suspensions = self._suspensions.get(agreement_id)
        standing = signed.standing(now, [s.party for s in suspensions])
        suspended = standing.state is AgreementState.SUSPENDED
        return standing, suspensions[0].article if suspended else standing.article


def check_real_time(grant: Grant) -> None:
    """Refuse single questions where the agreement allows lists alone."""
    if not grant.flow.real_time:
        raise Refusal(Reason.MODE_NOT_PERMITTED, **grant.metadata)


def schema_digest(flow: Flow, mode: Mode) -> bytes:
    """Digest of what the mode compares, 32 bytes; ValueError if the flow does not say."""
    if flow.schema is None or (mode is Mode.DIRECT and flow.direct is None):
        raise ValueError(f"flow {flow.id} says nothing of mode {mode}")
    if mode is Mode.DIRECT and flow.direct is not None:
        return flow.direct.digest(flow.schema)
    return flow.schema.digest()


def _flow(agreement: Agreement, flow_id: str, provider: str) -> Flow:
    """The flow; with a ``provider`` only if it is the one that answers it."""
    for flow in agreement.flows:
        if flow.id == flow_id and provider in {"", flow.provider}:
            return flow
    raise Refusal(Reason.FLOW_NOT_FOUND, agreement=agreement.id, flow=flow_id)


def _role(agreement: Agreement, flow: Flow, party: str, roles: Collection[Role]) -> Role:
    mine = {flow.provider: Role.PROVIDER, flow.requester: Role.REQUESTER}.get(party)
    if mine is not None and mine in roles:
        return mine
    raise Refusal(Reason.ROLE_NOT_PERMITTED, **_names(agreement, flow, agreement.article_of(flow)))


def _line(agreement: Agreement, flow: Flow, line_id: str) -> ReleaseLine:
    for line in flow.lines:
        if line.id == line_id and flow.kind is not FlowKind.CONFIRMATION:
            return line
    raise Refusal(Reason.RELEASE_NOT_FOUND, **_names(agreement, flow, agreement.article_of(flow)))


def _line_role(
    agreement: Agreement, flow: Flow, line: ReleaseLine, party: str, roles: Collection[Role]
) -> None:
    mine = {line.publisher: Role.PROVIDER, line.receiver: Role.REQUESTER}.get(party)
    if mine is None or mine not in roles:
        raise Refusal(Reason.ROLE_NOT_PERMITTED, **_names(agreement, flow, line.article))


#: States that an agreement leaves no more.
_FOR_GOOD = frozenset({AgreementState.EXPIRED, AgreementState.SUPERSEDED})

_OUT_OF_FORCE: Mapping[AgreementState, Reason] = {
    AgreementState.PENDING: Reason.AGREEMENT_NOT_STARTED,
    AgreementState.EXPIRED: Reason.AGREEMENT_EXPIRED,
    AgreementState.SUSPENDED: Reason.AGREEMENT_SUSPENDED,
    AgreementState.SUPERSEDED: Reason.AGREEMENT_SUPERSEDED,
}


def _out_of_force(agreement: Agreement, flow: Flow, standing: Standing, article: str) -> Refusal:
    metadata = _names(agreement, flow, article)
    if standing.replaced_by:
        metadata["replaced_by"] = standing.replaced_by
    return Refusal(_OUT_OF_FORCE[standing.state], **metadata)


def _names(agreement: Agreement, flow: Flow, article: str) -> dict[str, str]:
    return {"agreement": agreement.id, "flow": flow.id, "article": article}
