"""How one side of an exchange writes one column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from padan_lab.generate.draw.draws import Draws, Ints
from padan_lab.generate.rates import Rates, Style


@dataclass(frozen=True)
class Pen:
    """``keys`` int64[n]: the rows' numbers in the side's file; ``draws``: the column's own."""

    keys: Ints
    rates: Rates
    style: Style
    draws: Draws

    def rows(self, label: str, share: float) -> Ints:
        """Positions of the rows that something happens to, ascending."""
        return np.flatnonzero(self.draws.chance(label, self.keys, share))
