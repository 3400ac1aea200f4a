"""Passes with a filter: score every row under a calibration, keep the best, decide.

Spec: ``proto/spec/35-matching.md``, "Outcomes".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED, NOT_MATCHED, UNDECIDED
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching.directory import Directory
from padan_linkage.matching.pair_features import compare
from padan_linkage.matching.result import PassResult, Scoring, confirmations
from padan_linkage.matching.scoring.calibration import Calibration, Survivors
from padan_linkage.matching.scoring.features import FeaturePlan, levels_of, noise_of
from padan_linkage.matching.scoring.strangers import Float
from padan_linkage.matching.scoring.threshold import ChosenThreshold
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
from padan_linkage.schema import Pass
from padan_linkage.tables import PassTable, stacked

#: So many rows or fewer are asked of their own buckets alone.
FEW = 1_000
#: Rows and comparisons of a piece of so few: some milliseconds of a core.
PIECE_ROWS, PIECE_PAIRS = 64, 1 << 19
#: Candidates of each row that are ranked by the full score; the sweep finds them by an average one.
KEEP = 4
#: Candidates that are measured again in one piece.
BLOCK = 50_000


def in_one_go() -> None:
    """Between two pieces of work: nothing."""


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

    def pieces(self, listed: PassTable) -> list[tuple[int, int]]:
        """Spans of the rows of ``listed``, each a few milliseconds' work; more than FEW are one.

        A row is never parted: one in a bucket of millions is a piece, however long it takes.
        """
        if not 1 < len(listed) <= FEW:
            return [(0, len(listed))]
        bucket = np.ascontiguousarray(listed.columns["keys"]).view("<u2").reshape(-1)
        known = np.minimum(bucket.astype(np.int64), len(self.side.start) - 2)
        sizes = np.where(bucket == known, self.side.start[known + 1] - self.side.start[known], 0)
        spans, first, work = [], 0, 0
        for row, size in enumerate(sizes.tolist()):
            if row > first and (row - first >= PIECE_ROWS or work + size > PIECE_PAIRS):
                spans.append((first, row))
                first, work = row, 0
            work += size
        return [*spans, (first, len(listed))]

    def compared(self, side: FilterSide) -> int:
        """Pairs that share a bucket with ``side``."""
        return int((self.side.sizes() * side.sizes()).sum())


@dataclass(frozen=True)
class Best:
    """The best candidates of each row of the list, in the order of its table.

    ``score``: float64[n, kept], descending, -inf where there is none; ``row``: int64[n, kept].
    """

    score: Float
    row: NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Candidates:
    """What a sweep kept of every row that was asked about, not yet ranked; ``pairs`` compared."""

    plan: FeaturePlan
    provider: FilterSide
    side: FilterSide
    out: Sweep
    pairs: int

    @classmethod
    def of(
        cls,
        registry: SortedRegistry,
        listed: PassTable,
        calibration: Calibration,
        runner: SweepRunner,
        kept: KeptRanges | None = None,
        scores: NDArray[np.float32] | None = None,
    ) -> Candidates:
        """Sweep the registry; ``scores``: the calibration's evidence by distance, if at hand."""
        provider, side = registry.meeting(listed)
        rows = len(side.order)
        out = Sweep(
            count=np.zeros(rows, np.int64),
            scores=calibration.distance_scores(registry.plan) if scores is None else scores,
            best_score=np.zeros((rows, KEEP), np.float32),
            best_row=np.full((rows, KEEP), -1, np.int64),
        )
        # Spec 35, step 2.
        screen = Screen.at(registry.plan, calibration.screen)
        if len(listed) <= FEW:
            runner.sweep(registry.plan, provider, side, screen, out, (0, len(side.start) - 1))
        else:
            sweep_ranges(runner, registry.plan, provider, side, screen, out, kept, calibration)
        pairs = int((provider.sizes() * side.sizes()).sum())
        return cls(registry.plan, provider, side, out, pairs)

    def best(self, calibration: Calibration, own: NDArray[np.int64] | None = None) -> Best:
        """Rank by the full score, the row ``own`` (int64[n], -1: none) of each left out."""
        rows = len(self.side.filters) // max(1, self.plan.words)
        best = Best(np.full((rows, KEEP), -np.inf), np.full((rows, KEEP), -1))
        for first in range(0, len(self.side.order), BLOCK):
            part = slice(first, first + BLOCK)
            asking = self.side.order[part]
            # Spec 35, step 3.
            score, row = self._ranked(calibration, part, None if own is None else own[asking])
            best.score[asking] = score
            best.row[asking] = row
        return best

    def _ranked(
        self, calibration: Calibration, part: slice, own: NDArray[np.int64] | None
    ) -> tuple[Float, NDArray[np.int64]]:
        """Scores and rows of a part of the rows, as in Best."""
        candidate, asking = self.out.best_row[part], self.side.order[part]
        count = self.out.count[part]
        if own is not None:
            mine = (candidate == own[:, None]) & (candidate >= 0)
            candidate, count = np.where(mine, -1, candidate), count - mine.any(axis=1)
        row, place = np.nonzero(candidate >= 0)
        other = candidate[row, place]
        values = compare(self.plan, self.side, asking[row], self.provider, other)
        survivors = Survivors(
            rows=len(asking),
            asking=asking,
            row=row,
            other=other,
            levels=levels_of(self.plan, values),
            noise=noise_of(self.plan, values),
            unseen=count - np.bincount(row, minlength=len(asking)),
        )
        score = np.full(candidate.shape, -np.inf)
        score[row, place] = calibration.score(survivors)
        order = np.lexsort((candidate, -score), axis=1)
        return np.take_along_axis(score, order, 1), np.take_along_axis(candidate, order, 1)


