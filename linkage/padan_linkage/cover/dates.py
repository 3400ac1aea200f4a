"""Dates of newcomers: a year like somebody's, a day of the year like somebody else's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.cover.newcomers import Numbers, coded, whose
from padan_linkage.crypto.randomness import Drbg

#: Every month has so many days.
_SAFE_DAY = 28
#: A year that nobody has is at most so far from one that somebody has.
_FAR = 3
_SHAPE = r"^[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"


def whole(column: pa.StringArray) -> NDArray[np.bool_]:
    """Which values are whole dates, ``bool[n]``."""
    shape: NDArray[np.bool_] = pc.match_substring_regex(column, _SHAPE).to_numpy(
        zero_copy_only=False
    )
    return shape


def years(column: pa.StringArray) -> Numbers:
    """The year of each value, 0 where it is no whole date."""
    known = whole(column)
    texts = pc.utf8_slice_codeunits(pc.if_else(pa.array(known), column, "0000"), 0, 4)
    found: Numbers = texts.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def made_dates(column: pa.StringArray, of: Numbers, avoided: Numbers, drbg: Drbg) -> pa.StringArray:
    """A date for each of ``of`` (int64[k]); ``column`` has whole dates alone.

    ``avoided``: int64[k], a year that it does not lie in, 0 for none; negative: one it lies in.
    """
    year, everyone = years(column), np.arange(len(column))
    # Whole dates first: some have many people, of one form of school or of a guess.
    same = whose(coded(column), of, _by_height(year, drbg), drbg)
    theirs = year[np.maximum(same, 0)]
    kept = np.flatnonzero((same >= 0) & (avoided >= 0) & (theirs != avoided))
    made = _joined(column, year, of, avoided, everyone, drbg)
    row = np.full(of.size, -1)
    row[kept] = same[kept]
    return pc.coalesce(column.take(pa.array(row, mask=row < 0)), made)


def _joined(
    column: pa.StringArray, year: Numbers, of: Numbers, avoided: Numbers, everyone: Numbers,
    drbg: Drbg,
) -> pa.StringArray:  # fmt: skip
    """Dates of a year like somebody's and a day like somebody else's."""
    day = pc.utf8_slice_codeunits(column, 5, 10)
    other = drbg.integers(of.size, len(column))
    taken = whose(coded(day), other, everyone, drbg)
    days = pc.if_else(
        pa.array(taken >= 0), day.take(np.maximum(taken, 0)), _new_days(of.size, drbg)
    )
    kept = _years(year, of, avoided, drbg)
    # 29 February of another year than a leap year.
    leap = ((kept % 4 == 0) & (kept % 100 != 0)) | (kept % 400 == 0)
    odd = pc.and_(pc.equal(days, "02-29"), pa.array(~leap))
    texts = pa.array(kept).cast(pa.string())
    return pc.binary_join_element_wise(texts, pc.if_else(odd, "02-28", days), "-")


def _years(year: Numbers, of: Numbers, avoided: Numbers, drbg: Drbg) -> Numbers:
    """Years of newcomers: somebody's, or one beside it that nobody has."""
    taken = whose(year, of, _by_height(year, drbg), drbg)
    step = drbg.integers(of.size, 2 * _FAR + 1) - _FAR
    beside = np.clip(year[of] + step, year.min(), year.max())
    made: Numbers = np.where(taken >= 0, year[np.maximum(taken, 0)], beside)
    # In place of an avoided year the next one that is some other person's, or else the last before.
    ordered = np.sort(year)
    above = np.searchsorted(ordered, made, "right")
    below = ordered[np.maximum(np.searchsorted(ordered, made, "left") - 1, 0)]
    other = np.where(above < year.size, ordered[np.minimum(above, year.size - 1)], below)
    return np.select([avoided < 0, made == avoided], [-avoided, other], made)


def _by_height(height: Numbers, drbg: Drbg) -> Numbers:
    """Each one's place in their order, alike ones at random."""
    order = np.lexsort((drbg.uint64(height.size), height))
    place: Numbers = np.empty_like(order)
    place[order] = np.arange(order.size)
    return place


def _new_days(count: int, drbg: Drbg) -> pa.StringArray:
    month, day = drbg.integers(count, 12) + 1, drbg.integers(count, _SAFE_DAY) + 1
    padded = (pc.utf8_lpad(pa.array(part).cast(pa.string()), 2, "0") for part in (month, day))
    return pc.binary_join_element_wise(*padded, "-")
