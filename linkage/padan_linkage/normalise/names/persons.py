"""Names of persons: which pieces of a written name are the name, in their order, without titles.

A written name is cut into pieces: runs of letters, lower case, each with marks of what stands
around it (:mod:`.pieces`). :func:`read_name` decides on the pieces alone. It treats all words that
are in no table alike, so whole columns are read once for each *shape* of a name
(:mod:`.name_columns`). Spec 12, "Names of persons".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from padan_linkage.normalise.names import titles as t
from padan_linkage.normalise.names.name_parts import (
    SHORT,
    VOWELS,
    only_titles,
    read_first_part,
    read_later_part,
)
from padan_linkage.normalise.names.spelling import AFTER_ANAK_AGUNG, WRITTEN_OUT, head_forms
from padan_linkage.normalise.normalised import Fault

#: Marks of a piece: a dot or a comma follows; what follows is another name; a slash follows; one
#: small letter in a name with capitals.
DOT, COMMA, CUT, SLASH, SMALL = 1, 2, 4, 8, 16

#: One piece of the result: the number of the piece that it is, or other words.
Item = int | str


@dataclass(frozen=True)
class NameRead:
    """``items`` are the name; ``reason``: why it is none, or why it is doubtful."""

    items: Sequence[Item]
    reason: Fault | None = None


#: Words with which an alias may begin.
_ALIAS_WORDS = t.ALIASES | {"al", "a"}


#: What the rules ask of a word. Words with the same answers and of like length are read alike.
_QUESTIONS: tuple[frozenset[str], ...] = (
    t.FRONT, t.FRONT_SHORT, t.FRONT_WITH_DOT, t.RADEN, t.RADEN_WITH_DOT, t.RADEN_SECOND, t.RANKS,
    t.BRANCHES, t.ALIASES, t.LINKS, t.BEHIND, t.BEHIND_BARE, t.AMBIGUOUS_TITLES, t.BEHIND_LONG,
    AFTER_ANAK_AGUNG,
)  # fmt: skip
#: Words that the rules look at as themselves.
_ITSELF: tuple[frozenset[str], ...] = (
    t.FRAGMENTS, t.NO_NAME_WORDS, WRITTEN_OUT, frozenset({"al"}),
)  # fmt: skip


#: Words in no table: with a vowel or without, of one repeated letter or not.
_UNKNOWN = {(True, False): "oqxoqx", (False, False): "qxqxqx", (True, True): "oooooo",
            (False, True): "qqqqqq"}  # fmt: skip


def stand_in(token: str) -> str:
    """A word that :func:`read_name` treats as it treats ``token``."""
    if len(token) == 1 or any(token in words for words in _ITSELF):
        return token
    seen = _seen(token)
    vowel, repeated, length = seen[-3:]
    return _STAND_INS.get(seen) or _UNKNOWN[bool(vowel), bool(repeated)][:length]


def _seen(token: str) -> tuple[int, ...]:
    """All that the rules see of a word."""
    vowel, repeated = not VOWELS.isdisjoint(token), len(token) > 2 and len(set(token)) == 1
    length = SHORT if len(token) <= SHORT else SHORT + 1
    return *(token in words for words in _QUESTIONS), vowel, repeated, length


_STAND_INS = {
    _seen(word): word
    for word in sorted(frozenset().union(*_QUESTIONS), reverse=True)
    if not any(word in words for words in _ITSELF)
}


@lru_cache(maxsize=1 << 16)
def read_shape(tokens: tuple[str, ...], marks: tuple[int, ...]) -> NameRead:
    """:func:`read_name` of stand-ins, remembered: they hold no word of a name."""
    return read_name(tokens, marks)


def read_name(tokens: Sequence[str], marks: Sequence[int]) -> NameRead:
    """The pieces that are the name.

    Doubtful where another name or an unknown title was left out, or nothing but titles is there.
    """
    parts, whole = _parts(tokens, marks)
    if not parts:
        return NameRead([], Fault.UNREADABLE)
    words = [tuple(tokens[i] for i in part) for part in parts]
    dots = [tuple(bool(marks[i] & DOT) for i in part) for part in parts]
    first = next((n for n in range(len(parts) - 1) if not only_titles(words[n])), len(parts) - 1)
    noble, kept = read_first_part(words[first], dots[first])
    core = [parts[first][i] for i in kept]
    for n in range(first + 1, len(parts)):
        kept, known = read_later_part(words[n], dots[n], [tokens[i] for i in core])
        core += [parts[n][i] for i in kept]
        whole &= known
    whole &= len(core) > 1 or len(tokens) == 1 or not only_titles([tokens[i] for i in core])
    if " ".join(tokens[i] for i in core) in t.NO_NAMES or _is_filler([tokens[i] for i in core]):
        return NameRead([], Fault.FILLER)
    ends = {core[0], core[-1]}
    linked = [i for i in core if i in ends or not _is_link(tokens[i], marks[i])]
    items = head_forms(linked, tokens, [bool(m & DOT) for m in marks])
    return NameRead(["r", *items] if noble else items, None if whole else Fault.PARTLY_READ)


def _is_link(word: str, mark: int) -> bool:
    """``bin`` and the like; a lone ``b.`` only where it is written small among capitals."""
    return word in t.LINKS or (word == "b" and mark & SMALL > 0)


def _is_filler(words: Sequence[str]) -> bool:
    """``xxx``: one letter repeated."""
    return len(words) == 1 and len(words[0]) > 2 and len(set(words[0])) == 1


def _parts(tokens: Sequence[str], marks: Sequence[int]) -> tuple[list[list[int]], bool]:
    """What stands between commas, up to an alias; kinship by slash (``a/l``) left out.

    And whether that is all: False where another name follows.
    """
    parts: list[list[int]] = [[]]
    i, n, cut = 0, len(tokens), False
    plain = _ALIAS_WORDS.isdisjoint(tokens) and not any(m & (CUT | SLASH) for m in marks)
    while i < n:
        width = 0 if plain else _left_out(tokens, marks, i)
        if width < 0:
            if any(parts):
                cut = True
                break
            width = -width
        if width:
            i += width
            continue
        parts[-1].append(i)
        if marks[i] & (CUT | SLASH) and i + 1 < n and not _kinship(tokens, marks, i + 1):
            cut = "".join(tokens[i + 1 :]) not in t.BEHIND
            break
        if marks[i] & COMMA:
            parts.append([])
        i += 1
    named = [part for part in parts if part]
    if not named:  # a name that is itself such a word, and no other
        return [list(range(n))][: min(n, 1)], n == 1
    return named, not cut


def _left_out(tokens: Sequence[str], marks: Sequence[int], i: int) -> int:
    """How many pieces at ``i`` are no part of the name; negative if another name follows them."""
    if _kinship(tokens, marks, i):
        return 2
    word, following = tokens[i], tuple(tokens[i + 1 : i + 3])
    if word in t.ALIASES:
        return -1
    if marks[i] & SLASH and (word, *following[:1]) in {("d", "h"), ("d", "a")}:
        return -2
    if (word, *following) == ("a", "k", "a"):
        return -3
    inside = 0 < i < len(tokens) - 1
    return -1 if inside and word == "al" and marks[i] & DOT else 0


def _kinship(tokens: Sequence[str], marks: Sequence[int], i: int) -> bool:
    """``a/l``, ``a/p``, ``s/o``, ``d/o``: child of."""
    return bool(marks[i] & SLASH) and "/".join(tokens[i : i + 2]) in {"a/l", "a/p", "s/o", "d/o"}
