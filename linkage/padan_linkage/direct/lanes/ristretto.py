"""ristretto255 (RFC 9496) in slots: decoding, encoding and the map, eight elements at a time.

Each of them needs a square root, a chain of 254 squarings that wait for one another. So the work is
cut in three: what leads to the root, the chains of several *windows* of slots side by side, and
what follows. A window has the slots of one group of eight elements.
"""

from __future__ import annotations

from padan_linkage.compiled.jit import helper
from padan_linkage.direct.lanes.constants import (
    D_MINUS_ONE_SQ,
    INVSQRT_A_MINUS_D,
    MINUS_ONE,
    ONE,
    ONE_MINUS_D_SQ,
    SQRT_AD_MINUS_ONE,
    SQRT_M1,
    ZERO,
    D,
)
from padan_linkage.direct.lanes.operations import (
    Slots,
    add,
    choose,
    copy,
    either,
    is_zero,
    mul,
    neg,
    odd,
    sqr,
    sub,
    without,
)

# Slots of a window. The root's: of u / v; what it is raised from and to; where there is one.
U, V, RAISED, ROOT, SQUARE = range(5)
_R, _CHECK, _X, _MASK, _OTHER = range(5, 10)
#: What goes in, and the point.
S = 10
IN_POINT = 11
_T0, _T1, _T2, _T3, _T4, _T5 = range(15, 21)
_CHAIN = 21
WINDOW_SLOTS = 27


@helper
def _sqr_times(slots: Slots, first: int, windows: int, number: int, times: int) -> None:
    """Slot ``number`` of each window squared ``times`` times."""
    for _ in range(times):
        for w in range(windows):
            at = first + w * WINDOW_SLOTS + number
            sqr(slots, at, at)


@helper
def _each_mul(slots: Slots, first: int, windows: int, out: int, x: int, y: int) -> None:
    for w in range(windows):
        base = first + w * WINDOW_SLOTS
        mul(slots, base + out, base + x, base + y)


@helper
def _each_sqr(slots: Slots, first: int, windows: int, out: int, x: int) -> None:
    for w in range(windows):
        base = first + w * WINDOW_SLOTS
        sqr(slots, base + out, base + x)


@helper
def _raise(slots: Slots, first: int, windows: int) -> None:
    """RAISED of each window, to the power (p − 5) / 8 = 2²⁵² − 3."""
    a, t, b5, b10, b50, b = RAISED, _CHAIN, _CHAIN + 1, _CHAIN + 2, _CHAIN + 3, _CHAIN + 4
    _each_sqr(slots, first, windows, t, a)  # 2
    _each_sqr(slots, first, windows, b, t)
    _each_sqr(slots, first, windows, b, b)  # 8
    _each_mul(slots, first, windows, b, b, a)  # 9
    _each_mul(slots, first, windows, t, t, b)  # 11
    _each_sqr(slots, first, windows, t, t)
    _each_mul(slots, first, windows, b5, t, b)  # 2⁵ − 1
    _stretch(slots, first, windows, b10, b5, 5, b5)
    _stretch(slots, first, windows, b, b10, 10, b10)  # 20
    _stretch(slots, first, windows, b, b, 20, b)  # 40
    _stretch(slots, first, windows, b50, b, 10, b10)
    _stretch(slots, first, windows, b, b50, 50, b50)  # 100
    _stretch(slots, first, windows, b, b, 100, b)  # 200
    _stretch(slots, first, windows, b, b, 50, b50)  # 250
    _sqr_times(slots, first, windows, b, 2)
    _each_mul(slots, first, windows, a, b, a)


@helper
def _stretch(slots: Slots, first: int, windows: int, out: int, x: int, times: int, y: int) -> None:
    """``x`` squared ``times`` times, times ``y``."""
    t = _CHAIN
    _each_sqr(slots, first, windows, t, x)
    _sqr_times(slots, first, windows, t, times - 1)
    _each_mul(slots, first, windows, out, t, y)


@helper
def find_roots(slots: Slots, first: int, windows: int) -> None:
    """In each window the even ROOT of U / V, or of i U / V where SQUARE does not hold.

    SQRT_RATIO_M1 of RFC 9496, section 4.2.
    """
    for w in range(windows):
        base = first + w * WINDOW_SLOTS
        sqr(slots, base + _X, base + V)
        mul(slots, base + _X, base + _X, base + V)  # v³
        sqr(slots, base + RAISED, base + _X)
        mul(slots, base + RAISED, base + RAISED, base + V)  # v⁷
        mul(slots, base + RAISED, base + RAISED, base + U)
        mul(slots, base + _R, base + _X, base + U)  # u v³
    _raise(slots, first, windows)
    for w in range(windows):
        base = first + w * WINDOW_SLOTS
        r, check, x, mask = base + _R, base + _CHECK, base + _X, base + _MASK
        mul(slots, r, r, base + RAISED)
        sqr(slots, check, r)
        mul(slots, check, check, base + V)
        sub(slots, x, check, base + U)
        is_zero(slots, base + SQUARE, x)
        add(slots, x, check, base + U)
        is_zero(slots, base + _OTHER, x)  # v r² = −u
        either(slots, base + SQUARE, base + SQUARE, base + _OTHER)
        mul(slots, x, base + U, SQRT_M1)
        add(slots, x, x, check)
        is_zero(slots, mask, x)  # v r² = −i u
        either(slots, mask, mask, base + _OTHER)
        mul(slots, x, r, SQRT_M1)
        choose(slots, r, r, x, mask)
        absolute(slots, base + ROOT, r, x, mask)


