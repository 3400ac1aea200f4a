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
    words = diffusion.shape[1]
    codes = np.empty(MAX_GRAMS * cuts.size, np.uint64)
    work = np.empty((4, codes.size), np.uint64)
    bits = np.empty(words, np.uint64)
    positions = np.empty(weight + MAX_GRAMS * cuts.size, np.int64)
    for row in range(span[0], span[1]):
        record = records[row]
        count = 0
        if record >= 0:
            for f in range(cuts.size):
                value = (data, offsets[f, record], offsets[f, record + 1])
                count = extract(cuts[f], value, (label << 8) | (f << 16), codes, count)
        target = filters[row, word0 : word0 + words]
        if count:
            salt = (salts[row, 0], salts[row, 1])
            bits[:] = uint64(0)
            found = _positions(salt, codes[:count], weight, work, (bits, positions))
            _diffuse(positions[:found], diffusion, target)
            _mask(salt, label, target)
            presence[row, index >> 3] |= np.uint8(1 << (index & 7))
        else:
            _fill(fill, row, word0, target)


@helper
def _positions(
    salt: tuple[U64, U64], codes: Words, weight: int, work: Words, scratch: tuple[Words, Numbers]
) -> int:
    """Shares ``weight`` insertions out over the q-grams; the distinct positions go to ``scratch``.

    ``scratch``: the segment's bits, all zero before, and room for ``weight`` positions. Returns
    their number. The loops over q-grams have no branches, so that they vectorise.
    """
    count = codes.size
    hashes, rank, order = work[:2], work[2], work[3]
    bits, positions = scratch
    length = uint64(bits.size * 64)
    each, extra = weight // count, weight % count
    _hash_all(salt, codes, 0, hashes)
    for i in range(count):
        rank[i] = ((hashes[1, i] >> uint64(48)) << uint64(48)) | codes[i]
        order[i] = rank[i]
    last_extra = _smallest(order[:count], extra)
    inserted = 0
    for turn in range(each + (extra > 0)):
        slot = turn % POSITIONS_PER_HASH
        if slot == 0 and turn:
            _hash_all(salt, codes, turn // POSITIONS_PER_HASH, hashes)
        half, shift = slot >> 2, uint64(16 * (slot & 3))
        for i in range(count):
            word = (hashes[half, i] >> shift) & uint64(0xFFFF)
            order[i] = (word * length) >> uint64(16)
        for i in range(count):
            positions[inserted] = order[i]
            inserted += turn < each or rank[i] <= last_extra
    return _distinct(positions[:inserted], bits)


@helper
def _hash_all(salt: tuple[U64, U64], codes: Words, counter: int, hashes: Words) -> None:
    """Both halves of SipHash of every q-gram with ``counter`` into ``hashes[0]`` and ``[1]``."""
    start = sip_start(salt[0], salt[1])
    tail = uint64(_GRAM_LENGTH) | (uint64(counter) << uint64(_COUNTER_SHIFT))
    low, high = hashes[0], hashes[1]
    for i in range(codes.size):
        low[i], high[i] = sip_word(start, codes[i] | tail)


@helper
def _smallest(order: Words, wanted: int) -> U64:
    """The ``wanted``-th smallest number of ``order``, which it sorts (Shell, Ciura's gaps)."""
    for gap in (57, 23, 10, 4, 1):
        for i in range(gap, order.size):
            moved = order[i]
            j = i
            while j >= gap and order[j - gap] > moved:
                order[j] = order[j - gap]
                j -= gap
            order[j] = moved
    smallest: U64 = order[max(wanted - 1, 0)]
    return smallest


@helper
def _distinct(positions: Numbers, bits: Words) -> int:
    """Sets the bits at ``positions`` and moves those that were not yet set to the front."""
    found = 0
    for i in range(positions.size):
        position = positions[i]
        before = bits[position >> 6]
        after = before | (uint64(1) << uint64(position & 63))
        bits[position >> 6] = after
        positions[found] = position
        found += before != after
    return found


@helper
def _diffuse(positions: Numbers, diffusion: Words, target: Words) -> None:
    """XOR of the diffusion rows at ``positions``; eight words at a time stay in registers."""
    first = 0
    while first + 8 <= target.size:
        a = b = c = d = e = f = g = h = uint64(0)
        for i in range(positions.size):
            row = positions[i]
            a ^= diffusion[row, first]
            b ^= diffusion[row, first + 1]
            c ^= diffusion[row, first + 2]
            d ^= diffusion[row, first + 3]
            e ^= diffusion[row, first + 4]
            f ^= diffusion[row, first + 5]
            g ^= diffusion[row, first + 6]
            h ^= diffusion[row, first + 7]
        target[first], target[first + 1], target[first + 2], target[first + 3] = a, b, c, d
        target[first + 4], target[first + 5], target[first + 6], target[first + 7] = e, f, g, h
        first += 8
    for w in range(first, target.size):
        a = uint64(0)
        for i in range(positions.size):
            a ^= diffusion[positions[i], w]
        target[w] = a


@helper
def _mask(salt: tuple[U64, U64], label: int, target: Words) -> None:
    """XORs the pad of (pass, label, salt) over the segment, 128 bits a hash."""
    start = sip_start(salt[0], salt[1])
    message = uint64(MASK_DOMAIN | (label << 8)) | uint64(_GRAM_LENGTH)
    for block in range((target.size + 1) // 2):
        low, high = sip_word(start, message | (uint64(block) << uint64(_COUNTER_SHIFT)))
        target[2 * block] ^= low
        if 2 * block + 1 < target.size:
            target[2 * block + 1] ^= high


@helper
def _fill(fill: Words, row: int, word0: int, target: Words) -> None:
    """Random bits where a record has nothing, from the table's own fill key."""
    start = sip_start(fill[0], fill[1])
    for w in range(target.size):
        target[w] = sip_word(start, uint64((row << 16) | (word0 + w)))[0]


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
