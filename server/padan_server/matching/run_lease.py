"""A worker's hold on a run: the lease that it keeps, and the turn that it has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Self

import structlog

from padan_server.base.clock import SystemClock
from padan_server.store.port import Store

_log = structlog.get_logger(__name__)


class LostLeaseError(Exception):
    """The run is no longer this worker's: cancelled, or leased by another."""


class StoppingUnitError(Exception):
    """The unit is shutting down."""


class TurnOverError(Exception):
    """Another party waits, and this run has had its turn."""


class RunTurn:
    """How long a run has its worker, and what of that went into taking it up.

    Whoever takes up a run that was set aside sorts its tables and reads what is kept once more.
    A turn is so long that this is at most ``share`` of it, and that it has ``seconds`` beside it:
    more than a range has, so that parties with long and with short ones get as much.
    """

    def __init__(
        self, seconds: float, share: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._share = share
        self._monotonic = monotonic
        self._began = monotonic()
        self._taken_up: float | None = None

    def works(self) -> None:
        """What comes now has not been done before."""
        if self._taken_up is None:
            self._taken_up = self._monotonic() - self._began

    def may_end(self) -> bool:
        """Whether the run may be set aside."""
        if self._taken_up is None:
            return False
        lasted = self._monotonic() - self._began
        worked = lasted - self._taken_up
        return worked >= self._seconds and self._taken_up <= self._share * lasted


class RunLease:
    """Keeps a lease alive from a thread of its own, and says when it is over."""

    def __init__(
        self, store: Store, run_id: str, worker: str, seconds: float, stopping: threading.Event
    ) -> None:
        self._store = store
        self._run_id = run_id
        self.worker = worker
        self._seconds = seconds
        self._stopping = stopping
        self._lost = threading.Event()
        self._ended = threading.Event()
        self._clock = SystemClock()
        self._thread = threading.Thread(target=self._beat, name="run-lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def over(self) -> bool:
        """Whether work should stop: the lease is lost, or the unit is shutting down."""
        return self._lost.is_set() or self._stopping.is_set()

    def check(self) -> None:
        """Raise LostLeaseError or StoppingUnitError if the lease is over."""
        if self._lost.is_set():
            raise LostLeaseError
        if self._stopping.is_set():
            raise StoppingUnitError

    def _beat(self) -> None:
        # Often enough that a cancelled run stops soon, not only before the lease runs out.
        while not self._ended.wait(min(self._seconds / 3, 1.0)):
            until = self._clock.now() + timedelta(seconds=self._seconds)
            try:
                with self._store.write() as tx:
                    kept = tx.runs.renew(self._run_id, self.worker, until)
            except Exception as e:  # noqa: BLE001 - a full disk must not kill the heart
                _log.warning("lease_not_renewed", run=self._run_id, error=type(e).__name__)
                continue
            if not kept:
                self._lost.set()
                return
