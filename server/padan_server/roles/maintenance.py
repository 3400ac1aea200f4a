"""What has to happen by itself: retention, broken erasures, old request ids, re-read agreements."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta

import structlog

from padan_server.base.clock import KeptClock, jakarta_day
from padan_server.base.log import places
from padan_server.base.model import UNANSWERED, DatasetState, FlowKey, Role, Run
from padan_server.datasets.lifecycle import Datasets
from padan_server.matching.metering import MeterKey, Meters
from padan_server.releases.lifecycle import Releases
from padan_server.store.files.columns import ColumnFiles
from padan_server.store.files.disk import Aside
from padan_server.store.port import Store, Transaction

_log = structlog.get_logger(__name__)
_LIVE = (DatasetState.OPEN, DatasetState.COMMITTED)


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
        aside: Aside,
        clock: KeptClock,
        request_id_days: int,
    ) -> None:
        self._store = store
        self._files = files
        self._datasets = datasets
        self._releases = releases
        self._meters = meters
        self._is_over = is_over
        self._aside = aside
        self._clock = clock
        self._request_id_days = request_id_days

    def recover(self) -> None:
        """End what a crash interrupted: erasures and merges. Erases nothing without a record."""
        # Spec 30, "Doubt", step 3.
        self._files.end_erasures()
        today = jakarta_day(self._clock.now())
        self._releases.recover(self._aside, today)
        self._recover_datasets(today)
        self._recover_runs(today)
        for run_id in self._meters.lists():
            run = self._run(run_id)
            # What an unknown run met stays counted: a store may be older than its files.
            if run is not None and run.state in UNANSWERED:
                self._meters.drop(run_id)
        self.sweep()

    def _recover_datasets(self, today: date) -> None:
        """Records are made before their files: what has none is not ours to erase."""
        for dataset_id in sorted(self._files.dataset_ids()):
            with self._store.read() as tx:
                dataset = tx.datasets.get(dataset_id)
            if dataset is None:
                self._files.set_dataset_aside(dataset_id, self._aside, today)
            elif dataset.state is DatasetState.DELETED:
                self._files.erase_dataset(dataset_id)
            elif dataset.is_delta and dataset.state is DatasetState.COMMITTED:
                self._files.drop_delta(dataset_id)

    def _recover_runs(self, today: date) -> None:
        for run_id in sorted(self._files.run_ids()):
            run = self._run(run_id)
            if run is None:
                self._files.set_run_aside(run_id, self._aside, today)
            elif run.state in UNANSWERED:
                self._files.erase_run(run_id)

    def sweep(self) -> None:
        """End broken erasures; erase what its retention has ended for; forget old request ids."""
        with self._store.read() as tx:
            marked = tx.datasets.in_state([DatasetState.DELETING])
        for dataset in marked:
            self._datasets.erase(dataset)
        if self._clock.look():
            self._end_retention()

    def _end_retention(self) -> None:
        now = self._clock.now()
        with self._store.read() as tx:
            expired = [d for d in tx.datasets.in_state(_LIVE) if d.expire_time <= now]
        for dataset in expired:
            if self._mark_expired(dataset.id, now):
                committed = dataset.state is DatasetState.COMMITTED
                event = "retention_ended" if committed else "upload_given_up"
                _log.info(event, dataset=dataset.id, agreement=dataset.flow.agreement)
                self._datasets.erase(dataset)
        self._releases.end_retention(now)
        self._aside.end(jakarta_day(now))
        self._end_epochs()
        with self._store.write() as tx:
            tx.requests.forget(now - timedelta(days=self._request_id_days))

    def _mark_expired(self, dataset_id: str, now: datetime) -> bool:
        """Mark it to be erased, unless it was committed or gone on with a moment ago."""
        # Spec 30, "Uploads that come to nothing", step 4.
        with self._store.write() as tx:
            current = tx.datasets.get(dataset_id)
            if current is None or current.state not in _LIVE or current.expire_time > now:
                return False
            tx.datasets.replace(replace(current, state=DatasetState.DELETING))
        return True

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


class Ticker:
    """Calls something every so many seconds until told to stop, whatever it raises.

    ``first``: after how many for the first time, if that is another number. Raises ValueError for a
    number that nothing can wait for.
    """

    def __init__(
        self, name: str, seconds: float, action: Callable[[], None], first: float | None = None
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._first = seconds if first is None else first
        for each in (self._seconds, self._first):
            if not 0 <= each <= threading.TIMEOUT_MAX:
                raise ValueError(f"{name}: {each} seconds cannot be waited for")
        self._action = action
        self._one = threading.Lock()
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def now(self) -> None:
        """Call it without waiting for the time."""
        self._wake.set()

    def turn(self) -> None:
        """Call it here, after a call that is under way, for it is made for one at a time."""
        with self._one:
            self._action()

    def stop(self) -> None:
        """End, and wait until a call under way is over."""
        self._ended = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        seconds = self._first
        while True:
            self._wake.wait(seconds)
            seconds = self._seconds
            self._wake.clear()
            if self._ended:
                return
            self._act()

    def _act(self) -> None:
        try:
            self.turn()
        except Exception as e:  # noqa: BLE001 - must go on; the next turn tries again
            with suppress(OSError, ValueError):  # a log that cannot be written ends nothing
                error, frames = type(e).__name__, places(e)
                _log.error("maintenance_fault", task=self._name, error=error, frames=frames)
