"""Derivations of direct mode: tolerant forms of a value, several for one value.

Two records agree under a key if their values share one. Built on the normal forms and the phonetics
of :mod:`padan_linkage.normalise`; a change here is a change of the normaliser's version. Spec 60,
"Derivations", has what each finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa

from padan_linkage.compiled.jit import kernel
from padan_linkage.direct.derived.halves import halves
from padan_linkage.direct.derived.several import SeveralValues
from padan_linkage.direct.schema import MANY_VALUED, alternatives
from padan_linkage.normalise import derive, sound_values
from padan_linkage.normalise.companies import FORMS
from padan_linkage.normalise.names.phonetic import sound
from padan_linkage.normalise.names.pieces import Ints, Longs, join_words
from padan_linkage.normalise.names.telling import TellingWords, telling_words
from padan_linkage.schema import Kind, Schema


def part_values(fields: Schema, part: str, records: Mapping[str, pa.StringArray]) -> SeveralValues:
    """The values of every record for one part of a key, of each alternative in their order.

    Raises KeyError for a field or derivation that there is not.
    """
    values = [
        derived_values(fields.kind(name), derivation, records[name])
        for name, derivation in alternatives(part)
    ]
    return reduce(SeveralValues.either, values)


def derived_values(kind: Kind, derivation: str, normalised: pa.StringArray) -> SeveralValues:
    """For each of ``n`` normalised values its derived ones, none twice, in the derivation's order.

    ``derivation``: one of :data:`.schema.MANY_VALUED`, of :data:`padan_linkage.schema.DERIVATIONS`,
    or "" for the value itself. A doubtful value gives none; a damaged number does, under a
    derivation that is made for it (``area``). Raises KeyError if the kind has no such derivation.
    """
    limits = MANY_VALUED.get(kind, {})
    if derivation not in limits:
        single = derive(kind, derivation, normalised) if derivation else sound_values(normalised)
        return SeveralValues.single(single)
    sound_ones, limit = sound_values(normalised), limits[derivation]
    if derivation in _OF_WORDS:
        left_out = FORMS if kind is Kind.COMPANY_NAME else frozenset[str]()
        return _OF_WORDS[derivation](telling_words(sound_ones, left_out), limit)
    if (kind, derivation) in _OF_COLUMNS:
        return _OF_COLUMNS[kind, derivation](sound_ones)
    encoded = sound_ones.dictionary_encode()
    change = MAKERS[kind, derivation]
    distinct = [
        _bounded(change(value), limit) if value else () for value in encoded.dictionary.to_pylist()
    ]
    of = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return SeveralValues.by_value(distinct, of)


def _bounded(values: Iterable[str], limit: int) -> tuple[str, ...]:
    """At most ``limit`` of the values, sorted: those with the lowest SHA-256.

    So two sides with almost the same values keep almost the same ones.
    """
    found = sorted(set(values))
    if len(found) > limit:
        found = sorted(found, key=lambda v: hashlib.sha256(v.encode()).digest())[:limit]
    return tuple(sorted(found))


def _name_edits(name: str) -> Iterable[str]:
    """The phonetic name without spaces, whole and with each letter left out."""
    return _edits("".join(map(sound, name.split(" "))))


def _edits(text: str) -> Iterable[str]:
    """The text, whole and with each letter left out: one edit apart means one of them shared."""
    yield text
    for i in range(len(text)):
        yield text[:i] + text[i + 1 :]


def _words(telling: TellingWords, limit: int) -> SeveralValues:
    """Any word of the name, the most telling first."""
    which, starts = _first(telling.starts, telling.words, limit)
    return SeveralValues.chosen(telling.sounds, which, starts)


def _pairs(telling: TellingWords, limit: int) -> SeveralValues:
    """Any two words, in alphabetical order with a space between; the two most telling ones first.

    A pair with the third word comes behind all pairs of the words before it.
    """
    alphabet = np.empty(len(telling.sounds), np.int32)
    order = np.argsort(np.array(telling.sounds.to_pylist() or [""], object), kind="stable")
    alphabet[order[: len(alphabet)]] = np.arange(len(alphabet), dtype=np.int32)
    words, ends, starts = _two(telling.starts, telling.words, alphabet, limit)
    return SeveralValues(join_words(words, ends, telling.sounds), starts)


@kernel
def _first(starts: Longs, words: Ints, limit: int) -> Any:
    """The first ``limit`` words of each row."""
    n = starts.size - 1
    chosen, rows = np.empty(words.size, np.int64), np.zeros(n + 1, np.int64)
    at = 0
    for row in range(n):
        for i in range(starts[row], min(starts[row + 1], starts[row] + limit)):
            chosen[at] = words[i]
            at += 1
        rows[row + 1] = at
    return chosen[:at].copy(), rows


@kernel
def _two(starts: Longs, words: Ints, alphabet: Ints, limit: int) -> Any:
    """Words two by two, where each pair begins, and each row's first pair."""
    n = starts.size - 1
    rows = np.zeros(n + 1, np.int64)
    for row in range(n):
        several = starts[row + 1] - starts[row]
        rows[row + 1] = rows[row] + min(several * (several - 1) // 2, limit)
    chosen = np.empty(2 * rows[n], np.int32)
    for row in range(n):
        at, end = 2 * rows[row], 2 * rows[row + 1]
        for later in range(starts[row] + 1, starts[row + 1]):
            for earlier in range(starts[row], later):
                if at < end:
                    one, other = words[earlier], words[later]
                    if alphabet[one] > alphabet[other]:
                        one, other = other, one
                    chosen[at], chosen[at + 1] = one, other
                    at += 2
    return chosen, np.arange(0, 2 * rows[n] + 1, 2), rows


_OF_WORDS: dict[str, Callable[[TellingWords, int], SeveralValues]] = {
    "words": _words,
    "pairs": _pairs,
}
_OF_COLUMNS: dict[tuple[Kind, str], Callable[[pa.StringArray], SeveralValues]] = {
    (Kind.PERSON_NAME, "halves"): halves,
}
#: What makes the values of the other derivations from one normalised value.
MAKERS: dict[tuple[Kind, str], Callable[[str], Iterable[str]]] = {
    (Kind.PERSON_NAME, "edits"): _name_edits,
    (Kind.PASSPORT, "edits"): _edits,
}
