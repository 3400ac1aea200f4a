"""HMAC-SHA-256 of many short messages under one key, sixteen at a time in vector registers.

A pass hashes every record's exact fields, most of them different, and a provider names every row:
through ``hashlib`` that takes half a microsecond each, nearly all of it Python's. FIPS 180-4 and
RFC 2104; the tests hold it against ``hmac`` on any message, and against the official vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
from llvmlite import ir
from numba import types, uint32
from numba.core.extending import intrinsic
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel

#: Messages side by side.
LANES = 16
BLOCK_BYTES = 64
HASH_BYTES = 32

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint32]
Numbers = NDArray[np.int64]
_Vector: TypeAlias = Any

_WHOLE = ir.IntType(64)
_LANE = ir.VectorType(ir.IntType(32), LANES)


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % p for p in found):
            found.append(number)
        number += 1
    return found


def _cube_root(number: int) -> int:
    root = 1 << (number.bit_length() // 3 + 1)
    while root**3 > number:
        root = (2 * root + number // root**2) // 3
    return root


#: First 32 bits of the fractional parts of the square and cube roots of the first primes
#: (FIPS 180-4, 5.3.3 and 4.2.2).
_START = np.array([isqrt(p << 64) & 0xFFFFFFFF for p in _primes(8)], np.uint32)
_ROUNDS = np.array([_cube_root(p << 96) & 0xFFFFFFFF for p in _primes(64)], np.uint32)


def hmac_sha256(key: bytes, messages: pa.LargeBinaryArray) -> Bytes:
    """HMAC of every message, ``uint8[n, 32]``; keys of at most 64 bytes, no nulls."""
    if len(key) > BLOCK_BYTES:
        raise ValueError("a key has at most 64 bytes")
    block = np.frombuffer(key.ljust(BLOCK_BYTES, b"\x00"), np.uint8)
    _, ends, content = messages.buffers()
    first, count = messages.offset, len(messages)
    offsets = np.frombuffer(ends or bytes(8), np.int64)[first : first + count + 1]
    data = np.frombuffer(content or b"\x00", np.uint8)
    out = np.empty((count, HASH_BYTES), np.uint8)
    hmac_all(block, data, offsets, out)
    return out


def _make_schedule() -> Callable[[Words, int], None]:
    """Row ``i`` of the message schedule ``w`` ``uint32[64, 16]``, from the rows before it."""

    @intrinsic
    def schedule(_typing: Any, w: Any, _i: Any) -> Any:
        """See the maker."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            rows = context.make_array(signature.args[0])(context, builder, arguments[0]).data

            def row(back: int) -> Any:
                return _lane(builder, rows, builder.sub(arguments[1], _WHOLE(back)))

            early, late, oldest, seventh = (
                builder.load(row(back), align=4) for back in (15, 2, 16, 7)
            )
            total = builder.add(oldest, _sigma(builder, early, 7, 18, 3))
            total = builder.add(builder.add(total, seventh), _sigma(builder, late, 17, 19, 10))
            builder.store(total, row(0), align=4)
            return context.get_dummy_value()

        return types.void(w, types.int64), generate

    return cast("Callable[[Words, int], None]", schedule)


