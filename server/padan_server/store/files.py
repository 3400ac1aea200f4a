"""Columns on disk: one ``.npy`` file a column, written by appending, read as a memory map.

A column's file begins with the header of the finished array, because the number of rows is known
when a table is opened; rows are appended behind it. So a finished table needs no copy: commit is a
matter of records alone. What counts as written is the store's row count, never the file's length:
a writer that opens a file cuts it back to that count first. Layout under the data directory:

    datasets/<dataset>/<pass>/<column>.npy          a committed table, or a registry's upload
    datasets/<dataset>.delta/<pass>/<column>.npy    the upload of a delta
    datasets/<dataset>.merging/…                    a merge under way; renamed when it is whole
    runs/<run>/<pass>/<column>.npy                  answers of a pass
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.schema import Layout
from padan_linkage.tables import PassTable
from padan_server.store.port import StoreFullError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

#: Ending of what is being erased; found at start, it is erased again.
_TRASH = ".erasing"

#: Extra column of a registry made by a delta: which seal opens a row's code, uint16.
ORIGINS = "origins"


class Disk:
    """The two system calls that can find the disk full; tests put a failing one in its place."""

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write some of ``data``; returns how many bytes."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Return when everything written is on the disk."""
        os.fsync(descriptor)


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
    """Appends rows to the columns of one table. Not for two threads at once."""

    def __init__(
        self, disk: Disk, folder: Path, columns: Sequence[Column], rows: int, at: int
    ) -> None:
        self._disk = disk
        self._columns = tuple(columns)
        self._headers = {c.name: c.header(rows) for c in columns}
        self._files: dict[str, int] = {}
        with _space():
            folder.mkdir(parents=True, exist_ok=True)
            try:
                for column in columns:
                    self._open(folder / f"{column.name}.npy", column, at)
            except BaseException:
                self.close()
                raise
            if not at:
                _sync_folders(folder, levels=3)

    def _open(self, path: Path, column: Column, at: int) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._files[column.name] = descriptor
        header = self._headers[column.name]
        keep = len(header) + at * column.row_bytes
        length = os.fstat(descriptor).st_size
        if at and length < keep:
            raise OSError(errno.EIO, f"column {column.name} is shorter than its record")
        os.ftruncate(descriptor, keep if at else 0)
        os.lseek(descriptor, 0, os.SEEK_END)
        if not at:
            self._write(descriptor, header)

    def append(self, columns: Mapping[str, bytes | memoryview]) -> None:
        """Append the same number of rows to every column; not yet safe. Raises StoreFullError."""
        with _space():
            for column in self._columns:
                self._write(self._files[column.name], columns[column.name])

    def sync(self) -> None:
        """Return when all rows appended are on the disk. Raises StoreFullError."""
        with _space():
            for descriptor in self._files.values():
                self._disk.sync(descriptor)

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


