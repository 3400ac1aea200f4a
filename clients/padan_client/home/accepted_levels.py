"""The error levels that this agency signed: ``levels/<agreement digest>/<flow>/<digest>.json``.

A provider publishes by the levels that are named in the file ``current`` there, which both sides
signed; without one by the shipped levels. A requester takes an edition that rests on levels which
it signed, and no other. Spec: ``proto/spec/36-editions.md``, "Levels".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.files import read_plain, write_private
from padan_client.base.language import system_reason, t
from padan_client.base.ownership import lies, require_plain
from padan_client.base.place import FlowPlace
from padan_client.home.identity import Identity
from padan_client.home.protection.home_format import made_by_newer
from padan_linkage.edition.document import SHIPPED
from padan_linkage.edition.levels import Levels, LevelsError, SignedLevels
from padan_linkage.schema import Schema

_CURRENT = "current"
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class AcceptedLevels:
    """What was accepted in one folder, for all flows."""

    folder: Path

    def keep(self, place: FlowPlace, signed: SignedLevels) -> None:
        """Keep levels that this agency signed; those of both sides are published by from now on."""
        folder, name = self._of(place), signed.levels.digest()
        write_private(folder / f"{name}.json", signed.file())
        if not signed.missing(keys_of(place, signed)):
            write_private(folder / _CURRENT, f"{name}\n".encode())

    def current(self, place: FlowPlace, schema: Schema) -> Levels | None:
        """The levels to publish by; None for the shipped ones. Raises VerificationError."""
        pointer = self._of(place) / _CURRENT
        if not lies(pointer):
            return None
        name = read_plain(pointer).strip().decode("ascii", "replace")
        if not _DIGEST.fullmatch(name):
            raise unusable(_CURRENT)
        path = self._of(place) / f"{name}.json"
        require_plain(path)
        signed = read_levels(path)
        checked(place, schema, signed)
        if missing := signed.missing(keys_of(place, signed)):
            raise unusable(f"signatures[{', '.join(missing)}]")
        return signed.levels

    def hold(self, place: FlowPlace, schema: Schema, digest: str) -> bool:
        """Whether this agency signed levels of that digest, or it names the shipped ones."""
        path = self._of(place) / f"{digest}.json"
        if digest == SHIPPED or not _DIGEST.fullmatch(digest) or not lies(path):
            return digest == SHIPPED
        require_plain(path)
        signed = read_levels(path)
        checked(place, schema, signed)
        return place.party in signed.signatures and signed.levels.digest() == digest

    def _of(self, place: FlowPlace) -> Path:
        return self.folder / place.digest.hex() / place.flow.id


def accepted(place: FlowPlace, schema: Schema, signed: SignedLevels, own: Identity) -> SignedLevels:
    """The same with this agency's signature. Raises VerificationError for levels not to be signed.

    They have to be of this flow of this agreement, plausible, and without a wrong signature.
    """
    checked(place, schema, signed)
    if place.party in signed.signatures:
        return signed
    return signed.signed(place.party, own.holding(place.own_keys).sign(signed.statement))


def checked(place: FlowPlace, schema: Schema, signed: SignedLevels) -> None:
    """Raise VerificationError unless the levels are the flow's and no signature is wrong."""
    try:
        signed.levels.check(place.digest, place.flow.id, schema)
        signed.missing(keys_of(place, signed))
    except LevelsError as e:
        raise unusable(e.differs) from None


def keys_of(place: FlowPlace, signed: SignedLevels) -> dict[str, bytes]:
    """The signing keys of both sides of the flow, by party; a former one where it signed these."""
    sides = (place.flow.provider, place.flow.requester)
    made = {side: signed.signatures.get(side, b"") for side in sides}
    return {s: place.agreement.signer_of(s, signed.statement, made[s]) for s in sides}


def read_levels(path: Path) -> SignedLevels:
    """The levels in a file, unchecked. Raises BadInputError if it holds none."""
    try:
        return SignedLevels.read(path.read_bytes())
    except OSError as e:
        raise BadInputError(
            t(
                f"{path} tidak terbaca ({system_reason(e)}).",
                f"Cannot read {path} ({system_reason(e)}).",
            )
        ) from None
    except LevelsError as e:
        if e.later:
            raise made_by_newer(path) from None
        raise BadInputError(
            t(
                f"{path} bukan usulan tingkat galat ({e.differs}). Buat dengan `padan rehearse A B "
                "--agreement … --propose BERKAS`.",
                f"{path} is no proposal of error levels ({e.differs}). Make one with `padan "
                "rehearse A B --agreement … --propose FILE`.",
            )
        ) from None


def unusable(differs: str) -> VerificationError:
    """Levels that cannot be signed, published by or rested on; says where."""
    return VerificationError(
        t(
            f"Tingkat galat ini tidak dapat dipakai ({differs}): bukan usulan untuk alur, skema "
            "dan isi perjanjian yang ditandatangani di sini, atau isinya berubah setelah "
            "ditandatangani. Buat usulan baru dengan `padan rehearse --propose`.",
            f"These error levels cannot be used ({differs}): no proposal for the flow, schema and "
            "text of the agreement that is signed here, or changed after it was signed. Make a "
            "new proposal with `padan rehearse --propose`.",
        )
    )
