"""Answers in the order of their requests, while later requests are already being worked on."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar


class Cancellable(Protocol):
    """Work under way."""

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        ...


Request = TypeVar("Request")
Work = TypeVar("Work", bound=Cancellable)
Answer = TypeVar("Answer")


class _Ended:
    """The requests have ended, with an error or without."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error

    def cancel(self) -> None:
        """Nothing to do."""


def pipelined(
    requests: Iterator[Request],
    begin: Callable[[Request], Work],
    finish: Callable[[Work], Answer],
    ahead: int,
) -> Iterator[Answer]:
    """``finish(begin(r))`` for each request, in order, with at most ``ahead`` begun and waiting.

    Requests are read in a thread of their own: a caller that waits for an answer before it sends
    the next request gets it. An error of ``requests`` or ``begin`` comes in its place in the order.
    """
    begun: queue.Queue[Work | _Ended] = queue.Queue(ahead)
    abandoned = threading.Event()

    def read() -> None:
        try:
            for request in requests:
                begun.put(begin(request))
                if abandoned.is_set():
                    return
            begun.put(_Ended())
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is due
            begun.put(_Ended(error))

    threading.Thread(target=read, name="chunks", daemon=True).start()
    try:
        while not isinstance(item := begun.get(), _Ended):
            yield finish(item)
        if item.error is not None:
            raise item.error
    finally:
        abandoned.set()
        # Makes room for the reader, which puts one more at most before it sees the flag.
        with contextlib.suppress(queue.Empty):
            while True:
                begun.get_nowait().cancel()
