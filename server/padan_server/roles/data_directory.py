"""A server's data directory: made, and held by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from padan_server.base.accepting import LOCK
from padan_server.base.ordinary import NotOrdinaryError, open_ordinary
from padan_server.store.files.disk import make_folder

_NO_FOLDER = "itu bukan direktori. / that is no directory."
_WHY: dict[type[OSError], str] = {
    FileExistsError: _NO_FOLDER,
    NotADirectoryError: _NO_FOLDER,
    PermissionError: (
        "pengguna ini tidak boleh menulis di sana; berikan kepadanya (chown). "
        "/ this user may not write there; give it to them (chown)."
    ),
}


class DataDirectoryBusyError(Exception):
    """Another server uses the data directory."""


class DirectoryError(OSError):
    """The data directory cannot be used; names the setting and why, in both languages."""

    def __init__(self, data_dir: Path, error: OSError) -> None:
        if isinstance(error, NotOrdinaryError):
            super().__init__(f"data_dir: {error}")
            return
        why = _WHY.get(type(error)) or os.strerror(error.errno or errno.EIO)
        super().__init__(f"data_dir = {data_dir}: {why}")


def take_directory(data_dir: Path) -> int:
    """Make the data directory, if there is none yet, and hold it.

    Raises DirectoryError and DataDirectoryBusyError.
    """
    try:
        make_folder(data_dir)
        return hold_directory(data_dir)
    except OSError as e:
        raise DirectoryError(data_dir, e) from None


def hold_directory(data_dir: Path) -> int:
    """Hold the data directory for this process; the kernel lets go when it dies.

    Raises DataDirectoryBusyError and OSError.
    """
    descriptor = open_ordinary(data_dir / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DataDirectoryBusyError(data_dir) from None
    return descriptor
