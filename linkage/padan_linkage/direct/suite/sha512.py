"""SHA-512 of many messages, eight at a time in vector registers (FIPS 180-4).

An input is hashed to the group, to a weight of a proof and to its output: seven blocks. Through
``hashlib`` they take as long as the curve does in eight lanes, nearly all of it Python's. The tests
hold it against ``hashlib`` on any message. Time depends on the messages' lengths alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numba import types
from numba.core.extending import intrinsic
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.compiled.lanes import LANE, LANES, WORD, data_of, load, spread, store
from padan_linkage.compiled.sha2 import cube_roots, next_word, rounded, square_roots

BLOCK_BYTES = 128
HASH_BYTES = 64

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]

#: Bytes of the message's length at the end of the last block, and the 0x80 before it.
_TAIL = 17


_START = np.array(square_roots(64), np.uint64)
_ROUNDS = np.array(cube_roots(64, 80), np.uint64)
#: What a round turns its variables a and e by; what the schedule turns and shifts its words by.
_OF_A, _OF_E = (28, 34, 39), (14, 18, 41)
_OF_EARLY, _OF_LATE = (1, 8, 7), (19, 61, 6)


@dataclass(frozen=True, repr=False)
class HashInputs:
    """Messages in ``data`` ``uint8[…]``, one after another; ``offsets`` ``int64[n + 1]``."""

    data: Bytes
    offsets: Numbers

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @classmethod
    def of(cls, messages: Sequence[bytes]) -> HashInputs:
        """Those of a sequence."""
        offsets = np.zeros(len(messages) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, messages), np.int64, len(messages)), out=offsets[1:])
        return cls(np.frombuffer(b"".join(messages) or b"\x00", np.uint8), offsets)

    @classmethod
    def rows(cls, table: Bytes) -> HashInputs:
        """The rows of ``uint8[n, k]``."""
        count, width = table.shape
        flat = np.ascontiguousarray(table).reshape(-1).view()
        flat.flags.writeable = False  # as of() has them: one type for the compiler
        return cls(flat, np.arange(count + 1, dtype=np.int64) * width)


def sha512_all(head: bytes, messages: HashInputs, tail: bytes = b"") -> Bytes:
    """``SHA-512(head ‖ message ‖ tail)`` of every message, ``uint8[n, 64]``."""
    out = np.empty((len(messages), HASH_BYTES), np.uint8)
    whole = len(head) // BLOCK_BYTES * BLOCK_BYTES
    texts = (head[:whole], head[whole:], tail)
    before, rest, last = (np.frombuffer(text, np.uint8) for text in texts)
    _hash_all(before, rest, messages.data, messages.offsets, last, out)
    return out


@kernel
def _hash_all(
    before: Bytes, rest: Bytes, data: Bytes, offsets: Numbers, tail: Bytes, out: Bytes
) -> None:
    """``before`` is whole blocks, hashed once for all messages."""
    w, now = np.empty((16, LANES), np.uint64), np.empty((8, LANES), np.uint64)
    begin, state = np.empty((8, LANES), np.uint64), np.empty((8, LANES), np.uint64)
    _begin(before, begin, now, w)
    rows = len(offsets) - 1
    around = len(rest) + len(tail)
    room = np.empty((LANES, _blocks(_longest(offsets, 0, rows) + around) * BLOCK_BYTES), np.uint8)
    for first in range(0, rows, LANES):
        lanes = min(LANES, rows - first)
        for lane in range(lanes):
            message = data[offsets[first + lane] : offsets[first + lane + 1]]
            _lay(rest, message, tail, len(before), room[lane])
        _copy(begin, state)
        for number in range(_blocks(_longest(offsets, first, lanes) + around)):
            _take_block(room, number, w)
            _compress(state, now, w)
            for lane in range(lanes):
                length = offsets[first + lane + 1] - offsets[first + lane] + around
                if number == _blocks(length) - 1:
                    _write(state, lane, out[first + lane])


@helper
def _blocks(length: int) -> int:
    """Blocks that a message takes when it is padded."""
    return (length + _TAIL + BLOCK_BYTES - 1) // BLOCK_BYTES


@helper
def _longest(offsets: Numbers, first: int, count: int) -> int:
    longest = 0
    for i in range(first, first + count):
        longest = max(longest, offsets[i + 1] - offsets[i])
    return longest


@helper
def _begin(before: Bytes, state: Words, now: Words, w: Words) -> None:
    """The state after the blocks of ``before``, in every lane."""
    for i in range(8):
        state[i] = _START[i]
    room = np.empty((LANES, len(before)), np.uint8)
    for lane in range(LANES):
        room[lane] = before
    for number in range(len(before) // BLOCK_BYTES):
        _take_block(room, number, w)
        _compress(state, now, w)


@helper
def _lay(rest: Bytes, message: Bytes, tail: Bytes, before: int, room: Bytes) -> None:
    """The padded message, from block ``before / 128`` on (FIPS 180-4, 5.1.2)."""
    length = len(rest) + len(message) + len(tail)
    end = _blocks(length) * BLOCK_BYTES
    room[: len(rest)] = rest
    room[len(rest) : len(rest) + len(message)] = message
    room[len(rest) + len(message) : length] = tail
    room[length] = 0x80
    room[length + 1 : end] = 0
    bits = np.uint64(8 * (before + length))
    for i in range(8):
        room[end - 1 - i] = np.uint8((bits >> np.uint64(8 * i)) & np.uint64(255))


@helper
def _compress(state: Words, now: Words, w: Words) -> None:
    """``state`` after the block in ``w``, of which nothing remains."""
    _copy(state, now)
    for i in range(0, 80, 16):
        _sixteen_rounds(now, w, _ROUNDS, i)
    for i in range(8):
        for lane in range(LANES):
            state[i, lane] += now[i, lane]


@helper
def _copy(source: Words, target: Words) -> None:
    for i in range(8):
        for lane in range(LANES):
            target[i, lane] = source[i, lane]


@helper
def _write(state: Words, lane: int, row: Bytes) -> None:
    for i in range(8):
        word = state[i, lane]
        for j in range(8):
            row[8 * i + j] = np.uint8((word >> np.uint64(56 - 8 * j)) & np.uint64(255))


def _make_take_block() -> Callable[[Bytes, int, Words], None]:
    @intrinsic
    def take_block(_typing: Any, room: Any, _number: Any, w: Any) -> Any:
        """Block ``number`` of each row of ``room`` ``uint8[8, …]`` into ``w`` ``uint64[16, 8]``."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            rows = context.make_array(signature.args[0])(context, builder, arguments[0])
            width = builder.extract_value(rows.shape, 1)
            words = data_of(context, builder, signature, arguments, 2)
            start = builder.mul(arguments[1], WORD(BLOCK_BYTES))
            for lane in range(LANES):
                place = builder.gep(rows.data, [builder.add(start, builder.mul(width, WORD(lane)))])
                block = builder.bitcast(place, WORD.as_pointer())
                for j in range(16):
                    word = builder.load(builder.gep(block, [WORD(j)]), align=1)
                    target = builder.gep(words, [WORD(LANES * j + lane)])
                    builder.store(builder.bswap(word), target, align=8)
            return context.get_dummy_value()

        return types.void(room, types.int64, w), generate

    return cast("Callable[[Bytes, int, Words], None]", take_block)


