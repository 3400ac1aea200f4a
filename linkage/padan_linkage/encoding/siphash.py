"""SipHash-2-4 with 128-bit output, for Numba loops.

The function is Aumasson and Bernstein's (2012) in its authors' 128-bit variant; Wycheproof's
vectors are replayed in ``tests/conformance``. Keys and results are pairs of 64-bit words, read
little-endian. Spec: ``proto/spec/10-encoding.md``, "SipHash".
"""

from __future__ import annotations

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel

U64 = np.uint64
State = tuple[U64, U64, U64, U64]

_C0 = U64(0x736F6D6570736575)
_C1 = U64(0x646F72616E646F6D)
_C2 = U64(0x6C7967656E657261)
_C3 = U64(0x7465646279746573)
#: Marks the 128-bit variant: in the key set-up and before the first half of the result.
FIRST_HALF = 0xEE
#: Before the second half.
SECOND_HALF = 0xDD
_LONG, _SECOND = U64(FIRST_HALF), U64(SECOND_HALF)


@helper
def sip_start(k0: U64, k1: U64) -> State:
    """The state under a key."""
    return k0 ^ _C0, k1 ^ _C1 ^ _LONG, k0 ^ _C2, k1 ^ _C3


@helper
def _round(v0: U64, v1: U64, v2: U64, v3: U64) -> State:
    v0 = v0 + v1
    v1 = ((v1 << uint64(13)) | (v1 >> uint64(51))) ^ v0
    v0 = (v0 << uint64(32)) | (v0 >> uint64(32))
    v2 = v2 + v3
    v3 = ((v3 << uint64(16)) | (v3 >> uint64(48))) ^ v2
    v0 = v0 + v3
    v3 = ((v3 << uint64(21)) | (v3 >> uint64(43))) ^ v0
    v2 = v2 + v1
    v1 = ((v1 << uint64(17)) | (v1 >> uint64(47))) ^ v2
    v2 = (v2 << uint64(32)) | (v2 >> uint64(32))
    return v0, v1, v2, v3


@helper
def sip_absorb(state: State, word: U64) -> State:
    """The state after one word of the message."""
    v0, v1, v2, v3 = state
    v3 = v3 ^ word
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


@helper
def sip_finish(state: State) -> tuple[U64, U64]:
    """Both halves of the result, after the last word."""
    v0, v1, v2, v3 = state
    v2 = v2 ^ _LONG
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    first = v0 ^ v1 ^ v2 ^ v3
    v1 = v1 ^ _SECOND
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return first, v0 ^ v1 ^ v2 ^ v3


@helper
def sip_word(start: State, word: U64) -> tuple[U64, U64]:
    """SipHash of a message that fits one word: up to 7 bytes, its length in the top byte."""
    return sip_finish(sip_absorb(start, word))


@kernel
def sip_bytes(
    key: tuple[U64, U64], head: NDArray[np.uint8], data: NDArray[np.uint8], first: int, last: int
) -> tuple[U64, U64]:
    """SipHash of ``head ‖ data[first:last]`` under ``key``."""
    state = sip_start(key[0], key[1])
    word = uint64(0)
    length = head.size + last - first
    for i in range(length):
        byte = head[i] if i < head.size else data[first + i - head.size]
        word |= uint64(byte) << uint64(8 * (i & 7))
        if i & 7 == 7:
            state = sip_absorb(state, word)
            word = uint64(0)
    word |= uint64(length & 0xFF) << uint64(56)
    return sip_finish(sip_absorb(state, word))
