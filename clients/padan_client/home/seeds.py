"""The provider's key seeds of direct mode, one file an epoch: ``<agreement>/<flow>/<epoch>.seed``.

A seed is 32 raw bytes, mode 0600, and not sealed: ``padan-server provider`` reads it at each use,
starts unattended and holds no identity, so what opens a sealed one would have to lie beside it.
Destroying an epoch erases its seed and leaves a record without it; the server then serves and
evaluates nothing of that epoch.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import model_validator

from padan_client.base.errors import BadInputError
from padan_client.base.files import read_private, write_private
from padan_client.base.language import t
from padan_client.base.ownership import lies
from padan_client.base.place import FlowPlace
from padan_client.home.epoch_records import EpochFiles, KeyRecord
from padan_client.home.identity import Randomness
from padan_linkage.direct.oprf import SEED_BYTES, epoch_keys


class SeedRecord(KeyRecord):
    """The record of a direct epoch: its public keys follow from the seed and the agreement."""

    @model_validator(mode="before")
    @classmethod
    def _without_former(cls, given: object) -> object:
        """Records of homes of form 1 hold the one key of an epoch, which answers nothing now."""
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if name != "public_key"}


class SeedStore(EpochFiles[SeedRecord]):
    """The seeds under one folder. Epochs are the provider's own numbers, counted from 1."""

    KIND, SUFFIX = SeedRecord, "seed"

    def __init__(self, folder: Path, randomness: Randomness) -> None:
        super().__init__(folder)
        self._randomness = randomness

    def current(self, place: FlowPlace, now: datetime) -> int:
        """The newest epoch; the first one is made where there is none.

        Raises BadInputError where the newest is destroyed: its successor is opened on purpose.
        """
        records = self.records(place)
        if not records:
            return self.rotate(place, now).epoch
        if records[0].destroyed is not None:
            raise self._no_secret(place, records[0].epoch)
        return records[0].epoch

    def rotate(self, place: FlowPlace, now: datetime) -> SeedRecord:
        """Open the next epoch with a new seed; tables of older epochs stay good until they expire.

        The seed is on disk before the record, and one that a crash left without is used.
        """
        newest = max((record.epoch for record in self.records(place)), default=0)
        epoch = newest + 1
        if not lies(self._secret_path(place, epoch)):
            write_private(self._secret_path(place, epoch), self._randomness(SEED_BYTES))
        self._seed(place, epoch)
        record = SeedRecord(epoch=epoch, created=now)
        self._save(place, record)
        return record

    def seed(self, place: FlowPlace, epoch: int) -> bytes:
        """The seed of an epoch. Raises BadInputError if it is unknown here or destroyed."""
        self._usable(place, epoch)
        return self._seed(place, epoch)

    def public_keys(self, place: FlowPlace, epoch: int) -> dict[str, bytes]:
        """The epoch's public key of each direct key of this very agreement, by id, 32 bytes."""
        assert place.flow.direct is not None
        keys = epoch_keys(
            self.seed(place, epoch),
            agreement_digest=place.digest,
            flow_id=place.flow.id,
            epoch=epoch,
            key_ids=[key.id for key in place.flow.direct.keys],
        )
        return {key_id: key.public_key for key_id, key in keys.items()}

    def _seed(self, place: FlowPlace, epoch: int) -> bytes:
        def whole(seed: bytes) -> bytes:
            if len(seed) != SEED_BYTES:
                raise _damaged(epoch)
            return seed

        return read_private(self._secret_path(place, epoch), whole)

    def _place(self, place: FlowPlace) -> Path:
        return self._folder / place.agreement.id / place.flow.id

    def _no_secret(self, place: FlowPlace, epoch: int) -> BadInputError:
        return BadInputError(
            t(
                f"Kunci langsung epok {epoch} alur {place.flow.id} tidak ada di sini atau sudah "
                "dimusnahkan. Buka epok berikutnya: padan keys rotate --mode direct.",
                f"The direct key of epoch {epoch} of flow {place.flow.id} is not here or was "
                "destroyed. Open the next epoch: padan keys rotate --mode direct.",
            )
        )


def _damaged(epoch: int) -> BadInputError:
    return BadInputError(
        t(
            f"Benih kunci epok {epoch} rusak. Pulihkan dari cadangan atau buka epok baru.",
            f"The key seed of epoch {epoch} is damaged. Restore it from a backup or open a new "
            "epoch.",
        )
    )
