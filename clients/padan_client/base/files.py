"""Files that hold secrets: written whole or not at all, readable by their owner alone."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.ownership import require_private, require_private_status


def ensure_private_folder(path: Path) -> Path:
    """Make ``path``, and what it lies in, with mode 0700 where it is missing. Returns it."""
    if not path.parent.exists():
        ensure_private_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
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


def write_private(path: Path, content: bytes | memoryview | Iterable[bytes]) -> None:
    """Replace ``path`` by ``content``, mode 0600; after a crash it is the old file or the new.

    Content of many parts is written as they come.
    """
    ensure_private_folder(path.parent)
    _replace(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """The same with mode 0644, for files that are meant to be handed out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, content, 0o644)


def read_private(path: Path) -> bytes:
    """Content of ``path``. Raises BadInputError if it is missing or not this user's alone."""
    with open_private(path) as file:
        return file.read()


def open_private(path: Path) -> BinaryIO:
    """The same, open to be read in parts. What was checked is what is read."""
    require_private(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        require_private_status(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def erase(path: Path) -> None:
    """Overwrite ``path`` with zeros and remove it; harmless where it is missing."""
    try:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(bytes(size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    _sync_folder(path.parent)


def _replace(path: Path, content: bytes | memoryview | Iterable[bytes], mode: int) -> None:
    # In a folder that others may write to, nobody can lay a file or link in wait for the draft.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
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
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
