"""Releases in SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from padan_server.base.model import FlowKey, ReleaseRecord
from padan_server.store.sql.datasets import of_flow
from padan_server.store.sql.heads import SqlHeads
from padan_server.store.sql.tables import from_micros, releases, to_micros


class SqlReleases:
    """:class:`padan_server.store.port.ReleaseStore` over one connection."""

    def __init__(self, connection: sa.Connection, heads: SqlHeads) -> None:
        self._connection = connection
        self.changed = False
        self._heads = heads

    def add(self, release: ReleaseRecord) -> None:
        """Keep a new release; one of each version of a line."""
        self.changed = True
        self._connection.execute(
            releases.insert().values(
                id=release.id,
                agreement=release.flow.agreement,
                agreement_digest=release.flow.digest,
                flow=release.flow.flow,
                line=release.line,
                version=release.version,
                publisher=release.publisher,
                receiver=release.receiver,
                size=release.size,
                digest=release.digest,
                create_time=to_micros(release.create_time),
                expire_time=to_micros(release.expire_time),
                erased=release.erased,
            )
        )
        self._heads.append(
            release.flow.agreement,
            release.flow.flow,
            "released",
            line=release.line,
            version=release.version,
        )

    def get(self, flow: FlowKey, line: str, version: int) -> ReleaseRecord | None:
        """One release."""
        row = self._connection.execute(
            sa.select(releases).where(*_of_line(flow, line), releases.c.version == version)
        ).one_or_none()
        return None if row is None else _release(row)

    def newest(self, flow: FlowKey, line: str) -> int:
        """The highest version of the line that there ever was; 0 where there was none."""
        highest = sa.select(sa.func.max(releases.c.version)).where(*_of_line(flow, line))
        return int(self._connection.scalar(highest) or 0)

    def page(self, flow: FlowKey, line: str, *, before: int, limit: int) -> list[ReleaseRecord]:
        """Releases with ``version < before``, newest first."""
        rows = self._connection.execute(
            sa.select(releases)
            .where(*_of_line(flow, line), releases.c.version < before)
            .order_by(releases.c.version.desc())
            .limit(limit)
        )
        return [_release(row) for row in rows]

    def kept(self) -> list[ReleaseRecord]:
        """All releases that are not erased."""
        rows = self._connection.execute(
            sa.select(releases).where(releases.c.erased.is_(sa.false())).order_by(releases.c.id)
        )
        return [_release(row) for row in rows]

    def erased(self) -> set[str]:
        """Ids of the releases that are erased."""
        erased = sa.select(releases.c.id).where(releases.c.erased.is_(sa.true()))
        return set(self._connection.scalars(erased))

    def erase(self, release_id: str) -> None:
        """Record that a release is erased."""
        self.changed = True
        self._connection.execute(
            releases.update().where(releases.c.id == release_id).values(erased=True)
        )


def _of_line(flow: FlowKey, line: str) -> list[sa.ColumnElement[bool]]:
    return [*of_flow(releases, flow), releases.c.line == line]


def _release(row: sa.Row[Any]) -> ReleaseRecord:
    return ReleaseRecord(
        row.id,
        FlowKey(row.agreement, bytes(row.agreement_digest), row.flow),
        row.line,
        row.version,
        row.publisher,
        row.receiver,
        row.size,
        bytes(row.digest),
        from_micros(row.create_time),
        from_micros(row.expire_time),
        row.erased,
    )
