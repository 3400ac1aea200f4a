"""Confirms a list in direct mode, and puts it to the unit as well where that is wanted.

1. Prepare the list; find or start the job.
2. Open the session: agreement, tables of today (a job that goes on keeps the tables it began with).
3. Ask every key of every record (:mod:`.answering`).
4. Mode auto: the list goes through a run of the unit too, if the flow allows it, and each row's two
   answers become one (:mod:`.joining`).
5. Deliver the result, then close the job.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.effects import Steps, work
from padan_client.base.errors import PadanError
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.base.place import FlowPlace
from padan_client.home.jobs import Job
from padan_client.protocol.direct.answering import answer, direct_result
from padan_client.protocol.direct.evaluating import ListEvaluation
from padan_client.protocol.direct.joining import join, rows_for_unit
from padan_client.protocol.direct.schemas import direct_schemas, usable_schema
from padan_client.protocol.direct.session import (
    DirectSession,
    cached_session,
    open_direct,
    table_cache,
)
from padan_client.protocol.jobs import Command, JobInput, Stepper, drive
from padan_client.protocol.session import require_not_replaced
from padan_client.protocol.unit.confirming import confirm, listed
from padan_client.records.lists import RequestList
from padan_client.results.table import ConfirmResult
from padan_linkage.agreement import Mode
from padan_linkage.direct.schema import DirectSchema


def confirm_directly(command: Command[RequestList], *, residue: bool) -> Steps[ConfirmResult]:
    """Confirm a list; with ``residue`` (mode auto) the unit is asked for what stays open."""
    place = command.place
    fields, schema = direct_schemas(place)
    residue = residue and Mode.UNIT in place.flow.modes
    requested = yield from command.prepared(usable_schema(place.flow, unit=residue))
    given = JobInput(
        kind="confirm-direct",
        place=place,
        epoch=0,
        schema_digest=schema.digest(fields),
        records=requested.as_table(),
        more=(requested.size,),
    )
    now = command.now()
    stepper = KeyStepper(command, place, schema, requested, now, residue)
    result, _ = yield from drive(command.home, given, stepper)
    return result


#: What the keys settled, and the rows for the unit.
Settled: TypeAlias = tuple[ConfirmResult, RequestList | None]


@dataclass(frozen=True, repr=False)
class KeyStepper(Stepper[Settled]):
    """The work of confirming by keys, from ``now`` on."""

    #: The job's tables or lists are of no use any more, or its list never was.
    HOPELESS = frozenset(
        {
            Reason.TABLE_NOT_FOUND,
            Reason.TABLE_EXPIRED,
            Reason.LIST_NOT_FOUND,
            Reason.QUOTA_LIST_EXCEEDED,
        }
    )

    command: Command[RequestList]
    place: FlowPlace
    schema: DirectSchema
    requested: RequestList
    now: datetime
    residue: bool

    def is_gone(self, job: Job) -> Steps[bool]:
        """Whether the tables that the job began with are not all here and good."""
        yield from ()
        return "tables" in job.names and self._begun(job) is None

    def carry_out(self, job: Job) -> Steps[Settled]:
        """Ask every key, over the tables that the job began with, or those of today."""
        session = self._begun(job) if "tables" in job.names else (yield from self._opened(job))
        assert session is not None
        decided, keys = yield from answer(self._evaluation(session, job), self.requested)
        place, schema, by = self.place, self.schema, session.answering.by
        result = yield from work(
            lambda: direct_result(
                place, schema, self.requested, decided, keys, by, session.fingerprint
            )
        )
        left = rows_for_unit(place.flow, self.requested, decided.answers) if self.residue else None
        return result, left

    def deliver(self, result: Settled) -> Steps[Settled]:
        """Hand the result over, after a run of the unit where enough rows are left for one."""
        direct, left = result
        quota = self.place.flow.quota
        fewest = max(1, quota.minimum_batch) if quota else 1
        if left is not None and len(left) and listed(self.place.flow, left.size) >= fewest:
            return (yield from self._residue(direct, left)), None
        whole = replace(direct, skipped=too_few(left.size, fewest) if left else "")
        return (yield from work(lambda: self.command.delivered(whole))), None

    def _residue(self, direct: ConfirmResult, left: RequestList) -> Steps[ConfirmResult]:
        """Send the rows through the unit, and hand both answers over as one.

        The run's own job hands over, so that it stays open until the whole result is written.
        """
        handed: list[ConfirmResult] = []

        def hand_over(by_unit: ConfirmResult) -> None:
            handed.append(self.command.delivered(join(self.place.flow, direct, by_unit)))

        yield from confirm(replace(self.command, prepare=lambda *_: left, deliver=hand_over))
        return handed[0]

    def clean_up(self, _: Job) -> Steps[None]:
        """Rows of tables that no job needs any more go."""
        jobs, cache = self.command.home.jobs, table_cache(self.command.home, self.place)

        def keep_needed() -> None:
            begun = [j.names.get("tables", "").split() for j in jobs.pending()]
            cache.keep_only({*cache.current(), *(table for tables in begun for table in tables)})

        yield from work(keep_needed)

    def _begun(self, job: Job) -> DirectSession | None:
        require_not_replaced(self.place, self.now, ServerKind.PROVIDER)
        tables = job.names.get("tables", "")
        return cached_session(self.command.home, self.place, tables, self.now)

    def _opened(self, job: Job) -> Steps[DirectSession]:
        """The session over the tables of today, which the job then keeps to."""
        home, command = self.command.home, self.command
        try:
            session = yield from open_direct(home, self.place, command.now, command.report)
        except PadanError:
            home.jobs.close(job)  # nothing was asked yet; a download goes on by itself
            raise
        yield from work(lambda: home.jobs.remember(job, tables=session.table_ids()))
        return session

    def _evaluation(self, session: DirectSession, job: Job) -> ListEvaluation:
        home = self.command.home
        return ListEvaluation(
            session=session,
            seed=job.seed_bytes(),
            folder=home.jobs.folder_of(job),
            patience=home.patience,
            report=self.command.report,
            threads=self.command.threads,
        )


def too_few(rows: int, fewest: int) -> str:
    """Why a small residue is not sent."""
    left, least = number(rows), number(fewest)
    return t(
        f"{left} baris sisa tidak dikirim ke unit: perjanjian meminta sedikitnya {least}.",
        f"The {left} rows left were not sent to the unit: the agreement asks for {least} at least.",
    )
