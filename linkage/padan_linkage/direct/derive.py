"""Derivations of direct mode: tolerant forms of a value, several for one value.

Two records agree under a key if their sets of values share one. Built on the normal forms and the
phonetics of :mod:`padan_linkage.normalise`; a change here is a change of the normaliser's version.
Spec 60, "Derivations", has what each finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import pyarrow as pa

from padan_linkage.direct.schema import MANY_VALUED
from padan_linkage.normalise import derive, sound_values
from padan_linkage.normalise.names.phonetic import sound
from padan_linkage.schema import Kind

Values = tuple[str, ...]


def value_sets(kind: Kind, derivation: str, normalised: pa.StringArray) -> list[Values]:
    """For each of ``n`` normalised values its derived ones, sorted, none twice; () for none.

    ``derivation``: one of :data:`.schema.MANY_VALUED`, of :data:`padan_linkage.schema.DERIVATIONS`,
    or "" for the value itself. A doubtful value gives none; a damaged number does, under a
    derivation that is made for it (``area``). Raises KeyError if the kind has no such derivation.
    """
    limits = MANY_VALUED.get(kind, {})
    if derivation not in limits:
        single = derive(kind, derivation, normalised) if derivation else sound_values(normalised)
        return [(value,) if value else () for value in single.to_pylist()]
    encoded = sound_values(normalised).dictionary_encode()
    change, limit = MAKERS[kind, derivation], limits[derivation]
    distinct = [
        _bounded(change(value), limit) if value else () for value in encoded.dictionary.to_pylist()
    ]
    return [distinct[i] for i in encoded.indices.to_pylist()]


def _bounded(values: Iterable[str], limit: int) -> Values:
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


#: What makes the values of each derivation from one normalised value.
MAKERS: dict[tuple[Kind, str], Callable[[str], Iterable[str]]] = {
    (Kind.PERSON_NAME, "edits"): _name_edits,
    (Kind.PASSPORT, "edits"): _edits,
}
