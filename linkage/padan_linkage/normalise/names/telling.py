"""The words of names that tell most, the most telling first: a rule that needs no registry.

Two sides cut a name alike only if they order its words alike, so the order comes from a list of
common words that is part of the normaliser, not from either side's records. Spec 12, "Telling".
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from padan_linkage.compiled.jit import kernel
from padan_linkage.normalise.facts import table
from padan_linkage.normalise.names.phonetic import sound
from padan_linkage.normalise.names.pieces import Ints, Longs, cut_words

_NONE = -1

#: Words of a name that tell little and are often left out; single letters are too.
WEAK = frozenset(
    {"muhammad", "ahmad", "abdul", "i", "ni", "siti", "al", "el", "bin", "binti", "r", "haji"}
)


@dataclass(frozen=True, repr=False)
class TellingWords:
    """The words of ``n`` names by their sounds, none twice, the most telling first.

    Name i has the sounds ``sounds[words[starts[i]:starts[i + 1]]]``; ``starts``: int64[n + 1],
    ``words``: int32.
    """

    starts: Longs
    words: Ints
    sounds: pa.StringArray


def telling_words(names: pa.StringArray, left_out: Container[str] = frozenset()) -> TellingWords:
    """The words of normalised names, but for those ``left_out``; none of ""."""
    pieces = cut_words(names)
    written = pieces.vocabulary.to_pylist()
    numbers: dict[str, int] = {}
    sound_of = np.array(
        [_NONE if word in left_out else numbers.setdefault(sound(word), len(numbers))
         for word in written],
        np.int32,
    )  # fmt: skip
    sounds = list(numbers)
    ranks = np.empty(len(sounds), np.int32)
    ranks[sorted(range(len(sounds)), key=lambda n: _order(sounds[n]))] = np.arange(len(sounds))
    words, starts = _ranked(pieces.starts, pieces.words, sound_of, ranks)
    return TellingWords(starts, words, pa.array(sounds, pa.string()))


def _order(sounding: str) -> tuple[bool, float, int, str]:
    """Rare ones first; among words that are not known to be common the longer ones."""
    little = len(sounding) == 1 or sounding in _weak_sounds()
    return little, common_sounds().get(sounding, 0.0), -len(sounding), sounding


@cache
def common_sounds() -> dict[str, float]:
    """How often words with that sound stand in names, roughly; those that are common at all."""
    counts: dict[str, float] = {}
    for section in table("common_words.txt").values():
        for word, count in section.items():
            counts[sound(word)] = counts.get(sound(word), 0.0) + float(count)
    return counts


@cache
def _weak_sounds() -> frozenset[str]:
    return frozenset(map(sound, WEAK))


@kernel
def _ranked(starts: Longs, words: Ints, sound_of: Ints, ranks: Ints) -> Any:
    """Each name's distinct sounds by their ranks, and where each name's begin."""
    n = starts.size - 1
    chosen, rows = np.empty(words.size, np.int32), np.zeros(n + 1, np.int64)
    at = 0
    for row in range(n):
        begin = at
        for i in range(starts[row], starts[row + 1]):
            new = sound_of[words[i]]
            if new == _NONE:
                continue
            place = begin
            while place < at and ranks[chosen[place]] < ranks[new]:
                place += 1
            if place < at and chosen[place] == new:
                continue
            for k in range(at, place, -1):
                chosen[k] = chosen[k - 1]
            chosen[place] = new
            at += 1
        rows[row + 1] = at
    return chosen[:at].copy(), rows
