"""Writing columns: one ``.npy`` file a column, its header first, rows appended behind it."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from padan_linkage.schema import Layout
from padan_server.base.ordinary import open_ordinary
from padan_server.store.files.disk import Disk, make_folder, space, sync_folders
from padan_server.store.files.sums import FileSums, RunningSums, keep_sums, wrong_length


@dataclass(frozen=True)
class Column:
    """Name, numpy type and width of a column; a column without a width is one-dimensional."""

    name: str
    dtype: str = "|u1"
    width: int | None = None

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return np.dtype(self.dtype).itemsize * (1 if self.width is None else self.width)

    def header(self, rows: int) -> bytes:
        """The ``.npy`` header of ``rows`` rows (NumPy format 1.0)."""
        shape = (rows,) if self.width is None else (rows, self.width)
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            buffer, {"descr": self.dtype, "fortran_order": False, "shape": shape}
        )
        return buffer.getvalue()


def layout_columns(layout: Layout) -> list[Column]:
    """The file columns of a pass table."""
    return [Column(name, width=width) for name, width in layout.columns()]


class TableWriter:
    """Appends rows to the columns of one table. Not for two threads at once.

    ``owner``: where under the data directory the table is to be used. Raises DamagedFileError where
    the files have fewer rows than ``at``.
    """

    def __init__(
        self,
        disk: Disk,
        folder: Path,
        owner: str,
        columns: Sequence[Column],
        rows: int,
        at: int,
    ) -> None:
        self._disk = disk
        self._folder = folder
        self._owner = owner
        self._columns = tuple(columns)
        self._headers = {c.name: c.header(rows) for c in columns}
        self._files: dict[str, int] = {}
        with space():
            make_folder(folder)
            try:
                for column in columns:
                    self._open(folder / f"{column.name}.npy", column, at)
            except BaseException:
                self.close()
                raise
            if not at:
                sync_folders(folder, levels=3)

    def _open(self, path: Path, column: Column, at: int) -> None:
        descriptor = open_ordinary(path, os.O_RDWR | os.O_CREAT)
        self._files[column.name] = descriptor
        header = self._headers[column.name]
        keep = len(header) + at * column.row_bytes
        length = os.fstat(descriptor).st_size
        if at and length < keep:
            raise wrong_length(f"{self._owner}/{path.name}", length, keep)
        os.ftruncate(descriptor, keep if at else 0)
        os.lseek(descriptor, 0, os.SEEK_END)
        if not at:
            self._write(descriptor, header)

    def append(self, columns: Mapping[str, bytes | memoryview]) -> None:
        """Append the same number of rows to every column; not yet safe. Raises StoreFullError."""
        with space():
            for column in self._columns:
                self._write(self._files[column.name], columns[column.name])

    def sync(self) -> None:
        """Return when all rows appended are on the disk. Raises StoreFullError."""
        with space():
            for descriptor in self._files.values():
                self._disk.sync(descriptor)

    def keep_sums(self, sums: Mapping[str, FileSums]) -> None:
        """Keep the sums of the columns' files beside them, by file; durable on return.

        Raises StoreFullError.
        """
        keep_sums(self._disk, self._folder, self._owner, sums)

    def heads(self) -> dict[str, bytes]:
        """What each column's file begins with."""
        return self._headers

    def rows(self, start: int, stop: int) -> dict[str, bytes]:
        """Packed bytes of rows that were appended, by column, as the files have them."""
        return {c.name: self._read(c, start, stop) for c in self._columns}

    def _read(self, column: Column, start: int, stop: int) -> bytes:
        head = len(self._headers[column.name])
        wanted, descriptor = (stop - start) * column.row_bytes, self._files[column.name]
        content = os.pread(descriptor, wanted, head + start * column.row_bytes)
        if len(content) != wanted:
            raise OSError(errno.EIO, f"column {column.name} cannot be read back")
        return content

    def _write(self, descriptor: int, data: bytes | memoryview) -> None:
        left = memoryview(data).cast("B")
        while left:
            left = left[self._disk.write(descriptor, left) :]

    def close(self) -> None:
        """Close the files."""
        while self._files:
            os.close(self._files.popitem()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()


class WholeWriter(TableWriter):
    """Writes a table from its first row to its last, and takes its sums on the way."""

    def __init__(
        self, disk: Disk, folder: Path, owner: str, columns: Sequence[Column], rows: int
    ) -> None:
        super().__init__(disk, folder, owner, columns, rows, 0)
        self._sums = {name: RunningSums() for name in self._headers}
        for name, head in self._headers.items():
            self._sums[name].update(head)

    def append(self, columns: Mapping[str, bytes | memoryview]) -> None:
        """Append the same number of rows to every column; not yet safe. Raises StoreFullError."""
        super().append(columns)
        for name, running in self._sums.items():
            running.update(columns[name])

    def sums(self) -> dict[str, FileSums]:
        """The sums of each column's file."""
        return {f"{name}.npy": running.sums() for name, running in self._sums.items()}
