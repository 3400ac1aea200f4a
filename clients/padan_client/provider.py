"""The provider's client: publish a registry without showing it to anybody."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import pyarrow as pa

from padan_client.base.effects import Steps, run_here
from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.home.folder import Home
from padan_client.protocol.direct.publishing import DAYS, DirectPublication, publish_table
from padan_client.protocol.progress import Report, silent
from padan_client.protocol.unit.publishing import Publication, publish
from padan_client.records.registry import Registry, empty_registry, prepare_registry
from padan_client.transport.channel import Link
from padan_linkage.agreement import JAKARTA
from padan_linkage.schema import Schema

#: A registry as it is given: a table, or what reads one (nobody holds it longer than it is needed).
Table: TypeAlias = "pa.Table | Callable[[], pa.Table]"


@dataclass(frozen=True, repr=False)
class PublishResult:
    """What was published: ``rows`` records under the resource name ``dataset``.

    In a delta ``rows`` are the changed records and ``deleted`` those that left. ``quarantine``
    lists every row or value that could not be used. In direct mode ``dataset`` is the id of the
    label table and ``expires`` the moment from which on it answers no more.
    """

    dataset: str
    rows: int
    deleted: int
    epoch: int
    quarantine: pa.Table
    mode: str = "unit"
    expires: str = ""

    def __repr__(self) -> str:
        return f"PublishResult({self.dataset!r}, rows={self.rows}, deleted={self.deleted})"


@dataclass(frozen=True, repr=False, kw_only=True)
class Given:
    """What a caller publishes, as it was given."""

    table: Table | None
    id_column: str
    columns: Mapping[str, str] | None = None
    status_column: str | Mapping[str, str] | None = None
    delta_of: str | None = None
    deletes: Sequence[str] = ()
    as_of: date | None = None

    def require_base(self) -> None:
        """Raise BadInputError where records leave no base."""
        if not self.delta_of and (self.deletes or self.table is None):
            raise BadInputError(
                t(
                    "Penghapusan rekaman memerlukan registri dasar (delta_of).",
                    "Deleting records takes a base registry (delta_of).",
                )
            )

    def registry(self, place: FlowPlace, schema: Schema) -> Registry:
        """The prepared records; none for a delta that only deletes."""
        if self.table is None:
            return empty_registry(schema)
        return prepare_registry(
            place.flow,
            schema,
            self.table() if callable(self.table) else self.table,
            columns=self.columns,
            id_column=self.id_column,
            status_columns=self.status_column,
            as_of=self.as_of or datetime.now(JAKARTA).date(),
        )


class ProviderFlow:
    """One flow from its provider's side: the protocol steps that the clients carry out."""

    def __init__(self, home: Home, agreement: str, flow: str, threads: int | None = None) -> None:
        self.home = home
        self.agreement = agreement
        self.flow = flow
        self.threads = threads or os.cpu_count() or 1

    def publish(self, given: Given, report: Report) -> Steps[PublishResult]:
        """Steps of :meth:`ProviderClient.publish`."""
        given.require_base()

        def prepare(place: FlowPlace, schema: Schema) -> Publication:
            registry = given.registry(place, schema)
            base = dataset_name(place.name, given.delta_of) if given.delta_of else ""
            return Publication(registry, base, _checked_deletes(given.deletes, registry.ids))

        name, session, publication = yield from publish(
            self.home, self.agreement, self.flow, prepare, report=report, threads=self.threads
        )
        return PublishResult(
            dataset=name,
            rows=len(publication.registry),
            deleted=len(publication.deletes),
            epoch=session.key.epoch,
            quarantine=publication.registry.quarantine,
        )

    def publish_table(self, given: Given, days: int, report: Report) -> Steps[PublishResult]:
        """Steps of :meth:`ProviderClient.publish_table`; nothing travels."""
        given.require_base()

        def prepare(place: FlowPlace, schema: Schema) -> DirectPublication:
            registry = given.registry(place, schema)
            deletes = _checked_deletes(given.deletes, registry.ids)
            return DirectPublication(registry, given.delta_of or "", deletes, days)

        published, registry = yield from publish_table(
            self.home,
            self.agreement,
            self.flow,
            prepare,
            now=lambda: datetime.now(UTC),
            report=report,
            processes=self.threads,
        )
        return PublishResult(
            dataset=published.manifest.table,
            rows=published.records,
            deleted=published.deleted,
            epoch=published.manifest.epoch,
            quarantine=registry.quarantine,
            mode="direct",
            expires=published.manifest.expires,
        )


