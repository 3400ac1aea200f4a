"""How dates go wrong. A date is an int64 of days since 1970."""

from __future__ import annotations

import numpy as np

from padan_lab.generate.draw.cells import Cells
from padan_lab.generate.draw.draws import Choice, Draws, Ints
from padan_lab.generate.draw.pen import Pen
from padan_lab.generate.population.date_texts import FORMS, ISO, USUAL, date_texts
from padan_lab.generate.population.households import Days
from padan_lab.generate.population.identifiers import days_of, parts
from padan_lab.generate.rates import DATE_PARTS

_PARTS = tuple(DATE_PARTS)
_WRONG_PART = Choice(list(DATE_PARTS.values()))
_MIXED = Choice([28, 18, 14, 22, 8, 10])


def written_dates(true: Days, corrected: Days, pen: Pen) -> Cells:
    """The dates of a side: ``true``, or where it differs ``corrected``; then wrong, then missing.

    A corrected date is what both sides hold, other than what the NIK was issued with.
    """
    keys, rates, style, draws = pen.keys, pen.rates, pen.style, pen.draws
    usual = ISO if style.iso else USUAL
    cells = Cells(date_texts(true, usual))
    rows = np.flatnonzero(corrected != true)
    cells.put(rows, date_texts(corrected[rows], usual), "date.corrected")
    days = corrected.copy()
    rows = np.flatnonzero(draws.chance("wrong", keys, rates.date_wrong))
    kinds = draws.pick("part", keys[rows], _WRONG_PART)
    for number, part in enumerate(_PARTS):
        chosen = rows[kinds == number]
        days[chosen] = _spoilt(part, days[chosen], draws, keys[chosen])
        cells.put(chosen, date_texts(days[chosen], usual), f"date.{part}")
    rows = np.flatnonzero(draws.chance("mixed", keys, style.dates_mixed))
    forms = 2 + draws.pick("form", keys[rows], _MIXED)
    for form in range(2, len(FORMS)):
        chosen = rows[forms == form]
        cells.put(chosen, date_texts(days[chosen], form), "date.format")
    rows = np.flatnonzero(draws.chance("missing", keys, rates.date_missing))
    cells.blank(rows, "date.missing")
    return cells


def _spoilt(part: str, days: Days, draws: Draws, keys: Ints) -> Days:
    """Dates with a part wrong; still days that exist, and none as it was."""
    year, month, day = parts(days)
    if part in {"day", "two", "all"}:
        day = (day - 1 + 1 + draws.below("other day", keys, 26)) % 28 + 1
    if part in {"year", "two", "all"}:
        year += np.array([-10, -2, -1, 1, 2, 10, -9, 9])[draws.below("other year", keys, 8)]
    if part in {"month", "all"}:
        month = (month + draws.below("other month", keys, 11)) % 12 + 1
    if part == "swap":
        possible = (day <= 12) & (day != month)
        month, day = np.where(possible, day, month), np.where(possible, month, day)
        day = np.where(possible, day, day % 28 + 1)
    # A birth that would be in the future, and a day beyond the month's end.
    year = np.minimum(year, 2024)
    return days_of(year, month, np.where(day > 28, np.minimum(day, _lengths(year, month)), day))


def _lengths(year: Ints, month: Ints) -> Ints:
    """Days of the months."""
    first = days_of(year, month, np.ones_like(year))
    following = days_of(year + month // 12, month % 12 + 1, np.ones_like(year))
    return following - first
