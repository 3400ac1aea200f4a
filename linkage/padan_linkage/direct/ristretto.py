"""The group ristretto255 (RFC 9496) in compiled kernels, for many elements at once.

Needed beside the ``voprf`` library because that one draws its blinds itself and gives them to
nobody: a requester whose blinds come from its job's seed goes on after a crash with the very list
that it has been charged for. Scalars are secret here, so a multiplication neither branches on them
nor looks up by them; :func:`combine` is for public numbers alone.

A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z on the curve −x² + y² = 1 + d x² y².
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.direct.field import (
    ONE,
    TWO,
    U64,
    ZERO,
    Fe,
    P,
    absolute,
    add,
    choose,
    load,
    mul,
    neg,
    odd,
    power_sqrt,
    same,
    sqr,
    store,
    sub,
    to_limbs,
)

Point: TypeAlias = "tuple[Fe, Fe, Fe, Fe]"
Bytes = NDArray[np.uint8]

#: Order of the group.
L = 2**252 + 27742317777372353535851937790883648493
#: Signed radix-16 digits of a scalar.
DIGITS = 64


def _root(value: int) -> int:
    """The even square root modulo p."""
    root = pow(value, (P + 3) // 8, P)
    if (root * root - value) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    assert (root * root - value) % P == 0
    return min(root, P - root, key=lambda r: r & 1)


_D_INT = -121665 * pow(121666, -1, P) % P
_D = to_limbs(_D_INT)
_D2 = to_limbs(2 * _D_INT)
_MINUS_ONE = to_limbs(-1)
_SQRT_M1 = to_limbs(_root(P - 1))
_ONE_MINUS_D_SQ = to_limbs(1 - _D_INT**2)
_D_MINUS_ONE_SQ = to_limbs((_D_INT - 1) ** 2)
# RFC 9496 section 4.1 fixes which root: this one is odd.
_SQRT_AD_MINUS_ONE = to_limbs(-_root((-_D_INT - 1) % P))
_INVSQRT_A_MINUS_D = to_limbs(_root(pow(-1 - _D_INT, -1, P)))

_IDENTITY: Point = (ZERO, ONE, ONE, ZERO)
#: Encoding of the group's generator (RFC 9496 section 4.1).
GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")


@kernel
def blind_points(uniform: Bytes, digits: NDArray[np.int8], out: Bytes) -> None:
    """Maps ``uniform`` ``uint8[n, 64]`` to the group and multiplies; writes ``uint8[n, 32]``.

    ``digits`` ``int8[n, 64]``: the scalars, by :func:`scalar_digits`.
    """
    table = np.empty((8, 4, 5), np.uint64)
    for i in range(len(uniform)):
        first, second = _elligator(load(uniform[i, :32])), _elligator(load(uniform[i, 32:]))
        point = _plus(first, _cached(second))
        _encode(_multiply(point, digits[i], table), out[i])


@kernel
def multiply_points(points: Bytes, digits: NDArray[np.int8], out: Bytes) -> int:
    """Multiplies ``uint8[n, 32]`` by scalars; writes ``uint8[n, 32]``.

    Returns -1, or the number of the first element that is no canonical encoding or the identity.
    """
    table = np.empty((8, 4, 5), np.uint64)
    for i in range(len(points)):
        good, point = _decode(points[i])
        if not good or _is_zero(points[i]):
            return i
        _encode(_multiply(point, digits[i], table), out[i])
    return -1


@kernel
def combine(points: Bytes, digits: NDArray[np.int8], out: Bytes) -> int:
    """The sum of ``uint8[n, 32]``, each multiplied by its public scalar; ``out`` ``uint8[32]``.

    Takes time that depends on the scalars. Returns as :func:`multiply_points`; here the identity is
    refused too.
    """
    buckets = np.empty((DIGITS, 8, 4, 5), np.uint64)
    for j in range(DIGITS):
        for b in range(8):
            _keep(buckets[j, b], _IDENTITY)
    for i in range(len(points)):
        good, point = _decode(points[i])
        if not good or _is_zero(points[i]):
            return i
        _sort_in(buckets, digits[i], _cached(point), _cached(_minus(point)))
    _encode(_sum_up(buckets), out)
    return -1


def scalar_digits(scalars: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Signed radix-16 digits ``int8[n, 64]``, −8 to 8, of ``uint8[n, 32]`` scalars below L."""
    nibbles = np.empty((len(scalars), DIGITS), np.int8)
    nibbles[:, 0::2] = scalars & 15
    nibbles[:, 1::2] = scalars >> 4
    carry = np.zeros(len(scalars), np.int8)
    for j in range(DIGITS - 1):
        digit = nibbles[:, j] + carry
        carry = (digit + np.int8(8)) >> np.int8(4)
        nibbles[:, j] = digit - (carry << np.int8(4))
    nibbles[:, DIGITS - 1] += carry
    return nibbles


