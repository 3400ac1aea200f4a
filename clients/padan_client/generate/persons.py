"""A population of Indonesians in households: who they are before anybody writes them down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_client.generate.numbers import THIS_YEAR, Days, days_after
from padan_client.generate.tokens import Indices, Rng, Weighted, districts, names

Tokens = list[str]

#: Households: alone, couple, couple with a grown child, siblings, twins; and how many adults.
_HOUSEHOLDS = Weighted(["alone", "couple", "child", "siblings", "twins"], [40, 32, 12, 14.5, 1.5])
_ALONE, _COUPLE, _CHILD, _SIBLINGS, _TWINS = range(5)
_SIZES = np.array([1, 2, 3, 2, 2])
_YOUNGEST, _OLDEST = 18, 85
#: Age from which a civil servant is a pensioner.
PENSION_AGE = 58

_CULTURES = Weighted(
    ["muslim", "javanese", "batak", "balinese", "chinese", "eastern"], [58, 24, 7, 4, 3, 4]
)
_LENGTHS = Weighted(["1", "2", "3", "4"], [16, 48, 29, 7])
_MUHAMMAD = Weighted(
    ["muhammad", "m.", "muhamad", "mohammad", "muh.", "moh.", "mochammad", "mohamad"],
    [79, 7, 5, 3, 1.6, 1.4, 1.5, 1.5],
)
#: Of the men of this culture; of all men it is the measured 18.5 %.
_MUHAMMAD_SHARE = 0.31
#: How often a token is none of the common ones.
_RARE_SHARE = 0.35
_BIRTH_ORDER = Weighted(
    ["wayan", "putu", "gede", "made", "kadek", "nyoman", "komang", "ketut"],
    [22, 14, 6, 20, 14, 9, 8, 7],
)
_JAVANESE_ROOTS = (
    "su har pur mar sar war wi mul sul sup sug sut suk sum sun sur bud kus rus ris tri wid juw sid"
)
_MEN_ENDINGS = "yanto yono wanto tono wono narto sito di jo min man giyo roto yadi yatno jito"
_WOMEN_ENDINGS = "yati yani wati tini ningsih inah iyem narti jiati lastri nah sih yanti arni"


@dataclass(frozen=True, repr=False)
class Persons:
    """``n`` adults, columns of equal length.

    ``partner`` is the row of another adult of the same household, or -1; ``district`` and
    ``birthplace`` are positions in ``tokens.districts()``.
    """

    household: Indices
    partner: Indices
    female: NDArray[np.bool_]
    birth: Days
    district: Indices
    birthplace: Indices
    names: list[Tokens]

    @property
    def age(self) -> Indices:
        """Age in whole years, roughly."""
        return THIS_YEAR - (self.birth.astype("datetime64[Y]").astype(np.int64) + 1970)


def make_persons(n: int, rng: Rng, *, pension_share: float) -> Persons:
    """``n`` adults; ``pension_share`` of the households' heads are past ``PENSION_AGE``."""
    kind = _HOUSEHOLDS.indices(rng, n)
    household = np.repeat(np.arange(n), _SIZES[kind])[:n]
    kind = kind[household]
    starts = np.flatnonzero(np.r_[True, household[1:] != household[:-1]])
    size = np.repeat(np.diff(np.r_[starts, n]), np.diff(np.r_[starts, n]))
    head = np.repeat(starts, np.diff(np.r_[starts, n]))
    position = np.arange(n) - head
    partner = np.where(size > 1, np.where(position == 0, head + 1, head), -1)
    couple = (kind == _COUPLE) | (kind == _CHILD)
    female = rng.random(n) < 0.5
    female = np.where(couple & (position < 2), position == 1, female)
    birth = _births(kind, position, head, rng, pension_share)
    place = districts()[1].indices(rng, n)
    district = place[head]
    birthplace = np.where(rng.random(n) < 0.6, district, place)
    family = (position > 0) & ~(couple & (position == 1))
    return Persons(
        household, partner, female, birth, district, birthplace,
        _names(female, head, family, rng),
    )  # fmt: skip


