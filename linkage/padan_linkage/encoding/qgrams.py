"""q-grams: what a normalised value is cut into, by kind of field.

A q-gram is four bytes: its rule, a number (occurrence or position) and two bytes of content; with
segment and field in front it is one 64-bit word, so that SipHash takes it in a single step. The
q-grams of a value are distinct by construction. Spec: ``proto/spec/10-encoding.md``, "q-grams".
"""

from __future__ import annotations

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, lean_kernel
from padan_linkage.schema import Kind

Codes = NDArray[np.uint64]
Counts = NDArray[np.uint8]
#: UTF-8 bytes of a column, and where in them one value begins and ends.
Value = tuple[NDArray[np.uint8], int, int]

#: Only this many bytes of a value are cut, so that every number fits a byte.
MAX_VALUE_BYTES = 255
#: No value has more q-grams.
MAX_GRAMS = 512

# Rules: the first byte of a q-gram.
BIGRAM, CHARACTER, YEAR, MONTH, DAY, MONTH_DAY, DAY_OR_MONTH, YEAR_DIGIT, WHOLE = range(1, 10)

#: The rule of a field that stands beside others: its whole value, hashed.
BESIDE = 10
_FNV_START, _FNV_FACTOR = 0x811C9DC5, 0x01000193

# Ways of cutting, by kind.
WORDS, SYMBOLS, CALENDAR, ATOM = range(4)

_CUTS = {
    Kind.PERSON_NAME: WORDS,
    Kind.COMPANY_NAME: WORDS,
    Kind.PLACE: WORDS,
    Kind.ADDRESS: WORDS,
    Kind.TEXT: WORDS,
    Kind.EMAIL: WORDS,
    Kind.DATE: CALENDAR,
    Kind.SEX: ATOM,
    Kind.NATIONALITY: ATOM,
}

_ATOM_BYTES = 3
_DATE_BYTES = 10
_SPACE = 32
_ZERO = 48
_DASH = 45
_CONTENTS = 1 << 16


def cut_of(kind: Kind) -> int:
    """The way in which values of ``kind`` are cut; identifiers and codes by their symbols."""
    return _CUTS.get(kind, SYMBOLS)


def occurrences() -> Counts:
    """Scratch of :func:`extract`: how often a q-gram's two bytes came up, zeros, ``uint8[65536]``.

    Between two values it is all zeros again.
    """
    return np.zeros(_CONTENTS, np.uint8)


def qgrams(kind: Kind, value: str) -> list[bytes]:
    """The q-grams of one normalised value, four bytes each, in the order of extraction.

    For reviewers and tests; encoding cuts inside :mod:`padan_linkage.encoding.kernel`.
    """
    data = np.frombuffer(value.encode() or b"\x00", np.uint8)
    codes = np.zeros(MAX_GRAMS, np.uint64)
    count = extract(cut_of(kind), (data, 0, len(value.encode())), 0, codes, 0, occurrences())
    words = codes[:count].astype("<u8").tobytes()
    return [words[i : i + 1] + words[i + 3 : i + 6] for i in range(0, 8 * count, 8)]


@lean_kernel
def extract(cut: int, text: Value, place: int, codes: Codes, count: int, counts: Counts) -> int:
    """Appends the q-grams of ``text`` (data, first, last) to ``codes[count:]``.

    ``place`` holds segment label and field in bytes 1 and 2 of the word; ``counts`` is
    :func:`occurrences`. One more word than is counted may be written. Returns the new count.
    """
    data, first, last = text
    text = (data, first, min(last, first + MAX_VALUE_BYTES))
    if first == last:
        return count
    if cut == WORDS:
        return _words(text, place, codes, count, counts)
    if cut == ATOM and last - first <= _ATOM_BYTES:
        return _atom(text, place, codes, count)
    if cut == CALENDAR and _is_date(text):
        return _calendar(text, place, codes, count, counts)
    return _symbols(text, place, codes, count, counts)


@helper
def _gram(rule: int, place: int, number: int, a: int, b: int) -> np.uint64:
    return uint64(rule | place | (number << 24) | (a << 32) | (b << 40))


# Unsigned places need no look whether they count from the end.


@helper
def _numbered(
    codes: Codes, count: np.uint64, counts: Counts, head: np.uint64, content: np.uint64
) -> None:
    """Writes the q-gram of two bytes, numbered by how often they came before, to ``codes[count]``.

    ``head`` is its rule and place.
    """
    number = counts[content]
    counts[content] = number + np.uint8(1)
    codes[count] = head | (uint64(number) << uint64(24)) | (content << uint64(32))


