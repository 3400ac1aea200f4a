"""Positive controls: what the attacks do to encodings that are known to fall.

An attack that finds nobody proves something only if it finds everybody where it should. The people
are generated, so that the controls are the same whatever is assessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.groups import GroupAttack
from padan_lab.assess.material.population import grouped_people, people
from padan_lab.assess.material.schemes import Fields, PassScheme, PlainScheme
from padan_lab.assess.suite import Attack, Rate, attack_groups, attack_table
from padan_linkage.schema import Kind, Pass, Schema, SchemaField, Segment

_NAME, _DATE, _CONSTANT = "nama", "tanggal_lahir", "tetap"
#: Fields of few values, whose equality is all that the unsalted control shows.
_FEW = ("nama_awal", "nama_akhir", "tahun_bulan", "hari", "tempat", "kelamin")
_KEYS = 3
_GROUP, _IN_GROUPS = 46, 20 * 46


@dataclass(frozen=True)
class Control:
    """What one attack must find, at the least, in encodings of this ``kind``."""

    kind: str
    rate: Rate
    least: float

    def fell(self) -> bool:
        """Whether it did."""
        return self.rate.persons >= self.least


def control_schema() -> Schema:
    """Names and birth dates: without salt, and salted by birth date without diffusion."""
    bare = {"bits": 512, "weight": 100, "diffusion": 0}
    return Schema(
        fields=(
            SchemaField(name=_NAME, kind=Kind.PERSON_NAME),
            SchemaField(name=_DATE, kind=Kind.DATE),
            *(SchemaField(name=name, kind=Kind.TEXT) for name in (*_FEW, _CONSTANT)),
        ),
        passes=(
            Pass(
                id="unsalted",
                exact=(_CONSTANT,),
                similar=tuple(Segment(fields=(name,)) for name in _FEW),
            ),
            Pass(id="salted", exact=(_DATE,), similar=(Segment(fields=(_NAME,), **bare),)),
        ),
        decoy_share=0,
    )


def control_people(schema: Schema, count: int, seed: int) -> Fields:
    """Generated people with a constant field, by which salting is no salting."""
    made = people(schema, count, seed)
    names = [name.split() or [""] for name in made[_NAME].to_pylist()]
    rng = np.random.default_rng(seed)
    few = (
        [tokens[0] for tokens in names],
        [tokens[-1] for tokens in names],
        [date[:7] for date in made[_DATE].to_pylist()],
        [date[8:] for date in made[_DATE].to_pylist()],
        [f"tempat {n}" for n in rng.geometric(0.05, count)],
        rng.choice(["l", "p"], count).tolist(),
    )
    made |= {name: pa.array(values, pa.string()) for name, values in zip(_FEW, few, strict=True)}
    return {**made, _CONSTANT: pa.array(["tetap"] * count, pa.string())}


def controls(count: int, seed: int) -> Iterator[Control]:
    """Each attack where it must succeed."""
    schema = control_schema()
    residents = control_people(schema, count, seed)
    plain = PlainScheme((_NAME, _DATE))
    attacker, victim = Attacker(plain, residents, _KEYS), plain.encode(residents, seed)
    graded = frozenset({Attack.PM, Attack.GMA, Attack.SIG, Attack.SEEDED, Attack.EXTENSION})
    for rate in attack_table(attacker, victim, seed, graded):
        yield Control("plain", rate, 0.9 if rate.attack is Attack.EXTENSION else 0.95)
    unsalted = PassScheme(schema, schema.get_pass("unsalted"))
    attacker, victim = Attacker(unsalted, residents, 1), unsalted.encode(residents, seed)
    for rate in attack_table(attacker, victim, seed, frozenset({Attack.FREQ})):
        yield Control("unsalted", rate, 0.95)
    yield Control("salted", _in_groups(schema, seed), 0.9)


def _in_groups(schema: Schema, seed: int) -> Rate:
    """Salted by birth date and not diffused, people born on few days."""
    salted = PassScheme(schema, schema.get_pass("salted"))
    born = grouped_people(schema, salted.p, _GROUP, _IN_GROUPS, seed)
    attacker = Attacker(salted, born, 2 * _KEYS)
    return next(attack_groups(GroupAttack(attacker), salted.encode(born, seed), seed))
