"""A reference list as a release carries it: a CSV in one form only, and what changed in it.

The first column is the key. Spec 70, "Reference lists".
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from padan_linkage.release.formulas import is_formula

#: Longer cells are no names of codes.
MAX_CELL = 2000


class ListError(Exception):
    """A list cannot be a reference list; ``reason`` says why, ``row`` where (from 1), or 0."""

    def __init__(self, reason: str, row: int = 0) -> None:
        super().__init__(f"row {row}: {reason}" if row else reason)
        self.reason = reason
        self.row = row


Rows = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, repr=False)
class Difference:
    """Keys that came, that left, and those whose other columns changed, in order."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def list_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Rows by key, cells trimmed. Raises ListError for an empty or repeated key."""
    found: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(rows, 1):
        if len(row) != len(columns):
            raise ListError("cells", number)
        cells = tuple(" ".join(cell.split()) for cell in row)
        if any(len(c) > MAX_CELL or not _printable(c) for c in cells):
            raise ListError("unprintable", number)
        if any(map(is_formula, cells)):
            raise ListError("formula", number)
        if not cells[0]:
            raise ListError("no-key", number)
        if cells[0] in found:
            raise ListError("key-twice", number)
        found[cells[0]] = cells
    if not found:
        raise ListError("empty")
    return found


def write_reference(columns: Sequence[str], rows: Rows) -> bytes:
    """The CSV: UTF-8, line feeds, ordered by key."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows[key] for key in sorted(rows))
    return out.getvalue().encode()


def read_reference(content: bytes, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Rows by key of a CSV in its one form. Raises ListError."""
    try:
        table = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise ListError("no-csv") from None
    if not table or table[0] != list(columns):
        raise ListError("columns")
    rows = list_rows(columns, table[1:])
    if write_reference(columns, rows) != content:
        raise ListError("form")
    return rows


def difference(before: Rows, now: Rows) -> Difference:
    """What changed from one version to the next."""
    return Difference(
        added=tuple(sorted(now.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - now.keys())),
        changed=tuple(sorted(k for k in now.keys() & before.keys() if now[k] != before[k])),
    )


def _printable(text: str) -> bool:
    """Nothing that acts on a terminal or turns the direction of writing."""
    return not any(unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp", "Co", "Cn"} for c in text)
