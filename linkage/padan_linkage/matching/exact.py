"""Exact passes: a row is matched where exactly one provider row has its token.

Spec: ``proto/spec/35-matching.md``, "Exact passes".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED
from padan_linkage.compiled.jit import inlined, lean_kernel
from padan_linkage.compiled.lanes import prefetch
from padan_linkage.matching.result import PassResult, Scoring, confirmations
from padan_linkage.tables import PassTable

Words = NDArray[np.uint64]

#: What a token look-up gives instead of a row.
NOBODY, SEVERAL = -1, -2
#: How many rows ahead memory is asked for slots, and the room for their hashes, a power of two.
AHEAD, RING = 24, 32
_MOST_ROWS = 1 << 32


def token_words(table: PassTable) -> Words:
    """The token column as uint64[rows, 2], read-only; only tested for equality."""
    keys = np.asarray(table.columns["keys"])
    words: Words = np.require(keys.reshape(-1).view("=u8"), requirements=["C", "A"])
    words = words.reshape(-1, 2)
    words.flags.writeable = False
    return words


@inlined
def _hash(tokens: Words, row: int, seed: np.uint64) -> np.uint64:
    """Multiply and fold word by word; high bits choose the slot, low bits are the tag."""
    mixed = seed
    for w in range(tokens.shape[1]):
        mixed = (mixed ^ tokens[row, w]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(32)
    return mixed * np.uint64(0xD6E8FEB86659FD93)


@inlined
def _look_ahead(
    tokens: Words, row: int, seed: np.uint64, shift: np.uint64, slots: Words, ring: Words
) -> None:
    """Hash a row that is soon needed, and have memory send its slot."""
    if row < len(tokens):
        hashed = _hash(tokens, row, seed)
        ring[row & (RING - 1)] = hashed
        prefetch(slots, hashed >> shift)


@inlined
def _seek(
    tokens: Words, listed: Words, row: int, hashed: np.uint64, shift: np.uint64, slots: Words
) -> np.uint64:
    """The slot of ``listed[row]``'s token, or the free slot where it would go.

    A slot is 0, or 32 bits of tag over the number from 1 of the token's first row: only where the
    tag agrees is the token itself, which lies far away, compared.
    """
    last, at, tag = np.uint64(len(slots) - 1), hashed >> shift, hashed << np.uint64(32)
    while slots[at] != 0:
        if (slots[at] ^ tag) >> np.uint64(32) == 0:
            other, equal = _row_of(slots[at]), True
            for w in range(tokens.shape[1]):
                equal &= tokens[other, w] == listed[row, w]
            if equal:
                break
        at = (at + np.uint64(1)) & last
    return at


@inlined
def _row_of(slot: np.uint64) -> np.int64:
    """The row that a slot names, -1 of a free one."""
    return np.int64(slot & np.uint64(0xFFFFFFFF)) - np.int64(1)


@lean_kernel
def _build(
    tokens: Words,
    seed: np.uint64,
    shift: np.uint64,
    slots: Words,
    several: NDArray[np.bool_],
    ring: Words,
) -> int:
    """Fill ``slots`` and mark the first row of every token of several rows; how many share one."""
    shared = 0
    for row in range(-AHEAD, len(tokens)):
        _look_ahead(tokens, row + AHEAD, seed, shift, slots, ring)
        if row < 0:
            continue
        hashed = ring[row & (RING - 1)]
        at = _seek(tokens, tokens, row, hashed, shift, slots)
        if slots[at] == 0:
            slots[at] = (hashed << np.uint64(32)) | np.uint64(row + 1)
        else:
            first = _row_of(slots[at])
            shared += 1 if several[first] else 2
            several[first] = True
    return shared


@lean_kernel
def _probe(
    tokens: Words,
    listed: Words,
    seed: np.uint64,
    shift: np.uint64,
    slots: Words,
    several: NDArray[np.bool_],
    ring: Words,
    found: NDArray[np.int64],
) -> None:
    """Look the list's tokens up."""
    for row in range(-AHEAD, len(listed)):
        _look_ahead(listed, row + AHEAD, seed, shift, slots, ring)
        if row < 0:
            continue
        at = _seek(tokens, listed, row, ring[row & (RING - 1)], shift, slots)
        first = _row_of(slots[at])  # of a free slot -1, which is NOBODY
        found[row] = SEVERAL if first >= 0 and several[first] else first


