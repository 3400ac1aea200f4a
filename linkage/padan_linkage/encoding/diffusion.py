"""Keyed linear diffusion: every output bit is the XOR of t distinct input bits.

The map is linear, so the filter's image is the XOR of one row for each of its set bits; the rows
are made here once a segment label. Spec: ``proto/spec/10-encoding.md``, "Diffusion".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.lanes import aligned


def diffusion_indices(key: bytes, bits: int, taps: int) -> NDArray[np.int64]:
    """Which input bits make each output bit, ``int64[bits, taps]``.

    Words of 16 bits, big-endian, are taken from HMAC-SHA-256 of the block number (4 bytes,
    big-endian), blocks from 0. A word at or above the largest multiple of ``bits`` in 2^16 is
    dropped, as is an index that the output bit already has. Raises ValueError if ``taps`` exceeds
    ``bits``.
    """
    if taps > bits:
        raise ValueError("more taps than bits")
    limit = (1 << 16) // bits * bits
    words = _keystream_words(key)
    indices = np.empty((bits, taps), np.int64)
    for output in range(bits):
        chosen: list[int] = []
        while len(chosen) < taps:
            word = next(words)
            index = word % bits
            if word < limit and index not in chosen:
                chosen.append(index)
        indices[output] = chosen
    return indices


def diffusion_rows(key: bytes, bits: int, taps: int) -> NDArray[np.uint64]:
    """What each set input bit adds to the output, ``uint64[bits, bits // 64]``.

    Bit j of row i is set where output bit j has input bit i among its taps. Without taps the map
    is the identity. The table begins at a cache line, because the encoder reads nothing as often.
    """
    if taps:
        inputs = diffusion_indices(key, bits, taps).ravel()
        outputs = np.repeat(np.arange(bits), taps)
    else:
        inputs = outputs = np.arange(bits)
    rows = np.zeros((bits, bits), np.uint8)
    rows[inputs, outputs] = 1
    table = aligned(bits * bits // 64).reshape(bits, -1)
    table[:] = np.packbits(rows, axis=1, bitorder="little").view("<u8")
    return table


def _keystream_words(key: bytes) -> Iterator[int]:
    block = 0
    while True:
        stream = hmac.digest(key, block.to_bytes(4, "big"), hashlib.sha256)
        for at in range(0, len(stream), 2):
            yield stream[at] << 8 | stream[at + 1]
        block += 1
