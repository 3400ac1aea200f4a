"""Tokens that names are made of, and how each may be spelt otherwise.

A name is a row of token numbers (int32, ``SLOTS`` wide, ``NONE`` where empty), so a million names
are changed by indexing. Every token stands in one list together with all its variants; the same
token *glued* to the one before it has a number of its own.

The lists and the spelling families are the generator's own. Nothing of the normaliser is used: a
linker tested on errors drawn from its own rules would only be tested on what it already knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_lab.generate.draw.draws import Bools, Choice, Draws, Ints

Slots = NDArray[np.int32]
#: Forms of a token.
Forms = Callable[[str], list[str]]

#: Tokens a name may have, counting aliases and fathers' names.
SLOTS = 9
NONE = np.int32(-1)

#: Letters that stand for each other, either way round.
_FAMILIES = (
    ("u", "oe"), ("j", "dj"), ("c", "tj"), ("sy", "sj"), ("sy", "s"), ("kh", "ch"), ("kh", "h"),
    ("dz", "z"), ("z", "s"), ("z", "j"), ("f", "p"), ("v", "f"), ("y", "i"), ("ai", "ae"),
    ("d", "dh"), ("t", "th"), ("q", "k"), ("ks", "x"), ("ie", "i"), ("o", "u"), ("e", "i"),
    ("ah", "a"), ("iya", "ia"), ("au", "ao"), ("sh", "s"), ("ny", "ni"), ("k", "c"), ("w", "v"),
)  # fmt: skip
#: The spelling before 1972.
_OLD = (("u", "oe"), ("j", "dj"), ("c", "tj"), ("sy", "sj"), ("ny", "nj"))
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SLIPS = 8

_JAVANESE_ROOTS = (
    "su har pur mar sar war wi mul sul sup sug sut suk sum sun sur bud kus rus ris tri wid juw sid "
    "nar pon kas dar sam tar jum kar sud sis yul has mis pan sol tug wag wij bas"
)
_MEN_ENDINGS = (
    "yanto yono wanto tono wono narto sito di jo min man giyo roto yadi yatno jito giono "
    "naryo tyono darto padi silo wasito"
)
_WOMEN_ENDINGS = (
    "yati yani wati tini ningsih inah iyem narti jiati lastri nah sih yanti arni "
    "tiyah yem kinah lasih wiyati rinah mirah"
)
_PROPHET = {
    "muhammad": 81, "m.": 7, "muhamad": 5, "mohammad": 2, "muh.": 1.6, "moh.": 1.1,
    "mochammad": 0.8, "mohamad": 1.5,
}  # fmt: skip
#: What the prophet's name is shortened or spelt to.
_PROPHET_FORMS = {
    "m.": 30, "muhammad": 25, "moh.": 12, "muh.": 12, "mohammad": 8, "muhamad": 7, "mohd": 1,
    "moch.": 3, "mochamad": 2,
}  # fmt: skip
_BALI_SHORT = {
    "wayan": "wy.", "made": "md.", "nyoman": "nym.", "ketut": "kt.", "gede": "gd.", "putu": "pt.",
    "kadek": "kd.", "komang": "km.", "nengah": "ngh.",
}  # fmt: skip
_NICKNAMES = "bejo ujang asep ucok butet iwan tini jono agus neneng udin yuyun dedi lala cecep"
_PARTICLES = "i ni ida bagus ayu gusti ngurah anak cokorda alias bin binti al d/a"


@dataclass(frozen=True)
class NamePlace:
    """Tokens that may stand in one place of a name, by weight."""

    tokens: NDArray[np.int32]
    choice: Choice

    def draw(self, draws: Draws, label: str, rows: Ints) -> NDArray[np.int32]:
        """A token for each row."""
        return self.tokens[draws.pick(label, rows, self.choice)]


class Vocabulary:
    """All tokens of one kind of names, their roles and their variants.

    ``roles``: weights of the tokens of each role; ``others``: tokens of no role; ``spelt`` and
    ``short`` give a token's other spellings and short forms.
    """

    def __init__(
        self, roles: Mapping[str, Mapping[str, float]], others: Iterable[str], spelt: Forms,
        short: Forms,
    ) -> None:  # fmt: skip
        self._number: dict[str, int] = {}
        self.roles = {name: self._role(weights) for name, weights in roles.items()}
        for token in others:
            self._add(token)
        base = list(self._number)
        #: Tokens before variants were added; only these are misspelt.
        self.base = len(base)
        #: Other spellings, int32[base, few]; NONE where there is none, as in the tables below.
        self.spelt = self._variants(map(spelt, base), 4)
        #: Short forms.
        self.short = self._variants(map(short, base), 8)
        #: The spelling before 1972.
        self.old = self._variants(map(_old, base), 1)
        #: A doubled letter single, or a single one doubled.
        self.doubled = self._variants(map(_doubled, base), 2)
        #: A letter wrong, missing, added or in its neighbour's place.
        self.slipped = self._variants(map(_slipped, base), _SLIPS)
        #: A long token in two.
        self.split = self._variants(map(_split, base), 1)
        tokens = list(self._number)
        #: Texts by number: as first tokens, then, from the middle, with a space in front.
        self.texts = pa.array(tokens + [" " + t for t in tokens], pa.string())

    def number(self, token: str) -> int:
        """The number of a known token."""
        return self._number[token]

    def _add(self, token: str) -> int:
        return self._number.setdefault(token, len(self._number))

    def _role(self, weights: Mapping[str, float]) -> NamePlace:
        numbers = np.array([self._add(t) for t in weights], dtype=np.int32)
        return NamePlace(numbers, Choice(list(weights.values())))

    def _variants(self, forms: Iterable[list[str]], width: int) -> Slots:
        """int32[base, width]: each base token's forms, repeated to fill the row."""
        none = [int(NONE)] * width
        numbered = ([self._add(form) for form in found] for found in forms)
        rows = [(numbers * width)[:width] if numbers else none for numbers in numbered]
        return np.array(rows, dtype=np.int32).reshape(self.base, width)

    def rendered(self, slots: Slots) -> pa.StringArray:
        """The names as text in lower case; glued tokens have ``GLUE`` added to their numbers."""
        half = len(self.texts) // 2
        parts = []
        for i in range(slots.shape[1]):
            column = slots[:, i]
            empty = column < 0
            if i and empty.all():
                continue
            glued = column >= GLUE
            number = np.where(glued, column - GLUE, column + (half if i else 0))
            parts.append(self.texts.take(pa.array(number, mask=empty)))
        return pc.binary_join_element_wise(*parts, "", null_handling="skip")


