"""Points of the curve −x² + y² = 1 + d x² y² in slots, eight at a time.

A point takes four slots, (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z; a *cached* point, what is
added, (Y + X, Y − X, 2 Z, 2 d T). Formulas: Hisil and others 2008, a = −1; complete, so that no
point is a special case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic

from padan_linkage.compiled.jit import helper
from padan_linkage.direct.lanes.constants import CACHED, NEUTRAL, TWICE_D, VALUES
from padan_linkage.direct.lanes.forms import LANES, WORD, Form, Number, Vector
from padan_linkage.direct.lanes.operations import (
    BYTE,
    Digits,
    Slots,
    add,
    binary,
    chosen,
    copy,
    form_of,
    function_of,
    kept_apart,
    load,
    mul,
    numbers,
    slot,
    store,
    sub,
    unary,
)

#: Behind the constants: the point that is worked on, what is added to it, its multiples.
POINT = len(VALUES)
ADDED = POINT + 4
MULTIPLES = ADDED + 4

#: Signed digits of four bits: multiples of a point from 1 to 8, digits of a scalar.
WINDOW_BITS = 4
WINDOW = 8
DIGITS = 64
#: First slot behind the multiples.
BEHIND = MULTIPLES + 4 * WINDOW


@helper
def copy_point(slots: Slots, out: int, point: int) -> None:
    """A point, cached or not, into other slots."""
    for c in range(4):
        copy(slots, out + c, point + c)


@helper
def cache(slots: Slots, out: int, point: int) -> None:
    """``point`` as it can be added, in other slots."""
    add(slots, out, point + 1, point)
    sub(slots, out + 1, point + 1, point)
    add(slots, out + 2, point + 2, point + 2)
    mul(slots, out + 3, point + 3, TWICE_D)


def _twice(form: Form, b: Any, x: Number, y: Number, z: Number) -> list[Number]:
    """E, F, G, H of twice a point."""
    xx, yy, zz = (form.square(b, each) for each in (x, y, z))
    both = form.square(b, form.sum(b, x, y))
    h = form.plus(b, xx, yy)
    g = form.product_minus(b, xx, yy)
    f = form.plus(b, form.plus(b, zz, zz), g)
    return [form.product_minus(b, h, both), f, g, h]


def _summed(form: Form, b: Any, point: list[Number], cached: list[Number]) -> list[Number]:
    """E, F, G, H of the sum of a point and a cached one."""
    (x, y, z, t), (larger, smaller, twice_z, last) = point, cached
    low = form.product(b, form.difference(b, y, x), smaller)
    high = form.product(b, form.sum(b, y, x), larger)
    c, d = form.product(b, t, last), form.product(b, z, twice_z)
    return [
        form.product_minus(b, high, low),
        form.product_minus(b, d, c),
        form.plus(b, d, c),
        form.plus(b, high, low),
    ]


def _completed(form: Form, b: Any, efgh: list[Number], *, with_t: bool) -> list[Vector]:
    """The point of E, F, G, H: E F, G H, F G and, where it is needed, E H."""
    e, f, g, h = (form.carried(b, each) for each in efgh)
    wanted = [(e, f), (g, h), (f, g), (e, h)][: 4 if with_t else 3]
    return [limb for pair in wanted for limb in form.carried(b, form.product(b, *pair))]


def _double(form: Form, b: Any, given: list[Number]) -> list[Vector]:
    return _completed(form, b, _twice(form, b, *numbers(form, given)), with_t=True)


def _double_short(form: Form, b: Any, given: list[Number]) -> list[Vector]:
    return _completed(form, b, _twice(form, b, *numbers(form, given)), with_t=False)


def _plus(form: Form, b: Any, given: list[Number]) -> list[Vector]:
    point, cached = (numbers(form, [each]) for each in given)
    return _completed(form, b, _summed(form, b, point, cached), with_t=True)


#: ``(slots, out, point)``: twice a point; the short one without its T, which only a sum needs.
double = unary("double", ("p", "q"), _double)
double_short = unary("double_short", ("q", "q"), _double_short)
#: ``(slots, out, point, cached)``: the sum of a point and a cached one.
plus = binary("plus", ("p", "pp"), _plus)

Pick = Callable[[Slots, int, int, int, Digits, int], None]


def _make_plus_picked(*, with_t: bool) -> Pick:
    @intrinsic
    def plus_picked(
        _typing: Any, slots: Any, _out: Any, _point: Any, _multiples: Any, digits: Any, _row: Any
    ) -> Any:
        """See ``plus_picked`` below."""

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            form = form_of(sig.args[0])
            function = _picking(form, builder.module, with_t=with_t)
            data = context.make_array(sig.args[4])(context, builder, args[4]).data
            row = builder.gep(data, [builder.mul(args[5], WORD(LANES))])
            places = [
                slot(context, builder, sig.args[0], args[0], number)
                for number in (*args[1:4], WORD(CACHED))
            ]
            builder.call(function, [*places, row])
            return context.get_dummy_value()

        whole = types.int64
        return types.void(slots, whole, whole, whole, digits, whole), generate

    return cast("Pick", plus_picked)


#: ``(slots, out, point, multiples, digits, row)``: the sum of a point and, in each lane, the
#: multiple that its digit says; ``digits`` int8[rows, 8], −8 to 8. All eight multiples are read,
#: whatever the digits. The short one is without its T.
plus_picked = _make_plus_picked(with_t=True)
plus_picked_short = _make_plus_picked(with_t=False)


def _picking(form: Form, module: Any, *, with_t: bool) -> Any:
    """The function behind ``plus_picked``: out, point, multiples, neutral point, digits."""
    word = WORD.as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [word, word, word, word, BYTE.as_pointer()])
    limbs = len(form.widths)

    def write(b: Any, pointers: Any, lane: Any) -> None:
        out, place, multiples, neutral, digits = pointers
        point = [
            [load(b, form, place, lane, i) for i in range(part * limbs, (part + 1) * limbs)]
            for part in range(4)
        ]
        cached = _picked(form, b, multiples, neutral, digits, lane)
        efgh = _summed(form, b, point, cached)
        for i, vector in enumerate(_completed(form, b, efgh, with_t=with_t)):
            store(b, form, vector, out, lane, i)

    return function_of(form, module, "plus_picked" if with_t else "plus_picked_short", kind, write)


def _picked(
    form: Form, b: Any, multiples: Any, neutral: Any, digits: Any, lane: Any
) -> list[Number]:
    """The multiple of each lane's digit, cached; its last number is not carried."""
    short = ir.VectorType(BYTE, form.width)
    place = b.bitcast(b.gep(digits, [lane]), short.as_pointer())
    digit = b.sext(b.load(place, align=1), form.vector)
    sign = b.ashr(digit, form.spread(63))
    size = b.sub(b.xor(digit, sign), sign)
    sizes = [b.icmp_signed("==", size, form.spread(k)) for k in range(WINDOW + 1)]
    at_zero, *at_multiples = kept_apart(b, [b.sext(each, form.vector) for each in sizes])
    rows = range(4 * len(form.widths))
    found = [b.and_(at_zero, load(b, form, neutral, lane, i)) for i in rows]
    for k, mask in enumerate(at_multiples):
        for i in rows:
            entry = load(b, form, multiples, lane, len(rows) * k + i)
            found[i] = b.or_(found[i], b.and_(mask, entry))

    def turned(first: Number, second: Number) -> Number:
        return [chosen(b, sign, i, j) for i, j in zip(first, second, strict=True)]

    larger, smaller, twice_z, last = numbers(form, [found])
    return [
        turned(larger, smaller),
        turned(smaller, larger),
        twice_z,
        turned(last, form.negated(b, last)),
    ]


@helper
def multiply(slots: Slots, digits: Digits, row: int) -> None:
    """The point in POINT times the scalar of each lane: ``digits[row : row + 64]``.

    The same operations in the same order for every point and scalar.
    """
    tabulate(slots, MULTIPLES)
    plus_picked_short(slots, POINT, NEUTRAL, MULTIPLES, digits, row + DIGITS - 1)
    for j in range(DIGITS - 2, 0, -1):
        shift(slots)
        plus_picked_short(slots, POINT, POINT, MULTIPLES, digits, row + j)
    shift(slots)
    plus_picked(slots, POINT, POINT, MULTIPLES, digits, row)


@helper
def shift(slots: Slots) -> None:
    """The point in POINT times 16."""
    for _ in range(WINDOW_BITS - 1):
        double_short(slots, POINT, POINT)
    double(slots, POINT, POINT)


@helper
def tabulate(slots: Slots, multiples: int) -> None:
    """The multiples of the point in POINT, cached, 1 to 8 times it."""
    cache(slots, multiples, POINT)
    copy_point(slots, ADDED, POINT)
    for k in range(1, WINDOW):
        plus(slots, ADDED, ADDED, multiples)
        cache(slots, multiples + 4 * k, ADDED)
