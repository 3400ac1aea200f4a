"""What the store said, until it says something else.

A question in real time needs the standing of its agreement and the newest registry, which hardly
ever change. Only this process writes to the store (``serving.py`` locks the data directory).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from padan_server.store.port import Store, Transaction

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST = 4_096


class StoreCache(Generic[K, V]):
    """Remembers what ``read`` found for a key for as long as :meth:`Store.stamp` stays."""

    def __init__(self, store: Store, read: Callable[[Transaction, K], V]) -> None:
        self._store = store
        self._read = read
        self._known: dict[K, tuple[int, V]] = {}

    def get(self, key: K) -> V:
        """What ``read`` gives now; exceptions are not remembered."""
        stamp = self._store.stamp()  # before reading: what changes meanwhile makes it old again
        known = self._known.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        with self._store.read() as tx:
            value = self._read(tx, key)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = stamp, value
        return value
