"""Pass tables: the columns that leave the house, and their digests.

A pass table is what one side sends of one pass. It carries no link to any other pass: row order,
handles, decoys and sealed codes are its own. Spec: ``proto/spec/10-encoding.md``, "Tables".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from padan_linkage.schema import Layout

Bytes2D = NDArray[np.uint8]


#: Rows that are made, and handed over, at a time.
CHUNK_ROWS = 1 << 17


def chunk_edges(number: int, rows: int) -> tuple[int, int]:
    """Where a chunk of a table of ``rows`` begins and ends."""
    return number * CHUNK_ROWS, min((number + 1) * CHUNK_ROWS, rows)


def chunk_of(row: int) -> int:
    """The number of the chunk that a row is in."""
    return row // CHUNK_ROWS


class Chunked(Protocol):
    """A pass table that can be had chunk by chunk, whether it is there already or made so."""

    @property
    def pass_id(self) -> str:
        """The pass that it is a table of."""
        ...

    @property
    def layout(self) -> Layout:
        """Its columns."""
        ...

    def __len__(self) -> int: ...

    def chunk(self, number: int) -> PassTable:
        """One chunk of it, the same whenever it is asked for."""
        ...


@dataclass(frozen=True, repr=False)
class PassTable:
    """Columns of one pass, each ``uint8[rows, width]``, C-contiguous.

    ``columns`` has exactly the columns that ``layout`` gives a width. The repr shows sizes only.
    """

    pass_id: str
    layout: Layout
    columns: Mapping[str, Bytes2D]

    def __post_init__(self) -> None:
        expected = dict(self.layout.columns())
        if set(self.columns) != set(expected):
            raise ValueError(
                f"pass {self.pass_id}: columns {sorted(self.columns)} given, "
                f"{sorted(expected)} expected"
            )
        rows = {c.shape[0] for c in self.columns.values()}
        if len(rows) != 1:
            raise ValueError(f"pass {self.pass_id}: columns differ in length")
        for name, column in self.columns.items():
            if column.dtype != np.uint8 or column.ndim != 2 or column.shape[1] != expected[name]:
                raise ValueError(
                    f"pass {self.pass_id}: column {name} must be uint8[rows, {expected[name]}]"
                )

    def __len__(self) -> int:
        return int(self.columns["keys"].shape[0])

    def __repr__(self) -> str:
        return f"PassTable({self.pass_id!r}, rows={len(self)}, row_bytes={self.layout.row_bytes})"

    def rows(self, start: int, stop: int) -> dict[str, bytes]:
        """Packed bytes of rows ``start:stop``, by column."""
        return {name: column[start:stop].tobytes() for name, column in self.columns.items()}

    def chunk(self, number: int) -> PassTable:
        """The rows of one chunk, as views."""
        return self.part(*chunk_edges(number, len(self)))

    def head(self, rows: int) -> PassTable:
        """The first ``rows`` rows, as views."""
        return self.part(0, rows)

    def part(self, start: int, stop: int) -> PassTable:
        """The rows ``start:stop``, as views."""
        return PassTable(
            self.pass_id, self.layout, {n: c[start:stop] for n, c in self.columns.items()}
        )

    def digest(self) -> bytes:
        """The table digest, 32 bytes; see :func:`columns_digest`."""
        return columns_digest(self.layout, {n: c.data for n, c in self.columns.items()})


def stacked(tables: Sequence[PassTable]) -> PassTable:
    """The rows of tables of one pass and layout, of which there is one at least, in order."""
    first = tables[0]
    columns = {name: np.concatenate([t.columns[name] for t in tables]) for name in first.columns}
    return PassTable(first.pass_id, first.layout, columns)


def columns_digest(layout: Layout, columns: Mapping[str, bytes | memoryview]) -> bytes:
    """SHA-256 over packed columns (spec 30, "Upload").

    ``SHA-256(for each present column in layout order: name ‖ 0x00 ‖ SHA-256(column bytes))``; the
    same function serves a chunk and a whole table. Returns 32 bytes.
    """
    running = RunningDigest(layout)
    running.update(columns)
    return running.digest()


class RunningDigest:
    """:func:`columns_digest` of rows that come piece by piece, in their order."""

    def __init__(self, layout: Layout) -> None:
        self._columns = {name: hashlib.sha256() for name, _ in layout.columns()}

    def update(self, columns: Mapping[str, bytes | memoryview]) -> None:
        """The next rows, packed, by column."""
        for name, digest in self._columns.items():
            digest.update(columns[name])

    def digest(self) -> bytes:
        """The digest of all rows so far, 32 bytes."""
        outer = hashlib.sha256()
        for name, digest in self._columns.items():
            outer.update(name.encode("ascii") + b"\x00" + digest.digest())
        return outer.digest()