@helper
def _forget(codes: Codes, start: int, count: int, counts: Counts) -> None:
    """Zeroes the counts of ``codes[start:count]``."""
    for i in range(uint64(start), uint64(count)):
        counts[(codes[i] >> uint64(32)) & uint64(0xFFFF)] = 0


@helper
def _words(text: Value, place: int, codes: Codes, count: int, counts: Counts) -> int:
    """Bigrams of every token between spaces, a space before and after it; repeats numbered."""
    data, first, last = text
    start = count
    space, head = uint64(_SPACE), uint64(BIGRAM | place)
    before = space
    for i in range(uint64(first), uint64(last)):
        byte = uint64(data[i])
        _numbered(codes, uint64(count), counts, head, before | (byte << uint64(8)))
        count += (before != space) | (byte != space)
        before = byte
    if before != space:
        _numbered(codes, uint64(count), counts, head, before | (space << uint64(8)))
        count += 1
    _forget(codes, start, count, counts)
    counts[_SPACE << 8 | _SPACE] = 0  # neighbouring spaces are no q-gram
    return count


@helper
def _symbols(text: Value, place: int, codes: Codes, count: int, counts: Counts) -> int:
    """Every byte with its position, then the bigrams of neighbours, repeats numbered."""
    data, first, last = text
    for i in range(first, last):
        codes[count] = _gram(CHARACTER, place, i - first, int(data[i]), 0)
        count += 1
    start = count
    before = uint64(data[first])
    for i in range(uint64(first + 1), uint64(last)):
        byte = uint64(data[i])
        content = before | (byte << uint64(8))
        _numbered(codes, uint64(count), counts, uint64(BIGRAM | place), content)
        count += 1
        before = byte
    _forget(codes, start, count, counts)
    return count


@helper
def _is_date(text: Value) -> bool:
    """Whether the value is ``dddd-dd-dd``."""
    data, first, last = text
    if last - first != _DATE_BYTES:
        return False
    right = True
    for i in range(_DATE_BYTES):
        byte = int(data[first + i])
        right &= byte == _DASH if i in (4, 7) else _ZERO <= byte <= _ZERO + 9
    return right


@helper
def _calendar(text: Value, place: int, codes: Codes, count: int, counts: Counts) -> int:
    """Year, month, day, month with day, digits in place, loose month and day, loose year digits."""
    data, first, _ = text
    month, day = _pair(data, first + 5), _pair(data, first + 8)
    codes[count] = _gram(YEAR, place, 0, _pair(data, first), _pair(data, first + 2))
    codes[count + 1] = _gram(MONTH, place, 0, month, 0)
    codes[count + 2] = _gram(DAY, place, 0, day, 0)
    codes[count + 3] = _gram(MONTH_DAY, place, 0, month, day)
    count += 4
    for i in range(_DATE_BYTES):
        if i not in (4, 7):
            position = i - (i > 4) - (i > 7)
            codes[count] = _gram(CHARACTER, place, position, int(data[first + i]), 0)
            count += 1
    codes[count] = _gram(DAY_OR_MONTH, place, 0, month, 0)
    codes[count + 1] = _gram(DAY_OR_MONTH, place, int(month == day), day, 0)
    count += 2
    for i in range(4):
        digit = uint64(data[first + i])
        _numbered(codes, uint64(count + i), counts, uint64(YEAR_DIGIT | place), digit)
    _forget(codes, count, count + 4, counts)
    return count + 4


@helper
def _pair(data: NDArray[np.uint8], at: int) -> int:
    """The two digits at ``at`` as a number."""
    return (int(data[at]) - _ZERO) * 10 + int(data[at + 1]) - _ZERO


@helper
def _atom(text: Value, place: int, codes: Codes, count: int) -> int:
    """One q-gram that is the whole value, at most three bytes, filled up with zeros."""
    data, first, last = text
    content = 0
    for i in range(first, last):
        content |= int(data[i]) << (8 * (i - first))
    codes[count] = uint64(WHOLE | place | (content << 24))
    return count + 1


@helper
def whole_value(text: Value, place: int) -> np.uint64:
    """The q-gram of a field beside others: 24 bits of its value's FNV-1a hash.

    Two values of the few that such a field has hardly ever share it.
    """
    data, first, last = text
    digest = uint64(_FNV_START)
    for i in range(first, last):
        digest = ((digest ^ uint64(data[i])) * uint64(_FNV_FACTOR)) & uint64(0xFFFFFFFF)
    return uint64(BESIDE | place) | ((digest & uint64(0xFFFFFF)) << uint64(24))
