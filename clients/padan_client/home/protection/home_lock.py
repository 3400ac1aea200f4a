"""Who works in a home: commands side by side, or a backup alone."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from padan_client.base.errors import BadInputError
from padan_client.base.files import open_lock
from padan_client.base.language import t

_FILE = ".lock"


class HomeLock:
    """Holds a home until it is released or forgotten. Raises BadInputError where it cannot.

    A home that cannot be written to has nobody who changes it, and is not held.
    """

    def __init__(self, home: Path, *, alone: bool = False) -> None:
        self._descriptor: int | None = None
        try:
            self._descriptor = open_lock(home / _FILE)
        except OSError:
            if os.access(home, os.W_OK):
                raise
            return
        try:
            kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise _busy(home, alone=alone) from None

    def __del__(self) -> None:
        self.release()

    def release(self) -> None:
        """Let go of the home."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _busy(home: Path, *, alone: bool) -> BadInputError:
    if alone:
        return BadInputError(
            t(
                f"Ada perintah lain yang sedang memakai {home}. Tunggu sampai selesai, agar "
                "cadangannya utuh.",
                f"Another command is using {home}. Wait for it to end, so that the backup is one "
                "of a single moment.",
            )
        )
    return BadInputError(
        t(
            f"{home} sedang dicadangkan. Tunggu sampai selesai.",
            f"{home} is being backed up. Wait for it to end.",
        )
    )
