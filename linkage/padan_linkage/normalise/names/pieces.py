"""A column of written names, cut into pieces and grouped by shape, without a Python loop over rows.

A piece is a run of letters with marks (:mod:`.persons`). Two names have one *shape* if they have
the same marks and the same special words at the same places, whatever their other words are. Rules
run once for each distinct word and each shape; the column is put together from their results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.normalise.names.persons import COMMA, CUT, DOT, SLASH, SMALL

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]

_HASH_START, _HASH_STEP = 0xCBF29CE484222325, 0x100000001B3  # FNV-1a, 64 bits
_FREE = -1


@dataclass(frozen=True, repr=False)
class Pieces:
    """``n`` rows in pieces.

    Row i has the pieces ``starts[i]:starts[i + 1]``: ``words`` int32 (numbers of ``vocabulary``,
    in the order of first appearance) and ``marks`` uint8.
    """

    starts: Longs
    words: Ints
    marks: Bytes
    vocabulary: pa.StringArray


@dataclass(frozen=True)
class Shapes:
    """``of_row`` int32[n]: the shape of each row; ``example`` int64[shapes]: a row that has it."""

    of_row: Ints
    example: Longs


def cut_names(values: pa.StringArray) -> tuple[Pieces, NDArray[np.bool_]]:
    """Cut ASCII names: letters make pieces, lower case; what is in parentheses is left out.

    And bool[n]: names of which no letter, digit or sign is left out by that, and none was lost.
    """
    starts, lower, begins, sizes, hashes, marks, whole = _scan_names(*buffers(values))
    words, firsts = _number_words(lower, begins, sizes, hashes)
    vocabulary = strings_of(*_collect(lower, begins, sizes, firsts))
    return Pieces(starts, words, marks, vocabulary), whole


def cut_words(values: pa.StringArray) -> Pieces:
    """Cut normal forms at their spaces."""
    data, offsets = buffers(values)
    starts, begins, sizes, hashes = _scan_words(data, offsets)
    words, firsts = _number_words(data, begins, sizes, hashes)
    vocabulary = strings_of(*_collect(data, begins, sizes, firsts))
    return Pieces(starts, words, np.zeros(0, np.uint8), vocabulary)


def shapes(pieces: Pieces, classes: Ints) -> Shapes:
    """Group the rows; ``classes`` int32[vocabulary] says which words the rules treat alike."""
    return Shapes(*_shapes(pieces.starts, pieces.words, pieces.marks, classes))


def assemble(
    pieces: Pieces,
    grouped: Shapes,
    forms: pa.StringArray,
    items: Sequence[Sequence[int]],
) -> pa.StringArray:
    """Each row's words by its shape's items, joined by spaces.

    ``forms``: first the form of every word of the vocabulary, then literals. An item ≥ 0 is a piece
    of the row, an item < 0 the literal ``−item − 1`` counted from the end of the vocabulary.
    """
    item_starts = np.cumsum([0, *map(len, items)], dtype=np.int64)
    flat = np.fromiter((i for one in items for i in one), np.int64, int(item_starts[-1]))
    chosen, rows = _choose(
        pieces.starts, pieces.words, grouped.of_row, flat, item_starts, len(pieces.vocabulary)
    )
    return join_words(chosen, rows, forms)


def join_words(
    words: Ints, starts: Longs, texts: pa.StringArray, separator: int = ord(" ")
) -> pa.StringArray:
    """Row i is ``texts[words[starts[i]:starts[i + 1]]]``; ``separator`` between, −1 for none."""
    data, offsets = buffers(texts)
    out, ends = _join(words, starts, data, offsets, separator)
    return strings_of(out, ends)


def buffers(values: pa.StringArray) -> tuple[Bytes, Longs]:
    """UTF-8 bytes (never empty, so that kernels have a type) and int64[n + 1] offsets into them."""
    _, offsets, data = values.buffers()
    if len(values) == 0:
        return np.zeros(1, np.uint8), np.zeros(1, np.int64)
    ends = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    content = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, "u1")
    return content, ends.astype(np.int64)


def strings_of(data: Bytes, ends: Longs) -> pa.StringArray:
    """A string array over bytes and int64[n + 1] offsets. Raises OverflowError beyond 2 GiB."""
    if ends[-1] >= 1 << 31:
        raise OverflowError("too many bytes for one array of strings")
    return pa.StringArray.from_buffers(
        len(ends) - 1, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(data)
    )


@helper
def _rehashed(slots: Any, hashes: Any, owners: Any, count: int) -> Any:
    """A table of four times the slots with the same numbers; ``owners`` index ``hashes``."""
    larger = np.full(4 * slots.size, _FREE, np.int32)
    for number in range(count):
        slot = _slot(hashes[owners[number]], larger.size)
        while larger[slot] != _FREE:
            slot = (slot + 1) & (larger.size - 1)
        larger[slot] = number
    return larger


@helper
def _slot(h: Any, size: int) -> Any:
    return np.int64((h ^ (h >> np.uint64(29))) & np.uint64(size - 1))


@helper
def _hashed(h: Any, value: int) -> Any:
    return (h ^ np.uint64(value)) * np.uint64(_HASH_STEP)


@kernel
def _count_runs(data: Bytes, first: int, last: int, letters: bool) -> int:
    """An upper bound of the pieces: runs of letters, or of anything but spaces."""
    count, inside = 0, False
    for i in range(first, last):
        byte = data[i]
        now = 97 <= (byte | 32) <= 122 if letters else byte != 32
        count += now and not inside
        inside = now
    return count


@kernel
def _scan_names(data: Bytes, offsets: Longs) -> Any:  # noqa: C901, PLR0912 (one pass over the bytes)
    """Rows' first pieces; text in lower case; of every piece: start, length, hash, marks.

    And the rows that are read whole, bool[n].
    """
    n = offsets.size - 1
    # A row's end ends a piece too.
    room = _count_runs(data, offsets[0], offsets[n], True) + n
    starts, marks = np.zeros(n + 1, np.int64), np.zeros(room, np.uint8)
    begins, sizes = np.empty(room, np.int64), np.empty(room, np.int32)
    hashes = np.empty(room, np.uint64)
    lower = np.empty(offsets[n] - offsets[0] + 1, np.uint8)
    whole = np.ones(n, np.bool_)
    at, pieces = 0, 0
    for row in range(n):
        row_start, hidden, capitals = pieces, False, False
        begin, h, small = at, np.uint64(_HASH_START), False
        for i in range(offsets[row], offsets[row + 1] + 1):
            byte = int(data[i]) if i < offsets[row + 1] else 32
            letter = byte | 32 if 65 <= byte <= 90 else byte
            if 97 <= letter <= 122:
                if hidden:
                    whole[row] = False
                    continue
                capitals |= letter != byte
                small = letter == byte
                lower[at] = letter
                at += 1
                h = _hashed(h, letter)
                continue
            if byte in (39, 96):  # apostrophes
                continue
            if _tells(byte) or (byte == 46 and _third_dot(data, offsets[row], i)):
                whole[row] = False
            if byte in (63, 26):  # a lost letter, inside its word
                continue
            fresh = at > begin
            if fresh:
                begins[pieces], sizes[pieces], hashes[pieces] = begin, at - begin, h
                marks[pieces] = SMALL if small and at == begin + 1 else 0
                pieces += 1
                begin, h = at, np.uint64(_HASH_START)
            if byte == 32:
                continue
            if byte in (40, 91, 123):
                hidden = True
            elif byte in (41, 93, 125):
                hidden = False
            elif pieces > row_start and not hidden:
                marks[pieces - 1] |= _mark(byte, fresh)
        if not capitals:
            for piece in range(row_start, pieces):
                marks[piece] &= ~np.uint8(SMALL)
        starts[row + 1] = pieces
    return (
        starts,
        lower,
        begins[:pieces],
        sizes[:pieces],
        hashes[:pieces],
        marks[:pieces].copy(),
        whole,
    )


@helper
def _tells(byte: int) -> bool:
    """Whether it is a digit, LOST, or a sign that may stand for something: ``#%&*+<=>?^~``."""
    if 48 <= byte <= 57 or byte in (26, 35, 37, 38, 42, 43):
        return True
    return byte in (60, 61, 62, 63, 94, 126)


