"""What a column tells about who is who: agreement among likely matches against chance.

Likely matches need no label: rows of the two files that share two rare things, such as name and
birth date. A column is measured on those that share other things than itself. Spec:
``proto/spec/45-advice.md``, "What columns are worth".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa
import pyarrow.compute as pc

from padan_linkage.advice.fields import FieldChoice, Fields
from padan_linkage.advice.groups import SampledKeys
from padan_linkage.advice.vocabulary import STRONG, Meaning

#: Likely matches are at most so often strangers, and at least so many.
_STRANGERS, _LEAST_PAIRS = 0.1, 30
#: Less evidence than this, in nats a match, is not worth a column; and what one that differs costs
#: the name or date that it stands beside.
LEAST_NATS, DIFFERS = 0.1, 1.5
#: Fields that change together: who moves, moves from all of them.
_PLACES = frozenset({Meaning.PLACE, Meaning.POSTCODE, Meaning.ADDRESS})
_BORN = (Meaning.BIRTH_DATE, Meaning.BIRTH_YEAR, Meaning.AGE)


@dataclass(frozen=True)
class Worth:
    """How often a field agrees in likely matches that both have it, and by chance.

    ``filled``: share of the likely matches in which both sides have a value.
    """

    agrees: float
    chance: float
    filled: float

    @property
    def nats(self) -> float:
        """Mean evidence of a match's field, in nats (Kullback and Leibler 1951)."""
        a, c = (min(max(x, 1e-3), 1 - 1e-3) for x in (self.agrees, self.chance))
        return self.filled * (a * math.log(a / c) + (1 - a) * math.log((1 - a) / (1 - c)))


def worths(fields: Fields, a: SampledKeys, b: SampledKeys) -> dict[str, Worth]:
    """What each field is worth, by name; none where there are too few likely matches."""
    found = {}
    for f in fields.chosen:
        agreed = [0, 0, 0]
        for exact in _witnesses(fields, f):
            for i, n in enumerate(_agreement(f.name, exact, a, b)):
                agreed[i] += n
        pairs, both, equal = agreed
        if both >= _LEAST_PAIRS:
            chance = (b.group((f.name,)) - 1) / max(1, b.rows - 1)
            found[f.name] = Worth(equal / both, chance, both / pairs)
    return found


def worthless(fields: Fields, worth: Mapping[str, Worth]) -> set[str]:
    """Fields that say less than they cost. Names, dates and numbers are never among them."""
    needed = {*STRONG, *_BORN, Meaning.FULL_NAME, Meaning.COMPANY}
    needed |= {Meaning.GIVEN_NAME, Meaning.MIDDLE_NAME, Meaning.SURNAME}
    able = [f.name for f in fields.chosen if f.role not in needed and f.name in worth]
    return {name for name in able if worth[name].nats < LEAST_NATS}


def worth_beside(names: Sequence[str], worth: Mapping[str, Worth]) -> list[str]:
    """Of fields of few values those that may stand beside others, best first.

    One that differs makes its neighbour look changed (spec 10), which costs a match about as much
    as a letter. Fields that could not be measured keep their places.
    """
    if not any(name in worth for name in names):
        return list(names)
    net = {n: w.nats - w.filled * (1 - w.agrees) * DIFFERS for n, w in worth.items()}
    kept = [n for n in names if net.get(n, LEAST_NATS) >= LEAST_NATS]
    return sorted(kept, key=lambda n: -net.get(n, LEAST_NATS))


def _witnesses(fields: Fields, f: FieldChoice) -> Iterator[tuple[str, ...]]:
    """Pairs of fields by which likely matches are found without ``f`` and what changes with it."""
    roles = {f.role} | (_PLACES if f.role in _PLACES else frozenset())
    names = fields.of(Meaning.FULL_NAME, Meaning.COMPANY)[:1]
    told = [*names, *fields.of(*_BORN)[:1], *fields.of(*STRONG)]
    told += fields.of(Meaning.ADDRESS, Meaning.POSTCODE)
    for pair in combinations([x for x in told if x.role not in roles], 2):
        yield tuple(x.name for x in pair)


def _agreement(
    name: str, exact: tuple[str, ...], a: SampledKeys, b: SampledKeys
) -> tuple[int, int, int]:
    """Pairs that share ``exact``, those with a value on both sides, and those with an equal one."""
    left = pa.table({"key": a.values(exact), "mine": a.values((name,))})
    right = pa.table({"key": b.values(exact), "theirs": b.values((name,))})
    left, right = (_alone(side) for side in (left, right))
    met = left.join(right, "key", join_type="inner")
    strangers = met.num_rows and len(left) * (b.group(exact) - 1) / met.num_rows
    if met.num_rows < _LEAST_PAIRS or strangers > _STRANGERS:
        return 0, 0, 0
    mine, theirs = (met.column(side).to_pylist() for side in ("mine", "theirs"))
    both = [x == y for x, y in zip(mine, theirs, strict=True) if x and y]
    return met.num_rows, len(both), sum(both)


def _alone(side: pa.Table) -> pa.Table:
    """The rows whose key no other row of the side has."""
    count = side.group_by("key").aggregate([("key", "count")])
    once = count.filter(pc.equal(count.column("key_count"), 1)).select(["key"])
    once = once.filter(pc.not_equal(once.column("key"), ""))
    return side.join(once, "key", join_type="inner")
