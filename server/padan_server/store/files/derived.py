"""Small whole files: there entirely or not at all, and known to be undamaged when read.

What a run has done of a pass, range by range (:class:`PassJournal`), and the directory that makes a
committed table answer at once (:class:`DirectoryFiles`). Both can be made again from the tables, so
a damaged piece is not an error but absent.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from pydantic_core import from_json

from padan_linkage.matching import Directory
from padan_linkage.matching.directory import FORMAT
from padan_server.base.ordinary import lies_ordinary, read_ordinary
from padan_server.store.files.disk import Disk, space, write_whole
from padan_server.store.files.sums import Pace, at_once

_log = structlog.get_logger(__name__)
_DIGEST_BYTES = 32
#: What a directory that is no whole one raises; a file that is not there is an OSError too.
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError)
#: Ending of a dataset's folder while a delta is merged into it.
MERGING = ".merging"
_BLOCK_WORDS = 512
#: So many are a MiB.
_BLOCKS_AT_ONCE = 256


class PassJournal:
    """:class:`padan_linkage.matching.Journal` in a folder: a file a piece, a SHA-256 in front."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder

    def load(self, name: str) -> bytes | None:
        """What was saved under ``name``, whole and undamaged; None otherwise."""
        try:
            content = read_ordinary(self._folder / name)
        except FileNotFoundError:
            return None
        except OSError as e:
            _log.warning("range_unreadable", error=type(e).__name__)
            return None
        if (piece := piece_of(name, content)) is None:
            _log.warning("range_damaged")
        return piece

    def save(self, name: str, content: bytes) -> None:
        """Keep ``content``; durable on return. Raises StoreFullError."""
        with space():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self._disk, self._folder / name, (_of_piece(name, content), content))


def piece_of(name: str, content: bytes) -> bytes | None:
    """What a journal's file of that name holds; None if it is not what was saved under it."""
    digest, piece = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return piece if _of_piece(name, piece) == digest else None


def _of_piece(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\x00" + content).digest()


class DirectoryFiles:
    """The directory of one table in a folder: its arrays as ``.npy``, and ``directory.json``.

    The JSON is written last. It names format, table and digests; arrays that do not fit it, or are
    of another table, are not used, for the kernels trust them with addresses.
    """

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder

    @property
    def _table(self) -> str:
        """Dataset and pass, also while the dataset is being merged."""
        dataset, pass_id = self._folder.parent.parent.name, self._folder.parent.name
        return f"{dataset.removesuffix(MERGING)}/{pass_id}"

    def save(self, directory: Directory) -> None:
        """Keep ``directory``; durable on return.

        Raises StoreFullError, and FileNotFoundError where the table is no longer there.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        with space():
            self._folder.mkdir(mode=0o700)  # not its parents: the table may have been erased
        arrays = {name: getattr(directory, name) for name in ("order", "start", "mask")}
        for name, array in arrays.items():
            header = np.lib.format.header_data_from_array_1_0(array)
            path = self._folder / f"{name}.npy"
            write_whole(self._disk, path, (_npy_header(header), np.ascontiguousarray(array).data))
        notes = {
            "format": FORMAT,
            "of": self._table,
            "seed": directory.seed,
            "shared": directory.shared,
            "digests": {name: _digest(array) for name, array in arrays.items()},
        }
        write_whole(self._disk, self._folder / "directory.json", (json.dumps(notes).encode(),))

    def is_damaged(self, pace: Pace = at_once) -> bool:
        """Whether one was kept and cannot be used."""
        if not (self._folder / "directory.json").exists():
            return False
        try:
            return self._loaded(pace) is None
        except _UNREADABLE:
            return True

    def load(self) -> Directory | None:
        """The directory, its arrays memory-mapped; None if there is none that can be used."""
        try:
            found = self._loaded()
        except FileNotFoundError:
            return None
        except _UNREADABLE as e:
            _log.warning("directory_unreadable", error=type(e).__name__)
            return None
        if found is None:
            _log.warning("directory_damaged")
        return found

    def _loaded(self, pace: Pace = at_once) -> Directory | None:
        """The same; None where the arrays are not those that it names. Raises ``_UNREADABLE``.

        ``pace`` is told how many bytes were read.
        """
        notes = from_json(read_ordinary(self._folder / "directory.json"))
        if notes["format"] != FORMAT or notes["of"] != self._table:
            return None
        names = ("order", "start", "mask")
        arrays = {name: _mapped(self._folder / f"{name}.npy") for name in names}
        if {name: _digest(array, pace) for name, array in arrays.items()} != notes["digests"]:
            return None
        return Directory(**arrays, seed=int(notes["seed"]), shared=int(notes["shared"]))


def _npy_header(header: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


def _mapped(path: Path) -> NDArray[Any]:
    """An array of a file, read-only; an empty one, which cannot be mapped, is read."""
    if not lies_ordinary(path):
        raise FileNotFoundError(path)
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:
        array = np.load(path, allow_pickle=False)
    array.flags.writeable = False
    return array.view(np.ndarray)


def _digest(array: NDArray[Any], pace: Pace = at_once) -> str:
    """SHA-256 over dtype, length and the sums of blocks of 512 words: as fast as memory.

    Any one word that changes changes its block's sum; it tells damage, not malice.
    """
    words = np.ascontiguousarray(array).view(np.uint64)
    whole = len(words) - len(words) % _BLOCK_WORDS
    blocks = words[:whole].reshape(-1, _BLOCK_WORDS)
    digest = hashlib.sha256(f"{array.dtype.str} {len(array)} ".encode())
    for at in range(0, len(blocks), _BLOCKS_AT_ONCE):
        some = blocks[at : at + _BLOCKS_AT_ONCE]
        digest.update(some.sum(axis=1, dtype=np.uint64).tobytes())
        pace(some.nbytes)
    digest.update(words[whole:].tobytes())
    return digest.hexdigest()
