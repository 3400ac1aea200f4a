"""The requester's side of a run: put the list, start the run, read and open the answers, merge.

1. Prepare the list; open the session (agreement, epoch, key).
2. Find or start the job; put the list's tables.
3. Start the run (charged once), get the edition of the registry that answers, watch the run.
4. Read and open the answers of every pass; merge them.
5. Deliver the result, then close the job and erase the list at the unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from google.protobuf import empty_pb2
from numpy.typing import NDArray

from padan.v1 import dataset_service_pb2, resources_pb2, run_service_pb2
from padan.v1.reason_texts import Reason
from padan_client.base.effects import Steps, call, work
from padan_client.base.errors import PadanError
from padan_client.base.place import FlowPlace
from padan_client.home.jobs import Job
from padan_client.protocol.jobs import Command, JobInput, drive
from padan_client.protocol.progress import Progress, Stage
from padan_client.protocol.session import open_session, telling_whose_step, unit_schema
from padan_client.protocol.unit.collect import PassCollector, SealKey, pass_counts
from padan_client.protocol.unit.datasets import (
    DatasetUpload,
    Task,
    UnitStepper,
    describe,
    put_dataset,
)
from padan_client.protocol.unit.editions import fetch_edition, require_usable_registry
from padan_client.protocol.unit.merging import merge_passes, open_pass
from padan_client.protocol.unit.registries import answered_by
from padan_client.protocol.unit.running import collect_pass, start_run, watch_run
from padan_client.records.lists import RequestList
from padan_client.results.table import (
    NOBODY,
    AnsweredBy,
    ConfirmResult,
    count_codes,
    result_table,
)
from padan_linkage.agreement import Flow
from padan_linkage.answering.answers import OpenedAnswers, PassCounts, RecordAnswers
from padan_linkage.answering.outcomes import LIST_CLOSED
from padan_linkage.cover import KEY_BYTES, joined, recur, with_cover
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.sealing import Opener
from padan_linkage.edition.document import Edition
from padan_linkage.encoding import PassEncoder, PassRows
from padan_linkage.schema import Schema


@dataclass(frozen=True, repr=False)
class _ListEncoder:
    """Makes the table of each pass, the same again for the same job; keeps what opening needs.

    ``covered``: the list's ``people`` records, and behind them its cover people.
    """

    task: Task
    covered: Mapping[str, pa.StringArray]
    people: int
    threads: int
    kept: dict[str, tuple[NDArray[np.int64], NDArray[np.uint8]]] = field(default_factory=dict)

    def table(self, pass_id: str) -> PassRows:
        """The pass's table, as it is uploaded."""
        session = self.task.session
        encoder = PassEncoder(
            session.schema, session.schema.get_pass(pass_id), session.key, threads=self.threads
        )
        drbg = self.task.drbg.fork(f"table {pass_id}")
        made = encoder.arrange(self.covered, people=self.people, drbg=drbg)
        self.kept[pass_id] = made.record_of_row, made.tokens
        return made

    def secrets(self, pass_id: str) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Record of every row and every row's token; they are let go of."""
        if pass_id not in self.kept:
            self.table(pass_id)
        return self.kept.pop(pass_id)


def confirm(command: Command[RequestList]) -> Steps[ConfirmResult]:
    """Confirm a list in a run."""
    place = command.place
    schema = unit_schema(place)
    requested = yield from command.prepared(schema)
    if not len(requested):
        return command.delivered(finish(place, schema, requested, [], None, None))
    session = yield from open_session(command.home, place)
    given = JobInput(
        kind="confirm",
        place=place,
        epoch=session.key.epoch,
        schema_digest=schema.digest(),
        records=requested.as_table(),
        more=(requested.size,),
    )
    stepper = RunStepper(command, session, requested)
    return (yield from telling_whose_step(session, drive(command.home, given, stepper)))


def listed(flow: Flow, records: int) -> int:
    """Records that a list of so many is put as: with cover, where the agreement asks for more."""
    return flow.quota.listed(records) if flow.quota else records


def recurs(flow: Flow) -> bool:
    """Whether an epoch of the flow may see several lists, so that people and cover come back."""
    return flow.quota is None or flow.quota.lists_per_epoch > 1


def finish(
    place: FlowPlace,
    schema: Schema,
    requested: RequestList,
    opened: list[OpenedAnswers],
    edition: Edition | None,
    key: LinkageKey | None,
    passes: Sequence[PassCounts] = (),
    run: str = "",
    by: AnsweredBy = NOBODY,
) -> ConfirmResult:
    """Merge what the passes of the registry ``by``, of that edition, answered, and word it."""
    flow = place.flow
    answers, expected = merge_passes(flow, schema, requested, opened, edition, key)
    ids = [p.id for p in schema.passes]
    table = result_table(flow, ids, requested, answers, place.party_names, by)
    return ConfirmResult(
        table=table,
        quarantine=requested.quarantine,
        counts=count_codes(flow, table),
        passes=tuple(passes),
        unopened_by_pass={name: int(o.failed.sum()) for name, o in zip(ids, opened, strict=False)},
        expected=expected,
        run=run,
        edition=by.edition,
    )


