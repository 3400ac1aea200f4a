"""Foreigners who work in Indonesia: names from elsewhere, passports and permits, no NIK."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pyarrow as pa

from padan_lab.generate.draw.draws import Bools, Choice, Draws, Ints
from padan_lab.generate.draw.vocabulary import NONE, SLOTS, Slots, Vocabulary, data_lines
from padan_lab.generate.population import identifiers
from padan_lab.generate.population.households import THIS_YEAR, Days
from padan_lab.generate.population.identifiers import FORMER
from padan_lab.generate.population.places import gazetteer


@dataclass(frozen=True)
class _Nations:
    """The countries people come from.

    Roles of the words: ``CHN 0`` is men's given names, ``CHN 1`` women's, ``CHN 2`` surnames.
    """

    codes: pa.StringArray
    patterns: pa.StringArray
    towns: tuple[pa.StringArray, ...]
    choice: Choice
    words: Vocabulary


@cache
def nations() -> _Nations:
    """The one table of nations."""
    rows = [[part.strip() for part in line.split("|")] for line in data_lines("foreigners.txt")]
    heads = [row[0].split() for row in rows]
    spellings: dict[str, list[str]] = {}
    roles: dict[str, dict[str, float]] = {}
    for (code, *_), row in zip(heads, rows, strict=True):
        for i, part in enumerate(row[1:4]):
            entries = [entry.split("/") for entry in part.split()]
            roles[f"{code} {i}"] = {usual: 1.0 for usual, *_ in entries}
            for usual, *others in entries:
                found = spellings.setdefault(usual, _hyphenless(usual))
                found += [form for form in others if form not in found]
    words = Vocabulary(roles, (), lambda t: spellings.get(t, []), lambda t: [f"{t[0]}."])
    return _Nations(
        pa.array([code for code, *_ in heads], pa.string()),
        pa.array([pattern for *_, pattern in heads], pa.string()),
        tuple(pa.array(row[4].replace("-", " ").title().split(","), pa.string()) for row in rows),
        Choice([float(share) for _, share, _ in heads]),
        words,
    )


def _hyphenless(token: str) -> list[str]:
    return [token.replace("-", " "), token.replace("-", "")] if "-" in token else []


class Foreigners:
    """``size`` foreigners, numbered from 0."""

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.draws = size, Draws(seed, "foreigners")

    def of(self, numbers: Ints) -> ForeignerBlock:
        """All about some of them."""
        return ForeignerBlock(self, numbers)


class ForeignerBlock:
    """Some foreigners; every column is worked out when first asked for."""

    def __init__(self, world: Foreigners, numbers: Ints) -> None:
        self.world, self.numbers, self.draws = world, numbers, world.draws

    @property
    def household(self) -> Ints:
        """They live alone."""
        return self.numbers

    @property
    def district(self) -> Ints:
        """Where they live, a place of the gazetteer."""
        return gazetteer().draw(self.draws, "district", self.numbers)

    @cached_property
    def nation(self) -> Ints:
        """Where they come from."""
        return self.draws.pick("nation", self.numbers, nations().choice)

    @cached_property
    def female(self) -> Bools:
        """Who is a woman."""
        return self.draws.chance("female", self.numbers, 0.25)

    @cached_property
    def birth(self) -> Days:
        """Birth dates in days since 1970."""
        start = (THIS_YEAR - 66 - 1970) * 365
        return start + self.draws.below("birth", self.numbers, 42 * 365)

    @cached_property
    def names(self) -> Slots:
        """int32[n, SLOTS]: given name, for some a second one, surname."""
        slots = np.full((len(self.numbers), SLOTS), NONE)
        codes = nations().codes.to_pylist()
        for number, code in enumerate(codes):
            for woman in (False, True):
                rows = np.flatnonzero((self.nation == number) & (self.female == woman))
                self._name(slots, rows, f"{code} {int(woman)}", f"{code} 2")
        return slots

    def _name(self, slots: Slots, rows: Ints, given: str, family: str) -> None:
        roles, people = nations().words.roles, self.numbers[rows]
        first = roles[given].draw(self.draws, "given", people)
        second = roles[given].draw(self.draws, "second given", people)
        surname = roles[family].draw(self.draws, "surname", people)
        two = self.draws.chance("two given", people, 0.4) & (second != first)
        slots[rows, 0] = first
        slots[rows, 1] = np.where(two, second, surname)
        slots[rows, 2] = np.where(two, surname, NONE)

    @property
    def nationality(self) -> pa.StringArray:
        """Three letters."""
        return nations().codes.take(pa.array(self.nation))

    @property
    def passport(self) -> pa.StringArray:
        """Numbers of their passports."""
        return self._passports(self.numbers)

    @property
    def former_passport(self) -> pa.StringArray:
        """Numbers of the passports they had before."""
        return self._passports(self.numbers + FORMER)

    def _passports(self, owners: Ints) -> pa.StringArray:
        patterns = nations().patterns.take(pa.array(self.nation))
        return identifiers.passports(owners, patterns, self.draws)

    @property
    def birthplace(self) -> pa.StringArray:
        """A town of the country."""
        towns = nations().towns
        at = self.draws.below("town", self.numbers, np.array([len(t) for t in towns])[self.nation])
        starts = np.cumsum([0, *(len(t) for t in towns[:-1])])
        return pa.concat_arrays(towns).take(pa.array(starts[self.nation] + at))

    @property
    def pensioner(self) -> Bools:
        """Nobody."""
        return np.zeros(len(self.numbers), dtype=bool)

    @property
    def sex(self) -> pa.StringArray:
        """L or P."""
        return pa.array(np.where(self.female, "P", "L"), pa.string())
