"""The provider's client: publish a registry without showing it to anybody."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Self

import pyarrow as pa

from padan_client.base.effects import Steps
from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.home.folder import Home
from padan_client.protocol.direct.publishing import DAYS, publish_table
from padan_client.protocol.jobs import Command
from padan_client.protocol.progress import Report, silent
from padan_client.protocol.session import require_role
from padan_client.protocol.unit.publishing import publish
from padan_client.records import TableSource
from padan_client.records.files import tell_of
from padan_client.records.persons import Consent, CopyCounts, ask_nobody
from padan_client.records.registry import Publication, Registry, empty_registry, prepare_registry
from padan_client.transport.carrying import FlowClient, carried_out, done_here
from padan_client.transport.channel import Link
from padan_linkage.agreement import JAKARTA
from padan_linkage.direct.manifest import KeyedFields
from padan_linkage.edition.document import Edition
from padan_linkage.schema import Schema


@dataclass(frozen=True, repr=False)
class PublishResult:
    """What was published: ``rows`` records under the resource name ``dataset``.

    In a delta ``rows`` are the changed records and ``deleted`` those that left. ``quarantine``
    lists every row or value that could not be used, ``copies`` every row that is a copy or set
    aside, ``counts`` what became of the registry's rows. In direct mode ``dataset`` is the id of
    the label table, ``expires`` the moment from which on it answers no more, and ``given`` says of
    a base whom its keys find, by the fields of a row; ``unlabelled`` counts values that so many
    people share that some have no label. In unit mode ``edition`` is what its answers
    rest on (spec 36).
    """

    dataset: str
    rows: int
    deleted: int
    epoch: int
    quarantine: pa.Table
    copies: pa.Table
    counts: CopyCounts
    mode: str = "unit"
    expires: str = ""
    given: tuple[KeyedFields, ...] = ()
    unlabelled: int = 0
    edition: Edition | None = None

    def __repr__(self) -> str:
        return f"PublishResult({self.dataset!r}, rows={self.rows}, deleted={self.deleted})"


@dataclass(frozen=True, repr=False)
class Given:
    """What a caller publishes, as it was given."""

    table: TableSource | None
    id_column: str
    columns: Mapping[str, str] | None
    status_column: str | Mapping[str, str] | None
    delta_of: str | None
    deletes: Sequence[str]
    as_of: date | None

    def __post_init__(self) -> None:
        """Raise BadInputError where records leave no base."""
        if not self.delta_of and (self.deletes or self.table is None):
            raise BadInputError(
                t(
                    "Penghapusan rekaman memerlukan registri dasar (delta_of).",
                    "Deleting records takes a base registry (delta_of).",
                )
            )

    def publication(self, place: FlowPlace, schema: Schema) -> Publication:
        """The prepared records and what leaves; the base as it was given."""
        registry = self._registry(place, schema)
        leaving = _checked_deletes(self.deletes, registry.ids)
        return Publication(registry, self.delta_of or "", leaving)

    def of_dataset(self, place: FlowPlace, schema: Schema) -> Publication:
        """The same, the base by its resource name."""
        made = self.publication(place, schema)
        return replace(made, base=dataset_name(place.name, made.base)) if made.base else made

    def _registry(self, place: FlowPlace, schema: Schema) -> Registry:
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
            tell=tell_of(self.table),
        )


class ProviderFlow:
    """One flow from its provider's side: the protocol steps that the clients carry out."""

    def __init__(self, home: Home, agreement: str, flow: str, threads: int | None = None) -> None:
        self.home = home
        self.agreement = agreement
        self.flow = flow
        self.threads = threads or os.cpu_count() or 1

    def publish(
        self,
        table: TableSource | None,
        *,
        id_column: str,
        columns: Mapping[str, str] | None = None,
        status_column: str | Mapping[str, str] | None = None,
        delta_of: str | None = None,
        deletes: Sequence[str] = (),
        as_of: date | None = None,
        consent: Consent = ask_nobody,
        progress: Report = silent,
    ) -> Steps[PublishResult]:
        """Publish ``table`` (columns of strings) as the flow's registry.

        ``id_column`` names its records, ``columns`` maps schema fields to its columns,
        ``status_column`` is the column that the agreement maps to codes (or a mapping, where it
        maps several). ``as_of`` is the day by which the agreement's date columns become codes,
        today in Jakarta by default. With ``delta_of``, a dataset name or id, the table holds
        changed records and ``deletes`` the ids of those that leave. Rows that cannot be used come
        back as a quarantine table. Copies are merged; ``consent`` hears of the persons before
        anything is encoded, and says whether to go on although some are set aside, for their
        copies have different codes; by default that is refused. After a crash the same call with
        the same input goes on. Raises PadanError.
        """
        given = Given(table, id_column, columns, status_column, delta_of, deletes, as_of)
        command = self._command(given.of_dataset, progress, consent)
        published, session, registry = yield from publish(command)
        update = published.update
        return PublishResult(
            dataset=published.name,
            rows=len(update.put.registry),
            deleted=update.left,
            epoch=session.key.epoch,
            quarantine=registry.quarantine,
            copies=update.persons.table(),
            counts=update.persons.counts,
            edition=published.edition,
        )

    def publish_table(
        self,
        table: TableSource | None,
        *,
        id_column: str,
        columns: Mapping[str, str] | None = None,
        status_column: str | Mapping[str, str] | None = None,
        delta_of: str | None = None,
        deletes: Sequence[str] = (),
        as_of: date | None = None,
        days: int = DAYS,
        consent: Consent = ask_nobody,
        progress: Report = silent,
    ) -> Steps[PublishResult]:
        """Build a label table for direct mode and put it into the ``tables_dir`` of the settings.

        Arguments as in :meth:`publish`; ``delta_of`` is a table's id. A base is good for ``days``.
        Works in ``threads`` processes, which Python starts anew: a script that calls this must
        guard its own start with ``if __name__ == "__main__"``. Nothing travels; ``padan-server
        provider`` serves what appears. Raises PadanError.
        """
        given = Given(table, id_column, columns, status_column, delta_of, deletes, as_of)
        command = self._command(given.publication, progress, consent)
        published, registry = yield from publish_table(command, days)
        return PublishResult(
            dataset=published.manifest.table,
            rows=published.records,
            deleted=published.deleted,
            epoch=published.manifest.epoch,
            quarantine=registry.quarantine,
            copies=published.persons.table(),
            counts=published.persons.counts,
            mode="direct",
            expires=published.manifest.expires,
            given=published.manifest.given,
            unlabelled=published.unlabelled,
        )

    def _command(
        self,
        prepare: Callable[[FlowPlace, Schema], Publication],
        report: Report,
        consent: Consent,
    ) -> Command[Publication]:
        place = self.home.place(self.agreement, self.flow)
        require_role(place, provider=True)
        return Command(self.home, place, prepare, report, self.threads, consent=consent)


class ProviderClient(FlowClient[ProviderFlow]):
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
        # A link is opened when it is needed: publishing a table needs none.
        super().__init__(ProviderFlow(home, agreement, flow, threads), home, link)

    @classmethod
    def open(
        cls, home: Path | str, agreement: str, flow: str, *, passphrase: str | None = None
    ) -> Self:
        """A client from a home folder."""
        return cls(Home.open(home, passphrase=passphrase), agreement, flow)

    publish = carried_out(ProviderFlow.publish)
    publish_table = done_here(ProviderFlow.publish_table)


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
