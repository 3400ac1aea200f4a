"""What dates and plain values say of a pair: log likelihood ratios, nats.

m, the share of copies in which a thing is so, is shipped; u, that of strangers, is counted in the
file (Fellegi & Sunter 1969).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.merging.copies.candidates import Bools, Bytes, FieldColumn, Rows
from padan_linkage.schema import Kind

Float = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Compared:
    """One field of ``k`` pairs.

    ``nats``: float64[k], 0 where a value is missing; ``same``, ``other``: bool[k], the same by what
    the field is, and another beyond a slip. A pair that is neither is alike, or misses a value.
    """

    nats: Float
    same: Bools
    other: Bools


@dataclass(frozen=True)
class Weight:
    """m of the same and of another value; no more than ``most`` nats are believed."""

    same: float
    other: float
    most: float


_WEIGHTS = {
    Kind.PLACE: Weight(0.8, 0.2, 4.0),
    Kind.SEX: Weight(0.99, 0.01, 1.0),
    Kind.NATIONALITY: Weight(0.97, 0.03, 4.0),
    Kind.KK: Weight(0.9, 0.1, 6.0),
    Kind.PHONE: Weight(0.6, 0.4, 6.0),
    Kind.EMAIL: Weight(0.6, 0.4, 6.0),
    Kind.ADDRESS: Weight(0.6, 0.4, 6.0),
}
_OTHERWISE = Weight(0.8, 0.2, 3.0)

#: Dates: the same; day and month exchanged; one of year, month, day another; quite another.
_SAME, _SWAPPED, _PART, _OTHER = 0.93, 0.01, 0.04, 0.02
#: Days on which people of a register are born; the share of strangers that differ in one part.
_DAYS, _STRANGERS_PART = 25_000, 0.006
#: Addresses are the same with so many of the words of the shorter in common.
_ENOUGH = 0.6


def compared_dates(column: FieldColumn, a: Rows, b: Rows) -> Compared:
    """Dates. Two strangers share one as often as others in the file have it."""
    same, filled = column.same(a, b)
    others = (column.holders(a) - 2) / len(column)
    ours, theirs = (_parts(column.letters(rows, 10)[0]) for rows in (a, b))
    crossed = (ours == theirs[:, [0, 2, 1]]).all(axis=1)
    one = (ours == theirs).sum(axis=1) == 2
    nats = np.select(
        [~filled, same, crossed, one],
        [
            np.zeros(len(a)),
            np.log(_SAME / np.maximum(others, 1 / _DAYS)),
            np.full(len(a), np.log(_SWAPPED * _DAYS / 2)),
            np.full(len(a), np.log(_PART / _STRANGERS_PART)),
        ],
        np.log(_OTHER),
    )
    return Compared(nats, same, filled & ~same & ~crossed & ~one)


def _parts(dates: Bytes) -> Rows:
    """Year, month and day of ISO dates, int64[k, 3]."""
    digits = dates.astype(np.int64) - ord("0")
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    return np.stack([year, 10 * digits[:, 5] + digits[:, 6], 10 * digits[:, 8] + digits[:, 9]], 1)


def compared_values(kind: Kind, column: FieldColumn, a: Rows, b: Rows) -> Compared:
    """Values that are the same or not: places, sexes, codes, phones."""
    same, filled = column.same(a, b)
    if kind is Kind.ADDRESS:
        same = filled & (same | _same_addresses(column, a, b))
    weight = _WEIGHTS.get(kind, _OTHERWISE)
    # The commoner of the two: another way to write an address is rare by itself.
    holders = np.maximum(column.holders(a), column.holders(b))
    shared = np.clip((holders - 1) / len(column), 1 / len(column), 0.99)
    agreeing = np.minimum(np.log(weight.same / shared), weight.most)
    nats = np.select([same, filled], [agreeing, np.log(weight.other / (1 - shared))], 0.0)
    return Compared(nats, same, filled & ~same)


def _same_addresses(column: FieldColumn, a: Rows, b: Rows) -> Bools:
    """Addresses with most words in common and no number another."""
    ours, theirs = (column.values.take(rows).to_pylist() for rows in (a, b))
    return np.fromiter(map(_same_address, ours, theirs), np.bool_, len(a))


def _same_address(ours: str, theirs: str) -> bool:
    one, two = set(ours.split()), set(theirs.split())
    numbers = [{w for w in words if any(c.isdigit() for c in w)} for words in (one, two)]
    if numbers[0] - numbers[1] and numbers[1] - numbers[0]:
        return False
    return len(one & two) >= _ENOUGH * max(1, min(len(one), len(two)))
