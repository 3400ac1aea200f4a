"""What a list said about each row, as letters that only its owner can make: Spec 80, ``sidik``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.compiled.sha256 import hmac_sha256
from padan_linkage.encoding.columns import framed_messages
from padan_linkage.schema import Schema

_BYTES = 8
#: Half a byte each: digits or an e among them, and a spreadsheet would read a number.
_LETTERS = np.frombuffer(b"abcdefghijklmnop", np.uint8)
#: A cell of a file is longer only by accident; what follows is not looked at.
_MOST_CHARACTERS = 16_000


def row_digests(
    key: bytes, table: pa.Table, schema: Schema, columns: Mapping[str, str]
) -> pa.StringArray:
    """16 letters for every row of a list, of its fields' values as they stand in the file.

    ``columns``: of every field that has one. Rows with the same values have the same digest.
    """
    nothing = pa.array([""] * table.num_rows, pa.string())
    values = [
        _cells(table, columns[name]) if name in columns else nothing
        for name in sorted(field.name for field in schema.fields)
    ]
    digests = hmac_sha256(key, framed_messages(values))[:, :_BYTES]
    return _letters(np.ascontiguousarray(digests))


def _cells(table: pa.Table, column: str) -> pa.StringArray:
    cells = pc.utf8_trim_whitespace(pc.fill_null(table[column].cast(pa.string()), ""))
    short = pc.utf8_slice_codeunits(cells, 0, _MOST_CHARACTERS)
    return short.combine_chunks() if isinstance(short, pa.ChunkedArray) else short


def _letters(digests: NDArray[np.uint8]) -> pa.StringArray:
    """uint8[n, 8] as text."""
    halves = np.stack([digests >> 4, digests & 15], axis=2).reshape(len(digests), -1)
    ends = np.arange(len(digests) + 1, dtype=np.int64) * halves.shape[1]
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(_LETTERS[halves]))]
    text = pa.Array.from_buffers(pa.large_string(), len(digests), buffers)
    return text.cast(pa.string())
