"""Lines: the calls of each party wait for each other, and for nobody else's.

grpcio hands every call to an executor. This one has threads for the share of every party, so a call
within the share begins at once; one over it waits without a thread, in the party's own line. What
comes faster than the party's rate, or finds its line full, is refused: few at a time, so that
whoever asks again at once gains nothing by it. Spec: ``proto/spec/30-unit-mode.md``, "Fairness".
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from padan_server.admission.identity import Pins
from padan_server.base.errors import Reason, Refusal
from padan_server.base.log import Seldom
from padan_server.base.metrics import CallMetrics
from padan_server.services.guard.classes import CallClass

_log = structlog.get_logger(__name__)

#: Told with True that the message of a call does not come, with False that it is there.
Silent = Callable[[bool], None]

#: Whose calls no pin tells apart: they share one line.
STRANGERS = ""
#: How many of their calls are refused at once, and how many a second.
_STRANGERS_SHARE, _STRANGERS_RATE = 8, 200.0
#: Seconds of its rate that a party may use at once after a pause.
_BURST_SECONDS = 1.0
#: Seconds between two refusals of one account.
_REFUSAL_SECONDS = 0.005
#: How many of them may wait: what 32 connections come to. A connection all of whose streams wait
#: sends nothing more that is looked at here, so whoever waits costs least; some 24 KiB a call.
_WAITING_REFUSALS = 4096

#: What TLS says of a peer, by name.
AuthContext = Mapping[str, Sequence[bytes]]


@dataclass(frozen=True)
class CallShare:
    """What a party may have of a class: calls at once, calls that wait, calls a second.

    ``at_work``: how many of those at once a message is not waited for; all, if it does not say.
    """

    at_once: int
    waiting: float
    a_second: float
    at_work: int | None = None

    def has_room(self, running: int, silent: int) -> bool:
        """Whether one more may begin beside those that run, of which some wait for a message."""
        most = self.at_once if self.at_work is None else self.at_work
        return running < self.at_once and running - silent < most


class Bucket:
    """A token bucket; not for two threads at once."""

    def __init__(self, a_second: float, now: float) -> None:
        self._rate = a_second
        self._most = max(1.0, a_second * _BURST_SECONDS)
        self._left, self._at = self._most, now

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


class RateBuckets:
    """A bucket for each account."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, Bucket] = {}

    def take(self, account: str, a_second: float) -> bool:
        """Take a token of the account's, if there is one."""
        now = time.monotonic()
        with self._lock:
            bucket = self._buckets.get(account)
            if bucket is None:
                bucket = self._buckets[account] = Bucket(a_second, now)
            return bucket.take(now)


@dataclass(repr=False)
class HandedCall:
    """A call as grpcio hands it over, and why it is to be refused, if it is."""

    function: Callable[..., Any]
    arguments: Sequence[Any]
    refusal: Refusal | None = None
    future: Future[None] = field(default_factory=Future)

    def auth_context(self) -> AuthContext:
        """What TLS says of who calls. grpcio tells a method that, and its executor not."""
        known = cygrpc.auth_context(self._event().call) or {}
        return {key.decode(): value for key, value in known.items()}

    def drop(self) -> str:
        """End it unanswered; the peer that it is of, as ``context.peer()`` has it."""
        call = self._event().call
        peer = str(call.peer().decode())
        call.cancel()
        self.future.set_result(None)
        return peer

    def serve(self, silent: Silent) -> None:
        """Run it on this thread; grpcio catches and logs what a method raises."""
        _this_thread.refusal, _this_thread.silent = self.refusal, silent
        try:
            self.function(*self.arguments)
        finally:
            _this_thread.refusal = None
            self._untie()
            self.future.set_result(None)

    def _untie(self) -> None:
        """Let go of what grpcio keeps of a call whose caller has gone.

        Its state holds the error that it raised in the method, whose traceback holds the state:
        until a collection, which comes seldom where little is done, the call had one of the 128
        streams of its connection.
        """
        for argument in self.arguments:
            errors: list[Exception] = getattr(argument, "rpc_errors", [])
            for error in errors:
                error.__traceback__ = None

    def _event(self) -> Any:
        return next(a for a in self.arguments if isinstance(a, cygrpc.BaseEvent))


_this_thread = threading.local()


def foreseen_refusal() -> Refusal | None:
    """The refusal that the call on this thread is to get, whatever it asks."""
    found: Refusal | None = getattr(_this_thread, "refusal", None)
    return found


def silent_call() -> Silent:
    """Whom to tell that the message of the call on this thread does not come, and when it has."""
    found: Silent = getattr(_this_thread, "silent", _nobody)
    return found


def _nobody(_: bool) -> None:
    """No line has the call."""


@dataclass(repr=False)
class _Line:
    """The calls of one account: how many run, of how many the message is missing, which wait."""

    share: CallShare
    running: int = 0
    silent: int = 0
    waiting: deque[HandedCall] = field(default_factory=deque)

    def following(self) -> HandedCall | None:
        """The next call that may begin, which then runs; None if there is none."""
        if not self.waiting or not self.share.has_room(self.running, self.silent):
            return None
        self.running += 1
        return self.waiting.popleft()


