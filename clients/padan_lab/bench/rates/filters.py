"""Made-up Bloom filters that look like those of people: fill, similarity and near copies.

A record is three names out of a few hundred, which many share, and q-grams of its own; every q-gram
sets ten bits. At 1024 bits that gives a fill of .47, and for two random records a Dice of .535 in
the median and .64 at the 99.9th percentile: what people's names, dates and places were measured to
give.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_NAMES, _NAMES_A_RECORD, _GRAMS_A_NAME, _OWN_GRAMS = 300, 3, 8, 47
_GRAMS, _BITS_A_GRAM, _BITS = 500, 10, 1024
#: How unevenly names and q-grams are spread (Zipf's exponent).
_NAMES_EXPONENT, _GRAMS_EXPONENT = 1.0, 0.25
#: Share of the second table that copies the first, and the largest share of bits a copy has lost.
_COPIES, _MOST_LOST = 0.02, 0.25


def two_tables(rows: int, columns: int, words: int = 16, seed: int = 1) -> tuple[Words, Words]:
    """Filters uint64[rows, words] and uint64[columns, words] with some near copies."""
    rng = np.random.default_rng(seed)
    grams = _grams(rng, words)
    names = _joined(grams, _drawn(rng, _GRAMS, _GRAMS_EXPONENT, (_NAMES, _GRAMS_A_NAME)))
    left, right = (_records(rng, grams, names, count) for count in (rows, columns))
    copies = min(rows, int(columns * _COPIES))
    places = rng.permutation(columns)[:copies]
    right[places] = _blurred(rng, left[rng.permutation(rows)[:copies]])
    return left, right


def _grams(rng: np.random.Generator, words: int) -> Words:
    """The bits of every q-gram, uint64[grams, words]; more of them in longer filters."""
    bits = 64 * words
    each = max(1, _BITS_A_GRAM * bits // _BITS)
    table = np.zeros((_GRAMS, bits), dtype=np.bool_)
    table[np.arange(_GRAMS)[:, None], rng.integers(0, bits, (_GRAMS, each))] = True
    return _packed(table)


def _records(rng: np.random.Generator, grams: Words, names: Words, rows: int) -> Words:
    """Filters of ``rows`` records."""
    named = _joined(names, _drawn(rng, _NAMES, _NAMES_EXPONENT, (rows, _NAMES_A_RECORD)))
    return named | _joined(grams, _drawn(rng, _GRAMS, _GRAMS_EXPONENT, (rows, _OWN_GRAMS)))


def _drawn(
    rng: np.random.Generator, kinds: int, exponent: float, shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Numbers below ``kinds``, the first ones most often."""
    reached = np.cumsum(np.arange(1, kinds + 1) ** -exponent)
    drawn: NDArray[np.int64] = np.searchsorted(reached, rng.random(shape) * reached[-1])
    return drawn


def _joined(parts: Words, picked: NDArray[np.int64]) -> Words:
    """The union of ``parts`` that each row of ``picked`` names."""
    union = parts[picked[:, 0]].copy()
    for column in picked.T[1:]:
        union |= parts[column]
    return union


def _blurred(rng: np.random.Generator, filters: Words) -> Words:
    """Copies in which a share of the set bits has moved elsewhere."""
    width = 64 * filters.shape[1]
    bits = np.unpackbits(filters.view(np.uint8), axis=1, bitorder="little").astype(np.bool_)
    share = rng.random((len(filters), 1)) * _MOST_LOST
    lost = bits & (rng.random(bits.shape) < share)
    free = np.maximum(1, width - bits.sum(axis=1, keepdims=True))
    gained = ~bits & (rng.random(bits.shape) < lost.sum(axis=1, keepdims=True) / free)
    return _packed((bits & ~lost) | gained)


def _packed(bits: NDArray[np.bool_]) -> Words:
    """Rows of bits as rows of words."""
    return np.packbits(bits, axis=1, bitorder="little").view("<u8").astype(np.uint64)
