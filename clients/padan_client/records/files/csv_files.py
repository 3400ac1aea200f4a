"""CSV: the layout, one walk over the bytes, and Arrow's reader; the three have to agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records.files.counts import FileCounts, Tell, require_same_rows
from padan_client.records.files.layout import (
    CsvLayout,
    check_names,
    csv_layout,
    stray_quote,
    tell_above,
    tell_end,
    unpaired_quote,
)
from padan_client.records.files.scan import Scan
from padan_client.records.files.text import LineCount, Text

#: Bytes that are looked at for the layout.
HEAD = 1 << 20
#: The longest CSV cell that can be read at all, bytes; and for files read piece by piece.
_BLOCK, _SMALL_BLOCK = 1 << 25, 1 << 23
_MOST_ROWS_NAMED = 10


@dataclass(frozen=True)
class CheckedCsv:
    """A CSV of which every byte was seen: text, no quote that swallows rows, names that are names.

    ``kept``: the columns that have a name. ``counts.rows``: the data rows, without empty ones at
    the end; ``empty``: those of them in which nothing stands, and that in another length.
    """

    text: Text
    layout: CsvLayout
    scan: Scan
    kept: list[str]
    empty: list[int]
    counts: FileCounts

    def read(self) -> pa.Table:
        """All rows. Raises BadInputError that names rows of another length than the header."""
        if self.scan.ragged:
            raise self._ragged()
        if not self.counts.rows:
            return pa.table({name: pa.array([], pa.string()) for name in self.kept})
        skipped: list[int] = []
        with self.text.open(self.layout.offset) as stream:
            try:
                table = pa.csv.read_csv(stream, **self._options(skipped, _BLOCK))
            except pa.ArrowInvalid as e:
                raise self._unreadable() from e
        self._require_all(table.num_rows, len(skipped))
        return _with_empty(table.select(self.kept), self.empty).slice(0, self.counts.rows)

    def batches(self) -> Iterator[pa.Table]:
        """The rows that have the header's length, piece by piece."""
        if not self.counts.rows:
            return
        skipped: list[int] = []
        left, read = self.counts.rows - len(self.left_out()), 0
        with self.text.open(self.layout.offset) as stream:
            try:
                with pa.csv.open_csv(stream, **self._options(skipped, _SMALL_BLOCK)) as reader:
                    for batch in reader:
                        yield pa.Table.from_batches([batch]).select(self.kept).slice(0, left)
                        read += batch.num_rows
                        left = max(0, left - batch.num_rows)
            except pa.ArrowInvalid as e:
                raise self._unreadable() from e
        self._require_all(read, len(skipped))

    def left_out(self) -> list[int]:
        """The numbers of rows that are in no batch: of another length, or empty lines."""
        return sorted([*self.scan.ragged, *self.empty])

    def _options(self, skipped: list[int], block: int) -> dict[str, Any]:
        """How Arrow reads: strings only, every line a row; those of another length are skipped."""

        def skip(row: pa.csv.InvalidRow) -> str:
            skipped.append(row.actual_columns)
            return "skip"

        names = _named(self.layout.names)
        return {
            "read_options": pa.csv.ReadOptions(
                use_threads=False, block_size=block, column_names=names
            ),
            "parse_options": pa.csv.ParseOptions(
                delimiter=self.layout.separator,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=skip,
            ),
            "convert_options": pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        }

    def _require_all(self, read: int, skipped: int) -> None:
        """Arrow's rows, the walk's lines inside cells and the lines counted are one whole."""
        require_same_rows(
            len(self.scan.ragged) + len(self.scan.empty_ragged), skipped, ("dibaca", "reading")
        )
        there = replace(self.counts, rows=read + skipped - self.counts.end)
        there.require_conserved(self.text.path)

    def _unreadable(self) -> BadInputError:
        name = self.text.path.name
        return BadInputError(
            t(
                f"Berkas {name} bukan CSV yang utuh: ada sel yang terlalu panjang. Periksa tanda "
                "kutip.",
                f"The file {name} is no whole CSV: a cell is too long. Check the quotes.",
            )
        )

    def _ragged(self) -> BadInputError:
        rows, width = self.scan.ragged, len(self.layout.names)
        numbers = ", ".join(map(str, rows[:_MOST_ROWS_NAMED]))
        lines = ", ".join(map(str, self.scan.ragged_lines[:_MOST_ROWS_NAMED]))
        more = "" if len(rows) <= _MOST_ROWS_NAMED else ", …"
        name = self.text.path.name
        return BadInputError(
            t(
                f"Berkas {name}: {len(rows)} baris tidak memiliki {width} kolom seperti judulnya. "
                f"Baris data {numbers}{more} (baris teks {lines}{more}). Periksa pemisah dan tanda "
                "kutip.",
                f"The file {name}: {len(rows)} rows do not have {width} columns like the header. "
                f"Data rows {numbers}{more} (text lines {lines}{more}). Check separators and "
                "quotes.",
            )
        )


def check_csv(path: Path, head: bytes, tell: Tell) -> CheckedCsv:
    """See every byte of a CSV once. Raises BadInputError."""
    text = Text.of(path, head)
    layout = csv_layout(path, text.head(HEAD))
    scan, lines = _scanned(text, layout)
    if scan.stray_line:
        raise stray_quote(path, scan.stray_line)
    if scan.unpaired_line:
        raise unpaired_quote(path, scan.unpaired_line)
    names = layout.names
    kept = [i for i, name in enumerate(names) if name or scan.filled[i]]
    check_names(path, {i: names[i] for i in kept}, layout.at.first)
    tell_above(layout.above, tell)
    # In one column an empty line is an empty cell, also at the end.
    rows = scan.records if len(names) == 1 else scan.last_filled
    counts = FileCounts(
        lines=lines,
        above=layout.above,
        names=layout.at.last - layout.above,
        rows=rows,
        inside=scan.inside,
        end=scan.records - rows,
    )
    tell_end(counts.end, tell)
    empty = [row for row in scan.empty_ragged if row <= rows]
    return CheckedCsv(text, layout, scan, [names[i] for i in kept], empty, counts)


def _scanned(text: Text, layout: CsvLayout) -> tuple[Scan, int]:
    """A walk from the first data row to the end, and the lines of the whole file."""
    names = layout.names
    scan = Scan(layout.separator, len(names), layout.at.last + 1, layout.quoted)
    lines, begin = LineCount(), layout.offset
    for block in text.blocks():
        lines.feed(block)
        scan.feed(block[begin:])
        begin = max(0, begin - len(block))
    scan.close()
    return scan, lines.lines


def _named(names: tuple[str, ...]) -> list[str]:
    """Column names for Arrow: one for every column."""
    return [name or f"\x00{i}" for i, name in enumerate(names)]


def _with_empty(table: pa.Table, rows: list[int]) -> pa.Table:
    """The table with an empty row at each of ``rows``, numbers from 1 and ascending."""
    if not rows:
        return table
    index = np.ones(table.num_rows + len(rows), np.int64)
    index[np.array(rows) - 1] = 0
    there = index > 0
    index = np.cumsum(index) - 1
    taken = table.take(pa.array(index, mask=~there))
    return pa.table({n: pc.fill_null(taken.column(n), "") for n in taken.column_names})
