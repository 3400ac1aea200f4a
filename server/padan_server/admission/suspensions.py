"""A party stops what an agreement allows, for its own part, and lets it go on."""

from __future__ import annotations

from padan_server.admission.requests import remember, replayed
from padan_server.base.clock import Clock
from padan_server.base.model import RequestKey, Suspension
from padan_server.store.port import Store


class Suspensions:
    """Keeps and ends the suspensions of agreements; a request that came before changes nothing."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def suspend(self, agreement: str, party: str, article: str, request: RequestKey | None) -> None:
        """Suspend for ``party``; a second time replaces the article."""
        now = self._clock.now()
        with self._store.write() as tx:
            if replayed(tx, request) is None:
                tx.agreements.suspend(Suspension(agreement, party, article, now))
                remember(tx, request, agreement, now)

    def resume(self, agreement: str, party: str, request: RequestKey | None) -> None:
        """End the suspension of ``party``, if there is one."""
        with self._store.write() as tx:
            if replayed(tx, request) is None:
                tx.agreements.resume(agreement, party)
                remember(tx, request, agreement, self._clock.now())

    def parties(self, agreement: str) -> list[str]:
        """Who has suspended it, the first one first."""
        with self._store.read() as tx:
            return [s.party for s in tx.agreements.suspensions(agreement)]
