"""The hot loops: filters, presence bits and confirmation tags of a range of rows.

Every function releases the GIL and writes only its own rows, so threads share nothing.
Spec: ``proto/spec/10-encoding.md``, "Filter", "Mask" and "Confirmation tags".
"""

from __future__ import annotations

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from padan_linkage.encoding.qgrams import MAX_GRAMS, extract
from padan_linkage.encoding.siphash import sip_bytes, sip_start, sip_word
from padan_linkage.encoding.vectors import LANES, sip_words, xor_rows
from padan_linkage.jit import helper, kernel

U64 = np.uint64
Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Bytes = NDArray[np.uint8]

#: First message byte of what is not a q-gram (q-gram rules are 1 to 9).
MASK_DOMAIN = 0x40
TAG_DOMAIN = 0x80
#: Positions that one SipHash result gives; its last 16 bits rank the q-gram instead.
POSITIONS_PER_HASH = 7

_RANK = 0xFFFF << 48
_GRAM_LENGTH = 7 << 56  # a q-gram and its counter are seven bytes
_COUNTER_SHIFT = 48


@kernel
def encode_segment(
    segment: tuple[Words, Numbers, int, int, int, int],
    text: tuple[Bytes, Numbers],
    source: tuple[Words, Numbers, Words],
    out: tuple[Words, Bytes],
    span: tuple[int, int],
) -> None:
    """Writes one segment of rows ``span`` into the filters.

    ``segment``: diffusion rows ``uint64[m, m/64]``, the fields' cuts ``int64[f]``, label number,
    weight, index of the segment in the pass, its first word in the filter. ``text``: UTF-8 bytes
    and offsets ``int64[f, records + 1]`` of the fields. ``source``: salt keys ``uint64[rows, 2]``,
    record of each row ``int64[rows]`` (-1: none) and the fill key ``uint64[2]``. ``out``: filters
    ``uint64[rows, words]`` and presence ``uint8[rows, ≥ 1]``.
    """
    diffusion, cuts, label, weight, index, word0 = segment
    data, offsets = text
    salts, records, fill = source
    filters, presence = out
    width, words = filters.shape[1], diffusion.shape[1]
    flat, rows = filters.reshape(-1), diffusion.reshape(-1)
    most = MAX_GRAMS * cuts.size
    codes = np.empty(most + LANES, np.uint64)
    hashes = np.empty((3, most + LANES), np.uint64)
    positions = np.empty(weight + most, np.int64)
    seen = np.zeros(64 * words, np.int64)
    for row in range(span[0], span[1]):
        record = records[row]
        count = 0
        if record >= 0:
            for f in range(cuts.size):
                value = (data, offsets[f, record], offsets[f, record + 1])
                count = extract(cuts[f], value, (label << 8) | (f << 16), codes, count)
        first = row * width + word0
        if count:
            salt = (salts[row, 0], salts[row, 1])
            inserted = _insert(salt, codes, count, weight, hashes, positions, 64 * words)
            found = _distinct(positions, inserted, seen, row + 1)
            _diffuse(positions, found, rows, words, flat, first)
            _mask(salt, label, flat, first, words)
            presence[row, index >> 3] |= np.uint8(1 << (index & 7))
        else:
            _fill(fill, row, word0, flat, first, words)


# Below, arrays go from function to function whole, with the place in them beside: a slice would
# cost its reference count, and there are several a row.


