"""The hot loops: filters, presence bits and confirmation tags of a range of rows.

Every function releases the GIL and writes only its own rows, so threads share nothing.
Spec: ``proto/spec/10-encoding.md``, "Filter", "Mask" and "Confirmation tags".
"""

from __future__ import annotations

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel, lean_kernel
from padan_linkage.compiled.lanes import aligned, prefetch
from padan_linkage.encoding.qgrams import MAX_GRAMS, extract, occurrences, whole_value
from padan_linkage.encoding.siphash import State, sip_bytes, sip_start, sip_word
from padan_linkage.encoding.vectors import (
    LANES,
    TOGETHER,
    count_below,
    sip_first_halves,
    sip_first_halves_together,
    sip_words,
    sip_words_together,
    take_places,
    xor_distinct,
)

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Shorts = NDArray[np.uint16]
Bytes = NDArray[np.uint8]
#: Diffusion rows, cuts of the fields, label number, weights of the segment and of a field beside,
#: index of the segment in the pass, its first word in the filter.
Shape = tuple[Words, Numbers, int, tuple[int, int], int, int]
#: What the loop over rows works in: codes ``[n]``, hashes ``[2, n]``, positions, ranks and how many
#: are below them ``[2, n]``, who had a position last ``[m]``, occurrences.
Scratch = tuple[Words, Words, Shorts, Shorts, Words, Bytes]

#: First message byte of what is not a q-gram (q-gram rules are 1 to 9).
MASK_DOMAIN = 0x40
TAG_DOMAIN = 0x80
#: Number of the first field beside among a segment's fields.
BESIDE = 0x40
#: Positions that one SipHash result gives; its last 16 bits rank the q-gram instead.
POSITIONS_PER_HASH = 7

_SLOTS_A_HALF = 4
_SEVEN_BYTES = 7 << 56  # the length of a q-gram with its counter
_COUNTER_SHIFT = 48
#: How many rows ahead a record's bytes are asked for.
_AHEAD = 8


def encode_segment(
    segment: Shape,
    text: tuple[Bytes, Numbers],
    source: tuple[Words, Numbers, Words],
    out: tuple[Words, Bytes],
    span: tuple[int, int],
) -> None:
    """Writes one segment of rows ``span`` into the filters.

    ``segment``: diffusion rows ``uint64[m, m/64]``, the fields' cuts ``int64[f]``, label number,
    weights (the segment's, a field's beside), index of the segment in the pass, its first word in
    the filter. ``text``: UTF-8 bytes and offsets ``int64[f + beside, records + 1]`` of the fields
    and of those beside. ``source``: salt keys ``uint64[rows, 2]``,
    record of each row ``int64[rows]`` (-1: none) and its fill key ``uint64[rows, 2]``. ``out``:
    filters ``uint64[rows, words]`` and presence ``uint8[rows, ≥ 1]``.
    """
    diffusion, cuts, _, (weight, _), _, _ = segment
    most = MAX_GRAMS * cuts.size
    words = diffusion.shape[1]
    room = most + words + TOGETHER * LANES
    scratch = (
        aligned(room),
        aligned(2 * room).reshape(2, room),
        np.zeros(weight + most + LANES, np.uint16),
        np.zeros((2, room + 4 * LANES), np.uint16),
        aligned(64 * words),
        occurrences(),
    )
    encode_rows(segment, text, source, out, span, scratch)


@lean_kernel
def encode_rows(
    segment: Shape,
    text: tuple[Bytes, Numbers],
    source: tuple[Words, Numbers, Words],
    out: tuple[Words, Bytes],
    span: tuple[int, int],
    scratch: Scratch,
) -> None:
    """As :func:`encode_segment`."""
    diffusion, cuts, label, (weight, beside), index, word0 = segment
    shared = weight - beside * (text[1].shape[0] - cuts.size)
    salts, records, fills = source
    filters, presence = out
    codes, hashes, positions, _, last, _ = scratch
    width, words = filters.shape[1], diffusion.shape[1]
    flat, rows = filters.reshape(-1), diffusion.reshape(-1)
    for row in range(span[0], span[1]):
        _fetch_ahead(text, records, row, span[1])
        first = row * width + word0
        # Spec 10, step 3.
        count = _all_grams(segment, text, records[row], scratch)
        if count:
            start = sip_start(salts[row, 0], salts[row, 1])
            _hash_with_pad(start, label, codes, count, words, hashes)
            # Spec 10, step 6: the pad first, and the mixed bits over it.
            _copy_pad(hashes, count, flat, first, words)
            # Spec 10, step 4.
            inserted = _insert(start, count, shared, scratch, 64 * words)
            inserted = _insert_beside(
                start, segment, text, records[row], positions, inserted, 64 * words
            )
            # Spec 10, step 5.
            _diffuse(positions, inserted, last, rows, words, flat, first)
            # Spec 10, step 7: presence.
            presence[row, index >> 3] |= np.uint8(1 << (index & 7))
        else:
            _fill(fills, row, word0, scratch, flat, first, words)


