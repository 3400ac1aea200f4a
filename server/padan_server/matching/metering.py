"""How often a registry row may be met: by one list, by a day's single questions, in an epoch.

Nothing of a list leaves the unit before it is settled here, and no single question is answered
before it is counted. Whatever one settles or counts holds for all others at once. Spec:
``proto/spec/32-metering.md``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from padan_linkage.agreement import Quota
from padan_linkage.matching import MetPairs, PassResult, in_excess
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable
from padan_server.base.model import FlowKey
from padan_server.store.files.meters import EpochMeterFiles, MeterFiles

#: Seconds after which what single questions wrote is put on the disk.
SYNC_SECONDS = 2.0
#: In the place of a pass: the day is closed.
_CLOSED = (1 << 64) - 1
_NO_WORDS = np.zeros((0, 3), np.uint64)


@dataclass(frozen=True)
class MeterKey:
    """What is counted together: a flow of one exact agreement document, in one epoch."""

    # Spec 32, "Epochs", step 1.

    flow: FlowKey
    epoch: int


@dataclass(repr=False)
class _Day:
    """A day's single questions: the questions of every row that was met, by pass number."""

    day: date
    file: int
    closed: bool = False
    met: dict[tuple[int, int], set[int]] = field(default_factory=dict)
    synced: bool = True


class EpochMeter:
    """The meetings of one flow and epoch; safe to use from several threads.

    ``_lock`` is held for moments; ``_settling`` while a list is settled, one at a time.
    """

    def __init__(self, files: EpochMeterFiles, passes: tuple[str, ...]) -> None:
        self._files = files
        self._passes = passes
        self._lock = threading.Lock()
        self._settling = threading.Lock()
        self._lists: dict[str, Mapping[str, MetPairs]] = dict(files.lists())
        self._days = {day: self._of_day(words) for day, words in files.days().items()}
        self._today: _Day | None = None

    def knows(self, run_id: str) -> bool:
        """Whether a list is counted."""
        with self._lock:
            return run_id in self._lists

    def settle(self, run_id: str, met: Mapping[str, MetPairs], quota: Quota) -> bool:
        """Count a list's meetings, durably; False, and not counted, if they are in excess."""
        with self._settling:
            # From here on single questions see what the list asks: neither can slip past the other.
            with self._lock:
                self._lists[run_id] = met
            if self._in_excess(run_id, met, quota):
                self.drop(run_id)
                return False
            self._files.save(run_id, met)
            return True

    def drop(self, run_id: str) -> None:
        """Forget a list of which nothing was told."""
        with self._lock:
            self._lists.pop(run_id, None)
        self._files.drop(run_id)

    def closed(self, day: date) -> bool:
        """Whether the single questions of that day are closed."""
        with self._lock:
            return self._opened(day).closed

    def ask(self, day: date, pass_id: str, met: MetPairs, quota: Quota) -> bool:
        """Count single questions of a pass; False if the day is closed, or is so by these."""
        number = self._passes.index(pass_id)
        with self._lock:
            today = self._opened(day)
            if today.closed:
                return False
            new = [
                (number, row, question)
                for row, question in zip(met.row.tolist(), met.question.tolist(), strict=True)
                if question not in today.met.get((number, row), ())
            ]
            for place, row, question in new:
                today.met.setdefault((place, row), set()).add(question)
            today.closed = any(self._over(today, number, row, quota) for _, row, _ in new)
            if today.closed:
                new.append((_CLOSED, 0, 0))
            # Spec 32, "Real time", step 3.
            if new:
                self._files.append(day, today.file, new)
                today.synced = False
            return not today.closed

    def sync(self) -> None:
        """Put on the disk what single questions wrote."""
        with self._lock:
            today = self._today
            if today is None or today.synced:
                return
            today.synced = True
            file = os.dup(today.file)
        try:
            self._files.sync(file)
        finally:
            os.close(file)

    def close(self) -> None:
        """Sync, and let go of files."""
        self.sync()
        with self._lock:
            if self._today is not None:
                os.close(self._today.file)
                self._today = None

    def _over(self, today: _Day, number: int, row: int, quota: Quota) -> bool:
        """Whether a row was met by too many questions of the day, or of the epoch."""
        asked = today.met[number, row]
        if len(asked) > quota.questions_per_row:
            return True
        others = self._others("", self._passes[number])
        known = asked.union(*(m.of_row(row).tolist() for m in others))
        return len(known) > quota.questions_per_row_epoch

    def _in_excess(self, run_id: str, met: Mapping[str, MetPairs], quota: Quota) -> bool:
        """Whether some row is met by too many questions of the list, or of the epoch with it."""
        limits = quota.questions_per_row, quota.questions_per_row_epoch
        for pass_id, mine in met.items():
            with self._lock:
                others = [*self._others(run_id, pass_id), self._of_today(pass_id)]
            if in_excess(mine, others, *limits):
                return True
        return False

    def _others(self, run_id: str, pass_id: str) -> Iterator[MetPairs]:
        """The meetings of all lists but one, and of past days."""
        for name, met in (*self._lists.items(), *self._days.items()):
            if name != run_id and pass_id in met:
                yield met[pass_id]

    def _of_today(self, pass_id: str) -> MetPairs:
        number = self._passes.index(pass_id)
        asked = self._today.met.items() if self._today else ()
        pairs = [(row, q) for (place, row), qs in asked if place == number for q in qs]
        return MetPairs.sorted(*np.array(pairs, np.uint64).reshape(-1, 2).T)

    def _opened(self, day: date) -> _Day:
        """The state of a day; those before it are closed books."""
        if self._today is not None and self._today.day == day:
            return self._today
        if self._today is not None:
            os.close(self._today.file)
            self._today = None
        # Before there is a day: what cannot be read back must not count as nothing.
        read = self._files.days()
        today = _Day(day, self._files.open_day(day))
        for number, row, question in read.pop(day, _NO_WORDS).tolist():
            if number == _CLOSED:
                today.closed = True
            else:
                today.met.setdefault((number, row), set()).add(question)
        self._days = {past: self._of_day(words) for past, words in read.items()}
        self._today = today
        return today

    def _of_day(self, words: NDArray[np.uint64]) -> dict[str, MetPairs]:
        """The meetings of a day by pass."""
        return {
            pass_id: MetPairs.sorted(*words[words[:, 0] == number, 1:].T)
            for number, pass_id in enumerate(self._passes)
        }


