"""The two hardening profiles as data: how every segment is made, and what a match must be worth.

``ketat`` (strict, the default of agreements) and ``seimbang`` (balanced) both sit on the measured
frontier of re-identified share against quality (spec 15). These figures stand here alone: whoever
proposes a schema takes them from here, and whoever measures attacks changes them here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.schema import Kind, Segment


class ProfileName(StrEnum):
    """The profiles by the name that users write."""

    KETAT = "ketat"
    SEIMBANG = "seimbang"


@dataclass(frozen=True)
class Hardening:
    """How a segment is made: length m in bits, constant weight T, diffusion t."""

    bits: int
    weight: int
    diffusion: int

    def segment(self, *fields: str, group: str | None = None) -> Segment:
        """A segment over ``fields``."""
        return Segment(
            fields=fields,
            bits=self.bits,
            weight=self.weight,
            diffusion=self.diffusion,
            group=group,
        )


@dataclass(frozen=True)
class Profile:
    """One point of the frontier.

    ``filters``: passes may compare by likeness, which an agreement has to accept by name; without,
    all are exact. ``presence``: a mask tells which segments are empty; without it they are random
    bits. ``most_alike``: largest mean number of registry rows that may share the exact fields of a
    pass with a filter before the advisor asks for one more field. ``policy``: what a rehearsal asks
    for.
    """

    name: ProfileName
    filters: bool
    presence: bool
    decoy_share: float
    names: Hardening
    dates: Hardening
    codes: Hardening
    others: Hardening
    most_alike: float
    policy: MatchPolicy

    def hardening(self, kind: Kind) -> Hardening:
        """How a segment of a field of ``kind`` is made."""
        if kind in {Kind.PERSON_NAME, Kind.COMPANY_NAME}:
            return self.names
        if kind is Kind.DATE:
            return self.dates
        return self.others if kind in WORDY_KINDS else self.codes


#: Kinds of several words: places, addresses, texts. The rest are numbers and codes.
WORDY_KINDS = frozenset({Kind.PLACE, Kind.ADDRESS, Kind.TEXT, Kind.EMAIL})

_NAMES = Hardening(bits=512, weight=150, diffusion=12)
_NAMES_BALANCED = Hardening(bits=512, weight=100, diffusion=10)
_DATES = Hardening(bits=512, weight=200, diffusion=16)
#: Numbers of people born on one day in one district differ in few digits.
_CODES = Hardening(bits=512, weight=200, diffusion=16)
#: Long values have many q-grams: fewer bits for each would fall below the linter's strength.
_OTHERS = Hardening(bits=512, weight=150, diffusion=10)

PROFILES = {
    ProfileName.KETAT: Profile(
        name=ProfileName.KETAT,
        filters=False,
        presence=False,
        decoy_share=0.25,
        names=_NAMES,
        dates=_DATES,
        codes=_CODES,
        others=_OTHERS,
        most_alike=12.0,
        policy=MatchPolicy(min_precision=0.99),
    ),
    ProfileName.SEIMBANG: Profile(
        name=ProfileName.SEIMBANG,
        filters=True,
        presence=True,
        decoy_share=0.25,
        names=_NAMES_BALANCED,
        dates=_DATES,
        codes=_CODES,
        others=_OTHERS,
        most_alike=12.0,
        policy=MatchPolicy(min_precision=0.99),
    ),
}
