"""Where a store's database is, by the settings; and what to say where none can be opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

import sqlalchemy as sa

from padan_server.store.port import UnusableStoreError

#: What names the database, and what may be wrong with it.
_SETTING = "database_url"
_NO_URL = (
    "bukan URL SQLAlchemy, contoh sqlite:////var/lib/padan/unit.sqlite.",
    "not a URL of SQLAlchemy, such as sqlite:////var/lib/padan/unit.sqlite.",
)
_NO_FILE = (
    "SQLite perlu nama berkas, contoh sqlite:////var/lib/padan/unit.sqlite.",
    "SQLite needs a file's name, such as sqlite:////var/lib/padan/unit.sqlite.",
)


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; None of another one. Raises UnusableStoreError."""
    try:
        made = sa.engine.make_url(url)
        made.get_dialect().import_dbapi()
    except (sa.exc.ArgumentError, ValueError):
        raise UnusableStoreError(_SETTING, *_NO_URL) from None
    except ModuleNotFoundError as e:
        missing = f"modul {e.name} tidak terpasang.", f"the module {e.name} is not installed."
        raise UnusableStoreError(_SETTING, *missing) from None
    if made.get_backend_name() != "sqlite":
        return None
    if not made.database or made.database == ":memory:" or "\0" in made.database:
        raise UnusableStoreError(_SETTING, *_NO_FILE)
    return Path(made.database)


@contextmanager
def opening(place: Path | None) -> Iterator[None]:
    """Tell what the database says where it cannot even be opened."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, TypeError) as e:
        said = str(getattr(e, "orig", None) or type(e).__name__).partition("\n")[0]
        problem = (
            f"basis data tidak dapat dibuka ({said}).",
            f"the database cannot be opened ({said}).",
        )
        where = f"{_SETTING} ({place})" if place else _SETTING
        raise UnusableStoreError(where, *problem) from e


def looking_url(path: Path) -> str:
    """The URL of a SQLite file that is only to be read."""
    # Nobody else may have it open. Without a log to be read nothing is even put beside it.
    log = path.with_name(f"{path.name}-wal")
    how = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    return f"sqlite:///file:{quote(str(path))}?{how}&uri=true"


def place_of(engine: sa.Engine) -> str:
    """The path of its file, as an operator knows it."""
    return unquote((engine.url.database or "").removeprefix("file:"))
