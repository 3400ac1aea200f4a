"""Half decades: how rare words of a name and places are in a registry. Spec 60, "Rarity"."""

from __future__ import annotations

from padan_linkage.schema import Kind

#: Kinds whose words are a name's, and a place's.
NAMES = frozenset({Kind.PERSON_NAME, Kind.COMPANY_NAME})
PLACES = frozenset({Kind.PLACE, Kind.ADDRESS})

#: 0 is one in a hundred or commoner, 8 is rarer than one in 316,000.
RAREST = 8
#: Shares of the registry below which the half decades 1 to 8 are.
SHARES = tuple(10.0 ** (-2 - n / 2) for n in range(RAREST))


def commonest(level: int) -> float:
    """The largest share of a registry that has words of such a half decade, or rarer ones."""
    return 1.0 if level <= 0 else SHARES[min(level, RAREST) - 1]
