"""Checksums of a SQLite file's pages, as they were when its log had last been written back.

SQLite has none of its own: a flipped bit in a row is read as what it says.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from padan_server.base.ordinary import ordinary_file, read_ordinary

_HEADER = struct.Struct("<8sIII")
_MAGIC, _SUM_BYTES = b"padansum", 4
#: Where a SQLite file says how long its pages are; what begins it.
_SIZE_AT, _SQLITE = 16, b"SQLite format 3\0"
_LONGEST = 65536
_CHUNK = 1 << 20


@dataclass(frozen=True)
class PageSums:
    """``sums``: the CRC-32 of each page, the first one first; ``number``: of the last commit."""

    page_bytes: int
    number: int
    sums: array[int] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> PageSums | None:
        """What :meth:`content` made; None where nothing of that lies there."""
        try:
            content = read_ordinary(path)
        except OSError:
            return None
        told, kept = content[:-_SUM_BYTES], content[-_SUM_BYTES:]
        if len(told) < _HEADER.size or zlib.crc32(told).to_bytes(_SUM_BYTES, "little") != kept:
            return None
        magic, page_bytes, number, pages = _HEADER.unpack_from(told)
        sums = array("I", told[_HEADER.size :])
        return cls(page_bytes, number, sums) if (magic, pages) == (_MAGIC, len(sums)) else None

    def content(self) -> bytes:
        """A file's content."""
        head = _HEADER.pack(_MAGIC, self.page_bytes, self.number, len(self.sums))
        told = head + self.sums.tobytes()
        return told + zlib.crc32(told).to_bytes(_SUM_BYTES, "little")


@dataclass(frozen=True)
class Pages:
    """A SQLite file as it lies there: the checksums of its pages, and the first of them."""

    page_bytes: int = 0
    first: bytes = field(default=b"", repr=False)
    sums: array[int] = field(default_factory=lambda: array("I"), repr=False)

    @classmethod
    def of(cls, path: Path, page_bytes: int = 0) -> Pages:
        """Read a file through; of none, or of what is no SQLite file, no pages.

        ``page_bytes``: how long they are, if that is known.
        """
        # Never while this process has it open in SQLite: closing any descriptor of a file drops
        # all of the process's locks on it (fcntl(2)).
        try:
            stream = ordinary_file(path)
        except FileNotFoundError:
            return cls()
        with stream:
            head = stream.read(_SIZE_AT + 2)
            size = int.from_bytes(head[_SIZE_AT:], "big")
            size = _LONGEST if size == 1 else size
            if not page_bytes and (not head.startswith(_SQLITE) or size < 512 or _CHUNK % size):
                return cls()
            size = page_bytes or size
            stream.seek(0)
            first, sums = b"", array("I")
            while chunk := stream.read(_CHUNK):
                first = first or chunk[:size]
                whole = range(0, len(chunk) - size + 1, size)
                sums.extend(zlib.crc32(chunk[at : at + size]) for at in whole)
        return cls(size, first, sums)
