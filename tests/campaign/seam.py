"""Every durable step of this process, in one place: what our own files and SQLite ask of the disk.

Our own code goes by the functions of ``os``; SQLite by its VFS, whose methods are replaced in place
(https://www.sqlite.org/vfs.html). So no test names a step: those that are there are found.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

#: What is done to names, and where the path stands among the arguments.
_NAMES = ("mkdir", "rmdir", "unlink", "remove", "rename", "replace", "link", "symlink")
_SYNCS = ("fsync", "fdatasync")
_FULL, _IO_FAULT = 13, 10


class Watcher(Protocol):
    """Somebody who is asked before a durable step and told after it."""

    def before(self, kind: str, path: Path) -> None:
        """A step is about to be taken; raise OSError to have it fail."""

    def after(self, kind: str, path: Path) -> None:
        """It was taken."""


@contextmanager
def watched(root: Path, watcher: Watcher) -> Iterator[None]:
    """Show ``watcher`` every step under ``root``, one at a time, until the block ends."""
    seam = _Seam(root.resolve(), watcher)
    originals = {name: getattr(os, name) for name in (*_NAMES, *_SYNCS, "write", "ftruncate")}
    for name, original in originals.items():
        setattr(os, name, partial(seam.call, name, original))
    try:
        with _sqlite(seam):
            yield
    finally:
        for name, original in originals.items():
            setattr(os, name, original)


class _Seam:
    def __init__(self, root: Path, watcher: Watcher) -> None:
        self._root = str(root)
        self._watcher = watcher
        self._lock = threading.RLock()

    def call(self, kind: str, original: Callable, *args, **more):
        path = _path_of(kind, args, more)
        return self.step(kind, path, partial(original, *args, **more))

    def step(self, kind: str, path: str, act: Callable):
        if not path.startswith(self._root):
            return act()
        with self._lock:
            self._watcher.before(kind, Path(path))
            done = act()
            self._watcher.after(kind, Path(path))
        return done


def _path_of(kind: str, args: tuple, more: dict) -> str:
    """The path that a call is about (of two, where it leads), as an absolute one."""
    if isinstance(args[0], int):
        return _of_descriptor(args[0])
    path = os.fsdecode(args[1] if kind in ("rename", "replace", "link", "symlink") else args[0])
    folder = more.get("dir_fd")
    return os.path.join(_of_descriptor(folder), path) if folder is not None else path  # noqa: PTH118


def _of_descriptor(descriptor: int) -> str:
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    except OSError:
        return ""


# SQLite

# Names are passed on as the pointers they are: SQLite keeps them for as long as a file is open.
_XOPEN = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
)
_XDELETE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_XSYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_XWRITE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
)
_XCLOSE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)

#: Places in ``sqlite3_io_methods`` after its version, and how many pointers version 3 has.
_CLOSE, _WRITE, _SYNC, _POINTERS = 1, 3, 5, 19


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_int),
        ("file_bytes", ctypes.c_int),
        ("most_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("open", ctypes.c_void_p),
        ("delete", ctypes.c_void_p),
    ]


def _text(pointer: int) -> str:
    return os.fsdecode(ctypes.string_at(pointer))


class _Hooks:
    """The methods that stand in SQLite's. Kept for ever: files may outlive the block."""

    def __init__(self, vfs: _Vfs) -> None:
        self.seam: _Seam | None = None
        self._paths: dict[int, str] = {}
        self._methods: dict[int, ctypes.Array] = {}
        self._of: dict[int, int] = {}
        self._open = _XOPEN(vfs.open)
        self._delete = _XDELETE(vfs.delete)
        self._new = set[str]()
        self._mine = (_XOPEN(self.open), _XDELETE(self.delete))
        self._kept = (_XCLOSE(self.close), _XWRITE(self.write), _XSYNC(self.sync))
        vfs.open, vfs.delete = (ctypes.cast(f, ctypes.c_void_p).value for f in self._mine)

    def open(self, vfs, name, file, flags, out):
        code = self._open(vfs, name, file, flags, out)
        place = ctypes.cast(file, ctypes.POINTER(ctypes.c_void_p))
        if code == 0 and name and place[0]:
            original = place[0]
            self._paths[file] = _text(name)
            self._of[file] = original
            self._new.add(self._paths[file])
            place[0] = ctypes.addressof(self._replaced(original))
        return code

    def _replaced(self, original: int) -> ctypes.Array:
        if original not in self._methods:
            found = (ctypes.c_void_p * _POINTERS).from_address(original)
            copy = (ctypes.c_void_p * _POINTERS)(*found)
            for place, function in zip((_CLOSE, _WRITE, _SYNC), self._kept, strict=True):
                copy[place] = ctypes.cast(function, ctypes.c_void_p).value
            self._methods[original] = copy
        return self._methods[original]

    def _original(self, file: int, place: int) -> int:
        return (ctypes.c_void_p * _POINTERS).from_address(self._of[file])[place]

    def close(self, file):
        code = _XCLOSE(self._original(file, _CLOSE))(file)
        self._paths.pop(file, None)
        self._of.pop(file, None)
        return code

    def write(self, file, data, count, offset):
        act = partial(_XWRITE(self._original(file, _WRITE)), file, data, count, offset)
        return self._step("write", self._paths[file], act)

    def sync(self, file, flags):
        path = self._paths[file]
        code = self._step("fsync", path, partial(_XSYNC(self._original(file, _SYNC)), file, flags))
        if path.endswith(("-wal", "-journal")) and path in self._new:
            # os_unix.c syncs the folder with the first sync of a journal.
            self._new.discard(path)
            self._step("fsync", str(Path(path).parent), lambda: 0)
        return code

    def delete(self, vfs, name, sync_folder):
        path = _text(name)
        code = self._step("unlink", path, partial(self._delete, vfs, name, sync_folder))
        if sync_folder and code == 0:
            self._step("fsync", str(Path(path).parent), lambda: 0)
        return code

    def _step(self, kind: str, path: str, act: Callable[[], int]) -> int:
        if self.seam is None:
            return act()
        try:
            return self.seam.step(kind, path, act)
        except OSError:
            return _FULL if kind == "write" else _IO_FAULT


_hooks: list[_Hooks] = []


@contextmanager
def _sqlite(seam: _Seam) -> Iterator[None]:
    if not _hooks:
        library = ctypes.CDLL(ctypes.util.find_library("sqlite3"))
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
        _hooks.append(_Hooks(library.sqlite3_vfs_find(None).contents))
    _hooks[0].seam = seam
    try:
        yield
    finally:
        _hooks[0].seam = None
