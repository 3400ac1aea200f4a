"""A data officer's file: read it, check it, normalise it, and say what could not be used.

Start at :func:`read_table` (in :mod:`.files`), then :func:`prepare`; :mod:`.lists` and
:mod:`.registry` are what a requester and a provider make of it. May import ``base``.
"""

from __future__ import annotations

from padan_client.records.files import (
    Batches,
    FileCounts,
    TableFile,
    TableSource,
    Tell,
    open_batches,
    read_table,
    untold,
)
from padan_client.records.preparing import Prepared, prepare

__all__ = [
    "Batches",
    "FileCounts",
    "Prepared",
    "TableFile",
    "TableSource",
    "Tell",
    "open_batches",
    "prepare",
    "read_table",
    "untold",
]
