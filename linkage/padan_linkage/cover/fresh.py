"""Values that nobody has, and columns put together of old and new ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.cover.newcomers import Numbers
from padan_linkage.cover.numbers import of_nobody, spliced
from padan_linkage.cover.words import WordMaker
from padan_linkage.crypto.randomness import Drbg

Flags = NDArray[np.bool_]

#: How often a value that somebody has is made anew before all of its words are new ones.
_TRIES = 6
_APART = "\x1f"


def unheard(
    makers: Sequence[WordMaker], of: Numbers, women: Flags, held: pa.StringArray, drbg: Drbg
) -> list[pa.StringArray]:
    """Values of one or several fields that nobody has together; ``held``: what people have."""
    made = [maker.made(of, women, drbg) for maker in makers]
    for attempt in range(_TRIES):
        known = pc.is_in(pc.binary_join_element_wise(*made, _APART), value_set=held)
        again = np.flatnonzero(known.to_numpy(zero_copy_only=False))
        if not again.size:
            break
        last = attempt == _TRIES - 1
        anew = [maker.made(of[again], women[again], drbg, new=last) for maker in makers]
        made = [replaced(old, again, new) for old, new in zip(made, anew, strict=True)]
    return made


def nobodys(column: pa.StringArray, of: Numbers, drbg: Drbg) -> pa.StringArray:
    """Values that nobody has, of the length of those of ``of``."""

    def make(some: Numbers) -> pa.StringArray:
        return spliced(column, of[some], drbg)

    return of_nobody(make(np.arange(of.size)), column, make, drbg)


def chosen(
    column: pa.StringArray, taken: Numbers, fresh: Numbers, new: pa.StringArray
) -> pa.StringArray:
    """The values of ``taken`` (int64[k]), and for those at ``fresh`` the new ones."""
    return replaced(column.take(pa.array(np.maximum(taken, 0))), fresh, new)


def replaced(column: pa.StringArray, rows: Numbers, new: pa.StringArray) -> pa.StringArray:
    """The column with ``new`` at ``rows`` (int64[k], each once)."""
    row = np.full(len(column), -1)
    row[rows] = np.arange(rows.size)
    return pc.coalesce(new.take(pa.array(row, mask=row < 0)), column)


def placed(values: pa.StringArray, rows: Numbers, count: int) -> pa.StringArray:
    """The values at ``rows`` of ``count``, "" elsewhere."""
    row = np.full(count, -1)
    row[rows] = np.arange(rows.size)
    return pc.fill_null(values.take(pa.array(row, mask=row < 0)), "")
