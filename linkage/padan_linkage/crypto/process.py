"""A process that holds keys keeps its memory to itself: no core file, no other process reads it.

``PR_SET_DUMPABLE`` 0 (prctl(2), Linux) has the kernel write no core, not even to a collector, and
give ``/proc/<pid>/mem`` and ptrace(2) to no other process without CAP_SYS_PTRACE, of the same user
neither. A limit of 0 on core files does the first half elsewhere. Each process does it for itself:
``execve`` undoes it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4


def keep_memory_private() -> None:
    """Do so for this process. Raises OSError where the system refuses."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
