"""What is damaged at rest: raised where a file is not what was written, told once for each file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

_log = structlog.get_logger(__name__)

#: The problem of a file that is whole, of a form that a later version of Padan brought in.
LATER = (
    "dibuat Padan yang lebih baru; jalankan versi itu atau yang lebih baru",
    "made by a newer Padan; run that version or a newer one",
)


class DamagedFileError(OSError):
    """A file that records rest on is missing, or not what was written; it has been left as it is.

    ``file`` is its path under the data directory, ``problem`` what is wrong with it, in Indonesian
    and English.
    """

    def __init__(self, file: str, indonesian: str, english: str) -> None:
        super().__init__(f"{file}: {english}")
        self.file = file
        self.problem = indonesian, english


class MissingFileError(DamagedFileError):
    """A file that records rest on is not there."""


class DamageCounts(Protocol):
    """What counts of it a server publishes."""

    def checked(self, blocks: int) -> None:
        """So many blocks were compared with their checksums."""
        ...

    def damaged(self, files: int) -> None:
        """So many files are known to be damaged."""
        ...


class DamageWatch:
    """Tells of damaged files, each once; safe to use from several threads."""

    def __init__(self, counts: DamageCounts | None = None) -> None:
        self._counts = counts
        self._lock = threading.Lock()
        self._known: set[str] = set()

    def checked(self, blocks: int) -> None:
        """Count blocks that were compared."""
        if self._counts is not None and blocks:
            self._counts.checked(blocks)

    def found(self, damage: DamagedFileError) -> None:
        """Note a damaged file; the first time it is told."""
        if self._note(damage.file, damaged=True):
            _log.error("file_damaged", file=damage.file, problem=damage.problem[1])

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Note what is found damaged in a block."""
        try:
            yield
        except DamagedFileError as damage:
            self.found(damage)
            raise

    def known(self) -> frozenset[str]:
        """The files that are known to be damaged."""
        with self._lock:
            return frozenset(self._known)

    def ended(self, file: str) -> None:
        """Note that a file is whole again, or erased."""
        if self._note(file, damaged=False):
            _log.warning("file_damage_ended", file=file)

    def _note(self, file: str, *, damaged: bool) -> bool:
        """Whether that is news."""
        with self._lock:
            if (file in self._known) is damaged:
                return False
            (self._known.add if damaged else self._known.discard)(file)
            number = len(self._known)
        if self._counts is not None:
            self._counts.damaged(number)
        return True
