"""What a unit can compute of the rows of one pass: features by row, from both sides' tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.seeing.transcript import Columns
from padan_linkage.schema import Pass

Numbers = NDArray[np.int64]
Values = NDArray[np.float64]
#: Features of rows by name, ``float64[rows]`` each.
RowFeatures = dict[str, Values]

#: Rows of a bucket that a row is compared with; distances at or above it say nothing.
_MOST, _FAR = 48, 1.0


@dataclass(frozen=True, repr=False)
class Buckets:
    """Rows by their key: which rows share one, on both sides.

    ``own`` and ``other`` ``int64[rows]``: each row's key, numbered alike on both sides.
    """

    own: Numbers
    other: Numbers
    count: int

    @classmethod
    def of(cls, own: Columns, other: Columns) -> Buckets:
        """The keys of two tables of one pass."""
        both = np.concatenate([own["keys"], other["keys"]])
        _, number = np.unique(whole_rows(both), return_inverse=True)
        size = len(own["keys"])
        return cls(number[:size], number[size:], int(number.max()) + 1)


def row_features(p: Pass, own: Columns, other: Columns) -> RowFeatures:
    """Features of every row of ``own``, as the unit sees it beside ``other``."""
    buckets = Buckets.of(own, other)
    rows = len(own["keys"])
    occupied = np.bincount(buckets.own, minlength=buckets.count)
    across = np.bincount(buckets.other, minlength=buckets.count)
    found: RowFeatures = {
        "own group": occupied[buckets.own].astype(float),
        "other group": across[buckets.own].astype(float),
        "place": np.arange(rows) / rows,
        "key": own["keys"][:, 0].astype(float) + 256.0 * own["keys"][:, 1],
    }
    if "filters" in own:
        found |= _likeness(p, own, other, buckets)
    for name in ("presence", "tags"):
        if name in own:
            found[f"{name} weight"] = _weight(own[name])
    if "presence" in own:
        found["presence"] = own["presence"] @ 256.0 ** np.arange(own["presence"].shape[1])
    if "tags" in own:
        found["tags shared"] = _shared(own["tags"])
    return found


def _likeness(p: Pass, own: Columns, other: Columns, buckets: Buckets) -> RowFeatures:
    """Weights of segments, and distances to the nearest rows of the bucket on either side."""
    found: RowFeatures = {}
    for index, bits in enumerate(segments(p, own["filters"])):
        found[f"weight {index}"] = _weight(bits)
    mine = _nearest(own["filters"], buckets.own, own["filters"], buckets.own, same=True)
    theirs = _nearest(own["filters"], buckets.own, other["filters"], buckets.other, same=False)
    for name, (first, second, mean) in (("own", mine), ("other", theirs)):
        found |= {f"nearest {name}": first, f"second {name}": second, f"mean {name}": mean}
    return found


def segments(p: Pass, filters: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Each segment's bytes, ``uint8[rows, bits / 8]``."""
    ends = np.cumsum([segment.bits // 8 for segment in p.similar])[:-1]
    return np.split(filters, ends, axis=1)


def _nearest(
    filters: NDArray[np.uint8],
    keys: Numbers,
    others: NDArray[np.uint8],
    their_keys: Numbers,
    *,
    same: bool,
) -> tuple[Values, Values, Values]:
    """The smallest, second smallest and mean distance to rows of the same bucket.

    Shares of bits; 1 where there is none.
    """
    order = np.argsort(their_keys, kind="stable")
    ordered = their_keys[order]
    start = np.searchsorted(ordered, keys, "left")
    size = np.searchsorted(ordered, keys, "right") - start
    first, second, total = (np.full(len(keys), _FAR) for _ in range(3))
    sums, seen = np.zeros(len(keys)), np.zeros(len(keys))
    bits = filters.shape[1] * 8
    for step in range(min(_MOST, int(size.max(initial=0)))):
        rows = np.flatnonzero(size > step)
        partner = order[start[rows] + step]
        if same:
            rows, partner = rows[partner != rows], partner[partner != rows]
        apart = np.bitwise_count(filters[rows] ^ others[partner]).sum(axis=1) / bits
        nearer = apart < first[rows]
        second[rows] = np.minimum(second[rows], np.where(nearer, first[rows], apart))
        first[rows] = np.minimum(first[rows], apart)
        sums[rows] += apart
        seen[rows] += 1
    total[seen > 0] = sums[seen > 0] / seen[seen > 0]
    return first, second, total


def _weight(column: NDArray[np.uint8]) -> Values:
    weight: Values = np.bitwise_count(column).sum(axis=1).astype(float)
    return weight


def _shared(tags: NDArray[np.uint8]) -> Values:
    """How many of a row's tags another row has too."""
    shared = np.zeros(len(tags))
    for at in range(0, tags.shape[1], 8):
        _, number, count = np.unique(
            whole_rows(tags[:, at : at + 8]), return_inverse=True, return_counts=True
        )
        shared += count[number] > 1
    return shared


def whole_rows(column: NDArray[np.uint8]) -> NDArray[np.void]:
    """Rows of bytes as single values that can be compared."""
    width = column.shape[1]
    return np.ascontiguousarray(column).view(np.dtype((np.void, width))).reshape(-1)