# Encoding (RFC 9496 section 4.3).


@helper
def _decode(raw: Bytes) -> tuple[bool, Point]:
    s = load(raw)
    again = np.empty(32, np.uint8)
    store(s, again)
    well_formed = (raw[0] & 1) == 0
    for i in range(32):
        well_formed &= raw[i] == again[i]
    ss = sqr(s)
    u1, u2 = sub(ONE, ss), add(ONE, ss)
    u2_sqr = sqr(u2)
    v = sub(neg(mul(_D, sqr(u1))), u2_sqr)
    square, invsqrt = _sqrt_ratio(ONE, mul(v, u2_sqr))
    den_x = mul(invsqrt, u2)
    den_y = mul(mul(invsqrt, den_x), v)
    x = absolute(mul(add(s, s), den_x))
    y = mul(u1, den_y)
    t = mul(x, y)
    good = well_formed and square == U64(1) and odd(t) == U64(0) and same(y, ZERO) == U64(0)
    return good, (x, y, ONE, t)


@helper
def _encode(point: Point, raw: Bytes) -> None:
    x0, y0, z0, t0 = point
    u1 = mul(add(z0, y0), sub(z0, y0))
    u2 = mul(x0, y0)
    _, invsqrt = _sqrt_ratio(ONE, mul(u1, sqr(u2)))
    den1, den2 = mul(invsqrt, u1), mul(invsqrt, u2)
    z_inv = mul(mul(den1, den2), t0)
    rotate = odd(mul(t0, z_inv))
    x = choose(x0, mul(y0, _SQRT_M1), rotate)
    y = choose(y0, mul(x0, _SQRT_M1), rotate)
    den_inv = choose(den2, mul(den1, _INVSQRT_A_MINUS_D), rotate)
    y = choose(y, neg(y), odd(mul(x, z_inv)))
    store(absolute(mul(den_inv, sub(z0, y))), raw)


@helper
def _is_zero(raw: Bytes) -> bool:
    joined = np.uint8(0)
    for i in range(32):
        joined |= raw[i]
    return bool(joined == 0)


@helper
def _sqrt_ratio(u: Fe, v: Fe) -> tuple[U64, Fe]:
    """(1, √(u/v)) or (0, √(i u/v)), the even root (RFC 9496 section 4.2)."""
    v3 = mul(sqr(v), v)
    r = mul(mul(u, v3), power_sqrt(mul(mul(u, sqr(v3)), v)))
    check = mul(v, sqr(r))
    minus = neg(u)
    correct, flipped = same(check, u), same(check, minus)
    flipped_i = same(check, mul(minus, _SQRT_M1))
    r = choose(r, mul(r, _SQRT_M1), flipped | flipped_i)
    return correct | flipped, absolute(r)


@helper
def _elligator(t: Fe) -> Point:
    """RFC 9496 section 4.3.4, MAP."""
    r = mul(_SQRT_M1, sqr(t))
    u = mul(add(r, ONE), _ONE_MINUS_D_SQ)
    v = mul(sub(_MINUS_ONE, mul(r, _D)), add(r, _D))
    square, s = _sqrt_ratio(u, v)
    s = choose(neg(absolute(mul(s, t))), s, square)
    c = choose(r, _MINUS_ONE, square)
    n = sub(mul(mul(c, sub(r, ONE)), _D_MINUS_ONE_SQ), v)
    ss = sqr(s)
    w0 = mul(mul(TWO, s), v)
    w1 = mul(n, _SQRT_AD_MINUS_ONE)
    w2, w3 = sub(ONE, ss), add(ONE, ss)
    return mul(w0, w3), mul(w2, w1), mul(w1, w3), mul(w0, w2)


# Arithmetic (Hisil and others 2008, a = −1). A cached point is (Y + X, Y − X, 2 Z, 2 d T).