def closed_list(
    place: FlowPlace, schema: Schema, requested: RequestList, run: str
) -> ConfirmResult:
    """The result of a list that the unit closed: nothing can be vouched for of any of its rows."""
    # Spec 32, "Lists", step 4.
    every = np.ones(len(requested), np.bool_)
    answers = RecordAnswers.none(len(requested)).undecided(every, LIST_CLOSED)
    answers = replace(answers, checks=np.zeros((len(requested), len(place.flow.confirm)), np.uint8))
    ids = [p.id for p in schema.passes]
    table = result_table(place.flow, ids, requested, answers, place.party_names)
    counts = count_codes(place.flow, table)
    return ConfirmResult(table, requested.quarantine, counts, run=run, closed=True)


@dataclass(frozen=True, repr=False)
class RunStepper(UnitStepper[ConfirmResult]):
    """The work of confirming a list in a run."""

    HOPELESS = frozenset({Reason.RUN_NOT_FOUND, Reason.RUN_NOT_SUCCEEDED})

    requested: RequestList

    def carry_out(self, job: Job) -> Steps[ConfirmResult]:
        """Put the list, have it matched, read and open the answers."""
        session, requested, task = self.session, self.requested, self.task(job)
        count = listed(session.place.flow, requested.size)
        rows = session.schema.padded_rows(count)
        if "run" not in job.names:
            yield from require_usable_registry(session, task.patience)
        covered = yield from work(lambda: self._covered(task, rows))
        encoder = _ListEncoder(task, covered, len(requested), self.command.threads)
        wanted = describe(session, resources_pb2.ROLE_REQUESTER, count, rows)
        dataset = yield from put_dataset(task, DatasetUpload(wanted, encoder.table))
        run = yield from start_run(task, dataset.name)
        edition = yield from fetch_edition(session, run.edition, task.patience)
        ended = yield from watch_run(task, run.name, self.command.home.config.timeouts)
        if ended.state == run_service_pb2.Run.STATE_CLOSED:
            closed = yield from work(
                lambda: closed_list(session.place, session.schema, requested, run.name)
            )
            return replace(closed, cover=count - requested.size, charged=ended.record_count)
        opened = yield from _read(task, run.name, encoder, rows, edition.rate)
        passes = [pass_counts(message) for message in ended.passes]
        place, schema = session.place, session.schema
        by = answered_by(place, ended.provider_dataset, run.edition)
        result = yield from work(
            lambda: finish(
                place, schema, requested, opened, edition, session.key, passes, run.name, by
            )
        )
        return replace(result, cover=count - requested.size, charged=ended.record_count)

    def _covered(self, task: Task, rows: int) -> Mapping[str, pa.StringArray]:
        """The list, and behind it its cover people, the same again for the same job."""
        home, session, people = self.command.home, self.session, self.requested.records
        drbg, schema = task.drbg.fork("cover"), session.schema
        if not recurs(session.place.flow):
            return with_cover(schema, people, rows, drbg)
        key = home.identity.derive(b"people seen")[:KEY_BYTES]
        cover = home.list_cover().of_list(
            session.place,
            session.key.epoch,
            task.job,
            lambda kept: recur(schema, kept, people, rows, key, drbg),
        )
        return joined(people, cover)

    def deliver(self, result: ConfirmResult) -> Steps[ConfirmResult]:
        """Hand the result over."""
        return (yield from work(lambda: self.command.delivered(result)))

    def clean_up(self, job: Job) -> Steps[None]:
        """Erase the list at the unit; if that fails, the flow's retention sees to it."""
        home, place, epoch = self.command.home, self.session.place, self.session.key.epoch
        if recurs(place.flow):
            yield from work(lambda: home.list_cover().done(place, epoch, job))
        request = dataset_service_pb2.DeleteDatasetRequest(
            name=job.names["dataset"], request_id=job.request_ids["delete"]
        )
        with suppress(PadanError):
            yield from call(
                "DatasetService.DeleteDataset", request, empty_pb2.Empty, self.command.home.patience
            )


def _read(
    task: Task, run: str, encoder: _ListEncoder, rows: int, rate: float
) -> Steps[list[OpenedAnswers]]:
    """Read, check and open the answers, a pass at a time."""
    openers: dict[SealKey, Opener] = {}
    opened: list[OpenedAnswers] = []
    passes = task.session.schema.passes
    for number, p in enumerate(passes):
        task.report(Progress(Stage.RESULTS, number, len(passes), p.id))
        collector = yield from collect_pass(task, run, p, rows)

        def unseal(pass_id: str = p.id, collected: PassCollector = collector) -> OpenedAnswers:
            record_of_row, tokens = encoder.secrets(pass_id)
            given = collected.answers(), collected.seal
            return open_pass(task.session, *given, record_of_row, tokens, openers, rate)

        opened.append((yield from work(unseal)))
    task.report(Progress(Stage.RESULTS, len(passes), len(passes)))
    return opened
