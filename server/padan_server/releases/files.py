"""Releases on disk: one sealed file each, whole or not there.

A file is written beside its place, synced and renamed; which files count is the store's business.

    releases/<release>.sealed              a release
    releases/<release>.sealed.writing      one on its way in
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import date
from io import BufferedReader, FileIO
from pathlib import Path

from padan_server.base.damage import DamagedFileError
from padan_server.base.ordinary import ordinary_file
from padan_server.store.files.disk import Aside, Disk, make_folder, sync_folders, write_whole
from padan_server.store.files.sums import Pace, at_once, unreadable, wrong_length

_READ_BYTES = 256 * 1024


class ReleaseFiles:
    """The releases of one unit, under its data directory."""

    def __init__(self, data_dir: Path, disk: Disk | None = None) -> None:
        self._folder = data_dir / "releases"
        self._disk = disk or Disk()
        make_folder(self._folder)

    def write(self, release_id: str, pieces: Iterable[bytes]) -> None:
        """Keep ``pieces`` as one file, durable on return; nothing of it if they break off.

        Raises StoreFullError, and whatever ``pieces`` raises.
        """
        path = self._path(release_id)
        try:
            write_whole(self._disk, path, pieces)
        except BaseException:
            path.with_name(f"{path.name}.writing").unlink(missing_ok=True)
            raise

    def read(self, release_id: str, size: int, digest: bytes) -> Iterator[bytes]:
        """The file in pieces, once all of it has this size and SHA-256; erased meanwhile or not.

        Raises DamagedFileError.
        """
        yield from read_release(self._folder, release_id, size, digest)

    def erase(self, release_id: str) -> None:
        """Erase a release; harmless to repeat."""
        self._path(release_id).unlink(missing_ok=True)
        sync_folders(self._folder, levels=1)

    def recover(
        self, kept: AbstractSet[str], erased: AbstractSet[str], aside: Aside, day: date
    ) -> None:
        """Erase what a crash left: files half written, and of releases that are ``erased``.

        What is of no release that is known, ``kept`` or erased, is put away.
        """
        for path in sorted(self._folder.iterdir()):
            release_id = path.name.removesuffix(".sealed")
            if release_id in erased or path.name.endswith(".writing"):
                path.unlink()
            elif release_id not in kept:
                aside.put(path, "release", day)

    def _path(self, release_id: str) -> Path:
        return self._folder / f"{release_id}.sealed"


def read_release(
    folder: Path, release_id: str, size: int, digest: bytes, pace: Pace = at_once
) -> Iterator[bytes]:
    """A release's file in pieces, once all of it is known to be whole. Raises DamagedFileError.

    ``pace`` is told how many bytes were read to know it.
    """
    path = folder / f"{release_id}.sealed"
    place = f"{folder.name}/{path.name}"
    try:
        with ordinary_file(path) as file:
            _check(file, place, size, digest, pace)
            file.seek(0)
            while piece := file.read(_READ_BYTES):
                yield piece
    except DamagedFileError:
        raise
    except OSError as e:
        raise unreadable(place, e) from None


def _check(file: BufferedReader[FileIO], place: str, size: int, digest: bytes, pace: Pace) -> None:
    held = os.fstat(file.fileno()).st_size
    if held != size:
        raise wrong_length(place, held, size)
    found = hashlib.sha256()
    while piece := file.read(_READ_BYTES):
        found.update(piece)
        pace(len(piece))
    if found.digest() != digest:
        raise DamagedFileError(place, "bukan yang ditulis", "not what was written")
