"""Columns on disk: one ``.npy`` file a column, written by appending, read as a memory map.

A column's file begins with the header of the finished array, because the number of rows is known
when a table is opened; rows are appended behind it. So a finished table needs no copy: commit is a
matter of records alone. What counts as written is the store's row count, never the file's length:
a writer that opens a file cuts it back to that count first. Layout under the data directory:

    datasets/<dataset>/<pass>/<column>.npy          a committed table, or a registry's upload
    datasets/<dataset>.delta/<pass>/<column>.npy    the upload of a delta
    datasets/<dataset>.merging/…                    a merge under way; renamed when it is whole
    datasets/<dataset>/<pass>/directory/…           what makes it answer at once
    datasets/<dataset>/calibrations.json            what a registry's answers are scored by
    runs/<run>/<pass>/<column>.npy                  answers of a pass
    runs/<run>/<pass>.work/…                        ranges done of a pass under way

What lies in ``directory`` and ``.work`` is of :mod:`.derived`.
"""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.answers import PassAnswers
from padan_linkage.matching import MetPairs
from padan_linkage.schema import Layout
from padan_linkage.tables import PassTable
from padan_server.store.files.derived import DirectoryFiles, PassJournal
from padan_server.store.files.disk import Aside, Disk, make_folder, space, sync_folders, write_whole

#: Ending of what is being erased; found at start, it is erased again.
_TRASH = ".erasing"

#: What a registry's answers are scored by, spec 36: beside its passes, erased with them.
_CALIBRATIONS = "calibrations.json"

#: Beside a pass's answers: whom its questions met (spec 32), which no requester is told.
_MET = "met"

#: Columns of a pass's answers, and what of :class:`PassAnswers` each holds.
_ANSWERS = {
    "outcomes": "outcome",
    "sealed_codes": "sealed",
    "confirmations": "confirmations",
}


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
        with space():
            for column in self._columns:
                self._write(self._files[column.name], columns[column.name])

    def sync(self) -> None:
        """Return when all rows appended are on the disk. Raises StoreFullError."""
        with space():
            for descriptor in self._files.values():
                self._disk.sync(descriptor)

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


