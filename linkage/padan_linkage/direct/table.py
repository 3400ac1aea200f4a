"""The label table as a file: rows of 40 bytes, ascending by tag, hashed in chunks of 4,096.

Tags are pseudorandom, so their order is a shuffle, and a search is a binary search in a mapped
file. Nothing here can open a row. Spec 60, "Table".
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.crypto.merkle import HASH_BYTES, Tree, leaf_hash

TAG_BYTES, BODY_BYTES = 10, 30
ROW_BYTES = TAG_BYTES + BODY_BYTES
CHUNK_ROWS = 4096
CHUNK_BYTES = CHUNK_ROWS * ROW_BYTES
TABLE_ID_BYTES = 16
_TAG = np.dtype([("high", ">u8"), ("low", ">u2")])


class RepeatedTagError(ValueError):
    """Two rows of one table have one tag, or rows do not come in the order of their tags."""


class TableError(Exception):
    """Bytes are not the table that its manifest describes; the message says where."""


def padded_rows(real: int, dummy_share: float) -> int:
    """Rows of a table of that many real ones: dummies added, rounded up.

    Rounded to whole chunks and to a sixteenth of the power of two below, so that the size tells
    little, of a delta above all.
    """
    wanted = max(1, math.ceil(real * (1 + dummy_share)))
    quantum = max(CHUNK_ROWS, 1 << max(0, wanted.bit_length() - 5))
    return math.ceil(wanted / quantum) * quantum


class LabelTableWriter:
    """Writes a table from blocks of rows in ascending order, and hashes it on the way.

    ``path`` must not exist. Use as a context manager; :meth:`close` flushes to the disk.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._leaves: list[bytes] = []
        self._rest = b""
        self._last = b""
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, rows: NDArray[np.uint8]) -> None:
        """Add ``uint8[n, 40]``. Raises ValueError unless their tags go on ascending strictly."""
        if rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != ROW_BYTES:
            raise ValueError(f"rows are uint8[n, {ROW_BYTES}]")
        if not len(rows):
            return
        require_ascending(rows[:, :TAG_BYTES], self._last)
        self._last = rows[-1, :TAG_BYTES].tobytes()
        data = rows.tobytes()
        self._file.write(data)
        self.rows += len(rows)
        pending = self._rest + data
        whole = len(pending) - len(pending) % CHUNK_BYTES
        self._leaves += [
            leaf_hash(pending[at : at + CHUNK_BYTES]) for at in range(0, whole, CHUNK_BYTES)
        ]
        self._rest = pending[whole:]

    def close(self) -> None:
        """Finish the file; nothing can be appended any more. Closing twice does nothing."""
        if self._file.closed:
            return
        if self._rest:
            self._leaves.append(leaf_hash(self._rest))
            self._rest = b""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    @property
    def chunk_hashes(self) -> bytes:
        """Leaf hashes of the chunks, 32 bytes each; whole after :meth:`close`."""
        return b"".join(self._leaves)

    @property
    def root(self) -> bytes:
        """Merkle root over the chunks, 32 bytes; right after :meth:`close`."""
        return Tree(self._leaves).root


def chunk_count(rows: int) -> int:
    """Chunks of a table of that many rows."""
    return math.ceil(rows / CHUNK_ROWS)


def split_hashes(chunk_hashes: bytes, rows: int, root: bytes) -> list[bytes]:
    """The chunks' leaf hashes, if they are those of a table with that many rows and that root.

    Raises TableError otherwise. Every chunk verifies against its hash alone from then on.
    """
    leaves = [chunk_hashes[at : at + HASH_BYTES] for at in range(0, len(chunk_hashes), HASH_BYTES)]
    fits = len(chunk_hashes) == HASH_BYTES * chunk_count(rows)
    if not fits or Tree(leaves).root != root:
        raise TableError("the chunk hashes are not those of the manifest")
    return leaves


def verify_chunk(leaves: list[bytes], rows: int, chunk: int, data: bytes) -> None:
    """Return if ``data`` is chunk number ``chunk``; raise TableError otherwise."""
    if not 0 <= chunk < len(leaves):
        raise TableError("the table has no such chunk")
    expected = min(CHUNK_ROWS, rows - chunk * CHUNK_ROWS) * ROW_BYTES
    if len(data) != expected or leaf_hash(data) != leaves[chunk]:
        raise TableError(f"chunk {chunk} is not the one of the manifest")


class LabelTable:
    """A table that was downloaded and verified, mapped read-only, to be searched by tag."""

    __slots__ = ("rows",)

    def __init__(self, rows: NDArray[np.uint8]) -> None:
        if rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != ROW_BYTES:
            raise ValueError(f"rows are uint8[n, {ROW_BYTES}]")
        #: ``uint8[rows, 40]``.
        self.rows = rows

    @classmethod
    def open(cls, path: Path, rows: int) -> Self:
        """Map a file of that many rows. Raises TableError if it has another length."""
        if path.stat().st_size != rows * ROW_BYTES or not rows:
            raise TableError("the table's file has another length than its manifest says")
        return cls(np.memmap(path, np.uint8, "r", shape=(rows, ROW_BYTES)))

    def __len__(self) -> int:
        return len(self.rows)

    def chunk(self, number: int) -> bytes:
        """The bytes of that chunk, counted from 0; empty behind the last."""
        return self.rows[number * CHUNK_ROWS : (number + 1) * CHUNK_ROWS].tobytes()

    def chunk_hashes(self) -> bytes:
        """Leaf hashes of all chunks, 32 bytes each; reads the whole file, about a GB a second."""
        return b"".join(leaf_hash(self.chunk(n)) for n in range(chunk_count(len(self))))

    def find(self, tags: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Row of each of ``uint8[n, 10]`` tags, ``int64[n]``; -1 where the table has none.

        Binary search of all at once; about a microsecond a tag in tens of millions of rows.
        """
        high, low = tag_words(np.ascontiguousarray(tags))
        start = np.zeros(len(high), np.int64)
        stop = np.full(len(high), len(self), np.int64)
        while (active := np.flatnonzero(start < stop)).size:
            middle = (start[active] + stop[active]) // 2
            row_high, row_low = tag_words(self.rows[middle, :TAG_BYTES])
            wanted_high, wanted_low = high[active], low[active]
            below = (row_high < wanted_high) | ((row_high == wanted_high) & (row_low < wanted_low))
            start[active[below]] = middle[below] + 1
            stop[active[~below]] = middle[~below]
        at = np.minimum(start, len(self) - 1)
        same = (self.rows[at, :TAG_BYTES] == tags).all(axis=1)
        return np.where(same, at, -1)


def tag_words(tags: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint16]]:
    """Tags ``uint8[n, 10]`` as two numbers each, [n], that order as the bytes do."""
    words = np.ascontiguousarray(tags).view(_TAG)
    return words["high"].reshape(-1).astype(np.uint64), words["low"].reshape(-1).astype(np.uint16)


def by_tag(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows ``uint8[n, 40]`` in ascending order of their tags."""
    high, low = tag_words(rows[:, :TAG_BYTES])
    return rows[np.lexsort((low, high))]


def require_ascending(tags: NDArray[np.uint8], last: bytes = b"") -> None:
    """Return if ``uint8[n, 10]`` tags ascend strictly and come after ``last``.

    Raises RepeatedTagError otherwise: of what was sorted, two are the same.
    """
    high, low = tag_words(tags)
    rising = (high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))
    if not rising.all() or (len(tags) and tags[0].tobytes() <= last):
        raise RepeatedTagError("rows must ascend strictly by tag")
