"""The label tables that a provider serves: read from a folder, each verified before it is shown.

A table appears in the folder whole, by a rename (``padan publish --mode direct``). It is served if
its provider signed it, for this flow of this exact agreement, if its rows are those of its root,
and if the epoch's seed gives its public keys. What was signed has to be there from then on, or its
flow is refused; a folder of something else is logged and left out. Spec 60, "What stands".
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator

from padan_linkage.crypto.merkle import HASH_BYTES, leaf_hash
from padan_linkage.direct.manifest import ROWS_FILE, Manifest
from padan_linkage.direct.table import CHUNK_BYTES
from padan_server.admission.enforcement import Grant
from padan_server.base.clock import Clock
from padan_server.base.damage import DamagedFileError, DamageWatch, MissingFileError
from padan_server.base.errors import Reason, Refusal
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import FlowKey
from padan_server.base.ordinary import ordinary_file
from padan_server.direct.published_tables import TablesFolder
from padan_server.direct.readings import ServedTable, TableReader, TablesReading
from padan_server.direct.seeds import EpochDestroyedError, Seeds
from padan_server.direct.signed_tables import SignedTables
from padan_server.store.doubts import Doubt
from padan_server.store.files.sums import Pace
from padan_server.store.port import Store, Transaction


class ServedTables:
    """The tables of a folder, as last read; :meth:`reload` reads again.

    Whatever asks for something of a flow raises DamagedFileError while a table that has to answer
    in it is missing or damaged, or its seed. ``claim`` takes the folder for this store, or says why
    it is not this store's.
    """

    def __init__(
        self,
        folder: TablesFolder,
        seeds: Seeds,
        signed: SignedTables,
        store: Store,
        clock: Clock,
        failpoints: Failpoints,
        watch: DamageWatch,
        claim: Callable[[], Doubt | None],
    ) -> None:
        self._watch = watch
        self._folder = folder
        self._seeds = seeds
        self._store = store
        self._clock = clock
        self._failpoints = failpoints
        self._reader = TableReader(folder, seeds, signed, store, clock, failpoints, claim)
        self._reading = TablesReading()
        self._reloading = threading.Lock()
        self.reload()

    def reload(self) -> None:
        """Read folder and records again; tells what is damaged, and what is no more."""
        with self._reloading:
            self._reading = self._reader.read()
            damages = {damage.file: damage for damage in self._damages()}
            for damage in damages.values():
                self._watch.found(damage)
            for file in self._watch.known() - damages.keys():
                self._watch.ended(file)

    def of_flow(self, key: FlowKey, *, derive: bool = True) -> list[ServedTable]:
        """What answers the flow now: the newest base, then its deltas, oldest first.

        ``derive``: also whether the seed still gives their keys, which takes a third of a
        millisecond for up to eight.
        """
        with self._watch.telling():
            try:
                return self._chain(key, derive=derive)
            except EpochDestroyedError:  # just now
                return []

    def get(self, grant: Grant, table_id: str) -> ServedTable:
        """A table of the admitted flow, or the refusal that says it has expired or never was."""
        self.of_flow(grant.key, derive=False)
        reading = self._reading
        table = reading.served.get(table_id)
        if table is not None and table.key == grant.key and self._usable(table, derive=False):
            return table
        with self._store.read() as tx:
            record = tx.label_tables.get(table_id)
        if record is None or record.flow != grant.key:
            raise Refusal(Reason.TABLE_NOT_FOUND, **grant.metadata)
        reading.require_whole(table_id)
        raise Refusal(Reason.TABLE_EXPIRED, **grant.metadata)

    def public_keys(self, tx: Transaction, grant: Grant, epoch: int) -> list[bytes]:
        """The public keys that answer an epoch of the flow now, or the refusal.

        32 bytes for each direct key, in the schema's order.
        """
        assert grant.flow.direct is not None
        self.of_flow(grant.key)
        reading = self._reading
        for manifest in reading.standing.get(grant.key, ()):
            if manifest.epoch == epoch and not manifest.is_delta:
                table = reading.served.get(manifest.table)
                if table is not None and self._usable(table):
                    given = table.manifest.public_keys
                    return [bytes.fromhex(given[key.id]) for key in grant.flow.direct.keys]
                reading.require_whole(manifest.table)
        if tx.label_tables.has_epoch(grant.key, epoch):
            raise Refusal(Reason.TABLE_EXPIRED, **grant.metadata)
        raise Refusal(Reason.TABLE_NOT_FOUND, **grant.metadata)

    def chunks(self, grant: Grant, table: ServedTable, start: int) -> Iterator[tuple[int, bytes]]:
        """Number and rows of each chunk from ``start`` on, for as long as the table may be had.

        Raises DamagedFileError for a chunk that is not what the manifest's root says.
        """
        table_id = table.manifest.table
        folder = self._folder.table(table_id)
        try:
            file = ordinary_file(table.rows)
        except OSError as e:
            self.get(grant, table_id)
            damage = folder.unread(e, ROWS_FILE)
            if isinstance(damage, DamagedFileError):
                self._rotten(table_id, damage)
            raise damage from None
        with file:
            file.seek(start * CHUNK_BYTES)
            for number in range(start, table.chunk_count):
                self.get(grant, table_id)
                rows = file.read(CHUNK_BYTES)
                if leaf_hash(rows) != table.chunk_hashes[HASH_BYTES * number :][:HASH_BYTES]:
                    raise self._rotten(table_id, folder.altered(ROWS_FILE))
                yield number, rows

    def scrub(self, pace: Pace) -> Iterator[DamagedFileError]:
        """Read every table that is served again, at that pace; all that is damaged then."""
        for table in list(self._reading.served.values()):
            table_id = table.manifest.table
            try:
                self._folder.table(table_id).chunk_hashes(table.manifest, pace)
            except MissingFileError:
                continue  # erased meanwhile, or lost: what is read below tells
            except DamagedFileError as damage:
                self._rotten(table_id, damage)
        self.reload()
        yield from self._damages()

    def erase_expired(self) -> None:
        """Erase the files of expired tables, and record that they are gone."""
        with self._store.read() as tx:
            expired = tx.label_tables.left(self._clock.now())
        for table in expired:
            with self._reloading:
                self._reading = self._reading.without(table.id)
                folder = self._folder.table(table.id).path
                if folder.exists():
                    shutil.rmtree(folder)
            self._failpoints.hit("table.erased")
            self._reader.end(table)
            self._failpoints.hit("table.destroyed")

    def _chain(self, key: FlowKey, *, derive: bool = True) -> list[ServedTable]:
        """What answers the flow; EpochDestroyedError if its key is destroyed meanwhile."""
        reading = self._reading
        reading.require_known(key)
        kept = [m for m in reading.standing.get(key, ()) if self._has_key(key, m)]
        chain = self._folder.answering(kept, self._clock.now(), reading.ended)
        found = [self._whole(reading, m) for m in chain]
        for base in chain[:1]:  # its deltas are of the same keys
            self._check_seed(key, base, derive=derive)
        return found

    def _whole(self, reading: TablesReading, manifest: Manifest) -> ServedTable:
        """One of the tables that have to answer."""
        reading.require_whole(manifest.table)
        if (table := reading.served.get(manifest.table)) is None:
            raise self._folder.table(manifest.table).missing()
        return table

    def _has_key(self, key: FlowKey, manifest: Manifest) -> bool:
        """Whether its epoch was not destroyed."""
        return not self._seeds.is_destroyed(key, manifest.epoch)

    def _check_seed(self, key: FlowKey, manifest: Manifest, *, derive: bool) -> None:
        if derive:
            self._seeds.check(key, manifest.epoch, manifest.public_keys)
        else:
            self._seeds.read(key, manifest.epoch)

    def _usable(self, table: ServedTable, *, derive: bool = True) -> bool:
        """Whether it may be used now: not expired, its epoch not destroyed."""
        if self._clock.now() >= table.manifest.expires_at:
            return False
        try:
            with self._watch.telling():
                self._check_seed(table.key, table.manifest, derive=derive)
        except EpochDestroyedError:
            return False
        return True

    def _rotten(self, table_id: str, damage: DamagedFileError) -> DamagedFileError:
        """Serve a table no longer until it is whole."""
        with self._reloading:
            self._reader.forget(table_id)
            self._reading = self._reading.without(table_id, damage)
            self._watch.found(damage)
        return damage

    def _damages(self) -> Iterator[DamagedFileError]:
        """All that is known to be damaged."""
        reading = self._reading
        yield from reading.damaged.values()
        yield from (damage for _, damage in reading.unknown)
        for key in reading.standing:
            try:
                self._chain(key)
            except DamagedFileError as damage:
                yield damage
            except EpochDestroyedError:
                continue
        for table in reading.served.values():
            try:
                self._usable(table)
            except DamagedFileError as damage:
                yield damage
