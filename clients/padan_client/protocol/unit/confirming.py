"""The requester's side of a run: put the list, start the run, read and open the answers, merge.

1. Prepare the list; open the session (agreement, epoch, key).
2. Find or start the job; put the list's tables.
3. Start the run (charged once) and watch it.
4. Read and open the answers of every pass; merge them.
5. Deliver the result, then close the job and erase the list at the unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from google.protobuf import empty_pb2
from numpy.typing import NDArray

from padan.v1 import dataset_service_pb2, resources_pb2
from padan_client.base.effects import Steps, call, work
from padan_client.base.errors import PadanError, RefusedError
from padan_client.base.place import FlowPlace
from padan_client.home.folder import Home
from padan_client.home.jobs import input_digest
from padan_client.protocol.progress import Progress, Report, Stage
from padan_client.protocol.session import Session, open_session, require_role, unit_schema
from padan_client.protocol.unit.collect import (
    PassCollector,
    SealKey,
)
from padan_client.protocol.unit.datasets import Task, Upload, describe, is_gone, put_dataset
from padan_client.protocol.unit.merging import Opened, merge_passes, open_pass
from padan_client.protocol.unit.publishing import job_context
from padan_client.protocol.unit.running import collect_pass, start_run, watch_run
from padan_client.records.lists import RequestList
from padan_client.results.table import ConfirmResult, PassSummary, count_codes, result_table
from padan_linkage.crypto.sealing import Opener
from padan_linkage.encoding import PassEncoder, PassRows
from padan_linkage.outcomes import STRONGEST_BAND
from padan_linkage.schema import Schema

Deliver = Callable[[ConfirmResult], None]

#: Refusals after which the job's run will never give a result.
_HOPELESS = frozenset({"RUN_NOT_FOUND", "RUN_NOT_SUCCEEDED", "RUN_WORKER_FAILED"})


@dataclass(frozen=True, repr=False)
class _Encoder:
    """Makes the table of each pass, the same again for the same job; keeps what opening needs."""

    task: Task
    asked: RequestList
    rows: int
    threads: int
    kept: dict[str, tuple[NDArray[np.int64], NDArray[np.uint8]]] = field(default_factory=dict)

    def table(self, pass_id: str) -> PassRows:
        """The pass's table, as it is uploaded."""
        session = self.task.session
        encoder = PassEncoder(
            session.schema, session.schema.get_pass(pass_id), session.key, threads=self.threads
        )
        drbg = self.task.drbg.fork(f"table {pass_id}")
        made = encoder.arrange(self.asked.records, rows=self.rows, drbg=drbg)
        self.kept[pass_id] = made.record_of_row, made.tokens
        return made

    def secrets(self, pass_id: str) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Record of every row and every row's token; they are let go of."""
        if pass_id not in self.kept:
            self.table(pass_id)
        return self.kept.pop(pass_id)


def confirm(
    home: Home,
    agreement: str,
    flow: str,
    prepare: Callable[[Schema], RequestList],
    *,
    deliver: Deliver | None,
    report: Report,
    threads: int,
) -> Steps[ConfirmResult]:
    """Confirm a list in a run. ``deliver`` gets the result before anything is let go of."""
    signed = home.signed_agreement(agreement)
    place = home.place(agreement, flow)
    require_role(place, place.flow.requester, provider=False)
    report(Progress(Stage.PREPARE, 0, 1))
    schema = unit_schema(place)
    asked = yield from work(lambda: prepare(schema))
    pa.default_memory_pool().release_unused()  # what reading and normalising took
    if not len(asked):
        return _delivered(finish(place, schema, asked, [], [], ""), deliver)
    session = yield from open_session(
        place, signed.document, home.identity, home.epochs.linkage_key, home.patience
    )
    digest = yield from work(lambda: _digest(home, session, asked))
    job = home.jobs.open("confirm", digest, agreement=agreement, flow=flow, epoch=session.key.epoch)
    try:
        task = Task(session, job, home.jobs, home.patience, report)
        if (yield from is_gone(task)):
            task = Task(session, home.jobs.renew(job), home.jobs, home.patience, report)
        result = yield from _run(home, task, asked, threads)
        result = yield from work(lambda: _delivered(result, deliver))
        yield from work(lambda: home.jobs.close(task.job))
        yield from _erase(task)
    finally:
        home.jobs.release(job)
    return result


