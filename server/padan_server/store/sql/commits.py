"""The count of a store's commits, beside it: durable before a commit is acknowledged.

A store that says a lower number than this has lost what was acknowledged. Numbers have 32 bits and
begin again at 0.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

from padan_server.base.ordinary import open_ordinary, read_ordinary
from padan_server.store.files.disk import Disk, space, write_whole

_NUMBER = struct.Struct("<8sI")
_MAGIC, _SUM_BYTES = b"padancnt", 4
#: Two slots, each in a page of its own, written in turn: what tears one leaves the other.
_SLOT, _SLOTS = 4096, 2
_BITS = 32


def ahead(number: int, other: int) -> int:
    """How far a number is ahead of another one; negative if it is behind."""
    half = 1 << (_BITS - 1)
    return (number - other + half) % (1 << _BITS) - half


def next_number(number: int) -> int:
    """The number after this one."""
    return (number + 1) % (1 << _BITS)


class CommitCount:
    """The file of one store, for one process that writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._slot = 0

    @staticmethod
    def read(path: Path) -> int | None:
        """The number that was kept last; None without a file. Raises ValueError, and OSError."""
        try:
            content = read_ordinary(path)
        except FileNotFoundError:
            return None
        numbers = [number for at in range(_SLOTS) if (number := _number(content, at)) is not None]
        if not numbers:
            raise ValueError
        return max(numbers, key=lambda number: ahead(number, numbers[0]))

    def keep(self, number: int) -> None:
        """Keep a number, durable on return. Raises StoreFullError."""
        # Spec 30, "Doubt", step 2.
        slot = _slot_of(number)
        if self._file is None:
            # The first in this process: whatever lies there, both say the same now.
            write_whole(Disk(), self._path, (slot.ljust(_SLOT, b"\0") * _SLOTS,))
            self._file = open_ordinary(self._path, os.O_WRONLY)
            return
        with space():
            os.lseek(self._file, self._slot * _SLOT, os.SEEK_SET)
            os.write(self._file, slot)
            os.fdatasync(self._file)
        self._slot = (self._slot + 1) % _SLOTS

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _slot_of(number: int) -> bytes:
    content = _NUMBER.pack(_MAGIC, number)
    return content + zlib.crc32(content).to_bytes(_SUM_BYTES, "little")


def _number(content: bytes, at: int) -> int | None:
    """What a slot says; None of one that is torn."""
    slot = content[at * _SLOT :][: _NUMBER.size + _SUM_BYTES]
    if len(slot) < _NUMBER.size + _SUM_BYTES:
        return None
    _, number = _NUMBER.unpack_from(slot)
    return number if slot == _slot_of(number) else None
