"""The officer's own file of rows to look at: row, column, reason, advice; never a value."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from padan_client.lint.texts import advice_text, problem_text, severity
from padan_client.records.inert import inert
from padan_linkage.schema import Kind

COLUMNS = pa.schema(
    [
        ("row", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("severity", pa.string()),
        ("message", pa.string()),
        ("suggestion", pa.string()),
        ("first_row", pa.int64()),
    ]
)


class Quarantine:
    """Writes rows as they are found; whole or not at all, mode 0600. Without a path it counts only.

    Rows are numbered from 1 as the file's data rows. ``first_row`` names, for a repeated value, the
    first row that has it. ``notes`` are counted as they come.
    """

    def __init__(self, path: Path | None) -> None:
        self.notes = 0
        self._noted = np.zeros(0, np.uint8)  # a bit for each row
        self._path = path
        self._part = None if path is None else path.with_name(path.name + ".part")
        self._writer: pa.csv.CSVWriter | None = None

    def __enter__(self) -> Self:
        if self._part is not None:
            with suppress(FileNotFoundError):
                self._part.unlink()
            handle = os.open(self._part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            self._sink = pa.PythonFile(os.fdopen(handle, "wb"), mode="w")
            self._writer = pa.csv.CSVWriter(self._sink, COLUMNS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is None or self._part is None or self._path is None:
            return
        self._writer.close()
        self._sink.close()
        if error is None:
            self._part.replace(self._path)
        else:
            self._part.unlink()

    @property
    def rows(self) -> int:
        """Rows with a note, each once."""
        return int(np.bitwise_count(self._noted).sum())

    def add(
        self,
        rows: NDArray[np.int64],
        column: str,
        kind: Kind,
        code: str,
        first_rows: NDArray[np.int64] | None = None,
    ) -> None:
        """Note that ``rows`` (from 1) show ``code`` in ``column``."""
        self.notes += len(rows)
        if not len(rows):
            return
        self._count(rows)
        if self._writer is None:
            return
        firsts = pa.nulls(len(rows), pa.int64()) if first_rows is None else pa.array(first_rows)
        texts = (inert(column), code, severity(code), problem_text(code, kind), advice_text(code))
        self._writer.write_table(
            pa.table(
                [
                    pa.array(rows, pa.int64()),
                    *(pa.repeat(str(x), len(rows)) for x in texts),
                    firsts,
                ],
                schema=COLUMNS,
            )
        )

    def _count(self, rows: NDArray[np.int64]) -> None:
        more = (int(rows.max()) >> 3) + 1 - len(self._noted)
        if more > 0:
            self._noted = np.pad(self._noted, (0, more + len(self._noted)))
        np.bitwise_or.at(self._noted, rows >> 3, np.uint8(1) << (rows & 7).astype(np.uint8))
