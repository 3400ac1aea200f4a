"""The requester's client: give a list, get codes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import pyarrow as pa

from padan_client.base.clock import utc_now
from padan_client.base.effects import Steps, together, work
from padan_client.base.errors import BadInputError, MismatchError
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.base.place import FlowPlace
from padan_client.base.shared import Shared
from padan_client.home.folder import Home
from padan_client.protocol.direct.answering import direct_result
from padan_client.protocol.direct.confirming import confirm_directly
from padan_client.protocol.direct.joining import join, rows_for_unit
from padan_client.protocol.direct.real_time import FRESH, DirectCounter, ask_directly
from padan_client.protocol.direct.schemas import direct_schemas, usable_schema
from padan_client.protocol.direct.session import DirectSession, open_direct, present_tables
from padan_client.protocol.jobs import Command, Deliver
from padan_client.protocol.progress import Report, silent
from padan_client.protocol.session import (
    open_session,
    replaced,
    require_role,
    unit_schema,
)
from padan_client.protocol.unit.confirming import confirm, finish
from padan_client.protocol.unit.editions import require_usable_registry
from padan_client.protocol.unit.real_time import MOST_AT_ONCE, Counter, ask
from padan_client.protocol.unit.registries import past_registry, present_registry
from padan_client.records.files import require_same_rows
from padan_client.records.lists import Record, Records, RequestList, prepare_list
from padan_client.results.changes import EarlierResult, RegistryFacts, is_at_unit
from padan_client.results.controls import read_controls, require_honest
from padan_client.results.table import (
    AnsweredBy,
    ConfirmResult,
    with_digests,
)
from padan_client.transport.carrying import FlowClient, carried_out
from padan_client.transport.channel import Link
from padan_linkage.agreement import Mode
from padan_linkage.schema import Schema

MODES = ("unit", "direct", "auto")
#: So long the agreements in the folder are taken for what they were when looked at.
_LOOKED = timedelta(minutes=1)


class RequesterFlow:
    """One flow from its requester's side: the protocol steps that the clients carry out."""

    def __init__(self, home: Home, agreement: str, flow: str, threads: int | None = None) -> None:
        self.home = home
        self.agreement = agreement
        self.flow = flow
        self.threads = threads or os.cpu_count() or 1
        self._counter: Counter | None = None
        self._direct: DirectCounter | None = None
        self._known: tuple[FlowPlace, datetime] | None = None
        self._placing, self._counting = Shared[FlowPlace](), Shared[None]()
        self._listing = Shared[None]()

    def confirm(
        self,
        records: Records,
        *,
        mode: str | None = None,
        columns: Mapping[str, str] | None = None,
        id_column: str | None = None,
        note_column: str | None = None,
        controls: pa.Table | None = None,
        earlier: EarlierResult | None = None,
        deliver: Deliver | None = None,
        progress: Report = silent,
    ) -> Steps[ConfirmResult]:
        """Confirm a list of any length.

        ``mode``: ``"unit"`` (a run of the linkage unit), ``"direct"`` (the provider's label table,
        the provider does not learn whom was asked about), or ``"auto"`` (direct, and the unit for
        rows that have no code then; it is put the whole list, unless the agreement accepts that
        it sees which rows those are); without one, the unit where the flow allows it. In direct and
        auto mode the column ``cara`` says how a row was answered.

        ``records`` is a table of strings, a function that reads one, or a sequence of mappings;
        ``columns`` maps schema fields to its columns; ``id_column`` names the rows;
        ``note_column`` (without one ``catatan``) goes over into the result. ``controls`` are
        records with a column ``kode``, mixed in; ControlError tells if they were answered
        wrongly. ``earlier``: a result of the same list, whose notes are carried over; of
        another one it is refused before anything is asked. ``deliver`` is called with the result
        before the pending job is closed, so that writing it to a file is safe against a crash.
        After a crash the same call with the same input goes on, and is not charged again. Raises
        PadanError.
        """
        place = yield from together(self._placing, self._look)
        planted = None if controls is None else read_controls(place.flow, controls)

        def prepare(_: FlowPlace, schema: Schema) -> RequestList:
            requested = prepare_list(
                schema,
                records,
                columns=columns,
                id_column=id_column,
                note_column=note_column,
                key=self._row_key(place),
            )
            if earlier is not None:
                requested = earlier.take_up(requested)
            lists.append(requested)
            if planted is None:
                return requested
            known = prepare_list(schema, planted.table, columns=columns, id_column=None)
            return planted.plant(requested, known)

        lists: list[RequestList] = []
        delivered: list[ConfirmResult] = []

        def hand_over(result: ConfirmResult) -> None:
            whole = result if planted is None else planted.reaped(place.flow, result)
            listed = lists[-1]
            require_same_rows(len(listed.ids), whole.table.num_rows, ("pemadanan", "matching"))
            whole = replace(whole, table=with_digests(whole.table, listed.digests))
            delivered.append(whole)
            if deliver is not None:
                deliver(whole)

        home, chosen = self.home, chosen_mode(place, mode)
        command = Command(home, place, prepare, progress, self.threads, hand_over)
        if chosen != "unit":
            yield from confirm_directly(command, residue=chosen == "auto")
        else:
            yield from confirm(command)
        return require_honest(delivered[0])

    def present(self, mode: str | None = None) -> Steps[tuple[RegistryFacts, ...]]:
        """The registries that answer now in that mode; free, and no row is asked about."""
        # Spec 80, "Answers that changed", step 1.
        place = yield from self._place()
        chosen, found = chosen_mode(place, mode), list[RegistryFacts | None]()
        if chosen != "unit":
            found.append((yield from present_tables(self.home, place, utc_now)))
        if chosen != "direct" and Mode.UNIT in place.flow.modes:
            found.append((yield from present_registry(place, self.home.patience)))
        return tuple(registry for registry in found if registry is not None)

    def known(self, ids: Iterable[AnsweredBy]) -> Steps[dict[str, RegistryFacts | None]]:
        """What the unit knows of earlier registries, by id; of label tables nothing is asked."""
        place, facts = (yield from self._place()), dict[str, RegistryFacts | None]()
        for by in ids:
            if is_at_unit(by):
                facts[by.registry] = yield from past_registry(
                    place, by.registry, self.home.patience
                )
        return facts

    def confirm_few(
        self,
        records: Records,
        *,
        mode: str | None = None,
        columns: Mapping[str, str] | None = None,
        id_column: str | None = None,
    ) -> Steps[ConfirmResult]:
        """Confirm up to 1,000 records at once, in real time; modes as in :meth:`confirm`.

        In direct mode the tables that are here answer, looked for anew every ten minutes. Raises
        PadanError.
        """
        place = yield from self._place()
        chosen = chosen_mode(place, mode)
        residue = chosen == "auto" and Mode.UNIT in place.flow.modes
        by_unit = chosen == "unit"
        schema = unit_schema(place) if by_unit else usable_schema(place.flow, unit=residue)
        requested = yield from work(
            lambda: _few(prepare_list(schema, records, columns=columns, id_column=id_column))
        )
        if by_unit:
            return (yield from self._few_by_unit(place, requested))
        _, keys = direct_schemas(place)
        session = yield from self._open_direct(place)
        decided, counts = yield from ask_directly(
            session, requested, self.home.patience, self.home.randomness
        )
        by, tables = session.answering.by, session.fingerprint
        result = yield from work(
            lambda: direct_result(place, keys, requested, decided, counts, by, tables)
        )
        left = rows_for_unit(place.flow, requested, decided.answers)
        if residue and len(left):
            counter = yield from self._open_counter()
            return join(place.flow, result, (yield from ask(counter, left)))
        return result

    def _open_direct(self, place: FlowPlace) -> Steps[DirectSession]:
        """The kept session over today's tables, looked for anew every few minutes."""
        while (kept := self._direct) is None or not kept.fresh(utc_now()):
            yield from together(self._listing, lambda: self._list_tables(place))
        return kept.session

    def _list_tables(self, place: FlowPlace) -> Steps[None]:
        if self._direct is None or not self._direct.fresh(utc_now()):
            session = yield from open_direct(self.home, place, utc_now, silent)
            self._direct = DirectCounter(session, utc_now() + FRESH)

    def _few_by_unit(self, place: FlowPlace, requested: RequestList) -> Steps[ConfirmResult]:
        if not len(requested):
            return finish(place, unit_schema(place), requested, [], None, None)
        known = self._counter is not None
        counter = yield from self._open_counter()
        try:
            return (yield from ask(counter, requested))
        except MismatchError:
            # The epoch may have turned since the session was opened.
            if self._counter is counter:
                self._counter = None
            if not known:
                raise
        return (yield from ask((yield from self._open_counter()), requested))

    def _place(self) -> Steps[FlowPlace]:
        """The flow, read again every minute: an agreement that replaces it may have come."""
        if self._known is None or not timedelta() <= utc_now() - self._known[1] < _LOOKED:
            return (yield from together(self._placing, self._look))
        return self._known[0]

    def _look(self) -> Steps[FlowPlace]:
        """Read the flow; a session of another one, or of a replaced one, is not kept."""
        place, now = (yield from work(self._read_place)), utc_now()
        kept = [each.session.place for each in (self._counter, self._direct) if each is not None]
        if replaced(place, now) or any(each != place for each in kept):
            self._counter = self._direct = None
        self._known = place, now
        return place

    def _read_place(self) -> FlowPlace:
        place = self.home.place(self.agreement, self.flow)
        require_role(place, provider=False)
        return place

    def _row_key(self, place: FlowPlace) -> bytes:
        """What the digests of this flow's rows are made with: this agency's own secret."""
        return self.home.identity.derive(f"row digest {place.name}".encode())

    def _open_counter(self) -> Steps[Counter]:
        """The kept session, opened at first use, for all who ask meanwhile."""
        while (kept := self._counter) is None:
            yield from together(self._counting, self._count)
        return kept

    def _count(self) -> Steps[None]:
        if self._counter is None:
            home, place = self.home, (yield from work(self._read_place))
            session = yield from open_session(home, place)
            yield from require_usable_registry(session, home.patience)
            self._counter = Counter(session, home.patience, home.randomness)


