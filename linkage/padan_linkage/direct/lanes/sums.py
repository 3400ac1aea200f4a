"""Twice a point and the sum of two, in compiled code: of E, F, G, H the point E F, G H, F G, E H.

The wide form's numbers fit the registers: there one function is a whole sum, whose products are
carried only when they are added. The narrow form's do not, and such a function would be longer than
what a processor keeps decoded: there a sum calls products, which carry. What is added between them
is not carried but F, for it is twice a second factor (see :class:`.NarrowForm`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from padan_linkage.direct.lanes.forms import WORD, Form, Number, Vector, WideForm
from padan_linkage.direct.lanes.operations import (
    BYTE,
    MUL,
    SQR,
    SUB,
    Operation,
    Stored,
    chosen,
    function_of,
    function_of_calls,
    kept_apart,
    load,
    numbers,
    parts_of,
    room_for,
    store,
)

_WORDS = WORD.as_pointer()


@dataclass(frozen=True)
class Doubling:
    """Twice a point; without its T, which only a sum needs, where that is not asked for."""

    name: str
    with_t: bool = True

    def call(self, form: Form, builder: Any, pointers: Sequence[Any]) -> None:
        """``pointers``: where the result goes, and the point."""
        if isinstance(form, WideForm):
            result = "p" if self.with_t else "q"
            Operation(self.name, result, "q", self._body).call(form, builder, pointers)
            return

        def write(b: Any, places: Sequence[Any]) -> None:
            out, point = (parts_of(b, form, place) for place in places)
            efgh = _efgh_of_double(form, b, point)
            _multiply(form, b, out, efgh, with_t=self.with_t)

        kind = ir.FunctionType(ir.VoidType(), [_WORDS] * 2)
        builder.call(function_of_calls(form, builder.module, self.name, kind, write), pointers)

    def _body(self, form: Any, b: Any, given: Sequence[Number]) -> Number:
        x, y, z = numbers(form, given)
        xx, yy, zz = (form.square(b, each) for each in (x, y, z))
        both = form.square(b, form.sum(b, x, y))
        h = form.plus(b, xx, yy)
        g = form.product_minus(b, xx, yy)
        f = form.plus(b, form.plus(b, zz, zz), g)
        efgh = [form.product_minus(b, h, both), f, g, h]
        return _completed(form, b, efgh, with_t=self.with_t)


@dataclass(frozen=True)
class Sum:
    """The sum of a point and a cached one."""

    name: str
    with_t: bool = True

    def call(self, form: Form, builder: Any, pointers: Sequence[Any]) -> None:
        """``pointers``: where the result goes, the point, the cached one."""
        if isinstance(form, WideForm):
            Operation(self.name, "p", "pp", self._body).call(form, builder, pointers)
            return

        def write(b: Any, places: Sequence[Any]) -> None:
            out, *given = (parts_of(b, form, place) for place in places)
            _multiply(form, b, out, _efgh_of_sum(form, b, *given), with_t=self.with_t)

        kind = ir.FunctionType(ir.VoidType(), [_WORDS] * 3)
        builder.call(function_of_calls(form, builder.module, self.name, kind, write), pointers)

    def _body(self, form: Any, b: Any, given: Sequence[Number]) -> Number:
        point, cached = (numbers(form, [each]) for each in given)
        return _completed(form, b, _summed(form, b, point, cached), with_t=self.with_t)


@dataclass(frozen=True)
class PickedSum:
    """The sum of a point and, in each lane, the multiple that a digit from −m to m says.

    ``multiples``: m. All of them are read, whatever the digits.
    """

    name: str
    multiples: int
    with_t: bool = True

    def call(self, form: Form, builder: Any, pointers: Sequence[Any]) -> None:
        """``pointers``: out, the point, its multiples, the neutral point (cached), the digits."""
        kind = ir.FunctionType(ir.VoidType(), [_WORDS] * 4 + [BYTE.as_pointer()])
        made = (
            function_of(form, builder.module, self.name, kind, self._whole(form))
            if isinstance(form, WideForm)
            else function_of_calls(form, builder.module, self.name, kind, self._calls(form))
        )
        builder.call(made, pointers)

    def _whole(self, form: WideForm) -> Any:
        limbs = len(form.widths)

        def write(b: Any, places: Sequence[Any], lane: Any) -> None:
            out, point, *picked = places
            given = numbers(form, [Stored(b, form, point, lane, range(4 * limbs))])
            rows = dict(self._picked(form, b, picked, lane))
            cached = numbers(form, [[rows[i] for i in range(4 * limbs)]])
            made = _completed(form, b, _summed(form, b, given, cached), with_t=self.with_t)
            for i, vector in enumerate(made):
                store(b, form, vector, out, lane, i)

        return write

    def _calls(self, form: Form) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_WORDS] * 3 + [BYTE.as_pointer()])

        def pick(b: Any, places: Sequence[Any], lane: Any) -> None:
            for row, vector in self._picked(form, b, places[1:], lane):
                store(b, form, vector, places[0], lane, row)

        def write(b: Any, places: Sequence[Any]) -> None:
            out, point, *picked = places
            cached = room_for(b, form, 4)
            b.call(function_of(form, b.module, "pick", kind, pick), [cached[0], *picked])
            efgh = _efgh_of_sum(form, b, parts_of(b, form, point), cached)
            _multiply(form, b, parts_of(b, form, out), efgh, with_t=self.with_t)

        return write

    def _picked(
        self, form: Form, b: Any, places: Sequence[Any], lane: Any
    ) -> Iterator[tuple[int, Vector]]:
        """Rows of the multiple of each lane's digit, cached; its last number is not carried.

        Row by row, for the masks alone fill most of the registers.
        """
        multiples, neutral, digits = places
        short = ir.VectorType(BYTE, form.width)
        place = b.bitcast(b.gep(digits, [lane]), short.as_pointer())
        digit = b.sext(b.load(place, align=1), form.vector)
        sign = b.ashr(digit, form.spread(63))
        size = b.sub(b.xor(digit, sign), sign)
        sizes = [b.icmp_signed("==", size, form.spread(k)) for k in range(self.multiples + 1)]
        at_zero, *at_multiples = kept_apart(b, [b.sext(each, form.vector) for each in sizes])
        limbs = len(form.widths)

        def found(row: int) -> Vector:
            made = b.and_(at_zero, load(b, form, neutral, lane, row))
            for k, mask in enumerate(at_multiples):
                entry = load(b, form, multiples, lane, 4 * limbs * k + row)
                made = b.or_(made, b.and_(mask, entry))
            return made

        for i in range(limbs):
            larger, smaller = found(i), found(limbs + i)
            yield i, chosen(b, sign, larger, smaller)
            yield limbs + i, chosen(b, sign, smaller, larger)
        for i in range(limbs):
            yield 2 * limbs + i, found(2 * limbs + i)
        last = [found(3 * limbs + i) for i in range(limbs)]
        for i, (limb, negated) in enumerate(zip(last, form.negated(b, last), strict=True)):
            yield 3 * limbs + i, chosen(b, sign, limb, negated)


# In one function


def _summed(form: Any, b: Any, point: Sequence[Number], cached: Sequence[Number]) -> list[Number]:
    """E, F, G, H of a sum, not carried."""
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
    """The point of E, F, G, H."""
    e, f, g, h = (form.carried(b, each) for each in efgh)
    wanted = [(e, f), (g, h), (f, g), (e, h)][: 4 if with_t else 3]
    return [limb for pair in wanted for limb in form.carried(b, form.product(b, *pair))]


# By calls, ordered so that few of them wait for the one before


def _efgh_of_double(form: Form, b: Any, point: Sequence[Any]) -> list[Any]:
    """E = H − (X + Y)², F = 2 Z² + G, G = X² − Y², H = X² + Y²."""
    x, y, z, _ = point
    xx, yy, zz, both, e, f, g, h = room_for(b, form, 8)
    SQR.call(form, b, [zz, z])
    SQR.call(form, b, [yy, y])
    _PLUS.call(form, b, [e, x, y])
    SQR.call(form, b, [xx, x])
    SQR.call(form, b, [both, e])
    _FGH_OF_DOUBLE.call(form, b, [f, xx, yy, zz])
    _MINUS.call(form, b, [e, h, both])
    return [e, f, g, h]


def _efgh_of_sum(form: Form, b: Any, point: Sequence[Any], cached: Sequence[Any]) -> list[Any]:
    """E = B − A, F = D − C, G = D + C, H = B + A."""
    x, y, z, t = point
    larger, smaller, twice_z, last = cached
    low, high, c, d, e, f, g, h = room_for(b, form, 8)
    MUL.call(form, b, [d, z, twice_z])
    _MINUS.call(form, b, [e, y, x])
    _PLUS.call(form, b, [h, y, x])
    MUL.call(form, b, [low, e, smaller])
    MUL.call(form, b, [high, h, larger])
    MUL.call(form, b, [c, t, last])
    _MINUS.call(form, b, [e, high, low])
    _PLUS.call(form, b, [h, high, low])
    SUB.call(form, b, [f, d, c])
    _PLUS.call(form, b, [g, d, c])
    return [e, f, g, h]


def _multiply(form: Form, b: Any, out: Sequence[Any], efgh: Sequence[Any], *, with_t: bool) -> None:
    """The point of E, F, G, H: as second factors F, which is carried, and H, a sum of two."""
    (e, f, g, h), (x, y, z, t) = efgh, out
    for part, *factors in [(z, g, f), (y, g, h), (x, e, f), (t, e, h)][: 4 if with_t else 3]:
        MUL.call(form, b, [part, *factors])


def _fgh_of_double(form: Form, b: Any, given: Sequence[Number]) -> Number:
    xx, yy, zz = given
    g = form.plus(b, xx, form.negated(b, yy))
    f = form.passed_on(b, form.plus(b, form.plus(b, zz, zz), g))
    return [*f, *g, *form.plus(b, xx, yy)]


def _uncarried_difference(form: Form, b: Any, given: Sequence[Number]) -> Number:
    first, second = given
    return form.plus(b, first, form.negated(b, second))


def _minus_twice(form: Form, b: Any, given: Sequence[Number]) -> Number:
    negated = form.negated(b, given[0])
    return form.plus(b, negated, negated)


_PLUS = Operation("plus_uncarried", "n", "nn", lambda form, b, given: form.plus(b, *given))
_MINUS = Operation("minus_uncarried", "n", "nn", _uncarried_difference)
_MINUS_TWICE = Operation("minus_twice_uncarried", "n", "n", _minus_twice)
_FGH_OF_DOUBLE = Operation("fgh_of_double", "q", "nnn", _fgh_of_double)
