"""A unit that answers lists within an agreement's limits, as the real one does.

What a list met is counted, crowded buckets are found and a list in excess is closed whole by the
same functions as at a unit. Spec: ``proto/spec/32-metering.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.oracle.published import AskedRegistry
from padan_linkage.agreement import Quota
from padan_linkage.matching import MetPairs, PassResult, in_excess, is_crowded, match_pass
from padan_linkage.matching.meetings import ALIKE, ALONE
from padan_linkage.schema import Layout, Pass
from padan_linkage.tables import PassTable

#: What rows and questions are hashed with: there is nobody here to choose them.
_SECRET = b"oracle"


@dataclass(repr=False)
class MeteredUnit:
    """A registry, what has met it in the epoch, and how many lists there were.

    Without a ``quota`` nothing is bounded.
    """

    registry: AskedRegistry
    quota: Quota | None
    epoch: int = 1
    lists: int = 0
    _met: list[MetPairs] = field(default_factory=list)

    def allowed(self, p: Pass, rows: int) -> int:
        """Vectors in a bucket with one registered row that a list of so many rows may have."""
        if self.quota is None or not p.similar:
            return rows
        scale = max(1.0, rows / len(self.registry.tables[p.id].table))
        return min(rows, int(ALONE + ALIKE * scale))

    def answer(self, p: Pass, listed: PassTable) -> PassResult | None:
        """What a list's rows of one pass are told; None of a list that is closed.

        A pass at a time: the list's other passes ask nothing.
        """
        registry = self.registry.tables[p.id].table
        given = match_pass(
            self.registry.schema, p, registry, listed, self.registry.policy,
            self.registry.calibrations.get(p.id),
        )  # fmt: skip
        self.lists += 1
        if self.quota is None or not p.similar:
            return given
        met = MetPairs.of(given, registry, listed, _SECRET)
        limits = self.quota.questions_per_row, self.quota.questions_per_row_epoch
        if is_crowded(registry, listed) or in_excess(met, self._met, *limits):
            return None
        self._met.append(met)
        return given

    def turn(self) -> bool:
        """Open the next epoch where this one has had its lists; False once the year is over."""
        if self.quota is None:
            return True
        if self.lists >= self.quota.lists_per_year:
            return False
        if self.lists and self.lists % self.quota.lists_per_epoch == 0:
            self.epoch += 1
            self.registry, self._met = self.registry.renewed(self.epoch), []
        return self.epoch <= self.quota.epochs_per_year


def listed_rows(
    registry: AskedRegistry, p: Pass, columns: dict[str, NDArray[np.uint8]]
) -> PassTable:
    """A list's table of a pass with these columns; every field of every row is there."""
    layout = Layout.of(registry.schema, p, provider=False)
    rows = len(columns["keys"])
    whole = {name: np.zeros((rows, width), np.uint8) for name, width in layout.columns()}
    if layout.presence:
        whole["presence"][:] = 0xFF
    return PassTable(p.id, layout, {**whole, **columns})
