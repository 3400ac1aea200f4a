"""The names people have, by the customs of where they live.

Tokens are drawn one by one by frequency, so nobody's whole name is ever copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from padan_lab.generate.draw.draws import Bools, Choice, Draws, Ints
from padan_lab.generate.draw.vocabulary import NONE, SLOTS, Slots, vocabulary
from padan_lab.generate.population.households import Homes, Member
from padan_lab.generate.population.places import gazetteer

MUSLIM, JAVANESE, BATAK, BALINESE, CHINESE, EASTERN = range(6)
#: Customs of naming by province, in hundredths, rough; the rest of the country as 0.
_BY_PROVINCE = {
    0: (70, 20, 2, 1, 3, 4), 11: (96, 3, 0.5, 0, 0.5, 0), 12: (30, 22, 42, 0, 5, 1),
    13: (95, 2, 2, 0, 1, 0), 14: (70, 15, 11, 0, 4, 0), 18: (35, 60, 2, 2, 1, 0),
    19: (78, 8, 1, 0, 13, 0), 21: (65, 12, 12, 0, 9, 2), 31: (55, 28, 7, 1, 7, 2),
    32: (84, 12, 2, 0, 2, 0), 33: (30, 68, 0.5, 0, 1.5, 0), 34: (22, 75, 0.5, 0.5, 2, 0),
    35: (42, 56, 0.5, 0.3, 1.2, 0), 36: (82, 10, 3, 0, 5, 0), 51: (8, 6, 0.5, 84, 1, 0.5),
    52: (93, 3, 0, 4, 0, 0), 53: (9, 1, 0, 0.5, 0.5, 89), 61: (60, 12, 1, 0, 12, 15),
    71: (30, 2, 1, 1, 2, 64), 81: (45, 3, 1, 0, 1, 50),
    **dict.fromkeys((91, 92, 93, 94, 95, 96), (20, 9, 2, 1, 1, 67)),
}  # fmt: skip


@dataclass(frozen=True)
class Naming:
    """How long names are and how much is old; shares, by culture where it matters.

    ``lengths``: weights of one to four tokens where custom leaves it open. ``prophet``: men of
    Muslim and Javanese families called Muhammad. ``rare``: tokens that are none of the common ones.
    ``old``: names in the spelling before 1972.
    """

    lengths: tuple[float, float, float, float]
    prophet: float
    rare: float
    old: float


@cache
def _culture_table() -> NDArray[np.int8]:
    """int8[provinces, 4096]: cultures by province, as often as their share."""
    codes = np.unique(gazetteer().provinces)
    table = np.zeros((100, 4096), dtype=np.int8)
    for code in codes.tolist():
        shares = np.cumsum(_BY_PROVINCE.get(code, _BY_PROVINCE[0]))
        points = (np.arange(4096) + 0.5) / 4096 * shares[-1]
        table[code] = np.searchsorted(shares, points, side="right")
    return table


def cultures(head: Ints, district: Ints, draws: Draws) -> Ints:
    """The custom each household names its children by."""
    return _culture_table()[
        gazetteer().provinces[district], draws.below("culture", head, 4096)
    ].astype(np.int64)


@dataclass(frozen=True)
class _Rows:
    """The people that one custom names."""

    people: Ints
    head: Ints
    child: Ints
    female: Bools


class Namer:
    """Makes names for some people."""

    def __init__(self, naming: Naming, draws: Draws) -> None:
        self._naming, self._draws = naming, draws
        self._lengths = Choice(naming.lengths)
        self._words = vocabulary()

    def names(self, people: Ints, home: Homes, culture: Ints, female: Bools) -> Slots:
        """int32[n, SLOTS] of tokens."""
        slots = np.full((len(people), SLOTS), NONE)
        makers = (
            self._muslim, self._javanese, self._batak, self._balinese, self._chinese, self._eastern,
        )  # fmt: skip
        for number, make in enumerate(makers):
            rows = np.flatnonzero(culture == number)
            if len(rows):
                of = _Rows(people[rows], home.head[rows], home.child[rows], female[rows])
                slots[rows] = make(of)
        self._like_siblings(slots, home, culture)
        self._old_spelling(slots, people)
        return _compact(_without_repeats(slots))

    def _draw(self, role: str, label: str, rows: Ints) -> NDArray[np.int32]:
        return self._words.roles[role].draw(self._draws, label, rows)

    def _by_sex(self, man: str, woman: str, label: str, of: _Rows) -> NDArray[np.int32]:
        return np.where(
            of.female, self._draw(woman, label, of.people), self._draw(man, label, of.people)
        )

    def _rare(self, label: str, of: _Rows) -> NDArray[np.int32]:
        return self._by_sex("rare_m", "rare_f", label, of)

    def _first(self, of: _Rows) -> NDArray[np.int32]:
        common = self._by_sex("male_first", "female_first", "first", of)
        odd = self._draws.chance("first rare", of.people, self._naming.rare)
        return np.where(odd, self._rare("first odd", of), common)

    def _last(self, of: _Rows) -> NDArray[np.int32]:
        common = self._by_sex("male_last", "female_last", "last", of)
        odd = self._draws.chance("last rare", of.people, self._naming.rare)
        return np.where(odd, self._rare("last odd", of), common)

    def _christian(self, label: str, of: _Rows) -> NDArray[np.int32]:
        common = self._by_sex("christian_m", "christian_f", label, of)
        odd = self._draws.chance(f"{label} rare", of.people, self._naming.rare / 2)
        return np.where(odd, self._rare(f"{label} odd", of), common)

    def _muslim(self, of: _Rows) -> Slots:
        length = self._draws.pick("length", of.people, self._lengths) + 1
        middle = self._draw("middle", "middle", of.people)
        fourth = self._rare("fourth", of)
        slots = _empty(of)
        slots[:, 1], slots[:, 4] = self._first(of), self._last(of)
        slots[:, 2] = np.where(length > 2, middle, NONE)
        slots[:, 3] = np.where(length > 3, fourth, NONE)
        slots[length == 1, 4] = NONE
        self._prophet(slots, length, of)
        return slots

    def _prophet(self, slots: Slots, length: Ints, of: _Rows) -> None:
        """The prophet's name in front, instead of what would make the name too long."""
        named = ~of.female & self._draws.chance("prophet", of.people, self._naming.prophet)
        slots[:, 0] = np.where(named, self._draw("prophet", "prophet form", of.people), NONE)
        slots[named & (length == 2), 4] = NONE
        slots[named & (length == 3), 2] = NONE
        slots[named & (length > 3), 3] = NONE

    def _javanese(self, of: _Rows) -> Slots:
        length = self._draws.pick("length", of.people, self._lengths) + 1
        own = self._by_sex("javanese_m", "javanese_f", "javanese", of)
        behind = self._draws.chance("javanese place", of.people, 0.5)
        slots = _empty(of)
        first = np.where(behind, self._first(of), own)
        slots[:, 1] = np.where(length == 1, own, first)
        slots[:, 2] = np.where(length > 3, self._draw("middle", "middle", of.people), NONE)
        slots[:, 3] = np.where(length > 2, self._rare("third", of), NONE)
        slots[:, 4] = np.where(length == 1, NONE, np.where(behind, own, self._last(of)))
        self._prophet(slots, np.where(length > 2, 3, length), of)
        return slots

    def _batak(self, of: _Rows) -> Slots:
        slots = _empty(of)
        longer = self._draws.share("batak", of.people)
        slots[:, 0] = self._christian("christian", of)
        slots[:, 1] = np.where(longer < 0.45, self._first(of), NONE)
        # The clan is the father's.
        slots[:, 4] = self._draw("marga", "marga", of.head)
        return slots

    def _balinese(self, of: _Rows) -> Slots:
        number = self._words.number
        slots = _empty(of)
        slots[:, 0] = np.where(of.female, number("ni"), number("i"))
        rank = np.where(of.child > 0, of.child, self._draws.below("birth order", of.people, 4)) % 4
        for i in range(4):
            drawn = self._draw(f"order_{i + 1}", "order", of.people)
            slots[:, 1] = np.where(rank == i, drawn, slots[:, 1])
        caste = self._draws.chance("caste", of.head, 0.12)
        slots[caste, 0], slots[caste, 1] = number("i"), number("gusti")
        slots[caste, 2] = np.where(of.female[caste], number("ayu"), number("ngurah"))
        slots[:, 3] = self._by_sex("balinese_m", "balinese_f", "balinese", of)
        longer = self._draws.chance("balinese longer", of.people, 0.25)
        slots[:, 4] = np.where(longer, self._rare("balinese more", of), NONE)
        return slots

    def _chinese(self, of: _Rows) -> Slots:
        """Chinese names; Indonesian and Christian ones with a Chinese or Indonesian surname."""
        slots = _empty(of)
        form = self._draws.share("chinese", of.people)
        surname = self._draw("chinese_surname", "chinese surname", of.head)
        western = self._christian("christian", of)
        local = self._first(of)
        old = form < 0.25
        slots[:, 0] = np.where(old, surname, np.where(form < 0.65, western, local))
        slots[:, 1] = np.where(old, self._draw("chinese_given", "given 1", of.people), NONE)
        slots[:, 2] = np.where(old, self._draw("chinese_given", "given 2", of.people), NONE)
        slots[:, 4] = np.where(old, NONE, surname)
        return slots

    def _eastern(self, of: _Rows) -> Slots:
        slots = _empty(of)
        longer = self._draws.share("eastern", of.people)
        slots[:, 0] = self._christian("christian", of)
        second = self._christian("christian second", of)
        slots[:, 1] = np.where(longer < 0.5, second, NONE)
        slots[:, 4] = self._draw("eastern", "clan", of.head)
        return slots

    def _like_siblings(self, slots: Slots, home: Homes, culture: Ints) -> None:
        """Brothers and sisters often share the last name given."""
        young = np.isin(home.member, (Member.CHILD, Member.SIBLING, Member.TWIN))
        mine = young & np.isin(culture, (MUSLIM, JAVANESE, CHINESE)) & (slots[:, 4] >= 0)
        shared = mine & self._draws.chance("family name", home.head, 0.3)
        slots[shared, 4] = self._draw("male_last", "of the family", home.head[shared])

    def _old_spelling(self, slots: Slots, people: Ints) -> None:
        rows = np.flatnonzero(self._draws.chance("old spelling", people, self._naming.old))
        for column in range(SLOTS):
            tokens = slots[rows, column]
            spelt = self._words.old[tokens, 0]
            slots[rows, column] = np.where((tokens >= 0) & (spelt >= 0), spelt, tokens)


def _empty(of: _Rows) -> Slots:
    return np.full((len(of.people), SLOTS), NONE)


def _without_repeats(slots: Slots) -> Slots:
    """Nobody is called the same twice over: the later token goes."""
    for column in range(1, SLOTS):
        for before in range(column):
            same = (slots[:, column] == slots[:, before]) & (slots[:, column] >= 0)
            slots[same, column] = NONE
    return slots


def _compact(slots: Slots) -> Slots:
    """The tokens moved to the front."""
    order = np.argsort(slots < 0, axis=1, kind="stable")
    return np.take_along_axis(slots, order, axis=1)
