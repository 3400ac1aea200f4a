"""What two files hold, and how two files are made from one population."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from padan_lab.generate.draw.draws import Draws
from padan_lab.generate.rates import Level
from padan_lab.generate.sides import AgencyFile, Batch, Seating, World, batches, row_ids, seat


@dataclass(frozen=True)
class FilePlan:
    """Two sides' files about one population; ``world`` makes it from a size and a seed.

    ``inside``: share of the list that the registry holds; ``list_share``: rows of the list for one
    of the registry. Both are what is usual, and can be asked otherwise.
    """

    world: Callable[[int, int], World]
    registry: AgencyFile
    list: AgencyFile
    inside: float = 0.5
    list_share: float = 0.5


class Making:
    """Both files in the making; the same arguments make the same files.

    ``inside`` of the ``listed`` rows are in the registry of ``rows``. ``copies``: share of the
    registry's rows that stand for somebody whom another row is about, too, written down anew; None
    for what is usual at the level. People, seats and truth do not depend on how many rows a batch
    has, nor on the level but for such rows.
    """

    def __init__(
        self,
        plan: FilePlan,
        rows: int,
        listed: int,
        inside: int,
        *,
        seed: int,
        level: Level,
        copies: float | None = None,
    ) -> None:
        self.plan, self.rows, self.listed, self._seed, self._level = plan, rows, listed, seed, level
        usual = plan.registry.rates.at(level).duplicate
        twice = (usual if copies is None else copies, plan.list.rates.at(level).duplicate)
        self.seating: Seating = seat(rows, listed, inside, Draws(seed, "seats"), twice=twice)
        self._world = plan.world(rows + listed - inside, seed)

    def registry(self, size: int) -> Iterator[Batch]:
        """The registry in batches of at most ``size`` rows."""
        side = self.plan.registry
        return batches(side, self.seating.registry, self._world, self._seed, self._level, size)

    def list(self, size: int) -> Iterator[Batch]:
        """The list in batches of at most ``size`` rows."""
        side = self.plan.list
        return batches(side, self.seating.list, self._world, self._seed, self._level, size)

    def truth(self) -> pa.Table:
        """The pairs' ids: rec_id_a of the list, rec_id_b of the registry."""
        pairs = self.seating.pairs
        return pa.table(
            {
                "rec_id_a": row_ids(self.plan.list.letter, pairs[:, 1]),
                "rec_id_b": row_ids(self.plan.registry.letter, pairs[:, 0]),
            }
        )
