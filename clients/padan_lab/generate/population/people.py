"""A population of Indonesians: who they are before anybody writes them down.

People are numbers; :meth:`People.of` tells all about some of them. Nothing but the NIKs' serial
numbers is kept, so a population may have any size and be asked in any order.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_lab.generate.draw.draws import Bools, Choice, Draws, Ints
from padan_lab.generate.draw.vocabulary import NONE, Slots, vocabulary
from padan_lab.generate.population import identifiers, titles
from padan_lab.generate.population.given_names import (
    BALINESE,
    BATAK,
    CHINESE,
    EASTERN,
    JAVANESE,
    MUSLIM,
    Namer,
    Naming,
    cultures,
)  # fmt: skip
from padan_lab.generate.population.households import (
    PENSION_AGE,
    TODAY,
    Days,
    Homes,
    Member,
    births,
    homes,
)
from padan_lab.generate.population.places import gazetteer

#: Tokens of a name in a list of 970,000 people, one to four and more.
GENERAL = Naming(lengths=(40, 29, 25, 5.5), prophet=0.217, rare=0.7, old=0.01)
#: The same in a register of candidates, where 6 % write old digraphs.
CANDIDATES = Naming(lengths=(15, 54, 25, 6), prophet=0.225, rare=0.45, old=0.075)
_RELIGIONS = ("ISLAM", "KRISTEN", "KATOLIK", "HINDU", "BUDDHA", "KONGHUCU")
_BELIEFS = {
    MUSLIM: (99, 0.7, 0.3, 0, 0, 0), JAVANESE: (92, 4, 3, 0.3, 0.7, 0),
    BATAK: (22, 68, 10, 0, 0, 0),
    BALINESE: (3, 2, 1, 94, 0, 0), CHINESE: (4, 34, 18, 0, 40, 4), EASTERN: (2, 48, 50, 0, 0, 0),
}  # fmt: skip
_BATCH = 1 << 18


class People:
    """``size`` people, numbered from 0.

    ``families``: whole families, else grown-ups only. ``retired``: share of the heads past the
    pension age.
    """

    def __init__(
        self, size: int, seed: int, *, families: bool, retired: float, naming: Naming = GENERAL
    ) -> None:
        self.size, self.families, self.retired, self.naming = size, families, retired, naming
        self.draws = Draws(seed, "people")
        self.namer = Namer(naming, self.draws.of("names"))

    def of(self, numbers: Ints) -> PersonBlock:
        """All about some people."""
        return PersonBlock(self, numbers)

    @cached_property
    def serials(self) -> NDArray[np.int16]:
        """int16[size]: serial numbers of the NIKs."""
        batches = (
            np.arange(low, min(self.size, low + _BATCH)) for low in range(0, self.size, _BATCH)
        )
        bases = (self.of(batch).nik_base for batch in batches)
        return identifiers.serials(bases, self.size, self.draws.of("nik"))


class PersonBlock:
    """Some people; every column is worked out when first asked for."""

    def __init__(self, world: People, numbers: Ints) -> None:
        self.world, self.numbers = world, numbers
        self.draws = world.draws

    @property
    def household(self) -> Ints:
        """With whom they share an address: the head's number."""
        return self.home.head

    @cached_property
    def home(self) -> Homes:
        """Their households."""
        return homes(self.numbers, self.draws, families=self.world.families)

    @cached_property
    def female(self) -> Bools:
        """Who is a woman."""
        drawn = self.draws.chance("female", self.numbers, 0.5)
        paired = (self.home.couple == 1) & (self.home.place < 2)
        return np.where(paired, self.home.member == Member.SPOUSE, drawn)

    @cached_property
    def birth(self) -> Days:
        """Birth dates as issued."""
        return births(
            self.numbers, self.draws, families=self.world.families, retired=self.world.retired
        )

    def corrected_birth(self, share: float) -> Days:
        """Birth dates after a share of them was corrected; the NIK stays."""
        changed = self.draws.chance("corrected", self.numbers, share)
        by = 1 + self.draws.below("corrected by", self.numbers, 400)
        later = self.birth + np.where(self.birth + by < TODAY, by, -by)
        return np.where(changed, later, self.birth)

    @property
    def pensioner(self) -> Bools:
        """Past the pension age of civil servants."""
        return TODAY - self.birth >= PENSION_AGE * 365.2425

    @cached_property
    def district(self) -> Ints:
        """Where the household lives, a place of the gazetteer."""
        return gazetteer().draw(self.draws, "district", self.home.head)

    @cached_property
    def registered(self) -> Ints:
        """Six-digit sub-district where the household lives."""
        return gazetteer().subdistrict(self.draws, "sub", self.home.head, self.district)

    @cached_property
    def birthplace(self) -> Ints:
        """Mostly where they live, else in the province, else anywhere."""
        luck = self.draws.share("moved", self.numbers)
        near = gazetteer().neighbour(self.draws, "near", self.numbers, self.district)
        far = gazetteer().draw(self.draws, "far", self.numbers)
        return np.where(luck < 0.6, self.district, np.where(luck < 0.8, near, far))

    @cached_property
    def culture(self) -> Ints:
        """The custom of naming."""
        return cultures(self.home.head, self.district, self.draws)

    @cached_property
    def names(self) -> Slots:
        """int32[n, SLOTS]. A few are called what the brother or sister before them is.

        That is a name given again after a child died, or by another mother.
        """
        young = np.isin(self.home.member, (Member.CHILD, Member.SIBLING, Member.TWIN))
        again = self.draws.chance("namesake", self.numbers, 0.012) & young
        elder = self.world.of(self.numbers - again)
        again &= (elder.home.member != Member.SPOUSE) & (elder.female == self.female)
        who = self.world.of(self.numbers - again)
        return self.world.namer.names(who.numbers, who.home, self.culture, self.female)

    @cached_property
    def fathers(self) -> Slots:
        """int32[n, 2]: bin or binti and the father's name, NONE where nobody is called so."""
        words = vocabulary()
        name = words.roles["male_first"].draw(self.draws, "father", self.home.head)
        mark = np.where(self.female, words.number("binti"), words.number("bin"))
        result = np.column_stack((mark, name)).astype(np.int32)
        result[~np.isin(self.culture, (MUSLIM, JAVANESE))] = NONE
        return result

    @cached_property
    def titles(self) -> titles.Titles:
        """Degrees and ranks."""
        return titles.held(self.numbers, self.female, self.draws)

    @cached_property
    def nik_base(self) -> Ints:
        """NIKs without their serial numbers."""
        return identifiers.nik_bases(self.registered, self.birth, self.female)

    @property
    def nik(self) -> Ints:
        """NIKs, int64."""
        return self.nik_base * 10_000 + self.world.serials[self.numbers]

    @property
    def kk(self) -> Ints:
        """Family cards, int64."""
        return identifiers.kks(self.registered, self.home.head, self.draws)

    @property
    def nip(self) -> Ints:
        """Civil servants' numbers, int64."""
        return identifiers.nips(self.numbers, self.birth, self.female, self.draws)

    @property
    def sex(self) -> pa.StringArray:
        """L or P."""
        return pa.array(np.where(self.female, "P", "L"), pa.string())

    @property
    def religion(self) -> Ints:
        """Positions in RELIGIONS, one for a household."""
        tables = [Choice(_BELIEFS[number]) for number in range(len(_BELIEFS))]
        bits = self.draws.bits("religion", self.home.head)
        return np.choose(self.culture, [table.at(bits) for table in tables])


RELIGIONS = pa.array(_RELIGIONS, pa.string())
