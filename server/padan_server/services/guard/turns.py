"""Turns: how many calls compute at once, and whose is next.

Python runs one thread at a time. Calls that all compute at once only take the interpreter from each
other, and the more calls a party has under way, the more of it: so few compute, and the parties
take turns, by what each has used of them. Whoever waits for a message, for the disk or to be read
has no turn. Spec: ``proto/spec/30-unit-mode.md``, "Fairness".
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """Gives ``at_once`` turns; of the parties that wait, to the one that has used least.

    Start-time fair queueing (Goyal, Vin and Cheng, 1996): a party that comes back has used as much
    as the one whose turn it is, so that nobody saves turns up. ``clock`` gives seconds.
    """

    def __init__(self, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._free = at_once
        self._waiting: OrderedDict[str, deque[threading.Lock]] = OrderedDict()
        #: Seconds of turns by party, and how far the turns have come by that measure.
        self._used: dict[str, float] = {}
        self._reached = 0.0

    @contextmanager
    def of(self, party: str) -> Iterator[Turn]:
        """A turn of ``party`` while the block runs."""
        turn = Turn(self, party)
        turn.begin()
        try:
            yield turn
        finally:
            turn.end()

    def take(self, party: str) -> float:
        """Wait for a turn; gives the moment at which it began."""
        with self._lock:
            if party not in self._waiting:
                self._used[party] = max(self._used.get(party, 0.0), self._reached)
            if self._free:
                self._free -= 1
                self._reached = max(self._reached, self._used[party])
                return self._clock()
            gate = self._queued(party)
        gate.acquire()  # until somebody gives it a turn
        return self._clock()

    def give(self, party: str, began: float) -> None:
        """Give a turn back that began then."""
        with self._lock:
            self._used[party] += self._clock() - began
            if not self._waiting:
                self._free += 1
                return
            gate = self._following()
        gate.release()

    def pass_on(self, party: str, began: float) -> float:
        """Let those that wait go first, where they have used no more; gives when it begins again.

        A party that has used less than all others keeps its turn, or gives it to a call of its own.
        """
        now = self._clock()
        with self._lock:
            self._used[party] += now - began
            least = min((self._used[each] for each in self._waiting), default=math.inf)
            if least > self._used[party]:
                return now
            before = self._following()
            gate = self._queued(party)
        before.release()
        gate.acquire()  # until somebody gives it a turn
        return self._clock()

    def _queued(self, party: str) -> threading.Lock:
        """A gate at the end of the party's line."""
        gate = threading.Lock()
        gate.acquire()
        self._waiting.setdefault(party, deque()).append(gate)
        return gate

    def _following(self) -> threading.Lock:
        """The gate of who is next: of those that have used least, who waits longest."""
        # Spec 30, "Fairness", step 4.
        party = min(self._waiting, key=lambda waiting: self._used[waiting])
        self._reached = max(self._reached, self._used[party])
        gates = self._waiting.pop(party)
        gate = gates.popleft()
        if gates:
            self._waiting[party] = gates
        return gate

    def waiting(self) -> int:
        """How many calls wait for a turn."""
        with self._lock:
            return sum(map(len, self._waiting.values()))


class Turn:
    """The turn of one call; its thread alone uses it."""

    def __init__(self, turns: Turns, party: str) -> None:
        self._turns = turns
        self._party = party
        self._began = 0.0

    def begin(self) -> None:
        """Wait for it."""
        self._began = self._turns.take(self._party)

    def end(self) -> None:
        """Give it back."""
        self._turns.give(self._party, self._began)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Without it while the block waits for the peer."""
        self.end()
        try:
            yield
        finally:
            self.begin()

    def pass_on(self) -> None:
        """Let those that wait go first, where they have used less."""
        self._began = self._turns.pass_on(self._party, self._began)
