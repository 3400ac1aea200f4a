"""What many want at once and one makes: an open session, a connection, a look at a server.

Threads wait by :func:`with_others`; protocol steps and asyncio have ways of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self, TypeVar

from padan_client.base.errors import PadanError

T = TypeVar("T")


class GivenUpError(PadanError):
    """Whoever was to make it was stopped; somebody else is to. No user sees it."""


class Shared(Generic[T]):
    """The making of one thing: who comes first makes it, and who comes meanwhile waits for that.

    What was made, or the PadanError that came of it, is theirs who came before it was there; who
    comes later makes it anew, unless the maker has kept it where they look first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._making: Future[T] | None = None

    def join(self) -> SharePart[T]:
        """The caller's part in it."""
        # Spec 30, "Patience", step 6.
        with self._lock:
            if self._making is not None:
                return SharePart(self, self._making, mine=False)
            self._making = Future()
            return SharePart(self, self._making, mine=True)

    def over(self) -> None:
        """Whoever comes from now on begins anew."""
        with self._lock:
            self._making = None


def with_others(shared: Shared[T], make: Callable[[], T]) -> T:
    """What ``make`` gives, made by one thread for all that want it meanwhile."""
    while True:
        turn = shared.join()
        if turn.mine:
            with turn:
                turn.result = make()
            return turn.result
        with suppress(GivenUpError):
            return turn.made.result()


class SharePart(Generic[T]):
    """One caller's part. If it is ``mine``, a context manager in which ``result`` is to be set.

    Else ``made`` brings the other's, its PadanError, or GivenUpError.
    """

    result: T

    def __init__(self, shared: Shared[T], made: Future[T], *, mine: bool) -> None:
        self._shared = shared
        self.made = made
        self.mine = mine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, raised: BaseException | None, __: TracebackType | None
    ) -> None:
        self._shared.over()
        if raised is None:
            self.made.set_result(self.result)
        else:
            known = isinstance(raised, PadanError)
            self.made.set_exception(raised if known else GivenUpError("given up"))