@helper
def _third_dot(data: Bytes, first: int, at: int) -> bool:
    """Whether the byte ends three dots: something was cut off."""
    return at >= first + 2 and data[at] == data[at - 1] == data[at - 2] == 46


@helper
def _mark(byte: int, fresh: bool) -> int:
    """The mark that a character leaves on the piece before it; a dot only right behind it."""
    if byte == 46:
        return DOT if fresh else 0
    if byte == 44:
        return COMMA
    if byte in (64, 59, 124):
        return CUT
    return SLASH if byte == 47 else 0


@kernel
def _scan_words(data: Bytes, offsets: Longs) -> Any:
    """Rows' first words; of every word: start in ``data``, length, hash."""
    n = offsets.size - 1
    room = _count_runs(data, offsets[0], offsets[n], False) + n
    starts = np.zeros(n + 1, np.int64)
    begins, sizes = np.empty(room, np.int64), np.empty(room, np.int32)
    hashes = np.empty(room, np.uint64)
    pieces = 0
    for row in range(n):
        begin, h = offsets[row], np.uint64(_HASH_START)
        for i in range(offsets[row], offsets[row + 1] + 1):
            byte = int(data[i]) if i < offsets[row + 1] else 32
            if byte != 32:
                h = _hashed(h, byte)
                continue
            if i > begin:
                begins[pieces], sizes[pieces], hashes[pieces] = begin, i - begin, h
                pieces += 1
            begin, h = i + 1, np.uint64(_HASH_START)
        starts[row + 1] = pieces
    return starts, begins[:pieces], sizes[:pieces], hashes[:pieces]


