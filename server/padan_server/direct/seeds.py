"""The seeds of evaluation keys, one file for each epoch, so that an epoch can be destroyed alone.

They are read when they are needed and kept nowhere: an epoch whose file is gone answers no more.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from padan_linkage.direct.oprf import SEED_BYTES, epoch_key
from padan_server.base.model import FlowKey


class SeedError(Exception):
    """A seed cannot be used; the message says why, for the log: never a path or a value."""


class Seeds:
    """``<folder>/<agreement>/<flow>/<epoch>.seed``: 32 raw bytes that only the owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, key: FlowKey, epoch: int) -> bytes:
        """The seed of an epoch, 32 bytes. Raises :class:`SeedError`."""
        path = self._folder / key.agreement / key.flow / f"{epoch}.seed"
        try:
            with path.open("rb") as file:
                held, seed = os.fstat(file.fileno()), file.read(SEED_BYTES + 1)
        except FileNotFoundError:
            raise SeedError("missing") from None
        except OSError:
            raise SeedError("unreadable") from None
        if len(seed) != SEED_BYTES:
            raise SeedError("length")
        _check_owner(held)  # what it is comes first
        return seed

    def public_key(self, key: FlowKey, epoch: int) -> bytes:
        """The public key that the seed gives, 32 bytes. Raises :class:`SeedError`."""
        seed = self.read(key, epoch)
        derived = epoch_key(seed, agreement_digest=key.digest, flow_id=key.flow, epoch=epoch)
        return derived.public_key


def _check_owner(held: os.stat_result) -> None:
    if held.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SeedError("others may read it")
    if held.st_uid not in {0, os.geteuid()}:
        raise SeedError("owner")
