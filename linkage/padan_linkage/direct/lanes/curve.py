"""Points of the curve −x² + y² = 1 + d x² y² in slots, eight at a time.

A point takes four slots, (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z; a *cached* point, what is
added, (Y + X, Y − X, 2 Z, 2 d T). Formulas: Hisil and others 2008, a = −1; complete, so that no
point is a special case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numba import types
from numba.core.extending import intrinsic

from padan_linkage.compiled.jit import helper
from padan_linkage.direct.lanes.constants import CACHED, NEUTRAL, TWICE_D, VALUES
from padan_linkage.direct.lanes.forms import LANES, WORD
from padan_linkage.direct.lanes.operations import (
    Digits,
    Slots,
    add,
    binary,
    copy,
    form_of,
    mul,
    slot,
    sub,
    unary,
)
from padan_linkage.direct.lanes.sums import Doubling, PickedSum, Sum

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


#: ``(slots, out, point)``: twice a point; the short one without its T, which only a sum needs.
double, double_short = unary(Doubling("double")), unary(Doubling("double_short", with_t=False))
#: ``(slots, out, point, cached)``: the sum of a point and a cached one.
plus = binary(Sum("plus"))

Pick = Callable[[Slots, int, int, int, Digits, int], None]


def _picking(operation: PickedSum) -> Pick:
    @intrinsic
    def plus_picked(
        _typing: Any, slots: Any, _out: Any, _point: Any, _multiples: Any, digits: Any, _row: Any
    ) -> Any:
        """See ``plus_picked`` below."""

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            data = context.make_array(sig.args[4])(context, builder, args[4]).data
            row = builder.gep(data, [builder.mul(args[5], WORD(LANES))])
            places = [
                slot(context, builder, sig.args[0], args[0], number)
                for number in (*args[1:4], WORD(CACHED))
            ]
            operation.call(form_of(sig.args[0]), builder, [*places, row])
            return context.get_dummy_value()

        whole = types.int64
        return types.void(slots, whole, whole, whole, digits, whole), generate

    return cast("Pick", plus_picked)


#: ``(slots, out, point, multiples, digits, row)``: the sum of a point and, in each lane, the
#: multiple that its digit says; ``digits`` int8[rows, 8], −8 to 8. All eight multiples are read,
#: whatever the digits. The short one is without its T.
plus_picked = _picking(PickedSum("plus_picked", WINDOW))
plus_picked_short = _picking(PickedSum("plus_picked_short", WINDOW, with_t=False))


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
