"""What names say of a pair, word by word: weighed by how common each word is in this file.

A word that differs by a slip is believed to be the same word as far as the rarer of the two is
rare: «aminan» beside «aminah» is a slip, «rini» beside «rina» is another name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from padan_linkage.compiled.jit import helper, kernel
from padan_linkage.merging.copies.candidates import SMALL, Bools, Bytes, FieldColumn, Rows
from padan_linkage.merging.copies.values import Compared, Float
from padan_linkage.normalise import derive, text_buffers
from padan_linkage.normalise.companies import FORMS
from padan_linkage.normalise.names.phonetic import sound
from padan_linkage.normalise.names.pieces import Ints, cut_words
from padan_linkage.normalise.names.telling import WEAK
from padan_linkage.schema import Kind

#: m: the whole name is the same by sound; a word is the same as written, by sound, by a slip (one
#: of the words that a slip can make of it), by its initial; it is left out.
_SAME_NAME, _SAME_WORD, _SOUND, _SLIP, _INITIAL, _LEFT_OUT = 0.9, 0.9, 0.2, 5e-4, 0.02, 0.05
#: Names are drawn from fewer than their words allow: a name is so much commoner than their product.
_DRAWN_TOGETHER = 100.0
#: A name that nobody else has is at least so rare, in shares of a row; nats for that.
_LEAST = 0.01
#: Words in common that are taken one by one share their region and time.
_DEPENDENT = 2.0
_MOST_WORDS = 12


@dataclass(frozen=True, repr=False)
class ComparedNames(Compared):
    """Names of ``k`` pairs.

    ``written``: bool[k], the same words in any order; ``same`` by sound; ``other``: each has a word
    that the other has not, or they have none in common; ``first``: the first words that tell agree;
    ``met``: every word has its like in the other; ``form``: two legal forms.
    """

    written: Bools
    first: Bools
    met: Bools
    form: Bools


class NameColumn:
    """Names of persons, or of companies, whose legal form stands last."""

    def __init__(self, kind: Kind, values: pa.StringArray) -> None:
        self.company = kind is Kind.COMPANY_NAME
        self.written = FieldColumn(derive(kind, "sorted", values))
        #: The same by sound in any order; the same by sound wherever words are joined.
        self.whole = FieldColumn(derive(kind, "phonetic", values))
        self.joined = FieldColumn(derive(kind, "joined", values))
        pieces = cut_words(values)
        words = pieces.vocabulary.to_pylist()
        self._starts, self._words = pieces.starts, pieces.words
        count = np.bincount(pieces.words, minlength=len(words))
        #: Rows that rarity is reckoned in.
        self._size = max(len(values), SMALL)
        others = np.maximum(count - 1, 0)
        self._share = others / np.where(count > 2, max(1, len(values)), self._size)
        sounds = pa.array([sound(w) for w in words], pa.string()).dictionary_encode().indices
        self._sound = sounds.to_numpy(zero_copy_only=False).astype(np.int32)
        # Every word of a company's name tells: «Maju 1» is not «Maju 2».
        weak = (not self.company and (len(w) == 1 or w in WEAK) for w in words)
        self._weak = np.fromiter(weak, np.bool_, len(words))
        self._form = np.array([self.company and w in FORMS for w in words], np.bool_)
        self._text = text_buffers(pieces.vocabulary)

    def __len__(self) -> int:
        return len(self.whole)

    def compared(self, a: Rows, b: Rows) -> ComparedNames:
        """``same``: the whole name by sound, in any order or wherever words are joined."""
        n = self._size
        same, filled = self.whole.same(a, b)
        same |= self.joined.same(a, b)[0]
        nats, product, first, lacking, form = _compare(
            self._starts, self._words, self._share, self._sound, self._weak, self._form,
            *self._text, a, b, 2 / n,
        )  # fmt: skip
        alone = np.clip(_DRAWN_TOGETHER * product, _LEAST / n, 1 / n)
        holders = np.maximum(self.whole.holders(a), self.whole.holders(b))
        by_name = np.log(_SAME_NAME / np.where(holders > 2, (holders - 1) / len(self), alone))
        by_words = np.minimum(nats - _DEPENDENT, np.log(_SAME_NAME * n))
        return ComparedNames(
            nats=np.select([same, filled], [by_name, by_words], 0.0),
            same=same,
            other=filled & ~same & (lacking > 1),
            written=self.written.same(a, b)[0],
            first=filled & (first | same),
            met=filled & (same | (lacking == 0)),
            form=form,
        )


@kernel
def _compare(
    starts: Rows, words: Ints, share: Float, sounds: Ints, weak: Bools, form: Bools,
    text: Bytes, ends: Rows, a: Rows, b: Rows, least: float,
) -> tuple[Float, Float, Bools, Bytes, Bools]:  # fmt: skip
    """What the words of every pair say.

    Nats word by word; product of the shares of a's words; whether the first telling words agree;
    how many of the two have telling words that the other lacks, both where nothing agrees; whether
    legal forms differ.
    """
    k = a.size
    nats, product = np.zeros(k, np.float64), np.ones(k, np.float64)
    first, forms = np.zeros(k, np.bool_), np.zeros(k, np.bool_)
    lacking = np.zeros(k, np.uint8)
    used = np.zeros(_MOST_WORDS, np.bool_)
    for pair in range(k):
        a0, a1 = starts[a[pair]], min(starts[a[pair] + 1], starts[a[pair]] + _MOST_WORDS)
        b0, b1 = starts[b[pair]], min(starts[b[pair] + 1], starts[b[pair]] + _MOST_WORDS)
        if a1 > a0 + 1 and b1 > b0 + 1 and form[words[a1 - 1]] and form[words[b1 - 1]]:
            forms[pair] = words[a1 - 1] != words[b1 - 1]
        a1 -= int(a1 > a0 + 1 and form[words[a1 - 1]])
        b1 -= int(b1 > b0 + 1 and form[words[b1 - 1]])
        used[:] = False
        lead_a, lead_b = _lead(words, weak, a0, a1), _lead(words, weak, b0, b1)
        matched, ours, theirs = 0, 0, 0
        for i in range(a0, a1):
            product[pair] *= max(share[words[i]], least)
            best, at = 0.0, -1
            for j in range(b0, b1):
                if used[j - b0]:
                    continue
                worth = _worth(words[i], words[j], share, sounds, text, ends, least)
                if worth > -90.0 and (at < 0 or worth > best):
                    best, at = worth, j
            if at < 0:
                ours += int(not weak[words[i]])
                nats[pair] += np.log(_LEFT_OUT)
                continue
            used[at - b0] = True
            matched += 1
            nats[pair] += best
            first[pair] |= i == lead_a and at == lead_b
        for j in range(b0, b1):
            if not used[j - b0]:
                theirs += int(not weak[words[j]])
                nats[pair] += np.log(_LEFT_OUT)
        lacking[pair] = 2 if matched == 0 else int(ours > 0) + int(theirs > 0)
    return nats, product, first, lacking, forms


@helper
def _lead(words: Ints, weak: Bools, begin: int, end: int) -> int:
    """The first word that tells, or the first."""
    for i in range(begin, end):
        if not weak[words[i]]:
            return i
    return begin


@helper
def _worth(
    one: int, two: int, share: Float, sounds: Ints, text: Bytes, ends: Rows, least: float
) -> Any:
    """Nats that two words are one; -99 if they are not."""
    rarer = max(least, min(share[one], share[two]))
    if one == two:
        return np.log(_SAME_WORD / rarer)
    if sounds[one] == sounds[two]:
        return np.log(_SOUND / max(rarer, share[one], share[two]))
    p, q = ends[one], ends[two]
    m, n = ends[one + 1] - p, ends[two + 1] - q
    if min(m, n) == 1 and text[p] == text[q]:
        return np.log(_INITIAL * 10)
    if min(m, n) >= 4 and _slip(text, p, m, q, n):
        return np.log(_SLIP / rarer)
    return -99.0


@helper
def _slip(text: Bytes, p: int, m: int, q: int, n: int) -> bool:
    """Whether one letter is another, more or less, two change places, or the end is cut."""
    i = 0
    while i < m and i < n and text[p + i] == text[q + i]:
        i += 1
    j = 0
    while j < m - i and j < n - i and text[p + m - 1 - j] == text[q + n - 1 - j]:
        j += 1
    rest, other = m - i - j, n - i - j
    if max(rest, other) <= 1 or i == min(m, n):
        return True
    return (
        rest == 2 and other == 2
        and text[p + i] == text[q + i + 1] and text[p + i + 1] == text[q + i]
    )  # fmt: skip
