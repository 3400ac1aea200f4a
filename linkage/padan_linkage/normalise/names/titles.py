"""Titles, degrees, ranks and honorifics: the sets that :mod:`.persons` asks.

From ``data/titles.txt``: letters only, lower case, without dots: ``S.Pd.`` stands here as ``spd``.
"""

from __future__ import annotations

from padan_linkage.normalise.facts import table
from padan_linkage.normalise.latin import words

_TABLE = table("titles.txt")
#: What a level of study puts before its fields: S.Kom., M.Kom., S.Tr.Kom., M.Tr.Kom., A.Md.Kom.
_LEVELS = {"S": ("s",), "M": ("m",), "T": ("str", "mtr"), "A": ("amd",)}


def _section(name: str) -> frozenset[str]:
    return frozenset(_TABLE[name])


FRONT = _section("front")
FRONT_SHORT = _section("front-short")
FRONT_WITH_DOT = _section("front-dot")
FRONT_PIECES = _section("front-pieces")
HAJI_GLUED = _TABLE["haji-glued"]
HAJI_GLUED_WITH_DOT = _TABLE["haji-glued-dot"]
RADEN = _section("raden")
RADEN_WITH_DOT = _section("raden-dot")
RADEN_PIECES = _section("raden-pieces")
RADEN_SECOND = _section("raden-second")
RANKS = _section("ranks")
BRANCHES = _section("branches")
ALIASES = _section("aliases")
LINKS = _section("links")
NO_NAMES = _section("no-name")


def _degrees() -> dict[str, str]:
    """Every degree with its sign, as ``titles.txt`` explains them; "" needs a dot or a comma."""
    signs: dict[str, str] = {}
    for field, meaning in _TABLE["fields"].items():
        for level in meaning.rpartition(":")[2].split():
            for prefix in _LEVELS[level[0]]:
                signs[prefix + field] = level[1:]
    for key in _TABLE["degrees"]:
        signs[key.lstrip("+?=")] = key[0] if key[0] in "+?=" else ""
    return signs


_SIGNS = _degrees()
#: Behind a name, where a dot or a comma shows that it is a title.
BEHIND = frozenset(_SIGNS)
#: Behind a name even without a dot or a comma: none of these is anybody's name.
BEHIND_BARE = frozenset(title for title, sign in _SIGNS.items() if sign == "+")
#: Titles whose letters are names too.
AMBIGUOUS_TITLES = frozenset(title for title, sign in _SIGNS.items() if sign and sign in "?=")
#: Those that are likelier a title behind a long name.
BEHIND_LONG = frozenset(title for title, sign in _SIGNS.items() if sign == "=")
#: First pieces, with a dot, of what is a title whatever field is behind it: S., M., Sp.
SPECIALIST = "sp"
LEVEL_PIECES = frozenset({SPECIALIST, "s", "m", "str", "mtr"})
#: Most pieces that one title is written in: ``S. Tr. Keb.``, ``Sp. O. G. (K)``.
MOST_PIECES = 5
#: What may stand in front of a dot inside a title.
_FIRST_PIECES = words("s m a b d f c l st sp str mtr amd ph th ed pd tr sos md")


def _fragments() -> frozenset[str]:
    """Whatever may be a piece of a title behind a name: ``pd`` and ``i`` of S.Pd.I."""
    found: set[str] = set(_FIRST_PIECES)
    new = set(BEHIND)
    while new:
        new = {
            title[len(first) :]
            for title in new
            for first in _FIRST_PIECES
            if title.startswith(first) and len(title) > len(first)
        } - found
        found |= new
    return frozenset(found)


FRAGMENTS = _fragments()

#: Every word of ``NO_NAMES``.
NO_NAME_WORDS = frozenset(word for phrase in NO_NAMES for word in phrase.split(" "))
