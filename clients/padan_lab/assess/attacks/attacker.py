"""The attacker's side: the whole population without an error, encoded under keys of her own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from padan_lab.assess.attacks.claims import same
from padan_lab.assess.material.attacker_view import Numbers, Reals, SeenTable
from padan_lab.assess.material.schemes import Fields, PassScheme, Scheme

#: Seeds of the attacker's keys start here; victims have others.
_OWN_KEYS = 1_000


@dataclass(frozen=True, repr=False)
class Attacker:
    """Knows ``people``, the scheme with its parameters and salt structure, and not the key.

    ``keys``: how many keys of her own she averages over.
    """

    scheme: Scheme
    people: Fields
    keys: int

    def __len__(self) -> int:
        return len(next(iter(self.people.values())))

    @cached_property
    def tables(self) -> list[SeenTable]:
        """The population under each of her keys."""
        return [self.scheme.encode(self.people, _OWN_KEYS + k) for k in range(self.keys)]

    @cached_property
    def identity(self) -> Numbers:
        """Number of each person's values in this scheme, equal where they are."""
        return same(self.scheme.identities(self.people))

    @cached_property
    def candidates(self) -> Numbers:
        """Persons that have a row, ascending."""
        return np.unique(self.tables[0].person[self.tables[0].person >= 0])

    @cached_property
    def groups(self) -> Numbers:
        """Salt group of each person, -1 for those without a row; one group where nothing salts."""
        if isinstance(self.scheme, PassScheme):
            return self.scheme.salts(self.people)
        return np.zeros(len(self), np.int64)

    def places(self, table: SeenTable) -> Numbers:
        """The row of each candidate in a table of hers."""
        row = np.full(len(self), -1, np.int64)
        real = np.flatnonzero(table.person >= 0)
        row[table.person[real]] = real
        return row[self.candidates]

    @cached_property
    def means(self) -> list[Reals]:
        """Expected likeness of any two candidates, by channel: float32[k, k] each.

        0 between salt groups, where it is chance.
        """
        total: list[Reals] = []
        for table in self.tables:
            place = self.places(table)
            for channel, likeness in enumerate(table.known_groups.likenesses()):
                mine = likeness[np.ix_(place, place)] / np.float32(self.keys)
                if channel == len(total):
                    total.append(mine)
                else:
                    total[channel] += mine
        return total
