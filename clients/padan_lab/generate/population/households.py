"""Who lives with whom, and when they were born."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from padan_lab.generate.draw.draws import Choice, Draws, Floats, Ints

Days = NDArray[np.int64]

#: The year in which the generated world stands still.
THIS_YEAR = 2024
#: Days from 1970 to the middle of that year.
TODAY = int((np.datetime64(f"{THIS_YEAR}-07-01") - np.datetime64("1970-01-01")).astype(int))
#: Age from which a civil servant is a pensioner.
PENSION_AGE = 58
ADULT = 18
_OLDEST = 95


class Member(IntEnum):
    """What a person is in the household."""

    HEAD = 0
    SPOUSE = 1
    CHILD = 2
    SIBLING = 3
    TWIN = 4
    PARENT = 5


_H, _S, _C, _B, _T, _P = Member

#: Households of grown-ups alone, as registers of employees know them, with their weights.
_ADULTS = {
    (_H,): 40, (_H, _S): 32, (_H, _S, _C): 12, (_H, _B): 13, (_H, _B, _B): 1.5, (_H, _T): 1.5,
}  # fmt: skip
#: Whole families.
_FAMILIES = {
    (_H,): 8, (_H, _S): 14, (_H, _S, _C): 20, (_H, _S, _C, _C): 20, (_H, _S, _C, _C, _C): 9,
    (_H, _S, _C, _C, _C, _C): 3, (_H, _C): 6, (_H, _C, _C): 4, (_H, _S, _C, _P): 5,
    (_H, _S, _C, _T): 1.2, (_H, _S, _C, _C, _T): 0.6, (_H, _B): 4, (_H, _B, _B): 1, (_H, _T): 0.6,
}  # fmt: skip
#: People are numbered in blocks of so many, each filled with whole households.
_BLOCK = 24
_PATTERNS = 2048


@dataclass(frozen=True)
class Homes:
    """The household of some people, int64[n] each.

    ``head``: number of the household's head; ``place``: 0 for the head, 1 for the next; ``size``;
    ``member``: a ``Member``; ``anchor``: the elder twin's number for a twin, else one's own;
    ``child``: how many children of the household are older; ``couple``: 1 if there is a spouse.
    """

    head: Ints
    place: Ints
    size: Ints
    member: Ints
    anchor: Ints
    child: Ints
    couple: Ints

    @property
    def partner(self) -> Ints:
        """Somebody of the same household, -1 for those who live alone."""
        other = np.where(self.place == 0, self.head + 1, self.head)
        return np.where(self.size > 1, other, -1)


@cache
def _patterns(families: bool) -> dict[str, NDArray[np.int8]]:
    """Ways to fill a block with households: int8[_PATTERNS, _BLOCK] for every column of Homes."""
    kinds = _FAMILIES if families else _ADULTS
    draws = Draws(0, "patterns")
    picks = draws.pick("kind", np.arange(_PATTERNS * _BLOCK), Choice(list(kinds.values())))
    names = ("start", "place", "size", "member", "anchor", "child", "couple")
    tables = {name: np.zeros((_PATTERNS, _BLOCK), dtype=np.int8) for name in names}
    listed = list(kinds)
    for row in range(_PATTERNS):
        at = 0
        for pick in picks[row * _BLOCK : (row + 1) * _BLOCK].tolist():
            if at == _BLOCK:
                break
            # The last household has the room that is left.
            household = listed[pick][: _BLOCK - at]
            _place(tables, row, at, household)
            at += len(household)
    return tables


def _place(
    tables: dict[str, NDArray[np.int8]], row: int, at: int, household: tuple[Member, ...]
) -> None:
    children = 0
    for i, member in enumerate(household):
        twin = member is Member.TWIN
        tables["start"][row, at + i] = at
        tables["place"][row, at + i] = i
        tables["size"][row, at + i] = len(household)
        tables["member"][row, at + i] = member
        tables["anchor"][row, at + i] = at + i - twin
        tables["child"][row, at + i] = children
        tables["couple"][row, at + i] = Member.SPOUSE in household
        children += member in {Member.CHILD, Member.TWIN}


def homes(people: Ints, draws: Draws, *, families: bool) -> Homes:
    """The households of ``people`` (numbers from 0)."""
    block, inner = people // _BLOCK, people % _BLOCK
    pattern = draws.below("pattern", block, _PATTERNS)
    tables = _patterns(families)
    found = {name: table[pattern, inner].astype(np.int64) for name, table in tables.items()}
    base = block * _BLOCK
    return Homes(
        base + found["start"], found["place"], found["size"], found["member"],
        base + found["anchor"], found["child"], found["couple"],
    )  # fmt: skip


@cache
def _quantiles(a: float, b: float) -> Floats:
    """float64[4096]: a beta distribution's quantiles."""
    x = (np.arange(20_000) + 0.5) / 20_000
    mass = np.cumsum(x ** (a - 1) * (1 - x) ** (b - 1))
    found: Floats = np.interp((np.arange(4096) + 0.5) / 4096, mass / mass[-1], x)
    return found


def births(people: Ints, draws: Draws, *, families: bool, retired: float) -> Days:
    """Birth dates in days since 1970; ``retired`` is the share of heads past the pension age."""
    # A twin is born when the elder one is.
    who = homes(people, draws, families=families).anchor
    home = homes(who, draws, families=families)
    age = _head_ages(home.head, draws, retired)
    spouse = age - 3 - 4 * draws.bell("spouse", who)
    child = age - 22 - 8 * draws.share("child", who) - 3.2 * home.child
    apart = (1 + 11 * draws.share("sibling", who)) * np.where(age > 30, -1, 1)
    parent = np.minimum(age + 20 + 8 * draws.share("parent", who), _OLDEST)
    ages = (age, spouse, child, age + apart, age, parent)
    age = np.choose(home.member, ages)
    youngest, room = (0, 3) if families else (ADULT, 12)
    # Not clipped, or all the youngest would share a birthday.
    free = youngest + room * draws.share("free", who)
    age = np.where((age < youngest) | (age > _OLDEST), free, age) + draws.share("day", who)
    return _heaped(np.rint(TODAY - age * 365.2425).astype(np.int64), who, draws)


def _head_ages(head: Ints, draws: Draws, retired: float) -> Floats:
    quantile = (draws.share("head age", head) * 4096).astype(np.int64)
    working = 20 + (PENSION_AGE - 20) * _quantiles(1.6, 1.4)[quantile]
    past = PENSION_AGE + 22 * _quantiles(1.2, 2.5)[quantile]
    return np.where(draws.chance("retired", head, retired), past, working)


def _heaped(days: Days, who: Ints, draws: Draws) -> Days:
    """Registers have too many births on the last and the first day of a year.

    Whoever does not know the day was given one of these, in the NIK too.
    """
    luck = draws.share("heaped", who)
    year = days.astype("datetime64[D]").astype("datetime64[Y]")
    first = year.astype("datetime64[D]").astype(np.int64)
    last = (year + 1).astype("datetime64[D]").astype(np.int64) - 1
    return np.where(luck < 0.010, first, np.where(luck > 0.9825, last, days))
