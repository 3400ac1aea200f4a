"""Ordinary files: what a server reads and writes beside its records is nothing else.

A pipe in a file's place would be waited for, a device never ends, a folder is told by no name. So
whatever is opened in a data directory, or in folders of tables and seeds, is opened here: without
waiting, and looked at before a byte is read or written.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader, FileIO
from pathlib import Path

#: Bytes that are read at once.
_BUFFER = 1024**2
#: What opening says of what is no file: a folder, a pipe that nobody reads, links in a circle.
_NO_FILE = frozenset({errno.EISDIR, errno.ENXIO, errno.ELOOP, errno.ENODEV})


class NotOrdinaryError(OSError):
    """Something that is no file lies in a file's place; it was left as it is.

    ``path`` is where, ``problem`` what is wrong, in Indonesian and English.
    """

    problem = ("bukan berkas biasa", "no ordinary file")

    def __init__(self, path: Path) -> None:
        self.path = path
        told = (
            f"{path}: {self.problem[0]}; tidak ada yang disentuh. / {self.problem[1]}; nothing was"
        )
        super().__init__(errno.EINVAL, f"{told} touched.")

    def __str__(self) -> str:
        return str(self.strerror)


def open_ordinary(path: Path, flags: int = os.O_RDONLY) -> int:
    """Descriptor of a file, for this user alone if it is made. Raises NotOrdinaryError, OSError."""
    if _leads_nowhere(path):  # a file that is made would be made where it points
        raise NotOrdinaryError(path)
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK, 0o600)
    except OSError as e:
        if e.errno in _NO_FILE:
            raise NotOrdinaryError(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotOrdinaryError(path)
    return descriptor


def _leads_nowhere(path: Path) -> bool:
    """Whether it is a link to a file that is not there: on a disk that is not mounted, say."""
    return path.is_symlink() and not os.path.exists(path)  # noqa: PTH110 - False for a circle too


def ordinary_file(path: Path) -> BufferedReader[FileIO]:
    """A file opened to be read. Raises NotOrdinaryError and OSError."""
    return BufferedReader(FileIO(open_ordinary(path)), _BUFFER)


def read_ordinary(path: Path) -> bytes:
    """The content of a small file. Raises NotOrdinaryError and OSError."""
    with ordinary_file(path) as file:
        return file.read()


def lies_ordinary(path: Path) -> bool:
    """Whether there is a file. Raises NotOrdinaryError for what is there and is none."""
    if _leads_nowhere(path):
        raise NotOrdinaryError(path)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as e:
        if e.errno in _NO_FILE:
            raise NotOrdinaryError(path) from None
        raise
    if not stat.S_ISREG(mode):
        raise NotOrdinaryError(path)
    return True
