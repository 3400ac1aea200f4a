"""One part of a written name, between its commas: which of its pieces are the name.

Parts are read once each: their words are stand-ins (:mod:`.persons`), so nothing of a name is
remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from padan_linkage.normalise.names import titles as t

#: A word after a comma is an unknown title if it is this short and the name has words enough.
SHORT = 3
VOWELS = frozenset("aeiouy")
#: More words before a part than this make no difference.
_ENOUGH = 2


@lru_cache(maxsize=1 << 15)
def read_first_part(tokens: tuple[str, ...], dots: tuple[bool, ...]) -> tuple[bool, list[int]]:
    """Whether Raden stood in front, and the numbers of the pieces that are the name."""
    part = _NamePart(tokens, dots)
    noble, kept = part.strip_front(list(range(len(tokens))))
    return noble, part.strip_behind(kept, after_comma=False)


def read_later_part(
    tokens: tuple[str, ...], dots: tuple[bool, ...], before: Sequence[str]
) -> tuple[list[int], bool]:
    """The pieces of a part after a comma that are the name, and whether all others are known.

    ``before``: the words of the name so far.
    """
    words = sum(len(word) > 1 for word in before)
    long = sum(len(word) > SHORT for word in before)
    return _later_part(tokens, dots, min(words, _ENOUGH), min(long, _ENOUGH))


@lru_cache(maxsize=1 << 15)
def _later_part(
    tokens: tuple[str, ...], dots: tuple[bool, ...], words: int, long: int
) -> tuple[list[int], bool]:
    part = _NamePart(tokens, dots, words, long)
    _, kept = part.strip_front(list(range(len(tokens))))
    kept = part.strip_behind(kept, after_comma=True)
    return kept, not part.guessed


def only_titles(tokens: Sequence[str]) -> bool:
    """``Drs, H``: nothing but titles of the front."""
    return all(token in t.FRONT or token in t.FRONT_SHORT for token in tokens)


class _NamePart:
    """The pieces of one part; methods take and give lists of piece numbers.

    ``words``, ``long``: how many words longer than an initial, and than :data:`SHORT`, the name has
    before this part.
    """

    def __init__(
        self, tokens: tuple[str, ...], dots: tuple[bool, ...], words: int = 0, long: int = 0
    ) -> None:
        self.tokens, self.dots, self.words, self.long = tokens, dots, words, long
        #: Whether a title that is in no table was left out.
        self.guessed = False

    def full(self, pieces: Sequence[int]) -> bool:
        """Whether a word longer than an initial is among the pieces."""
        return any(len(self.tokens[i]) > 1 for i in pieces)

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
        word, dotted = self.tokens[first], self.dots[first]
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

    def strip_behind(self, part: list[int], *, after_comma: bool) -> list[int]:
        """Pieces without the titles behind.

        After a comma a title needs no dot, and nothing need be left over; elsewhere the first piece
        stays, and a title without a dot counts only if it is nobody's name.
        """
        floor = 0 if after_comma else 1
        titled = False
        while len(part) > floor:
            width = self._title_behind(part, floor, after_comma=after_comma, titled=titled)
            if not width:
                break
            part = part[:-width]
            titled = True
        return part

    def _title_behind(self, part: list[int], floor: int, *, after_comma: bool, titled: bool) -> int:
        """How many of the last pieces, but for the first ``floor`` ones, make one title."""
        for count in range(min(t.MOST_PIECES, len(part) - floor), 1, -1):
            tail = part[-count:]
            joined = self._dotted(tail)
            if (
                joined in t.BEHIND
                or (joined and after_comma and count == len(part) and self._unknown_title(tail))
                or self._spaced(tail, part[:-count], after_comma=after_comma)
            ):
                return count
        last, left = part[-1], part[:-1]
        if self.tokens[last] in t.BEHIND_BARE:
            return 1
        follows = self._follows_title(left)
        if self.tokens[last] in t.AMBIGUOUS_TITLES:
            long = self.long + sum(len(self.tokens[i]) > SHORT for i in left)
            likely = long > 1 if self.tokens[last] in t.BEHIND_LONG else False
            enough = after_comma and self.words + self._words(left) > 1
            return int(self.dots[last] or titled or follows or likely or enough)
        if after_comma:
            return int(self._title_after_comma(last, left))
        return int((self.dots[last] or follows) and self.tokens[last] in t.BEHIND)

    def _title_after_comma(self, last: int, left: Sequence[int]) -> bool:
        """Whether a last piece after a comma is a title, known or not."""
        word = self.tokens[last]
        if word in t.BEHIND or word in t.FRONT or word in t.RANKS or word in t.BRANCHES:
            return True
        if word in t.FRONT_SHORT or word in t.FRONT_WITH_DOT:
            return self.dots[last] and self.words + self._words(left) > 0
        unknown = self.words > 1 and self._short_title(word)
        self.guessed |= unknown
        return unknown

    def _unknown_title(self, tail: list[int]) -> bool:
        """``S.Xyz.``: short pieces, every one with a dot, behind a name of two words.

        One that begins with a level of study (S., M.) or with Sp. is a title by its form; after
        Sp. the last dot may be missing.
        """
        short = all(len(self.tokens[i]) <= SHORT for i in tail)
        first = self.tokens[tail[0]]
        dotted = self.dots[tail[-1]] or first == t.SPECIALIST
        unknown = short and self.words > 1 and dotted
        self.guessed |= unknown and first not in t.LEVEL_PIECES
        return unknown

    def _spaced(self, tail: list[int], left: list[int], *, after_comma: bool) -> bool:
        """``S PD``: a title in pieces without dots. Two initials need two whole words before."""
        joined = "".join(self.tokens[i] for i in tail)
        if joined not in t.BEHIND or joined in t.AMBIGUOUS_TITLES:
            return False
        if len(self.tokens[tail[0]]) > SHORT:
            return False
        if after_comma:
            return True
        words = self._words(left)
        if all(len(self.tokens[i]) == 1 for i in tail):
            return words > 1
        return words > 0 and joined in t.BEHIND_BARE

    @staticmethod
    def _short_title(word: str) -> bool:
        short = len(word) <= SHORT or VOWELS.isdisjoint(word)
        return len(word) > 1 and short

    def _words(self, pieces: Sequence[int]) -> int:
        """Number of words longer than an initial."""
        return sum(len(self.tokens[i]) > 1 for i in pieces)

    def _follows_title(self, before: Sequence[int]) -> bool:
        """Whether a title may follow on what is before it: ``Sri S.E.Ak``, but not ``A. Ma``."""
        if len(before) < 2:
            return False
        return self.dots[before[-1]] or self.tokens[before[-1]] in t.BEHIND_BARE

    def _dotted(self, pieces: Sequence[int]) -> str:
        """The pieces as one abbreviation; "" unless each but the last ends with a dot."""
        if all(self.dots[i] for i in pieces[:-1]):
            return "".join(self.tokens[i] for i in pieces)
        return ""
