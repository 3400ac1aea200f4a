"""The seeds of evaluation keys, one file for each epoch, so that an epoch can be destroyed alone.

They are read when they are needed and kept nowhere: an epoch whose file is gone answers no more.
Beside it lies the publisher's record of the epoch, which says whether it was destroyed: a seed that
is gone without that is lost.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from pydantic_core import from_json

from padan_linkage.direct.oprf import SEED_BYTES, epoch_keys
from padan_server.base.damage import DamagedFileError
from padan_server.base.model import FlowKey
from padan_server.base.ordinary import ordinary_file, read_ordinary
from padan_server.store.files.sums import unreadable


class EpochDestroyedError(Exception):
    """The publisher has destroyed the epoch's key, and its record says so."""


class Seeds:
    """``<folder>/<agreement>/<flow>/<epoch>.seed``: 32 raw bytes that only the owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: FlowKey, epoch: int) -> bytes:
        """The seed of an epoch, 32 bytes.

        Raises EpochDestroyedError, and DamagedFileError if it is lost or cannot be used.
        """
        if self.is_destroyed(key, epoch):
            raise EpochDestroyedError
        return self._whole(key, epoch)

    def check(self, key: FlowKey, epoch: int, public_keys: Mapping[str, str]) -> None:
        """Return if the seed gives those keys, in hex by the id of the direct key.

        Raises as :meth:`read`, also if not.
        """
        derived = epoch_keys(
            self.read(key, epoch),
            agreement_digest=key.digest,
            flow_id=key.flow,
            epoch=epoch,
            key_ids=public_keys,
        )
        if any(derived[i].public_key.hex() != given for i, given in public_keys.items()):
            raise self.altered(key, epoch)

    def altered(self, key: FlowKey, epoch: int) -> DamagedFileError:
        """The seed is not that of the tables."""
        return DamagedFileError(self._name(key, epoch), "kuncinya lain", "its key is another")

    def is_destroyed(self, key: FlowKey, epoch: int) -> bool:
        """Whether the seed is gone and the publisher's record says that this was meant."""
        path = self._path(key, epoch)
        if path.exists():
            return False
        try:
            # The record is the home's: padan_client.home.epoch_records.KeyRecord.
            return bool(from_json(read_ordinary(path.with_suffix(".json")))["destroyed"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _whole(self, key: FlowKey, epoch: int) -> bytes:
        name = self._name(key, epoch)
        try:
            with ordinary_file(self._path(key, epoch)) as file:
                held, seed = os.fstat(file.fileno()), file.read(SEED_BYTES + 1)
        except OSError as e:
            raise unreadable(name, e) from None
        if len(seed) != SEED_BYTES:
            problem = f"bukan {SEED_BYTES} byte", f"not {SEED_BYTES} bytes long"
            raise DamagedFileError(name, *problem)
        _check_owner(name, held)  # what it is comes first
        return seed

    def _path(self, key: FlowKey, epoch: int) -> Path:
        return self._folder / key.agreement / key.flow / f"{epoch}.seed"

    def _name(self, key: FlowKey, epoch: int) -> str:
        return self._path(key, epoch).relative_to(self._folder.parent).as_posix()


def _check_owner(name: str, held: os.stat_result) -> None:
    if held.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        problem = "pengguna lain dapat membacanya; chmod 600", "others may read it; chmod 600"
        raise DamagedFileError(name, *problem)
    if held.st_uid not in {0, os.geteuid()}:
        raise DamagedFileError(name, "milik pengguna lain", "it is another user's")
