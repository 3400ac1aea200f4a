"""What wakes watchers and workers, and how far the runs of this process are."""

from __future__ import annotations

import threading
from dataclasses import replace

from padan_server.matching.progress import Step


class RunSignal:
    """Wakes watchers and workers when a run changes; keeps the progress of running ones."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self._steps: dict[str, Step] = {}

    def notify(self, run_id: str = "", step: Step | None = None) -> None:
        """Tell everybody who waits that something changed; a ``step`` back is none."""
        with self._changed:
            if step is not None:
                known = self._steps.get(run_id, step)
                self._steps[run_id] = replace(step, share=max(step.share, known.share))
            elif run_id:
                self._steps.pop(run_id, None)
            self._count += 1
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> int:
        """Wait for a change after the ``seen``-th, or ``seconds``; returns how many there were."""
        with self._changed:
            if self._count == seen:
                self._changed.wait(seconds)
            return self._count

    def step(self, run_id: str) -> Step | None:
        """How far a run is that a worker of this process holds."""
        with self._changed:
            return self._steps.get(run_id)