# Below, arrays go from function to function whole, with the place in them beside: a slice would
# cost its reference count, and there are several a row.


@helper
def _fetch_ahead(text: tuple[Bytes, Numbers], records: Numbers, row: int, end: int) -> None:
    """Asks for what the rows behind will read: records come in random order."""
    data, offsets = text
    for f in range(offsets.shape[0]):
        if row + 2 * _AHEAD < end:
            prefetch(offsets, f * offsets.shape[1] + max(0, records[row + 2 * _AHEAD]))
        if row + _AHEAD < end:
            prefetch(data, offsets[f, max(0, records[row + _AHEAD])])


@helper
def _all_grams(
    segment: Shape,
    text: tuple[Bytes, Numbers],
    record: int,
    scratch: Scratch,
) -> int:
    """The q-grams of all fields of a record to the scratch's codes; their number."""
    _, cuts, label, _, _, _ = segment
    data, offsets = text
    codes, _, _, _, _, counts = scratch
    count = 0
    if record >= 0:
        for f in range(cuts.size):
            value = (data, offsets[f, record], offsets[f, record + 1])
            count = extract(cuts[f], value, (label << 8) | (f << 16), codes, count, counts)
    return count


@helper
def _hash_with_pad(
    start: State, label: int, codes: Words, count: int, words: int, hashes: Words
) -> None:
    """SipHash of every q-gram with counter 0, and behind them of the mask's blocks.

    The mask is the pad of (pass, label, salt), 128 bits a hash.
    """
    blocks = (words + 1) // 2
    for block in range(blocks):
        head = uint64(MASK_DOMAIN | (label << 8))
        codes[count + block] = head | (uint64(block) << uint64(_COUNTER_SHIFT))
    _hash(start, codes, count + blocks, uint64(_SEVEN_BYTES), hashes)


@helper
def _copy_pad(hashes: Words, count: int, flat: Words, first: int, words: int) -> None:
    """The mask that :func:`_hash_with_pad` left, as the segment before anything is in it."""
    for w in range(words):
        flat[first + w] = hashes[w & 1, count + (w >> 1)]


@helper
def _insert(start: State, count: int, weight: int, scratch: Scratch, bits: int) -> int:
    """Shares ``weight`` insertions into ``bits`` positions out over ``count`` hashed q-grams.

    The positions, some perhaps twice, go to the scratch's; returns their number.
    """
    codes, hashes, positions, ranks, _, _ = scratch
    each, extra = weight // count, weight % count
    if extra:
        _rank(codes, hashes, count, extra, ranks)
    inserted, slot, counter = 0, 0, 0
    for left in range(each + (extra > 0), 0, -1):
        if slot == POSITIONS_PER_HASH:
            slot = 0
            counter += 1
            _hash_again(start, codes, count, counter, left, hashes)
        if left > (extra > 0):
            _take(hashes, slot, count, bits, positions, inserted)
            inserted += count
            slot += 1
    if extra:
        _take(hashes, slot, count, bits, ranks, 0)
        for i in range(uint64(count)):
            positions[uint64(inserted)] = ranks[0, i]
            inserted += ranks[1, i] < extra
    return inserted


@helper
def _hash(start: State, codes: Words, count: int, tail: np.uint64, hashes: Words) -> None:
    """SipHash of ``codes[:count] | tail``, both halves."""
    done = 0
    while done + (TOGETHER - 1) * LANES < count:
        sip_words_together(start, codes, tail, done, hashes)
        done += TOGETHER * LANES
    for i in range(done, count, LANES):
        sip_words(start, codes, tail, i, hashes)


