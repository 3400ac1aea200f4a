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

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.jit import lean_kernel
from padan_linkage.compiled.lanes import aligned
from padan_linkage.encoding.columns import StringColumn, text_of
from padan_linkage.encoding.vectors import LANES, join_bigrams

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
#: UTF-8 bytes of all columns, and offsets ``int64[columns, n + 1]`` into them.
Text = tuple[Bytes, Numbers]

_BIGRAMS = 1 << 16
_SPACE = 32
#: The first 64 of every 1,024 records show nearly all bigrams that a table has.
_BLOCK, _EVERY = 64, 1024
#: Records that are filled together.
_TOGETHER = 256


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
    text = text_of(columns)
    rows = text[1].shape[1] - 1
    filters = aligned(rows * bits // 64).reshape(rows, bits // 64)
    strange = np.zeros(rows, np.bool_)
    masks = _Masks(len(columns), key, bits, positions)

    def fill(some: Numbers) -> None:
        fill_filters(text, masks.number, masks.table, some, (filters, strange))

    every = np.arange(rows)
    masks.learn(text, every[every % _EVERY < _BLOCK])
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, np.array_split(every, threads)))
    left = np.flatnonzero(strange)
    if left.size:  # they have bigrams that no record of the sample has
        masks.learn(text, left)
        fill(left)
    return filters


class _Masks:
    """The filter of every single bigram seen so far.

    ``number`` ``int32[columns, 65536]`` is a column's bigram's row in ``table``
    ``uint64[known, bits / 64]``; row 0 is empty and stands for those not seen.
    """

    def __init__(self, columns: int, key: bytes, bits: int, positions: int) -> None:
        self.number = np.zeros((columns, _BIGRAMS), np.int32)
        self.table = aligned(bits // 64).reshape(1, -1)
        self._keyed = hmac.new(key, digestmod=hashlib.sha512)
        self._bits, self._positions = bits, positions

    def learn(self, text: Text, rows: Numbers) -> None:
        """Makes the masks of all new bigrams in ``rows``."""
        used = np.zeros(self.number.shape, np.bool_)
        note_bigrams(text, rows, used)
        fresh = np.flatnonzero(used & (self.number == 0))
        known = len(self.table)
        self.number.ravel()[fresh] = np.arange(known, known + len(fresh))
        table = aligned(self.table.size + len(fresh) * self._bits // 64)
        table[: self.table.size] = self.table.ravel()
        self.table = table.reshape(known + len(fresh), -1)
        set_positions(self._words(fresh) % np.uint32(self._bits), self.table, known)

    def _words(self, bigrams: Numbers) -> NDArray[np.uint32]:
        """The keyed hash of each column · 65536 + bigram, ``uint32[b, positions]``."""
        blocks = range(-(-4 * self._positions // self._keyed.digest_size))
        stream = bytearray()
        for bigram in bigrams.tolist():
            for block in blocks:
                hashed = self._keyed.copy()
                hashed.update((bigram << 8 | block).to_bytes(4, "big"))
                stream += hashed.digest()
        words = np.frombuffer(stream, ">u4").reshape(len(bigrams), 16 * len(blocks))
        return words[:, : self._positions].astype(np.uint32)


@lean_kernel
def set_positions(positions: NDArray[np.uint32], table: Words, first: int) -> None:
    """Sets the bits ``positions[i]`` of ``table[first + i]``."""
    for i in range(positions.shape[0]):
        for position in positions[i]:
            table[first + i, position >> 6] |= np.uint64(1) << np.uint64(position & 63)


@lean_kernel
def note_bigrams(text: Text, rows: Numbers, used: NDArray[np.bool_]) -> None:
    """Marks in ``used`` ``bool[columns, 65536]`` every bigram that a column has in ``rows``."""
    data, offsets = text
    for column in range(offsets.shape[0]):
        for row in rows:
            first, last = np.uintp(offsets[column, row]), np.uintp(offsets[column, row + 1])
            before = np.uintp(_SPACE)
            for at in range(first, last):
                byte = np.uintp(data[at])
                used[column, (before << np.uintp(8)) | byte] = True
                before = byte
            if first < last:
                used[column, (before << np.uintp(8)) | np.uintp(_SPACE)] = True


@lean_kernel
def fill_filters(
    text: Text,
    number: NDArray[np.int32],
    masks: Words,
    some: Numbers,
    out: tuple[Words, NDArray[np.bool_]],
) -> None:
    """Joins the masks of each of ``some`` records' bigrams to what is in their filters.

    ``number`` and ``masks`` are those of :class:`_Masks`. ``out``: filters, and ``bool[n]`` that
    tells who has unknown bigrams.
    """
    data, offsets = text
    filters, strange = out
    words = filters.shape[1]
    flat, rows, numbers = filters.reshape(-1), masks.reshape(-1), number.reshape(-1)
    # A column at a time: the masks of one column's bigrams have room in the nearest cache.
    for begin in range(0, some.size, _TOGETHER):
        block = some[begin : begin + _TOGETHER]
        for row in block:
            strange[row] = False
        for column in range(number.shape[0]):
            for row in block:
                first, last = offsets[column, row], offsets[column, row + 1]
                if first == last:
                    continue
                for word in range(0, words, 2 * LANES):
                    at, to = column * _BIGRAMS, row * words + word
                    lowest = join_bigrams(
                        data, first, last, numbers, at, rows[word:], words, flat, to
                    )
                    strange[row] |= lowest == 0
