"""Tells what is waited for, while it is waited for: nobody sits before a command that says nothing.

A command line says to whom (:func:`tell_waiting`); a program that calls the library hears nothing.
Spec ``proto/spec/30-unit-mode.md``, "Patience".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Self, TypeVar

from padan.v1.reason_texts import ServerKind, worded
from padan_client.base.language import current_language, set_language, t

T = TypeVar("T")

#: Seconds without a sign before the first word, and between two words.
FIRST_SECONDS, AGAIN_SECONDS = 5.0, 15.0
_LOOK_SECONDS = 0.5

Teller = Callable[[str], None]
_teller: ContextVar[Teller | None] = ContextVar("padan_waiting", default=None)


class Awaited(StrEnum):
    """What a server owes."""

    CONNECTION = "connection"
    HANDSHAKE = "handshake"
    GREETING = "greeting"
    ANSWER = "answer"


_OWED = {
    Awaited.CONNECTION: ("sambungan belum diterima", "the connection is not taken yet"),
    Awaited.HANDSHAKE: ("jabat tangan TLS belum selesai", "the TLS handshake is not finished"),
    Awaited.GREETING: ("belum berbicara HTTP/2", "it does not speak HTTP/2 yet"),
    Awaited.ANSWER: ("belum menjawab", "no answer yet"),
}


def tell_waiting(teller: Teller | None) -> None:
    """Who hears, in this context, what is waited for; None for nobody."""
    _teller.set(teller)


class Waiting:
    """A wait for a server, told while it lasts; a context manager.

    Whatever comes or goes is noted; while the next message is made here, nobody is waited for.
    """

    def __init__(self, server: ServerKind, address: str, owed: Awaited = Awaited.ANSWER) -> None:
        self._owed = owed
        self._server, self._address = server, address
        self._moved, self._ours = time.monotonic(), False
        self._teller, self._language = _teller.get(), current_language()
        self._over = threading.Event()

    def __enter__(self) -> Self:
        if self._teller is not None:
            threading.Thread(target=self._tell, args=(self._teller,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def end(self) -> float:
        """It is over. Gives the seconds since something moved."""
        self._over.set()
        return self._silent()

    def _silent(self) -> float:
        return 0.0 if self._ours else time.monotonic() - self._moved

    def waits_for(self, owed: Awaited) -> None:
        """Something else is waited for now."""
        self._owed = owed
        self.moved()

    def moved(self) -> None:
        """Something came, or went out."""
        self._moved = time.monotonic()

    def received(self, messages: Iterator[T]) -> Iterator[T]:
        """The messages, each noted as it comes."""
        for message in messages:
            self.moved()
            yield message

    def sent(self, messages: Iterator[T]) -> Iterator[T]:
        """The messages, each noted as it goes."""
        more = iter(messages)
        while True:
            with self.ours():
                message = next(more, None)
            if message is None:
                return
            yield message

    @contextmanager
    def ours(self) -> Iterator[None]:
        """Time that is spent here, and owed by nobody."""
        self._ours = True
        try:
            yield
        finally:
            self._ours = False
            self.moved()

    def _tell(self, teller: Teller) -> None:
        set_language(self._language)
        due, until_next = FIRST_SECONDS, FIRST_SECONDS
        while not self._over.wait(until_next):  # Spec 30, "Patience", step 5.
            silent, until_next = self._silent(), _LOOK_SECONDS
            if silent < FIRST_SECONDS:
                due = FIRST_SECONDS
            elif silent >= due:
                due = silent + AGAIN_SECONDS
                teller(self._sentence(silent))

    def _sentence(self, silent: float) -> str:
        indonesian, english = _OWED[self._owed]
        said = (
            f"Menunggu {{server}} ({self._address}): {indonesian}, sudah {silent:.0f} detik.",
            f"Waiting for {{server}} ({self._address}): {english}, for {silent:.0f} seconds.",
        )
        return t(*worded(said, self._server, {}))
