"""The indexes of committed registries: made once, kept on disk, opened in milliseconds.

What makes a table answer at once is its directory (``padan_linkage.matching.Directory``), which
lies beside the table and is carried over deltas. It is scored by the calibrations of the registry's
edition. Spec: ``proto/spec/35-matching.md``, "Real time".
"""

from __future__ import annotations

import queue
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

import structlog

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.edition.document import read_calibrations
from padan_linkage.matching import Calibration, Directory
from padan_linkage.schema import Layout, Pass, Schema
from padan_linkage.tables import PassTable
from padan_server.base.pieces import IN_ONE_PIECE, InPieces
from padan_server.matching.engine import Engine
from padan_server.matching.shared_asking import SharedAsking
from padan_server.store.files.columns import ColumnFiles
from padan_server.store.port import StoreFullError

_log = structlog.get_logger(__name__)
_Key = tuple[str, str]


@dataclass(frozen=True, repr=False)
class PreparedIndex:
    """What asks an index, with the table that its answers point into."""

    asking: SharedAsking
    table: PassTable


class Indexes:
    """The indexes used last, by dataset and pass; each is made once, whoever asks first."""

    def __init__(self, engine: Engine, files: ColumnFiles, size: int) -> None:
        self._engine = engine
        self._files = files
        self._size = size
        self._lock = threading.Lock()
        self._making: dict[_Key, threading.Lock] = {}
        self._kept: OrderedDict[_Key, PreparedIndex] = OrderedDict()

    def get(
        self,
        schema: Schema,
        policy: MatchPolicy,
        registry: str,
        p: Pass,
        pieces: InPieces = IN_ONE_PIECE,
    ) -> PreparedIndex:
        """The index of one pass of the committed registry with that id.

        Its table is checked whole when the index is prepared, and again when anything has written
        to it since. Raises DamagedFileError.
        """
        # Spec 30, "Doubt", step 7.
        key = (registry, p.id)
        if (known := self._known(key)) is not None:
            return known
        with pieces.waiting(), self._making_of(key):
            if (known := self._known(key)) is not None:
                return known
            made = self._prepared(schema, policy, registry, p)
            with self._lock:
                self._kept[key] = made
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
            return made

    def _known(self, key: _Key) -> PreparedIndex | None:
        """An index that is kept, and that answers from what was checked."""
        with self._lock:
            known = self._kept.get(key)
            if known is None:
                return None
            self._kept.move_to_end(key)
        return known if self._files.is_checked(key[0], known.table) else None

    def directory(self, registry: str, p: Pass, table: PassTable) -> Directory:
        """The directory of a committed table: the one on disk, or a new one, which is kept."""
        with self._making_of((registry, p.id)):
            return self._directory(registry, p, table)

    def calibration(self, registry: str, p: Pass) -> Calibration | None:
        """What a pass of a committed registry is scored by; None in an exact pass."""
        # Spec 36, "Carried", step 6.
        return read_calibrations(self._files.calibrations(registry))[p.id] if p.similar else None

    def drop(self, dataset_id: str) -> None:
        """Let go of a dataset's indexes and memory maps."""
        with self._lock:
            for known in (self._kept, self._making):
                for key in [k for k in known if k[0] == dataset_id]:
                    del known[key]

    def _making_of(self, key: _Key) -> threading.Lock:
        with self._lock:
            return self._making.setdefault(key, threading.Lock())

    def _prepared(
        self, schema: Schema, policy: MatchPolicy, registry: str, p: Pass
    ) -> PreparedIndex:
        layout = Layout.of(schema, p, provider=True)
        table = self._files.table(registry, p.id, layout, again=True)
        directory = self._directory(registry, p, table)
        calibration = self.calibration(registry, p)
        index = self._engine.index(schema, p, table, policy, directory, calibration)
        return PreparedIndex(SharedAsking(index), table)

    def _directory(self, registry: str, p: Pass, table: PassTable) -> Directory:
        files = self._files.directory(registry, p.id)
        known = files.load()
        if known is not None:
            return known
        made = self._engine.directory(p, table, secrets.randbits(64))
        try:
            files.save(made)
        except (StoreFullError, FileNotFoundError) as e:
            # It can be made again; a full disk, or a table just erased, is no reason to fail.
            _log.warning("index_not_kept", error=type(e).__name__)
        return files.load() or made


class Warmer:
    """Makes the indexes of a registry that was just committed, so that no question waits."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes
        self._wanted: queue.SimpleQueue[tuple[Schema, MatchPolicy, str] | None]
        self._wanted = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="indexes", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End once the index under way is made."""
        self._wanted.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def warm(self, schema: Schema, policy: MatchPolicy, registry: str) -> None:
        """Make the indexes of every pass soon."""
        self._wanted.put((schema, policy, registry))

    def _run(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            schema, policy, registry = wanted
            for p in schema.passes:
                try:
                    self._indexes.get(schema, policy, registry, p)
                except Exception as e:  # noqa: BLE001 - whoever asks first makes it, and is told
                    _log.warning("index_not_made", dataset=registry, error=type(e).__name__)
                if not self._wanted.empty():
                    break  # somebody stops, or has committed a newer one