class ProviderClient:
    """Publishes and updates the registry of one flow. Close it, or use it as a context manager.

    ``home`` is an opened :class:`~padan_client.home.folder.Home`; ``threads`` encode (all cores).
    """

    def __init__(
        self,
        home: Home,
        agreement: str,
        flow: str,
        *,
        link: Link | None = None,
        threads: int | None = None,
    ) -> None:
        self._flow = ProviderFlow(home, agreement, flow, threads)
        self._link = link  # opened when it is needed: publishing a table needs none

    @classmethod
    def open(
        cls, home: Path | str, agreement: str, flow: str, *, passphrase: str | None = None
    ) -> Self:
        """A client from a home folder."""
        return cls(Home.open(home, passphrase=passphrase), agreement, flow)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link.close()

    def publish(
        self,
        table: Table | None,
        *,
        id_column: str,
        columns: Mapping[str, str] | None = None,
        status_column: str | Mapping[str, str] | None = None,
        delta_of: str | None = None,
        deletes: Sequence[str] = (),
        as_of: date | None = None,
        progress: Report = silent,
    ) -> PublishResult:
        """Publish ``table`` (columns of strings) as the flow's registry.

        ``id_column`` names its records, ``columns`` maps schema fields to its columns,
        ``status_column`` is the column that the agreement maps to codes (or a mapping, where it
        maps several). ``as_of`` is the day by which the agreement's date columns become codes,
        today in Jakarta by default. With ``delta_of``, a dataset name or id, the table holds
        changed records and ``deletes`` the ids of those that leave. Rows that cannot be used come
        back as a quarantine table. After a crash the same call with the same input goes on. Raises
        PadanError.
        """
        given = Given(
            table=table,
            id_column=id_column,
            columns=columns,
            status_column=status_column,
            delta_of=delta_of,
            deletes=deletes,
            as_of=as_of,
        )
        if self._link is None:
            self._link = Link.open(self._flow.home.config, self._flow.home.folder)
        return self._link.run(self._flow.publish(given, progress))

    def publish_table(
        self,
        table: Table | None,
        *,
        id_column: str,
        columns: Mapping[str, str] | None = None,
        status_column: str | Mapping[str, str] | None = None,
        delta_of: str | None = None,
        deletes: Sequence[str] = (),
        as_of: date | None = None,
        days: int = DAYS,
        progress: Report = silent,
    ) -> PublishResult:
        """Build a label table for direct mode and put it into the ``tables_dir`` of the settings.

        Arguments as in :meth:`publish`; ``delta_of`` is a table's id. A base is good for ``days``.
        Works in ``threads`` processes, which Python starts anew: a script that calls this must
        guard its own start with ``if __name__ == "__main__"``. Nothing travels; ``padan-server
        provider`` serves what appears. Raises PadanError.
        """
        given = Given(
            table=table,
            id_column=id_column,
            columns=columns,
            status_column=status_column,
            delta_of=delta_of,
            deletes=deletes,
            as_of=as_of,
        )
        return run_here(self._flow.publish_table(given, days, progress))


def dataset_name(flow: str, given: str) -> str:
    """The resource name of a dataset given by name or by id. Raises BadInputError."""
    name = given if "/" in given else f"{flow}/datasets/{given}"
    if not name.startswith(f"{flow}/datasets/"):
        raise BadInputError(
            t(
                "Himpunan data itu bukan milik alur ini.",
                "That dataset does not belong to this flow.",
            )
        )
    return name


def _checked_deletes(deletes: Sequence[str], ids: pa.StringArray) -> tuple[str, ...]:
    if len(set(deletes)) != len(deletes) or not set(deletes).isdisjoint(ids.to_pylist()):
        raise BadInputError(
            t(
                "Satu rekaman disebut dua kali: dihapus dua kali, atau dihapus sekaligus diubah.",
                "A record is named twice: deleted twice, or deleted and changed at once.",
            )
        )
    return tuple(deletes)
