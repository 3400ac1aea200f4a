"""Files that hold secrets: written whole or not at all, readable by their owner alone.

What is written here survives a power cut once the function has returned, the folders that it lies
in too. A process that dies on the way leaves a draft (``.<name>.<random>.tmp``), which the next one
that writes or erases the same file removes.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.ownership import (
    require_plain,
    require_plain_status,
    require_private,
    require_private_status,
)

T = TypeVar("T")

#: A pipe that takes a file's place after it was looked at is not waited for.
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def ensure_private_folder(path: Path) -> Path:
    """Make ``path``, and what it lies in, with mode 0700 where it is missing. Returns it."""
    return _ensure_folder(path, 0o700)


def ensure_public_folder(path: Path) -> Path:
    """The same with the mode that new folders have."""
    return _ensure_folder(path, 0o777)


def _ensure_folder(path: Path, mode: int) -> Path:
    """Make ``path`` and what it lies in; a folder that was made is durable on return."""
    if not path.parent.exists():
        _ensure_folder(path.parent, mode)
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        path.mkdir(mode=mode, exist_ok=True)  # raises where it is no folder
    else:
        sync(path.parent)
    return path


def empty_private_folder(path: Path) -> Path:
    """The same, and raise BadInputError if there is something in it. Returns it."""
    if path.exists() and not path.is_dir():
        raise BadInputError(t(f"{path} bukan folder.", f"{path} is no folder."))
    if path.exists() and any(path.iterdir()):
        raise BadInputError(t(f"Folder {path} tidak kosong.", f"The folder {path} is not empty."))
    return ensure_private_folder(path)


@contextmanager
def filled_whole(folder: Path) -> Iterator[Path]:
    """An empty private folder to fill; however filling fails, it is empty again afterwards.

    Raises BadInputError if there is something in it.
    """
    empty_private_folder(folder)
    try:
        yield folder
    except BaseException:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


@contextmanager
def removed_if_broken_off(*paths: Path) -> Iterator[None]:
    """Files to be written together: however that fails, none of them is left half written."""
    try:
        yield
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise


def require_name(path: Path) -> None:
    """Raise BadInputError for a path that ends in no file's name, such as «.» and «/»."""
    if not path.name:
        raise BadInputError(
            t(
                f"«{path}» tidak menyebut nama berkas. Tulis nama berkas yang dimaksud.",
                f"«{path}» names no file. Write the name of the file that is meant.",
            )
        )


def write_private(path: Path, content: bytes | memoryview | Iterable[bytes]) -> None:
    """Replace ``path`` by ``content``, mode 0600; after a crash it is the old file or the new.

    Content of many parts is written as they come.
    """
    ensure_private_folder(path.parent)
    _replace(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """The same with mode 0644, for files that are meant to be handed out."""
    ensure_public_folder(path.parent)
    _replace(path, content, 0o644)


def read_private(path: Path, parse: Callable[[bytes], T]) -> T:
    """What ``parse`` makes of the content of ``path``.

    What a file is comes before who may read it: the errors of ``parse`` come first, then
    BadInputError if it is not this user's alone. A missing one, and what is no plain file, is
    refused unread.
    """
    require_plain(path)
    with os.fdopen(os.open(path, _READING), "rb") as file:
        made = parse(file.read())
        require_private_status(path, os.fstat(file.fileno()))
    return made


def read_plain(path: Path) -> bytes:
    """The content of a file that is no secret. Raises BadInputError unless it is a plain file."""
    require_plain(path)
    with os.fdopen(os.open(path, _READING), "rb") as file:
        return file.read()


def open_lock(path: Path) -> int:
    """A descriptor of a file to be locked, which is made where it is missing.

    Raises BadInputError for what is no plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError:
        with suppress(FileNotFoundError):
            require_plain_status(path, path.lstat())
        raise
    try:
        require_plain_status(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_private(path: Path) -> BinaryIO:
    """The same, open to be read in parts. What was checked is what is read."""
    require_private(path)
    descriptor = os.open(path, _READING)
    try:
        require_private_status(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def erase(path: Path) -> None:
    """Overwrite ``path`` with zeros and remove it, and drafts of it; harmless where it is missing.

    Its name goes first, so that nobody finds it half overwritten after a crash.
    """
    with suppress(FileNotFoundError), path.open("r+b") as file:
        path.unlink()
        sync(path.parent)
        _overwrite(file)
    sweep(path)


def _overwrite(file: BinaryIO) -> None:
    file.write(bytes(os.fstat(file.fileno()).st_size))
    file.flush()
    os.fsync(file.fileno())


def sweep(path: Path) -> None:
    """Remove the drafts of ``path`` that processes left that died."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{16}}\.tmp")
    try:
        left = [each for each in path.parent.iterdir() if ours.fullmatch(each.name)]
    except FileNotFoundError:
        return
    for each in left:
        with suppress(OSError):
            _remove(each)
    if left:
        sync(path.parent)


def _remove(left: Path) -> None:
    """Overwrite and remove a file of this user's, unless a process that lives writes it."""
    # Others may write to the folder: a link that they laid leads nowhere.
    descriptor = os.open(left, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "r+b") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        left.unlink()
        _overwrite(file)


def _replace(path: Path, content: bytes | memoryview | Iterable[bytes], mode: int) -> None:
    sweep(path)
    draft, descriptor = _draft_of(path, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in [content] if isinstance(content, bytes | memoryview) else content:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)


def _draft_of(path: Path, mode: int) -> tuple[Path, int]:
    """A draft of ``path`` that is ours as long as it is open, and its descriptor."""
    while True:
        # In a folder that others may write to, nobody can lay a file or link in wait for it.
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return draft, descriptor
        os.close(descriptor)  # another process took it for a dead one's before it was locked


def sync(path: Path) -> None:
    """Return when a file's content, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
