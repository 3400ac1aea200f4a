"""What a provider measures at home for its label table: whom the keys find, by the fields given.

The registry is asked about its own people, combination of fields by combination, through the very
inputs and decisions of a confirmation (:mod:`.labelling.meeting`,
:func:`.labelling.deciding.decide`): the oblivious PRF maps equal inputs to equal outputs and no
others. Spec 60, "Vouching for not found".
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
from padan_linkage.direct.labelling.deciding import Acquaintances, Said, decide
from padan_linkage.direct.labelling.meeting import LabelledRegistry
from padan_linkage.direct.labelling.rarity import Rarities
from padan_linkage.direct.manifest import KeyedFields
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.normalise import sound_values
from padan_linkage.schema import Schema

Records = Mapping[str, pa.StringArray]
Bool = NDArray[np.bool_]

#: People taken for the registry, and asked about with one combination of fields, at most; so many
#: times as many are looked at, for those with one word of a name who ask under fewer keys.
MOST_PEOPLE, MOST_ASKED, LOOKED_AT = 100_000, 1_000, 4
#: Fields of which every combination is asked about; of more, those that miss or have a few.
MOST_FIELDS, FEW = 8, 2


def measure(
    fields: Schema,
    schema: DirectSchema,
    records: Records,
    codes: NDArray[np.uint64],
    drbg: Drbg,
    damage: Callable[[Records, Drbg], Records],
    rarities: Rarities,
) -> tuple[KeyedFields, ...]:
    """What holds for rows with each combination of fields, of a registry of ``n`` people.

    An entry for all who ask under the same keys, for not everybody with a name has two words of
    it. ``records``: normalised columns by field; ``codes``: uint64[n]; ``damage`` gives values the
    errors of files; ``rarities`` are the table's. Combinations that nobody in the registry has are
    left out.
    """
    people = _some(np.arange(len(codes)), MOST_PEOPLE, drbg.fork("people"))
    scale = len(codes) / max(1, len(people))
    own = _Registry.of(fields, schema, _taken(records, people), codes[people], rarities)
    names = key_fields(schema)
    filled = given_fields(names, own.records)
    measured: list[KeyedFields] = []
    for given in _combinations(names):
        having = np.flatnonzero(filled[:, [names.index(name) for name in given]].all(axis=1))
        if len(having):
            at = drbg.fork("+".join(given))
            some = _some(having, LOOKED_AT * MOST_ASKED, at)
            measured += own.measured(given, some, scale, at, damage)
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
    reasons = [_reason(entry, schema, min_found) for entry in entries]
    reason = np.array(reasons, np.uint8)[which.reshape(-1)]
    for number in (FIELDS_MISSING, SELDOM_FOUND):
        silent = (answers.outcome == NOT_MATCHED) & (reason == number)
        answers = answers.undecided(silent, number)
    return answers


def _named(names: Sequence[str], kind: Bool) -> set[str]:
    return {name for name, has in zip(names, kind, strict=True) if has}


def _entry(measured: Sequence[KeyedFields], given: set[str], asked: set[str]) -> KeyedFields | None:
    """What tells about rows with these fields, asked under these keys.

    That of most fields, and of these of most keys, of those that people have: a field that nobody
    registered has adds nothing, unless a key is for rows without it.
    """
    fitting = [m for m in measured if {*m.fields} <= given and {*m.keys} <= asked]
    return max(fitting, key=lambda m: (len(m.fields), len(m.keys)), default=None)


def _reason(entry: KeyedFields | None, schema: DirectSchema, min_found: float) -> int:
    if entry is None or not schema.opening(entry.keys):
        return FIELDS_MISSING
    return NO_REASON if entry.found >= min_found else SELDOM_FOUND


@dataclass(frozen=True, repr=False)
class _Registry:
    """A registry that is asked about itself: its people, and their labels."""

    schema: DirectSchema
    records: Records
    codes: NDArray[np.uint64]
    labels: LabelledRegistry

    @classmethod
    def of(
        cls,
        fields: Schema,
        schema: DirectSchema,
        records: Records,
        codes: NDArray[np.uint64],
        rarities: Rarities,
    ) -> _Registry:
        labels = LabelledRegistry.of(fields, schema.keys, records, rarities)
        return cls(schema, records, codes, labels)

    def measured(
        self,
        given: Sequence[str],
        people: NDArray[np.int64],
        scale: float,
        drbg: Drbg,
        damage: Callable[[Records, Drbg], Records],
    ) -> Iterator[KeyedFields]:
        """Ask about these people with the fields ``given`` alone."""
        asked = _only(_taken(self.records, people), given)
        exact, under = self._asked(asked, people)
        spoilt, _ = self._asked(damage(asked, drbg), people)
        ids = [key.id for key in self.schema.keys]
        kinds, kind = np.unique(under, axis=0, return_inverse=True)
        for number, keys in enumerate(kinds):
            alike = np.flatnonzero(kind.reshape(-1) == number)[:MOST_ASKED]
            yield KeyedFields(
                fields=tuple(given),
                asked=_about(len(alike)),
                found=_thousandths(exact.found[alike]),
                damaged=_thousandths(spoilt.found[alike]),
                wrong=float(f"{min(1.0, float(exact.wrong[alike].mean()) * scale):.1e}"),
                keys=tuple(key for key, used in zip(ids, keys, strict=True) if used),
            )

    def _asked(self, asked: Records, people: NDArray[np.int64]) -> tuple[_Found, Bool]:
        """What came of asking about these people; under which keys each was, bool[n, keys]."""
        meetings, under = self.labels.asked(asked)
        met, _ = Acquaintances.of(self.schema, meetings, under)
        return self._found(met, people), under

    def _found(self, met: Acquaintances, people: NDArray[np.int64]) -> _Found:
        codes = self.codes[met.person]
        said = Said(codes, codes == 0, np.zeros(len(met), np.bool_))
        answers = decide(self.schema, len(people), met, said).answers
        own, fits = met.person == people[met.record], np.zeros((2, len(people)), np.bool_)
        sure = met.sure(self.schema)
        fits[0, met.record[sure & own]] = True
        fits[1, met.record[sure & ~own]] = True
        right = (answers.outcome == MATCHED) & (answers.code == self.codes[people])
        return _Found(right | ((answers.outcome == AMBIGUOUS) & fits[0]), fits[1])


@dataclass(frozen=True, repr=False)
class _Found:
    """Of people who were asked about: whether they themselves fit, and whether somebody else does.

    ``found``: bool[n], the answer is the person's code, or the person is among several; ``wrong``:
    bool[n], somebody else opens.
    """

    found: Bool
    wrong: Bool


# A manifest costs no question: numbers to the last person would tell each who joins or leaves, and
# a share times the registry's size that size, which the table's rows say to a sixteenth alone.


def _about(count: int) -> int:
    """A count from 1 on, down to 1, 2 or 5 times a power of ten."""
    power: int = 10 ** (len(str(count)) - 1)
    return power * max(step for step in (1, 2, 5) if step * power <= count)


def _thousandths(which: Bool) -> float:
    """The share of them that it holds for, rounded down: nothing is vouched for by rounding."""
    return (int(which.sum()) * 1000 // len(which)) / 1000


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
