"""Checksums of files at rest: CRC-32 of each MiB, beside the files of a folder.

A folder's ``sums.json`` is written once its files are whole and before a record rests on them. It
says whose folder it is, so that what was put in another's place is told from what was written
there. It guards against accident, not against malice; a damaged block passes once in 2**32 times.
Spec: ``proto/spec/30-unit-mode.md``, "Doubt".
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from pydantic_core import from_json

from padan_linkage.crypto.software import FormatAge, format_age
from padan_server.base.damage import LATER, DamagedFileError, DamageWatch, MissingFileError
from padan_server.base.ordinary import NotOrdinaryError, ordinary_file, read_ordinary
from padan_server.store.files.disk import Disk, write_whole

#: Bytes that one sum is of.
BLOCK = 1024**2
#: The file of sums in each folder.
SUMS = "sums.json"
_FORMAT = 1
_DIGEST_DIGITS = 64

#: What the machine lacks, whatever the file.
_SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})

Pace = Callable[[int], object]


def at_once(size: int) -> None:
    """The pace of somebody who waits for it."""
    del size


@dataclass(frozen=True)
class FileSums:
    """Length of a file and the CRC-32 of each of its blocks, as hex of little-endian words."""

    size: int
    sums: str


class RunningSums:
    """The sums of a file that grows."""

    def __init__(self) -> None:
        self._size = 0
        self._sums: list[int] = []

    def update(self, data: bytes | memoryview) -> None:
        """Take in what is appended."""
        left = memoryview(data).cast("B")
        while left:
            begun = self._size % BLOCK
            piece, left = left[: BLOCK - begun], left[BLOCK - begun :]
            if not begun:
                self._sums.append(0)
            self._sums[-1] = crc32(piece, self._sums[-1])
            self._size += len(piece)

    def sums(self) -> FileSums:
        """Those of what was appended so far."""
        return FileSums(self._size, np.array(self._sums, "<u4").tobytes().hex())


def file_sums(path: Path) -> FileSums:
    """The sums of a file as it is. Raises OSError."""
    running = RunningSums()
    for block in _blocks(path):
        running.update(block)
    return running.sums()


def keep_sums(disk: Disk, folder: Path, owner: str, files: Mapping[str, FileSums]) -> None:
    """Keep the sums of a folder's files; durable on return. Raises StoreFullError.

    ``owner`` is the path of the folder, under the data directory, where it is to be used.
    """
    named = {name: {"size": f.size, "crc32": f.sums} for name, f in files.items()}
    text = json.dumps({"format": _FORMAT, "of": owner, "block": BLOCK, "files": named}, indent=1)
    digest = hashlib.sha256(text.encode()).hexdigest()
    write_whole(disk, folder / SUMS, (f"{digest}\n{text}\n".encode(),))


def kept_sums(folder: Path, owner: str) -> dict[str, FileSums]:
    """The sums of a folder's files by name. Raises DamagedFileError."""
    place = f"{owner}/{SUMS}"
    content = read_whole(folder / SUMS, place)
    digest, text = content[:_DIGEST_DIGITS], content[_DIGEST_DIGITS + 1 : -1]
    if hashlib.sha256(text).hexdigest().encode() != digest:
        raise DamagedFileError(place, "bukan yang ditulis", "not what was written")
    document = from_json(text)
    _require_present(document, place)
    if document["of"] != owner:
        raise DamagedFileError(place, f"milik {document['of']}", f"of {document['of']}")
    return {n: FileSums(f["size"], f["crc32"]) for n, f in document["files"].items()}


def _require_present(document: dict[str, Any], place: str) -> None:
    try:
        age = format_age(document["format"], _FORMAT)
    except ValueError:
        raise DamagedFileError(place, "bentuknya bukan bentuk", "its format is none") from None
    if age is FormatAge.LATER:
        raise DamagedFileError(place, *LATER)
    if age is FormatAge.FORMER or document["block"] != BLOCK:
        raise DamagedFileError(place, "dari versi terdahulu", "of an earlier version")


