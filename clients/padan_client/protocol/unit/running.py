"""Starts a run, watches it to its end, and collects the answers pass by pass."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from google.longrunning import operations_pb2

from padan.v1 import run_service_pb2 as pb
from padan.v1.reason_texts import Reason
from padan_client.base.effects import DeadlineError, Download, Patience, Pause, Steps, call
from padan_client.base.errors import RefusedError, UnavailableError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.base.reasons import refused
from padan_client.home.config import Timeouts
from padan_client.protocol.progress import Progress, Report, Stage
from padan_client.protocol.unit.collect import PassCollector
from padan_client.protocol.unit.datasets import Task, not_as_requested
from padan_linkage.schema import Pass

#: How a run ends whose rows are all accounted for: answered, or closed as a whole.
_DONE = frozenset({pb.Run.STATE_SUCCEEDED, pb.Run.STATE_CLOSED})
_ENDED = _DONE | {pb.Run.STATE_FAILED, pb.Run.STATE_CANCELLED}
#: Why a run fails without anybody's fault but the unit's (spec 30, "Runs").
_UNITS_FAULT = frozenset({Reason.RUN_WORKER_FAILED, Reason.STORAGE_FULL})
_PER_MILLE = 1000
_IDLE_SECONDS = 1.0


@dataclass
class _Watch:
    """The newest state of a run, as its stream tells."""

    name: str
    report: Report
    run: pb.Run | None = None

    @property
    def ended(self) -> pb.Run | None:
        """The run, once it has ended."""
        return self.run if self.run is not None and self.run.state in _ENDED else None

    def take(self, run: pb.Run) -> None:
        """Note a state."""
        if run.name != self.name:
            raise not_as_requested()
        self.run = run
        done = int(min(max(run.progress, 0.0), 1.0) * _PER_MILLE)
        left = run.remaining_time.seconds if run.HasField("remaining_time") else None
        self.report(Progress(Stage.MATCH, done, _PER_MILLE, seconds_left=left))


def start_run(task: Task, requester_dataset: str) -> Steps[pb.Run]:
    """Start (or find again) the job's run. Returns it."""
    operation = yield from call(
        "RunService.CreateRun",
        pb.CreateRunRequest(
            parent=task.session.place.name,
            run=pb.Run(requester_dataset=requester_dataset),
            request_id=task.job.names.get("run_again") or task.job.request_ids["run"],
        ),
        operations_pb2.Operation,
        task.patience,
    )
    metadata = pb.RunMetadata()
    if not operation.metadata.Unpack(metadata):
        raise not_as_requested()
    run = metadata.run
    if not is_run_name(task.session.place, run.name) or run.requester_dataset != requester_dataset:
        raise not_as_requested()
    yield from task.remember(run=run.name)
    return run


def is_run_name(place: FlowPlace, name: str) -> bool:
    """Whether ``name`` is a run's resource name in the flow."""
    return re.fullmatch(re.escape(place.name) + r"/runs/[A-Za-z0-9_-]{1,64}", name) is not None


def watch_run(task: Task, name: str, timeouts: Timeouts) -> Steps[pb.Run]:
    """Watch the job's run until it ends. Returns it if it succeeded or was closed.

    Raises RefusedError for a failed or cancelled run; otherwise as :func:`follow_run`. One that the
    unit failed cost nothing: the same command starts another of the same list.
    """
    run = yield from follow_run(name, task.report, task.patience, timeouts)
    if run.state == pb.Run.STATE_FAILED and run.failure_reason in _UNITS_FAULT:
        yield from task.remember(run_again=str(uuid.uuid4()))
    return _done(task.session.place, run)


def follow_run(name: str, report: Report, patience: Patience, timeouts: Timeouts) -> Steps[pb.Run]:
    """Watch a run until it ends. Returns it as it ended.

    Raises UnavailableError when it has not ended after about ``timeouts.run``; repeating the
    command goes on watching.
    """
    watch = _Watch(name, report)
    backoff = patience.start()
    idle = 0.0
    while watch.ended is None:
        try:
            yield Download("RunService.WatchRun", pb.WatchRunRequest(name=name), watch.take)
        except DeadlineError:
            idle += timeouts.stream
        except UnavailableError as failure:
            yield backoff.after(failure)
            continue
        backoff.progress()
        if watch.ended is None:
            idle += _IDLE_SECONDS
            yield Pause(_IDLE_SECONDS)
        if idle > timeouts.run:
            raise _too_long()
    return watch.ended


def collect_pass(task: Task, run: str, p: Pass, row_count: int) -> Steps[PassCollector]:
    """All answers of one pass; a broken stream is taken up at the next row."""
    collector = PassCollector(p, row_count)
    backoff = task.patience.start()
    while not collector.complete:
        before = collector.next_row
        collector.begin_stream()
        request = pb.StreamResultsRequest(name=run, pass_id=p.id, row_offset=before)
        try:
            yield Download("RunService.StreamResults", request, collector.take)
        except UnavailableError as failure:
            if collector.next_row == before:
                yield backoff.after(failure)
            else:
                backoff.progress()
            continue
        collector.require_complete()
    return collector


def _done(place: FlowPlace, run: pb.Run) -> pb.Run:
    if run.state in _DONE:
        return run
    if run.state == pb.Run.STATE_CANCELLED:
        raise RefusedError(
            t("Pemadanan dibatalkan.", "The run was cancelled."), Reason.RUN_NOT_SUCCEEDED
        )
    reason = run.failure_reason if re.fullmatch(r"[A-Z_]{1,60}", run.failure_reason) else "UNKNOWN"
    raise refused(reason, place)


def _too_long() -> UnavailableError:
    return UnavailableError(
        t(
            "Pemadanan belum selesai dalam batas waktu timeouts.run. Ulangi perintah yang sama "
            "untuk menunggu lagi; kuota tidak terpakai dua kali.",
            "The run has not ended within timeouts.run. Repeat the same command to wait on; the "
            "quota is not charged twice.",
        )
    )
