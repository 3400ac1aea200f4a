"""Weighted draws, and the word lists that generated people are made of.

The lists are the generator's own. Nothing of the normaliser is used here or in the noise: a linker
tested on errors drawn from its own rules would only be tested on what it already knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Indices = NDArray[np.int64]


class Weighted:
    """Values with weights; ``draw`` takes them with replacement."""

    def __init__(self, values: Sequence[str], weights: Sequence[float]) -> None:
        self._values = np.array(values, dtype=object)
        self._cumulative = np.cumsum(np.array(weights, dtype=float))

    def indices(self, rng: Rng, n: int) -> Indices:
        """``n`` drawn positions."""
        points = rng.random(n) * self._cumulative[-1]
        drawn: Indices = np.searchsorted(self._cumulative, points, side="right").astype(np.int64)
        return drawn

    def draw(self, rng: Rng, n: int) -> list[str]:
        """``n`` drawn values."""
        drawn: list[str] = self._values[self.indices(rng, n)].tolist()
        return drawn


@dataclass(frozen=True)
class District:
    """A kabupaten or kota: code (4 digits), number of sub-districts, name."""

    code: int
    subdistricts: int
    name: str


@cache
def names() -> dict[str, Weighted]:
    """Name tokens by role."""
    result = {}
    for line in _lines("names.txt"):
        role, _, entries = line.partition(":")
        pairs = [entry.split("=") for entry in entries.split()]
        result[role] = Weighted([token for token, _ in pairs], [float(w) for _, w in pairs])
    return result


@cache
def districts() -> tuple[list[District], Weighted]:
    """The districts, and a draw over their positions as strings by population."""
    rows = [line.split(" ", 3) for line in _lines("districts.txt")]
    listed = [District(int(code), _count(subs), name) for code, subs, _, name in rows]
    return listed, Weighted([d.name for d in listed], [float(weight) for _, _, weight, _ in rows])


@cache
def company_words() -> dict[str, tuple[Weighted, dict[str, str]]]:
    """Words of company names by role, with their short or varied forms."""
    result = {}
    for line in _lines("companies.txt"):
        role, _, entries = line.partition(":")
        words, weights, short = [], [], {}
        for entry in entries.split():
            head, _, other = entry.partition("/")
            word, _, weight = head.partition("=")
            words.append(word)
            weights.append(float(weight))
            if other:
                short[word] = other
        result[role] = (Weighted(words, weights), short)
    return result


@dataclass(frozen=True)
class Nation:
    """Names of one country's foreigners; a token's spellings stand in one tuple."""

    code: str
    share: float
    pattern: str
    men: list[tuple[str, ...]]
    women: list[tuple[str, ...]]
    surnames: list[tuple[str, ...]]


@cache
def nations() -> list[Nation]:
    """The countries that generated foreigners come from."""
    result = []
    for line in _lines("foreigners.txt"):
        head, *lists = line.split("|")
        code, share, pattern = head.split()
        men, women, surnames = ([tuple(t.split("/")) for t in part.split()] for part in lists)
        result.append(Nation(code, float(share), pattern, men, women, surnames))
    return result


def _lines(name: str) -> list[str]:
    text = files("padan_client.generate").joinpath("data", name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _count(ranges: str) -> int:
    """How many numbers ``1-3,7`` stands for."""
    bounds = (part.partition("-") for part in ranges.split(","))
    return sum(int(high or low) - int(low) + 1 for low, _, high in bounds)