def _few(requested: RequestList) -> RequestList:
    if requested.size > MOST_AT_ONCE:
        raise BadInputError(
            t(
                f"Paling banyak {number(MOST_AT_ONCE)} rekaman sekali tanya; untuk daftar pakai "
                "confirm.",
                f"At most {number(MOST_AT_ONCE)} records at once; use confirm for a list.",
            )
        )
    return requested


def chosen_mode(place: FlowPlace, mode: str | None) -> str:
    """``unit``, ``direct`` or ``auto``; without one, the unit where the flow allows it.

    Auto is the unit alone where the flow does not allow direct mode. Raises BadInputError.
    """
    direct = Mode.DIRECT in place.flow.modes
    if mode is None:
        return "unit" if Mode.UNIT in place.flow.modes or not direct else "direct"
    if mode not in MODES:
        raise BadInputError(t(f"Mode: {', '.join(MODES)}.", f"Modes: {', '.join(MODES)}."))
    return "unit" if mode == "auto" and not direct else mode


class RequesterClient(FlowClient[RequesterFlow]):
    """Confirms lists and single records of one flow. Close it, or use it as a context manager.

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
        steps = RequesterFlow(home, agreement, flow, threads)
        super().__init__(steps, home, link or Link.open(home, agreement, flow))

    @classmethod
    def open(
        cls, home: Path | str, agreement: str, flow: str, *, passphrase: str | None = None
    ) -> Self:
        """A client from a home folder."""
        return cls(Home.open(home, passphrase=passphrase), agreement, flow)

    confirm = carried_out(RequesterFlow.confirm)
    present = carried_out(RequesterFlow.present)
    known = carried_out(RequesterFlow.known)
    confirm_few = carried_out(RequesterFlow.confirm_few)

    def confirm_one(self, record: Record, *, mode: str | None = None) -> dict[str, str]:
        """Confirm one record in real time. Returns its row of the result table as a mapping.

        A record that lacks the fields to be looked for is ``belum_dapat_dipastikan``, one in which
        nothing stands ``karantina``. Raises PadanError.
        """
        return first_row(self.confirm_few([record], mode=mode))


def first_row(result: ConfirmResult) -> dict[str, str]:
    """The only row of a result, as text by column."""
    row = result.table.slice(0, 1).to_pylist()[0]
    return {name: str(value) for name, value in row.items()}