@helper
def _cached(p: Point) -> Point:
    return add(p[1], p[0]), sub(p[1], p[0]), add(p[2], p[2]), mul(p[3], _D2)


@helper
def _plus(p: Point, q: Point) -> Point:
    """``p`` and the cached ``q``."""
    a = mul(sub(p[1], p[0]), q[1])
    b = mul(add(p[1], p[0]), q[0])
    c = mul(p[3], q[3])
    d = mul(p[2], q[2])
    e, f, g, h = sub(b, a), sub(d, c), add(d, c), add(b, a)
    return mul(e, f), mul(g, h), mul(f, g), mul(e, h)


@helper
def _double(p: Point) -> Point:
    a, b = sqr(p[0]), sqr(p[1])
    c = sqr(p[2])
    h = add(a, b)
    e = sub(h, sqr(add(p[0], p[1])))
    g = sub(a, b)
    f = add(add(c, c), g)
    return mul(e, f), mul(g, h), mul(f, g), mul(e, h)


@helper
def _minus(p: Point) -> Point:
    return neg(p[0]), p[1], p[2], neg(p[3])


@helper
def _multiply(p: Point, digits: NDArray[np.int8], table: NDArray[np.uint64]) -> Point:
    """``p`` times the scalar of ``digits``; reads the whole table at every digit."""
    step = _cached(p)
    multiple = p
    for k in range(8):
        _keep(table[k], _cached(multiple))
        multiple = _plus(multiple, step)
    result = _IDENTITY
    for j in range(DIGITS - 1, -1, -1):
        for _ in range(4):
            result = _double(result)
        result = _plus(result, _select(table, digits[j]))
    return result


@helper
def _select(table: NDArray[np.uint64], digit: int) -> Point:
    """``digit`` times the table's point, cached; no branch, no address depends on the digit."""
    wide = np.int64(digit)
    sign = U64(wide >> 63) & U64(1)
    size = U64((wide ^ (wide >> 63)) - (wide >> 63))
    chosen = (ONE, ONE, TWO, ZERO)
    for k in range(8):
        differs = size ^ U64(k + 1)
        equal = U64(1) ^ ((differs | (U64(0) - differs)) >> U64(63))
        entry = _kept(table[k])
        chosen = (
            choose(chosen[0], entry[0], equal),
            choose(chosen[1], entry[1], equal),
            choose(chosen[2], entry[2], equal),
            choose(chosen[3], entry[3], equal),
        )
    return (
        choose(chosen[0], chosen[1], sign),
        choose(chosen[1], chosen[0], sign),
        chosen[2],
        choose(chosen[3], neg(chosen[3]), sign),
    )


@helper
def _sort_in(
    buckets: NDArray[np.uint64], digits: NDArray[np.int8], forward: Point, backward: Point
) -> None:
    """Adds a point to the bucket of each of its scalar's digits."""
    for j in range(DIGITS):
        digit = digits[j]
        if digit > 0:
            bucket = buckets[j, digit - 1]
            _keep(bucket, _plus(_kept(bucket), forward))
        elif digit < 0:
            bucket = buckets[j, -digit - 1]
            _keep(bucket, _plus(_kept(bucket), backward))


@helper
def _sum_up(buckets: NDArray[np.uint64]) -> Point:
    """Σ 16ʲ · (b + 1) · bucket[j, b]."""
    total = _IDENTITY
    for j in range(DIGITS - 1, -1, -1):
        for _ in range(4):
            total = _double(total)
        running = _IDENTITY
        for b in range(7, -1, -1):
            running = _plus(running, _cached(_kept(buckets[j, b])))
            total = _plus(total, _cached(running))
    return total


@helper
def _keep(place: NDArray[np.uint64], p: Point) -> None:
    for c in range(5):
        place[0, c], place[1, c] = p[0][c], p[1][c]
        place[2, c], place[3, c] = p[2][c], p[3][c]


@helper
def _kept(place: NDArray[np.uint64]) -> Point:
    return (
        (place[0, 0], place[0, 1], place[0, 2], place[0, 3], place[0, 4]),
        (place[1, 0], place[1, 1], place[1, 2], place[1, 3], place[1, 4]),
        (place[2, 0], place[2, 1], place[2, 2], place[2, 3], place[2, 4]),
        (place[3, 0], place[3, 1], place[3, 2], place[3, 3], place[3, 4]),
    )
