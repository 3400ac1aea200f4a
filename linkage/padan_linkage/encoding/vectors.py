"""Eight 64-bit words side by side, for the two loops of encoding that a compiler does not widen.

Numba has no vector types, LLVM has; on a processor with narrower registers, or of another kind,
LLVM makes several instructions of one. :mod:`padan_linkage.encoding.siphash` says the same without
vectors, and the tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic
from numpy.typing import NDArray

from padan_linkage.encoding.siphash import FIRST_HALF, SECOND_HALF, State

#: Words side by side.
LANES = 8

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]

_WORD = ir.IntType(64)
_LANE = ir.VectorType(_WORD, LANES)


@intrinsic
def _sip_words(_typing: Any, state: Any, words: Any, _tail: Any, _at: Any, out: Any) -> Any:
    """See :data:`sip_words`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start, _, tail, at, _ = arguments
        message = _load(builder, _array(context, builder, signature, arguments, 1).data, at)
        message = builder.or_(message, _spread(builder, tail))
        v = [_spread(builder, builder.extract_value(start, i)) for i in range(4)]
        v[3] = builder.xor(v[3], message)
        v = _rounds(builder, v, 2)
        v[0] = builder.xor(v[0], message)
        v[2] = builder.xor(v[2], _constant(FIRST_HALF))
        target = _array(context, builder, signature, arguments, 4)
        high = builder.add(at, builder.extract_value(target.shape, 1))
        for place, mark in ((at, 0), (high, SECOND_HALF)):
            v[1] = builder.xor(v[1], _constant(mark))
            v = _rounds(builder, v, 4)
            half = builder.xor(builder.xor(v[0], v[1]), builder.xor(v[2], v[3]))
            _store(builder, half, target.data, place)
        return context.get_dummy_value()

    return types.void(state, words, types.uint64, types.int64, out), generate


#: ``sip_words(state, words, tail, at, out)``: SipHash-2-4-128, from a start state, of the one-word
#: messages ``words[at + l] | tail``, l = 0 … 7; the halves go to ``out[0, at + l]`` and
#: ``out[1, at + l]``. Both are contiguous uint64.
sip_words = cast("Callable[[State, Words, np.uint64, int, Words], None]", _sip_words)


Join = Callable[[Words, int, int, Numbers, int, Words, int], None]


def _make_join_rows(operation: str, blocks: int) -> Join:
    """``out[to : to + 8 * blocks]`` = ``rows[r * words + at : …]``, joined over the numbers r.

    Arguments: ``(rows, words, at, chosen, count, out, to)``, r the first ``count`` of ``chosen``.
    ``rows`` and ``out`` are contiguous uint64, ``chosen`` is contiguous int64.
    """

    @intrinsic
    def join_rows(
        _typing: Any, rows: Any, _words: Any, _at: Any, chosen: Any, _count: Any, out: Any, _to: Any
    ) -> Any:
        """See the maker."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, words, at, _, count, _, to = arguments
            table, numbers, target = (
                _array(context, builder, signature, arguments, i).data for i in (0, 3, 5)
            )
            join = getattr(builder, operation)
            allocate = cast("Any", cgutils.alloca_once_value)
            totals = [allocate(builder, _constant(0)) for _ in range(blocks)]
            with cgutils.for_range(builder, count) as loop:
                row = builder.load(builder.gep(numbers, [loop.index]))
                first = builder.add(builder.mul(row, words), at)
                for n, total in enumerate(totals):
                    more = _load(builder, table, builder.add(first, _WORD(LANES * n)))
                    builder.store(join(builder.load(total), more), total)
            for n, total in enumerate(totals):
                _store(builder, builder.load(total), target, builder.add(to, _WORD(LANES * n)))
            return context.get_dummy_value()

        whole = types.int64
        return types.void(rows, whole, whole, chosen, whole, out, whole), generate

    return cast("Join", join_rows)


#: Eight words by exclusive or.
xor_rows = _make_join_rows("xor", 1)
#: Sixteen words by or.
or_rows = _make_join_rows("or_", 2)


def _rounds(builder: Any, v: list[Any], times: int) -> list[Any]:
    """SipRounds on vectors."""
    v0, v1, v2, v3 = v
    for _ in range(times):
        v0, v2 = builder.add(v0, v1), builder.add(v2, v3)
        v1, v3 = builder.xor(_turn(builder, v1, 13), v0), builder.xor(_turn(builder, v3, 16), v2)
        v0 = _turn(builder, v0, 32)
        v0, v2 = builder.add(v0, v3), builder.add(v2, v1)
        v3, v1 = builder.xor(_turn(builder, v3, 21), v0), builder.xor(_turn(builder, v1, 17), v2)
        v2 = _turn(builder, v2, 32)
    return [v0, v1, v2, v3]


def _turn(builder: Any, value: Any, bits: int) -> Any:
    """Rotate to the left."""
    left = builder.shl(value, _constant(bits))
    return builder.or_(left, builder.lshr(value, _constant(64 - bits)))


def _constant(value: int) -> Any:
    return ir.Constant(_LANE, [int(value)] * LANES)


def _spread(builder: Any, word: Any) -> Any:
    """One word in every lane."""
    lane = builder.insert_element(ir.Constant(_LANE, ir.Undefined), word, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(lane, ir.Constant(_LANE, ir.Undefined), zeros)


def _array(context: Any, builder: Any, signature: Any, arguments: Any, number: int) -> Any:
    """An array argument's structure."""
    return context.make_array(signature.args[number])(context, builder, arguments[number])


def _load(builder: Any, data: Any, at: Any) -> Any:
    pointer = builder.bitcast(builder.gep(data, [at]), _LANE.as_pointer())
    return builder.load(pointer, align=8)


def _store(builder: Any, value: Any, data: Any, at: Any) -> None:
    pointer = builder.bitcast(builder.gep(data, [at]), _LANE.as_pointer())
    builder.store(value, pointer, align=8)