def _births(
    kind: Indices, position: Indices, head: Indices, rng: Rng, pension_share: float
) -> Days:
    n = len(kind)
    retired = rng.random(n) < pension_share
    age = np.where(
        retired,
        PENSION_AGE + 22 * rng.beta(1.2, 2.5, n),
        20 + (PENSION_AGE - 20) * rng.beta(1.6, 1.4, n),
    )
    age = np.where((kind == _CHILD) & (age < 44), age + 24, age)
    age = age[head]
    spouse = (position == 1) & ((kind == _COUPLE) | (kind == _CHILD))
    age = np.where(spouse, age - rng.normal(3, 4, n), age)
    child = (position == 2) & (kind == _CHILD)
    age = np.where(child, age - rng.uniform(22, 32, n), age)
    sibling = (position == 1) & (kind == _SIBLINGS)
    gap = rng.uniform(1, 12, n) * np.where(age > 30, -1, 1)
    age = np.where(sibling, age + gap, age)
    # Not clipped, or all the youngest would share a birthday.
    age = np.where((age < _YOUNGEST) | (age > _OLDEST), rng.uniform(_YOUNGEST, 30, n), age)
    days = np.rint((THIS_YEAR - 1970 - age) * 365.25).astype(np.int64)
    birth = days_after("1970-01-01", days)
    birth = np.where((kind == _TWINS) & (position == 1), birth[head], birth)
    return _heaped(birth, (kind != _TWINS), rng)


def _heaped(birth: Days, movable: NDArray[np.bool_], rng: Rng) -> Days:
    """Registers have too many births on the last and the first day of a year."""
    year = birth.astype("datetime64[Y]")
    luck = rng.random(len(birth))
    birth = np.where(movable & (luck < 0.010), year.astype("datetime64[D]"), birth)
    last = (year + np.timedelta64(1, "Y")).astype("datetime64[D]") - np.timedelta64(1, "D")
    heaped: Days = np.where(movable & (luck > 0.983), last, birth)
    return heaped


def _names(
    female: NDArray[np.bool_], head: Indices, family: NDArray[np.bool_], rng: Rng
) -> list[Tokens]:
    n = len(female)
    culture = _CULTURES.indices(rng, n)[head]
    makers = (_muslim, _javanese, _batak, _balinese, _chinese, _eastern)
    result: list[Tokens] = [[] for _ in range(n)]
    for number, make in enumerate(makers):
        for woman in (False, True):
            rows = np.flatnonzero((culture == number) & (female == woman))
            made = make(len(rows), woman=woman, rng=rng)
            for row, tokens in zip(rows.tolist(), made, strict=True):
                result[row] = tokens
    # Clan and family names are the head's.
    inherits = family & np.isin(culture, (2, 4, 5))
    for row in np.flatnonzero(inherits).tolist():
        mine, heads = result[row], result[head[row]]
        position = 0 if culture[row] == 4 else -1
        mine[position] = heads[position]
    _rename_namesakes(result, head, rng)
    return result


def _rename_namesakes(people: list[Tokens], head: Indices, rng: Rng) -> None:
    """Nobody names two children alike: give the later one a name more."""
    spare = names()["middle"].draw(rng, len(people))
    for row, first in enumerate(head.tolist()):
        if row != first and people[row] == people[first]:
            people[row] = _without_repeats([spare[row], *people[row]])


