"""The workers of the unit: they lease runs and match them, one pass at a time.

A lease is renewed while its worker lives; a run whose lease is over belongs to whoever takes it
next. A pass is written, synced and recorded before the next begins, so a killed unit goes on with
the passes not done. Every step under a lease names its worker, so a worker that has lost its lease
(or whose run was cancelled) can change nothing any more. Parties take turns: where another one
waits, a run is set aside behind what it has kept.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from padan_linkage.answering.answers import PassCounts
from padan_linkage.matching import PassResult, is_crowded
from padan_linkage.schema import Layout, Pass, Schema
from padan_linkage.tables import PassTable
from padan_server.admission.enforcement import Enforcement, Grant
from padan_server.admission.quotas import quota_of
from padan_server.base.clock import Clock, SystemClock, jakarta_day
from padan_server.base.damage import DamagedFileError
from padan_server.base.errors import Reason, Refusal
from padan_server.base.failpoints import Failpoints
from padan_server.base.metrics import Metrics
from padan_server.base.model import UNANSWERED, Dataset, DatasetState, Role, Run, RunState
from padan_server.datasets.retention import RESUMABLE
from padan_server.matching.engine import Engine
from padan_server.matching.indexes import Indexes
from padan_server.matching.metering import MeterKey, Meters
from padan_server.matching.progress import RunProgress, Step
from padan_server.matching.run_lease import (
    LostLeaseError,
    RunLease,
    RunTurn,
    StoppingUnitError,
    TurnOverError,
)
from padan_server.matching.run_signal import RunSignal
from padan_server.store.files.columns import ColumnFiles
from padan_server.store.files.derived import PassJournal
from padan_server.store.port import Store, StoreBusyError, StoreFullError, Transaction

_log = structlog.get_logger(__name__)
_IDLE_SECONDS = 5.0
_RETRY_SECONDS = 0.5
#: Why a run fails by the unit's own fault, and how many such runs of a list cost nothing.
_OURS = frozenset({Reason.RUN_WORKER_FAILED, Reason.STORAGE_FULL, Reason.DATA_DAMAGED})
_GIVEN_BACK = 3


@dataclass(frozen=True)
class RunnerSettings:
    """Workers, threads a worker, attempts and deaths without anything kept, seconds a lease.

    ``turn_seconds``: how long a run is worked on while others wait, at least; ``resume_share``: how
    much of its time may go into taking it up again.
    """

    workers: int
    threads: int
    attempts: int
    deaths: int
    lease_seconds: float
    turn_seconds: float
    resume_share: float


@dataclass(frozen=True)
class _Sides:
    """The list and the registry that a run compares."""

    requester: Dataset
    registry: Dataset


class _Ranges:
    """A pass's journal; ``progressed`` is told of every range that is kept."""

    def __init__(self, kept: PassJournal, turn: RunTurn, progressed: Callable[[], None]) -> None:
        self._kept = kept
        self._turn = turn
        self._progressed = progressed

    def load(self, name: str) -> bytes | None:
        """What an earlier attempt or turn kept."""
        found = self._kept.load(name)
        if found is None:
            self._turn.works()
        return found

    def save(self, name: str, content: bytes) -> None:
        """Keep a range."""
        # Spec 30, "Runs", step 4.
        self._kept.save(name, content)
        self._progressed()


