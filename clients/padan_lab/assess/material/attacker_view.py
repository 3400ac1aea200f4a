"""What the linkage unit holds of one pass, as numbers that attacks work on.

A table's rows are compared by *likeness*: (m/2 − Hamming distance) / (√m/2), which is standard
normal between independent filters of m bits, and √m between equal ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from padan_linkage.schema import Pass

Numbers = NDArray[np.int64]
Reals = NDArray[np.float32]
Column = NDArray[np.uint8]


@dataclass(frozen=True, repr=False)
class Seen:
    """One pass's table as the unit holds it, n rows.

    ``blocks``: int64[n], the bucket or token of each row as a number; ``segments``: uint8[n, m/8]
    each; ``present``: bool[n, segments], all true where there is no presence mask; ``trades``:
    pairs of segments that may be compared crosswise. Only rows of one block are compared.
    """

    blocks: Numbers
    segments: tuple[Column, ...]
    present: NDArray[np.bool_]
    trades: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.blocks)

    @classmethod
    def of(cls, p: Pass, columns: Mapping[str, Column]) -> Seen:
        """From the columns of a pass table; ``columns`` needs keys, filters and presence only."""
        keys = np.ascontiguousarray(columns["keys"])
        blocks = np.unique(keys.view(f"V{keys.shape[1]}").ravel(), return_inverse=True)[1]
        edges = np.cumsum([0, *(s.bits // 8 for s in p.similar)])
        present = np.ones((len(keys), len(p.similar)), np.bool_)
        if "presence" in columns:
            bits = np.unpackbits(columns["presence"], axis=1, bitorder="little")
            present = bits[:, : len(p.similar)].astype(np.bool_)
        segments = tuple(
            np.ascontiguousarray(columns["filters"][:, a:b]) for a, b in pairwise(edges.tolist())
        )
        labels = [s.label for s in p.similar]
        trades = tuple(
            (i, j)
            for i in range(len(labels))
            for j in range(i + 1, len(labels))
            if labels[i] == labels[j]
        )
        return cls(blocks.astype(np.int64), segments, present, trades)

    def grouped(self, groups: Numbers) -> Seen:
        """The same rows with other blocks, such as the salts' groups were they visible."""
        return replace(self, blocks=groups)

    def rows(self, chosen: Numbers) -> Seen:
        """Only the rows ``chosen``."""
        return Seen(
            self.blocks[chosen],
            tuple(s[chosen] for s in self.segments),
            self.present[chosen],
            self.trades,
        )

    @cached_property
    def signs(self) -> tuple[Reals, ...]:
        """Segments as float32[n, m] of ±1/√√m; 0 where the segment is missing."""
        signs = []
        for i, packed in enumerate(self.segments):
            bits = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
            signs.append(bits * (self.present[:, i, None] / bits.shape[1] ** 0.25))
        return tuple(signs)

    def likenesses(self) -> Iterator[Reals]:
        """Likeness of all rows, float32[n, n]: a channel a segment, then the trades.

        0 between blocks, between missing segments, and of a row with itself.
        """
        apart = self.blocks[:, None] != self.blocks[None, :]
        np.fill_diagonal(apart, val=True)
        for signs in self.signs:
            yield _kept(signs @ signs.T, apart)
        for i, j in self.trades:
            if self.signs[i].shape[1] == self.signs[j].shape[1]:
                crossed = self.signs[i] @ self.signs[j].T
                yield _kept(((crossed + crossed.T) / 2**0.5).astype(np.float32), apart)

    @property
    def channels(self) -> int:
        """How many :meth:`likenesses` there are."""
        same = [self.segments[i].shape[1] == self.segments[j].shape[1] for i, j in self.trades]
        return len(self.segments) + int(sum(same))

    def equalities(self) -> Numbers:
        """What is equal in a row: its block, then each segment's bytes. int64[n, 1 + segments].

        Rows with the same number in a column are equal in it.
        """
        columns = [self.blocks]
        for segment in self.segments:
            values = np.ascontiguousarray(segment).view(f"V{segment.shape[1]}").ravel()
            columns.append(np.unique(values, return_inverse=True)[1].astype(np.int64))
        return np.stack(columns, axis=1)


def _kept(likeness: Reals, apart: NDArray[np.bool_]) -> Reals:
    likeness[apart] = 0
    return likeness


@dataclass(frozen=True, repr=False)
class SeenTable:
    """A table with what its owner knows.

    ``person``: int64[n], the person that each row stands for, -1 for a decoy; ``group``: int64[n],
    rows of one salt have one number.
    """

    seen: Seen
    person: Numbers
    group: Numbers

    @property
    def known_groups(self) -> Seen:
        """What the unit would see if the salts' groups were visible."""
        return self.seen.grouped(self.group)
