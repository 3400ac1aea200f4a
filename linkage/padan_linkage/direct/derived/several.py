"""Columns in which a record has several values, in an order that matters, or none.

Two records agree where their values have one in common. Sides that keep only a record's first
values keep the same ones if they order them alike. Spec 60, "Derivations" and "Input".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.normalise import text_buffers

Bytes = NDArray[np.uint8]
Longs = NDArray[np.int64]

#: A text is framed by its length in 2 bytes (:func:`padan_linkage.crypto.epochs.framed`).
_MOST_BYTES = (1 << 16) - 1


@dataclass(frozen=True, repr=False)
class SeveralValues:
    """The values of ``n`` records: record i has ``texts[starts[i]:starts[i + 1]]``, none twice.

    ``texts``: string[m]; ``starts``: int64[n + 1].
    """

    texts: pa.StringArray
    starts: Longs

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __repr__(self) -> str:
        return f"SeveralValues(records={len(self)}, values={len(self.texts)})"

    @classmethod
    def single(cls, values: pa.StringArray) -> Self:
        """At most one of each: "" is none."""
        filled = pc.not_equal(values, "")
        counts = filled.to_numpy(zero_copy_only=False).astype(np.int64)
        return cls(values.filter(filled), _starts(counts))

    @classmethod
    def chosen(cls, texts: pa.StringArray, which: NDArray[np.integer[Any]], starts: Longs) -> Self:
        """Values by their numbers among ``texts``."""
        return cls(texts.take(pa.array(which)), starts)

    @classmethod
    def by_value(cls, lists: Sequence[Sequence[str]], of: NDArray[np.int64]) -> Self:
        """Record i has the list number ``of[i]``."""
        flat = pa.array([text for one in lists for text in one], pa.string())
        ends = _starts(np.array([len(one) for one in lists], np.int64))
        starts = _starts(np.diff(ends)[of])
        within = np.arange(starts[-1]) - np.repeat(starts[:-1], np.diff(starts))
        return cls.chosen(flat, np.repeat(ends[:-1][of], np.diff(starts)) + within, starts)

    def either(self, other: SeveralValues) -> SeveralValues:
        """These values, then those of the other that a record has not yet."""
        which, starts = _either(
            self.starts, *text_buffers(self.texts), other.starts, *text_buffers(other.texts)
        )
        return SeveralValues.chosen(pa.concat_arrays([self.texts, other.texts]), which, starts)

    def to_pylist(self) -> list[tuple[str, ...]]:
        """Each record's values."""
        texts, starts = self.texts.to_pylist(), self.starts.tolist()
        return [tuple(texts[a:b]) for a, b in pairwise(starts)]


def combinations(
    prefix: bytes, parts: Sequence[SeveralValues], most: int
) -> tuple[pa.LargeBinaryArray, Longs]:
    """One value of each part, framed, behind the prefix: every record's first ``most`` of them.

    The values of the last part change first. Gives the messages, large_binary[m], and where each
    record's begin, int64[n + 1]. Raises ValueError for a value of over 65,535 bytes.
    """
    count = len(parts[0])
    data, offsets = np.frombuffer(prefix, np.uint8), np.array([0, len(prefix)])
    # Every record begins with the prefix, which is there once.
    begins, ends = np.zeros(count, np.int64), np.ones(count, np.int64)
    starts = np.zeros(1, np.int64)
    for part in parts:
        texts, places = text_buffers(part.texts)
        if len(part.texts) and np.diff(places).max() > _MOST_BYTES:
            raise ValueError(f"a framed text has at most {_MOST_BYTES:,} bytes")
        data, offsets, starts = _combined(
            begins, ends, data, offsets, part.starts, texts, places, most
        )
        begins, ends = starts[:-1], starts[1:]
    made = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    return made, starts


def _starts(counts: NDArray[np.int64]) -> Longs:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])


@kernel
def _either(
    starts: Longs, data: Bytes, offsets: Longs,
    other_starts: Longs, other_data: Bytes, other_offsets: Longs,
) -> Any:  # fmt: skip
    """Numbers of the values that each record has of either, the other's counted behind ours."""
    n, ours = starts.size - 1, offsets.size - 1
    which = np.empty(ours + other_offsets.size - 1, np.int64)
    rows = np.zeros(n + 1, np.int64)
    at = 0
    for row in range(n):
        first, last = starts[row], starts[row + 1]
        for i in range(first, last):
            which[at] = i
            at += 1
        for j in range(other_starts[row], other_starts[row + 1]):
            known = False
            for i in range(first, last):
                known |= _equal(data, offsets, i, other_data, other_offsets, j)
            if not known:
                which[at] = ours + j
                at += 1
        rows[row + 1] = at
    return which[:at].copy(), rows


@helper
def _equal(data: Bytes, offsets: Longs, i: int, other: Bytes, other_offsets: Longs, j: int) -> bool:
    size = offsets[i + 1] - offsets[i]
    if size != other_offsets[j + 1] - other_offsets[j]:
        return False
    mine, theirs = data[offsets[i] :][:size], other[other_offsets[j] :][:size]
    return bool((mine == theirs).all())


@kernel
def _combined(
    begins: Longs, ends: Longs, data: Bytes, offsets: Longs,
    starts: Longs, texts: Bytes, places: Longs, most: int,
) -> Any:  # fmt: skip
    """Each record's messages ``begins`` to ``ends``, with each of its values behind."""
    n = starts.size - 1
    rows, size = np.zeros(n + 1, np.int64), 0
    for row in range(n):
        values = starts[row + 1] - starts[row]
        made = min((ends[row] - begins[row]) * values, most)
        rows[row + 1] = rows[row] + made
        for k in range(made):
            i, j = begins[row] + k // values, starts[row] + k % values
            size += offsets[i + 1] - offsets[i] + 2 + places[j + 1] - places[j]
    out, stops = np.empty(max(1, size), np.uint8), np.zeros(rows[n] + 1, np.int64)
    at = 0
    for row in range(n):
        values = starts[row + 1] - starts[row]
        for k in range(rows[row + 1] - rows[row]):
            i, j = begins[row] + k // values, starts[row] + k % values
            for byte in range(offsets[i], offsets[i + 1]):
                out[at] = data[byte]
                at += 1
            length = places[j + 1] - places[j]
            out[at], out[at + 1] = length >> 8, length & 255
            at += 2
            for byte in range(places[j], places[j + 1]):
                out[at] = texts[byte]
                at += 1
            stops[rows[row] + k + 1] = at
    return out, stops, rows
