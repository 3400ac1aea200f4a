"""The provider's client: publish a registry without showing it to anybody."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from padan_client.core.contributions import FlowPlace
from padan_client.core.effects import Steps
from padan_client.core.progress import Report, silent
from padan_client.core.publishing import Publication, publish
from padan_client.errors import BadInputError
from padan_client.home import Home
from padan_client.language import t
from padan_client.registry import empty_registry, prepare_registry
from padan_client.transport import Link
from padan_linkage.schema import Schema


@dataclass(frozen=True, repr=False)
class PublishResult:
    """What was published: ``rows`` records under the resource name ``dataset``.

    In a delta ``rows`` are the changed records and ``deleted`` those that left. ``quarantine``
    lists every row or value that could not be used.
    """

    dataset: str
    rows: int
    deleted: int
    epoch: int
    quarantine: pa.Table

    def __repr__(self) -> str:
        return f"PublishResult({self.dataset!r}, rows={self.rows}, deleted={self.deleted})"


class ProviderFlow:
    """One flow from its provider's side: the protocol steps that the clients carry out."""

    def __init__(self, home: Home, agreement: str, flow: str, threads: int | None = None) -> None:
        self.home = home
        self.agreement = agreement
        self.flow = flow
        self.threads = threads or os.cpu_count() or 1

    def publish(
        self,
        table: pa.Table | None,
        *,
        columns: Mapping[str, str] | None,
        id_column: str,
        status_columns: str | Mapping[str, str] | None,
        delta_of: str | None,
        deletes: Sequence[str],
        report: Report,
    ) -> Steps[PublishResult]:
        """Steps of :meth:`ProviderClient.publish`."""
        if not delta_of and (deletes or table is None):
            raise BadInputError(
                t(
                    "Penghapusan rekaman memerlukan registri dasar (delta_of).",
                    "Deleting records takes a base registry (delta_of).",
                )
            )

        def prepare(place: FlowPlace, schema: Schema) -> Publication:
            registry = (
                empty_registry(schema)
                if table is None
                else prepare_registry(
                    place.flow,
                    schema,
                    table,
                    columns=columns,
                    id_column=id_column,
                    status_columns=status_columns,
                )
            )
            base = dataset_name(place.name, delta_of) if delta_of else ""
            return Publication(registry, base, _checked_deletes(deletes, registry.ids))

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


class ProviderClient:
    """Publishes and updates the registry of one flow. Close it, or use it as a context manager.

    ``home`` is an opened :class:`~padan_client.home.Home`; ``threads`` encode (all cores).
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
        self._link = link or Link.open(home.config, home.folder)

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
        self._link.close()

    def publish(
        self,
        table: pa.Table | None,
        *,
        id_column: str,
        columns: Mapping[str, str] | None = None,
        status_column: str | Mapping[str, str] | None = None,
        delta_of: str | None = None,
        deletes: Sequence[str] = (),
        progress: Report = silent,
    ) -> PublishResult:
        """Publish ``table`` (columns of strings) as the flow's registry.

        ``id_column`` names its records, ``columns`` maps schema fields to its columns,
        ``status_column`` is the column that the agreement maps to codes (or a mapping, where it
        maps several). With ``delta_of``, a dataset name or id, the table holds changed records and
        ``deletes`` the ids of those that leave. Rows that cannot be used come back as a quarantine
        table. After a crash the same call with the same input goes on. Raises PadanError.
        """
        return self._link.run(
            self._flow.publish(
                table,
                columns=columns,
                id_column=id_column,
                status_columns=status_column,
                delta_of=delta_of,
                deletes=deletes,
                report=progress,
            )
        )


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
