"""Reads everything that lies in a data directory, and says what of it is not what was written.

Changes nothing: ``padan-server fsck``, with the server stopped, and the scrub of one that runs.
Spec: ``proto/spec/30-unit-mode.md``, "Doubt".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from padan_server.admission.ledger import damaged_journals
from padan_server.base.accepting import Acceptable, Acceptances
from padan_server.base.damage import DamagedFileError, MissingFileError
from padan_server.base.model import (
    UNANSWERED,
    Dataset,
    DatasetState,
    DatasetTable,
    Role,
    Run,
)
from padan_server.base.ordinary import NotOrdinaryError, lies_ordinary
from padan_server.releases.files import read_release
from padan_server.services.pages import is_secret
from padan_server.store.files.derived import DirectoryFiles, piece_of
from padan_server.store.files.disk import Disk
from padan_server.store.files.meters import check_meter, check_secret
from padan_server.store.files.sums import SUMS, FolderChecks, Pace, at_once, read_whole
from padan_server.store.marks import Marks
from padan_server.store.port import Store

_PAGES = "page-token.key"
_LIVE = (DatasetState.OPEN, DatasetState.COMMITTED)
#: In a pass's folder, what has digests of its own; beside answers, what goes once it is counted.
_DIRECTORY, _MET = "directory", "met.npy"
#: What a crash may leave on its way in or out; the next start clears it up.
_UNDER_WAY = (".writing", ".merging", ".erasing")


class FlawKind(StrEnum):
    """What can be wrong with a file."""

    DAMAGED = "damaged"
    MISSING = "missing"
    #: Damaged, and made again from what is whole when it is next used.
    REMADE = "remade"
    #: There, and no record rests on it.
    EXTRA = "extra"


#: What keeps something from being answered.
HARMFUL = frozenset({FlawKind.DAMAGED, FlawKind.MISSING})


@dataclass(frozen=True)
class Flaw:
    """One file that is not as its record says; ``problem`` in Indonesian and English."""

    kind: FlawKind
    file: str
    problem: tuple[str, str]

    @classmethod
    def of(cls, damage: DamagedFileError) -> Flaw:
        """What a check raised."""
        missing = isinstance(damage, MissingFileError)
        kind = FlawKind.MISSING if missing else FlawKind.DAMAGED
        return cls(kind, damage.file, damage.problem)


class Inspection:
    """Goes through a unit's data directory. ``store`` is None where it cannot be read.

    ``stopped``: no server runs on it, so that what one writes while it runs is looked at too, and
    whose the folders ``elsewhere`` are.
    """

    def __init__(
        self,
        data_dir: Path,
        store: Store | None,
        checks: FolderChecks,
        pace: Pace = at_once,
        *,
        stopped: bool = False,
        elsewhere: tuple[Path, ...] = (),
    ) -> None:
        self._elsewhere = elsewhere
        self._stopped = stopped
        self._data_dir = data_dir
        self._store = store
        self._checks = checks
        self._pace = pace

    def findings(self) -> Iterator[Flaw]:
        """What is not as it should be, as it is found."""
        if self._store is None:
            yield from self._without_records()
            yield from self._of_meters()
            return
        with self._store.read() as tx:
            datasets = tx.datasets.in_state(_LIVE)
        for dataset in datasets:
            yield from self._of_dataset(self._store, dataset)
        yield from self._of_releases(self._store)
        yield from self._of_meters()
        if self._stopped:
            yield from self._beside(self._store)
        yield from self._unexplained(self._store)

    def _of_dataset(self, store: Store, dataset: Dataset) -> Iterator[Flaw]:
        """What is wrong with a dataset and the runs of it, unless it is being erased."""
        found = list(self._in_dataset(dataset))
        if dataset.role is Role.REQUESTER:
            with store.read() as tx:
                runs = tx.runs.of_dataset(dataset.id)
            for run in runs:
                found += self._of_run(store, run)
        with store.read() as tx:
            now = tx.datasets.get(dataset.id)
        if now is not None and now.state is dataset.state:
            yield from found

    def _in_dataset(self, dataset: Dataset) -> Iterator[Flaw]:
        committed = dataset.state is DatasetState.COMMITTED
        folder = f"{dataset.id}.delta" if dataset.is_delta and not committed else dataset.id
        for table in dataset.tables:
            owner = f"datasets/{folder}/{table.pass_id}"
            if committed or table.complete:
                yield from self._in_folder(owner, apart=(_DIRECTORY,))
                yield from self._in_directory(f"{owner}/{_DIRECTORY}")
            else:
                yield from self._half_uploaded(owner, table)
        if committed and dataset.role is Role.PROVIDER:
            yield from self._in_folder(
                f"datasets/{folder}", apart=[table.pass_id for table in dataset.tables]
            )

    def _half_uploaded(self, owner: str, table: DatasetTable) -> Iterator[Flaw]:
        """Whether there is anything of what was acknowledged; its digest comes with its end."""
        if table.uploaded and not any((self._data_dir / owner).glob("*.npy")):
            yield Flaw(FlawKind.MISSING, owner, ("hilang", "missing"))

    def _of_run(self, store: Store, run: Run) -> list[Flaw]:
        """What is wrong with a run's answers, unless they are being erased."""
        if run.state in UNANSWERED:
            return []
        found = list(self._in_run(run))
        with store.read() as tx:
            now = tx.runs.get(run.id)
        return [] if now is None or now.state in UNANSWERED else found

    def _in_run(self, run: Run) -> Iterator[Flaw]:
        for done in run.passes:
            owner = f"runs/{run.id}/{done.pass_id}"
            yield from self._in_folder(owner, optional=(_MET,))
        for path in sorted((self._data_dir / "runs" / run.id).glob("*.work/*")):
            place = path.relative_to(self._data_dir).as_posix()
            try:
                whole = piece_of(path.name, read_whole(path, place)) is not None
            except DamagedFileError:
                whole = False
            if not whole and not path.name.endswith(_UNDER_WAY):
                yield _remade(place)

    def _in_directory(self, owner: str) -> Iterator[Flaw]:
        if DirectoryFiles(Disk(), self._data_dir / owner).is_damaged(self._pace):
            yield _remade(owner)

    def _in_folder(
        self, owner: str, *, optional: Collection[str] = (), apart: Collection[str] = ()
    ) -> Iterator[Flaw]:
        """Compare every file of a folder with its sums; ``apart`` are checked otherwise."""
        folder = self._data_dir / owner
        try:
            kept = self._checks.sums(owner)
        except DamagedFileError as damage:
            yield Flaw.of(damage)
            return
        for name in kept:
            try:
                self._checks.check(owner, [name], again=True, pace=self._pace)
            except DamagedFileError as damage:
                if not (name in optional and isinstance(damage, MissingFileError)):
                    yield Flaw.of(damage)
        known = {*kept, *apart, SUMS}
        for path in sorted(folder.glob("*")):
            if path.name not in known and not path.name.endswith(_UNDER_WAY):
                yield _extra(f"{owner}/{path.name}")

    def _of_releases(self, store: Store) -> Iterator[Flaw]:
        folder = self._data_dir / "releases"
        with store.read() as tx:
            kept = tx.releases.kept()
        for release in kept:
            try:
                known = folder, release.id, release.size, release.digest
                next(read_release(*known, self._pace), None)
            except DamagedFileError as damage:
                with store.read() as tx:
                    erased = release.id in tx.releases.erased()
                if not erased:
                    yield Flaw.of(damage)

    def _beside(self, store: Store) -> Iterator[Flaw]:
        """Whether a server would start on it, and what it would lose."""
        marks = Marks(store, self._data_dir, Disk(), self._elsewhere)
        if (doubt := marks.doubted()) is not None:
            yield Flaw(FlawKind.DAMAGED, doubt.file, doubt.problem)
        if marks.is_mark_gone():
            problem = ("hilang; dibuat lagi saat mulai", "missing; made again at the next start")
            yield Flaw(FlawKind.REMADE, "mark.json", problem)
        with store.read() as tx:
            counted = tx.datasets.are_counted()
        if not counted:
            problem = ("jumlah baris tersimpan salah", "what datasets hold is wrongly added up")
            yield Flaw(FlawKind.DAMAGED, "unit.sqlite", problem)
        for name in damaged_journals(self._data_dir):
            yield Flaw(FlawKind.DAMAGED, name, ("baris rusak", "a line is not what was written"))
        strange = list(self._strange())
        yield from strange
        if not strange and not is_secret(self._data_dir / _PAGES):
            yield _remade(_PAGES)

    def _strange(self) -> Iterator[Flaw]:
        """What a start would look for, and is no file."""
        accepted = Acceptances(self._data_dir)
        for path in (self._data_dir / _PAGES, *map(accepted.path, Acceptable)):
            try:
                lies_ordinary(path)
            except NotOrdinaryError as e:
                yield Flaw(FlawKind.DAMAGED, path.name, e.problem)

    def _of_meters(self) -> Iterator[Flaw]:
        """Whether what was asked can be counted on; a list or a day that is lost is not seen."""
        folder = self._data_dir / "meters"
        if not any((self._data_dir / name).exists() for name in ("meters", "datasets")):
            return  # a provider of direct mode has neither
        try:
            check_secret(self._checks)
        except DamagedFileError as damage:
            yield Flaw.of(damage)
        for path in sorted(folder.glob("*/*/*")):
            if path.name.endswith(_UNDER_WAY):
                continue
            try:
                check_meter(path, self._pace)
            except MissingFileError:
                continue  # forgotten meanwhile
            except DamagedFileError as damage:
                yield Flaw.of(damage)

    def _unexplained(self, store: Store) -> Iterator[Flaw]:
        """Files of no record; of one that is being erased, the next start clears them up."""
        with store.read() as tx:
            datasets = [n for n in self._names("datasets") if tx.datasets.get(_id(n)) is None]
            runs = [n for n in self._names("runs") if tx.runs.get(_id(n)) is None]
            known = {r.id for r in tx.releases.kept()} | tx.releases.erased()
            releases = [n for n in self._names("releases") if _id(n) not in known]
        for folder, names in (("datasets", datasets), ("runs", runs), ("releases", releases)):
            for name in names:
                yield _extra(f"{folder}/{name}")

    def _names(self, folder: str) -> list[str]:
        place = self._data_dir / folder
        names = sorted(path.name for path in place.iterdir()) if place.is_dir() else []
        return [name for name in names if not name.endswith(_UNDER_WAY)]

    def _without_records(self) -> Iterator[Flaw]:
        """What can be said of tables and answers where no record can be read."""
        for place in ("datasets", "runs"):
            for path in sorted((self._data_dir / place).rglob(SUMS)):
                owner = path.parent.relative_to(self._data_dir).as_posix()
                folders = [p.name for p in path.parent.iterdir() if p.is_dir()]
                yield from self._in_folder(owner, optional=(_MET,), apart=folders)


def _id(name: str) -> str:
    return name.partition(".")[0]


def _extra(file: str) -> Flaw:
    return Flaw(FlawKind.EXTRA, file, ("tidak ada catatannya", "of no record"))


def _remade(file: str) -> Flaw:
    return Flaw(
        FlawKind.REMADE,
        file,
        ("rusak; dibuat lagi saat dipakai", "damaged; made again when it is used"),
    )
