"""Numbers modulo ℓ, the order of ristretto255, many at a time and without Python's integers.

A scalar is 32 bytes, little-endian and below ℓ; arrays of them are ``uint8[n, 32]``. Inside, a
number is four words of 64 bits, and products are Montgomery's (1985) with R = 2²⁵⁶: a sequence of
operations that is the same for all numbers. No branch and no address depends on one; how many there
are is public. The tests read that off the compiled code (``tests/support/constant_time.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, inlined, kernel
from padan_linkage.direct.lanes.constants import L

U64 = np.uint64
Number: TypeAlias = "tuple[U64, U64, U64, U64]"
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

SCALAR_BYTES = 32
#: What is reduced to a scalar, so that the bias is under 2⁻²⁵⁹ (RFC 9497 section 4.7.2).
WIDE_BYTES = 64

_BITS = 64
_R = 1 << 256


def _to_words(value: int) -> Number:
    a, b, c, d = (U64(value >> (_BITS * i) & (2**_BITS - 1)) for i in range(4))
    return a, b, c, d


_ORDER = _to_words(L)
#: 2²⁵⁶ − ℓ: adding it carries just where a number is ℓ or more.
_MINUS_ORDER = _to_words(_R - L)
#: −ℓ⁻¹ modulo 2⁶⁴.
_INVERSE = U64(-pow(L, -1, 1 << _BITS) % (1 << _BITS))
_ONE = _to_words(1)
_ZERO = _to_words(0)
_R1, _R2 = _to_words(_R % L), _to_words(_R * _R % L)
#: The bits of ℓ − 2, highest first.
_EXPONENT = np.array([bit == "1" for bit in f"{L - 2:b}"], np.bool_)


# For callers: arrays of bytes in, arrays of bytes out.


def reduce_wide(wide: Bytes) -> Bytes:
    """``uint8[n, 64]``, little-endian numbers of 512 bits, modulo ℓ: ``uint8[n, 32]``."""
    numbers = _words(wide, WIDE_BYTES)
    return _made(len(numbers), lambda out: _reduce_all(numbers, out))


def random_scalars(randomness: bytes) -> Bytes:
    """A scalar from 1 to ℓ − 1 for each 64 secret random bytes: ``uint8[n, 32]``.

    RFC 9497 section 4.7.2; the 0 that comes of one in 2²⁵² becomes 1. Raises ValueError for another
    length.
    """
    if len(randomness) % WIDE_BYTES:
        raise ValueError(f"a scalar takes {WIDE_BYTES} random bytes")
    reduced = reduce_wide(np.frombuffer(randomness, np.uint8).reshape(-1, WIDE_BYTES))
    return _made(len(reduced), lambda out: _replace_zeros(_words(reduced), out))


def multiply(a: Bytes, b: Bytes) -> Bytes:
    """Products, pair by pair, ``uint8[n, 32]`` each; any numbers of 256 bits."""
    left, right = _pairs(a, b)
    return _made(len(left), lambda out: _multiply_all(left, right, out))


def add(a: Bytes, b: Bytes) -> Bytes:
    """Sums of scalars, pair by pair, ``uint8[n, 32]`` each."""
    left, right = _pairs(a, b)
    return _made(len(left), lambda out: _add_all(left, right, out))


def subtract(a: Bytes, b: Bytes) -> Bytes:
    """Differences of scalars, pair by pair, ``uint8[n, 32]`` each."""
    left, right = _pairs(a, b)
    return _made(len(left), lambda out: _subtract_all(left, right, out))


def invert(scalars: Bytes) -> Bytes:
    """Inverses ``uint8[n, 32]`` of any numbers of 256 bits; 0 of a multiple of ℓ.

    All by one power of ℓ − 2 (Montgomery's trick).
    """
    numbers = _words(scalars)
    return _made(len(numbers), lambda out: _invert_all(numbers, out))


def are_reduced(scalars: Bytes) -> NDArray[np.bool_]:
    """Which of ``uint8[n, 32]`` are below ℓ, ``bool[n]``."""
    numbers = _words(scalars)
    below = np.empty(len(numbers), np.uint64)
    _compare_all(numbers, below)
    return below.astype(np.bool_)


def are_zero(scalars: Bytes) -> NDArray[np.bool_]:
    """Which of ``uint8[n, 32]`` are 0, ``bool[n]``; no time depends on it."""
    none: NDArray[np.bool_] = np.bitwise_or.reduce(_words(scalars), axis=1) == 0
    return none


def rows(raw: bytes) -> Bytes:
    """Packed scalars as ``uint8[n, 32]``."""
    return np.frombuffer(raw, np.uint8).reshape(-1, SCALAR_BYTES)


def packed(values: Sequence[int]) -> Bytes:
    """Public numbers below 2²⁵⁶ as ``uint8[n, 32]``."""
    return rows(b"".join([value.to_bytes(SCALAR_BYTES, "little") for value in values]))


def _words(numbers: Bytes, width: int = SCALAR_BYTES) -> Words:
    if numbers.dtype != np.uint8 or numbers.ndim != 2 or numbers.shape[1] != width:
        raise ValueError(f"scalars are uint8[n, {width}]")
    words = np.ascontiguousarray(numbers).view("<u8")
    words.flags.writeable = False  # of bytes, or an array of ours: one type for the compiler
    return words


def _pairs(a: Bytes, b: Bytes) -> tuple[Words, Words]:
    if len(a) != len(b):
        raise ValueError("scalars come in pairs")
    return _words(a), _words(b)


def _made(count: int, fill: Callable[[Words], None]) -> Bytes:
    out = np.empty((count, SCALAR_BYTES // 8), "<u8")
    fill(out)
    return out.view(np.uint8)


# Kernels: arrays of words.


@kernel
def _reduce_all(wide: Words, out: Words) -> None:
    for i in range(len(wide)):
        low = wide[i, 0], wide[i, 1], wide[i, 2], wide[i, 3]
        high = wide[i, 4], wide[i, 5], wide[i, 6], wide[i, 7]
        _write(out[i], _sum(_times(low, _R1), _times(high, _R2)))


@kernel
def _replace_zeros(a: Words, out: Words) -> None:
    for i in range(len(a)):
        number = _read(a[i])
        _write(out[i], _choose(number, _ONE, _is_zero(number)))


@kernel
def _multiply_all(a: Words, b: Words, out: Words) -> None:
    for i in range(len(a)):
        _write(out[i], _times(_read(b[i]), _times(_read(a[i]), _R2)))


@kernel
def _add_all(a: Words, b: Words, out: Words) -> None:
    for i in range(len(a)):
        _write(out[i], _sum(_read(a[i]), _read(b[i])))


@kernel
def _subtract_all(a: Words, b: Words, out: Words) -> None:
    for i in range(len(a)):
        minus, _ = _plus(_complement(_read(b[i])), _ORDER, U64(1))
        _write(out[i], _sum(_read(a[i]), minus))


@kernel
def _invert_all(a: Words, out: Words) -> None:
    """Forwards, ``out`` holds the product of all before; backwards, the inverse of each."""
    product = _ONE
    for i in range(len(a)):
        _write(out[i], product)
        lifted, _ = _lifted(_read(a[i]))
        product = _times(product, lifted)
    inverse = _power(_times(product, _R2))
    for i in range(len(a) - 1, -1, -1):
        lifted, is_zero = _lifted(_read(a[i]))
        _write(out[i], _choose(_times(_read(out[i]), inverse), _ZERO, is_zero))
        inverse = _times(inverse, lifted)


@kernel
def _compare_all(a: Words, below: Words) -> None:
    for i in range(len(a)):
        _, carry = _plus(_read(a[i]), _MINUS_ORDER, U64(0))
        below[i] = U64(1) - carry


# Arithmetic on four words. What is inlined would else be called by the compiled kernels, and a call
# has a way out for errors: a branch, which the test could not tell from one by the numbers.


@intrinsic
def _product_plus(typing_context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:  # noqa: ARG001 - Numba's signature
    """Low and high word of ``a b + c + d``, which 128 bits always hold."""
    word = types.uint64
    pair = types.UniTuple(word, 2)  # type: ignore[no-untyped-call]

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        u128 = ir.IntType(128)
        w, x, y, z = (builder.zext(each, u128) for each in arguments)
        whole = builder.add(builder.add(builder.mul(w, x), y), z)
        low = builder.trunc(whole, ir.IntType(_BITS))
        high = builder.trunc(builder.lshr(whole, u128(_BITS)), ir.IntType(_BITS))
        return cgutils.pack_array(builder, [low, high])  # type: ignore[no-untyped-call]

    return pair(word, word, word, word), generate


_mac = cast("Callable[[U64, U64, U64, U64], tuple[U64, U64]]", _product_plus)


@inlined
def _times(a: Number, b: Number) -> Number:
    """``a b / R``, below ℓ; ``a`` any four words, ``b`` below ℓ."""
    zero = U64(0)
    t = _step(zero, zero, zero, zero, a[0], b)
    t = _step(t[0], t[1], t[2], t[3], a[1], b)
    t = _step(t[0], t[1], t[2], t[3], a[2], b)
    t = _step(t[0], t[1], t[2], t[3], a[3], b)
    return _less(t)


@helper
def _step(t0: U64, t1: U64, t2: U64, t3: U64, word: U64, b: Number) -> Number:
    """``(t + word b + m ℓ) / 2⁶⁴``, m such that it is whole; stays below 2 ℓ."""
    t0, carry = _mac(word, b[0], t0, U64(0))
    t1, carry = _mac(word, b[1], t1, carry)
    t2, carry = _mac(word, b[2], t2, carry)
    t3, t4 = _mac(word, b[3], t3, carry)
    m = t0 * _INVERSE
    _, carry = _mac(m, _ORDER[0], t0, U64(0))
    t0, carry = _mac(m, _ORDER[1], t1, carry)
    t1, carry = _mac(m, _ORDER[2], t2, carry)
    t2, carry = _mac(m, _ORDER[3], t3, carry)
    return t0, t1, t2, t4 + carry


@helper
def _sum(a: Number, b: Number) -> Number:
    """``a + b`` below ℓ, of numbers below ℓ."""
    total, _ = _plus(a, b, U64(0))
    return _less(total)


@helper
def _less(a: Number) -> Number:
    """``a`` below 2 ℓ less ℓ, if that is not negative."""
    lower, carry = _plus(a, _MINUS_ORDER, U64(0))
    return _choose(a, lower, carry)


@helper
def _plus(a: Number, b: Number, carry: U64) -> tuple[Number, U64]:
    """The sum in four words, and what is carried out of them."""
    one = U64(1)
    s0, carry = _mac(a[0], one, b[0], carry)
    s1, carry = _mac(a[1], one, b[1], carry)
    s2, carry = _mac(a[2], one, b[2], carry)
    s3, carry = _mac(a[3], one, b[3], carry)
    return (s0, s1, s2, s3), carry


@helper
def _complement(a: Number) -> Number:
    return ~a[0], ~a[1], ~a[2], ~a[3]


@helper
def _choose(first: Number, second: Number, take_second: U64) -> Number:
    """``second`` where ``take_second`` is 1, ``first`` where it is 0, without a branch."""
    mask = U64(0) - take_second
    return (
        first[0] ^ (mask & (first[0] ^ second[0])),
        first[1] ^ (mask & (first[1] ^ second[1])),
        first[2] ^ (mask & (first[2] ^ second[2])),
        first[3] ^ (mask & (first[3] ^ second[3])),
    )


@helper
def _is_zero(a: Number) -> U64:
    """1 where the number is 0, else 0."""
    joined = a[0] | a[1] | a[2] | a[3]
    return U64(1) ^ ((joined | (U64(0) - joined)) >> U64(63))


@inlined
def _lifted(a: Number) -> tuple[Number, U64]:
    """``a R``, or R where that is 0, so that a product keeps the others; whether it is."""
    lifted = _times(a, _R2)
    is_zero = _is_zero(lifted)
    return _choose(lifted, _R1, is_zero), is_zero


@inlined
def _power(a: Number) -> Number:
    """``a`` to the power ℓ − 2, which is 1 / a; ``a R`` in, ``R / a`` out. Its bits are public."""
    result = _R1
    for bit in _EXPONENT:
        result = _times(result, result)
        if bit:
            result = _times(result, a)
    return result


@helper
def _read(row: Words) -> Number:
    return row[0], row[1], row[2], row[3]


@helper
def _write(row: Words, a: Number) -> None:
    row[0], row[1], row[2], row[3] = a
