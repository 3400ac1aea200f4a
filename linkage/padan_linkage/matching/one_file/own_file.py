"""What the owner of a file brings to link it with itself, and which of its rows meet.

Spec: ``proto/spec/35-matching.md``, "One table".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.pair_features import compare
from padan_linkage.matching.scoring.features import FeaturePlan
from padan_linkage.matching.sides import FilterSide
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable

Rows = NDArray[np.int64]
Float = NDArray[np.float64]

#: Rows sharing a token beyond this are not compared: their exact fields say nothing.
MOST_ALIKE = 3_000
#: Of a pass without a filter: nothing but the token speaks for its pairs.
MOST_ALIKE_EXACT = 50
#: Pairs kept of one pass; of more, the least alike are left out, as a sample of so many shows.
MOST_PAIRS, SAMPLE = 3_000_000, 200_000
#: Pairs measured in one piece.
BLOCK = 50_000


@dataclass(frozen=True, repr=False)
class OwnTable:
    """A pass table with what its owner alone knows.

    ``record_of_row``: int64[rows], -1 for a decoy; ``tokens``: uint8[rows, bytes], equal where the
    exact fields are.
    """

    p: Pass
    table: PassTable
    record_of_row: Rows
    tokens: NDArray[np.uint8]

    @cached_property
    def plan(self) -> FeaturePlan:
        """Where the segments lie."""
        return FeaturePlan.of(self.p, presence=self.table.layout.presence > 0)

    @cached_property
    def side(self) -> FilterSide:
        """The rows, to be compared with each other."""
        return FilterSide.of(self.table, 1 << self.p.bucket_bits)

    def real(self) -> tuple[Rows, Rows]:
        """The rows that are no decoys, and the number of each one's token."""
        rows = np.flatnonzero(self.record_of_row >= 0)
        words = np.ascontiguousarray(self.tokens[rows]).view(f"V{self.tokens.shape[1]}").ravel()
        return rows, np.unique(words, return_inverse=True)[1].reshape(-1).astype(np.int64)


@dataclass(frozen=True, repr=False)
class OwnFile:
    """A file to be linked with itself.

    ``records``: their number n; ``passes``: their table in every pass, taken up once, in order;
    ``strangers``: tables of the same segments in which each token stands for records taken at
    random, so that rows of one token are strangers as good as always; ``values``: for every exact
    key, and for every segment's fields joined by "+", int64[n]: equal numbers for equal values, -1
    where there is none.
    """

    records: int
    passes: Iterable[OwnTable]
    strangers: Sequence[OwnTable]
    values: Mapping[str, Rows]


@dataclass(frozen=True, repr=False)
class Measured:
    """Pairs of records, int64[n] each, and how far apart they are in the segments of a pass.

    ``apart``: float64[n, segments], share of bits that differ; NaN where a side has no value.
    """

    a: Rows
    b: Rows
    apart: Float

    @classmethod
    def of(cls, own: OwnTable, mine: Rows, theirs: Rows) -> Measured:
        """Measure pairs of rows of one table."""
        a, b = own.record_of_row[mine], own.record_of_row[theirs]
        if not own.p.similar:
            return cls(a, b, np.zeros((len(a), 0)))
        plan, side = own.plan, own.side
        parts = [
            compare(plan, side, mine[i : i + BLOCK], side, theirs[i : i + BLOCK])
            for i in range(0, len(mine), BLOCK)
        ]
        distance = np.concatenate([np.zeros((0, plan.features), np.int64), *parts])
        bare = distance[:, : plan.segments]
        return cls(a, b, np.where(bare < 0, np.nan, bare / plan.bits))


