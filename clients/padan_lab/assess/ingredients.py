"""What each part of the encoding is worth: an assessed pass without one of them at a time.

The same people as in the assessment of that pass, encoded under the same keys and attacked by the
same attacker: as it is, without its salt, without diffusion, with its fields in segments of their
own, without decoys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.groups import GroupAttack
from padan_lab.assess.material.schemes import Fields, PassScheme
from padan_lab.assess.suite import Attack, Rate, added_up, attack_groups, attack_table
from padan_linkage.schema import Kind, Pass, Schema, SchemaField

_CONSTANT = "tetap"
_TABLE = frozenset({Attack.FREQ, Attack.SIG, Attack.SEEDED})


@dataclass(frozen=True)
class Ingredient:
    """The most that is found without a part of the encoding; "" is the whole encoding."""

    without: str
    pass_id: str
    rate: Rate


def ingredients(
    scheme: PassScheme, people: Fields, *, keys: int, victims: int, seed: int
) -> Iterator[Ingredient]:
    """The pass as it is, and each of its lesser versions, over the same ``people``."""
    constant = SchemaField(name=_CONSTANT, kind=Kind.TEXT)
    wider = scheme.schema.model_copy(update={"fields": (*scheme.schema.fields, constant)})
    count = len(next(iter(people.values())))
    born = {**people, _CONSTANT: pa.array([_CONSTANT] * count, pa.string())}
    for without, changed in _lesser(wider, scheme.p):
        lesser = PassScheme(changed, changed.passes[0])
        yield Ingredient(without, scheme.p.id, _worst(lesser, born, keys, victims, seed))


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


def _worst(scheme: PassScheme, born: Fields, keys: int, victims: int, seed: int) -> Rate:
    """The attack that finds the largest share, over all victims together."""
    attacker = Attacker(scheme, born, keys)
    tables = [scheme.encode(born, seed + i) for i in range(victims)]
    rates = list(added_up(attack_table(attacker, v, seed + i, _TABLE)
                          for i, v in enumerate(tables)))  # fmt: skip
    sizes = np.bincount(attacker.groups[attacker.groups >= 0])
    if (sizes > 1).sum() > 1:
        model = GroupAttack(attacker)
        rates += added_up(attack_groups(model, v, seed + i) for i, v in enumerate(tables))
    return max(rates, key=lambda rate: rate.persons)
