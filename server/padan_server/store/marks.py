"""Whether a store and the files beside it belong together: both carry the same mark.

A mark is the store's name, how often a server has started on it, and the latest moment that was
believed (:class:`~padan_server.base.clock.KeptClock`). The store's is written first, so it is never
the older one, unless it is not the store that the files were made with. Spec:
``proto/spec/30-unit-mode.md``, "Doubt".
"""

from __future__ import annotations

import json
import os
import secrets
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog
from pydantic import TypeAdapter
from pydantic_core import from_json

from padan_linkage.crypto.software import FormatAge, format_age, shown, software
from padan_server.base.model import StoreMark
from padan_server.base.ordinary import read_ordinary
from padan_server.store.doubts import Doubt, StoreDoubtError
from padan_server.store.files.disk import Disk, write_whole
from padan_server.store.port import OtherVersionError, Store, StoreFullError
from padan_server.store.sql.store import data_format

_log = structlog.get_logger(__name__)
_FILE = "mark.json"
#: In folders that lie elsewhere: the name of the store that has served them.
SIGN = ".padan-store"
_NAME_BYTES = 16
_NAME_DIGITS = 2 * _NAME_BYTES
_FORM = TypeAdapter(StoreMark)

#: What can be wrong with the two together.
_LOST = Doubt(_FILE, ("basis datanya hilang atau kosong", "its database is lost or empty"))
_OTHER = Doubt(
    _FILE, ("basis datanya milik direktori lain", "its database belongs to another directory")
)
_OLDER = Doubt(
    _FILE, ("basis datanya lebih tua daripada berkasnya", "its database is older than its files")
)
#: What to restore where a folder elsewhere is another's.
_RIGHT = (
    f"direktori data yang benar (bila map itu sengaja dipindahkan ke sini, hapus {SIGN} darinya)",
    f"the right data directory (if the folder was moved here on purpose, delete {SIGN} in it)",
)


@dataclass(frozen=True)
class Marks:
    """Both marks of one data directory, and the signs in folders ``elsewhere`` that it serves."""

    store: Store
    data_dir: Path
    disk: Disk
    elsewhere: tuple[Path, ...] = ()

    def begin(
        self, *, holds_files: Callable[[], bool], restored: datetime | None = None
    ) -> StoreMark:
        """Count a start; returns the mark with ``latest`` as it was left.

        ``holds_files``: whether the directory holds what only a store can explain. ``restored``:
        the present, if an operator takes the store as it is, a backup or one that has lost
        something. Raises StoreDoubtError.
        """
        # Spec 30, "Doubt", step 1.
        kept, beside, cause = self._compared(holds_files)
        if cause is not None and not restored:
            raise StoreDoubtError(self.data_dir, cause)
        known = [mark for mark in (kept, beside) if mark is not None]
        latest = [mark.latest for mark in known if mark.latest is not None]
        name = kept.name if kept and not restored else secrets.token_hex(_NAME_BYTES)
        starts = max((mark.starts for mark in known), default=0) + 1
        # A clock that is behind at such a start would use up the quota of a day gone by.
        before = kept.restored if kept else None
        declared = max([restored, *latest]) if restored else before
        mark = StoreMark(name, starts, max(latest, default=None), declared)
        self._write(mark)
        for folder in self._sign(name):
            _log.warning("folder_unsigned", folder=folder)
        return mark

    def claim(self) -> Doubt | None:
        """Sign folders that have appeared; what is wrong where one is another store's."""
        kept = self._kept()
        assert kept is not None, "a server has begun"
        doubt = self._of_another(kept.name)
        if doubt is None:
            self._sign(kept.name)
        return doubt

    def doubted(self, holds_files: Callable[[], bool] = lambda: False) -> Doubt | None:
        """Why no server would start on this; None if one would."""
        return self._compared(holds_files)[2]

    def is_mark_gone(self) -> bool:
        """Whether the store has a mark, and the file beside it is gone: no doubt, but told."""
        return self._kept() is not None and not self._path.exists()

    def _compared(
        self, holds_files: Callable[[], bool]
    ) -> tuple[StoreMark | None, StoreMark | None, Doubt | None]:
        """Both marks, the store's first, and what speaks against them."""
        kept = self._kept()
        try:
            beside = self._beside()
        except (ValueError, OSError):
            return kept, None, Doubt.unreadable(self._path)
        return kept, beside, self._doubt(kept, beside, holds_files)

    def advance(self, latest: datetime) -> None:
        """Keep the latest moment that was believed, durable on return. Raises StoreFullError."""
        kept = self._kept()
        if kept is None or kept.latest == latest:
            return
        # An accepted clock may be earlier; the mark that is written first must not look older.
        back = kept.latest is not None and latest < kept.latest
        self._write(replace(kept, starts=kept.starts + back, latest=latest))

    def date_restore(self, moment: datetime) -> datetime:
        """Keep when in truth the store was ``restored``, durable on return; returns it."""
        kept = self._kept()
        assert kept is not None, "a server has begun"
        self._write(replace(kept, restored=moment))
        return moment

    def _doubt(
        self, kept: StoreMark | None, beside: StoreMark | None, holds_files: Callable[[], bool]
    ) -> Doubt | None:
        if kept is None:
            used = beside or any(os.path.lexists(path) for path in self._signs)
            return _LOST if used or (holds_files() and self._is_empty()) else None
        if beside is not None and kept.name != beside.name:
            return _OTHER
        if beside is not None and kept.age < beside.age:
            return _OLDER
        return self._of_another(kept.name)

    def _of_another(self, name: str) -> Doubt | None:
        """Whether a folder elsewhere has been served by another store."""
        for path in self._signs:
            told = _said(path)
            other = told[:_NAME_DIGITS].decode("ascii", "replace")
            # A damaged one says nothing, and is written again: this store is that of its files.
            if other != name and told == _signed(other):
                return _served_by_another(path.parent)
        return None

    def _sign(self, name: str) -> list[str]:
        """Say in the folders elsewhere which store has served them; those where that fails."""
        unsigned = []
        for path in self._signs:
            if not path.parent.is_dir() or _said(path) == _signed(name):
                continue  # one may not be there yet
            try:
                write_whole(self.disk, path, (_signed(name),))
                path.chmod(0o644)  # the folder may be in a home, which its user backs up
            except (OSError, StoreFullError):
                unsigned.append(path.parent.name)
        return unsigned

    @property
    def _signs(self) -> list[Path]:
        return [folder / SIGN for folder in self.elsewhere]

    def _is_empty(self) -> bool:
        """Whether the store has no record at all: one from before there were marks has some."""
        with self.store.read() as tx:
            return tx.marks.is_unused()

    def _kept(self) -> StoreMark | None:
        with self.store.read() as tx:
            return tx.marks.get()

    def _beside(self) -> StoreMark | None:
        """The mark in the file. Raises ValueError if it is none."""
        try:
            content = read_ordinary(self._path)
        except FileNotFoundError:
            return None
        _made_by(content)
        return _FORM.validate_json(content)

    def _write(self, mark: StoreMark) -> None:
        with self.store.write() as tx:
            tx.marks.keep(mark)
        made_by = {"format": data_format(), "software": software()}
        moments = {
            name: moment and moment.isoformat()
            for name, moment in (("latest", mark.latest), ("restored", mark.restored))
        }
        document = {**asdict(mark), **made_by, **moments}
        write_whole(self.disk, self._path, (json.dumps(document).encode(),))

    @property
    def _path(self) -> Path:
        return self.data_dir / _FILE