def finish(
    place: FlowPlace,
    schema: Schema,
    asked: RequestList,
    opened: list[Opened],
    passes: list[PassSummary],
    run: str,
) -> ConfirmResult:
    """Merge what the passes answered and word it."""
    flow = place.flow
    answered, unopened, expected = merge_passes(flow, schema, asked, opened, passes)
    table = result_table(
        flow,
        [p.id for p in schema.passes],
        asked.ids,
        asked.rows,
        asked.asked,
        answered,
        place.party_names,
    )
    return ConfirmResult(
        table=table,
        quarantine=asked.quarantine,
        counts=count_codes(flow, table),
        passes=tuple(passes),
        unopened=unopened,
        expected=expected,
        run=run,
    )


def _run(home: Home, task: Task, asked: RequestList, threads: int) -> Steps[ConfirmResult]:
    session = task.session
    rows = session.schema.padded_rows(len(asked))
    encoder = _Encoder(task, asked, rows, threads)
    wanted = describe(session, resources_pb2.ROLE_REQUESTER, len(asked), rows)
    dataset = yield from put_dataset(task, Upload(wanted, encoder.table))
    try:
        name = yield from start_run(task, dataset)
        run = yield from watch_run(task, name, home.config.timeouts)
        opened = yield from _read(task, name, encoder, rows)
    except RefusedError as refusal:
        if refusal.reason in _HOPELESS:
            yield from work(lambda: task.jobs.close(task.job))
        raise
    summaries = [summary_of(estimate) for estimate in run.passes]
    return (
        yield from work(
            lambda: finish(session.place, session.schema, asked, opened, summaries, name)
        )
    )


def _read(task: Task, run: str, encoder: _Encoder, rows: int) -> Steps[list[Opened]]:
    """Read, check and open the answers, a pass at a time."""
    openers: dict[SealKey, Opener] = {}
    opened: list[Opened] = []
    passes = task.session.schema.passes
    for number, p in enumerate(passes):
        task.report(Progress(Stage.RESULTS, number, len(passes), p.id))
        collector = yield from collect_pass(task, run, p, rows)

        def unseal(pass_id: str = p.id, collected: PassCollector = collector) -> Opened:
            record_of_row, tokens = encoder.secrets(pass_id)
            return open_pass(
                task.session, collected.reply(), collected.seals, record_of_row, tokens, openers
            )

        opened.append((yield from work(unseal)))
    task.report(Progress(Stage.RESULTS, len(passes), len(passes)))
    return opened


def _erase(task: Task) -> Steps[None]:
    """Erase the list at the unit; if that fails, the flow's retention sees to it."""
    try:
        yield from call(
            "DatasetService.DeleteDataset",
            dataset_service_pb2.DeleteDatasetRequest(
                name=task.job.names["dataset"], request_id=task.job.request_ids["delete"]
            ),
            empty_pb2.Empty,
            task.patience,
        )
    except PadanError:
        return


def _digest(home: Home, session: Session, asked: RequestList) -> bytes:
    key = home.identity.derive(b"job digest")
    return input_digest(key, job_context(session), asked.as_table())


def _delivered(result: ConfirmResult, deliver: Deliver | None) -> ConfirmResult:
    if deliver is not None:
        deliver(result)
    return result


def summary_of(estimate: resources_pb2.PassEstimate) -> PassSummary:
    """What can be believed of an estimate; out of bounds it is none."""

    def share(value: float) -> float | None:
        return value if estimate.estimated and 0.0 <= value <= 1.0 else None

    errors = tuple(estimate.band_errors)
    plausible = len(errors) == STRONGEST_BAND and all(0.0 <= e <= 1.0 for e in errors)
    unanswered = estimate.unanswered_matches
    counted = estimate.HasField("unanswered_matches") and 0.0 <= unanswered < math.inf
    return PassSummary(
        pass_id=estimate.pass_id,
        matched_rows=estimate.matched_rows,
        ambiguous_rows=estimate.ambiguous_rows,
        precision=share(estimate.precision),
        recall=share(estimate.recall),
        band_errors=errors if plausible else None,
        unanswered=unanswered if counted else None,
    )
