"""A stopwatch that announces the stages of a demonstration."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from padan_client.base.numbers import decimal

Announce = Callable[[str], None]


class Stopwatch:
    """Announces stages and notes in ``seconds`` how long each took."""

    def __init__(self, announce: Announce) -> None:
        self.seconds: dict[str, float] = {}
        self._announce = announce

    @contextmanager
    def stage(self, name: str, text: str) -> Iterator[None]:
        """One stage; nothing is noted of one that fails."""
        began = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - began
        self._announce(f"{text}: {decimal(self.seconds[name], 1)} s")
