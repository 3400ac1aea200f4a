"""What lies in the tables' folder, beside what the records say has to lie there.

What a provider signed is recorded before it is first served. From then on it stands until it
expires, is destroyed with its epoch's key, or a newer base takes its place: deleting it is damage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from padan_linkage.direct.manifest import (
    MANIFEST_FILE,
    ROWS_FILE,
    Manifest,
    ManifestError,
    TablePublication,
    is_former,
    parse_manifest,
)
from padan_linkage.direct.table import chunk_count
from padan_server.base.clock import Clock
from padan_server.base.damage import DamagedFileError
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import FlowKey, TableRecord
from padan_server.direct.published_tables import FormerTableError, TableFolder, TablesFolder
from padan_server.direct.seeds import Seeds
from padan_server.direct.signed_tables import SignedTables
from padan_server.store.doubts import Doubt
from padan_server.store.port import Store

_log = structlog.get_logger(__name__)


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
    def chunk_count(self) -> int:
        """Number of chunks."""
        return chunk_count(self.manifest.rows)


@dataclass(frozen=True)
class TablesReading:
    """What the last look at folder and records found."""

    served: Mapping[str, ServedTable] = field(default_factory=dict)
    #: What was published and not erased, whole or not, of the flows that can be asked.
    standing: Mapping[FlowKey, list[Manifest]] = field(default_factory=dict)
    #: Tables whose time is over, by record.
    ended: frozenset[str] = frozenset()
    #: What is there of them and is not whole, by table.
    damaged: Mapping[str, DamagedFileError] = field(default_factory=dict)
    #: What nobody can tell what it is, and may be the newest table of a flow, or of any.
    unknown: tuple[tuple[FlowKey | None, DamagedFileError], ...] = ()

    def require_known(self, flow: FlowKey) -> None:
        """Raise DamagedFileError where nobody can tell what the flow's newest table is."""
        for owner, damage in self.unknown:
            if owner in (None, flow):
                raise damage.with_traceback(None)

    def require_whole(self, table_id: str) -> None:
        """Raise DamagedFileError where a table is damaged."""
        if (damage := self.damaged.get(table_id)) is not None:
            raise damage.with_traceback(None)

    def without(self, table_id: str, damage: DamagedFileError | None = None) -> TablesReading:
        """The same, with a table no longer served."""
        served = {i: t for i, t in self.served.items() if i != table_id}
        damaged = {i: d for i, d in self.damaged.items() if i != table_id}
        if damage is not None:
            damaged[table_id] = damage
        return replace(self, served=served, damaged=damaged)


