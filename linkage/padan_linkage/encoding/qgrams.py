"""q-grams: what a normalised value is cut into, by kind of field.

A q-gram is four bytes: its rule, a number (occurrence or position) and two bytes of content; with
segment and field in front it is one 64-bit word, so that SipHash takes it in a single step. The
q-grams of a value are distinct by construction. Spec: ``proto/spec/10-encoding.md``, "q-grams".
"""

from __future__ import annotations

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from padan_linkage.jit import helper, kernel
from padan_linkage.schema import Kind

Codes = NDArray[np.uint64]
#: UTF-8 bytes of a column, and where in them one value begins and ends.
Value = tuple[NDArray[np.uint8], int, int]

#: Only this many bytes of a value are cut, so that every number fits a byte.
MAX_VALUE_BYTES = 255
#: No value has more q-grams.
MAX_GRAMS = 512

# Rules: the first byte of a q-gram.
BIGRAM, CHARACTER, YEAR, MONTH, DAY, MONTH_DAY, DAY_OR_MONTH, YEAR_DIGIT, WHOLE = range(1, 10)

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
_NUMBER = ~(0xFF << 24) & 0xFFFFFFFFFFFFFFFF


def cut_of(kind: Kind) -> int:
    """The way in which values of ``kind`` are cut; identifiers and codes by their symbols."""
    return _CUTS.get(kind, SYMBOLS)


def qgrams(kind: Kind, value: str) -> list[bytes]:
    """The q-grams of one normalised value, four bytes each, in the order of extraction.

    For reviewers and tests; encoding cuts inside :mod:`padan_linkage.encoding.kernel`.
    """
    data = np.frombuffer(value.encode() or b"\x00", np.uint8).copy()
    codes = np.zeros(MAX_GRAMS, np.uint64)
    count = extract(cut_of(kind), (data, 0, len(value.encode())), 0, codes, 0)
    words = codes[:count].astype("<u8").tobytes()
    return [words[i : i + 1] + words[i + 3 : i + 6] for i in range(0, 8 * count, 8)]


@kernel
def extract(cut: int, text: Value, place: int, codes: Codes, count: int) -> int:
    """Appends the q-grams of ``text`` (data, first, last) to ``codes[count:]``.

    ``place`` holds segment label and field in bytes 1 and 2 of the word. Returns the new count.
    """
    data, first, last = text
    text = (data, first, min(last, first + MAX_VALUE_BYTES))
    if first == last:
        return count
    if cut == WORDS:
        return _words(text, place, codes, count)
    if cut == ATOM and last - first <= _ATOM_BYTES:
        return _atom(text, place, codes, count)
    if cut == CALENDAR and _is_date(text):
        return _calendar(text, place, codes, count)
    return _symbols(text, place, codes, count)


@helper
def _gram(rule: int, place: int, number: int, a: int, b: int) -> np.uint64:
    return uint64(rule | place | (number << 24) | (a << 32) | (b << 40))


@helper
def _numbered(codes: Codes, start: int, count: int, gram: np.uint64) -> int:
    """Appends ``gram`` with its occurrence since ``start`` as its number; the new count."""
    occurrence = uint64(0)
    for i in range(start, count):
        if codes[i] & uint64(_NUMBER) == gram:
            occurrence += uint64(1)
    codes[count] = gram | (occurrence << uint64(24))
    return count + 1


@helper
def _words(text: Value, place: int, codes: Codes, count: int) -> int:
    """Bigrams of every token between spaces, a space before and after it; repeats numbered."""
    data, first, last = text
    start = count
    before = _SPACE
    for i in range(first, last + 1):
        byte = int(data[i]) if i < last else _SPACE
        if before != _SPACE or byte != _SPACE:
            count = _numbered(codes, start, count, _gram(BIGRAM, place, 0, before, byte))
        before = byte
    return count


@helper
def _symbols(text: Value, place: int, codes: Codes, count: int) -> int:
    """Every byte with its position, then the bigrams of neighbours, repeats numbered."""
    data, first, last = text
    for i in range(first, last):
        codes[count] = _gram(CHARACTER, place, i - first, int(data[i]), 0)
        count += 1
    start = count
    for i in range(first, last - 1):
        gram = _gram(BIGRAM, place, 0, int(data[i]), int(data[i + 1]))
        count = _numbered(codes, start, count, gram)
    return count


@helper
def _is_date(text: Value) -> bool:
    """Whether the value is ``dddd-dd-dd``."""
    data, first, last = text
    if last - first != _DATE_BYTES:
        return False
    for i in range(_DATE_BYTES):
        byte = int(data[first + i])
        if i in (4, 7):
            if byte != 45:
                return False
        elif byte < _ZERO or byte > _ZERO + 9:
            return False
    return True


@helper
def _calendar(text: Value, place: int, codes: Codes, count: int) -> int:
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
    start = count
    for i in range(4):
        gram = _gram(YEAR_DIGIT, place, 0, int(data[first + i]), 0)
        count = _numbered(codes, start, count, gram)
    return count


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