class Lines:
    """A line for each account, all served by one pool that has threads for every share."""

    def __init__(self, name: str, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}

    def put(self, account: str, call: HandedCall, share: CallShare) -> bool:
        """Run the call, or have it wait; False, and neither, if the line is full."""
        # Spec 30, "Fairness", step 1.
        with self._lock:
            line = self._lines.setdefault(account, _Line(share))
            if not share.has_room(line.running, line.silent):
                if len(line.waiting) >= share.waiting:
                    return False
                line.waiting.append(call)
                return True
            line.running += 1
        self._pool.submit(self._serve, account, line, call)
        return True

    def waiting(self) -> int:
        """How many calls wait."""
        with self._lock:
            return sum(len(line.waiting) for line in self._lines.values())

    def _serve(self, account: str, line: _Line, call: HandedCall | None) -> None:
        def silent(is_silent: bool) -> None:
            self._silent(account, line, is_silent)

        while call is not None:
            try:
                call.serve(silent)
            finally:
                call = self._next(account, line)

    def _next(self, account: str, line: _Line) -> HandedCall | None:
        with self._lock:
            line.running -= 1
            call = line.following()
            if not line.running:
                del self._lines[account]
            return call

    def _silent(self, account: str, line: _Line, is_silent: bool) -> None:
        """Let another call begin while the message of one does not come."""
        with self._lock:
            line.silent += 1 if is_silent else -1
            call = line.following()
        if call is not None:
            self._pool.submit(self._serve, account, line, call)


#: Of the refusals of an account.
_ONE_BY_ONE = CallShare(at_once=1, waiting=_WAITING_REFUSALS, a_second=math.inf)


class Refusals:
    """Calls to be refused: those of one account one after the other, with a pause between.

    ``shut`` ends the connection of a peer, as ``context.peer()`` names it: of whoever opens so many
    that even its refusals pile up.
    """

    def __init__(
        self, accounts: int, stopping: threading.Event, shut: Callable[[str], object]
    ) -> None:
        self._stopping = stopping
        self._shut = shut
        self._lines = Lines("refusals", accounts + 1)
        self._seldom = Seldom()

    def put(self, kind: str, account: str, call: HandedCall, refusal: Refusal) -> None:
        """Refuse the call soon; where too many of the account wait for that, hang up."""
        reason = refusal.reason.value
        untold = self._seldom.untold(f"{kind} {account} {reason}")
        if untold is not None:
            _log.warning("calls_refused", kind=kind, account=account, reason=reason, untold=untold)
        call.refusal = refusal
        # Spec 30, "Fairness", step 3.
        if not self._lines.put(account, HandedCall(self._pausing, (call,)), _ONE_BY_ONE):
            self._shut(call.drop())

    def _pausing(self, call: HandedCall) -> None:
        call.serve(_nobody)
        self._stopping.wait(_REFUSAL_SECONDS)


class Queue(ThreadPoolExecutor):
    """The executor of one class of calls, as grpcio wants one: only ``submit`` is used.

    ``account`` says whose call it is, ``share`` what that account may have; ``threads`` is for how
    many calls at once.
    """

    def __init__(
        self,
        kind: str,
        account: Callable[[AuthContext], str],
        share: Callable[[str], CallShare],
        threads: int,
        refusals: Refusals,
        metrics: CallMetrics,
    ) -> None:
        super().__init__(1)  # never used: it makes no thread before something is submitted to it
        self._kind = kind
        self._account = account
        self._share = share
        self._refusals = refusals
        self._lines = Lines(kind, threads)
        self._rates = RateBuckets()
        self._count = metrics.counted(kind, self._lines.waiting)

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
        """Take a call from grpcio."""
        call = HandedCall(function, arguments)
        account = self._account(call.auth_context())
        share = self._share(account)
        # Spec 30, "Fairness", step 2.
        if not self._rates.take(account, share.a_second):
            limit = f"{share.a_second:g}"
            self._refuse(account, call, Refusal(Reason.CALL_RATE_EXCEEDED, limit=limit))
        elif not self._lines.put(account, call, share):
            self._refuse(account, call, Refusal(Reason.TOO_MANY_CALLS, limit=share.at_once))
        else:
            self._count("admitted")
        return call.future

    def _refuse(self, account: str, call: HandedCall, refusal: Refusal) -> None:
        self._count(refusal.reason.value.lower())
        self._refusals.put(self._kind, account, call, refusal)


def queues(
    shares: Mapping[CallClass, CallShare],
    pins: Pins,
    refusals: Refusals,
    metrics: CallMetrics,
) -> dict[CallClass, Queue]:
    """An executor for each class of the parties' calls; all refuse in one place."""

    def account(known: AuthContext) -> str:
        try:
            return pins.party_of(known)
        except Refusal:
            return STRANGERS

    def queue(kind: CallClass, mine: CallShare) -> Queue:
        theirs = CallShare(_STRANGERS_SHARE, mine.waiting, _STRANGERS_RATE)
        threads = len(pins.parties) * mine.at_once + _STRANGERS_SHARE
        share = lambda account: mine if account else theirs  # noqa: E731 - said in one line
        return Queue(kind.value, account, share, threads, refusals, metrics)

    return {kind: queue(kind, share) for kind, share in shares.items()}
