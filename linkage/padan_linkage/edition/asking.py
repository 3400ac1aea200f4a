"""Whom a registry is asked about, of itself, when its edition is measured.

Its own people, once with all the fields that they have and once with every combination that a list
may come with: what is asked with fewer fields was cut from what is there, so it agrees exactly.
Spec: ``proto/spec/36-editions.md``, "Asked of itself".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.crypto.randomness import Drbg
from padan_linkage.edition.damage import damaged
from padan_linkage.normalise import sound_values
from padan_linkage.schema import Kind, Schema

#: By :data:`SHARES`, the words that are so common.
CommonWords = tuple[tuple[str, ...], ...]
Records = Mapping[str, pa.StringArray | pa.ChunkedArray]

#: People asked about with all that is known of them; and rows over all combinations, at most.
MOST_WHOLE, MOST_PARTS = 100_000, 150_000
#: Questions with errors, over all combinations, at most.
MOST_DAMAGED = 60_000
#: People asked about with one combination, at least where there are so many.
LEAST_PART = 1_000
#: Fields of which every combination is asked about; of more, those that miss or have a few.
MOST_FIELDS, FEW = 6, 2
#: Words of names are common from these shares of the registry's people on, and from so many people.
SHARES, LEAST_PEOPLE = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5), 20
#: Names that tell more than this are told apart no further.
MOST_TELLING = 16
_NAMES = frozenset({Kind.PERSON_NAME, Kind.COMPANY_NAME})


@dataclass(frozen=True, repr=False)
class OwnQuestions:
    """Questions about a registry's own people.

    ``records``: columns of the ``k`` questions, "" where a field is not given; ``person``:
    int64[k], the registry's record asked about; ``given``: bool[k, fields], which of
    :func:`fields_of` are given, and ``telling``: int64[k], how much their names tell
    (:func:`telling_of`). The first ``whole`` questions give all that the registry has of a person;
    those from ``damaged`` on carry errors, and somebody else's value where the registry has none.
    ``common``: the registry's common words of names (:func:`common_words`).
    """

    records: dict[str, pa.StringArray]
    person: NDArray[np.int64]
    given: NDArray[np.bool_]
    telling: NDArray[np.int64]
    whole: int
    damaged: int
    common: CommonWords

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"OwnQuestions(rows={len(self)})"

    @classmethod
    def of(cls, schema: Schema, records: Records, drbg: Drbg) -> OwnQuestions:
        """Draw the questions; the same ``drbg`` draws the same."""
        names = fields_of(schema)
        columns = {name: whole_column(records[name]) for name in names}
        filled = filled_of(columns, names)
        common = common_words(schema, columns)
        as_is = _Drawn.of(filled, drbg)
        exact = as_is.shown(columns)
        kinds = [np.ones(len(names), np.bool_), *_combinations(len(names))]
        some = _some(np.arange(len(filled)), max(1, MOST_DAMAGED // len(kinds)), drbg.fork("some"))
        spoilt = damaged(_completed(columns, some, drbg), schema, drbg)
        again = _Drawn(
            np.tile(np.arange(len(some)), len(kinds)), np.repeat(np.array(kinds), len(some), axis=0)
        )
        wrong = again.shown(spoilt)
        asked = {n: pa.concat_arrays([exact[n], wrong[n]]) for n in names}
        return cls(
            records=asked,
            person=np.concatenate([as_is.person, some[again.person]]),
            given=np.concatenate([as_is.given, again.given & filled_of(wrong, names)]),
            telling=telling_of(schema, asked, common),
            whole=min(len(filled), MOST_WHOLE),
            damaged=len(as_is.person),
            common=common,
        )


@dataclass(frozen=True, repr=False)
class _Drawn:
    """Whom to ask about (int64[k], places in columns) with which fields (bool[k, fields])."""

    person: NDArray[np.int64]
    given: NDArray[np.bool_]

    @classmethod
    def of(cls, filled: NDArray[np.bool_], drbg: Drbg) -> Self:
        """People with all that is known of them, then with every combination of fewer fields."""
        whole = _some(np.arange(len(filled)), MOST_WHOLE, drbg.fork("asked whole"))
        person, given = [whole], [filled[whole]]
        kinds = _combinations(filled.shape[1])
        share = max(LEAST_PART, MOST_PARTS // max(1, len(kinds)))
        for number, fields in enumerate(kinds):
            having = np.flatnonzero(filled[:, fields].all(axis=1))
            person.append(_some(having, share, drbg.fork(f"asked {number}")))
            given.append(np.broadcast_to(fields, (len(person[-1]), len(fields))))
        return cls(np.concatenate(person), np.concatenate(given))

    def shown(self, columns: Mapping[str, pa.StringArray]) -> dict[str, pa.StringArray]:
        """Their values in the fields that are given, "" in the others."""
        who = pa.array(self.person)
        return {
            name: pc.if_else(pa.array(self.given[:, n]), column.take(who), "")
            for n, (name, column) in enumerate(columns.items())
        }


def _completed(
    columns: Mapping[str, pa.StringArray], some: NDArray[np.int64], drbg: Drbg
) -> dict[str, pa.StringArray]:
    """The records ``some``, with another's value where one is missing: a list may have it."""
    made = {}
    for name, column in columns.items():
        mine = column.take(pa.array(some))
        others = column.filter(pc.not_equal(column, ""))
        if len(others):
            index = drbg.fork(f"other {name}").integers(len(some), len(others))
            mine = pc.if_else(pc.equal(mine, ""), others.take(pa.array(index)), mine)
        made[name] = mine
    return made


