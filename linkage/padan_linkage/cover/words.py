"""Names, addresses and other texts that nobody has, made of the words that people have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.cover.newcomers import Neighbours, Numbers, coded, whose
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.normalise import normalise
from padan_linkage.normalise.facts import table
from padan_linkage.schema import Kind

Flags = NDArray[np.bool_]

#: Where a word stands: the only one, the first, one in the middle, the last.
_ONLY, _FIRST, _MIDDLE, _LAST = range(4)
#: Words of a value beyond these are left away.
_MOST_WORDS = 12


@dataclass(frozen=True, repr=False)
class Words:
    """The words of a column's values, one after another.

    ``text``: the words; ``value``: int64[w], whose they are, ``start``: int64[n + 1], where each
    one's begin; ``code``: int64[w], equal where word and role are; ``role``: int64[w].
    """

    text: pa.StringArray
    value: Numbers
    start: Numbers
    code: Numbers
    role: Numbers

    @classmethod
    def of(cls, column: pa.StringArray) -> Self:
        """Of normalised values, words with a space between."""
        split = pc.split_pattern(column, " ")
        start = split.offsets.to_numpy().astype(np.int64)
        text = split.flatten()
        counts = np.diff(start)
        value = np.repeat(np.arange(counts.size), counts)
        place = np.arange(len(text)) - start[value]
        left = counts[value] - 1 - place
        role = np.select([(place == 0) & (left == 0), place == 0, left == 0],
                         [_ONLY, _FIRST, _LAST], _MIDDLE)  # fmt: skip
        return cls(text, value, start, 4 * coded(text) + role, role.astype(np.int64))

    @property
    def counts(self) -> Numbers:
        """How many words each value has."""
        return np.diff(self.start)


@dataclass(frozen=True, repr=False)
class WordMaker:
    """Makes values of a column's words; ``near`` orders the people, ``alike`` by words too."""

    words: Words
    near: Neighbours
    alike: Neighbours
    unheard: NewWords

    @classmethod
    def of(cls, column: pa.StringArray, near: Neighbours, kind: Kind, drbg: Drbg) -> Self:
        """Of normalised values."""
        words = Words.of(column)
        # Near, and of the same number of words, so that a word stands where it usually does.
        block = near.first[near.rank] * (_MOST_WORDS + 1) + np.minimum(words.counts, _MOST_WORDS)
        return cls(words, near, Neighbours.of(block, near.rank, drbg), NewWords.of(words, kind))

    def made(self, of: Numbers, women: Flags, drbg: Drbg, *, new: bool = False) -> pa.StringArray:
        """Values as long as those of ``of`` (int64[k]), each word another's who is near, or new.

        ``women``: bool[k], for words that the software knows; ``new``: all words are new.
        """
        words = self.words
        length = np.minimum(words.counts[of], _MOST_WORDS)
        parts = []
        for place in range(int(length.max(initial=0))):
            these = np.flatnonzero(length > place)
            item = words.start[self.alike.pick(of[these], drbg)] + place
            fresh = self.unheard.made(
                words.role[item], women[these], words.text.take(pa.array(item)), drbg
            )
            if not new:
                taken = whose(words.code, item, self.near.rank[words.value], drbg)
                old = words.text.take(pa.array(np.maximum(taken, 0)))
                fresh = pc.if_else(pa.array(taken >= 0), old, fresh)
            row = np.full(of.size, -1)
            row[these] = np.arange(these.size)
            parts.append(fresh.take(pa.array(row, mask=row < 0)))
        if not parts:
            return pa.array([""] * of.size, pa.string())
        return pc.binary_join_element_wise(*parts, " ", null_handling="skip")


