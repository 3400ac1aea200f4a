"""Turns: how many calls compute at once, and whose is next.

Python runs one thread at a time. Calls that all compute at once only take the interpreter from each
other, and the more calls a party has under way, the more of it: so few compute, and the parties
take turns. Whoever waits for a message or to be read has no turn. Spec:
``proto/spec/30-unit-mode.md``, "Fairness".
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Gives ``at_once`` turns; parties that wait get them one after the other."""

    def __init__(self, at_once: int) -> None:
        self._lock = threading.Lock()
        self._free = at_once
        self._waiting: OrderedDict[str, deque[threading.Lock]] = OrderedDict()

    @contextmanager
    def of(self, party: str) -> Iterator[Turn]:
        """A turn of ``party`` while the block runs."""
        turn = Turn(self, party)
        turn.begin()
        try:
            yield turn
        finally:
            turn.end()

    def take(self, party: str) -> None:
        """Wait for a turn."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            gate = threading.Lock()
            gate.acquire()
            self._waiting.setdefault(party, deque()).append(gate)
        gate.acquire()  # until somebody gives it a turn

    def give(self) -> None:
        """Give a turn back: to the party that has waited longest since it had one."""
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            # Spec 30, "Fairness", step 4.
            party, gates = self._waiting.popitem(last=False)
            gate = gates.popleft()
            if gates:
                self._waiting[party] = gates
        gate.release()

    def waiting(self) -> int:
        """How many calls wait for a turn."""
        with self._lock:
            return sum(map(len, self._waiting.values()))


class Turn:
    """The turn of one call; its thread alone uses it."""

    def __init__(self, turns: Turns, party: str) -> None:
        self._turns = turns
        self._party = party

    def begin(self) -> None:
        """Wait for it."""
        self._turns.take(self._party)

    def end(self) -> None:
        """Give it back."""
        self._turns.give()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Without it while the block waits for the peer."""
        self.end()
        try:
            yield
        finally:
            self.begin()
