"""Corrections of cover people's values: of the same kind and size as people's are.

What became of a person's value is done to a cover person's: as many characters of a word, a part of
a date, a word more or less, another value, none. Spec: ``proto/spec/11-cover.md``, "Changes".
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TypeAlias

from padan_linkage.crypto.randomness import Drbg
from padan_linkage.normalise.normalised import DOUBT
from padan_linkage.schema import Kind

#: A value of which more than this share of characters is another is another value.
_ALIKE = 0.5
KEPT, REPLACED, LEFT_OUT, PUT_IN = range(4)
#: What is done, at which character of the old value, and which one is put there.
Step: TypeAlias = tuple[int, int, str]
_BLOCK = 1024
_WIDE = 1 << 40
_MONTHS = 12
#: Kinds of few values, of which no part is corrected.
_WHOLE = frozenset({Kind.SEX, Kind.NATIONALITY, Kind.KBLI})


@dataclass
class Dice:
    """Small random numbers, one at a time."""

    drbg: Drbg
    _kept: list[int] = field(default_factory=list)

    def __repr__(self) -> str:
        return "Dice(…)"

    def below(self, bound: int) -> int:
        """0 … bound − 1; uneven by less than bound / 2⁴⁰."""
        if not self._kept:
            self._kept = self.drbg.integers(_BLOCK, _WIDE).tolist()
        return self._kept.pop() % bound


@dataclass(frozen=True, repr=False)
class Correction:
    """What was done to a person's value: ``old`` became ``new``."""

    kind: Kind
    old: str
    new: str

    def done_to(self, value: str, donor: str, dice: Dice) -> str:
        """The same done to ``value``; ``donor``: somebody's value.

        Where nothing like it can be done to ``value``, it becomes the donor's.
        """
        if self.old == self.new:
            return value
        made = self._bare(value.removeprefix(DOUBT), donor.removeprefix(DOUBT), dice)
        doubtful = self.new.startswith(DOUBT)
        if self.old.startswith(DOUBT) == doubtful:
            doubtful = value.startswith(DOUBT)
        return DOUBT + made if doubtful and made else made

    @cached_property
    def _texts(self) -> tuple[str, str]:
        return self.old.removeprefix(DOUBT), self.new.removeprefix(DOUBT)

    @cached_property
    def _steps(self) -> list[Step]:
        return _fewest_steps(*self._texts)

    def _bare(self, value: str, donor: str, dice: Dice) -> str:
        old, new = self._texts
        if old == new or not new:
            return value if new else ""
        if not old or not value or self.kind in _WHOLE:
            return donor
        if self.kind is Kind.DATE:
            return _date(old, new, value, dice) or donor
        by_words = _words(old, new, value, donor, dice)
        if by_words:
            return by_words
        if sum(1 for tag, _, _ in self._steps if tag != KEPT) > _ALIKE * len(old):
            return donor
        return _characters(self._steps, len(old), value, dice) or donor


def _date(old: str, new: str, value: str, dice: Dice) -> str:
    """The same parts moved as far, to either side; "" where one of the three is no date."""
    try:
        was, now, here = (date.fromisoformat(text) for text in (old, new, value))
    except ValueError:
        return ""
    if (was.month, was.day) == (now.day, now.month) and here.day <= _MONTHS:
        month, day = here.day, here.month
    else:
        month = (here.month - 1 + now.month - was.month) % 12 + 1
        day = here.day if now.day == was.day else (here.day - 1 + now.day - was.day) % 28 + 1
    year = here.year + (now.year - was.year) * (1 if dice.below(2) else -1)
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return date(min(max(year, 1), 9999), month, 28).isoformat()


def _words(old: str, new: str, value: str, donor: str, dice: Dice) -> str:
    """Whole words moved, added or left out; "" where that is not what was done, or cannot be."""
    was, now, mine = old.split(), new.split(), value.split()
    if len(was) < 2 and len(now) < 2:
        return ""
    if sorted(was) == sorted(now):
        if len(mine) < 2:
            return ""
        step = 1 + dice.below(len(mine) - 1)
        return " ".join(mine[step:] + mine[:step])
    lacking = [w for w in was if w not in now]
    added = [w for w in now if w not in was]
    if added and not lacking:
        words = donor.split()
        more = [words[dice.below(len(words))] for _ in added] if words else []
        at = round(now.index(added[0]) / len(now) * len(mine))
        return " ".join(mine[:at] + more + mine[at:])
    if lacking and not added:
        at = round(was.index(lacking[0]) / len(was) * len(mine))
        rest = mine[:at] + mine[at + len(lacking) :]
        return " ".join(rest or mine[:1]) if rest else ""
    return ""


def _fewest_steps(old: str, new: str) -> list[Step]:
    """How ``old`` becomes ``new`` by the fewest characters (Levenshtein 1966), from the end on."""
    away = [
        [i + j if not i or not j else 0 for j in range(len(new) + 1)] for i in range(len(old) + 1)
    ]
    for i, was in enumerate(old, 1):
        for j, now in enumerate(new, 1):
            beside = min(away[i - 1][j], away[i][j - 1]) + 1
            away[i][j] = min(beside, away[i - 1][j - 1] + (was != now))
    steps: list[Step] = []
    i, j = len(old), len(new)
    while i or j:
        here = away[i][j]
        if i and j and here == away[i - 1][j - 1] + (old[i - 1] != new[j - 1]):
            i, j = i - 1, j - 1
            steps.append((KEPT if old[i] == new[j] else REPLACED, i, new[j]))
        elif i and here == away[i - 1][j] + 1:
            i -= 1
            steps.append((LEFT_OUT, i, ""))
        else:
            j -= 1
            steps.append((PUT_IN, i, new[j]))
    return steps


def _characters(steps: list[Step], length: int, value: str, dice: Dice) -> str:
    """As many characters left out, put in and replaced, at like places; "" if that is nothing."""
    made = list(value)
    for tag, place, put in steps:
        if tag == KEPT:
            continue
        at = place if length == len(value) else round(place / length * len(value))
        at = min(at, len(made) - (tag != PUT_IN))
        if at < 0:
            return ""
        gone = made[at] if at < len(made) else ""
        if tag == PUT_IN:
            made.insert(at, _other(put, "", dice))
        elif tag == LEFT_OUT:
            del made[at]
        else:
            made[at] = _other(put, gone, dice)
    text = " ".join("".join(made).split())
    return "" if text == value else text


def _other(put: str, gone: str, dice: Dice) -> str:
    """Another character than ``gone``, of the class of what was put in."""
    if not put.isalnum():
        return put
    letters = string.ascii_uppercase if put.isupper() else string.ascii_lowercase
    choice = (string.digits if put.isdigit() else letters).replace(gone or " ", "")
    return choice[dice.below(len(choice))]


def fresh_number(value: str, dice: Dice) -> str:
    """A number of the same form with four other digits at its end (or all digits, if fewer)."""
    places = [i for i, c in enumerate(value) if c.isdigit()][-4:]
    made = list(value)
    for place in places:
        made[place] = string.digits[dice.below(10)]
    return "".join(made)
