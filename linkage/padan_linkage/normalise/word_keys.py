"""Keys made of a value's words: which words, in which form, in which order.

Every key of a column is made without a Python loop over rows: words are numbered
(:mod:`.names.pieces`), their forms computed once each, and a kernel picks and orders them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.normalise.companies import FORMS
from padan_linkage.normalise.names.phonetic import sound
from padan_linkage.normalise.names.pieces import (
    Ints,
    Longs,
    buffers,
    cut_words,
    join_words,
    strings_of,
)
from padan_linkage.normalise.names.telling import WEAK

# Which words a key takes.
ALL, TELLING, FIRST, LAST, FIRST_TELLING, LAST_TELLING, ENDS, LONGEST = range(8)


@dataclass(frozen=True)
class WordKey:
    """``take`` words, each by ``form``; in alphabetical order if ``in_order`` is not set.

    ``spaced``: with spaces between; ``joined``: letters as inside one word, whatever word they are
    in; ``letters``: that, and in alphabetical order.
    """

    take: int
    form: Callable[[str], str]
    in_order: bool = False
    spaced: bool = True
    joined: bool = False
    letters: bool = False


def _same(word: str) -> str:
    return word


def _letter(word: str) -> str:
    return sound(word)[0]


def _consonants(word: str) -> str:
    """The phonetic form without the vowels behind its first letter."""
    form = sound(word)
    return form[0] + "".join(c for c in form[1:] if c not in "aiu")


def _head(letters: int) -> Callable[[str], str]:
    return lambda word: sound(word)[:letters]


def _end(word: str) -> str:
    return sound(word)[-3:]


#: The derivations by name. Telling words: all but WEAK ones and single letters, or all if no word
#: is left.
WORD_KEYS = {
    "sorted": WordKey(ALL, _same),
    "first": WordKey(FIRST, _same),
    "last": WordKey(LAST, _same),
    "phonetic": WordKey(ALL, sound),
    "phonetic_first": WordKey(FIRST_TELLING, sound),
    "phonetic_last": WordKey(LAST_TELLING, sound),
    "initials": WordKey(TELLING, _letter, spaced=False),
    # without what is often left out: M., Siti, initials
    "telling": WordKey(TELLING, sound),
    # free of joins: Nur Hasan is Nurhasan
    "joined": WordKey(ALL, sound, in_order=True, spaced=False, joined=True),
    # free of joins and of order
    "letters": WordKey(ALL, sound, in_order=True, spaced=False, letters=True),
    # two words that tell: the outer ones, the longest ones
    "ends": WordKey(ENDS, sound),
    "longest": WordKey(LONGEST, sound),
    # pieces of the first and the last word that tells
    **{f"first{n}": WordKey(FIRST_TELLING, _head(n)) for n in (1, 2, 3)},
    **{f"last{n}": WordKey(LAST_TELLING, _head(n)) for n in (1, 2, 3)},
    "first_end": WordKey(FIRST_TELLING, _end),
    "last_end": WordKey(LAST_TELLING, _end),
    **{f"ends{n}": WordKey(ENDS, _head(n)) for n in (2, 3)},
    # free of vowels
    "consonants": WordKey(ALL, _consonants),
}


def word_key(name: str, values: pa.StringArray, *, company: bool = False) -> pa.StringArray:
    """The key ``name`` of :data:`WORD_KEYS` of every normal form, "" where the value is "".

    A company's legal form, its last word, is in none of its keys.
    """
    key = WORD_KEYS[name]
    pieces = cut_words(values)
    words = pieces.vocabulary.to_pylist()
    texts = pa.array([key.form(w) for w in words], pa.string())
    weak = np.array([len(w) == 1 or w in WEAK for w in words], bool)
    form = np.array([company and w in FORMS for w in words], bool)
    ranks = np.argsort(np.argsort(np.array(texts.to_pylist() or [""]))).astype(np.int32)
    sizes = np.array([len(w) for w in words], np.int32)
    chosen, starts = _pick(
        pieces.starts, pieces.words, weak, form, ranks, sizes, key.take, key.in_order
    )
    result = join_words(chosen, starts, texts, ord(" ") if key.spaced else -1)
    if not (key.letters or key.joined):
        return result
    return strings_of(*_as_one_word(*buffers(result), key.letters))


@kernel
def _pick(
    starts: Longs,
    words: Ints,
    weak: NDArray[np.bool_],
    form: NDArray[np.bool_],
    ranks: Ints,
    sizes: Ints,
    take: int,
    in_order: bool,
) -> Any:
    """The words of every row's key; starts as in :func:`join_words`."""
    n = starts.size - 1
    chosen, rows = np.empty(words.size, np.int32), np.zeros(n + 1, np.int64)
    at = 0
    for row in range(n):
        first, last = starts[row], starts[row + 1]
        if last - first > 1 and form[words[last - 1]]:
            last -= 1
        begin = at
        skip = False
        if take not in (ALL, FIRST, LAST):
            for i in range(first, last):
                skip |= not weak[words[i]]
        for i in range(first, last):
            if not (skip and weak[words[i]]):
                chosen[at] = words[i]
                at += 1
        at = _narrow(chosen, begin, at, take, ranks, sizes)
        if not in_order:
            _sort(chosen, begin, at, ranks)
        rows[row + 1] = at
    return chosen[:at].copy(), rows


