"""Messages as they come: parsed once the caller is known, and waited for only so long.

grpcio parses a message, and waits for it on a thread, before a method is asked who calls. So every
method takes raw messages from a stream; whoever is admitted gets them parsed here. Spec:
``proto/spec/30-unit-mode.md``, "Transport".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from padan_server.base.errors import Refusal, field_invalid
from padan_server.services.guard.lines import Silent, silent_call

#: Seconds that a message of a call or a stream may take: one of 4 MiB over a slow line too, for
#: whoever is silent so long holds a thread of its own party alone.
MESSAGE_SECONDS = 60.0
#: At so many looks in vain a message is late.
_LATE_LOOKS = 2


@dataclass
class _Awaited:
    """A message that is waited for. Looked at while its lock is held."""

    due: float
    cancel: Callable[[], Any]
    silent: Silent
    looks: int = 0
    told: bool = False

    def look(self) -> None:
        """Tell of a message that was missing at the last look already."""
        self.looks += 1
        if self.looks == _LATE_LOOKS:
            self.told = True
            self.silent(True)


class Receipts:
    """Ends calls whose next message does not come; one thread looks after all of them."""

    def __init__(self, stopping: threading.Event, look_seconds: float = 0.5) -> None:
        self._stopping = stopping
        self._look_seconds = look_seconds
        self._numbers = count()
        self._lock = threading.Lock()
        self._awaited: dict[int, _Awaited] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def waiting(
        self, cancel: Callable[[], Any], seconds: float, silent: Silent = lambda _: None
    ) -> Iterator[None]:
        """While the block waits for a message: ``cancel`` is called after ``seconds``.

        Before that, ``silent`` is told with True where the message did not come at once, and with
        False when it is there.
        """
        number = next(self._numbers)
        awaited = _Awaited(time.monotonic() + seconds, cancel, silent)
        with self._lock:
            self._awaited[number] = awaited
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="receipts", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._awaited.pop(number, None)
            if awaited.told:
                silent(False)

    def _run(self) -> None:
        while not self._stopping.wait(self._look_seconds):
            now = time.monotonic()
            with self._lock:
                for each in self._awaited.values():
                    each.look()
                late = [number for number, each in self._awaited.items() if each.due <= now]
                cancels = [self._awaited.pop(number).cancel for number in late]
            for cancel in cancels:
                cancel()


class Messages:
    """The messages of one call, parsed. Not for two threads at once.

    ``check`` is asked at each whether the call may go on, and raises a refusal otherwise.
    """

    def __init__(
        self,
        raw: Iterator[bytes],
        parse: Callable[[bytes], Any],
        receipts: Receipts,
        cancel: Callable[[], Any],
        first_seconds: float | None = None,
        check: Callable[[], object] = lambda: None,
    ) -> None:
        self._raw = raw
        self._parse = parse
        self._receipts = receipts
        self._cancel = cancel
        self._check = check
        self._seconds = MESSAGE_SECONDS if first_seconds is None else first_seconds

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with self._receipts.waiting(self._cancel, self._seconds, silent_call()):
            content = next(self._raw)
        self._seconds = MESSAGE_SECONDS
        self._check()
        try:
            return self._parse(content)
        except Exception:  # noqa: BLE001 - protobuf's own, of several kinds; none is to be quoted
            raise _malformed() from None

    def only(self) -> Any:
        """The message of a call that has one."""
        for message in self:
            return message
        raise _malformed()


def _malformed() -> Refusal:
    return field_invalid(
        "message",
        "bukan pesan metode ini; pakai stub dari proto yang sama",
        "no message of this method; use stubs of the same protos",
    )
