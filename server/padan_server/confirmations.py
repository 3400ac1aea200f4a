"""Real-time confirmation: a few rows of one pass against the newest committed registry."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_linkage.schema import Layout, Pass
from padan_linkage.tables import PassTable
from padan_server.compatibility import check_schema, check_sides
from padan_server.enforcement import Grant, charge, check_real_time
from padan_server.engine import Engine, Index, answer_columns
from padan_server.errors import Reason, Refusal, field_invalid
from padan_server.failpoints import Failpoints
from padan_server.model import Dataset, DatasetState, Encoding, RequestKey, Role
from padan_server.requests import remember, replayed
from padan_server.rows import check_values, columns_of
from padan_server.store.files import ColumnFiles
from padan_server.store.port import Store, Transaction


@dataclass(frozen=True)
class Prepared:
    """An index with the table and the seal numbers that its answers point into."""

    index: Index
    table: PassTable
    origins: NDArray[np.uint16] | None


class IndexCache:
    """The indexes used last, by dataset and pass; each is built once, whoever asks first."""

    def __init__(self, engine: Engine, files: ColumnFiles, size: int) -> None:
        self._engine = engine
        self._files = files
        self._size = size
        self._lock = threading.Lock()
        self._building: dict[tuple[str, str], threading.Lock] = {}
        self._kept: OrderedDict[tuple[str, str], Prepared] = OrderedDict()

    def get(self, grant: Grant, registry: Dataset, p: Pass) -> Prepared:
        """The index of one pass of a committed registry."""
        key = (registry.id, p.id)
        with self._lock:
            building = self._building.setdefault(key, threading.Lock())
        with building:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
            layout = Layout.of(grant.schema, p, provider=True)
            table = self._files.table(registry.id, p.id, layout)
            made = Prepared(
                self._engine.index(grant.schema, p, table, grant.flow.match),
                table,
                self._files.origins(registry.id, p.id),
            )
            with self._lock:
                self._kept[key] = made
                while len(self._kept) > self._size:
                    self._building.pop(self._kept.popitem(last=False)[0], None)
            return made

    def drop(self, dataset_id: str) -> None:
        """Let go of a dataset's indexes and memory maps."""
        with self._lock:
            for key in [k for k in self._kept if k[0] == dataset_id]:
                del self._kept[key]
                self._building.pop(key, None)


@dataclass(frozen=True)
class Question:
    """Rows of one pass; ``columns`` has every column, absent ones empty."""

    encoding: Encoding
    pass_id: str
    row_count: int
    columns: Mapping[str, bytes]


@dataclass(frozen=True)
class Answer:
    """Answer columns (:func:`padan_server.engine.answer_columns`) and the registry they rest on."""

    registry: Dataset
    columns: dict[str, NDArray[Any]]


class Confirmations:
    """Answers questions and charges them."""

    def __init__(
        self, store: Store, indexes: IndexCache, failpoints: Failpoints, max_rows: int
    ) -> None:
        self._store = store
        self._indexes = indexes
        self._failpoints = failpoints
        self._max_rows = max_rows

    def confirm(self, grant: Grant, question: Question, request: RequestKey | None) -> Answer:
        """Answer ``question``; the quota is charged once for a request, before the answer."""
        p, rows = self._checked(grant, question)
        with self._store.write() as tx:
            known = replayed(tx, request)
            registry = _registry(tx, grant, known)
            check_sides(grant, question.encoding, registry.encoding)
            if known is None:
                charge(tx, grant, question.row_count)
                remember(tx, request, registry.id, grant.now)
        self._failpoints.hit("confirm.charged")
        prepared = self._indexes.get(grant, registry, p)
        result = prepared.index.match(rows)
        origin = registry.seals[-1].origin
        return Answer(registry, answer_columns(result, prepared.table, prepared.origins, origin))

    def _checked(self, grant: Grant, question: Question) -> tuple[Pass, PassTable]:
        check_real_time(grant)
        try:
            p = grant.schema.get_pass(question.pass_id)
        except KeyError:
            raise field_invalid(
                "pass_id", "tidak ada jalur itu dalam skema", "the schema has no such pass"
            ) from None
        if not 1 <= question.row_count <= self._max_rows:
            raise field_invalid(
                "rows.row_count", f"1 sampai {self._max_rows}", f"1 to {self._max_rows}"
            )
        check_schema(grant, question.encoding)
        layout = Layout.of(grant.schema, p, provider=False)
        packed = columns_of(layout, question.columns, question.row_count)
        check_values(layout, p, packed)
        columns = {
            name: np.frombuffer(packed[name], np.uint8).reshape(question.row_count, width)
            for name, width in layout.columns()
        }
        return p, PassTable(p.id, layout, columns)


def _registry(tx: Transaction, grant: Grant, known: str | None) -> Dataset:
    """The registry that answered this request before, while it is there; else the newest."""
    before = tx.datasets.get(known) if known else None
    if before is not None and before.state is DatasetState.COMMITTED:
        return before
    return newest_registry(tx, grant)


def newest_registry(tx: Transaction, grant: Grant) -> Dataset:
    """The newest committed registry of the flow, or the refusal that says there is none."""
    registry = tx.datasets.newest(grant.key, Role.PROVIDER)
    if registry is None:
        raise Refusal(
            Reason.REGISTRY_NOT_PUBLISHED,
            f"{grant.flow.provider} belum menerbitkan registri untuk alur ini.",
            f"{grant.flow.provider} has not published a registry for this flow yet.",
            metadata=grant.metadata,
        )
    return registry
