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
Shorts = NDArray[np.uint16]
Numbers = NDArray[np.int64]

_WORD = ir.IntType(64)
_SHORT = ir.IntType(16)
_LANE = ir.VectorType(_WORD, LANES)


SipWords = Callable[[State, Words, np.uint64, int, Words], None]


def _make_sip_words(halves: int) -> SipWords:
    """SipHash-2-4-128, from a start state, of eight one-word messages at once.

    ``(state, words, tail, at, out)``: the messages are ``words[at + l] | tail``, l = 0 … 7; half h
    of their results goes to ``out[h, at + l]``, for the first ``halves``. Arrays are contiguous
    uint64.
    """

    @intrinsic
    def sip_words(_typing: Any, state: Any, words: Any, _tail: Any, _at: Any, out: Any) -> Any:
        """See the maker."""

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
            for place, mark in ((at, 0), (high, SECOND_HALF))[:halves]:
                v[1] = builder.xor(v[1], _constant(mark))
                v = _rounds(builder, v, 4)
                half = builder.xor(builder.xor(v[0], v[1]), builder.xor(v[2], v[3]))
                _store(builder, half, target.data, place)
            return context.get_dummy_value()

        return types.void(state, words, types.uint64, types.int64, out), generate

    return cast("SipWords", sip_words)


sip_words, sip_first_halves = _make_sip_words(2), _make_sip_words(1)


def _make_take_places() -> Callable[[Words, int, int, int, Shorts, int], None]:
    """Sixteen bits of each of eight words, as numbers below a bound.

    ``(words, at, shift, bound, out, to)``: ``out[to + l]`` = ⌊(words.flat[at + l] >> shift) mod
    2^16 · bound / 2^16⌋, l = 0 … 7; ``out`` is contiguous uint16, ``bound`` at most 2^16.
    """

    @intrinsic
    def take_places(
        _typing: Any, words: Any, _at: Any, _shift: Any, _bound: Any, out: Any, _to: Any
    ) -> Any:
        """See the maker."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, at, shift, bound, _, to = arguments
            data, target = (_array(context, builder, signature, arguments, i).data for i in (0, 4))
            value = builder.lshr(_load(builder, data, at), _spread(builder, shift))
            value = builder.and_(value, _constant(0xFFFF))
            value = builder.lshr(builder.mul(value, _spread(builder, bound)), _constant(16))
            kind = ir.VectorType(_SHORT, LANES)
            pointer = builder.bitcast(builder.gep(target, [to]), kind.as_pointer())
            builder.store(builder.trunc(value, kind), pointer, align=2)
            return context.get_dummy_value()

        whole = types.int64
        return types.void(words, whole, whole, whole, out, whole), generate

    return cast("Callable[[Words, int, int, int, Shorts, int], None]", take_places)


def _make_count_below() -> Callable[[Shorts, int, int, int], None]:
    """How many numbers are smaller than each of thirty-two.

    ``(numbers, at, count, to)``: ``numbers[to + l]`` = how many of ``numbers[:count]`` are under
    ``numbers[at + l]``, l = 0 … 31. Places are those of ``numbers.flat``, contiguous uint16.
    """

    @intrinsic
    def count_below(_typing: Any, numbers: Any, _at: Any, _count: Any, _to: Any) -> Any:
        """See the maker."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, at, count, to = arguments
            kind = ir.VectorType(_SHORT, 4 * LANES)
            data = _array(context, builder, signature, arguments, 0).data
            place = builder.bitcast(builder.gep(data, [at]), kind.as_pointer())
            mine = builder.load(place, align=2)
            total = _variable(builder, ir.Constant(kind, [0] * kind.count))
            with cgutils.for_range(builder, count) as loop:
                other = _spread(builder, builder.load(builder.gep(data, [loop.index])), kind)
                smaller = builder.sext(builder.icmp_unsigned("<", other, mine), kind)
                builder.store(builder.sub(builder.load(total), smaller), total)
            place = builder.bitcast(builder.gep(data, [to]), kind.as_pointer())
            builder.store(builder.load(total), place, align=2)
            return context.get_dummy_value()

        return types.void(numbers, types.int64, types.int64, types.int64), generate

    return cast("Callable[[Shorts, int, int, int], None]", count_below)


