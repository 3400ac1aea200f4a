"""Names of persons: which pieces of a written name are the name, in their order, without titles.

A written name is cut into pieces: runs of letters, lower case, each with marks of what stands
around it (``pieces``). :func:`read_name` decides on the pieces alone. It treats all words that are
in no table alike, so whole columns are read once for each *shape* of a name (``name_columns``).
Spec 12, "Names of persons".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from padan_linkage.normalise import titles as t
from padan_linkage.normalise.outcome import Reason
from padan_linkage.normalise.spelling import AFTER_ANAK_AGUNG, WRITTEN_OUT, head_forms

#: Marks of a piece: a dot or a comma follows; what follows is another name; a slash follows; one
#: small letter in a name with capitals.
DOT, COMMA, CUT, SLASH, SMALL = 1, 2, 4, 8, 16

#: One piece of the result: the number of the piece that it is, or other words.
Item = int | str
Read = list[Item] | Reason

_VOWELS = frozenset("aeiouy")


#: What the rules ask of a word. Words with the same answers and of like length are read alike.
_QUESTIONS: tuple[frozenset[str], ...] = (
    t.FRONT, t.FRONT_SHORT, t.FRONT_WITH_DOT, t.RADEN, t.RADEN_WITH_DOT, t.RADEN_SECOND, t.RANKS,
    t.BRANCHES, t.ALIASES, t.LINKS, t.BEHIND, t.BEHIND_BARE, t.AMBIGUOUS, t.BEHIND_LONG,
    AFTER_ANAK_AGUNG,
)  # fmt: skip
#: Words that the rules look at as themselves.
_ITSELF: tuple[frozenset[str], ...] = (
    t.FRAGMENTS, t.NO_NAME_WORDS, WRITTEN_OUT, frozenset({"al"}),
)  # fmt: skip


#: Words in no table: with a vowel or without, of one repeated letter or not.
_UNKNOWN = {(True, False): "oqxoqx", (False, False): "qxqxqx", (True, True): "oooooo",
            (False, True): "qqqqqq"}  # fmt: skip
#: A word after a comma is an unknown title if it is this short and the name has words enough.
_SHORT = 3


def stand_in(token: str) -> str:
    """A word that :func:`read_name` treats as it treats ``token``."""
    if len(token) == 1 or any(token in words for words in _ITSELF):
        return token
    seen = _seen(token)
    vowel, repeated, length = seen[-3:]
    return _STAND_INS.get(seen) or _UNKNOWN[bool(vowel), bool(repeated)][:length]


def _seen(token: str) -> tuple[int, ...]:
    """All that the rules see of a word."""
    vowel, repeated = not _VOWELS.isdisjoint(token), len(token) > 2 and len(set(token)) == 1
    length = _SHORT if len(token) <= _SHORT else _SHORT + 1
    return *(token in words for words in _QUESTIONS), vowel, repeated, length


_STAND_INS = {
    _seen(word): word
    for word in sorted(frozenset().union(*_QUESTIONS), reverse=True)
    if not any(word in words for words in _ITSELF)
}


@lru_cache(maxsize=1 << 16)
def read_shape(tokens: tuple[str, ...], marks: tuple[int, ...]) -> Read:
    """:func:`read_name` for stand-ins, remembered: a shape holds no word of a name."""
    return read_name(tokens, marks)


def read_name(tokens: Sequence[str], marks: Sequence[int]) -> Read:
    """The pieces that are the name, or the Reason why there is none (no piece at all)."""
    reader = _Reader(tokens, marks)
    parts = reader.parts()
    if not parts:
        return Reason.UNREADABLE
    while len(parts) > 1 and reader.only_titles(parts[0]):
        del parts[0]
    noble, head = reader.strip_front(parts[0])
    core = reader.strip_behind(head, after_comma=False)
    for part in parts[1:]:
        _, rest = reader.strip_front(part)
        core += reader.strip_behind(rest, after_comma=True, before=core)
    if " ".join(tokens[i] for i in core) in t.NO_NAMES or reader.is_filler(core):
        return Reason.FILLER
    linked = [i for n, i in enumerate(core) if not (0 < n < len(core) - 1 and reader.is_link(i))]
    items = head_forms(linked, tokens, [bool(m & DOT) for m in marks])
    return ["r", *items] if noble else items


class _Reader:
    """The pieces of one name; methods take and give lists of piece numbers."""

    def __init__(self, tokens: Sequence[str], marks: Sequence[int]) -> None:
        self.tokens, self.marks = tokens, marks

    def dotted(self, i: int) -> bool:
        return bool(self.marks[i] & DOT)

    def full(self, pieces: Sequence[int]) -> bool:
        """Whether a word longer than an initial is among the pieces."""
        return any(len(self.tokens[i]) > 1 for i in pieces)

    def is_link(self, i: int) -> bool:
        """``bin`` and the like; a lone ``b.`` only where it is written small among capitals."""
        word = self.tokens[i]
        return word in t.LINKS or (word == "b" and self.marks[i] & SMALL > 0)

    def is_filler(self, core: Sequence[int]) -> bool:
        """``xxx``: one letter repeated."""
        word = self.tokens[core[0]] if len(core) == 1 else ""
        return len(word) > 2 and len(set(word)) == 1

    def parts(self) -> list[list[int]]:
        """What stands between commas, up to an alias; kinship by slash (``a/l``) left out."""
        parts: list[list[int]] = [[]]
        i, n = 0, len(self.tokens)
        while i < n:
            if self._kinship(i):
                i += 2
                continue
            width = self._alias(i)
            if width:
                if any(parts):
                    break
                i += width
                continue
            parts[-1].append(i)
            if self.marks[i] & (CUT | SLASH) and i + 1 < n and not self._kinship(i + 1):
                break
            if self.marks[i] & COMMA:
                parts.append([])
            i += 1
        named = [part for part in parts if part]
        # A name that is itself such a word, and no other.
        return named or [list(range(n))][: min(n, 1)]

    def _kinship(self, i: int) -> bool:
        """``a/l``, ``a/p``, ``s/o``, ``d/o``: child of."""
        pair = self.tokens[i : i + 2]
        return bool(self.marks[i] & SLASH) and "/".join(pair) in {"a/l", "a/p", "s/o", "d/o"}

    def _alias(self, i: int) -> int:
        """How many pieces at ``i`` say that another name follows; 0 if none do."""
        word, following = self.tokens[i], self.tokens[i + 1 : i + 3]
        if word in t.ALIASES:
            return 1
        if self.marks[i] & SLASH and (word, *following[:1]) in {("d", "h"), ("d", "a")}:
            return 2
        if (word, *following) == ("a", "k", "a"):
            return 3
        small = 0 < i < len(self.tokens) - 1
        return 1 if small and word == "al" and self.dotted(i) else 0

    def only_titles(self, part: Sequence[int]) -> bool:
        """``Drs, H``: nothing but titles of the front."""
        return all(self.tokens[i] in t.FRONT or self.tokens[i] in t.FRONT_SHORT for i in part)

    def strip_front(self, part: list[int]) -> tuple[bool, list[int]]:
        """Whether a Raden was stripped, and the pieces without titles; the last piece stays."""
        noble = False
        while len(part) > 1:
            count, raden = self._front_title(part)
            if not count:
                break
            noble |= raden
            part = part[count:]
        return noble, part

    def _front_title(self, part: list[int]) -> tuple[int, bool]:
        """Pieces that make one title at the front (0: none), and whether it is Raden."""
        for count in (3, 2):
            joined = self._dotted(part[:count]) if len(part) > count else ""
            if joined and self.full(part[count:]):
                if joined in t.RADEN_PIECES:
                    return count, True
                if joined in t.FRONT_PIECES:
                    return count, False
        word, rest = self.tokens[part[0]], part[1:]
        if word in t.FRONT:
            return 1, False
        return self._front_abbreviation(part[0], rest) if self.full(rest) else (0, False)

    def _front_abbreviation(self, first: int, rest: list[int]) -> tuple[int, bool]:
        """As ``_front_title``, for what is a title only before a whole word."""
        word, dotted = self.tokens[first], self.dotted(first)
        if word in t.RANKS:
            return self._rank([first, *rest]), False
        if word in t.FRONT_SHORT or (dotted and word in t.FRONT_WITH_DOT):
            return 1, False
        if word in t.RADEN or (dotted and word in t.RADEN_WITH_DOT):
            second = self.tokens[rest[0]] in t.RADEN_SECOND and self.full(rest[1:])
            return 1 + second, True
        # R. H. Budi: the R. before another title is Raden, elsewhere it may be an initial.
        raden = word == "r" and len(rest) > 1 and self._front_title(rest)[0] > 0
        return int(raden), raden

    def _rank(self, part: list[int]) -> int:
        count = 1
        while count < len(part) - 1 and self.tokens[part[count]] in t.BRANCHES:
            count += 1
        return count

    def strip_behind(
        self, part: list[int], *, after_comma: bool, before: Sequence[int] = ()
    ) -> list[int]:
        """Pieces without the titles behind.

        After a comma a title needs no dot, and nothing need be left over (``before`` is the name so
        far); elsewhere the first piece stays, and a title without a dot counts only if it is
        nobody's name.
        """
        floor = 0 if after_comma else 1
        titled = False
        end = len(part)
        while end > floor:
            width = self._title_behind(
                part[floor:end], part[:end], after_comma=after_comma, before=before, titled=titled
            )
            if not width:
                break
            end -= width
            titled = True
        return part[:end]

    def _title_behind(
        self,
        loose: list[int],
        part: list[int],
        *,
        after_comma: bool,
        before: Sequence[int],
        titled: bool,
    ) -> int:
        """How many of the last pieces make one title."""
        for count in range(min(t.MOST_PIECES, len(loose)), 1, -1):
            tail = loose[-count:]
            joined = self._dotted(tail)
            if (
                joined in t.BEHIND
                or (joined and after_comma and self._unknown_title(tail, part, before))
                or self._spaced(tail, part[:-count], before, after_comma=after_comma)
            ):
                return count
        last, left = part[-1], part[:-1]
        if self.tokens[last] in t.BEHIND_BARE:
            return 1
        follows = self._follows_title(left)
        if self.tokens[last] in t.AMBIGUOUS:
            shown = self.dotted(last) or titled or follows
            words = self._words(before) + self._words(left)
            long = self.tokens[last] in t.BEHIND_LONG and self._long_words([*before, *left]) > 1
            return int(shown or long or (after_comma and words > 1))
        if after_comma:
            return int(self._title_after_comma(last, left, before))
        return int((self.dotted(last) or follows) and self.tokens[last] in t.BEHIND)

    def _title_after_comma(self, last: int, left: Sequence[int], before: Sequence[int]) -> bool:
        """Whether a last piece after a comma is a title, known or not."""
        word, words = self.tokens[last], self._words(before)
        if word in t.BEHIND or word in t.FRONT or word in t.RANKS or word in t.BRANCHES:
            return True
        if word in t.FRONT_SHORT or word in t.FRONT_WITH_DOT:
            return self.dotted(last) and words + self._words(left) > 0
        return words > 1 and self._short_title(word)

    def _unknown_title(self, tail: list[int], part: list[int], before: Sequence[int]) -> bool:
        """``S.Xyz.``: short pieces, every one with a dot, and nothing else after the comma."""
        return (
            len(tail) == len(part)
            and self._words(before) > 1
            and self.dotted(tail[-1])
            and all(len(self.tokens[i]) <= _SHORT for i in tail)
        )

    def _spaced(
        self, tail: list[int], left: list[int], before: Sequence[int], *, after_comma: bool
    ) -> bool:
        """``S PD``: a title in pieces without dots. Two initials need two whole words before."""
        joined = "".join(self.tokens[i] for i in tail)
        if joined not in t.BEHIND or joined in t.AMBIGUOUS or len(self.tokens[tail[0]]) > _SHORT:
            return False
        if after_comma:
            return True
        initials = all(len(self.tokens[i]) == 1 for i in tail)
        words = self._words(before) + self._words(left)
        return words > 1 if initials else words > 0 and joined in t.BEHIND_BARE

    @staticmethod
    def _short_title(word: str) -> bool:
        short = len(word) <= _SHORT or _VOWELS.isdisjoint(word)
        return len(word) > 1 and short

    def _words(self, pieces: Sequence[int]) -> int:
        """Number of words longer than an initial."""
        return sum(len(self.tokens[i]) > 1 for i in pieces)

    def _long_words(self, pieces: Sequence[int]) -> int:
        return sum(len(self.tokens[i]) > _SHORT for i in pieces)

    def _follows_title(self, before: Sequence[int]) -> bool:
        """Whether a title may follow on what is before it: ``Sri S.E.Ak``, but not ``A. Ma``."""
        if len(before) < 2:
            return False
        return self.dotted(before[-1]) or self.tokens[before[-1]] in t.BEHIND_BARE

    def _dotted(self, pieces: Sequence[int]) -> str:
        """The pieces as one abbreviation; "" unless each but the last ends with a dot."""
        if all(self.dotted(i) for i in pieces[:-1]):
            return "".join(self.tokens[i] for i in pieces)
        return ""
