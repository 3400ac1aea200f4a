"""The epochs of a flow as this agency remembers them: ``<epoch>.json`` beside the epoch's secret.

Destroying an epoch erases the secret and leaves the record, so that it is known when.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from padan_client.base.errors import BadInputError
from padan_client.base.files import erase, read_private, write_private
from padan_client.base.language import t
from padan_client.base.ownership import lies
from padan_client.base.place import FlowPlace

R = TypeVar("R", bound="KeyRecord")


class KeyRecord(BaseModel):
    """What is remembered of an epoch's key; never its secret half."""

    model_config = ConfigDict(extra="forbid")

    epoch: int
    created: datetime
    destroyed: datetime | None = None


class EpochFiles(ABC, Generic[R]):
    """Records of type ``KIND`` and secrets in ``<epoch>.<SUFFIX>``, a folder for each flow."""

    KIND: type[R]
    SUFFIX: str

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def records(self, place: FlowPlace) -> list[R]:
        """All epochs known here, newest first."""
        found = (self._read(path) for path in self._place(place).glob("*.json"))
        return sorted(found, key=lambda record: -record.epoch)

    def record(self, place: FlowPlace, epoch: int) -> R | None:
        """The record of one epoch, None where there is none."""
        path = self._path(place, epoch)
        return self._read(path) if lies(path) else None

    def destroy(self, place: FlowPlace, epoch: int, now: datetime) -> R:
        """Record when, then erase the secret for good. Raises BadInputError if unknown."""
        record = self.record(place, epoch)
        if record is None:
            raise self._no_secret(place, epoch)
        if record.destroyed is None:
            record = record.model_copy(update={"destroyed": now})
            self._save(place, record)
        # Spec 20, step 8.
        erase(self._secret_path(place, epoch))
        return record

    def take_over(self, place: FlowPlace, later: EpochFiles[R]) -> list[int]:
        """What a later copy of this home knows of a flow's epochs holds here, destruction first.

        Returns the epochs that are gone by it; their secrets are erased.
        """
        gone = []
        for record in later.records(place):
            mine = self.record(place, record.epoch)
            if record.destroyed is not None and (mine is None or mine.destroyed is None):
                self._save(place, record)
                erase(self._secret_path(place, record.epoch))
                gone.append(record.epoch)
            elif mine is not None and mine.destroyed is None and mine != record:
                self._save(place, record)  # with what was pinned since
        return gone

    def _usable(self, place: FlowPlace, epoch: int) -> R:
        """The record of an epoch whose secret is here. Raises BadInputError otherwise."""
        record = self.record(place, epoch)
        if record is None or record.destroyed is not None:
            raise self._no_secret(place, epoch)
        return record

    @abstractmethod
    def _place(self, place: FlowPlace) -> Path:
        """A flow's folder."""

    @abstractmethod
    def _no_secret(self, place: FlowPlace, epoch: int) -> BadInputError:
        """The error for an epoch that is unknown here or destroyed."""

    def _path(self, place: FlowPlace, epoch: int) -> Path:
        return self._place(place) / f"{epoch}.json"

    def _secret_path(self, place: FlowPlace, epoch: int) -> Path:
        return self._place(place) / f"{epoch}.{self.SUFFIX}"

    def _save(self, place: FlowPlace, record: R) -> None:
        content = record.model_dump_json(indent=1).encode()
        write_private(self._path(place, record.epoch), content)

    def _read(self, path: Path) -> R:
        try:
            return read_private(path, lambda text: self.KIND.model_validate(from_json(text)))
        except (ValueError, ValidationError):
            raise BadInputError(
                t(
                    f"Catatan epok {path} rusak. Pulihkan dari cadangan.",
                    f"The epoch record {path} is damaged. Restore it from a backup.",
                )
            ) from None
