"""Every attack on every pass, and the limits that they are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce

import numpy as np
import pyarrow as pa

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.claims import right
from padan_lab.assess.attacks.colours import align, attack_aligned, attack_equality
from padan_lab.assess.attacks.extension import attack_extension
from padan_lab.assess.attacks.graph import attack_graph
from padan_lab.assess.attacks.groups import GroupAttack, linked
from padan_lab.assess.attacks.patterns import attack_patterns
from padan_lab.assess.attacks.rows import attack_rows
from padan_lab.assess.attacks.seeded import attack_seeded, guess_beside, known_rows
from padan_lab.assess.material.attacker_view import Numbers, SeenTable
from padan_lab.assess.material.schemes import Fields, PassScheme
from padan_linkage.schema import Kind, Pass, Schema


class Attack(StrEnum):
    """The attacks, by the names of the literature."""

    FREQ = "FREQ"
    PM = "PM"
    GMA = "GMA"
    SIG = "SIG"
    SEEDED = "SEED"
    EXTENSION = "DEA"
    GRP = "GRP"
    COLOURS = "CR"


class View(StrEnum):
    """What the attacker sees."""

    TABLE = "table"  # the pass table as delivered, with its buckets
    SOME = "some"  # and who some hundred of the rows are, as a partner knows of its own
    HALF = "half"  # knowing half of the people, and the values that anybody may have
    GROUPS = "groups"  # and which rows share a salt: more than the unit gets
    ALIGNED = "aligned"  # and which rows of different passes are one record: likewise


class Shown(StrEnum):
    """What so many people show of a rate and a limit, at 99 %."""

    WITHIN = "within"  # the rate is at most the limit
    ABOVE = "above"  # it is more
    UNSHOWN = "unshown"  # it may be either: too few people


@dataclass(frozen=True)
class Rate:
    """How much one attack found: ``found`` persons of ``asked``, over all victims together.

    ``guess`` is the share that guessing finds. ``groups`` and ``known`` (shares of groups, and of
    persons whose group is told) are None where they mean nothing.
    """

    attack: Attack
    view: View
    found: int
    asked: int
    guess: float
    groups: float | None = None
    known: float | None = None

    @property
    def persons(self) -> float:
        """The share of persons found."""
        return self.found / max(self.asked, 1)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies, at 99 %: exact (Clopper & Pearson 1934).

        Victims of one population count as if they were of several.
        """
        from scipy.stats import beta

        low = beta.ppf(0.005, self.found, self.asked - self.found + 1) if self.found else 0.0
        missed = self.asked - self.found
        high = beta.ppf(0.995, self.found + 1, missed) if missed else 1.0
        return float(low), float(high)

    def standing(self, limit: float) -> Shown:
        """Against a limit; nobody can be held to find fewer than guessing finds."""
        low, high = self.interval
        tolerable = max(limit, self.guess)
        if low > tolerable:
            return Shown.ABOVE
        return Shown.WITHIN if high <= tolerable else Shown.UNSHOWN

    def with_another(self, other: Rate) -> Rate:
        """Both victims' together."""
        return replace(
            self,
            found=self.found + other.found,
            asked=self.asked + other.asked,
            groups=_mean(self.groups, other.groups),
            known=_mean(self.known, other.known),
        )


def _mean(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else (a + b) / 2


@dataclass(frozen=True)
class AttackLimits:
    """The largest tolerable shares of persons (spec 15, "Limits").

    ``strong``: by what the unit sees, and in groups of one whole date even if they are given;
    ``weak``: in the groups of other passes, if they are given, and where rows are known.
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
        return self.strong if dated or view in {View.TABLE, View.HALF} else self.weak


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
        return Rate(attack, View.TABLE, found, asked, guess)

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
    if Attack.SEEDED in attacks:
        known = known_rows(attacker, victim.person, rng)
        claims = attack_seeded(attacker, seen, known, rng)
        other = (victim.person >= 0) & (known < 0)
        found = int(right(claims, victim.person, attacker.identity)[other].sum())
        told = guess_beside(attacker, known)
        yield Rate(Attack.SEEDED, View.SOME, found, int(other.sum()), told)
    if Attack.EXTENSION in attacks:
        claims, other = attack_extension(attacker, seen, victim.person, rng)
        found = int(right(claims, victim.person, attacker.identity)[other].sum())
        yield Rate(Attack.EXTENSION, View.HALF, found, int(other.sum()), guess)


def attack_groups(attack: GroupAttack, victim: SeenTable, seed: int) -> Iterator[Rate]:
    """The group attack: with the groups given, and with those that linking finds."""
    rng = np.random.default_rng(seed)
    members = np.concatenate(attack.members)
    asked = int(np.isin(victim.person, members).sum())
    guess = 1 / len(members)
    given = attack.rates(victim, rng)
    yield Rate(
        Attack.GRP, View.GROUPS, given.persons, asked, guess, groups=given.groups, known=given.known
    )
    found = attack.rates(victim, rng, linked(victim.seen))
    yield Rate(Attack.GRP, View.TABLE, found.persons, asked, guess)


def assess_pass(
    scheme: PassScheme, people: Fields, victims: Sequence[SeenTable], *, keys: int, seed: int
) -> Iterator[Rate]:
    """All attacks on one pass, by somebody who knows ``people``; positions in it are the truth.

    ``victims``: the same people's tables under different keys; what is found of them is added up.
    """
    attacker = Attacker(scheme, people, keys)
    if len(attacker.candidates) < 2:
        return
    tables = [attack_table(attacker, v, seed + i) for i, v in enumerate(victims)]
    yield from added_up(tables)
    sizes = np.bincount(attacker.groups[attacker.groups >= 0])
    if victims[0].seen.segments and (sizes > 1).sum() > 1:
        model = GroupAttack(attacker)
        yield from added_up([attack_groups(model, v, seed + i) for i, v in enumerate(victims)])


def added_up(by_victim: Iterable[Iterator[Rate]]) -> Iterator[Rate]:
    """The rates of several victims' tables as one each."""
    for rates in zip(*by_victim, strict=True):
        yield reduce(Rate.with_another, rates)


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
    found = int(right(claims, order, identity).sum())
    yield Rate(Attack.COLOURS, View.ALIGNED, found, count, 1 / count)
    first = victims[0]
    columns = [first.seen.blocks]
    for other in victims[1:]:
        partner = align(first.seen, other.seen, rng)
        columns.append(np.where(partner >= 0, other.seen.blocks[partner], -1))
    claims = attack_aligned(salts, np.stack(columns, axis=1), rng)
    found = int(right(claims, first.person, identity).sum())
    yield Rate(Attack.COLOURS, View.TABLE, found, count, 1 / count)


def strangers(people: Fields, seed: int) -> dict[str, pa.StringArray]:
    """A population that the victims are not in: every field dealt out anew.

    Whoever is re-identified by it is so by chance, or by a mistake in the attack's bookkeeping.
    """
    rng = np.random.default_rng(seed)
    return {
        name: column.take(pa.array(rng.permutation(len(column)))) for name, column in people.items()
    }