def _make_sixteen_rounds() -> Callable[[Words, Words, Words, int], None]:
    @intrinsic
    def sixteen_rounds(_typing: Any, v: Any, w: Any, k: Any, _i: Any) -> Any:
        """``v`` ``uint64[8, 8]`` after rounds ``i`` to ``i + 15`` (FIPS 180-4, 6.4.2).

        ``w`` ``uint64[16, 8]`` has the schedule of these rounds, and afterwards that of the next.
        """

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            variables, words, constants = (
                data_of(context, builder, signature, arguments, n) for n in range(3)
            )
            now = [load(builder, variables, WORD(LANES * n)) for n in range(8)]
            schedule = [load(builder, words, WORD(LANES * n)) for n in range(16)]
            for n in range(16):
                place = builder.gep(constants, [builder.add(arguments[3], WORD(n))])
                constant = spread(builder, builder.load(place), LANE)
                now = rounded(builder, now, builder.add(schedule[n], constant), _OF_A, _OF_E)
            for n in range(16):
                before = tuple(schedule[(n + k) % 16] for k in (0, 1, 9, 14))
                schedule[n] = next_word(builder, before, _OF_EARLY, _OF_LATE)
            for n in range(8):
                store(builder, now[n], variables, WORD(LANES * n))
            for n in range(16):
                store(builder, schedule[n], words, WORD(LANES * n))
            return context.get_dummy_value()

        return types.void(v, w, k, types.int64), generate

    return cast("Callable[[Words, Words, Words, int], None]", sixteen_rounds)


_take_block, _sixteen_rounds = _make_take_block(), _make_sixteen_rounds()
