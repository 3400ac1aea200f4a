"""One table against itself: which of its rows are the same record.

There are no strangers to learn from here, every pair may be a duplicate. So u is freed and the
two-part mixture of the pairs past the screen is taken apart from the shipped priors (Fellegi and
Sunter 1969 with EM). Spec: ``proto/spec/35-matching.md``, "One table".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.calibration import Calibration, Survivors, from_strangers, priors
from padan_linkage.matching.exact import token_words
from padan_linkage.matching.features import LEVELS, SURE_LEVEL, Plan
from padan_linkage.matching.result import Estimate, check_table
from padan_linkage.matching.sides import Runner, Screen
from padan_linkage.matching.similar import Registry, survivors
from padan_linkage.matching.strangers import Float, counts_by_level, mostly_alike
from padan_linkage.matching.threshold import floor_of
from padan_linkage.policy import MatchPolicy
from padan_linkage.schema import Pass, Schema
from padan_linkage.tables import PassTable

#: Rows sharing one token beyond this are no duplicates but a value that says nothing.
MOST_ALIKE = 50
#: Rounds of EM.
ROUNDS = 15
#: Weight of the shipped m: in pairs at least, and of the pairs believed; and even odds.
LEAST_PRIOR, PRIOR_SHARE, HALF = 50.0, 0.25, 0.5


@dataclass(frozen=True, repr=False)
class WithinResult:
    """Pairs of rows above the threshold, each once: int64[k] with row_a < row_b, scores in nats."""

    row_a: NDArray[np.int64]
    row_b: NDArray[np.int64]
    score: NDArray[np.float32]
    estimate: Estimate


def link_within(
    schema: Schema, p: Pass, table: PassTable, policy: MatchPolicy, *, threads: int = 1
) -> WithinResult:
    """All pairs of ``table`` (a provider's) that this pass takes for the same record."""
    check_table(schema, p, table, as_provider=True)
    if not p.similar:
        return _same_token(table)
    registry = Registry.of(p, table)
    screen = Screen.of(registry.plan, registry.side)
    rows = np.arange(len(table), dtype=np.int64)
    runner = Runner(threads=threads)
    found = survivors(registry, table, rows, screen, runner, same_table=True)
    calibration, score = _take_apart(registry.plan, found, screen.cut)
    asking = found.asking[found.row]
    once = asking < found.other
    order = np.flatnonzero(once)[np.argsort(-score[once], kind="stable")]
    wrong = np.cumsum(1 / (1 + np.exp(np.clip(score[order], -60, 60))))
    number = np.arange(1, len(order) + 1)
    good = (score[order] >= floor_of(policy)) & (1 - wrong / number >= policy.min_precision)
    last = int(np.flatnonzero(good)[-1]) + 1 if good.any() else 0
    chosen = order[:last]
    threshold = float(score[order[last - 1]]) if last else math.inf
    likely = float((1 / (1 + np.exp(np.clip(-score[order], -60, 60)))).sum())
    right = last - float(wrong[last - 1]) if last else 0.0
    return WithinResult(
        row_a=asking[chosen],
        row_b=found.other[chosen],
        score=score[chosen].astype(np.float32),
        estimate=Estimate(
            precision=right / last if last else None,
            recall=min(1.0, right / likely) if likely > 0 else None,
            threshold=threshold,
            method="within",
            match_rate=None,
            pairs=registry.compared(registry.side),
            calibration=replace(calibration, threshold=threshold),
        ),
    )


def _take_apart(plan: Plan, found: Survivors, cut: float) -> tuple[Calibration, Float]:
    """Strangers are first the pairs that are not mostly alike; m and the number of matches by EM.

    Nothing but the prior says how often a match differs in a field: strangers who share all the
    others would pass for matches with errors. So the prior keeps its share of m.
    """
    level = found.levels[:, : plan.segments]
    alike, unlike = level < SURE_LEVEL, (level >= SURE_LEVEL) & (level < LEVELS)
    right = mostly_alike(alike.sum(axis=1), unlike.sum(axis=1)).astype(np.float64)
    prior_m, _ = priors(plan)
    now = from_strangers(plan, found.without(right > HALF), cut, matches_among=True)
    strangers = now.expected_strangers(found)
    for _ in range(ROUNDS):
        number = float(right.sum())
        m = counts_by_level(found.levels, right) + max(LEAST_PRIOR, PRIOR_SHARE * number) * prior_m
        rate = (number + 0.5) / (found.rows + 1)
        now = replace(now, m=_normal(m), match_rate=rate / (1 + rate), method="within")
        score = now.score(found, strangers)
        right = 1 / (1 + np.exp(np.clip(-score, -60, 60)))
    return now, score


def _normal(counts: Float) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, (counts / counts.sum(axis=1, keepdims=True)).tolist()))


def _same_token(table: PassTable) -> WithinResult:
    """Every two rows of one token, unless very many share it."""
    _, number, counts = np.unique(
        token_words(table), axis=0, return_inverse=True, return_counts=True
    )
    number = number.reshape(-1)
    shared = np.flatnonzero((counts[number] > 1) & (counts[number] <= MOST_ALIKE))
    groups: dict[int, list[int]] = {}
    for row in shared.tolist():
        groups.setdefault(int(number[row]), []).append(row)
    pairs = [(a, b) for rows in groups.values() for i, a in enumerate(rows) for b in rows[i + 1 :]]
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return WithinResult(
        row_a=ends[:, 0],
        row_b=ends[:, 1],
        score=np.zeros(len(ends), np.float32),
        estimate=Estimate(None, None, 0.0, "tokens", None, len(table)),
    )
