"""Companies: legal form, name, numbers, where they are and how many work there."""

from __future__ import annotations

from functools import cache, cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.generate.draw.draws import Bools, Choice, Draws, Ints
from padan_lab.generate.draw.vocabulary import (
    NONE,
    SLOTS,
    Slots,
    Vocabulary,
    data_lines,
    name_roles,
    respelt,
)
from padan_lab.generate.population.households import Days
from padan_lab.generate.population.places import gazetteer

#: Legal forms and how common they are; a listed company ends in Tbk.
FORMS = ("PT", "CV", "UD", "Koperasi", "Yayasan", "Firma", "Perum", "PT Tbk")
_FORM = Choice([66, 22, 4, 4, 2, 0.8, 0.2, 1])
#: The most people any generated company employs.
_MOST = 3_000


@cache
def company_words() -> Vocabulary:
    """What companies are called: common words, trades, families, towns."""
    roles: dict[str, dict[str, float]] = {}
    shorts: dict[str, list[str]] = {}
    for line in data_lines("companies.txt"):
        role, _, entries = line.partition(":")
        roles[role] = {}
        for entry in entries.split():
            head, _, short = entry.partition("/")
            word, _, weight = head.partition("=")
            roles[role][word] = float(weight)
            if short:
                shorts[word] = [short]
    people = name_roles()
    roles["families"] = people["rare_m"] | people["marga"] | people["chinese_surname"]
    towns = gazetteer().written("bare", np.arange(len(gazetteer().codes)), upper=False)
    roles["towns"] = {t.lower(): 1.0 for t in towns.to_pylist() if " " not in t}
    return Vocabulary(roles, ("cabang",), respelt, lambda word: shorts.get(word, []))


class Companies:
    """``size`` companies, numbered from 0."""

    def __init__(self, size: int, seed: int) -> None:
        self.size, self.draws = size, Draws(seed, "companies")

    def of(self, numbers: Ints) -> CompanyBlock:
        """All about some of them."""
        return CompanyBlock(self, numbers)


class CompanyBlock:
    """Some companies; every column is worked out when first asked for."""

    def __init__(self, world: Companies, numbers: Ints) -> None:
        self.world, self.numbers, self.draws = world, numbers, world.draws

    @property
    def household(self) -> Ints:
        """Each has an address of its own."""
        return self.numbers

    @cached_property
    def form(self) -> Ints:
        """Positions in FORMS."""
        return self.draws.pick("form", self.numbers, _FORM)

    @cached_property
    def district(self) -> Ints:
        """Where it is, a place of the gazetteer."""
        return gazetteer().draw(self.draws, "district", self.numbers)

    @cached_property
    def founded(self) -> Days:
        """Days since 1970."""
        return 5_500 + self.draws.below("founded", self.numbers, 38 * 365)

    @cached_property
    def names(self) -> Slots:
        """int32[n, SLOTS]: two to four words, without the legal form."""
        roles = company_words().roles
        slots = np.full((len(self.numbers), SLOTS), NONE)

        def drawn(role: str, label: str) -> Slots:
            return roles[role].draw(self.draws, label, self.numbers)

        luck = self.draws.share("shape", self.numbers)
        family = luck < 0.4
        slots[:, 0] = np.where(family, drawn("families", "family"), drawn("words", "word 0"))
        slots[:, 1] = drawn("words", "word 1")
        third = self.draws.share("third", self.numbers)
        slots[:, 2] = np.where(third < 0.3, drawn("trades", "trade"), NONE)
        slots[:, 2] = np.where(third > 0.65, drawn("words", "word 2"), slots[:, 2])
        slots[:, 3] = np.where(third > 0.9, drawn("towns", "town"), NONE)
        slots[slots[:, 1] == slots[:, 0], 1] = company_words().number("mandiri")
        repeated = (slots[:, 2] == slots[:, 1]) | (slots[:, 2] == slots[:, 0])
        slots[repeated, 2] = np.where(slots[repeated, 3] < 0, NONE, slots[repeated, 3])
        slots[repeated, 3] = NONE
        return slots

    @property
    def kbli(self) -> Ints:
        """Five digits; some trades are far commoner than others."""
        kinds = self.draws.below("kbli", self.numbers, 400)
        return kinds**2 // 400 * 217 + 10_000

    @cached_property
    def workers(self) -> Ints:
        """How many people work there: half have five or fewer, a few have thousands."""
        size = np.exp(1.6 + 1.35 * self.draws.bell("workers", self.numbers))
        return np.clip(size.astype(np.int64), 1, _MOST)

    @property
    def pensioner(self) -> Bools:
        """Nobody."""
        return np.zeros(len(self.numbers), dtype=bool)

    @property
    def mailbox(self) -> pa.StringArray:
        """What stands before the @ of its e-mail address."""
        return pc.replace_substring(company_words().rendered(self.names[:, :2]), " ", "")
