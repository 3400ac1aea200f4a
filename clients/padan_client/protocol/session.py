"""What both sides establish before data moves: agreement, epoch, linkage key.

1. The unit's copy of the agreement equals the local signed one, and it is in force, and nothing
   that was signed here replaces it.
2. The epoch's contributions are verified, pinned, and never older than one used before.
3. The linkage key is derived. Spec ``proto/spec/20-keys.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from padan.v1 import agreement_service_pb2 as pb
from padan.v1 import resources_pb2
from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.clock import Clock, utc_now
from padan_client.base.effects import Patience, Steps, call, work
from padan_client.base.errors import BadInputError, RefusedError, VerificationError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.base.reasons import about, refused
from padan_client.base.version import software
from padan_client.home.folder import Home
from padan_client.home.identity import Identity
from padan_client.protocol.contributions import (
    HalfOpenEpoch,
    fetch_contributions,
    half_open,
    require_current,
)
from padan_linkage.agreement import (
    AgreementError,
    AgreementState,
    FlowKind,
    Mode,
    Standing,
    agreement_digest,
    standing_of,
    verify_signatures,
)
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.sealing import KeptSeal, Opener, Sealer, SealError
from padan_linkage.normalise import NORMALISER_VERSION
from padan_linkage.schema import Schema

if TYPE_CHECKING:
    from padan_client.home.accepted_levels import AcceptedLevels

T = TypeVar("T")

#: Refusals that say to open an epoch.
_LIFTED_BY_AN_EPOCH = frozenset(
    {Reason.EPOCH_LISTS_EXCEEDED, Reason.EPOCH_MISMATCH, Reason.DELTAS_NOT_ACCEPTED}
)
_OUT_OF_FORCE = {
    pb.Agreement.STATE_PENDING: Reason.AGREEMENT_NOT_STARTED,
    pb.Agreement.STATE_SUSPENDED: Reason.AGREEMENT_SUSPENDED,
    pb.Agreement.STATE_EXPIRED: Reason.AGREEMENT_EXPIRED,
    pb.Agreement.STATE_SUPERSEDED: Reason.AGREEMENT_SUPERSEDED,
}


@dataclass(frozen=True, repr=False)
class Session:
    """One side of one flow in one epoch, ready to encode, seal and open.

    ``levels``: the error levels that this side signed; without any, the shipped ones alone count.
    ``half_open``: a newer epoch that one side has yet to join.
    """

    place: FlowPlace
    schema: Schema
    key: LinkageKey
    identity: Identity
    levels: AcceptedLevels | None = None
    half_open: HalfOpenEpoch | None = None

    def __repr__(self) -> str:
        return f"Session({self.place.name!r}, epoch={self.key.epoch})"

    @property
    def peer_exchange_key(self) -> bytes:
        """The other side's static X25519 public key, from the signed agreement."""
        then = self.place.at(self.key.epoch).agreement
        return then.party(self.place.peer).exchange_key_bytes

    @property
    def _exchange_private(self) -> bytes:
        """This side's static X25519 private key of the session's epoch."""
        then = self.place.at(self.key.epoch)
        return self.identity.holding(then.own_keys).exchange_private()

    def sealer(self, seal_id: bytes, kept: KeptSeal | None = None) -> Sealer:
        """Seals the provider's codes to the requester. Raises VerificationError for a bad key."""
        try:
            return Sealer(
                self._exchange_private,
                self.peer_exchange_key,
                agreement_digest=self.place.digest,
                flow_id=self.place.flow.id,
                epoch=self.key.epoch,
                seal_id=seal_id,
                kept=kept,
            )
        except SealError:
            raise VerificationError(
                t(
                    "Kunci pertukaran peminta pada perjanjian tidak dapat dipakai.",
                    "The requester's exchange key in the agreement is not usable.",
                )
            ) from None

    def opener(self, seal_id: bytes, encapsulated_key: bytes) -> Opener:
        """Opens codes that the provider sealed. Raises SealError for a key that is none."""
        return Opener(
            self._exchange_private,
            self.peer_exchange_key,
            agreement_digest=self.place.digest,
            flow_id=self.place.flow.id,
            epoch=self.key.epoch,
            seal_id=seal_id,
            encapsulated_key=encapsulated_key,
        )

    def encoding(self) -> resources_pb2.EncodingContext:
        """What the unit compares between the two sides."""
        return resources_pb2.EncodingContext(
            epoch=self.key.epoch,
            key_check_value=self.key.check_value(),
            schema_digest=self.schema.digest(),
            normaliser_version=NORMALISER_VERSION,
            made_by=software(),
        )


