"""Spellings that are one: the reform of 1972, the Muhammad family, abbreviations.

Only what is the same name written otherwise belongs here, because equality is decided on the
result. What merely sounds alike is in ``phonetic``.
"""

from __future__ import annotations

import re

from padan_linkage.normalise.latin import words

#: Names from elsewhere in which ``oe`` is no old ``u``.
_KEEP_OE = words(
    "joe joel joey joelle zoe zoey chloe noel noelle noella noelia phoebe moe doe roe boer"
)
_OLD_Y = re.compile(r"^j|(?<=[bghklmprsw])j")

_MUHAMMAD = re.compile(r"^m(?:u|o|ou)(?:h|kh|ch|k|hk)h?am+[aeu]?[dt]h?$")
_MUHAMMAD_SHORT = frozenset({"moh", "muh", "moch", "much", "mohd", "muhd", "mhd", "mohm", "mhmd"})
#: Short for Muhammad only at the head of a name, before a whole token (not in M.T. Haryono).
_MUHAMMAD_HEAD = frozenset({"m", "md"})
_ANYWHERE = {"abd": "abdul", "abdl": "abdul"}
#: Abbreviations at the head of a name: Siti in Sulawesi.
_HEAD = {"st": "siti", "stt": "siti"}
#: Abbreviations after the Balinese I or Ni.
_BALINESE = {
    "wy": "wayan", "wyn": "wayan", "md": "made", "kt": "ketut", "ktt": "ketut", "nym": "nyoman",
    "nyo": "nyoman", "kd": "kadek", "kdk": "kadek", "km": "komang", "kmg": "komang", "gd": "gede",
    "gde": "gede", "pt": "putu", "ptu": "putu", "gst": "gusti", "lh": "luh",
}  # fmt: skip
#: Child of: they link two names and are often left out.
LINKS = frozenset({"bin", "binti", "binte", "bte", "bt"})


def modern(token: str) -> str:
    """The token in the spelling of 1972: oe to u, dj to j, tj to c, sj to sy, nj at the head to ny.

    A ``j`` at the head or after another consonant was the old ``y`` if the token shows old spelling
    elsewhere (Joesoef, Soerjadi); between vowels it may be either (Soejono, Soedjono) and stays.
    """
    if token in _KEEP_OE:
        return token
    old = token
    if "j" in token:
        token = token.replace("dj", "\x00").replace("tj", "c").replace("sj", "sy")
        if token.startswith("nj"):
            token = "ny" + token[2:]
        if token != old or "oe" in token:
            token = _OLD_Y.sub("y", token)
        token = token.replace("\x00", "j")
    return token.replace("oe", "u") if "oe" in token else token


def token_form(token: str) -> str:
    """One name token in its one spelling, wherever in the name it stands."""
    token = modern(token)
    if token[0] == "m" and (token in _MUHAMMAD_SHORT or _MUHAMMAD.match(token)):
        return "muhammad"
    return _ANYWHERE.get(token, token)


def head_forms(tokens: list[str]) -> list[str]:
    """Abbreviations that mean something only at the head of a name of several tokens."""
    if len(tokens) == 1:
        return tokens
    first, second, *rest = tokens
    if first in {"i", "ni"}:
        return [first, _BALINESE.get(second, second), *rest]
    if first in _MUHAMMAD_HEAD and len(second) > 1:
        return ["muhammad", second, *rest]
    return [_HEAD.get(first, first), second, *rest]
