"""Files as officers have them to tables of strings: CSV, Parquet, workbooks.

Start at :mod:`.reading`. Every line of a file is accounted for: it is above the column names, one
of them, a row, inside a quoted cell, or empty at the end, and what was left out is told.
"""

from __future__ import annotations

from padan_client.records.files.counts import FileCounts, Tell, require_same_rows, untold
from padan_client.records.files.reading import (
    Batches,
    TableFile,
    TableSource,
    open_batches,
    read_table,
    tell_of,
)

__all__ = [
    "Batches",
    "FileCounts",
    "TableFile",
    "TableSource",
    "Tell",
    "open_batches",
    "read_table",
    "require_same_rows",
    "tell_of",
    "untold",
]
