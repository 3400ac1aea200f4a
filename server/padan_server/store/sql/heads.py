"""Chains of what must not go back, in SQL: a row an event."""

from __future__ import annotations

import sqlalchemy as sa

from padan_linkage.crypto.heads import STORE_BYTES, Head, chain_name, event_bytes, step
from padan_server.store.sql.tables import heads, marks


class SqlHeads:
    """:class:`padan_server.store.port.HeadStore` over one connection.

    The other parts of a transaction append what they change, so that nobody can forget to.
    ``moved``: the heads that this transaction moved, by agreement and flow.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self.moved: dict[tuple[str, str], Head] = {}

    def append(self, agreement: str, flow: str, event: str, **facts: str | int) -> None:
        """Add an event to the chain of a flow, or with an empty ``flow`` of its agreement."""
        # Spec 30, "Heads", step 1.
        what = event_bytes(event, facts)
        head = self.head(agreement, flow).followed_by([step(what)])
        self._connection.execute(
            heads.insert().values(
                store=head.store,
                agreement=agreement,
                flow=flow,
                generation=head.generation,
                event=what,
                digest=head.digest,
            )
        )
        self.moved[agreement, flow] = head

    def head(self, agreement: str, flow: str) -> Head:
        """The head of a chain of this store."""
        store, name = self._store(), chain_name(agreement, flow)
        row = self._connection.execute(
            sa.select(heads.c.generation, heads.c.digest)
            .where(*_of_chain(store, agreement, flow))
            .order_by(heads.c.generation.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            return Head.first(store, name)
        return Head(name, store, int(row.generation), bytes(row.digest))

    def at(self, agreement: str, flow: str, generation: int) -> Head | None:
        """What the head of a chain was at a generation; None if it has not come so far."""
        store, name = self._store(), chain_name(agreement, flow)
        if generation == 0:
            return Head.first(store, name)
        digest = self._connection.scalar(
            sa.select(heads.c.digest)
            .where(*_of_chain(store, agreement, flow))
            .where(heads.c.generation == generation)
        )
        return None if digest is None else Head(name, store, generation, bytes(digest))

    def steps(self, agreement: str, flow: str, after: int, limit: int) -> list[bytes]:
        """The steps of the events after a generation, the first of them first."""
        rows = self._connection.scalars(
            sa.select(heads.c.event)
            .where(*_of_chain(self._store(), agreement, flow))
            .where(heads.c.generation > after)
            .order_by(heads.c.generation)
            .limit(limit)
        )
        return [step(bytes(event)) for event in rows]

    def _store(self) -> bytes:
        """The store's name; a store that no server has marked yet is called by zeros."""
        name = self._connection.scalar(sa.select(marks.c.name))
        return bytes.fromhex(name) if name else bytes(STORE_BYTES)


def _of_chain(store: bytes, agreement: str, flow: str) -> list[sa.ColumnElement[bool]]:
    return [heads.c.store == store, heads.c.agreement == agreement, heads.c.flow == flow]
