"""Passes with a filter: calibrate on samples, then score every row and keep the best.

Spec: ``proto/spec/35-matching.md``, "Calibration" and "Outcomes".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED
from padan_linkage.matching.directory import Directory
from padan_linkage.matching.pair_features import compare
from padan_linkage.matching.result import PassResult, Scoring, bands, confirmations
from padan_linkage.matching.scoring.calibration import Calibration, Survivors, from_strangers
from padan_linkage.matching.scoring.duplicates import likely_duplicates, without_duplicates
from padan_linkage.matching.scoring.features import FeaturePlan, levels_of
from padan_linkage.matching.scoring.fitting import fit
from padan_linkage.matching.scoring.strangers import Float
from padan_linkage.matching.scoring.threshold import ChosenThreshold, draw, draw_without_list
from padan_linkage.matching.sides import (
    FilterSide,
    Screen,
    Sweep,
    SweepRunner,
    filter_words,
    frozen,
    presence_mask,
)
from padan_linkage.matching.streaming import KeptRanges, sweep_ranges
from padan_linkage.policy import MatchPolicy
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable

#: Rows of the list and of the registry that calibration looks at.
SAMPLE_LIST, SAMPLE_DECOYS = 100_000, 500_000
#: Survivors held in memory for calibration; beyond it the sample is thinned.
MOST_SURVIVORS = 1_000_000
#: Fewer pairs of strangers past the screen than this say little of what strangers look like.
LEAST_SURVIVORS = 30
#: So many rows or fewer are asked of their own buckets alone.
FEW = 1_000
#: Candidates of each row that are ranked by the full score; the sweep finds them by an average one.
KEEP = 4
#: Candidates that are measured again in one piece.
BLOCK = 50_000


@dataclass(frozen=True, repr=False)
class SortedRegistry:
    """The provider's side of a pass with a filter, sorted, and the screen that goes with it."""

    table: PassTable
    p: Pass
    plan: FeaturePlan
    side: FilterSide

    @classmethod
    def of(cls, p: Pass, table: PassTable, directory: Directory | None = None) -> SortedRegistry:
        """Sort ``table`` by bucket, unless a ``directory`` says how it is sorted."""
        plan = FeaturePlan.of(p, presence=table.layout.presence > 0)
        side = directory.side(table) if directory else FilterSide.of(table, 1 << p.bucket_bits)
        return cls(table, p, plan, side)

    def side_of(self, table: PassTable, rows: NDArray[np.int64] | None = None) -> FilterSide:
        """The side of rows to be asked."""
        return FilterSide.of(table, 1 << self.p.bucket_bits, rows)

    def meeting(self, listed: PassTable) -> tuple[FilterSide, FilterSide]:
        """Provider's and requester's side of the buckets in which any row of ``listed`` lies.

        For a few rows the buckets are numbered anew, so that nothing is done for all the others.
        """
        if len(listed) > FEW:
            return self.side, self.side_of(listed)
        if len(listed) == 1:
            return self._meeting_one(listed)
        keys = np.ascontiguousarray(listed.columns["keys"]).view("<u2").reshape(-1)
        used, place = np.unique(keys, return_inverse=True)
        used = used[used < len(self.side.start) - 1].astype(np.int64)
        begins, ends = self.side.start[used], self.side.start[used + 1]
        near = [self.side.order[a:b] for a, b in zip(begins, ends, strict=True)]
        provider = replace(
            self.side,
            order=frozen(np.concatenate([*near, np.zeros(0, np.int64)])),
            start=frozen(np.concatenate([[0], np.cumsum(ends - begins)]).astype(np.int64)),
        )
        return provider, FilterSide.sorted(listed, place.reshape(-1), len(used))

    def _meeting_one(self, listed: PassTable) -> tuple[FilterSide, FilterSide]:
        """As :meth:`meeting` for the one row that most questions have."""
        bucket = int(np.ascontiguousarray(listed.columns["keys"]).view("<u2")[0, 0])
        begin = end = 0
        if bucket < len(self.side.start) - 1:
            begin, end = self.side.start[bucket : bucket + 2].tolist()
        near = replace(
            self.side,
            order=frozen(self.side.order[begin:end]),
            start=frozen(np.array([0, end - begin])),
        )
        return near, FilterSide(
            filters=filter_words(listed.columns["filters"]),
            mask=presence_mask(listed),
            order=frozen(np.zeros(1, np.int64)),
            start=frozen(np.arange(2)),
        )

    def decoys(self, screen: Screen, runner: SweepRunner) -> Survivors:
        """Survivors of provider rows asked of the provider itself."""
        rows = _sample(len(self.table), SAMPLE_DECOYS)
        return survivors(self, self.table, rows, screen, runner, same_table=True)

    def strangers(
        self, screen: Screen, runner: SweepRunner, others: PassTable | None = None
    ) -> Survivors:
        """As :meth:`decoys`, with those of ``others``, rows no two of which are one person.

        A longer table has more pairs than a short registry. Its rows are asked of as many as the
        registry has, so that each meets as many strangers as there.
        """
        decoys = self.decoys(screen, runner)
        if others is None or len(others) < len(self.table):
            return decoys
        as_many = SortedRegistry.of(self.p, others.head(len(self.table)))
        rows = _sample(len(others), SAMPLE_DECOYS)
        return decoys.beside(survivors(as_many, others, rows, screen, runner, same_table=True))

    def compared(self, side: FilterSide) -> int:
        """Pairs that share a bucket with ``side``."""
        return int((self.side.sizes() * side.sizes()).sum())


