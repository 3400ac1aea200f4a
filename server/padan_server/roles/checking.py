"""``padan-server fsck``: everything in the data directory of a stopped server, read once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from padan_server.base.config import ProviderConfig, UnitConfig
from padan_server.base.damage import DamageWatch
from padan_server.base.ordinary import NotOrdinaryError
from padan_server.roles.data_directory import hold_directory
from padan_server.roles.inspection import HARMFUL, Flaw, FlawKind, Inspection
from padan_server.roles.published import PublishedFiles
from padan_server.store.files.sums import FolderChecks
from padan_server.store.marks import require_known_format
from padan_server.store.port import DamagedStoreError
from padan_server.store.sql.store import SqlStore

_KINDS = {
    FlawKind.DAMAGED: ("rusak", "damaged"),
    FlawKind.MISSING: ("hilang", "missing"),
    FlawKind.REMADE: ("rusak", "damaged"),
    FlawKind.EXTRA: ("tanpa catatan", "extra"),
}


class _Blocks:
    """Counts the blocks that were compared."""

    def __init__(self) -> None:
        self.number = 0

    def checked(self, blocks: int) -> None:
        """Count so many."""
        self.number += blocks

    def damaged(self, files: int) -> None:
        """Flaws say it."""

    def read(self, _size: int) -> None:
        """Count a chunk of a label table."""
        self.number += 1


@dataclass(frozen=True)
class Report:
    """What was found in a data directory; ``blocks`` of files were compared with their sums."""

    data_dir: Path
    findings: tuple[Flaw, ...]
    blocks: int

    @property
    def harmful(self) -> bool:
        """Whether something is damaged or missing that cannot be made again."""
        return any(finding.kind in HARMFUL for finding in self.findings)


def examine(
    data_dir: Path, tables_dir: Path | None = None, seeds_dir: Path | None = None
) -> Report:
    """Read everything; of a provider its label tables and seeds too, where they are given.

    Raises DataDirectoryBusyError, and OtherVersionError of the store.
    """
    # Spec 30, "Doubt", step 9.
    require_known_format(data_dir, accept=True)
    lock = hold_directory(data_dir)
    counted = _Blocks()
    try:
        checks = FolderChecks(data_dir, DamageWatch(counted))
        kind = UnitConfig if tables_dir is None else ProviderConfig
        store, found = _store(data_dir, kind.STORE)
        try:
            elsewhere = tuple(folder for folder in (tables_dir, seeds_dir) if folder)
            looked = Inspection(data_dir, store, checks, stopped=True, elsewhere=elsewhere)
            found += looked.findings()
            if tables_dir is not None:
                found += PublishedFiles(tables_dir, seeds_dir, store, counted.read).flaws()
        finally:
            if store is not None:
                store.close()
    finally:
        os.close(lock)
    return Report(data_dir, tuple(found), counted.number)


def _store(data_dir: Path, expected: str) -> tuple[SqlStore | None, list[Flaw]]:
    """The store beside the files; None, and a finding, where it cannot be read."""
    places = [data_dir / kind.STORE for kind in (UnitConfig, ProviderConfig)]
    place = next((path for path in places if path.exists()), None)
    if place is None:
        problem = ("hilang, atau terletak di tempat lain", "missing, or kept elsewhere")
        return None, [Flaw(FlawKind.MISSING, expected, problem)]
    try:
        store = SqlStore.look(place)
        return store, [*_store_flaws(store)]
    except DamagedStoreError:
        problem = ("rusak; pulihkan dari cadangan", "damaged; restore it from a backup")
        return None, [Flaw(FlawKind.DAMAGED, place.name, problem)]
    except NotOrdinaryError as e:
        return None, [Flaw(FlawKind.DAMAGED, e.path.name, e.problem)]


def _store_flaws(store: SqlStore) -> Iterator[Flaw]:
    """What no server would start on, or would make again."""
    if store.doubt is not None:
        yield Flaw(FlawKind.DAMAGED, store.doubt.file, store.doubt.problem)
    if store.uncompared:
        problem = ("tidak cocok lagi; dibuat lagi", "is not of this store; made again")
        yield Flaw(FlawKind.REMADE, store.uncompared, problem)


def shown(report: Report, *, as_json: bool) -> str:
    """A report as the command prints it."""
    if as_json:
        return json.dumps(
            {
                "data_dir": str(report.data_dir),
                "whole": not report.harmful,
                "blocks": report.blocks,
                "findings": [
                    {"kind": f.kind.value, "file": f.file, "problem": f.problem[1]}
                    for f in report.findings
                ],
            },
            indent=1,
        )
    return "\n".join([*map(_line, report.findings), _sum(report)])


def _line(finding: Flaw) -> str:
    (indonesian, english), problem = _KINDS[finding.kind], finding.problem
    return f"{finding.file}: {indonesian} ({problem[0]}) / {english} ({problem[1]})"


def _sum(report: Report) -> str:
    if not report.harmful:
        if report.findings:
            return (
                f"Selain yang tersebut utuh: {report.blocks} blok cocok; tidak ada yang perlu "
                f"dipulihkan. / But for these, whole: {report.blocks} blocks fit. Nothing is to "
                "be restored."
            )
        return f"Utuh: {report.blocks} blok cocok. / Whole: {report.blocks} blocks fit."
    bad = sum(finding.kind in HARMFUL for finding in report.findings)
    return (
        f"{bad} berkas rusak atau hilang; tidak ada yang diubah. Pulihkan dari cadangan, atau "
        f"minta pemiliknya menerbitkan lagi. / {bad} files are damaged or missing; nothing was "
        "changed. Restore them from a backup, or have their owner publish again."
    )
