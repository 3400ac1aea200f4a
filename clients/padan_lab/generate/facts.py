"""What a registry knows beyond who somebody is: the statuses that flows tell.

Facts are never wrong, and belong to the person: a repeated row tells the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from padan_lab.generate.columns.common import Anybody, Writer
from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.draws import Bools, Choice, Draws, Ints
from padan_lab.generate.draw.pen import Pen
from padan_lab.generate.population import companies
from padan_lab.generate.population.date_texts import ISO, date_texts
from padan_lab.generate.population.households import TODAY, Days

#: Bands of the number of workers, by the smallest number in each.
BANDS = {"1-4": 1, "5-19": 5, "20-99": 20, "100+": 100}
#: How many have each of several measures.
_REACH = 0.35


def status_columns(
    registry: Mapping[str, Mapping[str, str]], *, several: bool
) -> dict[str, Writer]:
    """Writers of a flow's status columns; ``registry`` is column → value → code.

    ``several``: each measure reaches some, and nobody in the registry none; else every row has a
    value in every column.
    """
    names = list(registry)
    return {
        name: _status(name, list(values), names if several and len(names) > 1 else [])
        for name, values in registry.items()
    }


def _status(column: str, values: Sequence[str], measures: Sequence[str]) -> Writer:
    texts = pa.array([*values, ""], pa.string())

    def write(block: Any, _: Pen) -> Cells:
        if isinstance(block, companies.CompanyBlock) and all(value.isdigit() for value in values):
            # The smallest numbers of workers of some bands.
            return Cells(_banded({value: int(value) for value in values}, block.workers))
        # A decile is the whole household's.
        whose = block.household if column == "desil" else block.numbers
        drawn = _drawn(column, values, whose, block)
        if measures:
            drawn = np.where(
                _held(column, measures, block.numbers, block.draws), drawn, len(values)
            )
        return Cells(texts.take(pa.array(drawn)))

    return write


def _drawn(column: str, values: Sequence[str], whose: Ints, block: Anybody) -> Ints:
    """Positions in ``values``; pensions are for the old."""
    draws = block.draws.of("facts")
    pensions = [i for i, value in enumerate(values) if is_pension(value)]
    working = [i for i in range(len(values)) if i not in pensions] or pensions
    now: Ints = np.array(working)[draws.pick(column, whose, _weights(working, values))]
    if not pensions:
        return now
    later = np.array(pensions)[draws.pick(f"{column} later", whose, _weights(pensions, values))]
    return np.where(block.pensioner, later, now)


def _weights(positions: Sequence[int], values: Sequence[str]) -> Choice:
    """Later statuses are rarer, negative ones rarer still; numbered ones are alike."""
    rare = ("TIDAK", "NON", "HABIS")
    return Choice(
        [
            1.0 if values[at].isdigit()
            else (0.3 if values[at].upper().startswith(rare) else 1.0) / (i + 1) ** 0.5
            for i, at in enumerate(positions)
        ]
    )  # fmt: skip


def _held(column: str, measures: Sequence[str], numbers: Ints, draws: Draws) -> Bools:
    own = draws.chance(f"held {column}", numbers, _REACH)
    sure = draws.below("held for sure", numbers, len(measures)) == measures.index(column)
    held: Bools = own | sure
    return held


def is_pension(status: str) -> bool:
    """Whether a status is a pensioner's."""
    return "PENSIUN" in status.upper()


def _banded(bands: Mapping[str, int], workers: Ints) -> pa.StringArray:
    """The band of each number of workers, by the smallest number in each band."""
    names = sorted(bands, key=lambda name: bands[name])
    at = np.searchsorted(sorted(bands.values()), workers, side="right") - 1
    return pa.array(names, pa.string()).take(pa.array(np.maximum(at, 0)))


def bands(block: Any, _: Pen) -> Cells:
    """Roughly how many people a company employs."""
    return Cells(_banded(BANDS, block.workers))


def workers(block: Any, _: Pen) -> Cells:
    """How many people a company employs."""
    return Cells(pa.array(block.workers).cast(pa.string()))


def death_dates(block: Any, pen: Pen) -> Cells:
    """When some died; empty for the living."""
    cells = Cells(pa.repeat(pa.scalar("", pa.string()), len(pen.keys)))
    dead = block.draws.chance("deceased", block.numbers, pen.rates.deceased)
    rows = np.flatnonzero(dead)
    days = TODAY - 1 - block.draws.below("died", block.numbers[rows], 2_000)
    cells.put(rows, date_texts(np.maximum(days, block.birth[rows] + 1), ISO), "person.deceased")
    return cells


def expiries(document: str) -> Writer:
    """Until when a passport or permit is good."""

    def write(block: Any, _: Pen) -> Cells:
        return Cells(date_texts(_expiry(block, document), ISO))

    return write


def validities(document: str, good: str, lapsed: str) -> Writer:
    """Whether it is still good today."""

    def write(block: Any, _: Pen) -> Cells:
        return Cells(
            pa.array(np.where(_expiry(block, document) >= TODAY, good, lapsed), pa.string())
        )

    return write


def _expiry(block: Anybody, document: str) -> Days:
    draws = block.draws.of("facts")
    lapsed = draws.chance(f"{document} lapsed", block.numbers, 0.15)
    days = 1 + draws.below(f"{document} days", block.numbers, 1_800)
    return TODAY + np.where(lapsed, -days, days)


def crossing_dates(block: Any, _: Pen) -> Cells:
    """When the border was last crossed."""
    days = TODAY - 1 - block.draws.of("facts").below("crossed", block.numbers, 900)
    return Cells(date_texts(days, ISO))
