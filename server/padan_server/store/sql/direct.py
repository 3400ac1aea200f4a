"""Blinded lists, keys' accounts and label tables in SQL."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

import sqlalchemy as sa

from padan_server.base.model import BlindedList, FlowKey, TableRecord
from padan_server.store.sql.datasets import of_flow
from padan_server.store.sql.tables import (
    blinded_chunks,
    blinded_lists,
    evaluation_keys,
    from_micros,
    label_tables,
    to_micros,
)


class SqlLists:
    """:class:`padan_server.store.port.ListStore` over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, made: BlindedList) -> None:
        """Keep a new list."""
        self._connection.execute(blinded_lists.insert().values(**_columns(made)))

    def get(self, list_id: str) -> BlindedList | None:
        """One list with the number of its elements evaluated so far."""
        row = self._connection.execute(
            sa.select(blinded_lists).where(blinded_lists.c.id == list_id)
        ).one_or_none()
        if row is None:
            return None
        return BlindedList(
            row.id,
            FlowKey(row.agreement, bytes(row.agreement_digest), row.flow),
            row.owner,
            row.epoch,
            bytes(row.public_keys),
            row.element_count,
            bytes(row.root),
            from_micros(row.create_time),
            row.evaluated_count,
        )

    def record_chunk(self, list_id: str, chunk: int, elements: int) -> bool:
        """Count a chunk as evaluated, once; False if it was counted before."""
        known = sa.select(sa.true()).where(
            blinded_chunks.c.list == list_id, blinded_chunks.c.chunk == chunk
        )
        if self._connection.scalar(known):
            return False
        self._connection.execute(blinded_chunks.insert().values(list=list_id, chunk=chunk))
        self._connection.execute(
            blinded_lists.update()
            .where(blinded_lists.c.id == list_id)
            .values(evaluated_count=blinded_lists.c.evaluated_count + elements)
        )
        return True

    def charge_key(self, public_key: bytes, elements: int, limit: int) -> int | None:
        """Add to what a key has been asked for unless that exceeds ``limit``: new sum or None."""
        mine = evaluation_keys.c.public_key == public_key
        if self._connection.scalar(sa.select(sa.true()).where(mine)) is None:
            self._connection.execute(evaluation_keys.insert().values(public_key=public_key, used=0))
        # The condition stands in the update itself, so that no isolation level can overshoot.
        charged = self._connection.execute(
            evaluation_keys.update()
            .where(mine, evaluation_keys.c.used + elements <= limit)
            .values(used=evaluation_keys.c.used + elements)
        )
        return self.key_used(public_key) if charged.rowcount == 1 else None

    def key_used(self, public_key: bytes) -> int:
        """Elements that a key has been asked for."""
        used = self._connection.scalar(
            sa.select(evaluation_keys.c.used).where(evaluation_keys.c.public_key == public_key)
        )
        return int(used or 0)


class SqlLabelTables:
    """:class:`padan_server.store.port.LabelTableStore` over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, table: TableRecord) -> bool:
        """Keep a table, once; False if it was known."""
        if self.get(table.id) is not None:
            return False
        self._connection.execute(label_tables.insert().values(**_columns(table)))
        return True

    def get(self, table_id: str) -> TableRecord | None:
        """One table."""
        row = self._connection.execute(
            sa.select(label_tables).where(label_tables.c.id == table_id)
        ).one_or_none()
        return None if row is None else _table(row)

    def all(self) -> list[TableRecord]:
        """Every table, by id."""
        rows = self._connection.execute(sa.select(label_tables).order_by(label_tables.c.id))
        return [_table(row) for row in rows]

    def describe(self, table_id: str, manifest: bytes, signature: bytes) -> None:
        """Replace what is kept of a table's files."""
        self._set(table_id, manifest=manifest, signature=signature)

    def has_epoch(self, flow: FlowKey, epoch: int) -> bool:
        """Whether a table of that epoch has been served."""
        found = sa.select(sa.true()).where(
            *of_flow(label_tables, flow), label_tables.c.epoch == epoch
        )
        return self._connection.scalar(found.limit(1)) is not None

    def left(self, expired: datetime) -> list[TableRecord]:
        """Tables expired at that moment whose destruction is not recorded yet, by id."""
        rows = self._connection.execute(
            sa.select(label_tables)
            .where(
                label_tables.c.expire_time <= to_micros(expired),
                label_tables.c.destroy_time.is_(None),
            )
            .order_by(label_tables.c.id)
        )
        return [_table(row) for row in rows]

    def destroyed(self, table_id: str, now: datetime) -> None:
        """Record that a table's files are gone; what was kept of them goes too."""
        self._set(table_id, destroy_time=to_micros(now), manifest=b"", signature=b"")

    def _set(self, table_id: str, **values: object) -> None:
        mine = label_tables.c.id == table_id
        self._connection.execute(label_tables.update().where(mine).values(values))


def _columns(record: BlindedList | TableRecord) -> dict[str, object]:
    """Column values of a record: its fields, the flow spread out, moments as numbers."""
    values: dict[str, object] = {
        "agreement": record.flow.agreement,
        "agreement_digest": record.flow.digest,
    }
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, FlowKey):
            value = value.flow
        elif isinstance(value, datetime):
            value = to_micros(value)
        values[field.name] = value
    return values


def _table(row: sa.Row[tuple[object, ...]]) -> TableRecord:
    return TableRecord(
        row.id,
        FlowKey(row.agreement, bytes(row.agreement_digest), row.flow),
        row.epoch,
        row.sequence,
        row.rows,
        bytes(row.root),
        from_micros(row.first_time),
        from_micros(row.expire_time),
        None if row.destroy_time is None else from_micros(row.destroy_time),
        bytes(row.manifest or b""),
        bytes(row.signature or b""),
    )
