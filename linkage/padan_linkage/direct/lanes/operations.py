"""Operations on numbers that lie in slots, for compiled kernels: eight numbers in each slot.

Slots are the rows of one array, ``[slots, limbs · 8]``, limb by limb, eight lanes each; its dtype
says which :mod:`form <.forms>` they have (:func:`form_of`): uint64 the wide one, int64 the narrow.
So a kernel is written once and compiled for what it is called with. Every number in a slot is
carried. A *mask* lies in the first limb of a slot: all bits in the lanes where something holds,
none elsewhere.

Each operation is one function without branches on values; only vectors hold values, and no address
comes from one; a test reads the compiled code for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic
from numpy.typing import NDArray

from padan_linkage.compiled.lanes import LINE
from padan_linkage.direct.lanes.forms import LANES, NARROW, WIDE, WORD, Form, Number, Vector, room

#: Slots, or masks and digits of eight lanes.
Slots: TypeAlias = NDArray[Any]
Words = NDArray[np.uint64]
Digits = NDArray[np.int8]

DTYPES = {WIDE: np.dtype(np.uint64), NARROW: np.dtype(np.int64)}
_FORMS = {types.uint64: WIDE, types.int64: NARROW}
BYTE = ir.IntType(8)
_WORDS_OF_A_NUMBER = 4

#: What makes the result's vectors from those of each source.
Body: TypeAlias = "Callable[[Form, Any, Sequence[Number]], Number]"


def form_of(slots: Any) -> Form:
    """The form of an array of slots, by its Numba type."""
    return _FORMS[slots.dtype]


def function_of(
    form: Form, module: Any, name: str, kind: Any, write: Callable[[Any, Sequence[Any], Any], None]
) -> Any:
    """A function of a form in a module, written if it is not there yet.

    ``write(builder, pointers, lane)`` writes what it does for as many lanes as a register holds,
    from ``lane`` on. ``linkonce_odr``: linked modules share it.
    """

    def in_parts(b: Any, pointers: Sequence[Any]) -> None:
        if form.width == LANES:
            write(b, pointers, WORD(0))
            return
        with cgutils.for_range(b, WORD(LANES // form.width)) as loop:
            write(b, pointers, b.mul(loop.index, WORD(form.width)))

    return function_of_calls(form, module, name, kind, in_parts)


def function_of_calls(
    form: Form, module: Any, name: str, kind: Any, write: Callable[[Any, Sequence[Any]], None]
) -> Any:
    """The same where ``write(builder, pointers)`` calls what works on all lanes."""
    function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        module, kind, f"padan_{form.name}_{name}"
    )
    if function.blocks:
        return function
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    # LLVM else spills registers to places that lie across two cache lines.
    function.attributes.alignstack = LINE
    builder = ir.IRBuilder(function.append_basic_block())
    write(builder, function.args)
    builder.ret_void()
    return function


def room_for(b: Any, form: Form, count: int) -> list[Any]:
    """Where each of so many numbers begins, in memory of the function that is written."""
    words = LANES * len(form.widths)
    whole, place = ir.IntType(32), room(b, ir.ArrayType(WORD, words * count))
    place.align = LINE
    return [b.gep(place, [whole(0), whole(words * i)]) for i in range(count)]


def parts_of(b: Any, form: Form, point: Any) -> list[Any]:
    """Where each of a point's four numbers begins."""
    return [b.gep(point, [WORD(LANES * len(form.widths) * i)]) for i in range(4)]


def load(builder: Any, form: Form, pointer: Any, lane: Any, row: int) -> Vector:
    """The vector at a row of eight lanes, from a lane on."""
    place = builder.gep(pointer, [builder.add(lane, WORD(LANES * row))])
    return builder.load(builder.bitcast(place, form.vector.as_pointer()), align=8)


def store(builder: Any, form: Form, vector: Vector, pointer: Any, lane: Any, row: int) -> None:
    """Write a vector there."""
    place = builder.gep(pointer, [builder.add(lane, WORD(LANES * row))])
    builder.store(vector, builder.bitcast(place, form.vector.as_pointer()), align=8)


def slot(context: Any, builder: Any, kind: Any, slots: Any, number: Any) -> Any:
    """Where a slot begins."""
    data = context.make_array(kind)(context, builder, slots).data
    words = WORD(LANES * len(form_of(kind).widths))
    return builder.gep(data, [builder.mul(number, words)])