def _make_eight_rounds() -> Callable[[Words, Words, Words, int], None]:
    """``v`` ``uint32[8, 16]`` after rounds ``i`` to ``i + 7`` of FIPS 180-4, 6.2.2."""

    @intrinsic
    def eight_rounds(_typing: Any, v: Any, w: Any, k: Any, _i: Any) -> Any:
        """See the maker."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            variables, words, constants = (
                context.make_array(signature.args[n])(context, builder, arguments[n]).data
                for n in range(3)
            )
            now = [builder.load(_lane(builder, variables, _WHOLE(n)), align=4) for n in range(8)]
            for n in range(8):
                row = builder.add(arguments[3], _WHOLE(n))
                word = builder.load(_lane(builder, words, row), align=4)
                constant = builder.load(builder.gep(constants, [row]))
                now = _rounded(builder, now, builder.add(word, _spread(builder, constant)))
            for n in range(8):
                builder.store(now[n], _lane(builder, variables, _WHOLE(n)), align=4)
            return context.get_dummy_value()

        return types.void(v, w, k, types.int64), generate

    return cast("Callable[[Words, Words, Words, int], None]", eight_rounds)


_schedule, _eight_rounds = _make_schedule(), _make_eight_rounds()


def _rounded(b: Any, v: list[_Vector], word: _Vector) -> list[_Vector]:
    """The eight variables after a round; ``word`` is W + K."""
    a, e = v[0], v[4]
    choice = b.xor(v[6], b.and_(e, b.xor(v[5], v[6])))
    majority = b.or_(b.and_(a, v[1]), b.and_(v[2], b.or_(a, v[1])))
    sum_e = _xor(b, _turn(b, e, 6), _turn(b, e, 11), _turn(b, e, 25))
    sum_a = _xor(b, _turn(b, a, 2), _turn(b, a, 13), _turn(b, a, 22))
    first = b.add(b.add(v[7], sum_e), b.add(choice, word))
    return [b.add(first, b.add(sum_a, majority)), a, v[1], v[2], b.add(v[3], first), e, v[5], v[6]]


def _sigma(b: Any, value: _Vector, first: int, second: int, shift: int) -> _Vector:
    return _xor(b, _turn(b, value, first), _turn(b, value, second), _shifted(b, value, shift))


def _spread(builder: Any, word: Any) -> _Vector:
    """One word in every lane."""
    nothing = ir.Constant(_LANE, ir.Undefined)
    lane = builder.insert_element(nothing, word, ir.IntType(32)(0))
    return builder.shuffle_vector(lane, nothing, ir.Constant(_LANE, [0] * LANES))


def _xor(b: Any, x: _Vector, y: _Vector, z: _Vector) -> _Vector:
    return b.xor(b.xor(x, y), z)


def _turn(b: Any, value: _Vector, bits: int) -> _Vector:
    """Rotate to the right."""
    left = b.shl(value, ir.Constant(_LANE, [32 - bits] * LANES))
    return b.or_(_shifted(b, value, bits), left)


def _shifted(b: Any, value: _Vector, bits: int) -> _Vector:
    return b.lshr(value, ir.Constant(_LANE, [bits] * LANES))


def _lane(builder: Any, data: Any, row: Any) -> Any:
    """Pointer to row ``row`` of a contiguous array of vectors."""
    place = builder.gep(data, [builder.mul(row, _WHOLE(LANES))])
    return builder.bitcast(place, _LANE.as_pointer())


@kernel
def hmac_all(key: Bytes, data: Bytes, offsets: Numbers, out: Bytes) -> None:
    """As :func:`hmac_sha256`, with a key of 64 bytes, into ``out``.

    ``w`` is the message schedule of sixteen blocks, of which the first sixteen rows are the blocks.
    """
    w = np.empty((64, LANES), np.uint32)
    inner, outer = _keyed(key, 0x36, w), _keyed(key, 0x5C, w)
    state, digest = np.empty((8, LANES), np.uint32), np.empty((8, LANES), np.uint32)
    rows = len(offsets) - 1
    for first in range(0, rows, LANES):
        lanes = min(LANES, rows - first)
        longest = 0
        for lane in range(lanes):
            longest = max(longest, offsets[first + lane + 1] - offsets[first + lane])
        _copy(inner, state)
        for number in range((longest + 8) // BLOCK_BYTES + 1):
            for lane in range(lanes):
                start, end = offsets[first + lane], offsets[first + lane + 1]
                _put_block(data, start, end, number, w, lane)
            _compress(state, w)
            for lane in range(lanes):
                length = offsets[first + lane + 1] - offsets[first + lane]
                if number == (length + 8) // BLOCK_BYTES:  # its last block
                    for i in range(8):
                        digest[i, lane] = state[i, lane]
        _put_digest(digest, w)
        _copy(outer, state)
        _compress(state, w)
        for lane in range(lanes):
            _write(state, lane, out, first + lane)


@helper
def _compress(state: Words, w: Words) -> None:
    """The state after the blocks in ``w[:16]``."""
    for i in range(16, 64):
        _schedule(w, i)
    now = np.empty((8, LANES), np.uint32)
    _copy(state, now)
    for i in range(0, 64, 8):
        _eight_rounds(now, w, _ROUNDS, i)
    for i in range(8):
        for lane in range(LANES):
            state[i, lane] += now[i, lane]


@helper
def _copy(source: Words, target: Words) -> None:
    """The first eight rows."""
    for i in range(8):
        for lane in range(LANES):
            target[i, lane] = source[i, lane]


@helper
def _keyed(key: Bytes, pad: int, w: Words) -> Words:
    """The state after the block ``key ^ pad``, the same in every lane."""
    state = np.empty((8, LANES), np.uint32)
    for lane in range(LANES):
        for i in range(8):
            state[i, lane] = _START[i]
        for i in range(16):
            word = uint32(0)
            for j in range(4):
                word = (word << uint32(8)) | uint32(key[4 * i + j] ^ pad)
            w[i, lane] = word
    _compress(state, w)
    return state


@helper
def _put_block(data: Bytes, first: int, last: int, number: int, w: Words, lane: int) -> None:
    """Block ``number`` of the padded message ``data[first:last]``; the key's block went before.

    Of a message that has ended it is anything.
    """
    start = number * BLOCK_BYTES
    length = last - first
    for i in range(16):
        at = first + start + 4 * i
        word = uint32(0)
        if at + 4 <= last:
            word = (
                (uint32(data[at]) << uint32(24))
                | (uint32(data[at + 1]) << uint32(16))
                | (uint32(data[at + 2]) << uint32(8))
                | uint32(data[at + 3])
            )
        else:
            for j in range(4):
                byte = uint32(0)
                if at + j < last:
                    byte = uint32(data[at + j])
                elif at + j == last:
                    byte = uint32(0x80)
                word |= byte << uint32(24 - 8 * j)
        w[i, lane] = word
    if number == (length + 8) // BLOCK_BYTES:
        bits = (BLOCK_BYTES + length) * 8
        w[14, lane] = uint32(bits >> 32)
        w[15, lane] = uint32(bits)


@helper
def _put_digest(digest: Words, w: Words) -> None:
    """The second block of the outer hash: the inner digest, padded."""
    _copy(digest, w)
    for lane in range(LANES):
        w[8, lane] = uint32(0x80000000)
        for i in range(9, 15):
            w[i, lane] = uint32(0)
        w[15, lane] = uint32((BLOCK_BYTES + HASH_BYTES) * 8)


@helper
def _write(state: Words, lane: int, out: Bytes, row: int) -> None:
    for i in range(8):
        word = state[i, lane]
        for j in range(4):
            out[row, 4 * i + j] = (word >> uint32(24 - 8 * j)) & uint32(255)
