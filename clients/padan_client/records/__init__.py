"""A data officer's file: read it, check it, normalise it, and say what could not be used.

Start at :func:`read_table`, then :func:`prepare`.
"""

from __future__ import annotations

from padan_client.records.preparing import Prepared, prepare
from padan_client.records.reading import Batches, TableSource, open_batches, read_table

__all__ = ["Batches", "Prepared", "TableSource", "open_batches", "prepare", "read_table"]