@helper
def _insert_beside(
    start: State,
    segment: Shape,
    text: tuple[Bytes, Numbers],
    record: int,
    positions: Shorts,
    inserted: int,
    bits: int,
) -> int:
    """The positions of every field beside that has a value, behind the others; where they end."""
    _, cuts, label, (_, weight), _, _ = segment
    data, offsets = text
    for f in range(cuts.size, offsets.shape[0]):
        first, last = offsets[f, record], offsets[f, record + 1]
        if first == last:
            continue
        code = whole_value((data, first, last), (label << 8) | ((BESIDE + f - cuts.size) << 16))
        low, high = uint64(0), uint64(0)
        for turn in range(weight):
            slot = turn % POSITIONS_PER_HASH
            if slot == 0:
                counter = uint64(turn // POSITIONS_PER_HASH) << uint64(_COUNTER_SHIFT)
                low, high = sip_word(start, code | counter | uint64(_SEVEN_BYTES))
            half = low if slot < _SLOTS_A_HALF else high
            word = (half >> uint64(16 * (slot % _SLOTS_A_HALF))) & uint64(0xFFFF)
            positions[uint64(inserted)] = (word * uint64(bits)) >> uint64(16)
            inserted += 1
    return inserted


@helper
def _hash_again(
    start: State, codes: Words, count: int, counter: int, slots: int, hashes: Words
) -> None:
    """SipHash of every q-gram with ``counter``; what no slot is taken from stays as it was."""
    tail = uint64(_SEVEN_BYTES) | (uint64(counter) << uint64(_COUNTER_SHIFT))
    if slots > _SLOTS_A_HALF:
        _hash(start, codes, count, tail, hashes)
        return
    done = 0
    while done + (TOGETHER - 1) * LANES < count:
        sip_first_halves_together(start, codes, tail, done, hashes)
        done += TOGETHER * LANES
    for i in range(done, count, LANES):
        sip_first_halves(start, codes, tail, i, hashes)


@helper
def _take(hashes: Words, slot: int, count: int, bits: int, target: Shorts, to: int) -> None:
    """Every hash's 16 bits at ``slot`` as a position, to ``target.flat[to : to + count]``.

    Up to seven entries behind are overwritten.
    """
    first, shift = (slot >> 2) * hashes.shape[1], 16 * (slot & 3)
    for i in range(0, count, LANES):
        take_places(hashes, first + i, shift, bits, target, to + i)


@helper
def _rank(codes: Words, hashes: Words, count: int, extra: int, ranks: Shorts) -> None:
    """For each q-gram how many come before it, ``ranks[1, :count]``; ``ranks[0]`` is scratch.

    The order is by the last 16 bits of the hash, then by code. Exact for the ``extra`` first ones;
    the others have ``extra`` or more.
    """
    for i in range(0, count, LANES):
        take_places(hashes, hashes.shape[1] + i, 48, 1 << 16, ranks, i)
    for i in range(0, count, 4 * LANES):
        count_below(ranks, i, count, ranks.shape[1] + i)
    chosen = 0
    for i in range(count):
        chosen += ranks[1, i] < extra
    if chosen == extra:
        return
    # Q-grams of one rank stand at the border.
    for i in range(count):
        for j in range(count):
            ranks[1, i] += (ranks[0, j] == ranks[0, i]) & (codes[j] < codes[i])


@helper
def _diffuse(
    positions: Shorts, count: int, last: Words, rows: Words, words: int, flat: Words, first: int
) -> None:
    """XORs the diffusion rows at ``positions``, each once, over the segment.

    Eight words at a time stay in a register. ``last`` is scratch.
    """
    for i in range(uint64(count)):
        last[positions[i]] = i
    done = 0
    while done + LANES <= words:
        xor_distinct(rows, words, done, positions, count, last, flat, first + done)
        done += LANES
    for w in range(done, words):
        word = uint64(0)
        for i in range(uint64(count)):
            if last[positions[i]] == i:
                word ^= rows[positions[i] * words + w]
        flat[first + w] ^= word


@helper
def _fill(
    fills: Words, row: int, word0: int, scratch: Scratch, flat: Words, first: int, words: int
) -> None:
    """Random bits where a record has nothing, from the row's own fill key."""
    messages, hashes, _, _, _, _ = scratch
    start = sip_start(fills[row, 0], fills[row, 1])
    for w in range(words):
        messages[w] = word0 + w
    for i in range(0, words, LANES):
        sip_first_halves(start, messages, uint64(0), i, hashes)
    for w in range(words):
        flat[first + w] = hashes[0, w]


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
    salts, records, fills = source
    head = np.empty(2, np.uint8)
    head[0] = TAG_DOMAIN
    head[1] = index
    for row in range(span[0], span[1]):
        record = records[row]
        if record < 0 or offsets[0, record] == offsets[0, record + 1]:
            start = sip_start(fills[row, 0], fills[row, 1])
            out[row, index] = sip_word(start, uint64(index) | (uint64(1) << uint64(63)))[0]
            continue
        salt = (salts[row, 0], salts[row, 1])
        first, last = offsets[0, record], offsets[0, record + 1]
        out[row, index] = sip_bytes(salt, head, data, first, last)[0]
