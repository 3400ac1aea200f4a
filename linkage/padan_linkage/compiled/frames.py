"""Short hashes of chosen parts of framed messages, to count by: no secret and no adversary here.

A framed part is its length in two bytes, big-endian, then its bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numba import uint64
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel

_BASIS, _PRIME = uint64(0xCBF29CE484222325), uint64(0x100000001B3)


def part_hashes(
    messages: pa.LargeBinaryArray, head: int, chosen: NDArray[np.bool_], seed: int
) -> NDArray[np.uint64]:
    """64-bit FNV-1a, seeded, of the ``chosen`` parts (bool[parts]) of every message, uint64[n].

    The parts come after ``head`` bytes; no nulls. Never 0, which stands for nothing.
    """
    _, ends, content = messages.buffers()
    first, count = messages.offset, len(messages)
    offsets = np.frombuffer(ends or bytes(8), np.int64)[first : first + count + 1]
    data = np.frombuffer(content or b"\x00", np.uint8)
    out = np.empty(count, np.uint64)
    hash_parts(data, offsets, head, chosen, seed, out)
    return out


@kernel
def hash_parts(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    head: int,
    chosen: NDArray[np.bool_],
    seed: int,
    out: NDArray[np.uint64],
) -> None:
    """As :func:`part_hashes`, into ``out``."""
    for row in range(len(out)):
        at = offsets[row] + head
        state = _stirred(_BASIS, uint64(seed))
        for part in range(len(chosen)):
            length = (int(data[at]) << 8) | int(data[at + 1])
            end = at + 2 + length
            if chosen[part]:
                for i in range(at, end):
                    state = _stirred(state, uint64(data[i]))
            at = end
        out[row] = state | uint64(1)


@helper
def _stirred(state: Any, byte: Any) -> Any:
    return (state ^ byte) * _PRIME
