"""Spellings that are one: the reforms of 1947 and 1972, the Muhammad family, abbreviations.

Only what is the same name written otherwise belongs here, because equality is decided on the
result. What merely sounds alike is in :mod:`.phonetic`. Tables: ``data/spellings.txt``; spec 12,
"Names of persons".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from padan_linkage.normalise.facts import table
from padan_linkage.normalise.names import titles

_TABLE = table("spellings.txt")
_ANYWHERE, _BEFORE, _HEAD = _TABLE["anywhere"], _TABLE["before"], _TABLE["head"]
_HEAD_WITH_DOT, _HEAD_PIECES = _TABLE["head-dot"], _TABLE["head-pieces"]
_BALINESE = _TABLE["balinese"]
_OLD_Y_NAMES, _KEEP_OE = _TABLE["old-y"], _TABLE["keep-oe"]

_OLD_Y = re.compile(r"^j|(?<=[bghklmprsw])j")

_MUHAMMAD = re.compile(r"^m(?:u|o|ou)(?:h|kh|ch|k|hk)h?am+[aeu]?[dt]h?$")
_MUHAMMAD_SHORT = frozenset({"moh", "muh", "moch", "much", "mohd", "muhd", "mhd", "mohm", "mhmd"})
_AHMAD = re.compile(r"^a(?:h|ch|kh|hh|chh)m+[ae][dt]h?$")
#: Abdul and what follows in one word: Abdulkadir; Abdurrahman, where the l has become an r.
_ABDUL = re.compile(r"^abdul(?!l?[aio]h)(?=.{4})(.+)$")
_ABDUR = re.compile(r"^abdu([dnrstz])\1?(.{3,})$")
#: The Balinese mark of sex and a word of birth order in one word: Iwayan.
_I_NI = re.compile(r"^(i|ni)((?:wayan|made|nyoman|ketut|gede|putu|kadek|komang|gusti|dewa|luh).*)$")

AFTER_ANAK_AGUNG = frozenset(_TABLE["after-anak-agung"])
#: Words that :func:`head_forms` writes out or looks for.
WRITTEN_OUT = frozenset().union(
    _ANYWHERE, _BEFORE, _HEAD, _HEAD_WITH_DOT, _BALINESE, titles.HAJI_GLUED,
    titles.HAJI_GLUED_WITH_DOT, {"ni", "aa", "gusti"},
)  # fmt: skip


def modern(token: str) -> str:
    """The token in the spelling of 1972: oe to u, dj to j, tj to c, sj to sy, nj at the head to ny.

    A ``j`` at the head or after another consonant was the old ``y`` if the token shows old spelling
    elsewhere (Joesoef, Soerjadi). Between vowels it was one beside ``dj`` or ``tj`` (Widjaja); else
    it may be either (Soejono, Soedjono) and stays.
    """
    if token in _KEEP_OE:
        return token
    if token in _OLD_Y_NAMES:
        return _OLD_Y_NAMES[token]
    old = token
    if "j" in token:
        token = token.replace("dj", "\x00").replace("tj", "c")
        between_vowels = token != old
        token = token.replace("sj", "sy")
        if token.startswith("nj"):
            token = "ny" + token[2:]
        if between_vowels:
            token = token.replace("j", "y")
        elif token != old or "oe" in token:
            token = _OLD_Y.sub("y", token)
        token = token.replace("\x00", "j")
    return token.replace("oe", "u") if "oe" in token else token


def token_form(token: str) -> str:
    """One name token in its one spelling, wherever in the name it stands; may be several words."""
    token = modern(token)
    if token[0] == "m" and (token in _MUHAMMAD_SHORT or _MUHAMMAD.match(token)):
        return "muhammad"
    if token[0] == "a":
        if _AHMAD.match(token):
            return "ahmad"
        if found := _ABDUL.match(token):
            return f"abdul {found[1]}"
        if found := _ABDUR.match(token):
            return f"abdul {found[1]}{found[2]}"
    elif found := _I_NI.match(token):
        return f"{found[1]} {found[2]}"
    return token


def head_forms(
    pieces: Sequence[int], tokens: Sequence[str], dotted: Sequence[bool]
) -> list[int | str]:
    """Abbreviations that mean something by what stands beside them, written out.

    ``pieces`` are numbers of ``tokens``; the result has them, and words in place of some.
    """
    items: list[int | str] = list(pieces)
    if len(items) == 1:
        return items
    words = [tokens[i] for i in pieces]
    dots = [dotted[i] for i in pieces]
    for n, word in enumerate(words):
        if word in _ANYWHERE:
            items[n] = _ANYWHERE[word]
        elif word in _BEFORE and n + 1 < len(words):
            items[n] = _BEFORE[word]
    if _balinese(words, dots, items):
        return items
    written_out, count = _head(words, dots)
    return [written_out, *items[count:]] if count else items


def _balinese(words: list[str], dots: list[bool], items: list[int | str]) -> bool:
    """Write out the abbreviations behind I, Ni and Gusti; whether there was one of these."""
    if words[0] not in {"i", "ni", "gusti", "gst"} or words[:2] == ["i", "b"]:
        return False
    for n, word in enumerate(words[1:-1], 1):
        if word not in _BALINESE and word not in AFTER_ANAK_AGUNG:
            break
        items[n] = _BALINESE.get(word, items[n])
    return not (words[0] == "i" and dots[0] and len(words[1]) == 1)


def _head(words: list[str], dots: list[bool]) -> tuple[str, int]:
    """What the abbreviation at the head of a name stands for, and its pieces; ("", 0): none."""
    first, second = words[0], words[1]
    third = words[2] if len(words) > 2 else ""
    if first == second == "a" and third in AFTER_ANAK_AGUNG:
        return "anak agung", 2
    if first == "aa" and second in AFTER_ANAK_AGUNG:
        return "anak agung", 1
    if len(second) == 1:
        pair = first + second if dots[0] and len(first) == 1 and len(third) > 1 else ""
        return (_HEAD_PIECES[pair], 2) if pair in _HEAD_PIECES else ("", 0)
    with_dot: tuple[dict[str, str], ...] = ()
    if dots[0]:
        balinese = {} if second in _BALINESE else _BALINESE
        with_dot = (titles.HAJI_GLUED_WITH_DOT, _HEAD_WITH_DOT, balinese)
    for known in (titles.HAJI_GLUED, _HEAD, *with_dot):
        if first in known:
            return known[first], 1
    return "", 0
