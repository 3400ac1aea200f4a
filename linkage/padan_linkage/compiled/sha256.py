"""HMAC-SHA-256 of many short messages, sixteen at a time in vector registers.

A pass hashes every record's exact fields, most of them different, a provider names every row, and
each label of direct mode has keys of its own: through ``hashlib`` that takes half a microsecond and
more each, nearly all of it Python's. FIPS 180-4 and RFC 2104; the tests hold it against ``hmac`` on
any message, and against the official vectors. Time depends on the messages' lengths alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
from llvmlite import ir
from numba import types, uint32
from numba.core.extending import intrinsic
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.compiled.sha2 import cube_roots, next_word, rounded, square_roots

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


_START = np.array(square_roots(32), np.uint32)
_ROUNDS = np.array(cube_roots(32, 64), np.uint32)
#: What a round turns its variables a and e by; what the schedule turns and shifts its words by.
_OF_A, _OF_E = (2, 13, 22), (6, 11, 25)
_OF_EARLY, _OF_LATE = (7, 18, 3), (17, 19, 10)


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


def hmac_rows(keys: Bytes, messages: Bytes) -> Bytes:
    """HMAC of each row of ``messages`` ``uint8[n, k]`` under its own key, ``uint8[n, 32]``.

    ``keys``: ``uint8[n, at most 64]``. Raises ValueError for longer ones or another number.
    """
    count, length = keys.shape
    if length > BLOCK_BYTES or len(messages) != count:
        raise ValueError("a row has one key of at most 64 bytes")
    blocks = np.zeros((count, BLOCK_BYTES), np.uint8)
    blocks[:, :length] = keys
    out = np.empty((count, HASH_BYTES), np.uint8)
    flat = np.ascontiguousarray(messages, np.uint8).reshape(-1)
    hmac_each(blocks, flat, messages.shape[1], out)
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

            before = tuple(builder.load(row(back), align=4) for back in (16, 15, 7, 2))
            total = next_word(builder, before, _OF_EARLY, _OF_LATE)
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
                word = builder.add(word, _spread(builder, constant))
                now = rounded(builder, now, word, _OF_A, _OF_E)
            for n in range(8):
                builder.store(now[n], _lane(builder, variables, _WHOLE(n)), align=4)
            return context.get_dummy_value()

        return types.void(v, w, k, types.int64), generate

    return cast("Callable[[Words, Words, Words, int], None]", eight_rounds)


_schedule, _eight_rounds = _make_schedule(), _make_eight_rounds()


def _spread(builder: Any, word: Any) -> _Vector:
    """One word in every lane."""
    nothing = ir.Constant(_LANE, ir.Undefined)
    lane = builder.insert_element(nothing, word, ir.IntType(32)(0))
    return builder.shuffle_vector(lane, nothing, ir.Constant(_LANE, [0] * LANES))


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


@kernel
def hmac_each(keys: Bytes, data: Bytes, width: int, out: Bytes) -> None:
    """As :func:`hmac_rows`, keys ``uint8[n, 64]``, messages of ``width`` bytes one after another.

    In lanes that no row is left for stands whatever stood there.
    """
    w = np.zeros((64, LANES), np.uint32)
    inner, outer = np.empty((8, LANES), np.uint32), np.empty((8, LANES), np.uint32)
    rows = len(keys)
    for first in range(0, rows, LANES):
        lanes = min(LANES, rows - first)
        _key_each(keys, first, lanes, 0x36, w, inner)
        _key_each(keys, first, lanes, 0x5C, w, outer)
        for number in range((width + 8) // BLOCK_BYTES + 1):
            for lane in range(lanes):
                start = (first + lane) * width
                _put_block(data, start, start + width, number, w, lane)
            _compress(inner, w)
        _put_digest(inner, w)
        _compress(outer, w)
        for lane in range(lanes):
            _write(outer, lane, out, first + lane)


@helper
def _key_each(keys: Bytes, first: int, lanes: int, pad: int, w: Words, state: Words) -> None:
    """``state`` after the block ``key ^ pad``, another in every lane."""
    for lane in range(LANES):
        for i in range(8):
            state[i, lane] = _START[i]
    for lane in range(lanes):
        for i in range(16):
            word = uint32(0)
            for j in range(4):
                word = (word << uint32(8)) | uint32(keys[first + lane, 4 * i + j] ^ pad)
            w[i, lane] = word
    _compress(state, w)


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
