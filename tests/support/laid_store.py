"""A server's empty store, migrated once for all servers that tests start on empty folders.

What is laid is what a server leaves that dies between its first migration and its first mark.
Starts on nothing at all are tested by whoever starts a server some other way, and in
``contract/store``.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from padan_server.base.config import ServerConfig
from padan_server.store.files.disk import make_folder
from padan_server.store.sql.store import SqlStore


def lay_store(config: ServerConfig) -> None:
    """Put a migrated store into a server's folder, unless that is there already."""
    folder = config.data_dir
    if config.database_url or folder.exists():
        return
    make_folder(folder)
    for path in Path(_migrated().name).iterdir():
        shutil.copy(path, folder / path.name.replace("store", config.STORE, 1))


@cache
def _migrated() -> tempfile.TemporaryDirectory[str]:
    made = tempfile.TemporaryDirectory()
    SqlStore(f"sqlite:///{made.name}/store").close()
    return made