@kernel
def _number_words(text: Bytes, begins: Longs, sizes: Ints, hashes: Any) -> Any:
    """Number equal pieces alike, in order of appearance; the first piece of every number."""
    words = np.empty(begins.size, np.int32)
    firsts = np.empty(begins.size, np.int64)
    slots = np.full(1 << 14, _FREE, np.int32)
    count = 0
    for piece in range(begins.size):
        slot = _slot(hashes[piece], slots.size)
        number = slots[slot]
        while number != _FREE and not _same(text, begins, sizes, piece, firsts[number]):
            slot = (slot + 1) & (slots.size - 1)
            number = slots[slot]
        if number == _FREE:
            number = count
            slots[slot] = number
            firsts[number] = piece
            count += 1
            if 2 * count > slots.size:
                slots = _rehashed(slots, hashes, firsts, count)
        words[piece] = number
    return words, firsts[:count].copy()


@helper
def _same(text: Bytes, begins: Longs, sizes: Ints, one: int, other: int) -> Any:
    same = sizes[one] == sizes[other]
    i = 0
    while same and i < sizes[one]:
        same = text[begins[one] + i] == text[begins[other] + i]
        i += 1
    return same


@kernel
def _collect(text: Bytes, begins: Longs, sizes: Ints, firsts: Longs) -> Any:
    """The vocabulary's bytes and ends."""
    ends = np.zeros(firsts.size + 1, np.int64)
    for number in range(firsts.size):
        ends[number + 1] = ends[number] + sizes[firsts[number]]
    out = np.empty(max(1, ends[firsts.size]), np.uint8)
    for number in range(firsts.size):
        begin = begins[firsts[number]]
        for i in range(sizes[firsts[number]]):
            out[ends[number] + i] = text[begin + i]
    return out, ends


@helper
def _code(word: int, mark: int, classes: Any) -> int:
    """One number for a piece as its shape sees it."""
    return (int(classes[word]) << 5) | mark


@kernel
def _shapes(starts: Longs, words: Ints, marks: Bytes, classes: Ints) -> Any:
    n = starts.size - 1
    of_row, hashes = np.empty(n, np.int32), np.empty(n, np.uint64)
    example = np.empty(n, np.int64)
    slots = np.full(1 << 14, _FREE, np.int32)
    count = 0
    for row in range(n):
        h = np.uint64(_HASH_START)
        for i in range(starts[row], starts[row + 1]):
            h = _hashed(h, _code(words[i], marks[i], classes))
        hashes[row] = h
        slot = _slot(h, slots.size)
        shape = slots[slot]
        while shape != _FREE and not _alike(starts, words, marks, classes, row, example[shape]):
            slot = (slot + 1) & (slots.size - 1)
            shape = slots[slot]
        if shape == _FREE:
            shape = count
            slots[slot] = shape
            example[shape] = row
            count += 1
            if 2 * count > slots.size:
                slots = _rehashed(slots, hashes, example, count)
        of_row[row] = shape
    return of_row, example[:count].copy()


@helper
def _alike(starts: Longs, words: Ints, marks: Bytes, classes: Ints, one: int, other: int) -> bool:
    """Whether two rows have one shape."""
    size = starts[one + 1] - starts[one]
    if starts[other + 1] - starts[other] != size:
        return False
    for k in range(size):
        i, j = starts[one] + k, starts[other] + k
        if _code(words[i], marks[i], classes) != _code(words[j], marks[j], classes):
            return False
    return True


@kernel
def _choose(
    starts: Longs, words: Ints, of_row: Ints, items: Longs, item_starts: Longs, literals: int
) -> Any:
    n = of_row.size
    rows = np.zeros(n + 1, np.int64)
    for row in range(n):
        shape = of_row[row]
        rows[row + 1] = rows[row] + item_starts[shape + 1] - item_starts[shape]
    chosen = np.empty(rows[n], np.int32)
    for row in range(n):
        shape = of_row[row]
        at = rows[row]
        for k in range(item_starts[shape], item_starts[shape + 1]):
            item = items[k]
            chosen[at] = words[starts[row] + item] if item >= 0 else literals - item - 1
            at += 1
    return chosen, rows


@kernel
def _join(words: Ints, starts: Longs, data: Bytes, offsets: Longs, separator: int) -> Any:
    n = starts.size - 1
    ends = np.zeros(n + 1, np.int64)
    between = 0 if separator < 0 else 1
    for row in range(n):
        size = max(0, (starts[row + 1] - starts[row] - 1) * between)
        for i in range(starts[row], starts[row + 1]):
            size += offsets[words[i] + 1] - offsets[words[i]]
        ends[row + 1] = ends[row] + size
    out = np.empty(max(1, ends[n]), np.uint8)
    for row in range(n):
        at = ends[row]
        for i in range(starts[row], starts[row + 1]):
            if between and i > starts[row]:
                out[at] = separator
                at += 1
            for k in range(offsets[words[i]], offsets[words[i] + 1]):
                out[at] = data[k]
                at += 1
    return out, ends