def _sample(rows: int, most: int) -> NDArray[np.int64]:
    """Every k-th row, so that at most ``most`` are taken: tables come in random order."""
    return np.arange(0, rows, max(1, -(-rows // most)), dtype=np.int64)


def survivors(
    registry: SortedRegistry,
    table: PassTable,
    rows: NDArray[np.int64],
    screen: Screen,
    runner: SweepRunner,
    *,
    same_table: bool,
) -> Survivors:
    """Everything that passes the screen for ``rows`` of ``table``, thinned to what fits."""
    quiet = replace(runner, progress=None)
    while True:
        side = registry.side_of(table, rows)
        counting = Sweep(count=np.zeros(len(side.order), np.int64), same_table=same_table)
        quiet.run(registry.plan, registry.side, side, screen, counting)
        total = int(counting.count.sum())
        if total <= MOST_SURVIVORS or len(rows) == 1:
            break
        rows = rows[::2]
    plan, some = registry.plan, counting.count > 0
    count = counting.count[some]
    out = Sweep(
        count=np.zeros(len(count), np.int64),
        same_table=same_table,
        offset=np.cumsum(count) - count,
        found_rows=np.zeros(max(1, total), np.int64),
        found_values=np.zeros((max(1, total), plan.features), np.int32),
    )
    quiet.run(plan, registry.side, side.only(some), screen, out)
    return Survivors(
        rows=len(rows),
        asking=side.order,
        row=np.repeat(np.arange(len(side.order)), counting.count),
        other=out.found_rows[:total],
        levels=levels_of(plan, out.found_values[:total]),
    )


def calibrate(
    registry: SortedRegistry,
    list_table: PassTable | None,
    policy: MatchPolicy,
    runner: SweepRunner,
    others: PassTable | None = None,
) -> tuple[Calibration, ChosenThreshold]:
    """Take u and λ from the registry; m, ρ and the threshold from the list, else from priors.

    ``others``: rows beside the registry's, no two of which are one person.
    """
    screen = Screen.of(registry.plan, registry.side)
    # Spec 35, step 2, of which this is spec 35, "Calibration", step 1.
    decoys, duplicates = without_duplicates(
        registry.plan, registry.strangers(screen, runner, others)
    )
    start = from_strangers(registry.plan, decoys, screen.cut)
    method = "decoys" if len(decoys.row) >= LEAST_SURVIVORS else "priors"
    if list_table is None:
        line = draw_without_list(start, policy, decoys)
    else:
        sample = _sample(len(list_table), SAMPLE_LIST)
        listed = survivors(registry, list_table, sample, screen, runner, same_table=False)
        # Spec 35, step 3, of which this is spec 35, "Calibration", step 2.
        start = fit(start, listed, decoys)
        if duplicates:
            decoys = decoys.without(likely_duplicates(start, decoys, duplicates))
            start = fit(from_strangers(registry.plan, decoys, screen.cut), listed, decoys)
        # Spec 35, step 6.
        line = draw(start, policy, listed, decoys)
    calibration = replace(start, threshold=line.threshold, method=method)
    return calibration, replace(line, duplicates=duplicates)


@dataclass(frozen=True)
class Best:
    """The best candidates of each row of the list, in the order of its table.

    ``score``: float64[n, kept], descending, -inf where there is none; ``row``: int64[n, kept];
    ``pairs``: comparisons made.
    """

    score: Float
    row: NDArray[np.int64]
    pairs: int


def best_candidates(
    registry: SortedRegistry,
    listed: PassTable,
    calibration: Calibration,
    runner: SweepRunner,
    kept: KeptRanges | None = None,
    scores: NDArray[np.float32] | None = None,
) -> Best:
    """Score the list against the registry; ``scores`` are the calibration's, if at hand."""
    provider, side = registry.meeting(listed)
    rows = len(side.order)
    out = Sweep(
        count=np.zeros(rows, np.int64),
        scores=calibration.distance_scores(registry.plan) if scores is None else scores,
        best_score=np.zeros((rows, KEEP), np.float32),
        best_row=np.full((rows, KEEP), -1, np.int64),
    )
    # Spec 35, step 4.
    screen = Screen.at(registry.plan, calibration.screen)
    if len(listed) <= FEW:
        runner.sweep(registry.plan, provider, side, screen, out, (0, len(side.start) - 1))
    else:
        sweep_ranges(runner, registry.plan, provider, side, screen, out, kept, calibration)
    pairs = int((provider.sizes() * side.sizes()).sum())
    best = Best(np.full((len(listed), KEEP), -np.inf), np.full((len(listed), KEEP), -1), pairs)
    for first in range(0, rows, BLOCK):
        part = slice(first, first + BLOCK)
        # Spec 35, step 5.
        score, row = _ranked(registry.plan, provider, side, calibration, out, part)
        best.score[side.order[part]] = score
        best.row[side.order[part]] = row
    return best


def _ranked(
    plan: FeaturePlan,
    provider: FilterSide,
    side: FilterSide,
    calibration: Calibration,
    out: Sweep,
    part: slice,
) -> tuple[Float, NDArray[np.int64]]:
    """The candidates that the sweep kept, by their full score: scores and rows as in Best."""
    candidate, asking = out.best_row[part], side.order[part]
    row, place = np.nonzero(candidate >= 0)
    other = candidate[row, place]
    survivors = Survivors(
        rows=len(asking),
        asking=asking,
        row=row,
        other=other,
        levels=levels_of(plan, compare(plan, side, asking[row], provider, other)),
        unseen=out.count[part] - np.bincount(row, minlength=len(asking)),
    )
    score = np.full(candidate.shape, -np.inf)
    score[row, place] = calibration.score(survivors)
    order = np.lexsort((candidate, -score), axis=1)
    return np.take_along_axis(score, order, 1), np.take_along_axis(candidate, order, 1)


def answer_similar(
    registry: SortedRegistry,
    requester: PassTable,
    calibration: Calibration,
    policy: MatchPolicy,
    runner: SweepRunner,
    line: ChosenThreshold | None = None,
    kept: KeptRanges | None = None,
    scores: NDArray[np.float32] | None = None,
) -> PassResult:
    """Outcomes of all rows of ``requester`` under a calibration.

    ``kept``: ranges done before; ``scores``: the calibration's evidence by distance, if at hand.
    """
    best = best_candidates(registry, requester, calibration, runner, kept, scores)
    # Spec 35, step 7.
    chosen, runner_up = _one_to_one(best) if policy.one_to_one else _first(best)
    position = np.maximum(chosen, 0)
    rows = np.arange(len(requester))
    score = np.where(chosen >= 0, best.score[rows, position], -np.inf)
    above = score >= calibration.threshold
    margin = np.full(len(requester), np.inf)
    np.subtract(score, runner_up, out=margin, where=above & np.isfinite(runner_up))
    clear = above & (margin >= policy.margin)
    row = np.where(clear, best.row[rows, position], -1)
    outcome = np.where(clear, MATCHED, np.where(above, AMBIGUOUS, NOT_MATCHED)).astype(np.uint8)
    return PassResult(
        pass_id=requester.pass_id,
        outcome=outcome,
        band=np.where(above, bands(score, calibration.threshold), 0).astype(np.uint8),
        row=row,
        confirmations=confirmations(registry.table, requester, row),
        score=score.astype(np.float32),
        # Spec 35, step 8.
        scoring=Scoring(
            threshold=calibration.threshold,
            method=calibration.method,
            pairs=best.pairs,
            precision=line.precision if line else None,
            recall=line.recall if line else None,
            match_rate=calibration.match_rate if line else None,
            calibration=calibration,
            duplicates=line.duplicates if line else None,
        ),
        provider_rows=len(registry.table),
    )


def _first(best: Best) -> tuple[NDArray[np.int64], Float]:
    """Every row takes its best candidate."""
    chosen = np.where(best.row[:, 0] >= 0, 0, -1)
    return chosen, best.score[:, 1]


def _one_to_one(best: Best) -> tuple[NDArray[np.int64], Float]:
    """A registry row answers one row of the list at most: the one that scores highest.

    Rows propose to their candidates in order and are displaced by higher scores; as both sides
    rank by the same score, this is the greedy assignment. The runner-up of a row is its best other
    candidate that no other row took.
    """
    rows, keep = best.row.shape
    turn = np.zeros(rows, dtype=np.int64)
    while True:
        active = np.flatnonzero((turn < keep) & (best.row[np.arange(rows), turn % keep] >= 0))
        target = best.row[active, turn[active]]
        order = np.lexsort((active, -best.score[active, turn[active]], target))
        taken = target[order]
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = taken[1:] != taken[:-1]
        losers = active[order[~first]]
        if not len(losers):
            break
        turn[losers] += 1
    chosen = np.full(rows, -1, dtype=np.int64)
    chosen[active] = turn[active]
    held = np.unique(target)
    free = ~np.isin(best.row, held) & (best.row >= 0)
    return chosen, np.where(free, best.score, -np.inf).max(axis=1)
