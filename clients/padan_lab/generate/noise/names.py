"""How names go wrong when they are written down, by indexing into tables of tokens.

What happens follows what two real registers of the same people differ in (see
:mod:`padan_lab.generate.rates`); how often each happens among the changed names is a guess. Every
edit takes rows of tokens (int32[k, SLOTS]) and the rows' own numbers (int64[k]) and returns changed
rows; where a name has no room for an edit it returns the row as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from padan_lab.generate.draw.draws import Choice, Draws, Ints
from padan_lab.generate.draw.vocabulary import (
    GLUE,
    NONE,
    SLOTS,
    Slots,
    Vocabulary,
    prophets,
    vocabulary,
)

Edit = Callable[[Vocabulary, Draws, Slots, Ints], Slots]
Labels = NDArray[np.object_]


class Noise:
    """Ways in which names of one kind are changed, by weight; a name is changed in one of them."""

    def __init__(self, edits: Sequence[tuple[str, Edit, float]], prefix: str) -> None:
        self._edits, self._prefix = edits, prefix
        self._choice = Choice([weight for *_, weight in edits])

    def change(
        self, words: Vocabulary, slots: Slots, keys: Ints, draws: Draws
    ) -> tuple[Slots, Labels]:
        """Change every name; returns the names and the label of each change.

        A name with no room for what was drawn gets a slip of the pen instead.
        """
        kinds = draws.pick("kind", keys, self._choice)
        result, labels = slots.copy(), np.full(len(keys), "", dtype=object)
        for number, (label, edit, _) in enumerate(self._edits):
            rows = np.flatnonzero(kinds == number)
            result[rows] = edit(words, draws, slots[rows], keys[rows])
            labels[rows] = f"{self._prefix}.{label}"
        for label, edit in (("slip", slip), ("spelling", respell), ("drop", drop)):
            same = np.flatnonzero((result == slots).all(axis=1))
            result[same] = edit(words, draws, slots[same], keys[same])
            labels[same] = f"{self._prefix}.{label}"
        return result, labels


def shortened_prophet(slots: Slots, keys: Ints, draws: Draws) -> Slots:
    """Muhammad in front in another of its forms; other names as they are."""
    words = vocabulary()
    first = slots[:, 0]
    named = (first >= 0) & (first < words.base)
    named &= prophets()[np.where(named, first, 0)]
    result = slots.copy()
    form = words.roles["prophet_forms"].draw(draws, "prophet", keys)
    result[:, 0] = np.where(named, form, first)
    return result


def _variants(table: Slots, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """A token drawn, or the first that has variants, replaced by one of them."""
    length = np.maximum((slots >= 0).sum(axis=1), 1)
    result = _variant(table, draws, slots, keys, draws.below("token", keys, length))
    for column in range(4):
        same = np.flatnonzero((result == slots).all(axis=1))
        at = np.full(len(same), column)
        result[same] = _variant(table, draws, slots[same], keys[same], at)
    return result


def _variant(table: Slots, draws: Draws, slots: Slots, keys: Ints, at: Ints) -> Slots:
    rows = np.arange(len(slots))
    tokens = slots[rows, at]
    known = (tokens >= 0) & (tokens < len(table))
    form = draws.below("variant", keys, table.shape[1])
    spelt = table[np.where(known, tokens, 0), form]
    result = slots.copy()
    result[rows, at] = np.where(known & (spelt >= 0), spelt, tokens)
    return result


def respell(words: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """Another spelling by the families of letters."""
    return _variants(words.spelt, draws, slots, keys)


def double(words: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """A doubled letter single, or a single one doubled."""
    return _variants(words.doubled, draws, slots, keys)


def slip(words: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """A letter wrong, missing, added or in its neighbour's place."""
    return _variants(words.slipped, draws, slots, keys)


def abbreviate(words: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """Muhammad in front shortened, or another token to its short form or initial."""
    result = shortened_prophet(slots, keys, draws)
    rows = np.flatnonzero((result == slots).all(axis=1))
    result[rows] = shorten(words, draws, slots[rows], keys[rows])
    return result


def shorten(words: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """A token behind the first one shortened."""
    length = (slots >= 0).sum(axis=1)
    result = slots.copy()
    rows = np.flatnonzero(length > 1)
    at = 1 + draws.below("initial", keys[rows], np.maximum(length[rows] - 1, 1))
    result[rows] = _variant(words.short, draws, slots[rows], keys[rows], at)
    return result


def join(words: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """Two tokens as one; or a long one in two."""
    length = (slots >= 0).sum(axis=1)
    result = slots.copy()
    two = np.flatnonzero(length > 1)
    at = 1 + draws.below("join", keys[two], np.maximum(length[two] - 1, 1))
    result[two, at] += GLUE
    one = np.flatnonzero(length == 1)
    result[one] = _variant(words.split, draws, slots[one], keys[one], np.zeros_like(one))
    return result


def split(words: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """A long token in two."""
    return _variants(words.split, draws, slots, keys)


def drop(_: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """A token less; the first one stays as a rule."""
    length = (slots >= 0).sum(axis=1)
    kept = draws.chance("first stays", keys, 0.8)
    low = np.where(kept, 1, 0)
    at = low + draws.below("drop", keys, np.maximum(length - low, 1))
    rows = np.flatnonzero(length > 1)
    result = slots.copy()
    result[rows, at[rows]] = NONE
    return _closed(result)


def reorder(_: Vocabulary, __: Draws, slots: Slots, keys: Ints) -> Slots:
    """The last token first."""
    length = (slots >= 0).sum(axis=1)
    rows = np.arange(len(keys))
    order = np.tile(np.arange(SLOTS), (len(keys), 1))
    order = np.where(order < length[:, None], (order - 1) % np.maximum(length, 1)[:, None], order)
    return slots[rows[:, None], order]


def add(words: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """A name more behind."""
    return _appended(slots, words.roles["male_last"].draw(draws, "added", keys)[:, None])


def alias(words: Vocabulary, draws: Draws, slots: Slots, keys: Ints) -> Slots:
    """What the neighbours call the person."""
    called = words.roles["nicknames"].draw(draws, "alias", keys)
    mark = np.full(len(keys), words.number("alias"), dtype=np.int32)
    return _appended(slots, np.column_stack((mark, called)))


def with_father(slots: Slots, fathers: Slots) -> Slots:
    """The father's name behind; ``fathers`` is int32[k, 2], NONE where nobody says it."""
    result = slots.copy()
    rows = np.flatnonzero(fathers[:, 1] >= 0)
    result[rows] = _appended(slots[rows], fathers[rows])
    return result


def _appended(slots: Slots, tokens: Slots) -> Slots:
    """Tokens (int32[k, j]) behind the names that have room."""
    result = slots.copy()
    length = (slots >= 0).sum(axis=1)
    rows = np.flatnonzero(length + tokens.shape[1] <= SLOTS)
    for i in range(tokens.shape[1]):
        result[rows, length[rows] + i] = tokens[rows, i]
    return result


def _closed(slots: Slots) -> Slots:
    """Gaps closed, order kept."""
    order = np.argsort(slots < 0, axis=1, kind="stable")
    closed: Slots = np.take_along_axis(slots, order, axis=1)
    return closed


#: Indonesian people's names.
PEOPLE = Noise(
    (
        ("spelling", respell, 33), ("double", double, 14), ("slip", slip, 13),
        ("abbreviation", abbreviate, 14), ("join", join, 5), ("split", split, 2), ("drop", drop, 7),
        ("reorder", reorder, 3), ("added", add, 3), ("alias", alias, 2),
    ),
    "name",
)  # fmt: skip
