"""The client of a flow that releases: aggregates and reference lists, whole and verified."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import pyarrow as pa

from padan.v1 import release_service_pb2 as pb
from padan_client.base.closing import Closing
from padan_client.home.folder import Home
from padan_client.protocol.releases.flow import PublishedRelease, ReceivedRelease, ReleaseFlow
from padan_client.transport.channel import Link


class ReleaseClient(Closing):
    """Publishes or fetches releases of one line. Close it, or use it as a context manager."""

    def __init__(
        self,
        home: Home,
        agreement: str,
        flow: str,
        line: str | None = None,
        *,
        link: Link | None = None,
    ) -> None:
        self._flow = ReleaseFlow(home, agreement, flow, line)
        self._link = link or Link.open(home, agreement, flow)

    @classmethod
    def open(
        cls,
        home: Path | str,
        agreement: str,
        flow: str,
        line: str | None = None,
        *,
        passphrase: str | None = None,
    ) -> Self:
        """A client from a home folder."""
        return cls(Home.open(home, passphrase=passphrase), agreement, flow, line)

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def publish(
        self,
        table: pa.Table,
        *,
        columns: Mapping[str, str] | None = None,
        id_column: str | None = None,
        as_of: date | None = None,
    ) -> PublishedRelease:
        """Publish the next version, made of ``table`` (columns of strings), sealed to the receiver.

        Aggregate: a row for each counted thing; small counts and whatever would give them away are
        withheld. Reference: a row for each entry. ``columns`` maps agreed columns to the table's,
        ``id_column`` names one that must not repeat, ``as_of`` the day that the table shows. After
        a crash the same call goes on. Raises PadanError.
        """
        steps = self._flow.publish(table, columns, id_column, as_of, datetime.now(UTC))
        return self._link.run(steps)

    def get(self, version: int | None = None) -> ReceivedRelease:
        """Fetch a version, the newest by default, verify it and keep it. Raises PadanError."""
        return self._link.run(self._flow.get(version))

    def released(self, limit: int = 50) -> list[pb.Release]:
        """The line's releases at the unit, newest first."""
        return self._link.run(self._flow.released(limit))

    def delete(self, version: int) -> None:
        """Let the unit erase a release of this agency's."""
        self._link.run(self._flow.delete(version))