class Runner:
    """Worker threads over the queue of runs. Lease times are the machine's, never simulated."""

    def __init__(
        self,
        store: Store,
        files: ColumnFiles,
        indexes: Indexes,
        meters: Meters,
        engine: Engine,
        enforcement: Enforcement,
        clock: Clock,
        signal: RunSignal,
        metrics: Metrics,
        failpoints: Failpoints,
        stopping: threading.Event,
        settings: RunnerSettings,
    ) -> None:
        self._store = store
        self._files = files
        self._indexes = indexes
        self._meters = meters
        self._engine = engine
        self._enforcement = enforcement
        self._signal = signal
        self._metrics = metrics
        self._failpoints = failpoints
        self._stopping = stopping
        self._settings = settings
        self._clock = clock
        self._lease_clock = SystemClock()
        self._threads = [
            threading.Thread(target=self._work, name=f"run-worker-{i}", daemon=True)
            for i in range(settings.workers)
        ]

    def start(self) -> None:
        """Take back what a killed predecessor had leased, then begin to work.

        Only one process uses a data directory (``roles/serving.py`` locks it), so every lease is a
        dead one's.
        """
        with self._store.write() as tx:
            resumed = tx.runs.release_all()
        if resumed:
            _log.info("runs_resumed", runs=resumed)
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every worker has given back its run; set ``stopping`` before."""
        self._signal.notify()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _work(self) -> None:
        worker = secrets.token_hex(8)
        seen = -1
        while not self._stopping.is_set():
            try:
                # Spec 30, "Runs", step 2.
                run = self._lease(worker)
                if run is not None:
                    self._attempt(run, worker)
                    continue
            except Exception as e:  # noqa: BLE001 - a worker must outlive any one fault
                _log.error("run_worker_fault", error=type(e).__name__)
                self._stopping.wait(_RETRY_SECONDS)
            seen = self._signal.wait(seen, _IDLE_SECONDS)

    def _lease(self, worker: str) -> Run | None:
        now = self._lease_clock.now()
        until = now + timedelta(seconds=self._settings.lease_seconds)
        with self._store.write() as tx:
            return tx.runs.lease(worker, now, until)

    def _attempt(self, run: Run, worker: str) -> None:
        began = time.monotonic()
        turn = RunTurn(self._settings.turn_seconds, self._settings.resume_share)
        # Spec 30, "Runs", step 7.
        if run.attempts > self._settings.attempts or run.deaths > self._settings.deaths:
            self._end(run, worker, RunState.FAILED, Reason.RUN_WORKER_FAILED, began)
            return
        self._failpoints.hit("run.leased")
        _log.info("run_leased", run=run.id, attempt=run.attempts, passes_done=len(run.passes))
        lease = RunLease(self._store, run.id, worker, self._settings.lease_seconds, self._stopping)
        try:
            with lease:
                state = self._match(run, lease, turn)
        except LostLeaseError:
            self._drop_if_ended(run)
            _log.info("run_lost", run=run.id)
        except (StoppingUnitError, TurnOverError):
            self._set_aside(run, worker)
        except Refusal as refusal:
            self._end(run, worker, RunState.FAILED, refusal.reason, began)
        except StoreBusyError:
            self._stopping.wait(_RETRY_SECONDS)
            self._give_back(run, worker, counted=False)
        except DamagedFileError:
            # Spec 30, "Doubt", step 8: another attempt would read the same.
            self._end(run, worker, RunState.FAILED, Reason.DATA_DAMAGED, began)
        except StoreFullError:
            self._retry(run, worker, Reason.STORAGE_FULL, began)
        except Exception as e:  # noqa: BLE001 - any fault of a pass is retried, then told
            _log.error("run_fault", run=run.id, error=type(e).__name__, where=_where(e))
            self._retry(run, worker, Reason.RUN_WORKER_FAILED, began)
        else:
            self._end(run, worker, state, None, began)
            self._failpoints.hit("run.finished")

    def _match(self, run: Run, lease: RunLease, turn: RunTurn) -> RunState:
        """Match the passes that are not done; how the run ends, once its list is settled."""
        done = {p.pass_id for p in run.passes}
        grant = self._grant(run)
        sides = self._sides(run)
        # A run that was set aside has its progress here, and was checked by this process.
        again = self._signal.step(run.id) is None
        work = {
            p.id: self._engine.work(p, *self._tables(grant.schema, p, sides, again=again))
            for p in grant.schema.passes
        }
        of_run = RunProgress(work, done)
        for p in grant.schema.passes:
            if p.id in done:
                continue
            self._end_turn(run, turn)
            grant = self._grant(run)
            sides = self._sides(run)
            registry = sides.registry
            tables = self._tables(grant.schema, p, sides)
            # Spec 30, "Runs", step 3.
            result = self._match_pass(run, grant, registry.id, p, tables, of_run, lease, turn)
            lease.check()
            # Spec 30, "Runs", step 5.
            answers = result.answers(tables[0])
            self._files.write_result(run.id, answers, self._meters.met(result, *tables))
            self._failpoints.hit("run.result_written")
            self._record(run, lease.worker, answers.counts(len(tables[0])))
            self._failpoints.hit("run.pass_recorded")
            of_run.ended(p.id)
            self._signal.notify(run.id, of_run.step())
        # Spec 30, "Runs", step 6.
        return self._settled(run, grant, sides)

    def _settled(self, run: Run, grant: Grant, sides: _Sides) -> RunState:
        """Count what the list asked; it is closed if it asked too much in one place."""
        # Spec 32, "Lists", steps 2 and 3.
        schema, key = grant.schema, MeterKey(run.flow, sides.requester.encoding.epoch)
        meter = self._meters.of(key, schema.passes)
        if not meter.knows(run.id):
            if any(is_crowded(*self._tables(schema, p, sides)) for p in schema.filtered):
                return RunState.CLOSED
            met = {p.id: self._files.met(run.id, p.id) for p in schema.filtered}
            if not meter.settle(run.id, met, quota_of(grant)):
                return RunState.CLOSED
        self._failpoints.hit("run.settled")
        self._files.drop_met(run.id)
        return RunState.SUCCEEDED

    def _match_pass(
        self,
        run: Run,
        grant: Grant,
        registry: str,
        p: Pass,
        tables: tuple[PassTable, PassTable],
        of_run: RunProgress,
        lease: RunLease,
        turn: RunTurn,
    ) -> PassResult:
        """Match one pass, from where an earlier attempt was; raises what ends the lease."""

        def progress(share: float) -> None:
            of_run.at(p.id, share)
            self._signal.notify(run.id, of_run.step())

        def kept() -> None:
            with self._store.write() as tx:
                tx.runs.progressed(run.id, lease.worker)
            self._failpoints.hit("run.range_kept")
            self._end_turn(run, turn)

        of_run.restart()
        if not p.similar:
            turn.works()
        journal = _Ranges(self._files.journal(run.id, p.id), turn, kept)
        try:
            return self._engine.match_pass(
                grant.schema,
                p,
                *tables,
                grant.flow.match,
                self._indexes.calibration(registry, p),
                progress=progress,
                cancelled=lease.over,
                threads=self._settings.threads,
                directory=self._indexes.directory(registry, p, tables[0]) if p.similar else None,
                journal=of_run.journal(journal),
            )
        except TurnOverError:
            raise
        except Exception:
            lease.check()  # a matcher may end a cancelled pass with any exception
            raise

    def _tables(
        self, schema: Schema, p: Pass, sides: _Sides, *, again: bool = False
    ) -> tuple[PassTable, PassTable]:
        """Provider's and requester's table of a pass, memory-mapped; ``again``: wholly checked."""
        registry, requester = (
            self._files.table(side.id, p.id, Layout.of(schema, p, provider=provider), again=again)
            for side, provider in ((sides.registry, True), (sides.requester, False))
        )
        return registry, requester

    def _record(self, run: Run, worker: str, counts: PassCounts) -> None:
        with self._store.write() as tx:
            kept = tx.runs.add_pass(run.id, worker, counts)
        if not kept:
            raise LostLeaseError
        _log.info(
            "run_pass_done",
            run=run.id,
            **{"pass": counts.pass_id},
            requester_rows=counts.requester_rows,
            provider_rows=counts.provider_rows,
        )

    def _drop_if_ended(self, run: Run) -> None:
        """Erase the answers of a run that ended without success; another's run stays untouched."""
        with self._store.read() as tx:
            current = tx.runs.get(run.id)
        if current is None or current.state in UNANSWERED:
            self._files.erase_run(run.id)
            # Spec 32, "Lists", step 5.
            self._meters.drop(run.id)
            self._signal.notify(run.id)

    def _grant(self, run: Run) -> Grant:
        """What the run may rely on now: a pass begins only while the agreement is in force."""
        grant = self._enforcement.admit(run.owner, run.flow.agreement, run.flow.flow)
        if grant.key != run.flow:
            raise Refusal(Reason.AGREEMENT_SUPERSEDED, **grant.metadata)
        return grant

    def _sides(self, run: Run) -> _Sides:
        with self._store.read() as tx:
            requester = tx.datasets.get(run.requester_dataset)
            registry = tx.datasets.get(run.provider_dataset)
        for side in (requester, registry):
            if side is None or side.state is not DatasetState.COMMITTED:
                raise Refusal(Reason.DATASET_STATE_INVALID)
        if requester is None or registry is None or registry.role is not Role.PROVIDER:
            raise LookupError("sides of a run")
        return _Sides(requester, registry)

    def _give_back(self, run: Run, worker: str, *, counted: bool) -> None:
        if self._released(run, worker, counted=counted):
            self._signal.notify(run.id)

    def _end_turn(self, run: Run, turn: RunTurn) -> None:
        """Raise TurnOverError where another party waits and the run has had its turn."""
        # Spec 30, "Runs", step 9.
        if not turn.may_end():
            return
        with self._store.read() as tx:
            awaited = tx.runs.is_awaited(run.owner)
        if awaited:
            raise TurnOverError

    def _set_aside(self, run: Run, worker: str) -> None:
        """Let the run wait for its next turn, with what it has kept and how far it is."""
        step = self._signal.step(run.id)
        if step is not None:
            self._signal.notify(run.id, Step(step.share))
        if self._released(run, worker, counted=False):
            _log.info("run_set_aside", run=run.id)
            self._signal.notify()

    def _released(self, run: Run, worker: str, *, counted: bool) -> bool:
        """Let the run wait; False if it is not this worker's any more, whatever it is then."""
        with self._store.write() as tx:
            waits = tx.runs.release(run.id, worker, counted=counted)
        if not waits:
            self._drop_if_ended(run)
        return waits

    def _retry(self, run: Run, worker: str, reason: Reason, began: float) -> None:
        """Leave the run to a later attempt, or end it after the last one."""
        with self._store.read() as tx:
            current = tx.runs.get(run.id)
        attempts = current.attempts if current else run.attempts
        if attempts >= self._settings.attempts:
            self._end(run, worker, RunState.FAILED, reason, began)
            return
        self._stopping.wait(_RETRY_SECONDS)
        self._give_back(run, worker, counted=True)

    def _end(
        self, run: Run, worker: str, state: RunState, reason: Reason | None, began: float
    ) -> None:
        now = self._clock.now()
        with self._store.write() as tx:
            told = reason.value if reason else ""
            ended = tx.runs.end(run.id, state, now, worker=worker, reason=told)
            if ended and reason in _OURS:
                _give_back(tx, run)
            listed = tx.datasets.get(run.requester_dataset)
            if ended and state is RunState.CLOSED and listed is not None:
                # Spec 30, "Uploads that come to nothing", step 5.
                until = min(listed.expire_time, now + RESUMABLE)
                tx.datasets.replace(replace(listed, expire_time=until))
        self._drop_if_ended(run)
        if ended:
            self._metrics.runs.labels(state=state.value).inc()
            _log.info(
                "run_ended",
                run=run.id,
                state=state.value,
                reason=reason.value if reason else "",
                seconds=round(time.monotonic() - began, 3),
            )
        self._signal.notify(run.id)


def _give_back(tx: Transaction, run: Run) -> None:
    """Take back the charge of a run that has failed by the unit's fault: nothing of it was told."""
    # Spec 30, "Runs", step 8.
    listed = tx.runs.of_dataset(run.requester_dataset)
    ours = {reason.value for reason in _OURS}
    if sum(r.failure_reason in ours for r in listed) <= _GIVEN_BACK:
        day = jakarta_day(run.create_time)
        tx.quotas.give_back(run.flow.agreement, run.flow.flow, day, run.record_count)


def _where(e: BaseException) -> str:
    """Function and line where a fault arose; never its message, which could quote a value."""
    trace = e.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
