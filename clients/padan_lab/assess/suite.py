"""Every attack on every pass, the controls beside them, and the verdict against the limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.claims import right
from padan_lab.assess.attacks.colours import align, attack_aligned, attack_equality
from padan_lab.assess.attacks.graph import attack_graph
from padan_lab.assess.attacks.groups import GroupAttack, linked
from padan_lab.assess.attacks.patterns import attack_patterns
from padan_lab.assess.attacks.rows import attack_rows
from padan_lab.assess.material.attacker_view import Numbers, SeenTable
from padan_lab.assess.material.schemes import Fields, PassScheme, Scheme
from padan_linkage.schema import Kind, Pass, Schema


class Attack(StrEnum):
    """The attacks, by the names of the literature."""

    FREQ = "FREQ"
    PM = "PM"
    GMA = "GMA"
    SIG = "SIG"
    GRP = "GRP"
    COLOURS = "CR"


class View(StrEnum):
    """What the attacker sees."""

    TABLE = "table"  # the pass table as delivered, with its buckets
    GROUPS = "groups"  # and which rows share a salt: more than the unit gets
    ALIGNED = "aligned"  # and which rows of different passes are one record: likewise


@dataclass(frozen=True)
class Rate:
    """How much one attack found. Shares from 0 to 1; ``guess`` is what guessing finds.

    ``persons`` of ``asked``; ``groups`` and ``known`` (persons, their group being told) are None
    where they mean nothing.
    """

    attack: Attack
    view: View
    persons: float
    guess: float
    asked: int
    groups: float | None = None
    known: float | None = None


@dataclass(frozen=True)
class AttackLimits:
    """The largest tolerable shares of persons (spec 15, "Limits").

    ``strong``: by what the unit sees, and in groups of one whole date even if they are given;
    ``weak``: in the groups of other passes, if they are given.
    """

    strong: float
    weak: float

    @classmethod
    def of(cls, schema: Schema) -> AttackLimits:
        """Of the profile that the schema follows: ``seimbang`` shows which fields are missing."""
        return cls(0.03, 0.10) if schema.presence else cls(0.01, 0.03)

    def at(self, schema: Schema, p: Pass, view: View) -> float:
        """The limit of one pass and view."""
        dated = len(p.exact) == 1 and schema.kind(p.exact[0].partition(":")[0]) is Kind.DATE
        return self.strong if dated or view is View.TABLE else self.weak


def attack_table(
    attacker: Attacker,
    victim: SeenTable,
    seed: int,
    attacks: frozenset[Attack] = frozenset(Attack),
) -> Iterator[Rate]:
    """Every attack on one table that needs no groups."""
    rng = np.random.default_rng(seed)
    asked = int((victim.person >= 0).sum())
    guess = 1 / max(len(attacker.candidates), 1)

    def best(attack: Attack, claims: Iterator[Numbers]) -> Rate:
        found = max(int(right(c, victim.person, attacker.identity).sum()) for c in claims)
        return Rate(attack, View.TABLE, found / max(asked, 1), guess, asked)

    seen = victim.seen
    if Attack.FREQ in attacks:
        yield best(Attack.FREQ, iter([attack_equality(attacker, seen, rng)]))
    if not seen.segments:
        return
    if Attack.PM in attacks:
        yield best(Attack.PM, iter([attack_patterns(attacker, seen, rng)]))
    if Attack.GMA in attacks:
        yield best(Attack.GMA, attack_graph(attacker, seen, rng))
    if Attack.SIG in attacks:
        yield best(Attack.SIG, attack_rows(attacker, seen, rng))


def attack_groups(attack: GroupAttack, victim: SeenTable, seed: int) -> Iterator[Rate]:
    """The group attack: with the groups given, and with those that linking finds."""
    rng = np.random.default_rng(seed)
    members = np.concatenate(attack.members)
    asked = int(np.isin(victim.person, members).sum())
    guess = 1 / len(members)
    given = attack.rates(victim, rng)
    yield Rate(
        Attack.GRP, View.GROUPS, given.persons, guess, asked, groups=given.groups, known=given.known
    )
    found = attack.rates(victim, rng, linked(victim.seen))
    yield Rate(Attack.GRP, View.TABLE, found.persons, guess, asked)


def assess_pass(
    scheme: PassScheme, people: Fields, victim: SeenTable, *, keys: int, seed: int
) -> Iterator[Rate]:
    """All attacks on one pass, by somebody who knows ``people``; positions in it are the truth."""
    attacker = Attacker(scheme, people, keys)
    if len(attacker.candidates) < 2:
        return
    yield from attack_table(attacker, victim, seed)
    sizes = np.bincount(attacker.groups[attacker.groups >= 0])
    if victim.seen.segments and (sizes > 1).sum() > 1:
        yield from attack_groups(GroupAttack(attacker), victim, seed)


def assess_alignment(
    schemes: list[PassScheme], people: Fields, victims: list[SeenTable], seed: int
) -> Iterator[Rate]:
    """Colour refinement over passes: were their rows aligned, and with what can be aligned."""
    rng = np.random.default_rng(seed)
    count = len(next(iter(people.values())))
    salts = np.stack([s.salts(people) for s in schemes], axis=1)
    everything = list(zip(*(c.to_pylist() for c in people.values()), strict=True))
    number = {v: i for i, v in enumerate(sorted(set(everything)))}
    identity = np.array([number[v] for v in everything], np.int64)
    order = rng.permutation(count)
    claims = attack_aligned(salts, salts[order], rng)
    found = right(claims, order, identity).mean()
    yield Rate(Attack.COLOURS, View.ALIGNED, float(found), 1 / count, count)
    first = victims[0]
    columns = [first.seen.blocks]
    for other in victims[1:]:
        partner = align(first.seen, other.seen, rng)
        columns.append(np.where(partner >= 0, other.seen.blocks[partner], -1))
    claims = attack_aligned(salts, np.stack(columns, axis=1), rng)
    found = right(claims, first.person, identity).sum() / count
    yield Rate(Attack.COLOURS, View.TABLE, float(found), 1 / count, count)


def strangers(people: Fields, seed: int) -> dict[str, pa.StringArray]:
    """A population that the victims are not in: every field dealt out anew.

    Whoever is re-identified by it is so by chance, or by a mistake in the attack's bookkeeping.
    """
    rng = np.random.default_rng(seed)
    return {
        name: column.take(pa.array(rng.permutation(len(column)))) for name, column in people.items()
    }


Progress = Callable[[str], None]


def control(scheme: Scheme, people: Fields, *, keys: int, seed: int) -> Iterator[Rate]:
    """The attacks on a table of ``people`` made for the purpose."""
    victim = scheme.encode(people, seed)
    yield from attack_table(Attacker(scheme, people, keys), victim, seed)
