"""Columns on disk: one ``.npy`` file a column, written by appending, read as a memory map.

A column's file begins with the header of the finished array, because the number of rows is known
when a table is opened; rows are appended behind it. So a finished table needs no copy: commit is a
matter of records alone. What counts as written is the store's row count, never the file's length:
a writer that opens a file cuts it back to that count first. Beside the files of a folder lie their
checksums (:mod:`.sums`), and nothing is used that does not have them. Layout under the data
directory:

    datasets/<dataset>/<pass>/<column>.npy          a committed table, or a registry's upload
    datasets/<dataset>.delta/<pass>/<column>.npy    the upload of a delta
    datasets/<dataset>.merging/…                    a merge under way; renamed when it is whole
    datasets/<dataset>/<pass>/directory/…           what makes it answer at once
    datasets/<dataset>/calibrations.json            what a registry's answers are scored by
    datasets/<dataset>/[<pass>/]sums.json           their checksums
    runs/<run>/<pass>/<column>.npy                  answers of a pass
    runs/<run>/<pass>.work/…                        ranges done of a pass under way

What lies in ``directory`` and ``.work`` is of :mod:`.derived`.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.answers import PassAnswers
from padan_linkage.matching import MetPairs
from padan_linkage.schema import Layout
from padan_linkage.tables import PassTable
from padan_server.base.damage import DamagedFileError, DamageWatch
from padan_server.base.ordinary import ordinary_file, read_ordinary
from padan_server.store.files.derived import MERGING, DirectoryFiles, PassJournal
from padan_server.store.files.disk import Aside, Disk, make_folder, space, sync_folders, write_whole
from padan_server.store.files.sums import FileSums, FolderChecks, file_sums, keep_sums
from padan_server.store.files.writing import Column, TableWriter, WholeWriter, layout_columns

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


class ColumnFiles:
    """All columns of one unit, under one data directory."""

    def __init__(
        self, data_dir: Path, disk: Disk | None = None, watch: DamageWatch | None = None
    ) -> None:
        self._datasets = data_dir / "datasets"
        self._runs = data_dir / "runs"
        self._disk = disk or Disk()
        self._watch = watch or DamageWatch()
        self.checks = FolderChecks(data_dir, self._watch)
        self._erased: set[str] = set()
        for folder in (self._datasets, self._runs):
            make_folder(folder)

    def upload_writer(
        self, dataset_id: str, pass_id: str, layout: Layout, rows: int, at: int
    ) -> TableWriter:
        """A writer behind the first ``at`` rows of an upload."""
        folder = self._upload(dataset_id, layout) / pass_id
        owner = f"datasets/{folder.parent.name}/{pass_id}"
        return TableWriter(self._disk, folder, owner, layout_columns(layout), rows, at)

    def upload(self, dataset_id: str, pass_id: str, layout: Layout) -> PassTable:
        """A table as uploaded (a delta's: the changes), checked. Raises DamagedFileError."""
        return self._table(self._upload(dataset_id, layout).name, pass_id, layout, again=True)

    def table(
        self, dataset_id: str, pass_id: str, layout: Layout, *, again: bool = False
    ) -> PassTable:
        """A committed table, memory-mapped and read-only, and checked. Raises DamagedFileError.

        Unless ``again``, columns that were checked and not written to since are not read.
        """
        return self._table(dataset_id, pass_id, layout, again=again)

    def is_checked(self, dataset_id: str, table: PassTable) -> bool:
        """Whether a committed table was checked, and nothing has written to it since."""
        folder = f"{self._datasets}/{dataset_id}/{table.pass_id}"
        return all(self.checks.is_checked(f"{folder}/{name}.npy") for name in table.columns)

    def merge_writer(
        self, dataset_id: str, pass_id: str, columns: Sequence[Column], rows: int
    ) -> WholeWriter:
        """A writer of one table of a merged registry."""
        folder = self._datasets / f"{dataset_id}{MERGING}" / pass_id
        owner = f"datasets/{dataset_id}/{pass_id}"
        return WholeWriter(self._disk, folder, owner, columns, rows)

    def start_merge(self, dataset_id: str) -> None:
        """Clear away what an interrupted merge left."""
        for name in (f"{dataset_id}{MERGING}", dataset_id):
            _erase(self._datasets / name)

    def merging(self, dataset_id: str, pass_id: str, layout: Layout) -> PassTable:
        """A table of a merge under way."""
        return _pass_table(self._datasets / f"{dataset_id}{MERGING}" / pass_id, pass_id, layout)

    def keep_calibrations(self, dataset_id: str, document: bytes) -> None:
        """Keep what a registry is scored by; durable on return. Raises StoreFullError."""
        self._write_calibrations(self._datasets / dataset_id, dataset_id, document)

    def carry_calibrations(self, base_id: str, dataset_id: str) -> None:
        """Give a merge under way what its base is scored by.

        Raises StoreFullError and DamagedFileError.
        """
        folder = self._datasets / f"{dataset_id}{MERGING}"
        self._write_calibrations(folder, dataset_id, self.calibrations(base_id))

    def calibrations(self, dataset_id: str) -> bytes:
        """What a committed registry is scored by. Raises DamagedFileError."""
        self._check("datasets", dataset_id, "", [_CALIBRATIONS], again=True)
        return read_ordinary(self._datasets / dataset_id / _CALIBRATIONS)

    def _write_calibrations(self, folder: Path, dataset_id: str, document: bytes) -> None:
        path = folder / _CALIBRATIONS
        write_whole(self._disk, path, (document,))
        sums = {_CALIBRATIONS: file_sums(path)}
        keep_sums(self._disk, folder, f"datasets/{dataset_id}", sums)

    def finish_merge(self, dataset_id: str) -> None:
        """Put the merged tables, all of them synced, in place."""
        with space():
            (self._datasets / f"{dataset_id}{MERGING}").rename(self._datasets / dataset_id)
            sync_folders(self._datasets, levels=1)

    def drop_delta(self, dataset_id: str) -> None:
        """Erase the upload of a delta that has been merged."""
        _erase(self._datasets / f"{dataset_id}.delta")

    def erase_dataset(self, dataset_id: str) -> None:
        """Erase every file of a dataset; harmless to repeat."""
        self._erased.add(dataset_id)
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
        owner = f"runs/{run_id}/{pass_id}"
        sums: dict[str, FileSums] = {}
        for name, column in {**columns, _MET: np.frombuffer(met.packed(), "<u8")}.items():
            array = np.ascontiguousarray(column)
            width = array.shape[1] if array.ndim > 1 else None
            kind = Column(name, array.dtype.str, width)
            with WholeWriter(self._disk, building, owner, [kind], len(array)) as writer:
                if array.size:
                    writer.append({name: array.data})
                writer.sync()
                sums |= writer.sums()
        keep_sums(self._disk, building, owner, sums)
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
        folder = self._datasets / f"{dataset_id}{MERGING}" / pass_id / "directory"
        return DirectoryFiles(self._disk, folder)

    def result(self, run_id: str, pass_id: str) -> PassAnswers:
        """A pass's answers, memory-mapped, and checked. Raises DamagedFileError."""
        folder = self._runs / run_id / pass_id
        self._check("runs", run_id, pass_id, [f"{name}.npy" for name in _ANSWERS], again=True)
        columns = {part: _load(folder / f"{name}.npy") for name, part in _ANSWERS.items()}
        return PassAnswers(pass_id, **columns)

    def drop_met(self, run_id: str) -> None:
        """Forget whom a run's questions met: that is kept elsewhere, by now."""
        for path in (self._runs / run_id).glob(f"*/{_MET}.npy"):
            path.unlink()

    def met(self, run_id: str, pass_id: str) -> MetPairs:
        """Whom a pass's questions met, memory-mapped, and checked. Raises DamagedFileError."""
        self._check("runs", run_id, pass_id, [f"{_MET}.npy"], again=True)
        return MetPairs.unpacked(_load(self._runs / run_id / pass_id / f"{_MET}.npy"))

    def forget(self, owner: str) -> None:
        """Compare what lies in a folder with its sums when it is next used."""
        self.checks.forget(owner)

    def erase_run(self, run_id: str) -> None:
        """Erase a run's answers; harmless to repeat."""
        self._erased.add(run_id)
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

    def _table(self, folder: str, pass_id: str, layout: Layout, *, again: bool) -> PassTable:
        names = [f"{name}.npy" for name, _ in layout.columns()]
        self._check("datasets", folder, pass_id, names, again=again)
        return _pass_table(self._datasets / folder / pass_id, pass_id, layout)

    def _check(
        self, kind: str, folder: str, part: str, names: Iterable[str], *, again: bool
    ) -> None:
        """Compare files with their sums. Raises DamagedFileError.

        FileNotFoundError where we have erased them: somebody was late.
        """
        owner = "/".join(filter(None, (kind, folder, part)))
        try:
            self.checks.check(owner, names, again=again)
        except DamagedFileError as damage:
            if folder.partition(".")[0] in self._erased:
                raise FileNotFoundError(owner) from None
            self._watch.found(damage)
            raise

    def _work(self, run_id: str, pass_id: str) -> Path:
        return self._runs / run_id / f"{pass_id}.work"

    def _upload(self, dataset_id: str, layout: Layout) -> Path:
        return self._datasets / (f"{dataset_id}.delta" if layout.operations else dataset_id)


def _parts(folder: Path, dataset_id: str) -> list[Path]:
    """What there is of a dataset's folders."""
    names = (dataset_id, f"{dataset_id}.delta", f"{dataset_id}{MERGING}")
    return [folder / name for name in names if (folder / name).exists()]


def _pass_table(folder: Path, pass_id: str, layout: Layout) -> PassTable:
    return PassTable(
        pass_id, layout, {name: _load(folder / f"{name}.npy") for name, _ in layout.columns()}
    )


def _load(path: Path) -> NDArray[Any]:
    """A ``.npy`` file as a read-only map; an empty one, which cannot be mapped, as an array."""
    with ordinary_file(path) as file:
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