def decided(
    score: Float, runner_up: Float, calibration: Calibration, policy: MatchPolicy
) -> NDArray[np.uint8]:
    """Outcomes, uint8[n], of rows whose best candidates have these scores, float64[n] each.

    Between a match and «several fit» or «not found» lies a strip in which a row is undecided: a
    score that moves a little, as with new salts, never turns one of those into another.
    """
    above = score >= calibration.threshold
    margin = np.full(len(score), np.inf)
    np.subtract(score, runner_up, out=margin, where=above & np.isfinite(runner_up))
    clear = above & (margin >= policy.margin)
    several = above & (margin < policy.margin / 2) & (runner_up >= calibration.threshold)
    near = score >= min(calibration.doubt, calibration.threshold)
    rest = np.where(several, AMBIGUOUS, np.where(near, UNDECIDED, NOT_MATCHED))
    return np.where(clear, MATCHED, rest).astype(np.uint8)


def answer_similar(
    registry: SortedRegistry,
    requester: PassTable,
    calibration: Calibration,
    policy: MatchPolicy,
    runner: SweepRunner,
    line: ChosenThreshold | None = None,
    kept: KeptRanges | None = None,
    scores: NDArray[np.float32] | None = None,
    between: Callable[[], object] = in_one_go,
) -> PassResult:
    """Outcomes of all rows of ``requester`` under a calibration.

    ``kept``: ranges done before; ``scores``: the calibration's evidence by distance, if at hand;
    ``between`` is called after every piece but the last.
    """
    best, pairs = _best(registry, requester, calibration, runner, kept, scores, between)
    return _result(registry, requester, best, pairs, calibration, policy, line)


def answer_some(
    registry: SortedRegistry,
    requesters: Sequence[PassTable],
    calibration: Calibration,
    policy: MatchPolicy,
    runner: SweepRunner,
    scores: NDArray[np.float32],
) -> list[PassResult]:
    """As :func:`answer_similar` for the first of questions of one row, as many as are a piece.

    They are ranked together and decided each by itself: none takes a row from another.
    """
    listed = stacked(requesters)
    _, last = registry.pieces(listed)[0]
    part = listed.part(0, last)
    candidates = Candidates.of(registry, part, calibration, runner, scores=scores)
    best, pairs = candidates.best(calibration), np.zeros(last, np.int64)
    met, asked = candidates.provider.sizes(), candidates.side
    pairs[asked.order] = np.repeat(met, asked.sizes())
    return [
        _result(
            registry,
            requesters[row],
            Best(best.score[row : row + 1], best.row[row : row + 1]),
            int(pairs[row]),
            calibration,
            policy,
        )
        for row in range(last)
    ]


def _result(
    registry: SortedRegistry,
    requester: PassTable,
    best: Best,
    pairs: int,
    calibration: Calibration,
    policy: MatchPolicy,
    line: ChosenThreshold | None = None,
) -> PassResult:
    """Decide about the rows of ``requester`` by their best candidates."""
    # Spec 35, step 4.
    chosen, runner_up = _one_to_one(best) if policy.one_to_one else _first(best)
    position = np.maximum(chosen, 0)
    rows = np.arange(len(requester))
    score = np.where(chosen >= 0, best.score[rows, position], -np.inf)
    outcome = decided(score, runner_up, calibration, policy)
    row = np.where(outcome == MATCHED, best.row[rows, position], -1)
    return PassResult(
        pass_id=requester.pass_id,
        outcome=outcome,
        row=row,
        confirmations=confirmations(registry.table, requester, row),
        score=score.astype(np.float32),
        # Spec 35, step 5.
        scoring=Scoring(
            threshold=calibration.threshold,
            method=calibration.method,
            pairs=pairs,
            precision=line.precision if line else None,
            recall=line.recall if line else None,
            match_rate=calibration.match_rate if line else None,
            calibration=calibration,
            duplicates=line.duplicates if line else None,
        ),
        provider_rows=len(registry.table),
        met=best.row,
    )


def _best(
    registry: SortedRegistry,
    requester: PassTable,
    calibration: Calibration,
    runner: SweepRunner,
    kept: KeptRanges | None,
    scores: NDArray[np.float32] | None,
    between: Callable[[], object],
) -> tuple[Best, int]:
    """The best candidates of all rows, and how many pairs were compared for them.

    What a row finds depends on the row alone: in pieces or at once, it is the same to the bit.
    """
    found, pairs = [], 0
    for first, last in registry.pieces(requester):
        if first:
            between()
        whole = last - first == len(requester)
        part = requester if whole else requester.part(first, last)
        candidates = Candidates.of(registry, part, calibration, runner, kept, scores)
        found.append(candidates.best(calibration))
        pairs += candidates.pairs
    if len(found) == 1:
        return found[0], pairs
    score, row = ([getattr(best, name) for best in found] for name in ("score", "row"))
    return Best(np.concatenate(score), np.concatenate(row)), pairs


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
