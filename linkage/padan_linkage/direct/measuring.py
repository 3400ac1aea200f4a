"""What a provider measures at home for its label table: whom the keys find, by the fields given.

The registry is asked about its own people, combination of fields by combination, through the very
inputs and decisions of a confirmation (:mod:`.inputs`, :func:`.lookup.settle`); labels stand for
themselves here, for the oblivious PRF maps equal inputs to equal outputs and no others. Spec 60,
"Vouching for not found".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    FIELDS_MISSING,
    MATCHED,
    NO_REASON,
    NOT_MATCHED,
    SELDOM_FOUND,
)
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.inputs import KeyInputs, key_inputs, requester_inputs
from padan_linkage.direct.lookup import Found, settle
from padan_linkage.direct.manifest import KeyedFields
from padan_linkage.direct.registry import Labelled, label_inputs
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.normalise import sound_values
from padan_linkage.schema import Schema

Records = Mapping[str, pa.StringArray]
Bool = NDArray[np.bool_]

#: People taken for the registry, and asked about with one combination of fields, at most.
MOST_PEOPLE, MOST_ASKED = 100_000, 1_000
#: Fields of which every combination is asked about; of more, those that miss or have a few.
MOST_FIELDS, FEW = 8, 2


def measure(
    fields: Schema,
    schema: DirectSchema,
    records: Records,
    codes: NDArray[np.uint64],
    drbg: Drbg,
    damage: Callable[[Records, Drbg], Records],
) -> tuple[KeyedFields, ...]:
    """What holds for rows with each combination of fields, of a registry of ``n`` people.

    ``records``: normalised columns by field; ``codes``: uint64[n]; ``damage`` gives values the
    errors of files. Combinations that nobody in the registry has are left out.
    """
    people = _some(np.arange(len(codes)), MOST_PEOPLE, drbg.fork("people"))
    scale = len(codes) / max(1, len(people))
    own = _Registry.of(fields, schema, _taken(records, people), codes[people])
    names = key_fields(schema)
    filled = given_fields(names, own.records)
    measured = []
    for given in _combinations(names):
        having = np.flatnonzero(filled[:, [names.index(name) for name in given]].all(axis=1))
        if len(having):
            at = drbg.fork("+".join(given))
            measured.append(own.measured(given, _some(having, MOST_ASKED, at), scale, at, damage))
    return tuple(measured)


def key_fields(schema: DirectSchema) -> tuple[str, ...]:
    """The fields that keys ask for or depend on, each once."""
    named = [name for key in schema.keys for name in (*key.named, *key.without)]
    return tuple(dict.fromkeys(named))


def given_fields(names: Sequence[str], records: Records) -> Bool:
    """Which of ``names`` the records have, bool[n, names]; a doubtful value is not there."""
    columns = [sound_values(records[name]) for name in names]
    present = [pc.not_equal(c, "").to_numpy(zero_copy_only=False) for c in columns]
    return np.stack(present, axis=1).astype(np.bool_)


def vouch(
    answers: RecordAnswers,
    measured: Sequence[KeyedFields],
    schema: DirectSchema,
    records: Records,
    asked: Bool,
    min_found: float,
) -> RecordAnswers:
    """The answers, «not found» taken back where rows with such fields are not found often enough.

    ``records`` are those that were asked about, ``asked``: bool[n, keys], under which keys;
    ``measured`` is the provider's.
    """
    names, ids = key_fields(schema), [key.id for key in schema.keys]
    kinds, which = np.unique(
        np.hstack([given_fields(names, records), asked]), axis=0, return_inverse=True
    )
    entries = [
        _entry(measured, _named(names, kind[: len(names)]), _named(ids, kind[len(names) :]))
        for kind in kinds
    ]
    reasons = [_reason(entry, min_found) for entry in entries]
    reason = np.array(reasons, np.uint8)[which.reshape(-1)]
    for number in (FIELDS_MISSING, SELDOM_FOUND):
        silent = (answers.outcome == NOT_MATCHED) & (reason == number)
        answers = answers.undecided(silent, number)
    return answers


def _named(names: Sequence[str], kind: Bool) -> set[str]:
    return {name for name, has in zip(names, kind, strict=True) if has}


def _entry(measured: Sequence[KeyedFields], given: set[str], asked: set[str]) -> KeyedFields | None:
    """What tells about rows with these fields, asked under these keys.

    That of most fields, of those that people have: a field that nobody registered has adds nothing,
    unless a key is for rows without it.
    """
    fitting = [m for m in measured if {*m.fields} <= given and {*m.keys} <= asked]
    return max(fitting, key=lambda m: len(m.fields), default=None)


def _reason(entry: KeyedFields | None, min_found: float) -> int:
    if entry is None or not entry.keys:
        return FIELDS_MISSING
    return NO_REASON if entry.found >= min_found else SELDOM_FOUND


@dataclass(frozen=True, repr=False)
class _Registry:
    """A registry that is asked about itself: its people, and what its labels say, key by key."""

    fields: Schema
    schema: DirectSchema
    records: Records
    codes: NDArray[np.uint64]
    labels: tuple[Labelled, ...]
    shared: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(
        cls, fields: Schema, schema: DirectSchema, records: Records, codes: NDArray[np.uint64]
    ) -> _Registry:
        labels, shared = [], []
        for key in schema.keys:
            inputs = key_inputs(fields, key, records)
            labelled = label_inputs(key, inputs, codes)
            at = pc.index_in(inputs.messages, value_set=labelled.messages)
            labels.append(labelled)
            shared.append(np.bincount(at.to_numpy(zero_copy_only=False), minlength=len(labelled)))
        return cls(fields, schema, records, codes, tuple(labels), tuple(shared))

    def measured(
        self,
        given: Sequence[str],
        people: NDArray[np.int64],
        scale: float,
        drbg: Drbg,
        damage: Callable[[Records, Drbg], Records],
    ) -> KeyedFields:
        """Ask about these people with the fields ``given`` alone."""
        asked = _only(_taken(self.records, people), given)
        exact, keys, met = self._asked(asked)
        spoilt, _, _ = self._asked(damage(asked, drbg))
        return KeyedFields(
            fields=tuple(given),
            asked=len(people),
            found=self._found(exact, people),
            damaged=self._found(spoilt, people),
            wrong=round(min(1.0, float(met.mean()) * scale), 9),
            keys=keys,
        )

    def _found(self, answers: RecordAnswers, people: NDArray[np.int64]) -> float:
        right = (answers.outcome == MATCHED) & (answers.code == self.codes[people])
        return round(float((right | (answers.outcome == AMBIGUOUS)).mean()), 6)

    def _asked(self, asked: Records) -> tuple[RecordAnswers, tuple[str, ...], Bool]:
        """Answers, the keys that were asked, and whether somebody else meets a key, bool[n]."""
        answers = RecordAnswers.none(len(next(iter(asked.values()))))
        met, used = np.zeros(len(answers), np.bool_), []
        for number, key in enumerate(self.schema.keys):
            inputs = requester_inputs(self.fields, key, asked)
            if not len(inputs):
                continue
            used.append(key.id)
            found, shared = self._look_up(number, inputs)
            met[inputs.record[shared > 1]] = True
            settle(answers, number, inputs.record, found)
        return answers, tuple(used), met

    def _look_up(self, number: int, inputs: KeyInputs) -> tuple[Found, NDArray[np.int64]]:
        """What the labels of one key say to the inputs, and how many people share each."""
        labelled = self.labels[number]
        at = pc.fill_null(pc.index_in(inputs.messages, value_set=labelled.messages), -1)
        rows = at.to_numpy(zero_copy_only=False).astype(np.int64)
        hit = rows >= 0
        codes, ambiguous = np.zeros(len(rows), np.uint64), np.zeros(len(rows), np.bool_)
        codes[hit] = labelled.answers.codes[rows[hit]]
        ambiguous[hit] = labelled.answers.ambiguous[rows[hit]]
        shared = np.where(hit, np.append(self.shared[number], 0)[rows], 0)
        return Found(hit, codes, ambiguous, np.zeros(len(rows), np.bool_)), shared


def _combinations(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """All fields first, then ever fewer."""
    for size in range(len(names), 0, -1):
        if len(names) <= MOST_FIELDS or size <= FEW or size >= len(names) - FEW:
            yield from combinations(names, size)


def _only(records: Records, given: Sequence[str]) -> Records:
    count = len(next(iter(records.values())))
    blank = pa.array([""] * count, pa.string())
    return {name: column if name in given else blank for name, column in records.items()}


def _taken(records: Records, rows: NDArray[np.int64]) -> Records:
    return {name: column.take(pa.array(rows)) for name, column in records.items()}


def _some(having: NDArray[np.int64], most: int, drbg: Drbg) -> NDArray[np.int64]:
    """At most so many of them, ascending."""
    if len(having) <= most:
        return having
    return np.sort(having[drbg.permutation(len(having))[:most]])
