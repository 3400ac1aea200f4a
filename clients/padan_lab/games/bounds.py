"""Bound `oracle`: what a requester learns of somebody who is not on its list, per charged record.

It knows all of a target but one field, asks with vectors of its making, adaptively, and weighs
thousands of candidates at home. Beside it: the same charge spent on honest records; the control is
the attack on what shipped before: the unknown field in a segment by itself, any number of answers,
and rows that cost nothing beyond one record a list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from padan_lab.games.judging.outcome import Bound
from padan_lab.games.oracle.asking import ListRules, OracleTarget, Reading, play
from padan_lab.games.oracle.published import AskedRegistry, publish
from padan_linkage.agreement import Flow
from padan_linkage.agreement.oracle import oracle_bound
from padan_linkage.normalise import exact_values
from padan_linkage.schema import Pass, Schema, Segment

#: People in the registry, and how many values an unknown field may have.
_PEOPLE, _CANDIDATES = 3_000, 2_000
#: Rows asked about a target: the fewest, and ten times what a list answers of one person and more.
_BUDGETS = (1, 8, 96, 384)
#: What shipped before: date and NIK beside each other, each varied by itself.
_APART = Pass(
    id="nama-tahun",
    exact=("nama:phonetic", "tanggal_lahir:year"),
    similar=tuple(
        Segment(fields=(name,), weight=200, diffusion=16) for name in ("tanggal_lahir", "nik")
    ),
    bucket_bits=12,
)


@dataclass(frozen=True, repr=False)
class _Attacked:
    """One flow's registry under attack."""

    unit: AskedRegistry
    people: dict[str, list[str]]
    rng: np.random.Generator

    @classmethod
    def of(cls, flow: Flow, schema: Schema, seed: int) -> _Attacked:
        unit = publish(replace(flow, schema=schema), _PEOPLE, seed)
        people = {name: column.to_pylist() for name, column in unit.people.items()}
        return cls(unit, people, np.random.default_rng(seed))

    def target(self, p: Pass, unknown: str) -> OracleTarget:
        """Somebody with all fields, and the values of others that its unknown one may be."""
        whole = [i for i, v in enumerate(self.people[unknown]) if v and self._complete(i)]
        chosen = int(self.rng.choice(whole))
        known = {name: values[chosen] for name, values in self.people.items()}
        others = self._fitting(p, known, unknown)
        order = self.rng.permutation(len(others))[:_CANDIDATES]
        values = [*(others[i] for i in order.tolist()), known[unknown]]
        return OracleTarget.of(self.unit, p, known, unknown, values, len(values) - 1)

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
            *(c.to_pylist() for c in exact_values(self.unit.schema, p, columns)), strict=True
        )
        *given, right = exact
        return [value for value, fields in zip(values, given, strict=True) if fields == right]

    def _complete(self, at: int) -> bool:
        return all(values[at] for values in self.people.values())

    def read(
        self, p: Pass, unknown: str, rows: int, rules: ListRules, targets: int, *, honest: bool
    ) -> list[Reading]:
        """What is read of so many targets."""
        return [
            play(self.unit, self.target(p, unknown), rows, rules, self.rng, honest=honest)
            for _ in range(targets)
        ]


def oracle(flow: Flow, targets: int, seed: int) -> Bound:
    """The attack on every filter that the flow's passes have; its best figure counts."""
    assert flow.schema is not None
    assert flow.quota is not None
    attacked = _Attacked.of(flow, flow.schema, seed)
    details: dict[str, object] = {}
    best = 0.0
    for p in flow.schema.passes:
        for unknown in {name for segment in p.similar for name in segment.fields}:
            for rows in _BUDGETS:
                rules = ListRules(min(rows, 128), answered=flow.quota.questions_per_row)
                for honest in (False, True):
                    read = attacked.read(p, unknown, rows, rules, targets, honest=honest)
                    bits = _a_record(read)
                    best = max(best, 0.0 if honest else bits)
                    name = f"{p.id} · {unknown} · {rows} · {'honest' if honest else 'made'}"
                    details[name] = _told(read, bits)
    before = Schema(fields=flow.schema.fields, passes=(_APART,))
    apart = _Attacked.of(flow, before, seed)
    read = apart.read(_APART, "nik", 384, ListRules(384), max(2, targets // 2), honest=False)
    control = float(np.mean([reading.bits for reading in read]))
    details["control"] = _told(read, control)
    return Bound(round(best, 4), round(oracle_bound(flow), 4), round(control, 4), details)


def _a_record(read: list[Reading]) -> float:
    """Bits about a target by a charged row."""
    return float(np.mean([max(0.0, r.bits) for r in read]) / np.mean([r.charged for r in read]))


def _told(read: list[Reading], bits: float) -> dict[str, object]:
    return {
        "bits": round(bits, 4),
        "charged": sum(r.charged for r in read),
        "candidates": read[0].candidates,
        "ranks": [r.rank for r in read],
    }
