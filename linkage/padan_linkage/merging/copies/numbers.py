"""What numbers that one person or company bears say of a pair: equal, a slip of a digit, or others.

Numbers are given one after another, so that twins' and a family's differ in the last digits; a slip
there is never believed. Nor is one that makes a number which somebody else could well bear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.merging.copies.candidates import SMALL, Bools, Bytes, FieldColumn, Rows
from padan_linkage.merging.copies.values import Compared
from padan_linkage.normalise import derive, similar_values, sound_values
from padan_linkage.schema import Kind

#: Kinds that name one person or company.
NUMBERS = (
    Kind.NIK, Kind.NIP, Kind.PASSPORT, Kind.JKN_CARD, Kind.BPJSTK_NUMBER, Kind.NPWP, Kind.NIB,
)  # fmt: skip

#: m of an equal number and of another one; rows that bear somebody else's, by mistake (a national
#: audit of 97 million rows found .0009).
_EQUAL, _OTHERS, _MISTAKEN = 0.9, 0.05, 0.001
#: Nats of a slip: in the date of birth that a NIK or NIP holds, in a serial number higher than any
#: is, in a district that the file does not have, in other numbers, in a damaged number.
_IN_DATE, _IN_SERIAL, _IN_AREA, _ELSEWHERE, _DAMAGED = 8.0, 9.0, 4.0, 6.0, 6.0
#: A district that one row alone has is a slip where so few have one of their own.
_MOST_UNSEEN = 0.01
_WIDTH = 18

# Where two numbers differ, by digits (see _differing).
NOWHERE, SUBSTITUTED, EXCHANGED, LENGTH, MUCH = range(5)


@dataclass(frozen=True, repr=False)
class NumberColumn:
    """A number's column: ``whole`` as given, damaged ones too; ``sound`` without those."""

    kind: Kind
    whole: FieldColumn
    sound: FieldColumn

    @classmethod
    def of(cls, kind: Kind, values: pa.StringArray) -> NumberColumn:
        """The column of normal forms."""
        return cls(kind, FieldColumn(similar_values(values)), FieldColumn(sound_values(values)))

    def compared(self, a: Rows, b: Rows) -> Compared:
        """``same``: equal and sound. ``other``: more than a slip apart, damaged or not."""
        same, _ = self.sound.same(a, b)
        _, given = self.whole.same(a, b)
        slip = self._slips(a, b)
        n = max(len(self.whole), SMALL)
        holders = self.sound.holders(a)
        equal = np.log(_EQUAL * n / (2 * _MISTAKEN)) - 2 * np.log(np.maximum(holders - 1, 1))
        other = given & ~same & (slip == 0)
        nats = np.select([same, given & ~other, other], [equal, slip, np.log(_OTHERS)], 0.0)
        return Compared(nats, same, other)

    def _slips(self, a: Rows, b: Rows) -> NDArray[np.float64]:
        """Nats of the pairs whose numbers are one slip of a digit apart, 0 for all others."""
        ours, our_sizes = self.whole.letters(a, _WIDTH)
        theirs, their_sizes = self.whole.letters(b, _WIDTH)
        how, first = _differing(ours, our_sizes, theirs, their_sizes)
        damaged = (self.sound.hashed[a] == 0) | (self.sound.hashed[b] == 0)
        slipped = (how == SUBSTITUTED) | (how == EXCHANGED)
        last = first + (how == EXCHANGED)
        believed = self._believed(a, b, ours, theirs, first, last, our_sizes)
        near = damaged & (how != MUCH) & (our_sizes > 0) & (their_sizes > 0)
        return np.select([near, slipped & ~damaged], [np.full(len(a), _DAMAGED), believed], 0.0)

    def _believed(
        self, a: Rows, b: Rows, ours: Bytes, theirs: Bytes, first: Rows, last: Rows, sizes: Rows
    ) -> NDArray[np.float64]:
        """Nats of a slip from digit ``first`` to ``last``; 0 where two people's may differ so."""
        if self.kind is Kind.NIK:
            # A woman's day is 40 more.
            apart = np.abs(ours[:, 6].astype(np.int64) - theirs[:, 6])
            of_sex = (first == 6) & (last == 6) & (apart == 4)
            dated = (first >= 6) & (last <= 11) & ~of_sex
            serial = (first >= 12) & (last <= 13)
            area = (last <= 5) & self._odd_area(a, b)
            return np.select([dated, serial, area], [_IN_DATE, _IN_SERIAL, _IN_AREA], 0.0)
        if self.kind is Kind.NIP:
            return np.where(last <= 7, _IN_DATE, 0.0)
        kept = 3 if self.kind in {Kind.JKN_CARD, Kind.NPWP, Kind.NIB} else 2
        return np.where(last < sizes - kept, _ELSEWHERE, 0.0)

    def _odd_area(self, a: Rows, b: Rows) -> Bools:
        """Whether one of the two districts stands in no other row, and hardly any does so."""
        areas = FieldColumn(derive(Kind.NIK, "area", self.sound.values))
        alone: Bools = np.minimum(areas.holders(a), areas.holders(b)) == 1
        return alone & (areas.unseen <= _MOST_UNSEEN)


@kernel
def _differing(ours: Bytes, sizes: Rows, theirs: Bytes, their_sizes: Rows) -> tuple[Bytes, Rows]:
    """How two numbers differ, and from which digit on."""
    k = sizes.size
    how, first = np.full(k, MUCH, np.uint8), np.zeros(k, np.int64)
    for pair in range(k):
        one, two = ours[pair], theirs[pair]
        size, other = sizes[pair], their_sizes[pair]
        at = _agreeing(one, 0, two, 0, min(size, other))
        first[pair] = at
        if size == other:
            if at == size:
                how[pair] = NOWHERE
            elif _agreeing(one, at + 1, two, at + 1, size) == size - at - 1:
                how[pair] = SUBSTITUTED
            elif at + 1 < size and one[at] == two[at + 1] and one[at + 1] == two[at]:
                rest = size - at - 2
                if _agreeing(one, at + 2, two, at + 2, size) == rest:
                    how[pair] = EXCHANGED
        elif size == other + 1:
            how[pair] = LENGTH if _agreeing(one, at + 1, two, at, size) == other - at else MUCH
        elif other == size + 1:
            how[pair] = LENGTH if _agreeing(one, at, two, at + 1, other) == size - at else MUCH
    return how, first


@helper
def _agreeing(one: Bytes, i: int, two: Bytes, j: int, end: int) -> int:
    """How many digits agree from ``i`` and ``j`` on, until one of them is at ``end``."""
    count = 0
    while max(i, j) + count < end and one[i + count] == two[j + count]:
        count += 1
    return count