@helper
def absolute(slots: Slots, out: int, x: int, free: int, mask: int) -> None:
    """The even one of x and −x; ``free`` and ``mask`` are written over."""
    odd(slots, mask, x)
    neg(slots, free, x)
    choose(slots, out, x, free, mask)


# Decoding (section 4.3.1): S to IN_POINT.


@helper
def before_decoding(slots: Slots, base: int) -> None:
    """What the root is taken of."""
    sqr(slots, base + _T0, base + S)
    sub(slots, base + _T1, ONE, base + _T0)  # u₁
    add(slots, base + _T2, ONE, base + _T0)  # u₂
    sqr(slots, base + _T3, base + _T2)
    sqr(slots, base + _T0, base + _T1)
    mul(slots, base + _T0, base + _T0, D)
    add(slots, base + _T0, base + _T0, base + _T3)
    neg(slots, base + _T0, base + _T0)  # v
    copy(slots, base + U, ONE)
    mul(slots, base + V, base + _T0, base + _T3)


@helper
def after_decoding(slots: Slots, base: int) -> None:
    """The point, and in SQUARE where S is of one; that S is canonical and even is not seen here."""
    x, y, z, t = base + IN_POINT, base + IN_POINT + 1, base + IN_POINT + 2, base + IN_POINT + 3
    mul(slots, x, base + ROOT, base + _T2)  # 1 / denominator of x
    mul(slots, y, base + ROOT, x)
    mul(slots, y, y, base + _T0)
    mul(slots, y, y, base + _T1)
    add(slots, base + _T3, base + S, base + S)
    mul(slots, base + _T3, base + _T3, x)
    absolute(slots, x, base + _T3, base + _T4, base + _MASK)
    copy(slots, z, ONE)
    mul(slots, t, x, y)
    odd(slots, base + _MASK, t)
    is_zero(slots, base + _OTHER, y)
    without(slots, base + SQUARE, base + SQUARE, base + _MASK)
    without(slots, base + SQUARE, base + SQUARE, base + _OTHER)


# Encoding (section 4.3.2): IN_POINT to S.


@helper
def before_encoding(slots: Slots, base: int) -> None:
    """What the root is taken of."""
    x, y, z = base + IN_POINT, base + IN_POINT + 1, base + IN_POINT + 2
    add(slots, base + _T0, z, y)
    sub(slots, base + _T1, z, y)
    mul(slots, base + _T0, base + _T0, base + _T1)  # u₁
    mul(slots, base + _T1, x, y)  # u₂
    copy(slots, base + U, ONE)
    sqr(slots, base + V, base + _T1)
    mul(slots, base + V, base + V, base + _T0)


@helper
def after_encoding(slots: Slots, base: int) -> None:
    """The number that encodes the point."""
    x, y, z, t = base + IN_POINT, base + IN_POINT + 1, base + IN_POINT + 2, base + IN_POINT + 3
    turned, mask, free = base + _OTHER, base + _MASK, base + _T5
    mul(slots, base + _T0, base + _T0, base + ROOT)  # den₁
    mul(slots, base + _T1, base + _T1, base + ROOT)  # den₂
    mul(slots, base + _T2, base + _T0, base + _T1)
    mul(slots, base + _T2, base + _T2, t)  # 1 / z
    mul(slots, free, t, base + _T2)
    odd(slots, turned, free)
    mul(slots, base + _T3, y, SQRT_M1)
    mul(slots, base + _T4, x, SQRT_M1)
    mul(slots, base + _T0, base + _T0, INVSQRT_A_MINUS_D)
    choose(slots, base + _T3, x, base + _T3, turned)
    choose(slots, base + _T4, y, base + _T4, turned)
    choose(slots, base + _T0, base + _T1, base + _T0, turned)
    mul(slots, base + _T3, base + _T3, base + _T2)
    odd(slots, mask, base + _T3)
    neg(slots, free, base + _T4)
    choose(slots, base + _T4, base + _T4, free, mask)
    sub(slots, base + _T4, z, base + _T4)
    mul(slots, base + _T4, base + _T4, base + _T0)
    absolute(slots, base + S, base + _T4, free, mask)


# Encoding twice a point, IN_POINT to S, with one inversion for many: that is (e h, f g, f h, e g),
# e, f, g, h as below, and the root of section 4.3.2 is known by its factors (Hamburg).

_E, _F, _G, _H = _T0, _T1, _T2, _T3
PRODUCT, INVERSE = V, ROOT


