"""Real time in direct mode: a few records against the tables that are here already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from padan_client.base.effects import Patience, Steps
from padan_client.protocol.direct.answering import answer
from padan_client.protocol.direct.evaluating import ListEvaluation
from padan_client.protocol.direct.session import DirectSession
from padan_client.protocol.progress import silent
from padan_client.records.lists import RequestList
from padan_client.results.table import KeyCounts
from padan_linkage.direct.labelling.deciding import Decided

#: How long the list of tables is taken as it was: a delta a day can wait so long.
FRESH = timedelta(minutes=10)


@dataclass(frozen=True, repr=False)
class DirectCounter:
    """A session kept for many small questions, and until when it is taken as fresh."""

    session: DirectSession
    until: datetime

    def fresh(self, now: datetime) -> bool:
        """Whether to ask without looking for newer tables."""
        return now < min(self.until, *(m.expires_at for m in self.session.manifests))


def ask_directly(
    session: DirectSession,
    requested: RequestList,
    patience: Patience,
    randomness: Callable[[int], bytes],
) -> Steps[tuple[Decided, tuple[KeyCounts, ...]]]:
    """Confirm a few records; nothing is kept on disk, each question has blinds of its own."""
    evaluation = ListEvaluation(
        session=session,
        seed=randomness(32),
        folder=None,
        patience=patience,
        report=silent,
        threads=1,
    )
    return (yield from answer(evaluation, requested))
