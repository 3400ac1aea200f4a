"""From Arrow string columns to the buffers that the kernels read, and to HMAC messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

StringColumn: TypeAlias = "pa.StringArray"

#: UTF-8 bytes, and offsets ``int64[columns, n + 1]`` into them.
Text: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.int64]]

_MAX_FRAMED_BYTES = 0xFFFF
_NOTHING = b"\x00"


def text_of(columns: Sequence[StringColumn]) -> Text:
    """UTF-8 bytes of all columns behind each other, and offsets into them.

    The columns have one length n; offsets are ``int64[columns, n + 1]``. Nulls count as empty. Of
    one column the bytes are its own. Nobody may write to either.
    """
    data, offsets, base = [], [], 0
    for column in columns:
        array = _binary(column)
        _, offset_buffer, data_buffer = array.buffers()
        ends = np.frombuffer(offset_buffer, np.int64)[array.offset : array.offset + len(array) + 1]
        part = np.frombuffer(data_buffer or _NOTHING, np.uint8)
        if len(columns) > 1:
            part, ends = part[ends[0] : ends[-1]], ends - ends[0] + base
        data.append(part)
        offsets.append(ends)
        base += part.size
    text = data[0] if len(columns) == 1 else np.concatenate([*data, np.zeros(1, np.uint8)])
    places = offsets[0].reshape(1, -1) if len(columns) == 1 else np.stack(offsets)
    # One type for what is Arrow's and what is not, or kernels would be compiled for both.
    text.flags.writeable = places.flags.writeable = False
    return text, places


def framed_messages(columns: Sequence[StringColumn]) -> pa.LargeBinaryArray:
    """For every row: each column's value in UTF-8 behind its length, 2 bytes big-endian.

    Raises ValueError if a value is longer than 65,535 bytes; normalised values never are.
    """
    parts = []
    for column in columns:
        array = _binary(column)
        lengths = pc.binary_length(array).to_numpy(zero_copy_only=False)
        if lengths.size and lengths.max() > _MAX_FRAMED_BYTES:
            raise ValueError("an exact value is too long to be framed")
        frame = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(2), len(array), [None, pa.py_buffer(lengths.astype(">u2").tobytes())]
        )
        parts += [frame.cast(pa.large_binary()), array]
    return pc.binary_join_element_wise(*parts, pa.scalar(b"", pa.large_binary()))


def all_present(columns: Sequence[StringColumn]) -> NDArray[np.bool_]:
    """Rows in which no column is empty, ``bool[n]``."""
    lengths = [pc.binary_length(_binary(c)).to_numpy(zero_copy_only=False) for c in columns]
    present: NDArray[np.bool_] = np.all(np.stack(lengths) > 0, axis=0)
    return present


def _binary(column: StringColumn) -> pa.LargeBinaryArray:
    return pc.fill_null(column.cast(pa.large_string()), "").cast(pa.large_binary())