@dataclass(frozen=True, repr=False)
class Meetings:
    """The pairs of records that meet in any pass, each once.

    ``code``: int64[n], ascending, lower record · records + higher; ``apart``: float64[n, names],
    the mean over the passes that measure the segment, NaN where none does; ``met``: bool[n,
    passes]; ``names``: the segments, by their fields.
    """

    records: int
    names: tuple[str, ...]
    code: Rows
    apart: Float
    met: NDArray[np.bool_]

    @property
    def a(self) -> Rows:
        """The lower record of each pair, int64[n]."""
        return self.code // max(1, self.records)

    @property
    def b(self) -> Rows:
        """The higher record of each pair, int64[n]."""
        return self.code % max(1, self.records)

    def find(self, a: Rows, b: Rows) -> Rows:
        """Numbers of these pairs of records among those that meet, -1 where they do not."""
        code = np.minimum(a, b) * self.records + np.maximum(a, b)
        if not len(self.code):
            return np.full(len(code), -1)
        at = np.minimum(np.searchsorted(self.code, code), len(self.code) - 1)
        return np.where(self.code[at] == code, at, -1)

    @classmethod
    def of(cls, own: OwnFile) -> Meetings:
        """Compare, in every pass, all records that share its token."""
        found: list[tuple[Pass, Rows, Float]] = []
        for table in own.passes:
            pairs = _meeting_in(table)
            low, high = np.minimum(pairs.a, pairs.b), np.maximum(pairs.a, pairs.b)
            found.append((table.p, low * own.records + high, pairs.apart))
        code = np.unique(np.concatenate([np.zeros(0, np.int64), *(f[1] for f in found)]))
        names = tuple(dict.fromkeys(name_of(s.fields) for p, *_ in found for s in p.similar))
        total = np.zeros((len(code), len(names)))
        times = np.zeros_like(total)
        met = np.zeros((len(code), len(found)), np.bool_)
        for number, (p, own_code, apart) in enumerate(found):
            at = np.searchsorted(code, own_code)
            met[at, number] = True
            for column, segment in enumerate(p.similar):
                place = names.index(name_of(segment.fields))
                there = ~np.isnan(apart[:, column])
                total[at[there], place] += apart[there, column]
                times[at[there], place] += 1
        apart = np.where(times > 0, total / np.maximum(times, 1), np.nan)
        return cls(own.records, names, code, apart, met)


def name_of(fields: Sequence[str]) -> str:
    """What a segment is called here: its fields."""
    return "+".join(fields)


def _meeting_in(own: OwnTable) -> Measured:
    """All pairs of rows of one token; of very many, those that are most alike."""
    rows, token = own.real()
    most = MOST_ALIKE if own.p.similar else MOST_ALIKE_EXACT
    number = pairs_inside(token, most)
    cut = _cut(own, rows, token, most) if own.p.similar and number > MOST_PAIRS else 0.0
    kept = [_alike(Measured.of(own, rows[i], rows[j]), cut, own.p) for i, j in inside(token, most)]
    none = Measured(rows[:0], rows[:0], np.zeros((0, len(own.p.similar))))
    return Measured(
        *(np.concatenate([getattr(m, part) for m in (none, *kept)])
          for part in ("a", "b", "apart"))
    )  # fmt: skip


def _likeness(apart: Float, p: Pass) -> Float:
    """Squared standard deviations below what unrelated segments are apart, float64[n]."""
    bits = np.array([s.bits for s in p.similar])
    z = np.maximum(0.5 - np.nan_to_num(apart, nan=0.5), 0) * 2 * np.sqrt(bits)
    total: Float = (z * z).sum(axis=1)
    return total


def _alike(pairs: Measured, cut: float, p: Pass) -> Measured:
    if cut <= 0:
        return pairs
    good = _likeness(pairs.apart, p) >= cut
    return Measured(pairs.a[good], pairs.b[good], pairs.apart[good])


def _cut(own: OwnTable, rows: Rows, token: Rows, most: int) -> float:
    """The likeness that as many pairs reach as are to be kept."""
    number = pairs_inside(token, most)
    part = max(1, number // SAMPLE)
    picked = [(i[::part], j[::part]) for i, j in inside(token, most)]
    mine, theirs = (np.concatenate([pair[side] for pair in picked]) for side in (0, 1))
    likeness = _likeness(Measured.of(own, rows[mine], rows[theirs]).apart, own.p)
    return float(np.quantile(likeness, 1 - MOST_PAIRS / number))


def pairs_inside(group: Rows, most: int) -> int:
    """Pairs of members of one group, groups of more than ``most`` left out."""
    size = np.bincount(group)
    size = size[size <= most]
    return int((size * (size - 1) // 2).sum())


def inside(group: Rows, most: int) -> Iterator[tuple[Rows, Rows]]:
    """All pairs of positions with the same number in ``group`` (int64[n]), in pieces.

    Groups of more than ``most`` members are left out.
    """
    size = np.bincount(group)
    order = np.argsort(group, kind="stable")
    order = order[size[group[order]] <= most]
    ordered = group[order]
    for step in range(1, len(order)):
        here = np.flatnonzero(ordered[:-step] == ordered[step:])
        if not len(here):
            return
        yield order[here], order[here + step]