class ColumnFiles:
    """All columns of one unit, under one data directory."""

    def __init__(self, data_dir: Path, disk: Disk | None = None) -> None:
        self._datasets = data_dir / "datasets"
        self._runs = data_dir / "runs"
        self._disk = disk or Disk()
        for folder in (self._datasets, self._runs):
            make_folder(folder)

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

    def merging(self, dataset_id: str, pass_id: str, layout: Layout) -> PassTable:
        """A table of a merge under way."""
        return _pass_table(self._datasets / f"{dataset_id}.merging" / pass_id, pass_id, layout)

    def keep_calibrations(self, dataset_id: str, document: bytes) -> None:
        """Keep what a registry is scored by; durable on return. Raises StoreFullError."""
        write_whole(self._disk, self._datasets / dataset_id / _CALIBRATIONS, (document,))

    def carry_calibrations(self, base_id: str, dataset_id: str) -> None:
        """Give a merge under way what its base is scored by. Raises StoreFullError."""
        path = self._datasets / f"{dataset_id}.merging" / _CALIBRATIONS
        write_whole(self._disk, path, (self.calibrations(base_id),))

    def calibrations(self, dataset_id: str) -> bytes:
        """What a committed registry is scored by."""
        return (self._datasets / dataset_id / _CALIBRATIONS).read_bytes()

    def finish_merge(self, dataset_id: str) -> None:
        """Put the merged tables, all of them synced, in place."""
        with space():
            (self._datasets / f"{dataset_id}.merging").rename(self._datasets / dataset_id)
            sync_folders(self._datasets, levels=1)

    def drop_delta(self, dataset_id: str) -> None:
        """Erase the upload of a delta that has been merged."""
        _erase(self._datasets / f"{dataset_id}.delta")

    def erase_dataset(self, dataset_id: str) -> None:
        """Erase every file of a dataset; harmless to repeat."""
        for path in _parts(self._datasets, dataset_id):
            _erase(path)
        sync_folders(self._datasets, levels=1)

    def set_dataset_aside(self, dataset_id: str, aside: Aside, day: date) -> None:
        """Put away every file of a dataset that no record explains."""
        for path in _parts(self._datasets, dataset_id):
            aside.put(path, "dataset", day)

    def set_run_aside(self, run_id: str, aside: Aside, day: date) -> None:
        """Put away the answers of a run that no record explains."""
        aside.put(self._runs / run_id, "run", day)

    def write_result(self, run_id: str, answers: PassAnswers, met: MetPairs) -> None:
        """Keep a pass's answers, and whom its questions met; durable on return.

        Repeating replaces. Raises StoreFullError.
        """
        pass_id = answers.pass_id
        place = self._runs / run_id / pass_id
        building = self._runs / run_id / f"{pass_id}.writing"
        _erase(building)
        columns = {name: getattr(answers, part) for name, part in _ANSWERS.items()}
        for name, column in {**columns, _MET: np.frombuffer(met.packed(), "<u8")}.items():
            array = np.ascontiguousarray(column)
            width = array.shape[1] if array.ndim > 1 else None
            kind = Column(name, array.dtype.str, width)
            with TableWriter(self._disk, building, [kind], len(array), 0) as writer:
                if array.size:
                    writer.append({name: array.data})
                writer.sync()
        with space():
            _erase(place)
            building.rename(place)
            sync_folders(place, levels=3)
            _erase(self._work(run_id, pass_id))

    def journal(self, run_id: str, pass_id: str) -> PassJournal:
        """What has been done of a pass that is not answered yet; it goes when it is."""
        return PassJournal(self._disk, self._work(run_id, pass_id))

    def directory(self, dataset_id: str, pass_id: str) -> DirectoryFiles:
        """The directory of a committed table."""
        return DirectoryFiles(self._disk, self._datasets / dataset_id / pass_id / "directory")

    def merged_directory(self, dataset_id: str, pass_id: str) -> DirectoryFiles:
        """The directory of a table of a merge under way."""
        folder = self._datasets / f"{dataset_id}.merging" / pass_id / "directory"
        return DirectoryFiles(self._disk, folder)

    def result(self, run_id: str, pass_id: str) -> PassAnswers:
        """A pass's answers, memory-mapped."""
        folder = self._runs / run_id / pass_id
        columns = {part: _load(folder / f"{name}.npy") for name, part in _ANSWERS.items()}
        return PassAnswers(pass_id, **columns)

    def drop_met(self, run_id: str) -> None:
        """Forget whom a run's questions met: that is kept elsewhere, by now."""
        for path in (self._runs / run_id).glob(f"*/{_MET}.npy"):
            path.unlink()

    def met(self, run_id: str, pass_id: str) -> MetPairs:
        """Whom a pass's questions met, memory-mapped."""
        return MetPairs.unpacked(_load(self._runs / run_id / pass_id / f"{_MET}.npy"))

    def erase_run(self, run_id: str) -> None:
        """Erase a run's answers; harmless to repeat."""
        _erase(self._runs / run_id)
        sync_folders(self._runs, levels=1)

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

    def _work(self, run_id: str, pass_id: str) -> Path:
        return self._runs / run_id / f"{pass_id}.work"

    def _upload(self, dataset_id: str, layout: Layout) -> Path:
        return self._datasets / (f"{dataset_id}.delta" if layout.operations else dataset_id)


def _parts(folder: Path, dataset_id: str) -> list[Path]:
    """What there is of a dataset's folders."""
    names = (dataset_id, f"{dataset_id}.delta", f"{dataset_id}.merging")
    return [folder / name for name in names if (folder / name).exists()]


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
    return array.view(np.ndarray)  # the map's own class makes every slice slow


def _erase(path: Path) -> None:
    """Erase a folder, first out of the way of whoever may still be writing into it."""
    trash = path.with_name(f"{path.name}.{secrets.token_hex(4)}{_TRASH}")
    try:
        path.rename(trash)
    except FileNotFoundError:
        return
    shutil.rmtree(trash)