class FolderChecks:
    """Compares files with their sums, and remembers which have not been written to since."""

    def __init__(self, data_dir: Path, watch: DamageWatch) -> None:
        self._data_dir = data_dir
        self._watch = watch
        self._lock = threading.Lock()
        self._whole: dict[str, tuple[int, ...]] = {}

    def check(self, owner: str, names: Iterable[str], *, again: bool, pace: Pace = at_once) -> None:
        """Compare the files of a folder, each whole. Raises DamagedFileError for the first.

        Unless ``again``, those that nothing has written to since they were compared are passed
        over. ``pace`` is told how many bytes were read, and may raise to end it.
        """
        folder = self._data_dir / owner
        wanted = [name for name in names if again or not self.is_checked(f"{folder}/{name}")]
        if not wanted:
            return
        kept = self.sums(owner)
        for name in wanted:
            self._check_file(folder / name, f"{owner}/{name}", kept.get(name), pace)

    def sums(self, owner: str) -> dict[str, FileSums]:
        """The sums of a folder's files by name. Raises DamagedFileError."""
        try:
            return kept_sums(self._data_dir / owner, owner)
        except DamagedFileError:
            self.forget(owner)
            raise

    def is_checked(self, path: str) -> bool:
        """Whether a file was compared, and nothing has written to it since.

        Every question asks that of each column: so of a plain string.
        """
        with self._lock:
            known = self._whole.get(path)
        return known is not None and known == _look(path)

    def forget(self, owner: str) -> None:
        """Compare the files of a folder, and below it, when they are next used."""
        with self._lock:
            for path in [p for p in self._whole if p.startswith(f"{self._data_dir / owner}/")]:
                del self._whole[path]

    def _check_file(self, path: Path, place: str, kept: FileSums | None, pace: Pace) -> None:
        if kept is None:
            raise DamagedFileError(
                place, "tidak ada dalam daftar sums.json", "not listed in sums.json"
            )
        before = _look(str(path))
        try:
            _compare(path, place, kept, pace)
        except DamagedFileError:
            # Only now: while it is compared, others may go on with what was whole before.
            with self._lock:
                self._whole.pop(str(path), None)
            raise
        self._watch.checked(-(-kept.size // BLOCK))
        if before is not None:
            with self._lock:
                self._whole[str(path)] = before


def _compare(path: Path, place: str, kept: FileSums, pace: Pace) -> None:
    """Raise DamagedFileError unless the file has these sums."""
    wanted = np.frombuffer(bytes.fromhex(kept.sums), "<u4").tolist()
    size, number = 0, 0
    try:
        for number, block in enumerate(_blocks(path)):
            pace(len(block))
            size += len(block)
            if number >= len(wanted) or size > kept.size or crc32(block) != wanted[number]:
                break
        else:
            if size == kept.size:
                return
        held = path.stat().st_size
    except OSError as e:
        raise unreadable(place, e) from None
    if held != kept.size:
        raise wrong_length(place, held, kept.size)
    raise DamagedFileError(
        place, f"blok {number} bukan yang ditulis", f"block {number} is not what was written"
    )


def read_whole(path: Path, place: str) -> bytes:
    """The content of a small file. Raises DamagedFileError if there is none to read."""
    try:
        return read_ordinary(path)
    except OSError as e:
        raise unreadable(place, e) from None


def unreadable(place: str, error: OSError) -> OSError:
    """What is wrong with a file that should be there and cannot be read.

    A process that may open no further file says nothing of this one: then the error itself.
    """
    if error.errno in _SHORT:
        return error
    if isinstance(error, FileNotFoundError):
        return MissingFileError(place, "hilang", "missing")
    if isinstance(error, NotOrdinaryError):
        return DamagedFileError(place, *error.problem)
    cause = os.strerror(error.errno or errno.EIO)
    return DamagedFileError(place, f"tidak terbaca: {cause}", f"cannot be read: {cause}")


def wrong_length(place: str, held: int, written: int) -> DamagedFileError:
    """What is wrong with a file that lost its end, or got another."""
    return DamagedFileError(
        place,
        f"panjangnya {held} byte, yang ditulis {written}",
        f"{held} bytes long, written were {written}",
    )


def _blocks(path: Path) -> Iterator[bytes]:
    with ordinary_file(path) as file:
        while block := file.read(BLOCK):
            yield block


def _look(path: str) -> tuple[int, ...] | None:
    """What changes when anything writes to a file; None if it cannot be looked at."""
    try:
        held = os.stat(path)  # noqa: PTH116 - a Path costs more than the look
    except OSError:
        return None
    return held.st_dev, held.st_ino, held.st_size, held.st_mtime_ns, held.st_ctime_ns
