"""The disk as the store's files see it: what can find it full, and how a file is whole or not."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import structlog

from padan_server.base.ordinary import open_ordinary
from padan_server.store.port import StoreFullError

_log = structlog.get_logger(__name__)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Disk:
    """The system calls that know how full the disk is; tests put a failing one in its place."""

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write some of ``data``; returns how many bytes."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Return when everything written is on the disk."""
        os.fsync(descriptor)

    def capacity(self, folder: Path) -> int:
        """Bytes of the file system that holds ``folder``, used or not."""
        return shutil.disk_usage(folder).total


def write_whole(disk: Disk, path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Put ``parts`` into ``path``: after a crash it is whole, or as it was.

    Raises StoreFullError.
    """
    building = path.with_name(f"{path.name}.writing")
    with space():
        descriptor = open_ordinary(building, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            for part in parts:
                left = memoryview(part).cast("B")
                while left:
                    left = left[disk.write(descriptor, left) :]
            disk.sync(descriptor)
        finally:
            os.close(descriptor)
        building.rename(path)
        sync_folders(path.parent, levels=1)


def make_folder(folder: Path) -> None:
    """Make ``folder``, and what it lies in, for this user alone; a new one is durable on return."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    sync_folders(folder.parent, levels=1)


def sync_folders(folder: Path, *, levels: int) -> None:
    """Make the names in ``folder`` and its parents durable, ``levels`` folders in all."""
    for _ in range(levels):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        folder = folder.parent


class Aside:
    """Where lies what no record explains: out of the way, and erased only long after.

    ``<data>/aside/<day>.<kind>.<name>``: an operator who finds the record can put it back.
    """

    #: So long an operator has to find out.
    KEPT = timedelta(days=30)

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "aside"

    def put(self, path: Path, kind: str, day: date) -> None:
        """Move a file or folder here; durable on return."""
        make_folder(self._folder)
        place = self._folder / f"{day.isoformat()}.{kind}.{path.name}"
        while place.exists():
            place = place.with_name(f"{place.name}.again")
        path.rename(place)
        sync_folders(path.parent, levels=1)
        sync_folders(self._folder, levels=2)
        _log.error("set_aside", kind=kind, name=path.name, until=(day + self.KEPT).isoformat())

    def end(self, today: date) -> None:
        """Erase what has lain here for its time."""
        for path in sorted(self._folder.glob("*.*.*")):
            day = _day_of(path)
            if day is not None and day + self.KEPT <= today:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                _log.warning("aside_erased", name=path.name)


def _day_of(path: Path) -> date | None:
    """The day on which it was put aside; None of what somebody else put there."""
    try:
        return date.fromisoformat(path.name.partition(".")[0])
    except ValueError:
        return None


@contextmanager
def space() -> Iterator[None]:
    """Tell a full disk as StoreFullError."""
    try:
        yield
    except OSError as e:
        if e.errno in _FULL:
            raise StoreFullError from e
        raise