def _made_by(content: bytes) -> tuple[FormatAge, object, str]:
    """What a mark's file says of the version that wrote it; earlier ones say nothing.

    Raises ValueError where it says what is no format.
    """
    document = from_json(content)
    if not isinstance(document, dict):
        raise ValueError("no document")  # noqa: TRY004 (the file is at fault, not the caller)
    given = document.get("format", 0)
    return format_age(given, data_format()), given, str(document.get("software", ""))


def require_known_format(data_dir: Path, *, accept: bool = False) -> None:
    """Raise OtherVersionError, with nothing touched, for a directory of a later version.

    StoreDoubtError where the mark cannot be read, unless that is accepted. The format is the number
    of the newest step of the store's migrations: whatever changes in the form of a file beside the
    store is a step too.
    """
    # Spec 30, "Doubt", step 10.
    try:
        age, given, made_by = _made_by(read_ordinary(data_dir / _FILE))
    except FileNotFoundError:
        return  # the store decides
    except (OSError, ValueError, RecursionError):
        if accept:
            return
        raise StoreDoubtError(data_dir, Doubt.unreadable(data_dir / _FILE)) from None
    if age is FormatAge.LATER:
        there = shown(made_by)
        raise OtherVersionError(
            f"{data_dir} dipakai Padan {there} (bentuk {given}), yang lebih baru; versi ini, "
            f"{software()}, membaca sampai bentuk {data_format()}. Tidak ada yang disentuh: "
            "jalankan versi itu atau yang lebih baru. "
            f"/ {data_dir} was used by Padan {there} (format {given}), which is newer; this "
            f"version, {software()}, reads up to format {data_format()}. Nothing was touched: run "
            "that version or a newer one."
        )


def _served_by_another(folder: Path) -> Doubt:
    problem = (
        f"{folder.name} dilayani dari direktori data lain",
        f"{folder.name} was served from another data directory",
    )
    return Doubt(f"{folder.name}/{SIGN}", problem, _RIGHT)


def _signed(name: str) -> bytes:
    """What a sign says: the store's name and a CRC-32 of it."""
    return f"{name} {zlib.crc32(name.encode()):08x}\n".encode()


def _said(path: Path) -> bytes:
    """What a sign says; nothing where there is none that can be read."""
    try:
        return read_ordinary(path)
    except OSError:
        return b""
