"""SQLite's write-ahead log, read as SQLite reads it after a crash: up to the first bad frame.

https://www.sqlite.org/fileformat2.html#the_write_ahead_log. SQLite does not say that it left
something out there, and a torn last transaction is left out rightly; who knows how far the log
has to go compares (:mod:`padan_server.store.sql.beside`).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from io import FileIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from padan_server.base.ordinary import open_ordinary, ordinary_file

_HEADER, _FRAME = struct.Struct(">8I"), struct.Struct(">6I")
_MAGIC = 0x377F0682
_MASK = 0xFFFFFFFF
#: Frames that are summed at once.
_BATCH = 256


class _Begin(NamedTuple):
    """A log's header: ``order`` of its checksums' words, and the checksum to go on from."""

    page_bytes: int
    salts: bytes
    order: str
    checksum: tuple[int, int]

    @classmethod
    def of(cls, header: bytes) -> _Begin | None:
        """None if SQLite would see no log there."""
        if len(header) < _HEADER.size:
            return None
        magic, _, page_bytes, _, _, _, *told = _HEADER.unpack(header)
        order = ">u4" if magic & 1 else "<u4"
        words = np.frombuffer(header, order, 6)[np.newaxis]
        checksum = next(_chained(words, (0, 0)))
        known = magic | 1 == _MAGIC | 1 and page_bytes in {1 << n for n in range(9, 17)}
        if not known or checksum != tuple(told):
            return None
        return cls(page_bytes, header[16:24], order, checksum)


@dataclass
class Log:
    """What SQLite takes from a log: ``frames`` up to the last commit.

    ``opening``: page 1 as its first commit has it; ``pages``: the CRC-32 of the newest content of
    each page, by its number from 1; ``first``: that content of page 1; ``size``: pages of the
    database after the last commit.
    """

    page_bytes: int = 0
    frames: int = 0
    size: int = 0
    first: bytes = field(default=b"", repr=False)
    opening: bytes = field(default=b"", repr=False)
    pages: dict[int, int] = field(default_factory=dict, repr=False)


def read_log(path: Path) -> Log:
    """All commits in a log that are as they were written; none where there is no log."""
    log, first = Log(), b""
    since: dict[int, int] = {}
    try:
        stream = ordinary_file(path)
    except FileNotFoundError:
        return log
    with stream:
        for number, (page, size, content) in enumerate(_frames(stream), 1):
            since[page] = zlib.crc32(content)
            first = content if page == 1 else first
            if size:
                log.frames, log.size, log.first = number, size, first
                log.page_bytes = len(content)
                log.opening = log.opening or first
                log.pages |= since
                since.clear()
    return log


class LogLength:
    """Frames of a log that are not in the database yet, at the cost of those that are new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._salts = b""
        self._frames = self._written_back = 0

    def left(self) -> int:
        """How many; some of them may belong to what was taken back."""
        try:
            stream = FileIO(open_ordinary(self._path))
        except FileNotFoundError:
            return 0
        with stream:
            begin = _Begin.of(stream.read(_HEADER.size))
            if begin is None:
                return 0
            if begin.salts != self._salts:  # the log began anew
                self._salts, self._frames, self._written_back = begin.salts, 0, 0
            step = _FRAME.size + begin.page_bytes
            while True:
                stream.seek(_HEADER.size + self._frames * step)
                if stream.read(_FRAME.size)[8:16] != begin.salts:
                    return self._frames - self._written_back
                self._frames += 1

    def written_back(self) -> None:
        """All of them are in the database now."""
        self._written_back += self.left()


def _frames(stream: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Page, size of the database (0: no commit) and content of each frame, to the first bad one."""
    begin = _Begin.of(stream.read(_HEADER.size))
    if begin is None:
        return
    step, checksum = _FRAME.size + begin.page_bytes, begin.checksum
    while batch := stream.read(step * _BATCH):
        whole = len(batch) // step
        raw = np.frombuffer(batch, np.uint8, whole * step).reshape(whole, step)
        summed = np.concatenate([raw[:, :8], raw[:, _FRAME.size :]], axis=1)
        sums = _chained(summed.view(begin.order), checksum)
        for number, checksum in zip(range(whole), sums, strict=True):
            frame = batch[number * step : (number + 1) * step]
            page, size, _, _, *told = _FRAME.unpack_from(frame)
            if frame[8:16] != begin.salts or checksum != tuple(told):
                return
            yield page, size, frame[_FRAME.size :]


def _chained(words: np.ndarray, checksum: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The running checksum after each row of an even number of words, shape (rows, words).

    Each pair x, y makes of (a, b): a + b + x, then b + y + that. That is linear, so a row's share
    is a product with fixed weights modulo 2^32.
    """
    weights, (aa, ab, ba, bb) = _weights(words.shape[1] // 2)
    shares = words.astype(np.uint32) @ weights
    a, b = checksum
    for x, y in shares.tolist():
        a, b = (aa * a + ab * b + x) & _MASK, (ba * a + bb * b + y) & _MASK
        yield a, b


@cache
def _weights(pairs: int) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """What each word adds to both sums at the end of a row, and what the sums before become."""
    aa, ab, ba, bb = 1, 0, 0, 1
    found = []
    for _ in range(pairs):  # the last pair first
        found += [(ab, bb), ((aa + ab) & _MASK, (ba + bb) & _MASK)]
        # One pair more after it: (a, b) becomes (a + b, a + 2 b) before what is there already.
        aa, ab, ba, bb = ((aa + ab), (aa + 2 * ab), (ba + bb), (ba + 2 * bb))
        aa, ab, ba, bb = aa & _MASK, ab & _MASK, ba & _MASK, bb & _MASK
    return np.array(found[::-1], np.uint32), (aa, ab, ba, bb)
