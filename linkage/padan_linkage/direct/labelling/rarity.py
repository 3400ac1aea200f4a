"""How common a value's words are in the registry: half decades, for who weighs answers.

Counted by the provider over its whole registry when a table is built, key by key: how many people
have the same words of a name, and the same place, under the key. Spec 60, "Rarity".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.frames import part_hashes
from padan_linkage.direct.half_decades import NAMES, PLACES, RAREST, SHARES
from padan_linkage.direct.inputs import KeyInputs, head_bytes
from padan_linkage.direct.schema import DirectKey, alternatives
from padan_linkage.schema import Kind, Schema

#: In place of a half decade: the key has no such part.
NONE = 15

Hashes = NDArray[np.uint64]
#: What is counted of one value of a person: short hashes, 0 where the key has no such part.
WORDS = np.dtype([("names", np.uint64), ("places", np.uint64)])
#: How many people have the same.
COUNT = np.dtype([("words", np.uint64), ("people", np.int64)])
Counts = NDArray[np.void]  # of COUNT, by words, each once


def value_words(fields: Schema, key: DirectKey, number: int, inputs: KeyInputs) -> NDArray[np.void]:
    """The words of each input of key number ``number``, ``WORDS[m]``."""
    found = np.zeros(len(inputs), WORDS)
    for column, kinds in (("names", NAMES), ("places", PLACES)):
        chosen = np.array([_kind(fields, part) in kinds for part in key.exact])
        if chosen.any():
            seed = 2 * number + (kinds is PLACES)
            found[column] = part_hashes(inputs.messages, head_bytes(key), chosen, seed)
    return found


def known(rarity: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which bytes are of a known form, bool[n]."""
    nibbles = np.stack([rarity & 15, rarity >> np.uint8(4)])
    fits: NDArray[np.bool_] = ((nibbles <= RAREST) | (nibbles == NONE)).all(axis=0)
    return fits


def counted(words: Sequence[tuple[NDArray[np.int64], NDArray[np.void]]]) -> Counts:
    """How many people have each word, of pieces with the person of every value."""
    pairs = [
        np.stack([each[column], person.astype(np.uint64)], axis=1)
        for person, each in words
        for column in WORDS.names or ()
    ]
    all_pairs = np.concatenate([np.zeros((0, 2), np.uint64), *pairs])
    all_pairs = all_pairs[all_pairs[:, 0] != 0]
    order = np.lexsort((all_pairs[:, 1], all_pairs[:, 0]))
    ordered = all_pairs[order]
    fresh = np.ones(len(ordered), np.bool_)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    found, people = np.unique(ordered[fresh, 0], return_counts=True)
    made = np.empty(len(found), COUNT)
    made["words"], made["people"] = found, people
    return made


def added(counts: Sequence[Counts]) -> Counts:
    """The counts of several groups of people as one."""
    whole = np.concatenate([np.zeros(0, COUNT), *counts])
    found, at = np.unique(whole["words"], return_inverse=True)
    made = np.zeros(len(found), COUNT)
    made["words"] = found
    np.add.at(made["people"], at.reshape(-1), whole["people"])
    return made


@dataclass(frozen=True, repr=False)
class Rarities:
    """The words that are not of the rarest: ``words`` uint64[n], ascending, ``level`` uint8[n]."""

    words: Hashes
    level: NDArray[np.uint8]

    def __repr__(self) -> str:
        return f"Rarities(words={len(self.words)})"

    @classmethod
    def of(cls, counts: Counts, people: int) -> Rarities:
        """Those of a registry of so many people."""
        share = counts["people"] / max(1, people)
        level = (share[:, None] < np.array(SHARES)).sum(axis=1).astype(np.uint8)
        kept = level < RAREST
        return cls(counts["words"][kept], level[kept])

    def of_values(self, words: NDArray[np.void]) -> NDArray[np.uint8]:
        """The byte of each value, ``WORDS[n]``: its name's nibble, its place's above it."""
        names, place = (self._levels(words[column]) for column in WORDS.names or ())
        return names | place << np.uint8(4)

    def _levels(self, words: Hashes) -> NDArray[np.uint8]:
        known = np.append(self.words, np.uint64(0))
        at = np.minimum(np.searchsorted(self.words, words), len(known) - 1)
        level = np.append(self.level, np.uint8(RAREST))
        found = np.where(known[at] == words, level[at], np.uint8(RAREST))
        return np.where(words == 0, np.uint8(NONE), found)


def _kind(fields: Schema, part: str) -> Kind:
    """What a part is of; with alternatives, what the first is of."""
    return fields.kind(alternatives(part)[0][0])
