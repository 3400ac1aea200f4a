"""The label tables that a provider serves: read from a folder, each verified before it is shown.

A table appears in the folder whole, by a rename (``padan publish --mode direct``). It is served if
its provider signed it, for this flow of this exact agreement, if its rows are those of its root,
and if the epoch's seed gives its public key. A folder with problems is logged and left out.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from padan_linkage.agreement import Agreement, Flow, Mode
from padan_linkage.crypto.merkle import HASH_BYTES, leaf_hash
from padan_linkage.direct.manifest import (
    Manifest,
    ManifestError,
    TablePublication,
    check_manifest,
    in_order,
    manifest_statement,
    verify_manifest,
)
from padan_linkage.direct.table import (
    CHUNK_BYTES,
    LabelTable,
    TableError,
    chunk_count,
    split_hashes,
)
from padan_server.admission.agreements import AgreementBook
from padan_server.admission.enforcement import Grant, schema_digest
from padan_server.base.clock import Clock
from padan_server.base.damage import DamagedFileError, DamageWatch
from padan_server.base.errors import Reason, Refusal
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import FlowKey, TableRecord
from padan_server.direct.seeds import SeedError, Seeds
from padan_server.store.port import Store, Transaction

_log = structlog.get_logger(__name__)
_TABLE_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class ServedTable:
    """A verified table: ``chunk_hashes`` has 32 bytes for each chunk of ``rows``."""

    key: FlowKey
    manifest: Manifest
    document: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    chunk_hashes: bytes = field(repr=False)
    rows: Path

    @property
    def public_key(self) -> bytes:
        """Of the key that its tags were made with."""
        return bytes.fromhex(self.manifest.public_key)

    @property
    def chunk_count(self) -> int:
        """Number of chunks."""
        return chunk_count(self.manifest.rows)


class ServedTables:
    """The tables of a folder, as last read; :meth:`reload` reads again."""

    def __init__(
        self,
        folder: Path,
        seeds: Seeds,
        book: AgreementBook,
        store: Store,
        clock: Clock,
        party: str,
        failpoints: Failpoints,
        watch: DamageWatch,
    ) -> None:
        self._watch = watch
        self._folder = folder
        self._seeds = seeds
        self._book = book
        self._store = store
        self._clock = clock
        self._party = party
        self._failpoints = failpoints
        self._reloading = threading.Lock()
        self._served: dict[str, ServedTable] = {}
        self._hashed: dict[tuple[str, int, int], bytes] = {}
        self._told: set[tuple[str, str]] = set()
        self.reload()

    def reload(self) -> None:
        """Read the folder again. Keeps what it had if the folder cannot be read."""
        with self._reloading:
            try:
                found = sorted(p.name for p in self._folder.iterdir() if p.name[0] != ".")
            except OSError as e:
                _log.error("tables_unreadable", error=e.strerror)
                return
            served = {}
            for name in found:
                table = self._read(name)
                if table is not None:
                    served[name] = table
            self._served = served

    def of_flow(self, key: FlowKey) -> list[ServedTable]:
        """What answers the flow now: the newest base, then its deltas, oldest first."""
        mine = [t for t in self._served.values() if t.key == key and self._alive(t)]
        return [self._served[m.table] for m in self._chain([t.manifest for t in mine])]

    def is_served(self, table_id: str) -> bool:
        """Whether a table is served now."""
        return table_id in self._served

    def get(self, grant: Grant, table_id: str) -> ServedTable:
        """A table of the admitted flow, or the refusal that says it has expired or never was."""
        table = self._served.get(table_id)
        if table is not None and table.key == grant.key and self._alive(table):
            return table
        with self._store.read() as tx:
            record = tx.label_tables.get(table_id)
        if record is not None and record.flow == grant.key:
            raise Refusal(Reason.TABLE_EXPIRED, **grant.metadata)
        raise Refusal(Reason.TABLE_NOT_FOUND, **grant.metadata)

    def chunks(self, grant: Grant, table: ServedTable, start: int) -> Iterator[tuple[int, bytes]]:
        """Number and rows of each chunk from ``start`` on, for as long as the table may be had.

        Raises DamagedFileError for a chunk that is not what the manifest's root says.
        """
        try:
            file = table.rows.open("rb")
        except FileNotFoundError:
            self.get(grant, table.manifest.table)
            raise Refusal(Reason.TABLE_NOT_FOUND, **grant.metadata) from None
        with file:
            file.seek(start * CHUNK_BYTES)
            for number in range(start, table.chunk_count):
                self.get(grant, table.manifest.table)
                rows = file.read(CHUNK_BYTES)
                if leaf_hash(rows) != table.chunk_hashes[HASH_BYTES * number :][:HASH_BYTES]:
                    raise self._damaged(table, number)
                yield number, rows

    def _damaged(self, table: ServedTable, chunk: int) -> DamagedFileError:
        damage = DamagedFileError(
            f"{table.manifest.table}/{table.rows.name}",
            f"potongan {chunk} bukan yang ditandatangani",
            f"chunk {chunk} is not what was signed",
        )
        self._watch.found(damage)
        return damage

    def public_key(self, tx: Transaction, grant: Grant, epoch: int) -> bytes:
        """The public key that answers an epoch of the flow now, 32 bytes, or the refusal."""
        for table in self._served.values():
            manifest = table.manifest
            base = table.key == grant.key and manifest.epoch == epoch and not manifest.is_delta
            if base and self._alive(table):
                return table.public_key
        if tx.label_tables.has_epoch(grant.key, epoch):
            raise Refusal(Reason.TABLE_EXPIRED, **grant.metadata)
        raise Refusal(Reason.TABLE_NOT_FOUND, **grant.metadata)

    def erase_expired(self) -> None:
        """Erase the files of expired tables, and record that they are gone."""
        now = self._clock.now()
        with self._store.read() as tx:
            expired = tx.label_tables.left(now)
        for table in expired:
            with self._reloading:
                self._served = {i: t for i, t in self._served.items() if i != table.id}
                folder = self._folder / table.id
                if folder.exists():
                    shutil.rmtree(folder)
            self._failpoints.hit("table.erased")
            with self._store.write() as tx:
                tx.label_tables.destroyed(table.id, now)
            self._failpoints.hit("table.destroyed")
            _log.info(
                "table_destroyed",
                table=table.id,
                agreement=table.flow.agreement,
                flow=table.flow.flow,
                epoch=table.epoch,
                rows=table.rows,
            )

    def _alive(self, table: ServedTable) -> bool:
        """Whether it may be used now: not expired, its seed still there."""
        if self._clock.now() >= table.manifest.expires_at:
            return False
        try:
            self._seeds.read(table.key, table.manifest.epoch)
        except SeedError:
            return False
        return True

    def _chain(self, manifests: list[Manifest]) -> list[Manifest]:
        """In order; where a delta is missing, what comes before it."""
        newest_first = sorted(manifests, key=lambda m: m.sequence, reverse=True)
        while True:
            try:
                return in_order(newest_first, self._clock.now())
            except ManifestError as e:
                self._tell(newest_first.pop(0).table, e.field)

    def _read(self, name: str) -> ServedTable | None:
        """The table in a folder; None, and a line in the log, if it cannot be served."""
        if not _TABLE_ID.fullmatch(name):
            self._tell("", "name")
            return None
        try:
            table = self._verified(name)
            self._record(table)
        except ManifestError as e:
            self._tell(name, e.field)
        except TableError:
            self._tell(name, "rows")
        except SeedError as e:
            self._tell(name, f"seed: {e}")
        else:
            return table
        return None

    def _verified(self, name: str) -> ServedTable:
        folder = self._folder / name
        found = TablePublication.read(folder)
        manifest = found.manifest
        if manifest.table != name:
            raise ManifestError("table", "the folder has another name")
        digest, agreement, flow = self._flow_of(manifest)
        statement = manifest_statement(found.document)
        signer = agreement.signer_of(self._party, statement, found.signature)
        verify_manifest(found.document, found.signature, signer)
        check_manifest(
            manifest,
            agreement=agreement.id,
            agreement_digest=digest,
            flow=flow.id,
            direct_schema_digest=schema_digest(flow, Mode.DIRECT),
            now=self._clock.now(),
        )
        key = FlowKey(agreement.id, digest, flow.id)
        if self._seeds.public_key(key, manifest.epoch).hex() != manifest.public_key:
            raise ManifestError("public_key", "not what the seed gives")
        hashes = self._hashes(found)
        return ServedTable(key, manifest, found.document, found.signature, hashes, found.rows)

    def _flow_of(self, manifest: Manifest) -> tuple[bytes, Agreement, Flow]:
        """Agreement and flow that a manifest names, if the provider answers it directly."""
        signed = self._book.get(manifest.agreement)
        if signed is None or signed.agreement is None:
            raise ManifestError("agreement", "not held")
        for flow in signed.agreement.flows:
            if flow.id == manifest.flow and flow.provider == self._party:
                if Mode.DIRECT not in flow.modes or flow.direct is None or flow.schema is None:
                    raise ManifestError("flow", "has no direct mode")
                return signed.digest, signed.agreement, flow
        raise ManifestError("flow", "not this provider's")

    def _hashes(self, found: TablePublication) -> bytes:
        """Chunk hashes of the rows, if they have the manifest's root; hashed once a file."""
        try:
            held = found.rows.stat()
        except OSError:
            raise TableError("the rows cannot be read") from None
        known = (hashlib.sha256(found.document).hexdigest(), held.st_ino, held.st_mtime_ns)
        if known not in self._hashed:
            hashes = LabelTable.open(found.rows, found.manifest.rows).chunk_hashes()
            split_hashes(hashes, found.manifest.rows, bytes.fromhex(found.manifest.root))
            self._hashed[known] = hashes
        return self._hashed[known]

    def _record(self, table: ServedTable) -> None:
        """Remember a table before it is first served; refuse one that was destroyed."""
        m = table.manifest
        with self._store.write() as tx:
            known = tx.label_tables.get(m.table)
            if known is not None and known.destroy_time is not None:
                raise ManifestError("table", "was destroyed")
            fresh = known is None
            if fresh:
                tx.label_tables.add(
                    TableRecord(
                        id=m.table,
                        flow=table.key,
                        epoch=m.epoch,
                        sequence=m.sequence,
                        rows=m.rows,
                        root=bytes.fromhex(m.root),
                        first_time=self._clock.now(),
                        expire_time=m.expires_at,
                    )
                )
        if fresh:
            self._failpoints.hit("table.recorded")
            _log.info(
                "table_served",
                table=m.table,
                agreement=m.agreement,
                flow=m.flow,
                epoch=m.epoch,
                sequence=m.sequence,
                rows=m.rows,
            )

    def _tell(self, table: str, problem: str) -> None:
        """Log what is wrong with a folder, once."""
        if (table, problem) not in self._told:
            self._told.add((table, problem))
            _log.warning("table_refused", table=table, problem=problem)