@dataclass(frozen=True, repr=False)
class TokenIndex:
    """A hash table over a provider's tokens. ``seed`` keeps a provider from choosing collisions.

    ``slots``: uint64[power of two], see :func:`_seek`; ``several``: bool[rows], of the first row of
    a token that others share; ``shared``: provider rows that share their token.
    """

    tokens: Words
    seed: np.uint64
    shift: np.uint64
    slots: Words
    several: NDArray[np.bool_]
    shared: int

    @classmethod
    def of(cls, tokens: Words, seed: int) -> TokenIndex:
        """Index uint64[rows, words]. Raises ValueError for 2³² rows or more."""
        if len(tokens) >= _MOST_ROWS:
            raise ValueError("more rows than a token index can number")
        bits = max(4, (3 * len(tokens) // 2).bit_length())  # two thirds full at most
        slots = np.zeros(1 << bits, dtype=np.uint64)
        several = np.zeros(len(tokens), dtype=np.bool_)
        key, shift = np.uint64(seed & (2**64 - 1)), np.uint64(64 - bits)
        shared = int(_build(_readable(tokens), key, shift, slots, several, _ring()))
        return cls(tokens, key, shift, slots, several, shared)

    def find(self, listed: Words) -> NDArray[np.int64]:
        """Row, NOBODY or SEVERAL for each token of the list, int64[n]."""
        found = np.empty(len(listed), dtype=np.int64)
        mine, theirs = _readable(self.tokens), _readable(listed)
        _probe(mine, theirs, self.seed, self.shift, self.slots, self.several, _ring(), found)
        return found


def _readable(words: Words) -> Words:
    """A read-only view: the kernels are compiled for read-only input, which memory maps are."""
    view = words.view()
    view.flags.writeable = False
    return view


def _ring() -> Words:
    """Room for the hashes of the rows ahead."""
    return np.zeros(RING, dtype=np.uint64)


def seed_of(words: Words) -> int:
    """A seed that whoever made the other side's tokens cannot foresee: the sum of these."""
    return int(words.sum(dtype=np.uint64)) if len(words) else 0


def answer_exact(
    provider: PassTable, requester: PassTable, found: NDArray[np.int64], shared: int
) -> PassResult:
    """Outcomes from look-ups; ``shared`` is the number of provider rows that share a token."""
    outcome = np.full(len(found), NOT_MATCHED, dtype=np.uint8)
    outcome[found >= 0] = MATCHED
    outcome[found == SEVERAL] = AMBIGUOUS
    row = np.where(found >= 0, found, -1)
    scoring = _scoring(len(provider), found, shared)
    return PassResult(
        pass_id=requester.pass_id,
        outcome=outcome,
        row=row,
        confirmations=confirmations(provider, requester, row),
        score=np.where(found == NOBODY, -np.inf, 0.0).astype(np.float32),
        scoring=scoring,
        provider_rows=len(provider),
        # Spec 32, "Meetings", step 3.
        met=np.zeros((len(found), 0), np.int64),
    )


def _scoring(provider_rows: int, found: NDArray[np.int64], shared: int) -> Scoring:
    """A stranger hits a token as often as two provider rows share one."""
    hits, several = int((found >= 0).sum()), int((found == SEVERAL).sum())
    chance = min(0.5, shared / max(1, provider_rows))
    right = max(0.0, (hits - len(found) * chance) / (1 - chance))
    return Scoring(
        threshold=0.0,
        method="tokens",
        pairs=len(found),
        precision=min(1.0, right / hits) if hits else None,
        recall=hits / (hits + several) if hits + several else None,
        match_rate=right / len(found) if len(found) else None,
    )
