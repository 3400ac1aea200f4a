"""Shares of a secret: points of a line over GF(2^128), at small public places. Spec 60, "Shares".

The field is that of Shamir's scheme in PyCryptodome: polynomials modulo x¹²⁸ + x⁷ + x² + x + 1,
bytes big-endian. Places are public numbers; elements are worked on all alike, with no branch and no
address by any of them.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SHARE_BYTES = 16
_REDUCED = np.uint64(0x87)

Bytes = NDArray[np.uint8]
#: ``uint64[n, 2]``, the higher word first.
Words: TypeAlias = NDArray[np.uint64]


def share(secret: Bytes, slope: Bytes, place: int) -> Bytes:
    """``secret + slope · place`` of each row, ``uint8[n, 16]``; at place 0 the secret itself."""
    return _bytes(_words(secret) ^ _times(_words(slope), place))


def line(one: Bytes, other: Bytes, places: tuple[int, int]) -> tuple[Bytes, Bytes]:
    """Secret and slope of the lines through two points each, ``uint8[n, 16]``.

    Raises ValueError if both points are at one place.
    """
    at_one, at_other = places
    inverse = _inverse(at_one ^ at_other)
    first = _words(one)
    slope = _times(first ^ _words(other), inverse)
    return _bytes(first ^ _times(slope, at_one)), _bytes(slope)


def _words(rows: Bytes) -> Words:
    return np.ascontiguousarray(rows, np.uint8).view(">u8").astype(np.uint64)


def _bytes(words: Words) -> Bytes:
    return words.astype(">u8").view(np.uint8)


def _times(elements: Words, constant: int) -> Words:
    """Products with one public element."""
    total, power = np.zeros_like(elements), elements
    while constant:
        if constant & 1:
            total = total ^ power
        constant >>= 1
        if constant:
            power = _doubled(power)
    return total


def _doubled(elements: Words) -> Words:
    """Times x."""
    high, low = elements[:, 0], elements[:, 1]
    one = np.uint64(1)
    carry, over = low >> np.uint64(63), high >> np.uint64(63)
    return np.stack([(high << one) | carry, (low << one) ^ (over * _REDUCED)], axis=1)


def _inverse(constant: int) -> int:
    """The inverse of a public element, by extended division of polynomials."""
    if not constant:
        raise ValueError("two points at one place make no line")
    modulus = 1 << 128 | int(_REDUCED)
    before, now = (modulus, 0), (constant, 1)
    while now[0] > 1:
        shift = before[0].bit_length() - now[0].bit_length()
        if shift < 0:
            before, now = now, before
            continue
        before = before[0] ^ now[0] << shift, before[1] ^ now[1] << shift
        if before[0].bit_length() < now[0].bit_length():
            before, now = now, before
    return now[1]
