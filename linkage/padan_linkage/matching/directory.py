"""Which rows of a committed table lie in one slot: its bucket, or where its token hashes to.

A directory is what lets a registry answer at once: plain arrays, made once from the table, kept on
disk beside it, mapped when they are needed, and carried over a delta without sorting again. Spec:
``proto/spec/35-matching.md``, "Real time".
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.matching.exact import NOBODY, SEVERAL, Words, token_words
from padan_linkage.matching.sides import FilterSide, filter_words, frozen, presence_mask
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable

#: Changes when the meaning of the arrays does; another format is made anew.
FORMAT = 1
#: Rows a slot, at most and on average, before a directory of tokens gets more slots.
CROWDED = 4

Numbers = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Directory:
    """Rows by slot.

    ``order``: int64[n], the table's rows by slot, ascending inside one; ``start``: int64[slots+1],
    where each slot begins in ``order``; ``mask``: uint64[n], presence by row, or [0] where none is
    sent. In a pass without a filter ``seed`` is that of the tokens' hash and ``shared`` counts the
    rows whose token another row has.
    """

    order: Numbers
    start: Numbers
    mask: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    seed: int = 0
    shared: int = 0

    @classmethod
    def of(cls, p: Pass, table: PassTable, seed: int) -> Directory:
        """Sort ``table``; ``seed``, uint64, is one that its maker cannot foresee."""
        slots = 1 << (p.bucket_bits if p.similar else max(4, len(table).bit_length() - 1))
        order, start = _sorted(_slots(p, table, 0, slots, seed), slots)
        return cls._made(p, table, order, start, seed)

    def updated(self, p: Pass, table: PassTable, kept: Numbers) -> Directory:
        """The directory of ``table``, which is the rows ``kept`` of this one's, then fresh rows.

        ``kept``: int64[k], ascending. Costs a look at every row but sorts the fresh ones alone.
        """
        slots = len(self.start) - 1
        if not p.similar and len(table) > CROWDED * slots:
            return Directory.of(p, table, self.seed)
        rank = np.full(int(max(self.order.max(initial=-1), kept.max(initial=-1))) + 1, -1, np.int64)
        rank[kept] = np.arange(len(kept))
        moved = rank[self.order]
        stays = moved >= 0
        begins = np.concatenate([[0], np.cumsum(stays)])[self.start]
        fresh, starts = _sorted(_slots(p, table, len(kept), slots, self.seed), slots)
        order = np.empty(int(begins[-1] + starts[-1]), np.int64)
        _interleave(moved[stays], begins, fresh + len(kept), starts, order)
        return self._made(p, table, order, begins + starts, self.seed)

    @classmethod
    def _made(
        cls, p: Pass, table: PassTable, order: Numbers, start: Numbers, seed: int
    ) -> Directory:
        if p.similar:
            return cls(order, start, presence_mask(table))
        shared = int(_count_shared(token_words(table), order, start))
        return cls(order, start, seed=seed, shared=shared)

    def side(self, table: PassTable) -> FilterSide:
        """The side of a filter pass, ready to sweep."""
        return FilterSide(
            filters=filter_words(table.columns["filters"]),
            mask=self.mask,
            order=frozen(self.order),
            start=frozen(self.start),
        )

    def find(self, tokens: Words, listed: Words) -> Numbers:
        """Row, NOBODY or SEVERAL for each token of the list, int64[n]."""
        found = np.full(len(listed), NOBODY, np.int64)
        shift = _shift(len(self.start) - 1)
        _find(
            tokens,
            listed,
            np.uint64(self.seed),
            shift,
            frozen(self.order),
            frozen(self.start),
            found,
        )
        return found


def _shift(slots: int) -> np.uint64:
    """How far a 64-bit hash is shifted to give a slot; ``slots`` is a power of two."""
    return np.uint64(64 - (slots.bit_length() - 1))


def _slots(p: Pass, table: PassTable, first: int, slots: int, seed: int) -> NDArray[np.uint32]:
    """The slot of every row from ``first`` on; ``slots`` itself where the bucket is none."""
    if p.similar:
        keys = np.ascontiguousarray(table.columns["keys"][first:]).view("<u2").reshape(-1)
        return np.minimum(keys.astype(np.uint32), np.uint32(slots))
    found = np.empty(len(table) - first, np.uint32)
    _hash_all(token_words(table)[first:], np.uint64(seed), _shift(slots), found)
    return found


def _sorted(slot: NDArray[np.uint32], slots: int) -> tuple[Numbers, Numbers]:
    """Rows by slot and where each slot begins; rows of no slot are left out."""
    start = np.zeros(slots + 1, np.int64)
    start[1:] = np.cumsum(np.bincount(slot, minlength=slots)[:slots])
    order = np.empty(int(start[-1]), np.int64)
    _scatter(slot, start[:-1].copy(), order)
    return order, start


@helper
def _slot_of(tokens: Words, row: int, seed: np.uint64, shift: np.uint64) -> np.uint64:
    """Multiply, fold, take the high bits."""
    mixed = (tokens[row, 0] ^ seed) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(32)) ^ tokens[row, 1]) * np.uint64(0xD6E8FEB86659FD93)
    return np.uint64(mixed >> shift)


@kernel
def _hash_all(tokens: Words, seed: np.uint64, shift: np.uint64, out: NDArray[np.uint32]) -> None:
    """Slots of all tokens."""
    for row in range(len(tokens)):
        out[row] = _slot_of(tokens, row, seed, shift)


@kernel
def _scatter(slot: NDArray[np.uint32], at: Numbers, order: Numbers) -> None:
    """Put every row behind the earlier ones of its slot; ``at`` is used up."""
    for row in range(len(slot)):
        s = slot[row]
        if s < len(at):
            order[at[s]] = row
            at[s] += 1


@kernel
def _interleave(
    kept: Numbers, kept_start: Numbers, fresh: Numbers, fresh_start: Numbers, out: Numbers
) -> None:
    """Slot by slot, the kept rows and then the fresh ones."""
    k = 0
    for s in range(len(kept_start) - 1):
        for i in range(kept_start[s], kept_start[s + 1]):
            out[k] = kept[i]
            k += 1
        for i in range(fresh_start[s], fresh_start[s + 1]):
            out[k] = fresh[i]
            k += 1


@helper
def _same(a: Words, i: int, b: Words, j: int) -> bool:
    return bool(a[i, 0] == b[j, 0] and a[i, 1] == b[j, 1])


@kernel
def _count_shared(tokens: Words, order: Numbers, start: Numbers) -> int:
    """Rows whose token another row has; slots hold a row or two, equal tokens end the search."""
    shared = 0
    for s in range(len(start) - 1):
        for i in range(start[s], start[s + 1]):
            for j in range(start[s], start[s + 1]):
                if i != j and _same(tokens, order[i], tokens, order[j]):
                    shared += 1
                    break
    return shared


@kernel
def _find(
    tokens: Words,
    listed: Words,
    seed: np.uint64,
    shift: np.uint64,
    order: Numbers,
    start: Numbers,
    found: Numbers,
) -> None:
    """Look the list's tokens up; ``found`` holds NOBODY."""
    for i in range(len(listed)):
        slot = _slot_of(listed, i, seed, shift)
        for k in range(start[slot], start[slot + 1]):
            if _same(tokens, order[k], listed, i):
                if found[i] != NOBODY:
                    found[i] = SEVERAL
                    break
                found[i] = order[k]
