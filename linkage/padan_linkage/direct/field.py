"""Numbers modulo p = 2²⁵⁵ − 19 for compiled kernels: five limbs of 51 bits each.

A number is a tuple of five uint64. What :func:`mul`, :func:`sqr` and :func:`sub` return has limbs
under 2⁵² (weakly reduced); :func:`add` only adds, and its result may go into a product but not into
a second sum of sums. Products are 64 × 64 → 128 bits, which Numba has no type for, so
:func:`mul` is written for LLVM directly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper

U64 = np.uint64
Fe: TypeAlias = "tuple[U64, U64, U64, U64, U64]"

P = 2**255 - 19
_BITS = 51
_MASK = (1 << _BITS) - 1
_FE = types.UniTuple(types.uint64, 5)  # type: ignore[no-untyped-call]


def to_limbs(value: int) -> Fe:
    """A Python number as a field element."""
    value %= P
    a, b, c, d, e = (U64(value >> (_BITS * i) & _MASK) for i in range(5))
    return a, b, c, d, e


ZERO, ONE, TWO = to_limbs(0), to_limbs(1), to_limbs(2)
_MASK51 = U64(_MASK)
_SHIFT51 = U64(_BITS)
_NINETEEN = U64(19)
#: 16 p limb by limb: keeps differences positive.
_P16_0 = U64(16 * ((1 << 51) - 19))
_P16_N = U64(16 * _MASK)


def _wide(builder: Any, value: Any) -> Any:
    return builder.zext(value, ir.IntType(128))


@intrinsic
def _product(typing_context: Any, a: Any, b: Any) -> Any:  # noqa: ARG001 - Numba's signature
    """``a · b mod p``, weakly reduced; limbs of both under 2⁵⁴."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        u128, u64 = ir.IntType(128), ir.IntType(64)
        x = [builder.extract_value(arguments[0], i) for i in range(5)]
        y = [builder.extract_value(arguments[1], i) for i in range(5)]
        y19 = [builder.mul(limb, u64(19)) for limb in y]
        sums = []
        for k in range(5):
            total = u128(0)
            for i in range(5):
                other = y[k - i] if i <= k else y19[k - i + 5]
                term = builder.mul(_wide(builder, x[i]), _wide(builder, other))
                total = builder.add(total, term)
            sums.append(total)
        return _carried(builder, sums)

    return _FE(_FE, _FE), generate


_PRODUCT = cast("Callable[[Fe, Fe], Fe]", _product)


def _carried(builder: Any, sums: list[Any]) -> Any:
    """Five 128-bit sums as a weakly reduced element."""
    u128, u64 = ir.IntType(128), ir.IntType(64)
    low = []
    carry = u128(0)
    for total in sums:
        whole = builder.add(total, carry)
        low.append(builder.and_(builder.trunc(whole, u64), u64(_MASK)))
        carry = builder.lshr(whole, u128(_BITS))
    first = builder.add(low[0], builder.mul(builder.trunc(carry, u64), u64(19)))
    low[0] = builder.and_(first, u64(_MASK))
    low[1] = builder.add(low[1], builder.lshr(first, u64(_BITS)))
    return cgutils.pack_array(builder, low)  # type: ignore[no-untyped-call]


