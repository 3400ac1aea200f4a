"""How much of the disk one party's datasets may take in one flow (spec 30, "Residual risks")."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from padan_linkage.schema import Layout
from padan_server.admission.enforcement import Grant
from padan_server.base.errors import Reason, Refusal
from padan_server.base.model import Dataset, HeldRows, Role
from padan_server.store.files.disk import Disk
from padan_server.store.port import Transaction


class StorageShare:
    """Keeps a party within ``share`` of the disk that holds ``folder``."""

    def __init__(self, disk: Disk, folder: Path, share: float) -> None:
        self._disk = disk
        self._folder = folder
        self._share = share

    def check(self, tx: Transaction, grant: Grant, opened: Dataset, base: Dataset | None) -> None:
        """Refuse to open a dataset for which its owner's share has no room.

        What is open counts as if all of it had been sent, a delta as if every row were new.
        Raises Refusal: STORAGE_SHARE_EXCEEDED.
        """
        limit = int(self._disk.capacity(self._folder) * self._share)
        used = _bytes(grant, tx.datasets.held(grant.key, grant.party))
        wanted = _bytes(grant, opened.held) + (_bytes(grant, base.held) if base else 0)
        if used + wanted > limit:
            raise Refusal(Reason.STORAGE_SHARE_EXCEEDED, **grant.metadata, limit=limit, used=used)


def _bytes(grant: Grant, held: Iterable[HeldRows]) -> int:
    provider = grant.role is Role.PROVIDER
    return sum(
        Layout.of(
            grant.schema,
            grant.schema.get_pass(table.pass_id),
            provider=provider,
            delta=table.is_delta,
        ).row_bytes
        * table.rows
        for table in held
    )