class Stored(Sequence[Vector]):
    """Vectors in memory, from a lane on: each use reads one."""

    def __init__(self, b: Any, form: Form, pointer: Any, lane: Any, rows: range) -> None:
        self._where = b, form, pointer, lane
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: Any) -> Any:
        part = self._rows[at]
        return Stored(*self._where, part) if isinstance(part, range) else load(*self._where, part)


class CompiledCall(Protocol):
    """What writes a call of its function, and the function where there is none yet."""

    def call(self, form: Form, builder: Any, pointers: Sequence[Any]) -> None:
        """Call it with places in memory, that of the result first."""


@dataclass(frozen=True)
class Operation:
    """What makes a slot or several of others.

    ``result`` and each of ``sources``: n, a number; m, a mask; w, a number in words; p, a point
    (four numbers), q, a point's first three. ``body`` has the vectors of each.
    """

    name: str
    result: str
    sources: str
    body: Body

    def call(self, form: Form, builder: Any, pointers: Sequence[Any]) -> None:
        """Call its function: where the result goes, and where each source begins."""
        kind = ir.FunctionType(ir.VoidType(), [WORD.as_pointer()] * (1 + len(self.sources)))

        def write(b: Any, places: Sequence[Any], lane: Any) -> None:
            given = [
                Stored(b, form, place, lane, range(self._vectors(form, kind)))
                for place, kind in zip(places[1:], self.sources, strict=True)
            ]
            made = self.body(form, b, given)
            assert len(made) == self._vectors(form, self.result)
            for i, vector in enumerate(made):
                store(b, form, vector, places[0], lane, i)

        builder.call(function_of(form, builder.module, self.name, kind, write), pointers)

    def _vectors(self, form: Form, kind: str) -> int:
        limbs = len(form.widths)
        return {"n": limbs, "m": 1, "w": _WORDS_OF_A_NUMBER, "p": 4 * limbs, "q": 3 * limbs}[kind]


