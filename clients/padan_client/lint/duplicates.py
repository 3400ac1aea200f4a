"""Which rows hold the same value, for files of any length: keyed hashes, sorted in pieces on disk.

What goes to disk are 64-bit SipHashes under a key that only this process knows, so the temporary
files tell nothing of the values, not even to somebody who guesses them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.compiled.jit import kernel
from padan_linkage.encoding.siphash import sip_bytes
from padan_linkage.normalise import text_buffers

Rows = NDArray[np.int64]

_ENTRY = np.dtype([("hash", "<u8"), ("row", "<i8")])
#: Entries kept in memory, and the files that the rest is spread over by the hash's leading bits.
_PENDING, _PART_BITS = 1 << 20, 6


class Repeats:
    """Collects the values of one thing (a NIK, a whole person) and tells which rows share one."""

    def __init__(self, folder: Path, name: str, key: bytes) -> None:
        """``folder``: an existing one for temporary files; ``key``: 16 random bytes."""
        self._folder, self._name = folder, name
        self._key = (np.uint64(int.from_bytes(key[:8], "little")),
                     np.uint64(int.from_bytes(key[8:], "little")))  # fmt: skip
        self._pending: list[NDArray[Any]] = []
        self._count = 0
        self._spilled = False

    def add(self, columns: list[pa.StringArray], rows: Rows) -> None:
        """Note rows by number; a row with an empty value in any of ``columns`` is left out."""
        filled = np.ones(len(rows), bool)
        for column in columns:
            filled &= pc.not_equal(column, "").to_numpy(zero_copy_only=False)
        text = pc.binary_join_element_wise(*columns, "\x1f").filter(pa.array(filled))
        entries = np.empty(len(text), _ENTRY)
        entries["hash"] = _hashes(self._key, *text_buffers(text))
        entries["row"] = rows[filled]
        self._pending.append(entries)
        self._count += len(entries)
        if self._count > _PENDING:
            self._spill()

    def found(self) -> Iterator[tuple[Rows, Rows]]:
        """Rows whose value another row has too, and for each the first row that has it.

        In several pieces, no group in two of them.
        """
        if not self._spilled:
            yield _shared(np.concatenate([np.empty(0, _ENTRY), *self._pending]))
            return
        self._spill()
        for part in range(1 << _PART_BITS):
            yield _shared(np.fromfile(self._path(part), _ENTRY))

    def _spill(self) -> None:
        entries = np.concatenate([np.empty(0, _ENTRY), *self._pending])
        parts = (entries["hash"] >> np.uint64(64 - _PART_BITS)).astype(np.int64)
        order = np.argsort(parts, kind="stable")
        ends = np.searchsorted(parts[order], np.arange((1 << _PART_BITS) + 1))
        for part, (first, last) in enumerate(itertools.pairwise(ends)):
            with self._path(part).open("ab") as file:
                file.write(entries[order[first:last]].tobytes())
        self._pending, self._count, self._spilled = [], 0, True

    def _path(self, part: int) -> Path:
        return self._folder / f"{self._name}.{part:02d}"


def _shared(entries: NDArray[Any]) -> tuple[Rows, Rows]:
    order = np.lexsort((entries["row"], entries["hash"]))
    hashes, rows = entries["hash"][order], entries["row"][order].astype(np.int64)
    starts = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1]))[: len(hashes)])
    sizes = np.diff(np.concatenate((starts, [len(hashes)])))
    firsts = np.repeat(rows[starts], sizes)
    several = np.repeat(sizes > 1, sizes)
    return rows[several], firsts[several]


@kernel
def _hashes(key: Any, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Any:
    head = np.zeros(0, np.uint8)
    result = np.empty(offsets.size - 1, np.uint64)
    for row in range(result.size):
        result[row] = sip_bytes(key, head, data, offsets[row], offsets[row + 1])[0]
    return result
