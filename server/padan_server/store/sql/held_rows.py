"""What each party's datasets hold, kept as a sum in SQL: it changes with what it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from padan_server.base.model import DatasetState, FlowKey, HeldRows
from padan_server.store.sql.tables import dataset_tables, datasets, held_rows

_WITH_FILES = (DatasetState.OPEN, DatasetState.COMMITTED, DatasetState.DELETING)
_KEY = tuple(column.name for column in held_rows.primary_key)
_Key = tuple[str, bytes, str, str, str, bool]


class SqlHeldRows:
    """Sums of rows by flow, owner, pass and kind of dataset, over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def of(self, flow: FlowKey, owner: str) -> list[HeldRows]:
        """What the owner's datasets of the flow hold."""
        found = self._connection.execute(
            sa.select(held_rows.c.pass_id, held_rows.c.is_delta, held_rows.c.rows).where(
                held_rows.c.agreement == flow.agreement,
                held_rows.c.agreement_digest == flow.digest,
                held_rows.c.flow == flow.flow,
                held_rows.c.owner == owner,
            )
        )
        return [HeldRows(row.pass_id, bool(row.is_delta), row.rows) for row in found]

    def are_counted(self) -> bool:
        """Whether the sums are what adding up all datasets gives."""
        columns = [held_rows.c[name] for name in (*_KEY, "rows")]
        rows = self._connection.execute(sa.select(*columns).where(held_rows.c.rows != 0))
        kept: Counter[_Key] = Counter({(*key[:-1], bool(key[-1])): n for *key, n in rows})
        return kept == self._summed(sa.true())

    @contextmanager
    def follow(self, dataset_id: str) -> Iterator[None]:
        """Add to the sums what the block makes the dataset hold, and take off what it held."""
        before = self._held(dataset_id)
        yield
        change = self._held(dataset_id)
        change.subtract(before)
        for key, rows in change.items():
            if rows:
                self._add(key, rows)

    def _held(self, dataset_id: str) -> Counter[_Key]:
        return self._summed(datasets.c.id == dataset_id)

    def _summed(self, chosen: sa.ColumnElement[bool]) -> Counter[_Key]:
        d, t = datasets.c, dataset_tables.c
        found = self._connection.execute(
            sa.select(
                *(d.agreement, d.agreement_digest, d.flow, d.owner, t.pass_id, d.base),
                sa.case((t.rows > t.upload_rows, t.rows), else_=t.upload_rows),
            )
            .join(dataset_tables, t.dataset == d.id)
            .where(chosen)
            .where(d.state.in_([state.value for state in _WITH_FILES]))
        )
        held: Counter[_Key] = Counter()
        for *key, base, rows in found:
            held[*key, base != ""] += rows
        return held

    def _add(self, key: _Key, rows: int) -> None:
        values = dict(zip(_KEY, key, strict=True))
        added = self._connection.execute(
            held_rows.update()
            .where(*(held_rows.c[name] == value for name, value in values.items()))
            .values(rows=held_rows.c.rows + rows)
        )
        if not added.rowcount:
            self._connection.execute(held_rows.insert().values(**values, rows=rows))