class TableReader:
    """Reads the folder, records what is new there, and compares it with the records."""

    def __init__(
        self,
        folder: TablesFolder,
        seeds: Seeds,
        signed: SignedTables,
        store: Store,
        clock: Clock,
        failpoints: Failpoints,
        claim: Callable[[], Doubt | None],
    ) -> None:
        self._claim = claim
        self._folder = folder
        self._seeds = seeds
        self._signed = signed
        self._store = store
        self._clock = clock
        self._failpoints = failpoints
        self._hashed: dict[tuple[object, ...], bytes] = {}
        self._told: set[tuple[str, str]] = set()

    def read(self) -> TablesReading:
        """What there is; nothing is taken from a folder that another store has served."""
        if (doubt := self._claim()) is not None:
            return TablesReading(unknown=((None, DamagedFileError(doubt.file, *doubt.problem)),))
        names = self._names()
        read = {name: self._read(name) for name in names or ()}
        served = {name: t for name, t in read.items() if isinstance(t, ServedTable)}
        faults = {name: f for name, f in read.items() if isinstance(f, Exception)}
        former = {name: f for name, f in faults.items() if isinstance(f, FormerTableError)}
        with self._store.read() as tx:
            records = {r.id: r for r in tx.label_tables.all()}
        stands = {i: r for i, r in records.items() if self._stands(r)}
        gone = [r for i, r in stands.items() if i not in read]
        if names is not None:
            self._note_destroyed(gone)
        left = [*gone, *(r for i, r in stands.items() if i in former)]
        damaged, unknown = {}, [*self._undescribed(left, stands, served, former)]
        for name, fault in faults.items():
            if name in former:
                self._tell(name, fault)
            elif name in stands:
                damaged[name] = _damage(fault, self._folder.table(name), stands[name])
            elif name not in records and isinstance(fault, DamagedFileError):
                unknown.append((self._signed.owner(self._folder.table(name)), fault))
            else:
                self._tell(name, fault)
        ended = frozenset(records.keys() - stands.keys())
        return TablesReading(served, _by_flow(stands.values()), ended, damaged, tuple(unknown))

    def forget(self, table_id: str) -> None:
        """Read a table's rows again, whatever its file says of itself."""
        self._hashed = {known: h for known, h in self._hashed.items() if known[0] != table_id}

    def end(self, table: TableRecord) -> None:
        """Record that a table's files are gone, as they had to."""
        with self._store.write() as tx:
            tx.label_tables.destroyed(table.id, self._clock.now())
        _log.info(
            "table_destroyed",
            table=table.id,
            agreement=table.flow.agreement,
            flow=table.flow.flow,
            epoch=table.epoch,
            rows=table.rows,
        )

    def _names(self) -> list[str] | None:
        """What lies in the folder; None where it cannot be listed."""
        try:
            return self._folder.names()
        except OSError as e:
            damage = self._folder.unread(e)
            if not isinstance(damage, DamagedFileError):
                raise
            if damage.problem not in self._told:
                self._told.add(damage.problem)
                _log.error("tables_unreadable", error=e.strerror)
            return None

    def _read(self, name: str) -> ServedTable | Exception:
        """The table in a folder, or why it cannot be served."""
        folder = self._folder.table(name)
        try:
            key, found = self._signed.read(folder)
            self._record(key, found)
            if found.manifest.table != name:
                raise ManifestError("table", "the folder has another name")
            hashes = self._hashes(folder, found)
        except (DamagedFileError, ManifestError) as fault:
            return fault
        return ServedTable(key, found.manifest, found.document, found.signature, hashes, found.rows)

    def _hashes(self, folder: TableFolder, found: TablePublication) -> bytes:
        """Chunk hashes of the rows, if they have the manifest's root; hashed once a file."""
        try:
            held = found.rows.stat()
        except OSError as e:
            raise folder.unread(e, ROWS_FILE) from None
        kept = held.st_ino, held.st_size, held.st_mtime_ns, held.st_ctime_ns
        known = (found.manifest.table, hashlib.sha256(found.document).digest(), *kept)
        if known not in self._hashed:
            self._hashed[known] = folder.chunk_hashes(found.manifest)
        return self._hashed[known]

    def _record(self, key: FlowKey, found: TablePublication) -> None:
        """Remember a table before it is first served.

        Raises ManifestError for one that was destroyed, DamagedFileError where another was signed
        under its id.
        """
        m = found.manifest
        with self._store.read() as tx:
            known = tx.label_tables.get(m.table)
        if known is None:
            self._add(key, found)
        elif known.destroy_time is not None:
            raise ManifestError("table", "was destroyed")
        elif known.manifest not in (b"", found.document):
            raise self._folder.table(m.table).altered(MANIFEST_FILE)
        elif known.signature != found.signature:
            with self._store.write() as tx:
                tx.label_tables.describe(m.table, found.document, found.signature)

    def _add(self, key: FlowKey, found: TablePublication) -> None:
        """Record a table that is new. Only this reader adds any."""
        m = found.manifest
        with self._store.write() as tx:
            tx.label_tables.add(_record_of(key, found, self._clock))
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

    def _stands(self, record: TableRecord) -> bool:
        """Whether a table is to be had, of a flow that can be asked."""
        over = record.destroy_time is not None or record.expire_time <= self._clock.now()
        return not over and self._signed.is_in_force(record.flow)

    def _note_destroyed(self, gone: Iterable[TableRecord]) -> None:
        """Record tables that their publisher removed with their epoch's key."""
        for record in gone:
            if self._seeds.is_destroyed(record.flow, record.epoch):
                self.end(record)

    def _undescribed(
        self,
        left: Iterable[TableRecord],
        stands: Mapping[str, TableRecord],
        served: Collection[str],
        former: Mapping[str, DamagedFileError],
    ) -> Iterator[tuple[FlowKey | None, DamagedFileError]]:
        """Tables of which no manifest of this version's form is known, and that are not served.

        Unless another base came after.
        """
        bases = [stands[i] for i in served if i in stands and not stands[i].sequence]
        for record in left:
            superseded = any(
                b.flow == record.flow
                and (b.epoch, b.first_time) > (record.epoch, record.first_time)
                for b in bases
            )
            destroyed = self._seeds.is_destroyed(record.flow, record.epoch)
            if not (_is_described(record) or superseded or destroyed):
                missing = self._folder.table(record.id).missing()
                yield record.flow, former.get(record.id, missing)

    def _tell(self, table: str, fault: Exception) -> None:
        """Log what is wrong with a folder, once; a name that is no table's could say anything."""
        problem = fault.field if isinstance(fault, ManifestError) else "rows"
        problem = "format" if isinstance(fault, FormerTableError) else problem
        named = "" if problem == "name" else table
        if (named, problem) not in self._told:
            self._told.add((named, problem))
            _log.warning("table_refused", table=named, problem=problem)


def _by_flow(records: Iterable[TableRecord]) -> dict[FlowKey, list[Manifest]]:
    found: dict[FlowKey, list[Manifest]] = {}
    for record in records:
        if _is_described(record):
            found.setdefault(record.flow, []).append(parse_manifest(record.manifest))
    return found


def _is_described(record: TableRecord) -> bool:
    """Whether the record has the table's manifest, in the form of this version."""
    return bool(record.manifest) and not is_former(record.manifest)


def _record_of(key: FlowKey, found: TablePublication, clock: Clock) -> TableRecord:
    manifest = found.manifest
    return TableRecord(
        id=manifest.table,
        flow=key,
        epoch=manifest.epoch,
        sequence=manifest.sequence,
        rows=manifest.rows,
        root=bytes.fromhex(manifest.root),
        first_time=clock.now(),
        expire_time=manifest.expires_at,
        manifest=found.document,
        signature=found.signature,
    )


def _damage(fault: Exception, folder: TableFolder, record: TableRecord) -> DamagedFileError:
    """What is wrong with a table that was published, and does not lie there as it was."""
    try:
        document = folder.publication().document
    except DamagedFileError as damage:
        return damage
    changed = record.manifest not in (b"", document)
    if changed or not isinstance(fault, DamagedFileError):
        return folder.altered(MANIFEST_FILE)
    return fault