def whole_column(column: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """The column in one piece."""
    return pa.array(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)


def fields_of(schema: Schema) -> tuple[str, ...]:
    """The fields that passes compare or depend on, in the schema's order."""
    return schema.compared


def filled_of(
    records: Records, names: tuple[str, ...], damaged: tuple[str, ...] = ()
) -> NDArray[np.bool_]:
    """Which fields the records have a sound value of, or any at all of the ``damaged``.

    bool[n, fields].
    """
    whole = {name: whole_column(records[name]) for name in names}
    columns = [whole[n] if n in damaged else sound_values(whole[n]) for n in names]
    return np.stack([np.asarray(pc.not_equal(c, "")) for c in columns], axis=1).astype(np.bool_)


def common_words(schema: Schema, records: Records) -> CommonWords:
    """The words of names that many registered people have, by how many: :data:`SHARES`."""
    number = len(next(iter(records.values()), ()))
    counts: dict[str, int] = {}
    for name in _names(schema, records):
        for entry in pc.value_counts(_split(whole_column(records[name])).flatten()).to_pylist():
            counts[entry["values"]] = counts.get(entry["values"], 0) + entry["counts"]
    most = [max(share * number, LEAST_PEOPLE) for share in SHARES]
    steps = zip([math.inf, *most], most, strict=False)
    return tuple(
        tuple(sorted(w for w, n in counts.items() if w and least <= n < below))
        for below, least in steps
    )


def words_in(schema: Schema, records: Records) -> list[str]:
    """Every word of the records' names, each once."""
    found: set[str] = set()
    for name in _names(schema, records):
        words = _split(sound_values(whole_column(records[name]))).flatten().unique()
        found.update(words.to_pylist())
    return sorted(found - {""})


def telling_of(schema: Schema, records: Records, common: CommonWords) -> NDArray[np.int64]:
    """How much the records' names tell, int64[n]: 0 without a name, :data:`MOST_TELLING` at most.

    A most common word counts one, a word that is not common at all one more than there are groups
    of common ones. A name of one common word is shared by so many that it tells hardly anything,
    and whoever asks can see that.
    """
    total = np.zeros(len(next(iter(records.values()))), np.int64)
    weight = {word: number + 1 for number, group in enumerate(common) for word in group}
    for name in _names(schema, records):
        words = _split(sound_values(whole_column(records[name])))
        flat = words.flatten().dictionary_encode()
        known = [weight.get(w, len(common) + 1) if w else 0 for w in flat.dictionary.to_pylist()]
        each = np.array([*known, 0], np.int64)[np.asarray(flat.indices)]
        np.add.at(total, np.asarray(pc.list_parent_indices(words)), each)
    return np.minimum(total, MOST_TELLING)


def _names(schema: Schema, records: Records) -> list[str]:
    return [f.name for f in schema.fields if f.kind in _NAMES and f.name in records]


def _split(column: pa.StringArray) -> pa.ListArray:
    return pc.split_pattern(column, " ")


def _combinations(fields: int) -> list[NDArray[np.bool_]]:
    """Ever fewer of so many fields, at least one; bool[fields] each."""
    sizes: Sequence[int] = range(fields - 1, 0, -1)
    if fields > MOST_FIELDS:
        sizes = [n for n in sizes if n <= FEW or n >= fields - FEW]
    every = np.arange(fields)
    return [np.isin(every, c) for n in sizes for c in combinations(range(fields), n)]


def _some(having: NDArray[np.int64], most: int, drbg: Drbg) -> NDArray[np.int64]:
    """At most so many of them, ascending."""
    if len(having) <= most:
        return having
    return np.sort(having[drbg.permutation(len(having))[:most]])