class ColumnFiles:
    """All columns of one unit, under one data directory."""

    def __init__(self, data_dir: Path, disk: Disk | None = None) -> None:
        self._datasets = data_dir / "datasets"
        self._runs = data_dir / "runs"
        self._disk = disk or Disk()
        for folder in (self._datasets, self._runs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def upload_writer(
        self, dataset_id: str, pass_id: str, layout: Layout, rows: int, at: int
    ) -> TableWriter:
        """A writer behind the first ``at`` rows of an upload."""
        folder = self._upload(dataset_id, layout) / pass_id
        return TableWriter(self._disk, folder, layout_columns(layout), rows, at)

    def upload(self, dataset_id: str, pass_id: str, layout: Layout) -> PassTable:
        """A table as uploaded (a delta's: the changes)."""
        return _pass_table(self._upload(dataset_id, layout) / pass_id, pass_id, layout)

    def table(self, dataset_id: str, pass_id: str, layout: Layout) -> PassTable:
        """A committed table, memory-mapped and read-only."""
        return _pass_table(self._datasets / dataset_id / pass_id, pass_id, layout)

    def origins(self, dataset_id: str, pass_id: str) -> NDArray[np.uint16] | None:
        """Seal numbers, ``uint16[rows]``; None where one seal opens every row."""
        path = self._datasets / dataset_id / pass_id / f"{ORIGINS}.npy"
        return _load(path) if path.exists() else None

    def merge_writer(
        self, dataset_id: str, pass_id: str, columns: Sequence[Column], rows: int
    ) -> TableWriter:
        """A writer of one table of a merged registry."""
        folder = self._datasets / f"{dataset_id}.merging" / pass_id
        return TableWriter(self._disk, folder, columns, rows, 0)

    def start_merge(self, dataset_id: str) -> None:
        """Clear away what an interrupted merge left."""
        for name in (f"{dataset_id}.merging", dataset_id):
            _erase(self._datasets / name)

    def finish_merge(self, dataset_id: str) -> None:
        """Put the merged tables, all of them synced, in place."""
        with _space():
            (self._datasets / f"{dataset_id}.merging").rename(self._datasets / dataset_id)
            _sync_folders(self._datasets, levels=1)

    def drop_delta(self, dataset_id: str) -> None:
        """Erase the upload of a delta that has been merged."""
        _erase(self._datasets / f"{dataset_id}.delta")

    def erase_dataset(self, dataset_id: str) -> None:
        """Erase every file of a dataset; harmless to repeat."""
        for name in (dataset_id, f"{dataset_id}.delta", f"{dataset_id}.merging"):
            _erase(self._datasets / name)
        _sync_folders(self._datasets, levels=1)

    def write_result(self, run_id: str, pass_id: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep a pass's answers; durable on return. Repeating replaces. Raises StoreFullError."""
        place = self._runs / run_id / pass_id
        building = self._runs / run_id / f"{pass_id}.writing"
        _erase(building)
        for name, array in arrays.items():
            width = array.shape[1] if array.ndim > 1 else None
            column = Column(name, array.dtype.str, width)
            with TableWriter(self._disk, building, [column], array.shape[0], 0) as writer:
                if array.size:
                    writer.append({name: np.ascontiguousarray(array).data})
                writer.sync()
        with _space():
            _erase(place)
            building.rename(place)
            _sync_folders(place, levels=3)

    def result(self, run_id: str, pass_id: str) -> dict[str, NDArray[Any]]:
        """A pass's answers, by column."""
        folder = self._runs / run_id / pass_id
        return {path.stem: _load(path) for path in sorted(folder.glob("*.npy"))}

    def erase_run(self, run_id: str) -> None:
        """Erase a run's answers; harmless to repeat."""
        _erase(self._runs / run_id)
        _sync_folders(self._runs, levels=1)

    def end_erasures(self) -> None:
        """Erase what a crash left half erased."""
        for folder in (self._datasets, self._runs):
            for trash in list(folder.rglob(f"*{_TRASH}")):
                shutil.rmtree(trash)

    def dataset_ids(self) -> set[str]:
        """Datasets that have any file."""
        return {path.name.partition(".")[0] for path in self._datasets.iterdir()}

    def run_ids(self) -> set[str]:
        """Runs that have any file."""
        return {path.name for path in self._runs.iterdir()}

    def _upload(self, dataset_id: str, layout: Layout) -> Path:
        return self._datasets / (f"{dataset_id}.delta" if layout.operations else dataset_id)


def _pass_table(folder: Path, pass_id: str, layout: Layout) -> PassTable:
    return PassTable(
        pass_id, layout, {name: _load(folder / f"{name}.npy") for name, _ in layout.columns()}
    )


def _load(path: Path) -> NDArray[Any]:
    """A ``.npy`` file as a read-only map; an empty one, which cannot be mapped, as an array."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, _ = np.lib.format.read_array_header_1_0(file)
    array: NDArray[Any] = np.load(path, mmap_mode="r" if all(shape) else None, allow_pickle=False)
    return array


def _erase(path: Path) -> None:
    """Erase a folder, first out of the way of whoever may still be writing into it."""
    trash = path.with_name(f"{path.name}.{secrets.token_hex(4)}{_TRASH}")
    try:
        path.rename(trash)
    except FileNotFoundError:
        return
    shutil.rmtree(trash)


def _sync_folders(folder: Path, *, levels: int) -> None:
    """Make the names in ``folder`` and its parents durable, ``levels`` folders in all."""
    for _ in range(levels):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        folder = folder.parent


@contextmanager
def _space() -> Iterator[None]:
    try:
        yield
    except OSError as e:
        if e.errno in _FULL:
            raise StoreFullError from e
        raise
