"""Fail points: places where a test may kill the process, to prove that a restart loses nothing.

Armed only when the configuration says ``allow_failpoints`` and the environment variable
``PADAN_UNIT_FAILPOINT`` (for a provider ``PADAN_PROVIDER_FAILPOINT``) names one:
``commit.recorded`` dies at the first pass through it, ``upload.synced:3`` at the third. An unknown
name is refused at start, so that a test cannot pass by misspelling.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection

#: Every durable step of the unit, in the order in which a dataset and a run go through them.
NAMES = (
    "upload.appended",
    "upload.synced",
    "upload.recorded",
    "upload.finished",
    "merge.written",
    "merge.renamed",
    "commit.edition_kept",
    "commit.recorded",
    "delete.marked",
    "delete.erased",
    "run.created",
    "run.leased",
    "run.range_kept",
    "run.result_written",
    "run.pass_recorded",
    "run.settled",
    "run.finished",
    "confirm.charged",
    "confirm.counted",
    "release.written",
    "release.recorded",
    "release.erased",
)

#: Every durable step of a provider, in the order in which a table and a list go through them.
PROVIDER_NAMES = (
    "table.recorded",
    "list.charged",
    "list.committed",
    "chunk.evaluated",
    "chunk.recorded",
    "table.erased",
    "table.destroyed",
)


class Failpoints:
    """Counts passes through the armed fail point and kills the process at the chosen one."""

    def __init__(self, specification: str = "", names: Collection[str] = NAMES) -> None:
        name, _, count = specification.partition(":")
        if name and name not in names:
            raise ValueError(f"unknown fail point {name!r}; known: {', '.join(names)}")
        self._name = name
        self._left = int(count or 1)
        self._lock = threading.Lock()

    @classmethod
    def from_environment(
        cls, role: str = "unit", names: Collection[str] = NAMES, *, allowed: bool
    ) -> Failpoints:
        """The fail point that the environment arms, or none where they are not allowed."""
        variable = f"PADAN_{role.upper()}_FAILPOINT"
        return cls(os.environ.get(variable, "") if allowed else "", names)

    def hit(self, name: str) -> None:
        """Die here if ``name`` is armed and its count is reached; otherwise do nothing."""
        if name != self._name:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
