"""Confirms a list in direct mode, and sends what stays open through the unit where that is wanted.

1. Prepare the list; find or start the job.
2. Open the session: agreement, tables of today (a job that goes on keeps the tables it began with).
3. Ask key by key (:mod:`.answering`).
4. Mode auto: what no key settled goes through a run of the unit, if the flow allows it.
5. Deliver the result, then close the job.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_client.base.effects import Steps, work
from padan_client.base.errors import PadanError, RefusedError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.base.version import VERSION
from padan_client.home.folder import Home
from padan_client.home.jobs import Job, input_digest
from padan_client.protocol.direct.answering import DirectAnswers, answer, direct_result, with_way
from padan_client.protocol.direct.evaluating import Asking
from padan_client.protocol.direct.publishing import direct_schemas, usable_schema
from padan_client.protocol.direct.session import (
    Clock,
    DirectSession,
    cached_session,
    open_direct,
    table_cache,
)
from padan_client.protocol.progress import Progress, Report, Stage
from padan_client.protocol.session import require_role
from padan_client.protocol.unit.confirming import Deliver
from padan_client.protocol.unit.confirming import confirm as confirm_by_unit
from padan_client.records.lists import RequestList
from padan_client.results.table import AMBIGUOUS as SEVERAL
from padan_client.results.table import FOUND, NOT_FOUND, ConfirmResult, count_codes
from padan_linkage.agreement import Flow, Mode
from padan_linkage.direct.lookup import Answering
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.normalise import NORMALISER_VERSION
from padan_linkage.outcomes import AMBIGUOUS, NOT_MATCHED
from padan_linkage.schema import Schema

#: Refusals after which the job's tables or lists are of no use any more, or its list never was.
_HOPELESS = frozenset({"TABLE_NOT_FOUND", "TABLE_EXPIRED", "LIST_NOT_FOUND", "QUOTA_LIST_EXCEEDED"})


@dataclass(frozen=True, repr=False)
class Confirmation:
    """One list to confirm: where, how its records are prepared, who is given the result."""

    home: Home
    agreement: str
    flow: str
    prepare: Callable[[Schema], RequestList]
    deliver: Deliver | None
    report: Report
    threads: int
    now: Clock
    hide_found: bool = False

    def delivered(self, result: ConfirmResult) -> ConfirmResult:
        """Hand the result over."""
        if self.deliver is not None:
            self.deliver(result)
        return result


def confirm_directly(wanted: Confirmation, *, residue: bool) -> Steps[ConfirmResult]:
    """Confirm a list; with ``residue``, what stays open goes through the unit (mode auto)."""
    home = wanted.home
    place = home.place(wanted.agreement, wanted.flow)
    require_role(place, place.flow.requester, provider=False)
    _, schema = direct_schemas(place)
    residue = residue and Mode.UNIT in place.flow.modes
    wanted.report(Progress(Stage.PREPARE, 0, 1))
    usable = usable_schema(place.flow, unit=residue)
    asked = yield from work(lambda: wanted.prepare(usable))
    if not len(asked):
        nothing = direct_result(place, schema, asked, DirectAnswers(Answering(0), {}), "")
        return wanted.delivered(nothing)
    digest = yield from work(
        lambda: _digest(home, place, schema, asked, hide_found=wanted.hide_found)
    )
    job = home.jobs.open(
        "confirm-direct", digest, agreement=wanted.agreement, flow=wanted.flow, epoch=0
    )
    try:
        job, session = yield from _session(wanted, place, job)
        answers = yield from _answers(wanted, session, job, asked)
        table = f"{place.name}/labelTables/{session.manifests[0].table}"
        result = yield from work(lambda: direct_result(place, schema, asked, answers, table))
        if residue:
            left = open_rows(schema, asked, answers)
            result = yield from _with_unit(wanted, place.flow, left, result)
        else:
            result = yield from work(lambda: wanted.delivered(result))
        yield from work(lambda: _close(home, session, job))
    finally:
        home.jobs.release(job)
    return result


def _session(wanted: Confirmation, place: FlowPlace, job: Job) -> Steps[tuple[Job, DirectSession]]:
    """The session that the job began with, or one over the tables of today."""
    home = wanted.home
    if "tables" in job.names:
        kept = cached_session(home, place, job.names["tables"], wanted.now())
        if kept is not None:
            return job, kept
        job = home.jobs.renew(job)
    document = home.signed_agreement(wanted.agreement).document
    try:
        session = yield from open_direct(home, place, document, wanted.now, wanted.report)
    except PadanError:
        home.jobs.close(job)  # nothing was asked yet; a download goes on by itself
        raise
    yield from work(lambda: home.jobs.remember(job, tables=session.table_ids()))
    return job, session


def _answers(
    wanted: Confirmation, session: DirectSession, job: Job, asked: RequestList
) -> Steps[DirectAnswers]:
    home = wanted.home
    asking = Asking(
        session=session,
        seed=job.seed_bytes(),
        folder=home.jobs.folder_of(job),
        patience=home.patience,
        report=wanted.report,
        threads=wanted.threads,
        hide_found=wanted.hide_found,
    )
    try:
        return (yield from answer(asking, asked))
    except RefusedError as refusal:
        if refusal.reason in _HOPELESS:
            yield from work(lambda: home.jobs.close(job))
        raise


def _with_unit(
    wanted: Confirmation, flow: Flow, left: RequestList, direct: ConfirmResult
) -> Steps[ConfirmResult]:
    """Send the rows that are left through the unit and join both answers."""
    fewest = flow.quota.minimum_batch if flow.quota else 1
    if not len(left) or len(left) < fewest:
        skipped = too_few(len(left), fewest) if len(left) else ""
        result = replace(direct, skipped=skipped)
        return (yield from work(lambda: wanted.delivered(result)))
    joined: list[ConfirmResult] = []

    def hand_over(by_unit: ConfirmResult) -> None:
        joined.append(wanted.delivered(join(flow, direct, by_unit)))

    yield from confirm_by_unit(
        wanted.home,
        wanted.agreement,
        wanted.flow,
        lambda _: left,
        deliver=hand_over,
        report=wanted.report,
        threads=wanted.threads,
    )
    return joined[0]


def open_rows(schema: DirectSchema, asked: RequestList, answers: DirectAnswers) -> RequestList:
    """The rows that no key found, and those that a tolerant key left ambiguous.

    What an identifier settled, even as ambiguous, similarity cannot know better.
    """
    answering = answers.answering
    tolerant = np.array([key.tolerant for key in schema.keys], np.bool_)
    unclear = (answering.outcome == AMBIGUOUS) & tolerant[answering.answered_by]
    keep = np.flatnonzero((answering.outcome == NOT_MATCHED) | unclear).astype(np.int64)
    return replace(asked, asked=asked.asked[keep], records=asked.subset(keep))


def join(flow: Flow, direct: ConfirmResult, by_unit: ConfirmResult) -> ConfirmResult:
    """One answer a row: the unit's where it found one, or several, and direct mode none."""
    ours, theirs = direct.table, with_way(by_unit.table, "unit")
    several = pc.and_(pc.equal(theirs["hasil"], SEVERAL), pc.equal(ours["hasil"], NOT_FOUND))
    take = pc.or_(pc.equal(theirs["hasil"], FOUND), several)
    table = pa.table(
        {name: pc.if_else(take, theirs[name], ours[name]) for name in ours.column_names}
    )
    return ConfirmResult(
        table=table,
        quarantine=direct.quarantine,
        counts=count_codes(flow, table),
        passes=(*direct.passes, *by_unit.passes),
        unopened=by_unit.unopened,
        expected=by_unit.expected,
        run=by_unit.run,
        evaluated=direct.evaluated,
    )


def too_few(rows: int, fewest: int) -> str:
    """Why a small residue is not sent."""
    return t(
        f"{rows} baris sisa tidak dikirim ke unit: perjanjian meminta sedikitnya {fewest}.",
        f"The {rows} rows left were not sent to the unit: the agreement asks for {fewest} at "
        "least.",
    )


def _close(home: Home, session: DirectSession, job: Job) -> None:
    """The job ends; rows of tables that no job needs any more go."""
    home.jobs.close(job)
    cache = table_cache(home, session.place)
    begun = [job.names.get("tables", "").split() for job in home.jobs.pending()]
    cache.keep_only({*cache.current(), *(table for tables in begun for table in tables)})


def _digest(
    home: Home, place: FlowPlace, schema: DirectSchema, asked: RequestList, *, hide_found: bool
) -> bytes:
    fields, _ = direct_schemas(place)
    context: tuple[str | bytes | int, ...] = (
        place.digest,
        place.flow.id,
        schema.digest(fields),
        NORMALISER_VERSION,
        VERSION,
        int(hide_found),
    )
    return input_digest(home.identity.derive(b"job digest"), context, asked.as_table())
