"""What an operator accepts by hand: the command leaves a file, the server takes it once.

So that it works whether the server runs or not, and whoever starts it. Spec:
``proto/spec/30-unit-mode.md``, "Doubt".
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from padan_server.base.ordinary import lies_ordinary, open_ordinary

#: What every server keeps in its data directory: the file that it locks.
LOCK = "lock"


class Acceptable(StrEnum):
    """What a server doubts and an operator may accept."""

    #: A store that is not the one of the files beside it.
    STORE = "store"
    #: A data directory that is a backup.
    RESTORE = "restore"
    #: A clock that says what cannot be.
    CLOCK = "clock"


class Acceptances:
    """What lies accepted in one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def leave(self, thing: Acceptable) -> None:
        """Accept ``thing`` for the next look of the server. Raises OSError."""
        os.close(open_ordinary(self.path(thing), os.O_WRONLY | os.O_CREAT))

    def lies(self, thing: Acceptable) -> bool:
        """Whether ``thing`` was accepted; it stays so until it is taken.

        Raises NotOrdinaryError.
        """
        return lies_ordinary(self.path(thing))

    def take(self, thing: Acceptable) -> bool:
        """Whether ``thing`` was accepted; it is not any more. Raises NotOrdinaryError."""
        if not self.lies(thing):
            return False
        self.path(thing).unlink(missing_ok=True)
        return True

    def path(self, thing: Acceptable) -> Path:
        """Where the acceptance lies, if it does."""
        return self._data_dir / f"accept-{thing}"