@helper
def add(a: Fe, b: Fe) -> Fe:
    """``a + b``, not reduced."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]


@helper
def sub(a: Fe, b: Fe) -> Fe:
    """``a − b``; limbs of ``b`` under 2⁵⁴."""
    return reduce(
        (
            a[0] + (_P16_0 - b[0]),
            a[1] + (_P16_N - b[1]),
            a[2] + (_P16_N - b[2]),
            a[3] + (_P16_N - b[3]),
            a[4] + (_P16_N - b[4]),
        )
    )


@helper
def reduce(a: Fe) -> Fe:
    """The same number with limbs under 2⁵²."""
    return (
        (a[0] & _MASK51) + (a[4] >> _SHIFT51) * _NINETEEN,
        (a[1] & _MASK51) + (a[0] >> _SHIFT51),
        (a[2] & _MASK51) + (a[1] >> _SHIFT51),
        (a[3] & _MASK51) + (a[2] >> _SHIFT51),
        (a[4] & _MASK51) + (a[3] >> _SHIFT51),
    )


@helper
def neg(a: Fe) -> Fe:
    """``−a``."""
    return sub(ZERO, a)


@helper
def mul(a: Fe, b: Fe) -> Fe:
    """``a · b``."""
    return _PRODUCT(a, b)


@helper
def sqr(a: Fe) -> Fe:
    """``a²``."""
    return _PRODUCT(a, a)


@helper
def sqr_times(a: Fe, times: int) -> Fe:
    """``a`` squared ``times`` times."""
    for _ in range(times):
        a = sqr(a)
    return a


@helper
def power_sqrt(a: Fe) -> Fe:
    """``a`` to the power (p − 5) / 8 = 2²⁵² − 3."""
    a2 = sqr(a)
    a9 = mul(sqr_times(a2, 2), a)
    a11 = mul(a9, a2)
    b5 = mul(sqr(a11), a9)  # 2⁵ − 1
    b10 = mul(sqr_times(b5, 5), b5)
    b20 = mul(sqr_times(b10, 10), b10)
    b40 = mul(sqr_times(b20, 20), b20)
    b50 = mul(sqr_times(b40, 10), b10)
    b100 = mul(sqr_times(b50, 50), b50)
    b200 = mul(sqr_times(b100, 100), b100)
    b250 = mul(sqr_times(b200, 50), b50)
    return mul(sqr_times(b250, 2), a)


@helper
def choose(first: Fe, second: Fe, take_second: U64) -> Fe:
    """``second`` where ``take_second`` is 1, ``first`` where it is 0, without a branch."""
    mask = U64(0) - take_second
    return (
        first[0] ^ (mask & (first[0] ^ second[0])),
        first[1] ^ (mask & (first[1] ^ second[1])),
        first[2] ^ (mask & (first[2] ^ second[2])),
        first[3] ^ (mask & (first[3] ^ second[3])),
        first[4] ^ (mask & (first[4] ^ second[4])),
    )


@helper
def canonical(a: Fe) -> Fe:
    """The same number below p, limbs under 2⁵¹."""
    a = reduce(reduce(a))
    # One more than p at most: the carry out of a + 19 says whether p is to be taken off.
    q = (a[0] + _NINETEEN) >> _SHIFT51
    q = (a[1] + q) >> _SHIFT51
    q = (a[2] + q) >> _SHIFT51
    q = (a[3] + q) >> _SHIFT51
    q = (a[4] + q) >> _SHIFT51
    b0 = a[0] + _NINETEEN * q
    b1 = a[1] + (b0 >> _SHIFT51)
    b2 = a[2] + (b1 >> _SHIFT51)
    b3 = a[3] + (b2 >> _SHIFT51)
    b4 = a[4] + (b3 >> _SHIFT51)
    return b0 & _MASK51, b1 & _MASK51, b2 & _MASK51, b3 & _MASK51, b4 & _MASK51


@helper
def odd(a: Fe) -> U64:
    """1 where the canonical number is odd ("negative", RFC 9496 section 3.1), else 0."""
    return canonical(a)[0] & U64(1)


@helper
def same(a: Fe, b: Fe) -> U64:
    """1 where the numbers are equal, else 0."""
    c = canonical(sub(a, b))
    joined = c[0] | c[1] | c[2] | c[3] | c[4]
    return U64(1) ^ ((joined | (U64(0) - joined)) >> U64(63))


@helper
def absolute(a: Fe) -> Fe:
    """The one of ``a`` and ``−a`` that is even."""
    return choose(a, neg(a), odd(a))


@helper
def load(raw: NDArray[np.uint8]) -> Fe:
    """Little-endian ``uint8[32]``, the top bit left out."""
    w0, w1, w2, w3 = _word(raw, 0), _word(raw, 8), _word(raw, 16), _word(raw, 24)
    return (
        w0 & _MASK51,
        ((w0 >> U64(51)) | (w1 << U64(13))) & _MASK51,
        ((w1 >> U64(38)) | (w2 << U64(26))) & _MASK51,
        ((w2 >> U64(25)) | (w3 << U64(39))) & _MASK51,
        (w3 >> U64(12)) & _MASK51,
    )


@helper
def store(a: Fe, raw: NDArray[np.uint8]) -> None:
    """The canonical number, little-endian, into ``uint8[32]``."""
    c = canonical(a)
    _put(raw, 0, c[0] | (c[1] << U64(51)))
    _put(raw, 8, (c[1] >> U64(13)) | (c[2] << U64(38)))
    _put(raw, 16, (c[2] >> U64(26)) | (c[3] << U64(25)))
    _put(raw, 24, (c[3] >> U64(39)) | (c[4] << U64(12)))


@helper
def _word(raw: NDArray[np.uint8], at: int) -> U64:
    word = U64(0)
    for i in range(8):
        word |= U64(raw[at + i]) << U64(8 * i)
    return word


@helper
def _put(raw: NDArray[np.uint8], at: int, word: U64) -> None:
    for i in range(8):
        raw[at + i] = np.uint8((word >> U64(8 * i)) & U64(255))
