"""GRP: which salt group is which, by what goes on inside it; then who is who in it.

Strong form: a group's fingerprint is its sorted likenesses, their moments and eigenvalues and the
number of its rows; distances are Mahalanobis over simulated keys; inside a group rows are matched
as in SIG; three rules decide, and the best one for the attacker counts. The partition into groups
is given to her (an upper bound), or found by linking rows of one bucket that resemble each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from padan_lab.assess.attacks.attacker import Attacker
from padan_lab.assess.attacks.claims import Prints, Scale, anneal, assign, likelihood, right, whiten
from padan_lab.assess.attacks.rows import profiles
from padan_lab.assess.material.attacker_view import Numbers, Reals, Seen, SeenTable

_TOP, _EIGENVALUES, _CANDIDATES = 16, 6, 20
_FRACTIONS = np.linspace(0, 1, 9)
#: Rows of one bucket whose evidence exceeds this are linked: one chance pair in about 10⁵.
_LINK = 30.0


@dataclass(frozen=True)
class GroupRates:
    """Persons found right; shares of whole groups, and of persons where the group was given."""

    persons: int
    groups: float
    known: float


@dataclass(frozen=True, repr=False)
class Group:
    """What is known of one group: likenesses within, float32[r, r] by channel, and its rows."""

    rows: Numbers
    channels: list[Reals]

    @cached_property
    def fingerprint(self) -> Reals:
        """float32[d], whatever the order of the rows."""
        upper = np.triu_indices(len(self.rows), 1)
        parts = [np.array([np.log(len(self.rows))])]
        for likeness in self.channels:
            pairs = -np.sort(-likeness[upper]) if len(self.rows) > 1 else np.zeros(1)
            top = np.zeros(_TOP)
            top[: min(_TOP, len(pairs))] = pairs[:_TOP]
            values = np.zeros(_EIGENVALUES)
            found = np.linalg.eigvalsh(likeness)[::-1][:_EIGENVALUES]
            values[: len(found)] = found / np.sqrt(len(self.rows))
            parts += [
                top,
                np.quantile(pairs, _FRACTIONS),
                np.array([pairs.mean(), pairs.std()]),
                values,
            ]
        return np.concatenate(parts).astype(np.float32)

    @cached_property
    def profiles(self) -> Reals:
        """Features of each row, float32[r, d], padded to one width for groups of any size."""
        n = len(self.rows)
        padded = [np.zeros((n, max(n, _TOP)), np.float32) for _ in self.channels]
        for wide, likeness in zip(padded, self.channels, strict=True):
            wide[:, :n] = likeness
        rows = [-np.sort(-wide, axis=1)[:, :_TOP] for wide in padded]
        return np.concatenate([*rows, profiles(self.channels)[:, -1:]], axis=1)


def split(seen: Seen, wanted: Sequence[Numbers]) -> list[Group]:
    """The groups with the rows ``wanted`` of a table."""
    channels = list(seen.likenesses())
    return [Group(rows, [c[np.ix_(rows, rows)] for c in channels]) for rows in wanted]


def standard(groups: Sequence[Group], scales: Sequence[Scale]) -> list[Group]:
    """The groups with likenesses in units of what a key may move."""
    return [
        Group(g.rows, [s.standard(c) for s, c in zip(scales, g.channels, strict=True)])
        for g in groups
    ]


def linked(seen: Seen) -> Numbers:
    """Groups as the unit can find them: rows of one bucket, linked where they are alike."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    evidence = np.zeros((len(seen), len(seen)), np.float32)
    for likeness in seen.likenesses():
        evidence += np.maximum(likeness, 0) ** 2
    a, b = np.nonzero(evidence > _LINK)
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=evidence.shape)
    found: Numbers = connected_components(graph, directed=False)[1].astype(np.int64)
    return found


@dataclass(frozen=True, repr=False)
class Model:
    """What the attacker expects of one group under a key that she does not know.

    ``persons``: int64[g]; ``means``: float32[g, g] by channel; ``prints`` of its persons.
    """

    persons: Numbers
    means: list[Reals]
    prints: Prints


