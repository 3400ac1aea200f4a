"""What SHA-256 and SHA-512 have in common, in vector registers (FIPS 180-4).

Words are as wide as the lanes that they stand in; every lane is another message.
"""

from __future__ import annotations

from math import isqrt
from typing import Any, TypeAlias

_Vector: TypeAlias = Any
Turns: TypeAlias = "tuple[int, int, int]"


def square_roots(bits: int) -> list[int]:
    """First ``bits`` bits of the fractional parts of the roots of the first eight primes (5.3)."""
    return [isqrt(p << 2 * bits) & (1 << bits) - 1 for p in _primes(8)]


def cube_roots(bits: int, rounds: int) -> list[int]:
    """The same of the cube roots of the first primes, one a round (4.2)."""
    return [_cube_root(p << 3 * bits) & (1 << bits) - 1 for p in _primes(rounds)]


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % p for p in found):
            found.append(number)
        number += 1
    return found


def _cube_root(number: int) -> int:
    root = 1 << (number.bit_length() // 3 + 1)
    while root**3 > number:
        root = (2 * root + number // root**2) // 3
    return root


def rounded(b: Any, v: list[_Vector], word: _Vector, of_a: Turns, of_e: Turns) -> list[_Vector]:
    """The eight variables after a round (6.2.2, 6.4.2); ``word`` is W + K."""
    a, e = v[0], v[4]
    choice = b.xor(v[6], b.and_(e, b.xor(v[5], v[6])))
    majority = b.or_(b.and_(a, v[1]), b.and_(v[2], b.or_(a, v[1])))
    sum_a, sum_e = (
        _xor(b, *(_turned(b, value, bits) for bits in turns))
        for value, turns in ((a, of_a), (e, of_e))
    )
    first = b.add(b.add(v[7], sum_e), b.add(choice, word))
    return [b.add(first, b.add(sum_a, majority)), a, v[1], v[2], b.add(v[3], first), e, v[5], v[6]]


def next_word(b: Any, words: tuple[_Vector, ...], first: Turns, last: Turns) -> _Vector:
    """A word of the schedule from those 16, 15, 7 and 2 before it; two turns and a shift each."""
    oldest, early, seventh, late = words
    sums = (_mixed(b, early, first), _mixed(b, late, last))
    return b.add(b.add(oldest, sums[0]), b.add(seventh, sums[1]))


def _mixed(b: Any, value: _Vector, bits: Turns) -> _Vector:
    one, other, shift = bits
    return _xor(b, _turned(b, value, one), _turned(b, value, other), _shifted(b, value, shift))


def _xor(b: Any, x: _Vector, y: _Vector, z: _Vector) -> _Vector:
    return b.xor(b.xor(x, y), z)


def _turned(b: Any, value: _Vector, bits: int) -> _Vector:
    """Rotated to the right."""
    kind = value.type
    left = b.shl(value, kind([kind.element.width - bits] * kind.count))
    return b.or_(_shifted(b, value, bits), left)


def _shifted(b: Any, value: _Vector, bits: int) -> _Vector:
    return b.lshr(value, value.type([bits] * value.type.count))
