"""One writer a table: a newer upload takes over from an older one whose peer may be gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Key = tuple[str, str]


class TableLocks:
    """Exclusive use of tables, keyed by dataset and pass, within this process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._interrupts: dict[Key, Callable[[], object]] = {}

    @contextmanager
    def exclusive(self, key: Key, interrupt: Callable[[], object]) -> Iterator[None]:
        """Hold ``key``; whoever held it is interrupted and waited for.

        ``interrupt`` must make the block that holds the key end soon; it may be called from
        another thread.
        """
        with self._changed:
            while key in self._interrupts:
                self._interrupts[key]()
                self._changed.wait()
            self._interrupts[key] = interrupt
        try:
            yield
        finally:
            with self._changed:
                del self._interrupts[key]
                self._changed.notify_all()
