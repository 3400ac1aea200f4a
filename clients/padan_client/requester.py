"""The requester's client: give a list, get codes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import pyarrow as pa

from padan_client.core.asking import MAX_RECORDS, Counter, ask
from padan_client.core.confirming import Deliver, confirm, finish
from padan_client.core.contributions import FlowPlace
from padan_client.core.effects import Steps
from padan_client.core.progress import Report, silent
from padan_client.core.session import open_session, require_role, unit_schema
from padan_client.errors import BadInputError, MismatchError
from padan_client.home import Home
from padan_client.language import t
from padan_client.lists import Record, RequestList, prepare_list
from padan_client.results import ConfirmResult
from padan_client.transport import Link
from padan_linkage.schema import Schema

Records: TypeAlias = "pa.Table | Sequence[Record]"


class RequesterFlow:
    """One flow from its requester's side: the protocol steps that the clients carry out."""

    def __init__(self, home: Home, agreement: str, flow: str, threads: int | None = None) -> None:
        self.home = home
        self.agreement = agreement
        self.flow = flow
        self.threads = threads or os.cpu_count() or 1
        self._counter: Counter | None = None

    def confirm(
        self,
        records: Records,
        *,
        columns: Mapping[str, str] | None,
        id_column: str | None,
        deliver: Deliver | None,
        report: Report,
    ) -> Steps[ConfirmResult]:
        """Steps of :meth:`RequesterClient.confirm`."""

        def prepare(schema: Schema) -> RequestList:
            return prepare_list(schema, records, columns=columns, id_column=id_column)

        return (
            yield from confirm(
                self.home,
                self.agreement,
                self.flow,
                prepare,
                deliver=deliver,
                report=report,
                threads=self.threads,
            )
        )

    def confirm_few(
        self, records: Records, *, columns: Mapping[str, str] | None, id_column: str | None
    ) -> Steps[ConfirmResult]:
        """Steps of :meth:`RequesterClient.confirm_few`."""
        place = self._place()
        schema = unit_schema(place)
        asked = prepare_list(schema, records, columns=columns, id_column=id_column)
        if len(asked) > MAX_RECORDS:
            raise BadInputError(
                t(
                    f"Paling banyak {MAX_RECORDS} rekaman sekali tanya; daftar: pakai confirm.",
                    f"At most {MAX_RECORDS} records at once; use confirm for a list.",
                )
            )
        if not len(asked):
            return finish(place, schema, asked, [], [], "")
        known = self._counter is not None
        counter = yield from self._open_counter()
        try:
            return (yield from ask(counter, asked))
        except MismatchError:
            # The epoch may have turned since the session was opened.
            self._counter = None
            if not known:
                raise
        return (yield from ask((yield from self._open_counter()), asked))

    def _place(self) -> FlowPlace:
        """The flow; a kept session has it already, and reading the agreement takes a while."""
        if self._counter is not None:
            return self._counter.session.place
        place = self.home.place(self.agreement, self.flow)
        require_role(place, place.flow.requester, provider=False)
        return place

    def _open_counter(self) -> Steps[Counter]:
        """The kept session, opened at first use."""
        if self._counter is None:
            home = self.home
            signed = home.signed_agreement(self.agreement)
            session = yield from open_session(
                home.place(self.agreement, self.flow),
                signed.document,
                home.identity,
                home.epochs.linkage_key,
                home.patience,
            )
            self._counter = Counter(session, home.patience, home.randomness)
        return self._counter


class RequesterClient:
    """Confirms lists and single records of one flow. Close it, or use it as a context manager.

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
        self._flow = RequesterFlow(home, agreement, flow, threads)
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

    def confirm(
        self,
        records: Records,
        *,
        columns: Mapping[str, str] | None = None,
        id_column: str | None = None,
        deliver: Deliver | None = None,
        progress: Report = silent,
    ) -> ConfirmResult:
        """Confirm a list of any length in a run.

        ``records`` is a table of strings or a sequence of mappings; ``columns`` maps schema fields
        to its columns; ``id_column`` names the rows. ``deliver`` is called with the result before
        the pending job is closed, so that writing it to a file is safe against a crash. After a
        crash the same call with the same input goes on, and is not charged again. Raises
        PadanError.
        """
        return self._link.run(
            self._flow.confirm(
                records, columns=columns, id_column=id_column, deliver=deliver, report=progress
            )
        )

    def confirm_few(
        self,
        records: Records,
        *,
        columns: Mapping[str, str] | None = None,
        id_column: str | None = None,
    ) -> ConfirmResult:
        """Confirm up to 1,000 records at once, in real time. Raises PadanError."""
        return self._link.run(self._flow.confirm_few(records, columns=columns, id_column=id_column))

    def confirm_one(self, record: Record) -> dict[str, str]:
        """Confirm one record in real time. Returns its row of the result table as a mapping.

        A record that cannot be used has ``hasil`` = ``karantina``. Raises PadanError.
        """
        return first_row(self.confirm_few([record]))


def first_row(result: ConfirmResult) -> dict[str, str]:
    """The only row of a result, as text by column."""
    row = result.table.slice(0, 1).to_pylist()[0]
    return {name: str(value) for name, value in row.items()}