class GroupAttack:
    """The attacker's models, made once for any number of victims."""

    def __init__(self, attacker: Attacker, *, smallest: int = 2) -> None:
        self.attacker = attacker
        count = int(attacker.groups.max()) + 1
        sizes = np.bincount(attacker.groups[attacker.groups >= 0], minlength=count)
        members = [np.flatnonzero(attacker.groups == g) for g in range(count)]
        self.members = [m for m, size in zip(members, sizes, strict=True) if size >= smallest]
        simulated = [self._simulate(table) for table in attacker.tables]
        self.scales = self._scales(simulated)
        simulated = [standard(groups, self.scales) for groups in simulated]
        self.prints = Prints.learn([np.stack([g.fingerprint for g in s]) for s in simulated])
        self.models = self._models(simulated)

    def _scales(self, simulated: list[list[Group]]) -> list[Scale]:
        """One a channel, over the persons of all groups."""
        scales = []
        for channel in range(len(simulated[0][0].channels)):
            samples = [
                [s[i].channels[channel][: len(m), : len(m)] for s in simulated]
                for i, m in enumerate(self.members)
            ]
            scales.append(Scale.of([np.mean(of, axis=0) for of in samples], samples))
        return scales

    def _simulate(self, table: SeenTable) -> list[Group]:
        """The groups of one of her tables, each group's persons first, then its decoys."""
        row = np.full(len(self.attacker), -1, np.int64)
        real = np.flatnonzero(table.person >= 0)
        row[table.person[real]] = real
        decoys: dict[int, list[int]] = {}
        for d in np.flatnonzero(table.person < 0).tolist():
            decoys.setdefault(int(table.group[d]), []).append(d)
        wanted = []
        for persons in self.members:
            of_group = decoys.get(int(table.group[row[persons[0]]]), [])
            wanted.append(np.concatenate([row[persons], np.array(of_group, np.int64)]))
        return split(table.known_groups, wanted)

    def _models(self, simulated: list[list[Group]]) -> list[Model]:
        """Means by group; how far keys move a row's features is pooled over all groups."""
        stacks = [
            np.stack([s[i].profiles[: len(persons)] for s in simulated])
            for i, persons in enumerate(self.members)
        ]
        apart = [(stack - stack.mean(axis=0)).reshape(-1, stack.shape[2]) for stack in stacks]
        whitening = whiten(np.concatenate(apart), len(simulated))
        models = []
        for i, persons in enumerate(self.members):
            size, samples = len(persons), [s[i].channels for s in simulated]
            means = [
                np.mean([c[:size, :size] for c in cs], axis=0) for cs in zip(*samples, strict=True)
            ]
            prints = Prints(stacks[i].mean(axis=0) @ whitening, whitening)
            models.append(Model(persons, means, prints))
        return models

    def rates(
        self, victim: SeenTable, rng: np.random.Generator, groups: Numbers | None = None
    ) -> GroupRates:
        """How much of a table falls. ``groups``: the partition she sees; the true one if None."""
        given = victim.group if groups is None else groups
        seen = self._visible(victim, given)
        persons_found, groups_found = 0, 0.0
        for claims, chosen in self._rules(seen, rng, len(victim.person)):
            found = right(claims, victim.person, self.attacker.identity)
            persons_found = max(persons_found, int(found.sum()))
            groups_found = max(groups_found, self._groups_right(seen, chosen, victim))
        known = self._known(seen, victim, rng) if groups is None else float("nan")
        return GroupRates(persons_found, float(groups_found), known)

    def _visible(self, victim: SeenTable, groups: Numbers) -> list[Group]:
        order = np.argsort(groups, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
        found = split(victim.seen.grouped(groups), [p for p in parts if len(p) > 1])
        return standard(found, self.scales)

    def _rules(
        self, seen: list[Group], rng: np.random.Generator, rows: int
    ) -> list[tuple[Numbers, Numbers]]:
        """Claims by each rule, with the model chosen for each group (-1: none)."""
        if not seen:
            return []
        cost = self.prints.distances(np.stack([g.fingerprint for g in seen]))
        tried = np.argsort(cost, axis=1)[:, :_CANDIDATES]
        inside: dict[tuple[int, int], Numbers] = {}
        for g, group in enumerate(seen):
            self._match(inside, g, group, tried[g], rng)
        by_print = assign(cost, rng)
        gain = np.full(cost.shape, -1e6, np.float32)
        for (g, m), claims in inside.items():
            model = self.models[m]
            gain[g, m] = likelihood(seen[g].channels, model.means, claims) - cost[g, m] / 2
        by_likelihood = assign(-gain, rng)
        results = []
        for chosen in (by_print, by_likelihood):
            claims = np.full(rows, -1, np.int64)
            for g in np.flatnonzero(chosen >= 0).tolist():
                m = int(chosen[g])
                self._match(inside, g, seen[g], [m], rng)
                self._claim(claims, seen[g], self.models[m], inside[g, m])
            results.append((claims, chosen))
        results.append((self._soft(seen, gain, inside, rows), gain.argmax(axis=1)))
        return results

    def _soft(
        self,
        seen: list[Group],
        gain: Reals,
        inside: dict[tuple[int, int], Numbers],
        rows: int,
    ) -> Numbers:
        """Each person once, in the order of how sure the row's claim is; groups may be shared."""
        chance = np.exp(gain - gain.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        offers = []
        for (g, m), places in inside.items():
            for at in np.flatnonzero(places >= 0).tolist():
                person = int(self.models[m].persons[places[at]])
                offers.append((-float(chance[g, m]), int(seen[g].rows[at]), person))
        claims, taken = np.full(rows, -1, np.int64), set()
        for _, row, person in sorted(offers):
            if claims[row] < 0 and person not in taken:
                claims[row] = person
                taken.add(person)
        return claims

    def _match(
        self,
        inside: dict[tuple[int, int], Numbers],
        g: int,
        group: Group,
        tried: Iterable[int],
        rng: np.random.Generator,
    ) -> None:
        """Notes, for each model tried, the place in it of each row of the group, -1 for none."""
        by_size: dict[int, list[int]] = {}
        for m in tried:
            if (g, int(m)) not in inside:
                by_size.setdefault(len(self.models[m].persons), []).append(int(m))
        for alternatives in by_size.values():
            models = [self.models[m] for m in alternatives]
            cost = np.stack([m.prints.distances(group.profiles) for m in models])
            means = [np.stack(of) for of in zip(*(m.means for m in models), strict=True)]
            soft = anneal(group.channels, means, cost)
            for m, chances in zip(alternatives, soft, strict=True):
                inside[g, m] = assign(-chances, rng)

    @staticmethod
    def _claim(claims: Numbers, group: Group, model: Model, places: Numbers) -> None:
        claims[group.rows] = np.where(places >= 0, model.persons[places], -1)

    def _groups_right(self, seen: list[Group], chosen: Numbers, victim: SeenTable) -> float:
        """Share of the groups taken for the right one."""
        hits = 0
        for group, m in zip(seen, chosen.tolist(), strict=True):
            persons = victim.person[group.rows]
            real = persons[persons >= 0]
            hits += m >= 0 and len(real) > 0 and real[0] in self.models[m].persons
        return hits / max(len(seen), 1)

    def _known(self, seen: list[Group], victim: SeenTable, rng: np.random.Generator) -> float:
        """Persons found where the attacker is told which group is which."""
        model_of = {int(p): m for m, model in enumerate(self.models) for p in model.persons}
        inside: dict[tuple[int, int], Numbers] = {}
        found = total = 0
        for g, group in enumerate(seen):
            persons = victim.person[group.rows]
            real = persons[persons >= 0]
            if not len(real) or int(real[0]) not in model_of:
                continue
            m = model_of[int(real[0])]
            model = self.models[m]
            claims = np.full(len(victim.person), -1, np.int64)
            self._match(inside, g, group, [m], rng)
            self._claim(claims, group, model, inside[g, m])
            found += int(right(claims, victim.person, self.attacker.identity).sum())
            total += len(real)
        return found / max(total, 1)
