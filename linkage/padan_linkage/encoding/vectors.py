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
Bytes = NDArray[np.uint8]
Wholes = NDArray[np.int32]

_SPACE = 32
_WORD = ir.IntType(64)
_SHORT = ir.IntType(16)
_LANE = ir.VectorType(_WORD, LANES)


SipWords = Callable[[State, Words, np.uint64, int, Words], None]


def _make_sip_words(halves: int, vectors: int) -> SipWords:
    """SipHash-2-4-128, from a start state, of one-word messages, ``vectors`` times eight at once.

    ``(state, words, tail, at, out)``: the messages are ``words[at + l] | tail``, l = 0 … ; half h
    of their results goes to ``out[h, at + l]``, for the first ``halves``. Arrays are contiguous
    uint64.
    """
    places = [_WORD(LANES * n) for n in range(vectors)]

    @intrinsic
    def sip_words(_typing: Any, state: Any, words: Any, _tail: Any, _at: Any, out: Any) -> Any:
        """See the maker."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            start, _, tail, at, _ = arguments
            data = _array(context, builder, signature, arguments, 1).data
            target = _array(context, builder, signature, arguments, 4)
            tails = _spread(builder, tail)
            messages = [
                builder.or_(_load(builder, data, builder.add(at, place)), tails) for place in places
            ]
            begin = [_spread(builder, builder.extract_value(start, i)) for i in range(4)]
            states = [[*begin[:3], builder.xor(begin[3], message)] for message in messages]
            _rounds(builder, states, 2)
            for v, message in zip(states, messages, strict=True):
                v[0] = builder.xor(v[0], message)
                v[2] = builder.xor(v[2], _constant(FIRST_HALF))
            high = builder.add(at, builder.extract_value(target.shape, 1))
            for first, mark in ((at, 0), (high, SECOND_HALF))[:halves]:
                for v in states:
                    v[1] = builder.xor(v[1], _constant(mark))
                _rounds(builder, states, 4)
                for v, place in zip(states, places, strict=True):
                    half = builder.xor(builder.xor(v[0], v[1]), builder.xor(v[2], v[3]))
                    _store(builder, half, target.data, builder.add(first, place))
            return context.get_dummy_value()

        return types.void(state, words, types.uint64, types.int64, out), generate

    return cast("SipWords", sip_words)


#: How many vectors are hashed step by step together: one step waits for the last one's result.
TOGETHER = 3
sip_words, sip_words_together = _make_sip_words(2, 1), _make_sip_words(2, TOGETHER)
sip_first_halves, sip_first_halves_together = _make_sip_words(1, 1), _make_sip_words(1, TOGETHER)


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

Join = Callable[[Bytes, int, int, Wholes, int, Words, int, Words, int], int]


def _make_join_bigrams() -> Join:
    """Joins, by or, the rows that a value's bigrams have in a table to ``out[to : to + 16]``.

    Arguments: ``(data, first, last, number, at, rows, step, out, to)``. Of the value
    ``data[first:last]``, not empty, with a space before and after it, bigram a, b stands for
    ``rows[r : r + 16]``, r = ``step`` · ``number[at + 256 a + b]``. Gives the smallest of these
    numbers. All are contiguous; ``number`` is int32, ``rows`` and ``out`` are uint64.
    """

    @intrinsic
    def join_bigrams(
        _typing: Any,
        data: Any,
        _first: Any,
        _last: Any,
        number: Any,
        _at: Any,
        rows: Any,
        _step: Any,
        out: Any,
        _to: Any,
    ) -> Any:
        """See the maker."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, first, last, _, at, _, step, _, to = arguments
            text, numbers, table, target = (
                _array(context, builder, signature, arguments, i).data for i in (0, 3, 5, 7)
            )
            places = [builder.add(to, _WORD(LANES * n)) for n in range(2)]
            totals = [_variable(builder, _load(builder, target, place)) for place in places]
            before, lowest = (_variable(builder, _WORD(n)) for n in (_SPACE, 1))

            def join(byte: Any) -> None:
                bigram = builder.or_(builder.shl(builder.load(before), _WORD(8)), byte)
                found = builder.load(builder.gep(numbers, [builder.add(at, bigram)]))
                found = builder.zext(found, _WORD)
                least = builder.load(lowest)
                less = builder.icmp_unsigned("<", found, least)
                builder.store(builder.select(less, found, least), lowest)
                row = builder.mul(found, step)
                for n, total in enumerate(totals):
                    part = _load(builder, table, builder.add(row, _WORD(LANES * n)))
                    builder.store(builder.or_(builder.load(total), part), total)
                builder.store(byte, before)

            with cgutils.for_range_slice(builder, first, last, _WORD(1)) as (index, _):
                join(builder.zext(builder.load(builder.gep(text, [index])), _WORD))
            join(_WORD(_SPACE))
            for total, place in zip(totals, places, strict=True):
                _store(builder, builder.load(total), target, place)
            return builder.load(lowest)

        whole = types.int64
        return whole(data, whole, whole, number, whole, rows, whole, out, whole), generate

    return cast("Join", join_bigrams)


join_bigrams = _make_join_bigrams()


def _rounds(builder: Any, states: list[list[Any]], times: int) -> None:
    """SipRounds on vectors, of all states in step."""
    for _ in range(times):
        for v in states:
            v[0], v[2] = builder.add(v[0], v[1]), builder.add(v[2], v[3])
        for v in states:
            v[1], v[3] = _turned(builder, v[1], 13, v[0]), _turned(builder, v[3], 16, v[2])
            v[0] = _turn(builder, v[0], 32)
        for v in states:
            v[0], v[2] = builder.add(v[0], v[3]), builder.add(v[2], v[1])
        for v in states:
            v[3], v[1] = _turned(builder, v[3], 21, v[0]), _turned(builder, v[1], 17, v[2])
            v[2] = _turn(builder, v[2], 32)


def _turned(builder: Any, value: Any, bits: int, other: Any) -> Any:
    return builder.xor(_turn(builder, value, bits), other)


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