@dataclass(frozen=True, repr=False)
class NewWords:
    """What words that nobody has are drawn from.

    ``common``: by role and sex (women last), words that nobody has in that role, with the sums of
    their weights; ``share``: how many of the new words are such, by role.
    """

    common: dict[tuple[int, bool], tuple[pa.StringArray, NDArray[np.float64]]]
    share: NDArray[np.float64]
    everyone: pa.StringArray

    @classmethod
    def of(cls, words: Words, kind: Kind) -> Self:
        """Of the words that people have: common ones matter where people are few."""
        common, share = {}, np.zeros(4)
        alone = _alone(words)
        for role in range(4) if kind is Kind.PERSON_NAME else ():
            held = words.text.filter(pa.array(words.role == role))
            rare = alone[words.role == role].mean() if len(held) else 1.0
            unseen = []
            for woman in (False, True):
                text, weight = common_words(role in {_ONLY, _FIRST}, woman)
                new = ~pc.is_in(text, value_set=held).to_numpy(zero_copy_only=False)
                common[role, woman] = text.filter(pa.array(new)), np.cumsum(weight[new])
                unseen.append(weight[new].sum() / weight.sum())
            share[role] = min(1.0, np.mean(unseen) / max(rare, 1e-9))
        return cls(common, share, words.text)

    def made(self, role: Numbers, women: Flags, old: pa.StringArray, drbg: Drbg) -> pa.StringArray:
        """A new word for each of ``old``: a common one, or the ends of two joined."""
        made = _joined(old, self.everyone, drbg)
        chance = drbg.integers(role.size, 1 << 40) / (1 << 40)
        for (place, woman), (text, sums) in self.common.items():
            mine = np.flatnonzero((role == place) & (women == woman) & (chance < self.share[place]))
            if mine.size and len(text):
                at = np.searchsorted(sums, drbg.integers(mine.size, 1 << 40) / (1 << 40) * sums[-1])
                row = np.full(role.size, -1)
                row[mine] = np.minimum(at, len(text) - 1)
                made = pc.coalesce(text.take(pa.array(row, mask=row < 0)), made)
        return made


def _alone(words: Words) -> Flags:
    """The words that one person alone has in that role."""
    known = words.code >= 0
    sizes = np.zeros(words.code.size, np.int64)
    sizes[known] = np.bincount(words.code[known])[words.code[known]] if known.any() else 0
    alone: Flags = sizes == 1
    return alone


def _joined(old: pa.StringArray, others: pa.StringArray, drbg: Drbg) -> pa.StringArray:
    """The beginning of each word and the end of some other word, so that lengths stay about."""
    if not len(old):
        return old
    ends = others.take(drbg.integers(len(old), len(others)))
    half = (pc.utf8_length(old).to_numpy(zero_copy_only=False) + 1) // 2
    sizes = pc.utf8_length(ends).to_numpy(zero_copy_only=False)
    return pc.binary_join_element_wise(
        cut(old, np.zeros_like(half), half), cut(ends, (sizes + 1) // 2, sizes), ""
    )


def cut(text: pa.StringArray, begin: Numbers, end: Numbers) -> pa.StringArray:
    """Characters ``begin`` to ``end`` - 1 of each value."""
    made = text
    pieces, rows = [], []
    for pair in np.unique(np.stack([begin, end], axis=1), axis=0) if len(text) else ():
        these = np.flatnonzero((begin == pair[0]) & (end == pair[1]))
        pieces.append(pc.utf8_slice_codeunits(text.take(these), int(pair[0]), int(pair[1])))
        rows.append(these)
    if pieces:
        back = np.argsort(np.concatenate(rows), kind="stable")
        made = pa.concat_arrays(pieces).take(back)
    return made


@cache
def common_words(first: bool, woman: bool) -> tuple[pa.StringArray, NDArray[np.float64]]:
    """Common words of Indonesian names in their normal form, and their weights, float64[w]."""
    listed = table("common_words.txt")
    section = listed[f"{'first' if first else 'last'} {'P' if woman else 'L'}"]
    text = normalise(Kind.PERSON_NAME, pa.array(list(section), pa.string())).values
    return text, np.array([float(weight) for weight in section.values()])
