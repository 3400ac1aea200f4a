"""Fail points: places where a test may kill the process, to prove that a restart loses nothing.

Armed only when the configuration says ``allow_failpoints`` and the environment variable
``PADAN_UNIT_FAILPOINT`` names one: ``commit.recorded`` dies at the first pass through it,
``upload.synced:3`` at the third. An unknown name is refused at start, so that a test cannot
pass by misspelling.
"""

from __future__ import annotations

import os
import signal
import threading

VARIABLE = "PADAN_UNIT_FAILPOINT"

#: Every durable step, in the order in which a dataset and a run go through them.
NAMES = (
    "upload.appended",
    "upload.synced",
    "upload.recorded",
    "upload.finished",
    "merge.written",
    "merge.renamed",
    "commit.recorded",
    "delete.marked",
    "delete.erased",
    "run.created",
    "run.leased",
    "run.result_written",
    "run.pass_recorded",
    "run.finished",
    "confirm.charged",
)


class Failpoints:
    """Counts passes through the armed fail point and kills the process at the chosen one."""

    def __init__(self, specification: str = "") -> None:
        name, _, count = specification.partition(":")
        if name and name not in NAMES:
            raise ValueError(f"{VARIABLE}: unknown fail point {name!r}; known: {', '.join(NAMES)}")
        self._name = name
        self._left = int(count or 1)
        self._lock = threading.Lock()

    @classmethod
    def from_environment(cls, *, allowed: bool) -> Failpoints:
        """The fail point that the environment arms, or none where they are not allowed."""
        return cls(os.environ.get(VARIABLE, "") if allowed else "")

    def hit(self, name: str) -> None:
        """Die here if ``name`` is armed and its count is reached; otherwise do nothing."""
        if name != self._name:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
