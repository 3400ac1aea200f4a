"""Exact passes: a row is matched where exactly one provider row has its token.

Spec: ``proto/spec/35-matching.md``, "Exact passes".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.jit import helper, kernel
from padan_linkage.matching.result import (
    AMBIGUOUS,
    MATCHED,
    NOT_MATCHED,
    STRONGEST_BAND,
    Estimate,
    PassResult,
    confirmations,
)
from padan_linkage.tables import PassTable

Words = NDArray[np.uint64]

#: What a token look-up gives instead of a row.
NOBODY, SEVERAL = -1, -2
#: Below this estimated precision a hit is not of the strongest band.
STRONG_PRECISION = 0.99


def pair_up(provider: Words, requester: Words) -> tuple[NDArray[np.int64], int]:
    """Rows of unique tokens by plain NumPy; the reference of :class:`TokenIndex`.

    Arguments uint64[rows, 2]; gives int64[requester rows] (row, NOBODY or SEVERAL) and how many
    provider rows share their token with another.
    """
    everything = np.concatenate([provider, requester])
    _, number = np.unique(everything, axis=0, return_inverse=True)
    number = number.reshape(-1)
    mine, theirs = number[len(provider) :], number[: len(provider)]
    counts = np.bincount(theirs, minlength=int(number.max(initial=0)) + 1)
    last = np.full(len(counts), NOBODY, dtype=np.int64)
    last[theirs] = np.arange(len(provider))
    found = np.where(counts[mine] > 1, SEVERAL, last[mine])
    return found, int((counts[theirs] > 1).sum())


def token_words(table: PassTable) -> Words:
    """The token column as uint64[rows, 2], read-only; only tested for equality."""
    keys = np.asarray(table.columns["keys"])
    words: Words = np.require(keys.reshape(-1).view("=u8"), requirements=["C", "A"])
    words = words.reshape(-1, 2)
    words.flags.writeable = False
    return words


@helper
def _slot(tokens: Words, row: int, seed: np.uint64, shift: np.uint64) -> np.int64:
    """Where to start looking for a token: multiply, fold, take the high bits."""
    mixed = (tokens[row, 0] ^ seed) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(32)) ^ tokens[row, 1]) * np.uint64(0xD6E8FEB86659FD93)
    return np.int64(mixed >> shift)


@kernel
def _build(
    tokens: Words,
    seed: np.uint64,
    shift: np.uint64,
    slots: NDArray[np.int64],
    several: NDArray[np.bool_],
) -> int:
    """Fill ``slots`` (row + 1 of the first row of each token) and mark tokens of several rows."""
    shared = 0
    last = len(slots) - 1
    for row in range(len(tokens)):
        at = _slot(tokens, row, seed, shift)
        while slots[at] != 0:
            other = slots[at] - 1
            if tokens[other, 0] == tokens[row, 0] and tokens[other, 1] == tokens[row, 1]:
                shared += 1 if several[other] else 2
                several[other] = True
                break
            at = (at + 1) & last
        if slots[at] == 0:
            slots[at] = row + 1
    return shared


@kernel
def _probe(
    tokens: Words,
    asked: Words,
    seed: np.uint64,
    shift: np.uint64,
    slots: NDArray[np.int64],
    several: NDArray[np.bool_],
    found: NDArray[np.int64],
) -> None:
    """Look the asked tokens up."""
    last = len(slots) - 1
    for i in range(len(asked)):
        found[i] = -1
        at = _slot(asked, i, seed, shift)
        while slots[at] != 0:
            row = slots[at] - 1
            if tokens[row, 0] == asked[i, 0] and tokens[row, 1] == asked[i, 1]:
                found[i] = -2 if several[row] else row
                break
            at = (at + 1) & last


@dataclass(frozen=True, repr=False)
class TokenIndex:
    """A hash table over a provider's tokens. ``seed`` keeps a provider from choosing collisions.

    ``slots``: int64[power of two], row + 1 or 0; ``several``: bool[rows], of the first row of a
    token that others share; ``shared``: provider rows that share their token.
    """

    tokens: Words
    seed: np.uint64
    shift: np.uint64
    slots: NDArray[np.int64]
    several: NDArray[np.bool_]
    shared: int

    @classmethod
    def of(cls, tokens: Words, seed: int) -> TokenIndex:
        """Index uint64[rows, 2]."""
        bits = max(4, (2 * len(tokens)).bit_length())
        slots = np.zeros(1 << bits, dtype=np.int64)
        several = np.zeros(len(tokens), dtype=np.bool_)
        key, shift = np.uint64(seed & (2**64 - 1)), np.uint64(64 - bits)
        shared = int(_build(tokens, key, shift, slots, several))
        return cls(tokens, key, shift, slots, several, shared)

    def find(self, asked: Words) -> NDArray[np.int64]:
        """Row, NOBODY or SEVERAL for each asked token, int64[n]."""
        found = np.empty(len(asked), dtype=np.int64)
        _probe(self.tokens, asked, self.seed, self.shift, self.slots, self.several, found)
        return found


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
    estimate = _estimate(len(provider), found, shared)
    weak = estimate.precision is not None and estimate.precision < STRONG_PRECISION
    band = np.where(found == NOBODY, 0, STRONGEST_BAND - weak).astype(np.uint8)
    return PassResult(
        pass_id=requester.pass_id,
        outcome=outcome,
        band=band,
        row=row,
        confirmations=confirmations(provider, requester, row),
        score=np.where(found == NOBODY, -np.inf, 0.0).astype(np.float32),
        estimate=estimate,
    )


def _estimate(provider_rows: int, found: NDArray[np.int64], shared: int) -> Estimate:
    """A stranger hits a token as often as two provider rows share one."""
    hits, several = int((found >= 0).sum()), int((found == SEVERAL).sum())
    chance = min(0.5, shared / max(1, provider_rows))
    right = max(0.0, (hits - len(found) * chance) / (1 - chance))
    return Estimate(
        precision=min(1.0, right / hits) if hits else None,
        recall=hits / (hits + several) if hits + several else None,
        threshold=0.0,
        method="tokens",
        match_rate=right / len(found) if len(found) else None,
        pairs=len(found),
    )