@helper
def _insert(
    salt: tuple[U64, U64],
    codes: Words,
    count: int,
    weight: int,
    hashes: Words,
    positions: Numbers,
    bits: int,
) -> int:
    """Shares ``weight`` insertions into ``bits`` positions out over ``codes[:count]``.

    The positions, some perhaps twice, go to ``positions``; ``hashes`` is scratch of three rows.
    Returns their number.
    """
    each, extra = weight // count, weight % count
    _hash_all(salt, codes, count, 0, hashes)
    for i in range(count):
        hashes[2, i] = (hashes[1, i] & uint64(_RANK)) | codes[i]
    last_extra = _smallest(hashes, count, extra)
    inserted = 0
    for turn in range(each + (extra > 0)):
        slot = turn % POSITIONS_PER_HASH
        if slot == 0 and turn:
            _hash_all(salt, codes, count, turn // POSITIONS_PER_HASH, hashes)
        half, shift = slot >> 2, uint64(16 * (slot & 3))
        if turn < each:
            # No branch and no place that depends on the last: this loop becomes vectors.
            for i in range(count):
                positions[inserted + i] = _place(hashes[half, i] >> shift, bits)
            inserted += count
        else:
            for i in range(count):
                positions[inserted] = _place(hashes[half, i] >> shift, bits)
                inserted += hashes[2, i] <= last_extra
    return inserted


@helper
def _place(word: U64, bits: int) -> np.int64:
    """The low 16 bits of a word as a number below ``bits``."""
    return np.int64(((word & uint64(0xFFFF)) * uint64(bits)) >> uint64(16))


@helper
def _hash_all(salt: tuple[U64, U64], codes: Words, count: int, counter: int, hashes: Words) -> None:
    """SipHash of every q-gram with ``counter``, its halves into ``hashes[0]`` and ``[1]``."""
    start = sip_start(salt[0], salt[1])
    tail = uint64(_GRAM_LENGTH) | (uint64(counter) << uint64(_COUNTER_SHIFT))
    for i in range(0, count, LANES):
        sip_words(start, codes, tail, i, hashes)


@helper
def _smallest(hashes: Words, count: int, wanted: int) -> U64:
    """The ``wanted``-th smallest of the distinct ranks ``hashes[2, :count]``; 0 if none is wanted.

    Counts for each rank how many are below it: for the few dozen q-grams of a value that is
    faster than any sorting, because it becomes vectors.
    """
    smallest = uint64(0)
    if wanted == 0:
        return smallest
    for i in range(count):
        below = 0
        for j in range(count):
            below += hashes[2, j] < hashes[2, i]
        if below == wanted - 1:
            smallest = hashes[2, i]
            break
    return smallest


@helper
def _distinct(positions: Numbers, count: int, seen: Numbers, stamp: int) -> int:
    """Moves each position's first occurrence to the front; returns how many there are.

    ``seen`` holds, by position, the stamp of the row that had it last.
    """
    found = 0
    for i in range(count):
        position = positions[i]
        positions[found] = position
        found += seen[position] != stamp
        seen[position] = stamp
    return found


@helper
def _diffuse(
    positions: Numbers, count: int, rows: Words, words: int, flat: Words, first: int
) -> None:
    """XOR of the diffusion rows at ``positions``; eight words at a time stay in a register."""
    done = 0
    while done + LANES <= words:
        xor_rows(rows, words, done, positions, count, flat, first + done)
        done += LANES
    for w in range(done, words):
        word = uint64(0)
        for i in range(count):
            word ^= rows[positions[i] * words + w]
        flat[first + w] = word


@helper
def _mask(salt: tuple[U64, U64], label: int, flat: Words, first: int, words: int) -> None:
    """XORs the pad of (pass, label, salt) over the segment, 128 bits a hash."""
    start = sip_start(salt[0], salt[1])
    message = uint64(MASK_DOMAIN | (label << 8)) | uint64(_GRAM_LENGTH)
    for block in range((words + 1) // 2):
        low, high = sip_word(start, message | (uint64(block) << uint64(_COUNTER_SHIFT)))
        flat[first + 2 * block] ^= low
        if 2 * block + 1 < words:
            flat[first + 2 * block + 1] ^= high


@helper
def _fill(fill: Words, row: int, word0: int, flat: Words, first: int, words: int) -> None:
    """Random bits where a record has nothing, from the table's own fill key."""
    start = sip_start(fill[0], fill[1])
    for w in range(words):
        flat[first + w] = sip_word(start, uint64((row << 16) | (word0 + w)))[0]


@kernel
def encode_tags(
    index: int,
    text: tuple[Bytes, Numbers],
    source: tuple[Words, Numbers, Words],
    out: Words,
    span: tuple[int, int],
) -> None:
    """Writes the tag of confirmed field ``index`` of rows ``span`` into ``out[rows, fields]``.

    ``text`` and ``source`` as in :func:`encode_segment`, with one field; an empty value gets
    random bits.
    """
    data, offsets = text
    salts, records, fill = source
    start = sip_start(fill[0], fill[1])
    head = np.empty(2, np.uint8)
    head[0] = TAG_DOMAIN
    head[1] = index
    for row in range(span[0], span[1]):
        record = records[row]
        if record < 0 or offsets[0, record] == offsets[0, record + 1]:
            filler = uint64((row << 16) | index) | (uint64(1) << uint64(63))
            out[row, index] = sip_word(start, filler)[0]
            continue
        salt = (salts[row, 0], salts[row, 1])
        first, last = offsets[0, record], offsets[0, record + 1]
        out[row, index] = sip_bytes(salt, head, data, first, last)[0]
