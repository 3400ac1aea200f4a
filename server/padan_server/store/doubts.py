"""What a store may be doubted for, and how an operator is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Doubt:
    """Why a store is not to be gone on with: ``file`` that tells it, and what is wrong with it.

    ``problem`` in Indonesian and English; ``restore`` is what to restore, likewise.
    """

    file: str
    problem: tuple[str, str]
    restore: tuple[str, str] = ("basis data yang benar", "the right database")

    @classmethod
    def unreadable(cls, path: Path) -> Doubt:
        """A file beside the store says nothing."""
        name = path.name
        return cls(name, (f"{name} tidak terbaca", f"{name} cannot be read"), (name, name))


class StoreDoubtError(RuntimeError):
    """The store is not the one that was left; nothing has been touched."""

    def __init__(self, data_dir: Path, doubt: Doubt) -> None:
        (indonesian, english), right = doubt.problem, doubt.restore
        super().__init__(
            f"{data_dir}: {indonesian}; tidak ada yang dihapus. Pulihkan {right[0]}, atau terima "
            f"kehilangannya dengan `padan-server accept store --data-dir {data_dir}`: berkas "
            "tanpa catatan lalu disisihkan, dan kuota serta penangguhan yang hilang tidak "
            "kembali. "
            f"/ {data_dir}: {english}; nothing was erased. Restore {right[1]}, or accept the loss "
            f"with `padan-server accept store --data-dir {data_dir}`: files without a "
            "record are then set aside, and lost quotas and suspensions do not come back."
        )