def _generator(operation: CompiledCall) -> Any:
    """What Numba asks for: the code of a call in a kernel."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pointers = [slot(context, builder, sig.args[0], args[0], number) for number in args[1:]]
        operation.call(form_of(sig.args[0]), builder, pointers)
        return context.get_dummy_value()

    return generate


Unary = Callable[[Slots, int, int], None]
Binary = Callable[[Slots, int, int, int], None]
Ternary = Callable[[Slots, int, int, int, int], None]
_WHOLE = types.int64


def unary(operation: CompiledCall) -> Unary:
    """An operation of one source, for kernels: ``(slots, out, x)``."""
    generate = _generator(operation)

    @intrinsic
    def called(_typing: Any, slots: Any, _out: Any, _x: Any) -> Any:
        return types.void(slots, _WHOLE, _WHOLE), generate

    return cast("Unary", called)


def binary(operation: CompiledCall) -> Binary:
    """The same of two sources."""
    generate = _generator(operation)

    @intrinsic
    def called(_typing: Any, slots: Any, _out: Any, _x: Any, _y: Any) -> Any:
        return types.void(slots, _WHOLE, _WHOLE, _WHOLE), generate

    return cast("Binary", called)


def ternary(operation: CompiledCall) -> Ternary:
    """The same of three sources."""
    generate = _generator(operation)

    @intrinsic
    def called(_typing: Any, slots: Any, _out: Any, _x: Any, _y: Any, _z: Any) -> Any:
        return types.void(slots, _WHOLE, _WHOLE, _WHOLE, _WHOLE), generate

    return cast("Ternary", called)


def _mul(form: Form, b: Any, given: Sequence[Number]) -> Number:
    return form.carried(b, form.product(b, *given))


def _sqr(form: Form, b: Any, given: Sequence[Number]) -> Number:
    return form.carried(b, form.square(b, *given))


def _neg(form: Form, b: Any, given: Sequence[Number]) -> Number:
    return form.difference(b, form.zero(), given[0])


def _choose(_form: Form, b: Any, given: Sequence[Number]) -> Number:
    """The second where the mask holds. Masks join by and and or, so nothing is ever compared."""
    first, second, (mask,) = given
    return [chosen(b, mask, i, j) for i, j in zip(first, second, strict=True)]


def chosen(b: Any, mask: Vector, first: Vector, second: Vector) -> Vector:
    """``second`` in the lanes of a mask, ``first`` elsewhere."""
    return b.xor(first, b.and_(mask, b.xor(first, second)))


def kept_apart(b: Any, masks: Sequence[Vector]) -> list[Vector]:
    """The same masks, but for LLVM any numbers, by way of memory that something may have changed.

    What it knows to be a mask it puts into a mask register, and reads under it: of an operand in
    memory only the lanes where the mask holds.
    """
    whole, place = ir.IntType(32), room(b, ir.ArrayType(masks[0].type, len(masks)))
    places = [b.gep(place, [whole(0), whole(k)]) for k in range(len(masks))]
    for mask, place in zip(masks, places, strict=True):
        b.store(mask, place)
    barrier = ir.FunctionType(ir.VoidType(), [place.type])
    b.asm(barrier, "", "r,~{memory}", [place], side_effect=True)
    return [b.load(place) for place in places]


def _odd(form: Form, b: Any, given: Sequence[Number]) -> Number:
    lowest = form.canonical(b, given[0])[0]
    return [b.sub(form.spread(0), b.and_(lowest, form.spread(1)))]


def _is_zero(form: Form, b: Any, given: Sequence[Number]) -> Number:
    first, *others = form.canonical(b, given[0])
    for limb in others:
        first = b.or_(first, limb)
    # Limbs are far below 2⁶³: less one, only 0 has the sign bit.
    return [b.ashr(b.sub(first, form.spread(1)), form.spread(63))]


def _either(_form: Form, b: Any, given: Sequence[Number]) -> Number:
    return [b.or_(given[0][0], given[1][0])]


def _without(_form: Form, b: Any, given: Sequence[Number]) -> Number:
    return [b.and_(given[0][0], b.not_(given[1][0]))]


def _unpacked(form: Form, b: Any, given: Sequence[Number]) -> Number:
    """Limbs of a number below 2²⁵⁵ from four words; the top bit is left out."""
    (words,) = given
    limbs = []
    for offset, width in zip(form.offsets, form.widths, strict=True):
        word, shift = divmod(offset, 64)
        limb = b.lshr(words[word], form.spread(shift))
        if shift + width > 64:
            limb = b.or_(limb, b.shl(words[word + 1], form.spread(64 - shift)))
        limbs.append(b.and_(limb, form.spread((1 << width) - 1)))
    return limbs


def _packed(form: Form, b: Any, given: Sequence[Number]) -> Number:
    """The canonical number in four words."""
    words = [form.spread(0)] * _WORDS_OF_A_NUMBER
    limbs = form.canonical(b, given[0])
    for limb, offset, width in zip(limbs, form.offsets, form.widths, strict=True):
        word, shift = divmod(offset, 64)
        words[word] = b.or_(words[word], b.shl(limb, form.spread(shift)))
        if shift + width > 64:
            words[word + 1] = b.or_(words[word + 1], b.lshr(limb, form.spread(64 - shift)))
    return words


def numbers(form: Form, given: Sequence[Number]) -> list[Number]:
    """The numbers of points, which follow one another."""
    limbs = len(form.widths)
    return [each[i : i + limbs] for each in given for i in range(0, len(each), limbs)]


MUL, SQR = Operation("mul", "n", "nn", _mul), Operation("sqr", "n", "n", _sqr)
ADD = Operation("add", "n", "nn", lambda form, b, given: form.sum(b, *given))
SUB = Operation("sub", "n", "nn", lambda form, b, given: form.difference(b, *given))

#: ``(slots, out, x[, y[, z]])``: numbers of slots. ``choose``: y where the mask z holds, else x.
mul, sqr, add, sub = binary(MUL), unary(SQR), binary(ADD), binary(SUB)
neg = unary(Operation("neg", "n", "n", _neg))
choose = ternary(Operation("choose", "n", "nnm", _choose))
copy = unary(Operation("copy", "n", "n", lambda _form, _builder, given: given[0]))

#: Masks: where a number is odd ("negative", RFC 9496 section 3.1), where it is 0; joined.
odd = unary(Operation("odd", "m", "n", _odd))
is_zero = unary(Operation("is_zero", "m", "n", _is_zero))
either = binary(Operation("either", "m", "mm", _either))
without = binary(Operation("without", "m", "mm", _without))

#: Numbers of four words of 64 bits, in the first four vectors of a slot, to limbs and back.
unpack = unary(Operation("unpack", "n", "w", _unpacked))
pack = unary(Operation("pack", "w", "n", _packed))
