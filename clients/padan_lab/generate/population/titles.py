"""Degrees, ranks of the learned and of pilgrims, and the ways they are written.

Shares and weights follow the titles counted in one public register of candidates (figures only).
The list is the generator's own; the normaliser has another.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from padan_lab.generate.draw.draws import Bools, Choice, Draws, Ints

#: In the register of candidates: suffix titles, H. or Hj., academic prefixes.
SUFFIX_SHARE, PILGRIM_SHARE, PREFIX_SHARE = 0.52, 0.24, 0.23

_FIRST = {
    "S.H.": 68, "S.E.": 43, "S.T.": 17, "S.Sos.": 15, "S.Pd.": 12, "S.Kom.": 6, "S.Pd.I.": 6,
    "S.Ag.": 5, "S.I.P.": 5, "S.I.Kom.": 4, "S.S.": 4, "S.Si.": 4, "A.Md.": 6, "B.Sc.": 3,
    "S.Psi.": 3, "S.Th.I.": 2, "S.H.I.": 2, "S.P.": 4, "S.Kep.": 3, "S.Pt.": 2, "S.Hut.": 2,
    "S.IP.": 3, "S.Farm.": 2, "S.STP.": 2, "SKM": 2, "B.A.": 2,
}  # fmt: skip
_SECOND = {
    "": 90, "M.H.": 29, "M.M.": 29, "M.Si.": 25, "M.A.": 6, "M.Kn.": 5, "M.Pd.": 8, "M.E.": 4,
    "M.B.A.": 4, "M.A.P.": 2, "M.I.Kom.": 2, "M.T.": 4, "M.Kes.": 3, "M.Kom.": 2, "Ph.D.": 2,
}  # fmt: skip
_ACADEMIC = {"Dr.": 30, "Drs.": 34, "Ir.": 26, "Prof. Dr.": 4, "dr.": 6}
#: The same for a woman.
_FEMALE = {"Drs.": "Dra.", "H.": "Hj."}


@dataclass(frozen=True)
class Titles:
    """Positions in the tables below, int64[n]; 0 is none."""

    front: Ints
    behind: Ints


@cache
def _fronts() -> list[str]:
    """Men's titles, none first, then women's."""
    men = ["", *_ACADEMIC, "H.", *(f"{a} H." for a in _ACADEMIC)]
    women = [" ".join(_FEMALE.get(word, word) for word in text.split(" ")) for text in men]
    return men + women


@cache
def _behinds() -> list[str]:
    pairs = [f"{a}, {b}" if b else a for a in _FIRST for b in _SECOND]
    return ["", *pairs]


def held(people: Ints, female: Bools, draws: Draws) -> Titles:
    """The titles people hold."""
    academic = draws.pick("academic", people, Choice(list(_ACADEMIC.values()))) + 1
    academic = np.where(draws.chance("has academic", people, PREFIX_SHARE), academic, 0)
    pilgrim = draws.chance("pilgrim", people, PILGRIM_SHARE)
    front = academic + pilgrim * (len(_ACADEMIC) + 1) + female * (len(_fronts()) // 2)
    front = np.where((academic == 0) & ~pilgrim, 0, front)
    first = draws.pick("first degree", people, Choice(list(_FIRST.values())))
    second = draws.pick("second degree", people, Choice(list(_SECOND.values())))
    # Whoever is Drs. or Ir. has no bachelor's degree behind as often.
    behind = np.where(
        draws.chance("has degree", people, SUFFIX_SHARE), first * len(_SECOND) + second + 1, 0
    )
    return Titles(front, behind)


def _undotted(text: str) -> str:
    return text.replace(".", "")


def _behind_forms(text: str) -> list[str]:
    """Ways to write what stands behind a name; the first is the usual one."""
    degrees = text.split(", ")
    return [
        f", {text}",
        f", {_undotted(text)}",
        f" {text}",
        f",{','.join(degrees)}",
        f", {', '.join(d.replace('.', '. ').strip() for d in degrees)}",
        f", {text.upper()}",
        f", {', '.join(reversed(degrees))}",
        f", {degrees[0]}",
        f" {_undotted(text).replace(',', '')}",
    ]


def _front_forms(text: str) -> list[str]:
    """Ways to write what stands before a name; the first is the usual one."""
    words = text.split(" ")
    return [
        f"{text} ",
        f"{_undotted(text)} ",
        "".join(words),
        f"{text.upper()} ",
        f"{' '.join(reversed(words))} ",
        f"{words[-1]} ",
    ]


@cache
def _written(side: str) -> tuple[pa.StringArray, int]:
    """All forms of all titles, a title's forms together; and how many forms there are."""
    titles, forms = (_behinds(), _behind_forms) if side == "behind" else (_fronts(), _front_forms)
    width = len(forms("S.H."))
    flat = [form for text in titles for form in (forms(text) if text else [""] * width)]
    return pa.array(flat, pa.string()), width


def written(title: Ints, form: Ints, side: str) -> pa.StringArray:
    """Titles in the given forms; ``side`` is front or behind."""
    texts, width = _written(side)
    return texts.take(pa.array(title * width + form))
