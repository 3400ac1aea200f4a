"""How often what goes wrong, and where the figures come from.

``REAL`` reproduces what was measured. Three sources: 551 pairs of the same people in two public
registers (names, titles, birth dates, birthplaces, religion); an audit of one national file of 97
million people (NIK); a list of 970,000 names. What nobody measured is a guess and marked so.

A pair's two sides differ if either is wrong, so the measured rates are shared out: most errors are
in the requester's list, a few in the registry.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

#: Of 32 birth dates that differed: day, year, month, two parts, all, day for month.
DATE_PARTS = {"day": 14, "year": 9, "month": 3, "two": 3, "all": 2, "swap": 1}


class Level(StrEnum):
    """How much goes wrong."""

    CLEAN = "clean"
    REAL = "real"
    X3 = "x3"


@dataclass(frozen=True)
class Rates:
    """Shares of one side's cells (or rows) that are wrong.

    Numbers: ``*_broken`` can be seen to be wrong, ``*_mistyped`` cannot. Contacts are addresses,
    phones and the like. ``duplicate``: rows that stand in the file twice. ``deceased``: rows of
    people who have died.
    """

    nik_missing: float = 0
    nik_broken: float = 0
    nik_mistyped: float = 0
    nik_swapped: float = 0
    nik_duplicate: float = 0
    number_missing: float = 0
    number_broken: float = 0
    number_mistyped: float = 0
    number_unheld: float = 0
    name_changed: float = 0
    name_father: float = 0
    prophet_changed: float = 0
    name_truncated: float = 0
    date_wrong: float = 0
    date_missing: float = 0
    date_corrected: float = 0
    place_other: float = 0
    religion_other: float = 0
    flag_wrong: float = 0
    flag_missing: float = 0
    contact_missing: float = 0
    contact_other: float = 0
    passport_former: float = 0
    foreign_changed: float = 0
    company_changed: float = 0
    branch: float = 0
    duplicate: float = 0
    deceased: float = 0

    def at(self, level: Level) -> Rates:
        """None at ``clean``, three times as much at ``x3``; at most nine in ten."""
        factor = {Level.CLEAN: 0, Level.REAL: 1, Level.X3: 3}[level]
        scaled = {f.name: min(0.9, factor * getattr(self, f.name)) for f in fields(self)}
        return Rates(**scaled)


@dataclass(frozen=True)
class Style:
    """How a side writes; not errors, and not tripled.

    ``titled``: shares of the names with titles that are written with them (None: all, in every
    level), ``retitled``: titles written otherwise than usual. ``iso``: dates as YYYY-MM-DD, else
    DD-MM-YYYY. The rest are shares of cells in another form than the side's usual one.
    """

    titled: float | None = 0
    retitled: float = 0
    untitled: float = 0
    upper: bool = False
    other_case: float = 0
    iso: bool = True
    dates_mixed: float = 0
    ranked: float = 0
    written: float = 0

    def at(self, level: Level) -> Style:
        """At ``clean`` nothing is in another form than the usual one."""
        if level is not Level.CLEAN:
            return self
        return Style(titled=None if self.titled is None else 0, upper=self.upper, iso=self.iso)


#: A registry that is looked after. The sums with LIST are the measured rates.
REGISTRY = Rates(
    nik_missing=0.005, nik_broken=0.003, nik_mistyped=0.002, nik_swapped=0.0005,
    nik_duplicate=0.001, number_missing=0.005, number_broken=0.003, number_mistyped=0.002,
    number_unheld=0.1, passport_former=0.005, name_changed=0.012, name_father=0.0002,
    name_truncated=0.002, date_wrong=0.005, date_missing=0.001, date_corrected=0.01,
    place_other=0.02, religion_other=0.02, flag_wrong=0.001, flag_missing=0.002,
    contact_missing=0.1, contact_other=0.02, foreign_changed=0.04, company_changed=0.03,
    branch=0.01, duplicate=0.001, deceased=0.0024,
)  # fmt: skip
#: A list put together from application forms. Invalid NIK, 11.2 %: broken, mistyped, another's.
LIST = Rates(
    nik_missing=0.02, nik_broken=0.088, nik_mistyped=0.018, nik_swapped=0.004, nik_duplicate=0.002,
    number_missing=0.03, number_broken=0.03, number_mistyped=0.012, number_unheld=0.3,
    passport_former=0.05, name_changed=0.103, name_father=0.003, prophet_changed=0.16,
    name_truncated=0.004, date_wrong=0.0565, date_missing=0.047, date_corrected=0.01,
    place_other=0.18, religion_other=0.2, flag_wrong=0.006, flag_missing=0.015,
    contact_missing=0.3, contact_other=0.15, foreign_changed=0.3, company_changed=0.25,
    branch=0.03, duplicate=0.004, deceased=0.0024,
)  # fmt: skip
REGISTRY_STYLE = Style(upper=True, other_case=0.05, ranked=0.05, written=0.05)
LIST_STYLE = Style(
    titled=0.24, other_case=0.3, iso=False, dates_mixed=0.1, ranked=0.15, written=0.5
)  # fmt: skip

#: Public registers: names with their titles, half of a pair's raw names alike.
TITLED_REGISTRY_STYLE = Style(titled=None, retitled=0.1, upper=True, other_case=0.01, ranked=0.01)
TITLED_LIST_STYLE = Style(
    titled=None, retitled=0.42, untitled=0.42, upper=True, other_case=0.01, iso=False,
    dates_mixed=0.3, ranked=0.01,
)  # fmt: skip
