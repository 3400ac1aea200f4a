"""Where the lines of a file went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeAlias

from padan_client.base.errors import PadanError
from padan_client.base.language import t

#: Gets what an officer should know of a file: a sentence, and never a value.
Tell: TypeAlias = Callable[[str], None]


def untold(_: str) -> None:
    """Say nothing."""


class ConservationError(PadanError):
    """Rows went missing, or came from nowhere, between two steps: a defect, and never an answer."""


@dataclass(frozen=True)
class FileCounts:
    """What the ``lines`` of a file are.

    ``above`` the column names, the ``names`` themselves, ``rows`` of data, ``inside`` quoted cells,
    or empty at the ``end``. A line is a text line of a CSV, a row of a sheet or of a Parquet file,
    which has none above.
    """

    lines: int
    above: int = 0
    names: int = 0
    rows: int = 0
    inside: int = 0
    end: int = 0

    def require_conserved(self, path: Path) -> None:
        """Raise ConservationError where the parts are not the whole."""
        parts = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "lines"}
        if sum(parts.values()) != self.lines:
            told = ", ".join(f"{name} {count}" for name, count in parts.items())
            raise ConservationError(
                t(
                    f"Berkas {path.name} memiliki {self.lines} baris, tetapi yang terbaca "
                    f"{sum(parts.values())} ({told}). Tidak ada yang diproses. Laporkan ini.",
                    f"The file {path.name} has {self.lines} lines, but {sum(parts.values())} were "
                    f"read ({told}). Nothing was processed. Report this.",
                )
            )


def require_same_rows(given: int, there: int, step: tuple[str, str]) -> None:
    """Raise ConservationError where a step (in both languages) changed the number of rows."""
    if given != there:
        raise ConservationError(
            t(
                f"Jumlah baris berubah: {given} baris sebelum, {there} baris sesudah {step[0]}. "
                "Hasil tidak ditulis. Laporkan ini.",
                f"The number of rows changed: {given} before, {there} after {step[1]}. No result "
                "was written. Report this.",
            )
        )