def _make_xor_distinct() -> Callable[[Words, int, int, Shorts, int, Words, Words, int], None]:
    """XORs rows of a table, each once, over ``out[to : to + 8]``.

    ``(rows, words, at, chosen, count, last, out, to)``: the parts ``rows[r * words + at : … + 8]``,
    r the first ``count`` of ``chosen``; of equal ones only that whose place in ``chosen`` is
    ``last[r]`` counts. All are contiguous uint64, but ``chosen`` is uint16.
    """

    @intrinsic
    def xor_distinct(
        _typing: Any,
        rows: Any,
        _words: Any,
        _at: Any,
        chosen: Any,
        _count: Any,
        last: Any,
        out: Any,
        _to: Any,
    ) -> Any:
        """See the maker."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, words, at, _, count, _, _, to = arguments
            table, numbers, lasts, target = (
                _array(context, builder, signature, arguments, i).data for i in (0, 3, 5, 6)
            )
            totals = [_variable(builder, _constant(0)) for _ in range(2)]
            now = _variable(builder, _constant(0))

            def join(index: Any, total: Any) -> None:
                row = builder.zext(builder.load(builder.gep(numbers, [index])), _WORD)
                counted = _spread(builder, builder.load(builder.gep(lasts, [row])))
                here = builder.load(now)
                # A comparison of vectors becomes a mask, one of words a branch nobody can predict.
                mine = builder.icmp_unsigned("==", counted, here)
                builder.store(builder.add(here, _constant(1)), now)
                part = _load(builder, table, builder.add(builder.mul(row, words), at))
                part = builder.select(mine, part, _constant(0))
                builder.store(builder.xor(builder.load(total), part), total)

            pairs = builder.udiv(count, _WORD(2))
            with cgutils.for_range(builder, pairs) as loop:
                for n, total in enumerate(totals):
                    join(builder.add(builder.mul(loop.index, _WORD(2)), _WORD(n)), total)
            with cgutils.for_range(builder, count, start=builder.mul(pairs, _WORD(2))) as loop:
                join(loop.index, totals[0])
            joined = builder.xor(builder.load(totals[0]), builder.load(totals[1]))
            _store(builder, builder.xor(joined, _load(builder, target, to)), target, to)
            return context.get_dummy_value()

        whole = types.int64
        return types.void(rows, whole, whole, chosen, whole, last, out, whole), generate

    return cast("Callable[[Words, int, int, Shorts, int, Words, Words, int], None]", xor_distinct)


take_places, count_below, xor_distinct = (
    _make_take_places(),
    _make_count_below(),
    _make_xor_distinct(),
)

Join = Callable[[Words, int, int, Numbers, int, Words, int], None]


def _make_or_rows() -> Join:
    """``out[to : to + 16]`` = ``rows[r * words + at : … + 16]``, joined by or over the numbers r.

    Arguments: ``(rows, words, at, chosen, count, out, to)``, r the first ``count`` of ``chosen``.
    ``rows`` and ``out`` are contiguous uint64, ``chosen`` is contiguous int64.
    """

    @intrinsic
    def or_rows(
        _typing: Any, rows: Any, _words: Any, _at: Any, chosen: Any, _count: Any, out: Any, _to: Any
    ) -> Any:
        """See the maker."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, words, at, _, count, _, to = arguments
            table, numbers, target = (
                _array(context, builder, signature, arguments, i).data for i in (0, 3, 5)
            )
            totals = [_variable(builder, _constant(0)) for _ in range(2)]
            with cgutils.for_range(builder, count) as loop:
                row = builder.load(builder.gep(numbers, [loop.index]))
                first = builder.add(builder.mul(row, words), at)
                for n, total in enumerate(totals):
                    more = _load(builder, table, builder.add(first, _WORD(LANES * n)))
                    builder.store(builder.or_(builder.load(total), more), total)
            for n, total in enumerate(totals):
                _store(builder, builder.load(total), target, builder.add(to, _WORD(LANES * n)))
            return context.get_dummy_value()

        whole = types.int64
        return types.void(rows, whole, whole, chosen, whole, out, whole), generate

    return cast("Join", or_rows)


or_rows = _make_or_rows()


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


def _variable(builder: Any, value: Any) -> Any:
    """A place that holds ``value`` at first; LLVM makes a register of it."""
    return cgutils.alloca_once_value(builder, value)  # type: ignore[no-untyped-call]


def _spread(builder: Any, value: Any, kind: Any = _LANE) -> Any:
    """One value in every lane."""
    nothing = ir.Constant(kind, ir.Undefined)
    lane = builder.insert_element(nothing, value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(lane, nothing, zeros)


def _array(context: Any, builder: Any, signature: Any, arguments: Any, number: int) -> Any:
    """An array argument's structure."""
    return context.make_array(signature.args[number])(context, builder, arguments[number])


def _load(builder: Any, data: Any, at: Any) -> Any:
    pointer = builder.bitcast(builder.gep(data, [at]), _LANE.as_pointer())
    return builder.load(pointer, align=8)


def _store(builder: Any, value: Any, data: Any, at: Any) -> None:
    pointer = builder.bitcast(builder.gep(data, [at]), _LANE.as_pointer())
    builder.store(value, pointer, align=8)
