"""Plain filters: one keyed Bloom filter a record, neither salted nor hardened.

No pass uses them: whoever knows the population re-identifies nearly everybody in them (Schaefer
and others 2024). They are here to be attacked and compared with: ``padan assess`` must break them,
and ``padan bench encode`` measures them beside the library whose filters they are like (CLKs,
Schnell and others 2009).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from padan_linkage.encoding.columns import StringColumn, text_of
from padan_linkage.encoding.vectors import LANES, or_rows
from padan_linkage.jit import helper, kernel

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]

_BIGRAMS = 1 << 16
_SPACE = 32


def encode_plain(
    columns: Sequence[StringColumn],
    key: bytes,
    *,
    bits: int = 1024,
    positions: int = 10,
    threads: int = 1,
) -> Words:
    """One filter a record, ``uint64[n, bits / 64]``, of the bigrams of all ``columns``.

    ``columns``: strings of one length n, "" for missing. A value's bigrams are those of its bytes
    with a space before and after; each sets ``positions`` bits, which are 32-bit words, modulo
    ``bits``, of HMAC-SHA-512 in counter mode over column number and bigram. ``bits`` is a multiple
    of 1,024.
    """
    if bits % 1024:
        raise ValueError("a plain filter's length is a multiple of 1,024 bits")
    data, offsets = text_of(columns)
    rows = offsets.shape[1] - 1
    used = np.zeros((len(offsets), _BIGRAMS), np.bool_)
    note_bigrams(data, offsets, used)
    # Four bytes each: what a column's letters need then lies in a few cache lines.
    number = np.cumsum(used.ravel(), dtype=np.int32).reshape(used.shape) - np.int32(1)
    masks = _masks(np.argwhere(used), key, bits, positions)
    filters = np.empty((rows, bits // 64), np.uint64)
    longest = int((np.diff(offsets, axis=1) + 1).max(axis=1, initial=1).sum())
    spans = list(pairwise([rows * i // threads for i in range(threads + 1)]))
    with ThreadPoolExecutor(threads) as pool:
        list(
            pool.map(
                lambda span: fill_filters(data, offsets, number, masks, longest, filters, span),
                spans,
            )
        )
    return filters


def _masks(bigrams: Numbers, key: bytes, bits: int, positions: int) -> Words:
    """The filter of each single bigram, ``uint64[b, bits / 64]``."""
    blocks = range(-(-4 * positions // hashlib.sha512().digest_size))
    stream = b"".join(
        [
            hmac.digest(key, b"%c%c%c%c" % (column, bigram >> 8, bigram & 0xFF, block), "sha512")
            for column, bigram in bigrams.tolist()
            for block in blocks
        ]
    )
    words = np.frombuffer(stream, ">u4").reshape(len(bigrams), 16 * len(blocks))[:, :positions]
    masks = np.zeros((len(bigrams), bits), np.uint8)
    np.put_along_axis(masks, (words % bits).astype(np.int64), 1, axis=1)
    return np.packbits(masks, axis=1, bitorder="little").view("<u8").astype(np.uint64)


@kernel
def note_bigrams(data: NDArray[np.uint8], offsets: Numbers, used: NDArray[np.bool_]) -> None:
    """Marks in ``used`` ``bool[columns, 65536]`` every bigram that a column has."""
    for column in range(offsets.shape[0]):
        for row in range(offsets.shape[1] - 1):
            first, last = np.uintp(offsets[column, row]), np.uintp(offsets[column, row + 1])
            before = np.uintp(_SPACE)
            for at in range(first, last):
                byte = np.uintp(data[at])
                used[column, (before << np.uintp(8)) | byte] = True
                before = byte
            if first < last:
                used[column, (before << np.uintp(8)) | np.uintp(_SPACE)] = True


@kernel
def fill_filters(
    data: NDArray[np.uint8],
    offsets: Numbers,
    number: NDArray[np.int32],
    masks: Words,
    longest: int,
    out: Words,
    span: tuple[int, int],
) -> None:
    """Joins the masks of each record of ``span``; ``longest`` bigrams at most.

    ``number`` ``int32[columns, 65536]`` is the mask of a column's bigram.
    """
    chosen = np.empty(longest, np.int64)
    words = out.shape[1]
    flat, rows = out.reshape(-1), masks.reshape(-1)
    for row in range(span[0], span[1]):
        count = 0
        for column in range(offsets.shape[0]):
            count = _bigrams(data, offsets, number, column, row, chosen, count)
        for word in range(0, words, 2 * LANES):
            or_rows(rows, words, word, chosen, count, flat, row * words + word)


@helper
def _bigrams(
    data: NDArray[np.uint8],
    offsets: Numbers,
    number: NDArray[np.int32],
    column: int,
    row: int,
    chosen: Numbers,
    count: int,
) -> int:
    """Appends the masks of one value; the new count."""
    first, last = offsets[column, row], offsets[column, row + 1]
    if first == last:
        return count
    # Unsigned places need no look whether they count from the end.
    before = np.uintp(_SPACE)
    place = np.uintp(count)
    for at in range(np.uintp(first), np.uintp(last)):
        byte = np.uintp(data[at])
        chosen[place] = number[column, (before << np.uintp(8)) | byte]
        before = byte
        place += np.uintp(1)
    chosen[place] = number[column, (before << np.uintp(8)) | np.uintp(_SPACE)]
    return int(place) + 1
