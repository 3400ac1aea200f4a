"""Derivations of direct mode: tolerant forms of a value, several for one value.

Two records agree under a key if their sets of values share one. Built on the normal forms and the
phonetics of :mod:`padan_linkage.normalise`; a change here is a change of the normaliser's version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from itertools import combinations

import pyarrow as pa

from padan_linkage.direct.schema import MANY_VALUED
from padan_linkage.normalise import derive, sound_numbers
from padan_linkage.schema import Kind

Values = tuple[str, ...]


def value_sets(kind: Kind, derivation: str, normalised: pa.StringArray) -> list[Values]:
    """For each of ``n`` normalised values its derived ones, sorted, none twice; () for none.

    ``derivation``: one of :data:`.schema.MANY_VALUED`, of :data:`padan_linkage.schema.DERIVATIONS`,
    or "" for the value itself. A damaged number gives values under a derivation made for that
    (``deletions``) and none otherwise. Raises KeyError if the kind has no such derivation.
    """
    limits = MANY_VALUED.get(kind, {})
    if derivation not in limits:
        sound = sound_numbers(kind, normalised)
        single = derive(kind, derivation, sound) if derivation else sound
        return [(value,) if value else () for value in single.to_pylist()]
    encoded = normalised.dictionary_encode()
    change, limit = _MAKERS[kind, derivation](), limits[derivation]
    distinct = [
        _bounded(change(value), limit) if value else () for value in encoded.dictionary.to_pylist()
    ]
    return [distinct[i] for i in encoded.indices.to_pylist()]


def _bounded(values: Iterable[str], limit: int) -> Values:
    """At most ``limit`` of the values, sorted: those with the lowest hashes.

    So two sides with almost the same values keep almost the same ones.
    """
    found = sorted(set(values))
    if len(found) > limit:
        found = sorted(found, key=lambda v: hashlib.sha256(v.encode()).digest())[:limit]
    return tuple(sorted(found))


def _phonetic_tokens() -> Callable[[str], list[str]]:
    """From a normalised name to its phonetic tokens that tell; all of them if none tells."""
    from padan_linkage.normalise.derive import _WEAK, _Sounds

    sounds = _Sounds()

    def tokens(name: str) -> list[str]:
        parts = name.split(" ")
        telling = [t for t in parts if len(t) > 1 and t not in _WEAK] or parts
        return [sounds[t] for t in telling]

    return tokens


def _pairs() -> Callable[[str], Iterable[str]]:
    tokens = _phonetic_tokens()
    return lambda name: (" ".join(p) for p in combinations(sorted(set(tokens(name))), 2))


def _drops() -> Callable[[str], Iterable[str]]:
    tokens = _phonetic_tokens()

    def drops(name: str) -> Iterable[str]:
        parts = sorted(tokens(name))
        yield " ".join(parts)
        if len(parts) > 2:
            for i in range(len(parts)):
                yield " ".join(parts[:i] + parts[i + 1 :])

    return drops


def _joined() -> Callable[[str], Iterable[str]]:
    tokens = _phonetic_tokens()
    return lambda name: ["".join(tokens(name))]


def _edits() -> Callable[[str], Iterable[str]]:
    tokens = _phonetic_tokens()

    def edits(name: str) -> Iterable[str]:
        return _deletions("".join(tokens(name)))

    return edits


def _deletions(text: str) -> Iterable[str]:
    yield text
    for i in range(len(text)):
        yield text[:i] + text[i + 1 :]


def _nik_parts(nik: str) -> Iterable[str]:
    """Two of a NIK's three parts: one damaged digit, or a missing block, leaves one untouched."""
    if len(nik) != 16:
        return
    yield f"{nik[:6]}-{nik[6:12]}-"
    yield f"{nik[:6]}--{nik[12:]}"
    yield f"-{nik[6:12]}-{nik[12:]}"


def _nik_deletions(nik: str) -> Iterable[str]:
    if len(nik) == 15:
        yield nik
    elif len(nik) == 16:
        yield from (nik[:i] + nik[i + 1 :] for i in range(16))


_MAKERS: dict[tuple[Kind, str], Callable[[], Callable[[str], Iterable[str]]]] = {
    (Kind.PERSON_NAME, "pairs"): _pairs,
    (Kind.PERSON_NAME, "drops"): _drops,
    (Kind.PERSON_NAME, "joined"): _joined,
    (Kind.PERSON_NAME, "edits"): _edits,
    (Kind.DATE, "year_day"): lambda: lambda d: [f"{d[:4]}-{d[8:]}"],
    (Kind.DATE, "month_day"): lambda: lambda d: [d[5:]],
    (Kind.NIK, "parts"): lambda: _nik_parts,
    (Kind.NIK, "deletions"): lambda: _nik_deletions,
}
