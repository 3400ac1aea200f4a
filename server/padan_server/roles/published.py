"""Whether the label tables that a provider has published, and their seeds, are still whole.

For ``padan-server fsck``. Who signed a table is the serving provider's business: what it had
verified when it recorded a table is compared with what lies there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from padan_linkage.direct.manifest import (
    MANIFEST_FILE,
    SIGNATURE_FILE,
    Manifest,
    is_former,
    parse_manifest,
)
from padan_server.base.clock import SystemClock
from padan_server.base.damage import DamagedFileError
from padan_server.base.model import FlowKey, TableRecord
from padan_server.direct.published_tables import FormerTableError, TableFolder, TablesFolder
from padan_server.direct.seeds import EpochDestroyedError, Seeds
from padan_server.roles.inspection import Flaw
from padan_server.store.files.sums import Pace
from padan_server.store.port import Store


class PublishedFiles:
    """Tables and, where their folder is known, seeds, beside the records in ``store`` if any."""

    def __init__(
        self, tables_dir: Path, seeds_dir: Path | None, store: Store | None, pace: Pace
    ) -> None:
        self._folder = TablesFolder(tables_dir)
        self._seeds = None if seeds_dir is None else Seeds(seeds_dir)
        self._pace = pace
        self._records: Mapping[str, TableRecord] = {}
        self._now = SystemClock().now()
        if store is not None:
            with store.read() as tx:
                self._records = {r.id: r for r in tx.label_tables.all()}
                mark = tx.marks.get()
            # What its server has believed last: it alone ends tables.
            self._now = (mark and mark.latest) or self._now

    def flaws(self) -> Iterator[Flaw]:
        """What is damaged or missing, each file once."""
        told: set[str] = set()
        for damage in self._damages():
            if damage.file not in told:
                told.add(damage.file)
                yield Flaw.of(damage)

    def _damages(self) -> Iterator[DamagedFileError]:
        names = []
        try:
            names = self._folder.names()
        except OSError as e:
            if any(map(self._stands, self._records.values())):
                damage = self._folder.unread(e)
                if not isinstance(damage, DamagedFileError):
                    raise
                yield damage
        there: dict[str, Manifest] = {}
        former = []
        for name in names:
            try:
                there[name] = self._checked(self._folder.table(name))
            except FormerTableError as damage:
                former.append((name, damage))
            except DamagedFileError as damage:
                yield damage
        followed = {_flow_of(m) for m in there.values()}
        for name, old in former:
            record = self._records.get(name)
            if record is None or (self._stands(record) and record.flow not in followed):
                yield old
        yield from self._of_records(names, there)
        yield from self._of_seeds(there.values())

    def _checked(self, table: TableFolder) -> Manifest:
        """A table whose files are what was signed. Raises DamagedFileError."""
        found, record = table.publication(), self._records.get(table.path.name)
        if found.manifest.table != table.path.name:
            raise table.altered(MANIFEST_FILE)
        if record is not None and record.manifest:
            if found.document != record.manifest:
                raise table.altered(MANIFEST_FILE)
            if found.signature != record.signature:
                raise table.altered(SIGNATURE_FILE)
        table.chunk_hashes(found.manifest, self._pace)
        return found.manifest

    def _of_records(
        self, names: Iterable[str], there: Mapping[str, Manifest]
    ) -> Iterator[DamagedFileError]:
        """What has to answer, and is not there."""
        known = {
            r.id: parse_manifest(r.manifest)
            for r in self._standing()
            if r.manifest and not is_former(r.manifest)
        }
        ended = {i for i, r in self._records.items() if not self._stands(r)}
        published: dict[FlowKey, list[Manifest]] = {}
        for manifest in {**there, **known}.values():
            if manifest.table not in ended and not self._is_destroyed(manifest):
                published.setdefault(_flow_of(manifest), []).append(manifest)
        for manifests in published.values():
            try:
                chain = self._folder.answering(manifests, self._now, ended)
            except DamagedFileError as damage:
                yield damage
                continue
            for missing in (m.table for m in chain if m.table not in names):
                yield self._folder.table(missing).missing()
            if self._seeds is not None:
                yield from self._of_seeds(chain)

    def _of_seeds(self, manifests: Iterable[Manifest]) -> Iterator[DamagedFileError]:
        """Seeds that are not those of tables that may still be asked for."""
        for manifest in manifests:
            if self._seeds is None or manifest.expires_at <= self._now:
                continue
            try:
                self._seeds.check(_flow_of(manifest), manifest.epoch, manifest.public_keys)
            except DamagedFileError as damage:
                yield damage
            except EpochDestroyedError:
                continue

    def _standing(self) -> Iterator[TableRecord]:
        return filter(self._stands, self._records.values())

    def _stands(self, record: TableRecord) -> bool:
        return record.destroy_time is None and record.expire_time > self._now

    def _is_destroyed(self, manifest: Manifest) -> bool:
        seeds = self._seeds
        return seeds is not None and seeds.is_destroyed(_flow_of(manifest), manifest.epoch)


def _flow_of(manifest: Manifest) -> FlowKey:
    digest = bytes.fromhex(manifest.agreement_digest)
    return FlowKey(manifest.agreement, digest, manifest.flow)
