"""What a protocol step may ask of the world, and how refused patience is kept in one place."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from google.protobuf.message import Message

from padan.v1.reason_texts import ServerKind
from padan_client.base.errors import BusyError, UnavailableError
from padan_client.base.shared import GivenUpError, Shared

T = TypeVar("T")
M = TypeVar("M", bound=Message)


@dataclass(frozen=True, repr=False)
class Unary:
    """One call with one answer. ``method`` is ``Service.Method``; the result is its response.

    Every request is safe to repeat: it reads, or it carries a ``request_id``.
    """

    method: str
    request: Message
    peer: ServerKind = ServerKind.UNIT


@dataclass(frozen=True, repr=False)
class Upload:
    """One stream of requests with one answer; ``requests`` starts the stream anew at each call."""

    method: str
    requests: Callable[[], Iterator[Message]]
    peer: ServerKind = ServerKind.UNIT


@dataclass(frozen=True, repr=False)
class Download:
    """One request with a stream of answers, each given to ``sink``; the result is None.

    ``sink`` raises VerificationError where an answer breaks the protocol, which ends the stream.
    """

    method: str
    request: Message
    sink: Callable[[Any], None]
    peer: ServerKind = ServerKind.UNIT


@dataclass(frozen=True, repr=False)
class Exchange:
    """A stream of requests with a stream of answers, each given to ``sink`` as in a Download."""

    method: str
    requests: Callable[[], Iterator[Message]]
    sink: Callable[[Any], None]
    peer: ServerKind = ServerKind.UNIT


@dataclass(frozen=True, repr=False)
class Work:
    """Computation long enough to leave the event loop; the result is what ``function`` returns."""

    function: Callable[[], Any]


@dataclass(frozen=True)
class Pause:
    """Wait ``seconds``."""

    seconds: float


@dataclass(frozen=True, repr=False)
class Others:
    """Wait for what others of this process make; the result, or the error, is theirs."""

    made: Future[Any]


#: What calls nobody.
Local: TypeAlias = Work | Pause | Others
Effect: TypeAlias = Unary | Upload | Download | Exchange | Local

#: A protocol step: yields effects, receives their results (or a PadanError), returns T.
Steps: TypeAlias = Generator[Effect, Any, T]


class DeadlineError(UnavailableError):
    """The call's own deadline passed; a stream that made progress goes on without counting it."""


@dataclass(frozen=True)
class Patience:
    """How often and how slowly a call is repeated: bounded exponential backoff with jitter.

    ``jitter`` returns a number in [0, 1); delays are half fixed, half jitter, in seconds. A server
    that says when to ask again is asked then, and no sooner, for ``busy_seconds`` in all. One that
    says nothing at all is waited for ``silent_seconds``, however many attempts that are.
    """

    jitter: Callable[[], float]
    attempts: int = 6
    first_seconds: float = 0.2
    ceiling_seconds: float = 10.0
    busy_seconds: float = 300.0
    silent_seconds: float = 30.0

    def start(self) -> Backoff:
        """A fresh count of attempts."""
        return Backoff(self)


class Backoff:
    """The count of failed attempts since the last progress."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failures = 0
        self._told_seconds = self._silent_seconds = 0.0

    def progress(self) -> None:
        """Something was achieved: count from zero again."""
        self._failures = 0
        self._told_seconds = self._silent_seconds = 0.0

    def after(self, failure: UnavailableError) -> Pause:
        """The pause before the next attempt. Raises ``failure`` when patience is used up."""
        if isinstance(failure, BusyError):
            return self._as_told(failure)
        # Spec 30, "Patience", step 2.
        self._failures += 1
        self._silent_seconds += failure.silent_seconds
        waited = self._silent_seconds >= self._patience.silent_seconds
        if waited or self._failures >= self._patience.attempts:
            raise failure
        full = min(
            self._patience.ceiling_seconds,
            self._patience.first_seconds * 2.0 ** (self._failures - 1),
        )
        return Pause(full / 2 + full / 2 * self._patience.jitter())

    def _as_told(self, failure: BusyError) -> Pause:
        """The pause that the server asks for, longer by chance: so not all come back at once."""
        # Spec 30, "Fairness", step 5.
        seconds = failure.retry_seconds * (1.0 + self._patience.jitter())
        self._told_seconds += seconds
        if self._told_seconds > self._patience.busy_seconds:
            raise failure
        return Pause(seconds)


def call(
    method: str,
    request: Message,
    answer: type[M],
    patience: Patience,
    peer: ServerKind = ServerKind.UNIT,
) -> Steps[M]:
    """Make a unary call, repeated while the server is unavailable. Returns its response."""
    backoff = patience.start()
    while True:
        try:
            response = yield Unary(method, request, peer)
        except UnavailableError as failure:
            yield backoff.after(failure)
        else:
            assert isinstance(response, answer)
            return response


def work(function: Callable[[], T]) -> Steps[T]:
    """Run ``function`` as :class:`Work`."""
    result: T = yield Work(function)
    return result


def together(shared: Shared[T], steps: Callable[[], Steps[T]]) -> Steps[T]:
    """What ``steps`` make, once for all who want it meanwhile, however many questions they are."""
    while True:
        turn = shared.join()
        if turn.mine:
            with turn:
                turn.result = yield from steps()
            return turn.result
        with suppress(GivenUpError):
            made: T = yield Others(turn.made)
            return made


def run_here(steps: Steps[T]) -> T:
    """Carry out steps that work and do not call anybody."""
    result: Any = None
    while True:
        try:
            effect = steps.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value
        assert isinstance(effect, Work)
        result = effect.function()