def unit_schema(place: FlowPlace) -> Schema:
    """The linkage schema of a flow that may run in unit mode. Raises RefusedError otherwise."""
    flow = place.flow
    if (
        flow.kind is not FlowKind.CONFIRMATION
        or Mode.UNIT not in flow.modes
        or (flow.schema is None)
    ):
        raise refused(Reason.MODE_NOT_PERMITTED, place, article=place.article)
    return flow.schema


def require_role(place: FlowPlace, *, provider: bool) -> None:
    """Raise BadInputError unless this agency has the role in the flow."""
    party = place.flow.provider if provider else place.flow.requester
    if place.party == party:
        return
    role = t("penyedia", "provider") if provider else t("peminta", "requester")
    raise BadInputError(
        t(
            f"Pada alur {place.flow.id}, {role} adalah {party}, bukan {place.party}.",
            f"In flow {place.flow.id} the {role} is {party}, not {place.party}.",
        )
    )


def open_session(home: Home, place: FlowPlace) -> Steps[Session]:
    """Verify agreement and epoch with the unit, and derive the linkage key.

    Raises VerificationError, RefusedError naming the article, or BadInputError where there is no
    epoch yet.
    """
    schema = unit_schema(place)
    yield from check_agreement(place, home.patience)
    contributions = yield from fetch_contributions(place, home.patience)
    epoch = require_current(place, contributions)
    key = yield from work(lambda: home.epochs.linkage_key(place, contributions, epoch))
    begun = half_open(place, contributions)
    return Session(place, schema, key, home.identity, home.accepted_levels(), begun)


def telling_whose_step(session: Session, steps: Steps[T]) -> Steps[T]:
    """The steps; a refusal that a new epoch would lift says who has yet to join it."""
    try:
        return (yield from steps)
    except RefusedError as refusal:
        begun = session.half_open
        if begun is None or refusal.reason not in _LIFTED_BY_AN_EPOCH:
            raise
        told = f"{refusal} {begun.told(session.place)}"
        raise type(refusal)(told, refusal.reason, refusal.metadata) from None


def check_agreement(
    place: FlowPlace,
    patience: Patience,
    peer: ServerKind = ServerKind.UNIT,
    now: Clock = utc_now,
) -> Steps[None]:
    """Compare the server's agreement with the local one and require that it is in force.

    By what the server says of it, and by what was signed here since.
    """
    name = f"agreements/{place.agreement.id}"
    request = pb.GetAgreementRequest(name=name)
    remote = yield from call("AgreementService.GetAgreement", request, pb.Agreement, patience, peer)
    signed = {s.party: s.signature for s in remote.signatures}
    try:
        verify_signatures(remote.document, signed)
        genuine = agreement_digest(remote.document) == remote.digest == place.digest
    except AgreementError:
        genuine = False
    if not genuine or remote.name != name:
        raise VerificationError(
            t(
                f"Perjanjian {place.agreement.id} di server lain dari yang ditandatangani di "
                "sini. Jangan lanjutkan; samakan berkasnya dengan operator server itu.",
                f"Agreement {place.agreement.id} at the server is not the one signed here. Do not "
                "go on; compare the files with the server's operator.",
            )
        )
    reason = _OUT_OF_FORCE.get(remote.state)
    if reason:
        article = _plain(remote.state_article)
        raise refused(reason, place, peer, **({"article": article} if article else {}))
    require_not_replaced(place, now(), peer)


def require_not_replaced(
    place: FlowPlace, now: datetime, peer: ServerKind, *, asked: bool = True
) -> None:
    """Refuse by this side's own copies what a later agreement replaces.

    A server whose agreements went back knows no better, if it was ``asked``. Raises RefusedError
    naming the article and the later agreement.
    """
    standing = replaced(place, now)
    if standing is None:
        return
    later, article = str(standing.replaced_by), standing.article
    by = refused(Reason.AGREEMENT_SUPERSEDED, place, peer, article=article, replaced_by=later)
    if not asked:
        raise by
    untold = about(
        peer,
        f"{{Server}} belum tahu: minta operatornya memasang {later} dengan tanda tangannya.",
        f"{{Server}} does not know: ask its operator to install {later} with its signatures.",
    )
    raise type(by)(f"{by} {untold}", by.reason, by.metadata)


def replaced(place: FlowPlace, now: datetime) -> Standing | None:
    """The standing of an agreement that one here has replaced by ``now``; None of any other."""
    standing = standing_of(place.agreement, now, successors=place.successors)
    return standing if standing.state is AgreementState.SUPERSEDED else None


def _plain(text: str) -> str:
    """The server's wording of an article, without anything that a terminal could act on."""
    return "".join(c for c in text[:80] if c.isalnum() or c in " ().,/-")
