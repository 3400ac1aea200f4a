"""Bounds `oracle` and `oracle_filters`: what a requester learns of somebody who is not on its list.

It knows all of a target but one field, asks adaptively and weighs thousands of candidates at home:
by exact passes it guesses tokens, by filters it asks with vectors of its own making, in lists that
the unit meters. Beside it: the same charge spent on honest records; the control is the attack on
what shipped before: the unknown field in a segment by itself, and nothing metered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from padan_lab.games.judging.outcome import Bound
from padan_lab.games.oracle.asking import Reading, Sought
from padan_lab.games.oracle.guessing import guess, holding
from padan_lab.games.oracle.metered import MeteredUnit
from padan_lab.games.oracle.published import AskedRegistry, publish
from padan_lab.games.oracle.reading import read
from padan_linkage.agreement import Flow
from padan_linkage.agreement.oracle import oracle_bound
from padan_linkage.normalise import exact_values
from padan_linkage.schema import Kind, Pass, Schema, Segment

#: Rows guessed at a target by exact passes.
BUDGETS = (1, 8, 96, 384)
#: What shipped before: date and NIK beside each other, each varied by itself.
_APART = Pass(
    id="nama-tahun",
    exact=("nama:phonetic", "tanggal_lahir:year"),
    similar=tuple(
        Segment(fields=(name,), weight=200, diffusion=16) for name in ("tanggal_lahir", "nik")
    ),
    bucket_bits=12,
)
#: What is asked: records that might be, or what tells most.
_HONEST, _MADE = "honest", "made"
#: Somebody of whom fewer values fit is no target.
_FEWEST = 20
#: A known number is guessed to its last digits: whoever has one like it is of the same day.
_SERIAL = 4


@dataclass(frozen=True)
class AttackScale:
    """How large the attack is: people registered, values an unknown field may have, ``targets``.

    ``rows`` of each list of a year, of ``lists`` lists at most.
    """

    targets: int
    people: int = 3_000
    candidates: int = 2_000
    rows: int = 3_000
    lists: int = 4


@dataclass(frozen=True, repr=False)
class _Attacked:
    """One flow's registry under attack."""

    flow: Flow
    registry: AskedRegistry
    people: dict[str, list[str]]
    scale: AttackScale
    rng: np.random.Generator

    @classmethod
    def of(cls, flow: Flow, scale: AttackScale, seed: int) -> _Attacked:
        registry = publish(flow, scale.people, seed)
        people = {name: column.to_pylist() for name, column in registry.people.items()}
        return cls(flow, registry, people, scale, np.random.default_rng(seed))

    def unit(self) -> MeteredUnit:
        """A unit that nobody has asked."""
        return MeteredUnit(self.registry, self.flow.quota)

    def sought(self, unknown: str, beside: Pass | None = None) -> Sought:
        """Somebody with all fields, and what its unknown one may be, by how many bear it.

        ``beside``: a pass whose exact fields are known and stay.
        """
        known, others = self._somebody(unknown, beside)
        some = self.rng.permutation(len(others))[: self.scale.candidates]
        values = [others[i] for i in some.tolist()]
        truth = int(self.rng.integers(len(values) + 1))
        values.insert(truth, known[unknown])
        bearers = Counter(self.people[unknown])
        prior = np.array([max(1, bearers[value]) for value in values], np.float64)
        return Sought(known, unknown, values, prior / prior.sum(), truth)

    def _somebody(self, unknown: str, beside: Pass | None) -> tuple[dict[str, str], list[str]]:
        """A person's values, and what else its unknown one may be: of many kinds."""
        while True:
            chosen = int(self.rng.integers(self.scale.people))
            known = {name: values[chosen] for name, values in self.people.items()}
            if not all(known.values()):
                continue
            fitting = self._fitting(beside, known, unknown) if beside else None
            others = self._others(known, unknown) if fitting is None else fitting
            if len(others) >= _FEWEST:
                return known, others

    def _others(self, known: dict[str, str], unknown: str) -> list[str]:
        """Other values: of a NIK those that differ in its last digits, otherwise other people's."""
        own = known[unknown]
        if self.registry.schema.kind(unknown) is Kind.NIK:
            last = (f"{i:0{_SERIAL}d}" for i in range(1, 10**_SERIAL))
            return [own[:-_SERIAL] + digits for digits in last if own[-_SERIAL:] != digits]
        return sorted({value for value in self.people[unknown] if value} - {own})

    def _fitting(self, p: Pass, known: dict[str, str], unknown: str) -> list[str]:
        """Other values that leave the pass's exact fields as they are, which the attacker knows.

        Of words: whole ones of others, and others' words beside the first or the last of its own.
        """
        own = known[unknown].split(" ")
        others = sorted({value for value in self.people[unknown] if value})
        mixed = {" ".join([own[0], *value.split(" ")[1:]]) for value in others}
        mixed |= {" ".join([*value.split(" ")[:-1], own[-1]]) for value in others}
        values = sorted(({*others, *mixed}) - {known[unknown]})
        columns = {
            name: pa.array([*values, value] if name == unknown else [value] * (len(values) + 1))
            for name, value in known.items()
        }
        exact = zip(
            *(c.to_pylist() for c in exact_values(self.registry.schema, p, columns)), strict=True
        )
        *given, right = exact
        return [value for value, fields in zip(values, given, strict=True) if fields == right]