#: Added to a token's number where no space comes before it.
GLUE = np.int32(1 << 24)


@cache
def vocabulary() -> Vocabulary:
    """What Indonesian people are called."""
    others = (*_BALI_SHORT.values(), *_PARTICLES.split())
    return Vocabulary(_role_weights(), others, respelt, _short)


@cache
def prophets() -> Bools:
    """bool[base]: spellings of Muhammad."""
    words = vocabulary()
    result = np.zeros(words.base, dtype=bool)
    result[[words.number(token) for token in _PROPHET]] = True
    return result


@cache
def name_roles() -> dict[str, dict[str, float]]:
    """Tokens of Indonesian names by role, with their weights."""
    roles: dict[str, dict[str, float]] = {}
    for line in data_lines("names.txt"):
        head, _, entries = line.partition(":")
        # Rare tokens stand together by weight, "rare_f 60:"; others have their own, "nur=28700".
        role, _, weight = head.partition(" ")
        pairs = (entry.partition("=") for entry in entries.split())
        found = {token: float(own or weight) for token, _, own in pairs}
        roles[role] = roles.get(role, {}) | found
    return roles


def _role_weights() -> dict[str, dict[str, float]]:
    roles = dict(name_roles())
    roles["prophet"] = dict(_PROPHET)
    roles["prophet_forms"] = dict(_PROPHET_FORMS)
    roles["javanese_m"] = dict.fromkeys(_composed(_MEN_ENDINGS), 1.0)
    roles["javanese_f"] = dict.fromkeys(_composed(_WOMEN_ENDINGS), 1.0)
    roles["nicknames"] = dict.fromkeys(_NICKNAMES.split(), 1.0)
    roles["order_1"] = {"wayan": 22, "putu": 14, "gede": 6}
    roles["order_2"] = {"made": 20, "kadek": 14, "nengah": 3}
    roles["order_3"] = {"nyoman": 9, "komang": 8}
    roles["order_4"] = {"ketut": 1}
    return roles


def data_lines(name: str) -> list[str]:
    """Lines of a data file, without comments."""
    text = files("padan_lab.generate").joinpath("data", name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _composed(endings: str) -> list[str]:
    """Javanese names: a root and an ending, a letter that meets itself written once."""
    return [
        root + (ending[1:] if root[-1] == ending[0] else ending)
        for root in _JAVANESE_ROOTS.split()
        for ending in endings.split()
    ]


def _spread(forms: list[str], count: int) -> list[str]:
    """At most ``count`` of the forms, evenly spread over the list."""
    distinct = list(dict.fromkeys(forms))
    if len(distinct) <= count:
        return distinct
    return [distinct[i * len(distinct) // count] for i in range(count)]


def respelt(token: str) -> list[str]:
    """Spellings of a token by the families of letters."""
    if len(token) < 4 or "." in token:
        return []
    forms = [
        token.replace(a, b, 1)
        for pair in _FAMILIES
        for a, b in (pair, pair[::-1])
        if a in token and (len(b) < 2 or b not in token)
    ]
    return _spread(forms, 4)


def _old(token: str) -> list[str]:
    for new, old in _OLD:
        if new in token and old not in token and len(token) > 4:
            return [token.replace(new, old)]
    return []


def _doubled(token: str) -> list[str]:
    if len(token) < 3 or "." in token:
        return []
    for at in range(1, len(token)):
        if token[at] == token[at - 1]:
            return [token[:at] + token[at + 1 :]]
    inner = range(2, max(3, len(token)))
    return _spread([token[:at] + token[at - 1] + token[at:] for at in inner], 2)


def _slipped(token: str) -> list[str]:
    """Slips at places all over the token; which letters depends on the token alone."""
    if "." in token or len(token) < 3:
        return []
    forms = []
    for i in range(_SLIPS):
        at = (i * len(token)) // _SLIPS
        other = _LETTERS[(ord(token[at]) * 7 + i * 5 + len(token)) % 26]
        ends = (
            other + token[at + 1 :],
            token[at + 1 :],
            other + token[at:],
            token[at + 1 : at + 2] + token[at] + token[at + 2 :],
        )
        form = token[:at] + ends[(i + len(token)) % 4]
        forms.append(form if form != token else token + other)
    return forms


def _short(token: str) -> list[str]:
    if token in _PROPHET:
        return [form for form in _PROPHET_FORMS if form != token]
    if token in _BALI_SHORT:
        return [_BALI_SHORT[token]]
    return [token[0] + "."] if len(token) > 2 else []


def _split(token: str) -> list[str]:
    if len(token) < 8:
        return []
    vowels = [i for i in range(3, len(token) - 3) if token[i - 1] in "aiueo"]
    at = vowels[0] if vowels else 4
    return [f"{token[:at]} {token[at:]}"]
