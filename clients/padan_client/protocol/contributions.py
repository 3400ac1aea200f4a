"""Key epochs as the unit relays them: fetch, verify, choose the current one, contribute.

Nothing the unit relays is used before its signature is verified with the key that the *local*
signed agreement names. Spec ``proto/spec/20-keys.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from padan.v1 import agreement_service_pb2 as pb
from padan.v1 import resources_pb2
from padan.v1.reason_texts import Reason
from padan_client.base.effects import Patience, Steps, call
from padan_client.base.errors import BadInputError, RefusedError, VerificationError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.home.epochs import Contributions
from padan_client.protocol.paging import listed
from padan_linkage.crypto import signatures
from padan_linkage.crypto.epochs import contribution_statement


def fetch_contributions(place: FlowPlace, patience: Patience) -> Steps[Contributions]:
    """All contributions to the flow's epochs, each verified.

    Raises VerificationError for a wrong signature, a stranger's or a repeated contribution.
    """
    keys: dict[int, dict[str, bytes]] = {}
    found = yield from listed(
        "AgreementService.ListEpochContributions",
        pb.ListEpochContributionsRequest(parent=place.name, page_size=1000),
        pb.ListEpochContributionsResponse,
        "contributions",
        patience,
    )
    for contribution in found:
        epoch = verify_contribution(place, contribution)
        parties = keys.setdefault(epoch, {})
        if parties.setdefault(contribution.party, contribution.public_key) != (
            contribution.public_key
        ):
            raise _broken(epoch, contribution.party)
    return Contributions(keys)


def verify_contribution(place: FlowPlace, given: resources_pb2.EpochContribution) -> int:
    """The epoch of a contribution whose name, party, key length and signature are right."""
    prefix, _, number = given.epoch.rpartition("/")
    if prefix != f"{place.name}/epochs" or not re.fullmatch(r"[1-9][0-9]{0,8}", number):
        raise _broken(0, given.party)
    epoch = int(number)
    if given.party not in {place.flow.provider, place.flow.requester}:
        raise _broken(epoch, given.party)
    if len(given.public_key) != 32:
        raise _broken(epoch, given.party)
    sign_key = place.at(epoch).agreement.party(given.party).sign_key_bytes
    statement = contribution_statement(
        place.digest, place.flow.id, epoch, given.party, given.public_key
    )
    try:
        # Spec 20, step 4.
        signatures.verify(sign_key, statement, given.signature)
    except signatures.SignatureError:
        raise _broken(epoch, given.party) from None
    return epoch


def contribute(
    place: FlowPlace, epoch: int, public_key: bytes, signature: bytes, patience: Patience
) -> Steps[None]:
    """Publish this side's signed contribution; the same one again is harmless."""
    parent = f"{place.name}/epochs/{epoch}"
    contribution = resources_pb2.EpochContribution(
        epoch=parent, party=place.party, public_key=public_key, signature=signature
    )
    yield from call(
        "AgreementService.CreateEpochContribution",
        pb.CreateEpochContributionRequest(parent=parent, contribution=contribution),
        resources_pb2.EpochContribution,
        patience,
    )


@dataclass(frozen=True)
class HalfOpenEpoch:
    """The newest epoch, which the party ``missing`` has yet to join."""

    epoch: int
    missing: str

    def told(self, place: FlowPlace) -> str:
        """Whose step it is, as a sentence."""
        rotate = f"padan keys rotate -a {place.agreement.id} -f {place.flow.id}"
        if self.missing == place.party:
            return t(
                f"Epok {self.epoch} sudah dibuka {place.peer} dan menunggu instansi ini: jalankan "
                f"{rotate}.",
                f"{place.peer} opened epoch {self.epoch}, which waits for this agency: run "
                f"{rotate}.",
            )
        return t(
            f"Epok {self.epoch} sudah dibuka instansi ini dan menunggu {self.missing} menjalankan "
            f"{rotate}.",
            f"This agency opened epoch {self.epoch}, which waits for {self.missing} to run "
            f"{rotate}.",
        )


def half_open(place: FlowPlace, contributions: Contributions) -> HalfOpenEpoch | None:
    """The newest epoch, if one side alone has joined it."""
    newest = contributions.newest()
    sides = {place.flow.provider, place.flow.requester}
    missing = sides - contributions.keys.get(newest, {}).keys()
    return HalfOpenEpoch(newest, missing.pop()) if newest and len(missing) == 1 else None


def require_current(place: FlowPlace, contributions: Contributions) -> int:
    """The current epoch. Raises RefusedError that says who has yet to contribute."""
    epoch = contributions.current()
    if epoch:
        return epoch
    begun = half_open(place, contributions)
    if begun is not None:
        raise RefusedError(begun.told(place), Reason.EPOCH_MISMATCH)
    raise BadInputError(
        t(
            f"Alur {place.flow.id} belum memiliki epok kunci. Jalankan padan keys rotate "
            f"--agreement {place.agreement.id} --flow {place.flow.id}.",
            f"Flow {place.flow.id} has no key epoch yet. Run padan keys rotate "
            f"--agreement {place.agreement.id} --flow {place.flow.id}.",
        )
    )


def _broken(epoch: int, party: str) -> VerificationError:
    who = party if party.isascii() and party.isalnum() else "?"
    return VerificationError(
        t(
            f"Kontribusi epok {epoch} atas nama {who} tidak sah: tanda tangannya tidak cocok "
            "dengan kunci pada perjanjian. Jangan lanjutkan; hubungi operator unit.",
            f"The contribution to epoch {epoch} in the name of {who} is invalid: its signature "
            "does not fit the key in the agreement. Do not go on; ask the unit's operator.",
        )
    )
