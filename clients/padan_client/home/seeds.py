"""The provider's key seeds of direct mode, one file an epoch: ``<agreement>/<flow>/<epoch>.seed``.

A seed is 32 raw bytes, mode 0600, where ``padan-server provider`` reads it at each use: it starts
unattended, so the identity's passphrase does not reach it. Destroying an epoch erases its seed and
leaves a record without it; the server then serves and evaluates nothing of that epoch.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from padan_client.base.errors import BadInputError
from padan_client.base.files import erase, read_private, write_private
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_linkage.direct.oprf import SEED_BYTES, EvaluationKey, epoch_key

Randomness = Callable[[int], bytes]


class SeedRecord(BaseModel):
    """What the provider remembers of a direct epoch; never the seed. ``public_key`` in hex."""

    model_config = ConfigDict(extra="forbid")

    epoch: int
    public_key: str
    created: datetime
    destroyed: datetime | None = None


class SeedStore:
    """The seeds under one folder. Epochs are the provider's own numbers, counted from 1."""

    def __init__(self, folder: Path, randomness: Randomness) -> None:
        self._folder = folder
        self._randomness = randomness

    def records(self, place: FlowPlace) -> list[SeedRecord]:
        """All epochs of a flow, newest first."""
        found = (_read(path) for path in self._place(place).glob("*.json"))
        return sorted(found, key=lambda record: -record.epoch)

    def current(self, place: FlowPlace, now: datetime) -> int:
        """The newest epoch; the first one is made where there is none.

        Raises BadInputError where the newest is destroyed: its successor is opened on purpose.
        """
        records = self.records(place)
        if not records:
            return self.rotate(place, now).epoch
        if records[0].destroyed is not None:
            raise _destroyed(place, records[0].epoch)
        return records[0].epoch

    def rotate(self, place: FlowPlace, now: datetime) -> SeedRecord:
        """Open the next epoch with a new seed; tables of older epochs stay good until they expire.

        The seed is on disk before the record, and one that a crash left without is used.
        """
        newest = max((record.epoch for record in self.records(place)), default=0)
        epoch = newest + 1
        if not self._seed_path(place, epoch).exists():
            write_private(self._seed_path(place, epoch), self._randomness(SEED_BYTES))
        key = _derive(place, epoch, self._seed(place, epoch))
        record = SeedRecord(epoch=epoch, public_key=key.public_key.hex(), created=now)
        self._save(place, record)
        return record

    def seed(self, place: FlowPlace, epoch: int) -> bytes:
        """The seed of an epoch. Raises BadInputError if it is unknown here or destroyed."""
        record = next((r for r in self.records(place) if r.epoch == epoch), None)
        if record is None or record.destroyed is not None:
            raise _destroyed(place, epoch)
        return self._seed(place, epoch)

    def public_key(self, place: FlowPlace, epoch: int) -> bytes:
        """The epoch's public key under this very agreement, 32 bytes."""
        return _derive(place, epoch, self.seed(place, epoch)).public_key

    def destroy(self, place: FlowPlace, epoch: int, now: datetime) -> SeedRecord:
        """Erase the seed for good and record when. Raises BadInputError if unknown."""
        record = next((r for r in self.records(place) if r.epoch == epoch), None)
        if record is None:
            raise _destroyed(place, epoch)
        if record.destroyed is None:
            record = record.model_copy(update={"destroyed": now})
            self._save(place, record)
        erase(self._seed_path(place, epoch))
        return record

    def _seed(self, place: FlowPlace, epoch: int) -> bytes:
        seed = read_private(self._seed_path(place, epoch))
        if len(seed) != SEED_BYTES:
            raise BadInputError(
                t(
                    f"Benih kunci epok {epoch} rusak. Pulihkan dari cadangan atau buka epok baru.",
                    f"The key seed of epoch {epoch} is damaged. Restore it from a backup or open "
                    "a new epoch.",
                )
            )
        return seed

    def _place(self, place: FlowPlace) -> Path:
        return self._folder / place.agreement.id / place.flow.id

    def _seed_path(self, place: FlowPlace, epoch: int) -> Path:
        return self._place(place) / f"{epoch}.seed"

    def _save(self, place: FlowPlace, record: SeedRecord) -> None:
        path = self._place(place) / f"{record.epoch}.json"
        write_private(path, record.model_dump_json(indent=1).encode())


def _derive(place: FlowPlace, epoch: int, seed: bytes) -> EvaluationKey:
    return epoch_key(seed, agreement_digest=place.digest, flow_id=place.flow.id, epoch=epoch)


def _read(path: Path) -> SeedRecord:
    try:
        return SeedRecord.model_validate(json.loads(read_private(path)))
    except (ValueError, ValidationError):
        raise BadInputError(
            t(
                f"Catatan epok {path} rusak. Pulihkan dari cadangan.",
                f"The epoch record {path} is damaged. Restore it from a backup.",
            )
        ) from None


def _destroyed(place: FlowPlace, epoch: int) -> BadInputError:
    return BadInputError(
        t(
            f"Kunci langsung epok {epoch} alur {place.flow.id} tidak ada di sini atau sudah "
            "dimusnahkan. Buka epok berikutnya: padan keys rotate --mode direct.",
            f"The direct key of epoch {epoch} of flow {place.flow.id} is not here or was "
            "destroyed. Open the next epoch: padan keys rotate --mode direct.",
        )
    )