@helper
def before_inversion(slots: Slots, base: int) -> None:
    """PRODUCT, what is to be inverted, e g f h: never 0, for SQUARE holds where 1 stands for it."""
    x, y, z, t = base + IN_POINT, base + IN_POINT + 1, base + IN_POINT + 2, base + IN_POINT + 3
    add(slots, base + _E, x, x)
    mul(slots, base + _E, base + _E, y)
    sqr(slots, base + _T4, z)
    sqr(slots, base + _T5, t)
    mul(slots, base + _T5, base + _T5, D)
    add(slots, base + _F, base + _T4, base + _T5)
    sub(slots, base + _H, base + _T4, base + _T5)
    sqr(slots, base + _T4, x)
    sqr(slots, base + _T5, y)
    add(slots, base + _G, base + _T4, base + _T5)
    mul(slots, base + _T4, base + _E, base + _G)
    mul(slots, base + _T5, base + _F, base + _H)
    mul(slots, base + PRODUCT, base + _T4, base + _T5)
    is_zero(slots, base + SQUARE, base + PRODUCT)
    choose(slots, base + PRODUCT, base + PRODUCT, ONE, base + SQUARE)


@helper
def after_inversion(slots: Slots, base: int) -> None:
    """The number that encodes twice the point, from INVERSE."""
    mask, free, turned = base + _MASK, base + _R, base + _OTHER
    z_inverse, t_inverse = base + _X, base + _CHECK
    mul(slots, z_inverse, base + _T4, base + INVERSE)
    mul(slots, t_inverse, base + _T5, base + INVERSE)
    mul(slots, free, base + _T4, z_inverse)
    odd(slots, turned, free)
    neg(slots, free, base + _E)
    choose(slots, base + _E, base + _E, base + _G, turned)
    choose(slots, base + _G, base + _G, free, turned)
    mul(slots, free, base + _F, SQRT_M1)
    choose(slots, base + _H, base + _H, free, turned)
    choose(slots, base + _T4, INVSQRT_A_MINUS_D, SQRT_M1, turned)
    mul(slots, free, base + _H, base + _E)
    mul(slots, free, free, z_inverse)
    odd(slots, mask, free)
    neg(slots, free, base + _G)
    choose(slots, base + _G, base + _G, free, mask)
    sub(slots, base + _H, base + _H, base + _G)
    mul(slots, base + _G, base + _G, t_inverse)
    mul(slots, base + _G, base + _G, base + _T4)
    mul(slots, base + _H, base + _H, base + _G)
    absolute(slots, base + S, base + _H, free, mask)
    choose(slots, base + S, base + S, ZERO, base + SQUARE)


@helper
def invert(slots: Slots, base: int) -> None:
    """INVERSE of PRODUCT: to the power p − 2 = 8 (2²⁵² − 3) + 3."""
    copy(slots, base + RAISED, base + PRODUCT)
    _raise(slots, base, 1)
    _sqr_times(slots, base, 1, RAISED, 3)
    sqr(slots, base + INVERSE, base + PRODUCT)
    mul(slots, base + INVERSE, base + INVERSE, base + PRODUCT)
    mul(slots, base + INVERSE, base + INVERSE, base + RAISED)


# The map (section 4.3.4): S to IN_POINT.


@helper
def before_mapping(slots: Slots, base: int) -> None:
    """What the root is taken of."""
    r, t1, t2 = base + _T0, base + _T1, base + _T2
    sqr(slots, r, base + S)
    mul(slots, r, r, SQRT_M1)
    add(slots, base + U, r, ONE)
    mul(slots, base + U, base + U, ONE_MINUS_D_SQ)
    mul(slots, t1, r, D)
    sub(slots, t1, MINUS_ONE, t1)
    add(slots, t2, r, D)
    mul(slots, base + V, t1, t2)


@helper
def after_mapping(slots: Slots, base: int) -> None:
    """The point."""
    r, c, n, w, free, mask = (
        base + _T0,
        base + _T1,
        base + _T2,
        base + _T3,
        base + _T4,
        base + _MASK,
    )
    mul(slots, w, base + ROOT, base + S)
    absolute(slots, w, w, free, mask)
    neg(slots, w, w)
    choose(slots, base + S, w, base + ROOT, base + SQUARE)
    choose(slots, c, r, MINUS_ONE, base + SQUARE)
    sub(slots, n, r, ONE)
    mul(slots, n, n, c)
    mul(slots, n, n, D_MINUS_ONE_SQ)
    sub(slots, n, n, base + V)
    sqr(slots, w, base + S)
    sub(slots, r, ONE, w)  # w₂
    add(slots, c, ONE, w)  # w₃
    add(slots, w, base + S, base + S)
    mul(slots, w, w, base + V)  # w₀
    mul(slots, n, n, SQRT_AD_MINUS_ONE)  # w₁
    mul(slots, base + IN_POINT, w, c)
    mul(slots, base + IN_POINT + 1, r, n)
    mul(slots, base + IN_POINT + 2, n, c)
    mul(slots, base + IN_POINT + 3, w, r)