@helper
def _narrow(chosen: Ints, begin: int, end: int, take: int, ranks: Ints, sizes: Ints) -> Any:
    """Keep the words that ``take`` wants of ``chosen[begin:end]``; the new end."""
    if end - begin < 2 or take in (ALL, TELLING):
        return end
    if take in (FIRST, FIRST_TELLING):
        return begin + 1
    if take in (LAST, LAST_TELLING):
        chosen[begin] = chosen[end - 1]
        return begin + 1
    if take == ENDS:
        chosen[begin + 1] = chosen[end - 1]
        return begin + 1 + int(chosen[begin] != chosen[begin + 1])
    # The two longest; of equally long ones those first in the alphabet.
    for place in range(begin, begin + 2):
        best = place
        for i in range(place + 1, end):
            longer = sizes[chosen[i]] - sizes[chosen[best]]
            if longer > 0 or (longer == 0 and ranks[chosen[i]] < ranks[chosen[best]]):
                best = i
        chosen[place], chosen[best] = chosen[best], chosen[place]
    return begin + 2


@helper
def _sort(chosen: Ints, begin: int, end: int, ranks: Ints) -> None:
    for i in range(begin + 1, end):
        word = chosen[i]
        k = i
        while k > begin and ranks[chosen[k - 1]] > ranks[word]:
            chosen[k] = chosen[k - 1]
            k -= 1
        chosen[k] = word


@kernel
def _as_one_word(data: NDArray[np.uint8], offsets: Longs, sort: bool) -> Any:
    """Sounds of words run together, as if they were one; sorted if ``sort``. Bytes and offsets.

    What :func:`sound` does at a word's two ends is done or undone everywhere: no h, no j and no
    doubled letter behind the first, t for d and p for b.
    """
    n = offsets.size - 1
    out, ends = np.empty(max(1, offsets[n] - offsets[0]), np.uint8), np.zeros(n + 1, np.int64)
    at = 0
    for row in range(n):
        begin = at
        for i in range(offsets[row], offsets[row + 1]):
            byte = int(data[i])
            if at > begin and byte == 106:
                byte = 115
            elif byte == 100:
                byte = 116
            elif byte == 98:
                byte = 112
            if at == begin or (byte != 104 and byte != out[at - 1]):
                out[at] = byte
                at += 1
        if sort:
            out[begin:at].sort()
        ends[row + 1] = at
    return out, ends