class Meters:
    """The meters of all flows and epochs, each opened when it is first asked for."""

    def __init__(self, files: MeterFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._opened: dict[MeterKey, EpochMeter] = {}

    def of(self, key: MeterKey, passes: Iterable[Pass]) -> EpochMeter:
        """The meter of a flow's epoch. Raises DamagedFileError."""
        with self._lock:
            if key not in self._opened:
                files = self._files.epoch(key.flow, key.epoch)
                self._opened[key] = EpochMeter(files, tuple(p.id for p in passes))
            return self._opened[key]

    def doubt(self, file: str) -> None:
        """Read the meter that a file is of again before anything more is counted by it."""
        with self._lock:
            doubted = [
                key for key in self._opened if self._files.epoch(key.flow, key.epoch).holds(file)
            ]
            closed = [self._opened.pop(key) for key in doubted]
        for meter in closed:
            meter.close()

    def met(self, result: PassResult, provider: PassTable, requester: PassTable) -> MetPairs:
        """The meetings of a pass's result."""
        return MetPairs.of(result, provider, requester, self._files.secret)

    def drop(self, run_id: str) -> None:
        """Forget a list of which nothing was told, and nothing will be."""
        with self._lock:
            opened = list(self._opened.values())
        for meter in opened:
            meter.drop(run_id)
        self._files.drop(run_id)

    def erase(self, key: MeterKey) -> None:
        """Forget everything of an epoch in which nobody can ask any more."""
        with self._lock:
            opened = self._opened.pop(key, None)
        if opened is not None:
            opened.close()
        self._files.erase(key.flow, key.epoch)

    def lists(self) -> set[str]:
        """The runs of which meetings are kept."""
        return self._files.run_ids()

    def sync(self) -> None:
        """Put on the disk what single questions wrote since the last time."""
        with self._lock:
            opened = list(self._opened.values())
        for meter in opened:
            meter.sync()

    def close(self) -> None:
        """Sync, and let go of files."""
        with self._lock:
            opened, self._opened = list(self._opened.values()), {}
        for meter in opened:
            meter.close()
