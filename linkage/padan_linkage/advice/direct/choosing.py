"""Which of the candidates are worth their values, and which strangers would be answered by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from padan_linkage.advice.direct.rehearsal import KeyRehearsal
from padan_linkage.agreement.rules.direct import REFUSED_FACTOR, opening, strangers_met
from padan_linkage.direct.schema import DirectKey, alternatives, most_values

#: What may be answered of strangers, and of rows with somebody else's number.
TOLERATED = 0.001
#: A key, or two weak ones, that find so few new people are not worth asking.
LEAST_GAIN = 0.002
#: Elements that a record asks under all keys, at most, those of rows without a name aside.
MOST_ELEMENTS = 16

Numbers = tuple[int, ...]


@dataclass(frozen=True)
class KeysRate:
    """What some keys come to, at the registry's full size.

    ``found``: share of the registered; ``strangers`` and ``swaps``: shares of rows that get
    somebody else's answer, of people who are not registered; ``seen``: whether any stranger was.
    """

    found: float
    strangers: float
    swaps: float
    seen: bool

    @property
    def tolerable(self) -> bool:
        """Whether both stay under the tolerated rate."""
        return self.strangers <= TOLERATED and self.swaps <= TOLERATED


@dataclass(repr=False)
class Choosing:
    """Chooses among a rehearsal's candidates, by number."""

    rehearsal: KeyRehearsal
    _rates: dict[tuple[Numbers, Numbers], KeysRate] = field(default_factory=dict)

    def rate(self, numbers: Iterable[int], alone: Iterable[int] = ()) -> KeysRate:
        """What these candidates come to together; ``alone``: weak ones that open by themselves.

        Where no stranger was answered, the rate that could have been missed (3 in as many as were
        asked), or the linter's estimate, if that is less and no weak key opens alone.
        """
        asked = tuple(sorted(numbers)), tuple(sorted(alone))
        if asked not in self._rates:
            self._rates[asked] = self._rate(*asked)
        return self._rates[asked]

    def key(self, number: int) -> DirectKey:
        """The candidate's key."""
        return self.rehearsal.candidates[number].key

    def width(self, numbers: Iterable[int]) -> int:
        """Elements of a record under these keys."""
        return sum(most_values(self.rehearsal.fields, self.key(n)) for n in numbers)

    def chosen(self) -> Numbers:
        """The keys that are worth their values, those that identify first."""
        picked: Numbers = ()
        seen = {picked}
        while moves := [m for m in self._moves(picked) if self._gain(picked, m) >= LEAST_GAIN]:
            best = max(moves, key=lambda more: (self._worth(picked, more), -more[0]))
            picked = self._pruned(tuple(sorted((*picked, *best))))
            if picked in seen:
                break
            seen.add(picked)
        return picked

    def unchecked(self) -> Numbers:
        """Keys for rows that hold nothing to check a number by, where the list has such rows."""
        return tuple(
            n
            for n, c in enumerate(self.rehearsal.candidates)
            if c.unchecked and self.rehearsal.own.under[:, n].any()
        )

    def _moves(self, picked: Numbers) -> Iterator[Numbers]:
        """What can be added: a key, or two weak ones where there is none yet to open with."""
        checked = (n for n, c in enumerate(self.rehearsal.candidates) if not c.unchecked)
        free = [n for n in checked if n not in picked]
        single = [(n,) for n in free if not self.key(n).weak]
        weak = [n for n in free if self.key(n).weak]
        if any(self.key(n).weak for n in picked):
            single += [(n,) for n in weak]
        for more in (*single, *combinations(weak, 2)):
            together = (*picked, *more)
            few = self.width(together) <= MOST_ELEMENTS
            if few and self.twofold(together) and self.tolerable(together):
                yield more

    def twofold(self, numbers: Iterable[int]) -> bool:
        """Whether any two weak keys compare three fields or more.

        Two of the same two fields open to whoever knows these, as one that opens alone does.
        """
        weak = [self.key(n) for n in numbers if self.key(n).weak]
        return all(len(_fields(one) | _fields(other)) > 2 for one, other in combinations(weak, 2))

    def tolerable(self, numbers: Numbers) -> bool:
        """Whether few enough strangers are answered, and the linter has nothing against it."""
        return self.rate(numbers).tolerable and all(
            self.estimable(some) for some in self._opening(numbers)
        )

    def estimable(self, numbers: Iterable[int]) -> bool:
        """Whether the linter has no error against these keys opening together."""
        r = self.rehearsal
        met = strangers_met(r.rows, r.fields, tuple(map(self.key, numbers)))
        return met <= REFUSED_FACTOR * TOLERATED

    def _opening(self, numbers: Numbers) -> Iterator[Numbers]:
        """Whatever opens a label, by number."""
        number = {self.key(n).id: n for n in numbers}
        for keys in opening(tuple(map(self.key, numbers))):
            yield tuple(number[key.id] for key in keys)

    def _gain(self, picked: Numbers, more: Numbers) -> float:
        before = self.rate(picked).found if picked else 0.0
        return self.rate((*picked, *more)).found - before

    def _worth(self, picked: Numbers, more: Numbers) -> float:
        return self._gain(picked, more) / self.width(more)

    def _pruned(self, picked: Numbers) -> Numbers:
        """Without keys that others have made superfluous, the widest for the least first."""
        while len(picked) > 1:
            losses = {n: self.rate(picked).found - self.rate(_but(picked, n)).found for n in picked}
            idle = [n for n, loss in losses.items() if loss < LEAST_GAIN]
            if not idle:
                break
            picked = _but(picked, min(idle, key=lambda n: losses[n] / self.width([n])))
        return picked

    def _rate(self, numbers: Numbers, alone: Numbers) -> KeysRate:
        keys = [
            self.key(n).model_copy(update={"alone": True}) if n in alone else self.key(n)
            for n in numbers
        ]
        r = self.rehearsal
        found, _ = r.own.answers(keys, numbers)
        _, seen = r.strangers.answers(keys, numbers)
        strangers = r.at_size(seen, len(r.strangers))
        if not seen and not alone:
            estimates = (strangers_met(r.rows, r.fields, some) for some in opening(keys))
            strangers = min(strangers, sum(estimates))
        swaps = [s.answers(keys, numbers)[1] / len(s) * s.weight for s in r.swaps]
        return KeysRate(found, strangers, max(swaps, default=0.0), bool(seen))


def _fields(key: DirectKey) -> set[str]:
    """The fields that a key compares; what may agree in a field's place is no other field."""
    return {alternatives(part)[0][0] for part in key.exact}


def _but(numbers: Numbers, left_out: int) -> Numbers:
    return tuple(n for n in numbers if n != left_out)
