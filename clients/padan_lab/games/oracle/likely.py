"""What an attacker on direct mode knows of everybody: people like those registered, generated anew.

Start at :class:`LikelyPeople`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa

from padan_lab.games.oracle.asking import Float
from padan_lab.generate import faultless
from padan_linkage.agreement import Flow
from padan_linkage.normalise import normalise

#: For so many people who share a word of a name stands where everybody was born.
_STRANGERS = 20
#: Values that something may have, and how likely each is.
Candidates = tuple[list[str], Float]


@dataclass(frozen=True, repr=False)
class LikelyPeople:
    """People like those of the registry, and none of them: what is likely."""

    people: Mapping[str, list[str]]

    @classmethod
    def of(cls, flow: Flow, count: int, seed: int) -> Self:
        """So many others, faultless."""
        return cls({name: c.to_pylist() for name, c in generated(flow, count, seed).items()})

    @cached_property
    def pairs(self) -> Counter[frozenset[str]]:
        """How many have the same first two words of a name."""
        return Counter(frozenset(name.split(" ")[:2]) for name in self.people["nama"])

    def namesakes(self, name: str) -> float:
        """Share of people who have the first two words of a name."""
        return (self.pairs[frozenset(name.split(" ")[:2])] + 0.5) / len(self.people["nama"])

    def dates(self, begin: str = "") -> Candidates:
        """Dates of birth that begin so, and how likely each is: by itself and by its year."""
        own = Counter(self.people["tanggal_lahir"])
        years = Counter(date[:4] for date in self.people["tanggal_lahir"])
        first, last = min(own), max(own)
        days = np.arange(np.datetime64(first), np.datetime64(last) + 1).astype(str).tolist()
        days = [day for day in days if day.startswith(begin)]
        return days, shares_of([own[day] + years[day[:4]] / 365 for day in days])

    def places(self, name: str = "") -> Candidates:
        """Places of birth by how many are born there, of a name by who shares its first words."""
        found = dict(Counter(self.people["tempat_lahir"]).most_common())
        scale = _STRANGERS / len(self.people["nama"]) if name else 1.0
        weights = Counter({place: scale * count for place, count in found.items()})
        for word in name.split(" ")[:2]:
            weights.update(self._born.get(word, ()))
        return list(found), shares_of([weights[place] for place in found])

    @cached_property
    def _born(self) -> Mapping[str, list[str]]:
        """Where those were born who have a word among the first two of their name."""
        born = defaultdict(list)
        for name, place in zip(self.people["nama"], self.people["tempat_lahir"], strict=True):
            for word in name.split(" ")[:2]:
                born[word].append(place)
        return born

    def areas(self, place: str) -> Candidates:
        """First six digits of NIKs, those of people born there first, then those of its regency."""
        niks = [nik[:6] for nik in self.people["nik"]]
        all_of = Counter(niks)
        here = Counter(
            a for a, p in zip(niks, self.people["tempat_lahir"], strict=True) if p == place
        )
        near = Counter(area[:4] for area in here.elements())
        found = list(all_of)
        weights = [here[a] + near[a[:4]] * all_of[a] / 10 + all_of[a] / 100 for a in found]
        return found, shares_of(weights)

    def numbers(self, area: str, date: str) -> Candidates:
        """NIKs of a district and a day: of either sex, with the serial numbers that occur."""
        year, month, day = date.split("-")
        serials = Counter(nik[12:] for nik in self.people["nik"])
        niks = [f"{area}{int(day) + shift:02d}{month}{year[2:]}{serial}"
                for serial in serials for shift in (0, 40)]  # fmt: skip
        return niks, shares_of([count for count in serials.values() for _ in range(2)])


def generated(flow: Flow, count: int, seed: int) -> dict[str, pa.StringArray]:
    """Generated people of a flow, faultless and normalised."""
    assert flow.schema is not None
    made = faultless(flow.schema, count, seed)
    columns = ((f, made[f.name].combine_chunks()) for f in flow.schema.fields)
    return {f.name: normalise(f.kind, column).values for f, column in columns}


def shares_of(weights: Sequence[float] | Float) -> Float:
    """Weights that add up to 1."""
    found = np.array(weights, np.float64)
    total: float = found.sum()
    return found / total
