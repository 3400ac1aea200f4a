"""What each part of the encoding is worth: the assessed schema without one of them at a time.

Of one pass with a filter and generated people in groups, made as an upload makes it and attacked
like any other: as it is, without its salt, without diffusion, with its fields in segments of their
own, without decoys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.groups import GroupAttack
from padan_lab.assess.material.population import grouped_people
from padan_lab.assess.material.schemes import Fields, PassScheme
from padan_lab.assess.suite import Attack, Rate, attack_groups, attack_table
from padan_linkage.schema import Kind, Pass, Schema, SchemaField

_CONSTANT = "tetap"
_GROUPS, _PEOPLE, _KEYS = (20, 10, 5, 3), 400, 3
_TABLE = frozenset({Attack.FREQ, Attack.SIG, Attack.SEEDED})


@dataclass(frozen=True)
class Ingredient:
    """The most that is found without a part of the encoding; "" is the whole encoding."""

    without: str
    pass_id: str
    rate: Rate


def ingredients(schema: Schema, seed: int) -> Iterator[Ingredient]:
    """The encoding as assessed, and each of its lesser versions; nothing if no pass has groups."""
    found = next(_grouped(schema, seed), None)
    if found is None:
        return
    p, people = found
    constant = SchemaField(name=_CONSTANT, kind=Kind.TEXT)
    wider = schema.model_copy(update={"fields": (*schema.fields, constant)})
    count = len(next(iter(people.values())))
    born = {**people, _CONSTANT: pa.array([_CONSTANT] * count, pa.string())}
    for without, changed in _lesser(wider, p):
        scheme = PassScheme(changed, changed.passes[0])
        yield Ingredient(without, p.id, _worst(scheme, born, seed))


def _grouped(schema: Schema, seed: int) -> Iterator[tuple[Pass, Fields]]:
    """Passes with people in salt groups of one size: large groups first, then merged fields."""
    filtered = [p for p in schema.passes if p.similar]
    filtered.sort(key=lambda p: -max(len(s.fields) for s in p.similar))
    for size in _GROUPS:
        for p in filtered:
            try:
                yield p, grouped_people(schema, p, size, _PEOPLE, seed)
            except ValueError:
                continue


def _lesser(schema: Schema, p: Pass) -> Iterator[tuple[str, Schema]]:
    """Schemas of the one pass, by what each goes without."""

    def having(changed: Pass, **more: object) -> Schema:
        return schema.model_copy(update={"passes": (changed,), **more})

    yield "", having(p)
    yield "salt", having(p.model_copy(update={"exact": (_CONSTANT,)}))
    bare = tuple(s.model_copy(update={"diffusion": 0}) for s in p.similar)
    yield "diffusion", having(p.model_copy(update={"similar": bare}))
    if any(len(s.fields) > 1 for s in p.similar):
        apart = tuple(
            s.model_copy(update={"fields": (name,), "beside": ()})
            for s in p.similar
            for name in s.fields
        )
        yield "merging", having(p.model_copy(update={"similar": apart}))
    yield "decoys", having(p, decoy_share=0.0)


def _worst(scheme: PassScheme, born: Fields, seed: int) -> Rate:
    """The attack that finds the largest share."""
    attacker, victim = Attacker(scheme, born, _KEYS), scheme.encode(born, seed)
    rates = list(attack_table(attacker, victim, seed, _TABLE))
    sizes = np.bincount(attacker.groups[attacker.groups >= 0])
    if (sizes > 1).sum() > 1:
        rates += attack_groups(GroupAttack(attacker), victim, seed)
    return max(rates, key=lambda rate: rate.persons)
