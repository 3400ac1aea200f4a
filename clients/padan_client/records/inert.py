"""Cells of a CSV that order nothing: not a spreadsheet that opens it, not a terminal that shows it.

A formula has an apostrophe before it, a control character is its picture (U+2400 and on), so that a
result still reads back as it was. Controls that have no picture, DEL and U+0080 to U+009F, are
U+FFFD, and pictures of controls that were there from the first read back as controls: such a cell
is told only by what is exact (``--exact``, Parquet).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from padan_client.base.orders import CONTROLS, pictured
from padan_linkage.release.formulas import FORMULA, MARKED, marked, unmarked

_SUSPECT = rf"{FORMULA}|[\x00-\x08\x0b-\x1f\x7f-\x{{9f}}]"
_CHANGED = rf"{MARKED}|[\x{{2400}}-\x{{241f}}]"
_PICTURES = re.compile("[\u2400-\u241f]")


def inert(text: str) -> str:
    """A cell that orders nothing."""
    return marked(CONTROLS.sub(pictured, text))


def original(text: str) -> str:
    """The cell that :func:`inert` was given."""
    return _PICTURES.sub(lambda picture: chr(ord(picture[0]) - 0x2400), unmarked(text))


def inert_table(table: pa.Table) -> tuple[pa.Table, int]:
    """A table whose cells and names order nothing, and how many cells were others before."""
    table, count = _changed(table, _SUSPECT, inert)
    return table.rename_columns([inert(name) for name in table.column_names]), count


def original_table(table: pa.Table) -> pa.Table:
    """The table that was made inert; its names are left."""
    return _changed(table, _CHANGED, original)[0]


def _changed(table: pa.Table, pattern: str, change: Callable[[str], str]) -> tuple[pa.Table, int]:
    """The table with ``change`` in the cells that match ``pattern``, and how many it changed."""
    columns, count = [], 0
    for name in table.column_names:
        column = table[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            parts = [_changed_part(part, pattern, change) for part in column.chunks]
            count += sum(changed for _, changed in parts)
            column = pa.chunked_array([part for part, _ in parts], column.type)
        columns.append(column)
    return pa.table(columns, names=table.column_names), count


def _changed_part(
    part: pa.Array, pattern: str, change: Callable[[str], str]
) -> tuple[pa.Array, int]:
    suspect = pc.fill_null(pc.match_substring_regex(part, pattern), False)
    before = part.filter(suspect).to_pylist()
    now = [change(text) for text in before]
    count = sum(a != b for a, b in zip(before, now, strict=True))
    return pc.replace_with_mask(part, suspect, pa.array(now, part.type)) if count else part, count
