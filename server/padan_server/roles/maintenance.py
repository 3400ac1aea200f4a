"""What has to happen by itself: retention, broken erasures, old request ids, re-read agreements."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import structlog

from padan_server.base.clock import Clock
from padan_server.base.model import UNANSWERED, DatasetState, FlowKey, Role, Run
from padan_server.datasets.lifecycle import Datasets
from padan_server.matching.metering import MeterKey, Meters
from padan_server.releases.lifecycle import Releases
from padan_server.store.column_files import ColumnFiles
from padan_server.store.port import Store, Transaction

_log = structlog.get_logger(__name__)
_LIVE = (DatasetState.OPEN, DatasetState.COMMITTED)


class SteadyClock:
    """Whether the wall clock may be trusted with what cannot be undone.

    Compared with the monotonic clock at every look: a difference of more than ``_JUMP`` is a jump,
    and for an hour after one nothing should be erased because its time is up. An operator who finds
    the clock wrong has that long to set it right.
    """

    _JUMP = timedelta(minutes=5)
    _GRACE = timedelta(hours=1)

    def __init__(self, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._seen = clock.now(), timedelta(seconds=monotonic())
        self._distrusted_until = timedelta.min

    def steady(self) -> bool:
        """Look at both clocks."""
        wall, passed = self._clock.now(), timedelta(seconds=self._monotonic())
        jump = (wall - self._seen[0]) - (passed - self._seen[1])
        self._seen = wall, passed
        if abs(jump) > self._JUMP:
            self._distrusted_until = passed + self._GRACE
            _log.warning("clock_jumped", seconds=round(jump.total_seconds()))
        return passed >= self._distrusted_until


class Maintenance:
    """Sweeps; :meth:`recover` once before the first call, :meth:`sweep` every so often.

    ``is_over``: whether the agreement of a flow has ended for good.
    """

    def __init__(
        self,
        store: Store,
        files: ColumnFiles,
        datasets: Datasets,
        releases: Releases,
        meters: Meters,
        is_over: Callable[[FlowKey], bool],
        clock: Clock,
        request_id_days: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._files = files
        self._datasets = datasets
        self._releases = releases
        self._meters = meters
        self._is_over = is_over
        self._clock = clock
        self._request_id_days = request_id_days
        self._steady = SteadyClock(clock, monotonic)

    def recover(self) -> None:
        """End what a crash interrupted: erasures, merges, and files that no record names."""
        self._files.end_erasures()
        self._releases.recover()
        with self._store.read() as tx:
            live = {d.id: d for d in tx.datasets.in_state(_LIVE)}
        for dataset_id in self._files.dataset_ids() - live.keys():
            self._files.erase_dataset(dataset_id)
        for dataset in live.values():
            if dataset.is_delta and dataset.state is DatasetState.COMMITTED:
                self._files.drop_delta(dataset.id)
        for run_id in self._files.run_ids():
            if _droppable(self._run(run_id)):
                self._files.erase_run(run_id)
        for run_id in self._meters.lists():
            run = self._run(run_id)
            # What an unknown run met stays counted: a store may be older than its files.
            if run is not None and run.state in UNANSWERED:
                self._meters.drop(run_id)
        self.sweep()

    def sweep(self) -> None:
        """End broken erasures; erase what its retention has ended for; forget old request ids."""
        with self._store.read() as tx:
            marked = tx.datasets.in_state([DatasetState.DELETING])
        for dataset in marked:
            self._datasets.erase(dataset)
        if self._steady.steady():
            self._end_retention()

    def _end_retention(self) -> None:
        now = self._clock.now()
        with self._store.read() as tx:
            expired = [d for d in tx.datasets.in_state(_LIVE) if d.expire_time <= now]
        for dataset in expired:
            with self._store.write() as tx:
                tx.datasets.replace(replace(dataset, state=DatasetState.DELETING))
            _log.info("retention_ended", dataset=dataset.id, agreement=dataset.flow.agreement)
            self._datasets.erase(dataset)
        self._releases.end_retention(now)
        self._end_epochs()
        with self._store.write() as tx:
            tx.requests.forget(now - timedelta(days=self._request_id_days))

    def _end_epochs(self) -> None:
        """Forget what was met in epochs in which nobody can ask any more."""
        # Spec 32, "Epochs", step 2.
        with self._store.read() as tx:
            live = {(d.flow, d.encoding.epoch) for d in tx.datasets.in_state(_LIVE)}
            asked = [key for key in tx.quotas.epochs() if key not in live]
            over = [MeterKey(*key) for key in asked if self._is_past(tx, *key)]
        for key in over:
            self._meters.erase(key)

    def _is_past(self, tx: Transaction, flow: FlowKey, epoch: int) -> bool:
        newest = tx.datasets.newest(flow, Role.PROVIDER)
        return (newest is not None and newest.encoding.epoch > epoch) or self._is_over(flow)

    def _run(self, run_id: str) -> Run | None:
        with self._store.read() as tx:
            return tx.runs.get(run_id)


def _droppable(run: Run | None) -> bool:
    return run is None or run.state in UNANSWERED


class Ticker:
    """Calls something every so many seconds until told to stop, whatever it raises."""

    def __init__(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        self._name = name
        self._seconds = seconds
        self._action = action
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def now(self) -> None:
        """Call it without waiting for the time."""
        self._wake.set()

    def stop(self) -> None:
        """End, and wait until a call under way is over."""
        self._ended = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait(self._seconds)
            self._wake.clear()
            if self._ended:
                return
            try:
                self._action()
            except Exception as e:  # noqa: BLE001 - must go on; the next turn tries again
                _log.error("maintenance_fault", task=self._name, error=type(e).__name__)
