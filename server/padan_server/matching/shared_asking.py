"""Questions of one row that wait for their turns: whoever has one asks for the others too.

What a filter costs beside its comparisons is the same for one row and for many.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import zip_longest

from padan_linkage.matching import PassResult
from padan_linkage.tables import PassTable
from padan_server.base.pieces import InPieces
from padan_server.matching.engine import Index

#: Questions that are looked at together; the index asks as many of them as make a piece.
_MOST = 64


@dataclass(eq=False, repr=False)
class _Waiting:
    """A question of a call that waits, and its answer once somebody has asked it."""

    rows: PassTable
    over: bool = False
    result: PassResult | None = None


class SharedAsking:
    """The questions of one index, which are all of one party; safe to use from several threads."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []

    def match(self, rows: PassTable, pieces: InPieces) -> PassResult:
        """What the index answers to ``rows``, for a call that has a turn.

        Others have theirs before, and what ends the call then is raised. Of several rows, or where
        nothing is gained by it, the question is asked alone.
        """
        if len(rows) > 1 or not self._index.gains:
            return self._index.match(rows, pieces.between)
        # Spec 30, "Fairness", step 4.
        mine = _Waiting(rows)
        with self._changed:
            self._waiting.append(mine)
        try:
            pieces.between()
        except BaseException:
            self._withdraw(mine)
            raise
        while not mine.over:
            if (taken := self._taken(mine)) is not None:
                self._ask(taken)
                continue
            with pieces.waiting(), self._changed:
                self._changed.wait_for(lambda: mine.over or mine in self._waiting)
        # Where asking together failed: the fault may be another question's.
        return mine.result or self._index.match(rows, pieces.between)

    def _withdraw(self, mine: _Waiting) -> None:
        with self._changed:
            if mine in self._waiting:
                self._waiting.remove(mine)

    def _taken(self, mine: _Waiting) -> list[_Waiting] | None:
        """This question and others that wait, for this call to ask; None if somebody has it."""
        with self._changed:
            if mine not in self._waiting:
                return None
            self._waiting.remove(mine)
            taken = [mine, *self._waiting[: _MOST - 1]]
            del self._waiting[: _MOST - 1]
        return taken

    def _ask(self, taken: list[_Waiting]) -> None:
        """Ask as many as make a piece, and leave the others to those that wait for them."""
        try:
            results = self._index.match_some([each.rows for each in taken])
        except Exception:  # noqa: BLE001 - each is asked alone then, and told of its own fault
            results, asked = [], taken
        else:
            asked = taken[: len(results)]
        with self._changed:
            self._waiting[:0] = taken[len(asked) :]
            for each, result in zip_longest(asked, results):
                each.result, each.over = result, True
            self._changed.notify_all()
