"""A column being written down, and what went wrong in it.

Every change goes through :meth:`Cells.put`, which labels the rows it really changes; so no cell
differs from the truth without a label, and no label stands on a cell that does not differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.generate.draw.draws import Bools, Ints

EMPTY = pa.scalar("", pa.string())


@dataclass
class Cells:
    """``values``: what stands in the file so far. ``labels``: label and rows, in order."""

    values: pa.StringArray
    labels: list[tuple[str, Ints]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._truth = self.values

    def put(self, rows: Ints, values: pa.StringArray, label: str) -> None:
        """Replace the values of ``rows`` (ascending) and label those that changed."""
        if not len(rows):
            return
        changed = _different(self.values.take(pa.array(rows)), values)
        mask = np.zeros(len(self.values), dtype=bool)
        mask[rows] = changed
        if changed.any():
            new = values.filter(pa.array(changed))
            self.values = pc.replace_with_mask(self.values, pa.array(mask), new)
            self.labels.append((label, rows[changed]))

    def blank(self, rows: Ints, label: str) -> None:
        """Empty the cells of ``rows``."""
        self.put(rows, pa.repeat(EMPTY, len(rows)), label)

    def settle(self) -> list[tuple[str, Ints]]:
        """The labels, without those on cells that later errors made right again."""
        wrong = _different(self._truth, self.values)
        kept = [(label, rows[wrong[rows]]) for label, rows in self.labels]
        return [(label, rows) for label, rows in kept if len(rows)]


def _different(a: pa.StringArray, b: pa.StringArray) -> Bools:
    found: Bools = pc.not_equal(a, b).to_numpy(zero_copy_only=False)
    return found