def _muslim(n: int, *, woman: bool, rng: Rng) -> list[Tokens]:
    lists = names()
    first = lists["female_first" if woman else "male_first"].draw(rng, n)
    last = lists["female_last" if woman else "male_last"].draw(rng, n)
    middle, fourth = lists["middle"].draw(rng, n), lists["middle"].draw(rng, n)
    length = _LENGTHS.indices(rng, n).tolist()
    rare = lists["rare"].draw(rng, n)
    odd = rng.random((n, 2)).tolist()
    prophet = _MUHAMMAD.draw(rng, n)
    named = (rng.random(n) < _MUHAMMAD_SHARE).tolist()
    result = []
    for i in range(n):
        one = rare[i] if odd[i][0] < _RARE_SHARE else first[i]
        # What the first token does not take, the last one may.
        end = rare[i] if odd[i][1] < _RARE_SHARE <= odd[i][0] else last[i]
        tokens = [one, *[middle[i], fourth[i]][: max(0, length[i] - 1)], end][: length[i] + 1]
        if named[i] and not woman:
            tokens = [prophet[i], *tokens[:3]]
        result.append(_without_repeats(tokens))
    return result


def _javanese(n: int, *, woman: bool, rng: Rng) -> list[Tokens]:
    lists = names()
    rare = lists["rare"].draw(rng, n)
    roots = rng.choice(_JAVANESE_ROOTS.split(), n).tolist()
    endings = rng.choice((_WOMEN_ENDINGS if woman else _MEN_ENDINGS).split(), n).tolist()
    before = lists["female_first" if woman else "male_first"].draw(rng, n)
    after = lists["female_last" if woman else "male_last"].draw(rng, n)
    shape = rng.random(n).tolist()
    result = []
    drawn = zip(roots, endings, before, after, rare, shape, strict=True)
    for root, ending, one, common, odd, luck in drawn:
        joined = root + (ending[1:] if root[-1] == ending[0] else ending)
        other = odd if luck > 0.85 else common
        if luck < 0.35:
            tokens = [joined]
        elif luck < 0.7:
            tokens = [one, joined]
        else:
            tokens = [joined, other]
        result.append(_without_repeats(tokens))
    return result


def _batak(n: int, *, woman: bool, rng: Rng) -> list[Tokens]:
    lists = names()
    first = lists["christian_f" if woman else "christian_m"].draw(rng, n)
    second = lists["female_first" if woman else "male_first"].draw(rng, n)
    clan = lists["marga"].draw(rng, n)
    longer = (rng.random(n) < 0.4).tolist()
    return [
        [a, b, c] if long else [a, c]
        for a, b, c, long in zip(first, second, clan, longer, strict=True)
    ]


def _balinese(n: int, *, woman: bool, rng: Rng) -> list[Tokens]:
    order = _BIRTH_ORDER.draw(rng, n)
    given = names()["balinese_f" if woman else "balinese_m"].draw(rng, n)
    second = names()["rare"].draw(rng, n)
    longer = (rng.random(n) < 0.3).tolist()
    article = "ni" if woman else "i"
    return [
        [article, a, b, c] if long else [article, a, b]
        for a, b, c, long in zip(order, given, second, longer, strict=True)
    ]


def _chinese(n: int, *, woman: bool, rng: Rng) -> list[Tokens]:
    """Chinese names, and Indonesian ones with a Chinese surname behind."""
    lists = names()
    surname = lists["chinese_surname"].draw(rng, n)
    one, two = lists["chinese_given"].draw(rng, n), lists["chinese_given"].draw(rng, n)
    first = lists["christian_f" if woman else "christian_m"].draw(rng, n)
    western = (rng.random(n) < 0.5).tolist()
    return [
        [s, f] if west else _without_repeats([s, a, b])
        for s, a, b, f, west in zip(surname, one, two, first, western, strict=True)
    ]


def _eastern(n: int, *, woman: bool, rng: Rng) -> list[Tokens]:
    lists = names()
    first = lists["christian_f" if woman else "christian_m"].draw(rng, n)
    second = lists["christian_f" if woman else "christian_m"].draw(rng, n)
    clan = lists["eastern"].draw(rng, n)
    longer = (rng.random(n) < 0.5).tolist()
    return [
        _without_repeats([a, b, c] if long else [a, c])
        for a, b, c, long in zip(first, second, clan, longer, strict=True)
    ]


def _without_repeats(tokens: Tokens) -> Tokens:
    return list(dict.fromkeys(tokens))
