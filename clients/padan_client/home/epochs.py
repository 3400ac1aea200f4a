"""Local half of the key epochs: the ephemeral private keys, one file an epoch.

Files are sealed, so they are as well protected as the identity is. Destroying an epoch erases the
file and leaves a record without the key. Spec ``proto/spec/20-keys.md``.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.home.epoch_records import EpochFiles, KeyRecord
from padan_client.home.identity import Randomness
from padan_client.home.protection.private_keys import PrivateKeys
from padan_client.home.sealed_file import Purpose, SealedFileError, SealedFiles
from padan_linkage.crypto.keys import (
    KeyAgreementError,
    LinkageKey,
    derive_linkage_key,
    exchange_public_key,
)


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


class EpochRecord(KeyRecord):
    """The record of an epoch; ``public_key`` and ``peer_public_key`` in base64.

    ``peer_public_key`` is pinned at first use: an epoch's keys never change.
    """

    public_key: str
    peer_public_key: str | None = None


class EpochStore(EpochFiles[EpochRecord]):
    """Epoch files of one home folder."""

    KIND, SUFFIX = EpochRecord, "key"

    def __init__(self, folder: Path, keys: PrivateKeys, randomness: Randomness) -> None:
        super().__init__(folder)
        self._own = keys
        self._randomness = randomness
        self._keys = SealedFiles(Purpose.EPOCH_KEY, keys, randomness)

    def create(self, place: FlowPlace, epoch: int, now: datetime) -> EpochRecord:
        """Make and keep a new ephemeral key for ``epoch``; an existing one is returned instead."""
        known = self.record(place, epoch)
        if known is not None:
            return known
        # Spec 20, step 1.
        private = self._randomness(32)
        self._keys.write(self._secret_path(place, epoch), _context(place, epoch), private)
        record = EpochRecord(
            epoch=epoch, public_key=_b64(exchange_public_key(private)), created=now
        )
        self._save(place, record)
        return record

    def begun(self, place: FlowPlace) -> int:
        """The highest epoch whose linkage key was derived here, 0 where none was."""
        return max((r.epoch for r in self.records(place) if r.peer_public_key), default=0)

    def private_key(self, place: FlowPlace, epoch: int) -> bytes:
        """The ephemeral X25519 private key, 32 bytes.

        Raises BadInputError where the epoch is unknown here or destroyed, SealedFileError where
        the file was altered.
        """
        record = self._usable(place, epoch)
        path = self._secret_path(place, epoch)
        private = self._keys.read(path, _context(place, epoch))
        if _b64(exchange_public_key(private)) != record.public_key:
            raise SealedFileError(path)
        return private

    def linkage_key(self, place: FlowPlace, contributions: Contributions, epoch: int) -> LinkageKey:
        """The linkage key of ``epoch`` from verified contributions.

        Raises VerificationError where the unit offers an older epoch than one used before, or
        another key of the other side than before, or not this side's own.
        """
        used = self.begun(place)
        if epoch < used:
            raise _rolled_back(place, epoch, used)
        keys = contributions.keys[epoch]
        mine = self.private_key(place, epoch)
        self._pin_peer(place, epoch, keys[place.peer])
        then = place.at(epoch)
        own = self._own.holding(then.own_keys)
        try:
            return derive_linkage_key(
                exchange_static=own.exchange,
                peer_static=then.agreement.party(place.peer).exchange_key_bytes,
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
            raise self._no_secret(place, epoch)
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

    def _place(self, place: FlowPlace) -> Path:
        return self._folder / place.agreement.id / place.digest.hex()[:16] / place.flow.id

    def _no_secret(self, place: FlowPlace, epoch: int) -> BadInputError:
        return BadInputError(
            t(
                f"Kunci epok {epoch} alur {place.flow.id} tidak ada di sini atau sudah "
                "dimusnahkan. Buka epok berikutnya: padan keys rotate.",
                f"The key of epoch {epoch} of flow {place.flow.id} is not here or was destroyed. "
                "Open the next epoch: padan keys rotate.",
            )
        )


def _rolled_back(place: FlowPlace, epoch: int, used: int) -> VerificationError:
    rotate = f"padan keys rotate -a {place.agreement.id} -f {place.flow.id}"
    return VerificationError(
        t(
            f"Unit pemadanan menawarkan epok {epoch}, padahal epok {used} sudah dipakai. Bila "
            "pemulihan unit itu dinyatakan dan diterima di sini, bukalah epok baru, yang tidak "
            f"pernah dipakai, bersama {place.peer}: {rotate}. Bila tidak, jangan lanjutkan; "
            "hubungi operator unit.",
            f"The linkage unit offers epoch {epoch}, but epoch {used} was used before. If a "
            "restore of the unit was declared and accepted here, open a new epoch, which was never "
            f"used, together with {place.peer}: {rotate}. Otherwise do not go on; ask the unit's "
            "operator.",
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


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
