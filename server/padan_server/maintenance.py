"""What has to happen by itself: retention, broken erasures, old request ids, re-read agreements."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import structlog

from padan_server.clock import Clock
from padan_server.datasets import Datasets
from padan_server.model import DatasetState, Run, RunState
from padan_server.store.files import ColumnFiles
from padan_server.store.port import Store

_log = structlog.get_logger(__name__)
_LIVE = (DatasetState.OPEN, DatasetState.COMMITTED)


class Maintenance:
    """Sweeps; :meth:`recover` once before the first call, :meth:`sweep` every so often."""

    def __init__(
        self,
        store: Store,
        files: ColumnFiles,
        datasets: Datasets,
        clock: Clock,
        request_id_days: int,
    ) -> None:
        self._store = store
        self._files = files
        self._datasets = datasets
        self._clock = clock
        self._request_id_days = request_id_days

    def recover(self) -> None:
        """End what a crash interrupted: erasures, merges, and files that no record names."""
        self._files.end_erasures()
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
        self.sweep()

    def sweep(self) -> None:
        """Erase what its retention has ended for, and forget old request ids."""
        now = self._clock.now()
        with self._store.read() as tx:
            expired = [d for d in tx.datasets.in_state(_LIVE) if d.expire_time <= now]
            marked = tx.datasets.in_state([DatasetState.DELETING])
        for dataset in expired:
            with self._store.write() as tx:
                tx.datasets.replace(replace(dataset, state=DatasetState.DELETING))
            _log.info("retention_ended", dataset=dataset.id, agreement=dataset.flow.agreement)
        for dataset in expired + marked:
            self._datasets.erase(dataset)
        with self._store.write() as tx:
            tx.requests.forget(now - timedelta(days=self._request_id_days))

    def _run(self, run_id: str) -> Run | None:
        with self._store.read() as tx:
            return tx.runs.get(run_id)


def _droppable(run: Run | None) -> bool:
    return run is None or run.state in {RunState.CANCELLED, RunState.FAILED}


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
