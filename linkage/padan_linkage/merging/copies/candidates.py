"""Which rows are compared: those that share a key. And how often a value occurs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_linkage.compiled.jit import kernel
from padan_linkage.normalise import text_buffers

Rows = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Hashes = NDArray[np.uint64]

#: In a key of more rows than this each is compared only with so many that follow it in the file.
COMPANY = 24
#: A smaller file says too little of how common a thing is: what nobody else there has is taken to
#: be as rare as in one of so many rows.
SMALL = 1000
_START, _STEP = 0xCBF29CE484222325, 0x100000001B3  # FNV-1a, 64 bits
_APART = 31  # between the parts of a key


def hashes(*columns: pa.StringArray) -> Hashes:
    """A hash of each row's values together, uint64[n]; 0 where one of them is missing."""
    found = np.full(len(columns[0]), _START, np.uint64)
    for column in columns:
        _add(*text_buffers(column), found)
    return found


@kernel
def _add(data: Bytes, offsets: Rows, found: Hashes) -> None:
    for row in range(found.size):
        h = found[row]
        if h == 0 or offsets[row] == offsets[row + 1]:
            found[row] = 0
            continue
        for i in range(offsets[row], offsets[row + 1]):
            h = (h ^ np.uint64(data[i])) * np.uint64(_STEP)
        found[row] = (h ^ np.uint64(_APART)) * np.uint64(_STEP)


def pairs(keys: list[Hashes], rows: int) -> tuple[Rows, Rows]:
    """The pairs that share one of the keys, each once: rows ``a`` < ``b``, int64[k]."""
    found = [_pairs(key, rows) for key in keys]
    both = np.unique(np.concatenate([np.zeros(0, np.int64), *found]))
    return both // max(1, rows), both % max(1, rows)


def _pairs(key: Hashes, rows: int) -> Rows:
    """The pairs of one key as ``a * rows + b``."""
    filled = np.flatnonzero(key)
    order = filled[np.argsort(key[filled], kind="stable")]
    ordered = key[order]
    found = [np.zeros(0, np.int64)]
    for step in range(1, COMPANY + 1):
        at = np.flatnonzero(ordered[step:] == ordered[:-step])
        if not len(at):
            break
        found.append(order[at] * rows + order[at + step])
    return np.concatenate(found)


class FieldColumn:
    """One field of the file, and how its values are shared; ``hashed`` is what is equal by."""

    def __init__(self, values: pa.StringArray, hashed: Hashes | None = None) -> None:
        self.values = values
        self.hashed = hashes(values) if hashed is None else hashed
        self._sorted = np.sort(self.hashed)

    def __len__(self) -> int:
        return len(self.hashed)

    def holders(self, rows: Rows) -> Rows:
        """How many rows hold the values of these, themselves counted: int64[k]."""
        wanted = self.hashed[rows]
        low = np.searchsorted(self._sorted, wanted, "left")
        found: Rows = np.searchsorted(self._sorted, wanted, "right") - low
        return found

    @property
    def unseen(self) -> float:
        """The share of people whose value nobody in the file has (Good 1953)."""
        filled = self._sorted[np.searchsorted(self._sorted, 0, "right") :]
        edge = np.r_[True, filled[1:] != filled[:-1], True]
        return float((edge[1:] & edge[:-1]).mean()) if len(filled) else 1.0

    def same(self, a: Rows, b: Rows) -> tuple[Bools, Bools]:
        """Which pairs have equal values, and which have values at all: bool[k] each."""
        ours, theirs = self.hashed[a], self.hashed[b]
        filled = (ours != 0) & (theirs != 0)
        return filled & (ours == theirs), filled

    def letters(self, rows: Rows, width: int) -> tuple[Bytes, Rows]:
        """The first ``width`` bytes of the values of these rows, uint8[k, width], and lengths."""
        return _matrix(*text_buffers(self.values.take(pa.array(rows))), width)


@kernel
def _matrix(data: Bytes, offsets: Rows, width: int) -> tuple[Bytes, Rows]:
    n = offsets.size - 1
    out, sizes = np.zeros((n, width), np.uint8), np.empty(n, np.int64)
    for row in range(n):
        sizes[row] = offsets[row + 1] - offsets[row]
        for i in range(min(width, sizes[row])):
            out[row, i] = data[offsets[row] + i]
    return out, sizes
