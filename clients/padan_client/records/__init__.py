"""A data officer's file: read it, check it, normalise it, and say what could not be used.

Start at :func:`read_table`, then :func:`prepare`; :mod:`.lists` and :mod:`.registry` are what a
requester and a provider make of it. May import ``base``.
"""

from __future__ import annotations

from padan_client.records.preparing import Prepared, prepare
from padan_client.records.reading import Batches, TableSource, open_batches, read_table

__all__ = ["Batches", "Prepared", "TableSource", "open_batches", "prepare", "read_table"]