def oracle(flow: Flow, scale: AttackScale, seed: int) -> Bound:
    """The attack on every pass of a flow; its best figure counts. Raises ValueError without any."""
    if flow.schema is None:
        raise ValueError(f"flow {flow.id} has no schema")
    attacked = _Attacked.of(flow, scale, seed)
    found = {**dict(_guessed(attacked)), **dict(_asked(attacked))}
    best = max((_bits(r) for name, r in found.items() if name.endswith(_MADE)), default=0.0)
    found["control"] = _control(flow, scale, seed)
    control, details = _bits(found["control"]), {name: _told(r) for name, r in found.items()}
    return Bound(best, round(oracle_bound(flow), 4), control, details)


def _guessed(attacked: _Attacked) -> Iterator[tuple[str, list[Reading]]]:
    """Guesses at tokens of every field of exact passes."""
    schema, unit = attacked.registry.schema, attacked.unit()
    for field in (f.name for f in schema.fields):
        passes = holding(schema.passes, field)
        people = [attacked.sought(field) for _ in range(attacked.scale.targets if passes else 0)]
        for rows in BUDGETS if people else ():
            for kind in (_HONEST, _MADE):
                honest = kind == _HONEST
                found = [guess(unit, passes, who, rows, honest=honest) for who in people]
                yield f"exact · {field} · {rows} · {kind}", found


def _asked(attacked: _Attacked) -> Iterator[tuple[str, list[Reading]]]:
    """Vectors of the requester's making, against every filter."""
    scale, rng = attacked.scale, attacked.rng
    for p in attacked.registry.schema.filtered:
        for unknown in {name for segment in p.similar for name in segment.fields}:
            people = [attacked.sought(unknown, p) for _ in range(scale.targets)]
            for kind in (_HONEST, _MADE):
                unit, honest = attacked.unit(), kind == _HONEST
                lists = read(unit, p, people, scale.rows, rng, honest=honest)
                for number, found in zip(range(1, scale.lists + 1), lists, strict=False):
                    yield f"{p.id} · {unknown} · list {number} · {kind}", found


def _control(flow: Flow, scale: AttackScale, seed: int) -> list[Reading]:
    """The attack on what shipped before, which nothing bounds."""
    assert flow.schema is not None
    before = Schema(fields=flow.schema.fields, passes=(_APART,))
    attacked = _Attacked.of(replace(flow, schema=before, quota=None), scale, seed)
    people = [attacked.sought("nik") for _ in range(max(2, scale.targets // 2))]
    lists = read(attacked.unit(), _APART, people, 384, attacked.rng)
    found = [found for _, found in zip(range(8), lists, strict=False)][-1]
    # Rows cost nothing beyond one record a list.
    return [replace(reading, charged=1) for reading in found]


def _bits(found: Sequence[Reading]) -> float:
    """Bits about a target by a charged row."""
    told, charged = [max(0.0, r.bits) for r in found], [r.charged for r in found]
    return round(float(np.mean(told) / np.mean(charged)), 4)


def _told(found: Sequence[Reading]) -> dict[str, object]:
    """What was read, and where the truths stand."""
    return {
        "bits": _bits(found),
        "charged": sum(r.charged for r in found),
        "candidates": found[0].candidates,
        "ranks": [r.rank for r in found],
    }
