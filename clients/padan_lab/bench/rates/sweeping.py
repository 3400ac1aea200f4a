"""Recall and wrong answers over sizes, overlaps and copies: does an answer depend on any of them?

A point is a size of list and registry, a share of the list that is registered, a share of the
registry that is copies. Lists are pooled, over as many registries as it takes, until enough
registered people were asked about.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median

import numpy as np
import pyarrow as pa

from padan_lab.bench.rates.in_process import PublishedHere
from padan_lab.demo.registries import in_words
from padan_lab.generate import Level, Making, flow_plan
from padan_linkage.agreement import Flow
from padan_linkage.answering.outcomes import MATCHED, OUTCOME_WORDS, QUARANTINED

#: Of a registry's people so many at most are asked about; the rest may be named twice.
_MOST_ASKED = 0.8
_BATCH = 1 << 16


@dataclass(frozen=True)
class Point:
    """Rows of list and registry, share of the list that is registered, share of copies."""

    listed: int
    registry: int
    overlap: float
    copies: float

    @property
    def registered(self) -> float:
        """Registered people of one list."""
        return self.listed * self.overlap

    @property
    def possible(self) -> bool:
        """Whether anybody is asked about, and the registry has so many."""
        return 0 < self.registered <= self.registry * _MOST_ASKED


@dataclass
class Pooled:
    """What came of the lists of a point, by outcome: ``registered`` people and ``strangers``."""

    point: Point
    registered: Counter[str]
    strangers: Counter[str]
    right: int = 0
    lists: int = 0
    registries: int = 0

    @classmethod
    def empty(cls, point: Point) -> Pooled:
        """Nothing yet."""
        return cls(point, Counter(), Counter())

    @property
    def recall(self) -> float:
        """Share of the registered people who got their code."""
        return self.right / max(1, self.registered.total())

    @property
    def wrong_per_stranger(self) -> float:
        """Share of the asked strangers who got a code."""
        asked = self.strangers.total() - self.strangers[OUTCOME_WORDS[QUARANTINED]]
        return self.strangers[OUTCOME_WORDS[MATCHED]] / max(1, asked)

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "list": self.point.listed,
            "registry": self.point.registry,
            "overlap": self.point.overlap,
            "copies": self.point.copies,
            "recall": round(self.recall, 4),
            "wrong_per_stranger": round(self.wrong_per_stranger, 6),
            "lists": self.lists,
            "registries": self.registries,
            "registered": dict(self.registered),
            "strangers": dict(self.strangers),
        }


def points(
    sizes: Sequence[tuple[int, int]], overlaps: Sequence[float], copies: Sequence[float]
) -> list[Point]:
    """Every point that there can be."""
    every = product(sizes, overlaps, copies)
    return [p for (a, b), o, c in every if (p := Point(a, b, o, c)).possible]


def steadiness(pooled: Sequence[Pooled]) -> dict[str, dict[str, float]]:
    """By rows of the registry: the recalls' median, and how far the points lie from it at most."""
    by_size: dict[int, list[float]] = {}
    for each in pooled:
        by_size.setdefault(each.point.registry, []).append(each.recall)
    return {
        f"{size:,}": {
            "median": round(median(recalls), 4),
            "lowest": round(min(recalls), 4),
            "highest": round(max(recalls), 4),
            "off": round(max(abs(r - median(recalls)) for r in recalls), 4),
        }
        for size, recalls in by_size.items()
    }


@dataclass(frozen=True)
class Limits:
    """How much is measured: registered people a point, or else so many lists; seed and threads."""

    pool: int
    most_lists: int
    seed: int
    threads: int


def measure(flow: Flow, point: Point, limits: Limits) -> Pooled:
    """Ask lists of this point until enough registered people were asked about."""
    found = Pooled.empty(point)
    while wanted := _lists(point, found, limits):
        made = Making(
            flow_plan(in_words(flow)),
            point.registry,
            wanted * point.listed,
            round(wanted * point.registered),
            seed=_seed(limits.seed, point, found.registries),
            level=Level.REAL,
            copies=point.copies,
        )
        _ask_all(flow, made, found, limits)
    return found


def _lists(point: Point, found: Pooled, limits: Limits) -> int:
    """How many lists are asked against the next registry; 0 when it is enough."""
    wanted = math.ceil((limits.pool - found.registered.total()) / point.registered)
    most = int(point.registry * _MOST_ASKED / point.registered)
    return max(0, min(wanted, most, limits.most_lists - found.lists))


def _seed(seed: int, point: Point, number: int) -> int:
    """Other people for every registry, the same whenever it is measured."""
    return (seed * 1_000_003 + number) * 1_000_003 + point.registry


def _ask_all(flow: Flow, made: Making, found: Pooled, limits: Limits) -> None:
    """Publish one registry and ask all its lists."""
    registry = pa.concat_tables(b.table for b in made.registry(_BATCH)).combine_chunks()
    listed = pa.concat_tables(b.table for b in made.list(_BATCH)).combine_chunks()
    right = _right_codes(flow, registry, made)
    seed = f"{limits.seed} {found.point} {found.registries}"
    published = PublishedHere.of(flow, registry, seed, limits.threads)
    found.registries += 1
    for begin in range(0, listed.num_rows, found.point.listed):
        rows = listed.slice(begin, found.point.listed)
        _count(found, published, rows, right[begin : begin + rows.num_rows])


def _count(
    found: Pooled, published: PublishedHere, rows: pa.Table, right: Sequence[frozenset[int]]
) -> None:
    asked, answers = published.ask(rows)
    outcome = np.full(rows.num_rows, QUARANTINED, np.uint8)
    code = np.zeros(rows.num_rows, np.uint64)
    outcome[asked.usable], code[asked.usable] = answers.outcome, answers.code
    found.lists += 1
    for said, mask, wanted in zip(outcome.tolist(), code.tolist(), right, strict=True):
        (found.registered if wanted else found.strangers)[OUTCOME_WORDS[said]] += 1
        found.right += said == MATCHED and mask in wanted


def _right_codes(flow: Flow, registry: pa.Table, made: Making) -> list[frozenset[int]]:
    """By row of all lists, the code masks that are right; none for a stranger."""
    masks = np.zeros(registry.num_rows, np.uint64)
    for name, codes in flow.registry.items():
        bits = {value: 1 << flow.code_index(code) for value, code in codes.items()}
        values = registry[name].to_pylist()
        masks |= np.array([bits.get(value, 0) for value in values], np.uint64)
    right: list[frozenset[int]] = [frozenset()] * made.listed
    for row, place in _pairs(made):
        right[place] |= {int(masks[row])}
    return right


def _pairs(made: Making) -> Iterator[tuple[int, int]]:
    yield from map(tuple, made.seating.pairs.tolist())
