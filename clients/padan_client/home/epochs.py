"""Local half of the key epochs: the ephemeral private keys, one file an epoch.

Files are wrapped (AES-256-GCM) under a secret of the identity, so they are as well protected as it
is. Destroying an epoch erases the file and leaves a record without the key. Spec
``proto/spec/20-keys.md``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ConfigDict, ValidationError

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.files import erase, read_private, write_private
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.home.identity import Identity
from padan_linkage.crypto.keys import (
    KeyAgreementError,
    LinkageKey,
    derive_linkage_key,
    exchange_public_key,
)

Randomness = Callable[[int], bytes]


@dataclass(frozen=True)
class Contributions:
    """Verified public keys, epoch -> party -> 32 bytes."""

    keys: dict[int, dict[str, bytes]]

    def current(self) -> int:
        """The highest epoch that both sides have joined, 0 where there is none."""
        return max((e for e, parties in self.keys.items() if len(parties) == 2), default=0)

    def newest(self) -> int:
        """The highest epoch that anybody has joined, 0 where there is none."""
        return max(self.keys, default=0)


class EpochRecord(BaseModel):
    """What the agency remembers of an epoch; never the private key.

    ``peer_public_key`` is pinned at first use: an epoch's keys never change.
    """

    model_config = ConfigDict(extra="forbid")

    epoch: int
    public_key: str
    created: datetime
    peer_public_key: str | None = None
    destroyed: datetime | None = None


class EpochStore:
    """Epoch files of one home folder."""

    def __init__(self, folder: Path, identity: Identity, randomness: Randomness) -> None:
        self._folder = folder
        self._identity = identity
        self._randomness = randomness

    def records(self, place: FlowPlace) -> list[EpochRecord]:
        """All epochs known here, newest first."""
        found = (self._record(path) for path in self._place(place).glob("*.json"))
        return sorted(found, key=lambda record: -record.epoch)

    def record(self, place: FlowPlace, epoch: int) -> EpochRecord | None:
        """The record of one epoch, None where there is none."""
        path = self._path(place, epoch)
        return self._record(path) if path.exists() else None

    def create(self, place: FlowPlace, epoch: int, now: datetime) -> EpochRecord:
        """Make and keep a new ephemeral key for ``epoch``; an existing one is returned instead."""
        known = self.record(place, epoch)
        if known is not None:
            return known
        # Spec 20, step 1.
        private = self._randomness(32)
        nonce = self._randomness(12)
        sealed = self._cipher().encrypt(nonce, private, _context(place, epoch))
        write_private(self._key_path(place, epoch), nonce + sealed)
        record = EpochRecord(
            epoch=epoch, public_key=_b64(exchange_public_key(private)), created=now
        )
        self._save(place, record)
        return record

    def private_key(self, place: FlowPlace, epoch: int) -> bytes:
        """The ephemeral X25519 private key, 32 bytes.

        Raises BadInputError where the epoch is unknown here or destroyed, VerificationError where
        the file was altered.
        """
        record = self.record(place, epoch)
        if record is None or record.destroyed is not None:
            raise _no_key(place, epoch)
        content = read_private(self._key_path(place, epoch))
        try:
            private = self._cipher().decrypt(content[:12], content[12:], _context(place, epoch))
        except (InvalidTag, ValueError):
            private = b""
        if not private or _b64(exchange_public_key(private)) != record.public_key:
            raise VerificationError(
                t(
                    f"Kunci epok {epoch} di folder epochs diubah atau milik identitas lain.",
                    f"The key of epoch {epoch} in the epochs folder was altered or belongs to "
                    "another identity.",
                )
            )
        return private

    def linkage_key(self, place: FlowPlace, contributions: Contributions, epoch: int) -> LinkageKey:
        """The linkage key of ``epoch`` from verified contributions.

        Raises VerificationError where the unit offers an older epoch than one used before, or
        another key of the other side than before, or not this side's own.
        """
        used = max((r.epoch for r in self.records(place) if r.peer_public_key), default=0)
        if epoch < used:
            raise _rolled_back(epoch, used)
        keys = contributions.keys[epoch]
        mine = self.private_key(place, epoch)
        self._pin_peer(place, epoch, keys[place.peer])
        try:
            return derive_linkage_key(
                my_static=self._identity.exchange_private(),
                peer_static=place.agreement.party(place.peer).exchange_key_bytes,
                my_epoch=mine,
                peer_epoch=keys[place.peer],
                agreement_digest=place.digest,
                flow_id=place.flow.id,
                epoch=epoch,
                provider_contribution=keys[place.flow.provider],
                requester_contribution=keys[place.flow.requester],
            )
        except KeyAgreementError:
            raise _not_ours(epoch) from None

    def _pin_peer(self, place: FlowPlace, epoch: int, peer_public_key: bytes) -> None:
        record = self.record(place, epoch)
        if record is None:
            raise _no_key(place, epoch)
        given = _b64(peer_public_key)
        if record.peer_public_key not in {None, given}:
            raise VerificationError(
                t(
                    f"Kontribusi pihak lain untuk epok {epoch} berubah sejak pertama dipakai. "
                    "Jangan lanjutkan; hubungi pejabat penghubungnya.",
                    f"The other party's contribution to epoch {epoch} changed since its first "
                    "use. Do not go on; ask its liaison officer.",
                )
            )
        if record.peer_public_key is None:
            self._save(place, record.model_copy(update={"peer_public_key": given}))

    def destroy(self, place: FlowPlace, epoch: int, now: datetime) -> EpochRecord:
        """Erase the private key for good and record when. Raises BadInputError if unknown."""
        record = self.record(place, epoch)
        if record is None:
            raise _no_key(place, epoch)
        if record.destroyed is None:
            record = record.model_copy(update={"destroyed": now})
            self._save(place, record)
        # Spec 20, step 8.
        erase(self._key_path(place, epoch))
        return record

    def _cipher(self) -> AESGCM:
        return AESGCM(self._identity.derive(b"epoch store"))

    def _place(self, place: FlowPlace) -> Path:
        return self._folder / place.agreement.id / place.digest.hex()[:16] / place.flow.id

    def _path(self, place: FlowPlace, epoch: int) -> Path:
        return self._place(place) / f"{epoch}.json"

    def _key_path(self, place: FlowPlace, epoch: int) -> Path:
        return self._place(place) / f"{epoch}.key"

    def _save(self, place: FlowPlace, record: EpochRecord) -> None:
        write_private(self._path(place, record.epoch), record.model_dump_json(indent=1).encode())

    def _record(self, path: Path) -> EpochRecord:
        try:
            return EpochRecord.model_validate(json.loads(read_private(path)))
        except (ValueError, ValidationError):
            raise BadInputError(
                t(
                    f"Catatan epok {path} rusak. Pulihkan dari cadangan.",
                    f"The epoch record {path} is damaged. Restore it from a backup.",
                )
            ) from None


def _rolled_back(epoch: int, used: int) -> VerificationError:
    return VerificationError(
        t(
            f"Unit pemadanan menawarkan epok {epoch}, padahal epok {used} sudah dipakai. "
            "Jangan lanjutkan; hubungi operator unit.",
            f"The linkage unit offers epoch {epoch}, but epoch {used} was used before. Do not "
            "go on; ask the unit's operator.",
        )
    )


def _not_ours(epoch: int) -> VerificationError:
    return VerificationError(
        t(
            f"Kontribusi epok {epoch} di unit bukan milik kedua pihak. Buka epok baru: "
            "padan keys rotate.",
            f"The contributions to epoch {epoch} at the unit are not those of the two sides. "
            "Open a new epoch: padan keys rotate.",
        )
    )


def _context(place: FlowPlace, epoch: int) -> bytes:
    return b"padan/v1 epoch\x00" + place.digest + place.flow.id.encode() + epoch.to_bytes(8, "big")


def _no_key(place: FlowPlace, epoch: int) -> BadInputError:
    return BadInputError(
        t(
            f"Kunci epok {epoch} alur {place.flow.id} tidak ada di sini atau sudah dimusnahkan. "
            "Buka epok berikutnya: padan keys rotate.",
            f"The key of epoch {epoch} of flow {place.flow.id} is not here or was destroyed. "
            "Open the next epoch: padan keys rotate.",
        )
    )


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
