"""What a pair of rows is compared by: the features of a pass, their levels, and the screen.

Spec: ``proto/spec/35-matching.md``, "Features" and "Screen".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_linkage.schema import Pass, Segment

#: Upper edges of the levels of Hamming distance / m. Level 0 is equality; the last level, above
#: every edge, is what unrelated values look like.
LEVEL_EDGES = (0.0, 0.06, 0.12, 0.18, 0.24, 0.30, 0.36, 0.41, 0.45, 0.475)
LEVELS = len(LEVEL_EDGES) + 1
#: From this level on, two segments look like random bits.
RANDOM_LEVEL = LEVELS - 2
#: Below this level they are surely alike: the level between holds one in eighty random pairs too.
SURE_LEVEL = RANDOM_LEVEL - 1
#: The reach: nobody is answered about a filter that differs in a larger share of its bits. The
#: majority of s unrelated filters differs from each in about .5 - .4/√s, so that one vector of
#: anybody's making stands for some eight values, and a true one for all that are a slip away
#: (spec 15, "The requester's oracle").
REACH = 0.36
#: Shares of q-grams that change: a letter of a long name, of a middling one, of a short one.
CHANGES = (0.12, 0.22, 0.4)
#: Groups of more segments than this trade by single swaps only.
MOST_PERMUTED = 3
#: A presence mask is one word.
MOST_SEGMENTS = 64


@dataclass(frozen=True)
class FeaturePlan:
    """Where the features of a pass lie in its filter, and how segments may be paired.

    A segment is compared with its counterpart. Segments of one group may also trade places (given
    name of one against surname of the other): every permitted pairing is an alignment, the first
    being the straight one. The features of a pair of rows are its segments' distances in the
    alignment that fits best and, where there are several alignments, whether it is a trade.

    ``bits``: int64[segments], length m; ``edited``: float64[segments, changes], share of bits in
    which values differ after small, middling and large changes (:data:`CHANGES`); ``seg_start``,
    ``seg_words``: int64[segments], in 64-bit words; ``pairs``: int64[pairs, 2], every (requester's,
    provider's) segment to be compared; ``alignments``: int64[alignments, segments], numbers of
    pairs; ``words``: length of the filter; ``random_fill``: a missing segment is random bits, no
    mask tells.
    """

    names: tuple[str, ...]
    bits: NDArray[np.int64]
    edited: NDArray[np.float64]
    seg_start: NDArray[np.int64]
    seg_words: NDArray[np.int64]
    pairs: NDArray[np.int64]
    alignments: NDArray[np.int64]
    words: int
    random_fill: bool

    @property
    def segments(self) -> int:
        """Number of segments."""
        return len(self.bits)

    @property
    def features(self) -> int:
        """Number of features: the segments and, with several alignments, the trade."""
        return len(self.bits) + (len(self.alignments) > 1)

    @cached_property
    def noise(self) -> NDArray[np.float64]:
        """:func:`noise_table`, made once."""
        return noise_table(self)

    @classmethod
    def of(cls, p: Pass, *, presence: bool) -> FeaturePlan:
        """The plan of pass ``p``, which must have a filter; ``presence``: a mask is sent.

        Raises ValueError for more segments than a mask has bits.
        """
        if len(p.similar) > MOST_SEGMENTS:
            raise ValueError(f"pass {p.id}: more than {MOST_SEGMENTS} segments")
        words = [s.bits // 64 for s in p.similar]
        partners = _partners(p)
        pairs = sorted({(s, o) for row in partners for s, o in enumerate(row)})
        number = {pair: i for i, pair in enumerate(pairs)}
        names = ["+".join(s.fields) for s in p.similar] + ["trade"] * (len(partners) > 1)
        return cls(
            names=tuple(names),
            bits=np.array([s.bits for s in p.similar], dtype=np.int64),
            edited=np.array([[_distance_after(s, c) for c in CHANGES] for s in p.similar]),
            seg_start=np.cumsum([0, *words[:-1]], dtype=np.int64),
            seg_words=np.array(words, dtype=np.int64),
            pairs=np.array(pairs, dtype=np.int64),
            alignments=np.array(
                [[number[s, o] for s, o in enumerate(row)] for row in partners], dtype=np.int64
            ),
            words=p.filter_words,
            random_fill=not presence,
        )


def _distance_after(s: Segment, change: float) -> float:
    """Share of bits that differ where ``change`` of the q-grams is replaced by others.

    Each replaced q-gram takes its insertions away and brings as many; an output bit of the
    diffusion is the XOR of t input bits (the piling-up lemma).
    """
    changed = min(0.5, 2 * change * s.weight / s.bits)
    return 0.5 * (1 - (1 - 2 * changed) ** max(1, s.diffusion))


def _partners(p: Pass) -> list[list[int]]:
    """For each alignment, the provider's segment that each segment is compared with.

    One group trades at a time: all orders of up to three segments, single swaps of more.
    """
    straight = list(range(len(p.similar)))
    found = [straight]
    for group in dict.fromkeys(s.group for s in p.similar if s.group):
        members = [i for i, s in enumerate(p.similar) if s.group == group]
        orders = permutations(members) if len(members) <= MOST_PERMUTED else _swaps(members)
        for order in orders:
            row = straight.copy()
            for here, there in zip(members, order, strict=True):
                row[here] = there
            if row != straight:
                found.append(row)
    return found


def _swaps(members: list[int]) -> list[tuple[int, ...]]:
    """Every order of ``members`` with exactly two of them exchanged."""
    swapped = []
    for a, b in combinations(range(len(members)), 2):
        order = members.copy()
        order[a], order[b] = order[b], order[a]
        swapped.append(tuple(order))
    return swapped


def level_table(plan: FeaturePlan) -> NDArray[np.int64]:
    """Level by value: int64[features, longest m + 1]; the last level beyond a short m.

    A segment's value is its distance; the trade's value is 0 or 1 and is its own level.
    """
    table = np.full((plan.features, int(plan.bits.max()) + 1), LEVELS - 1, dtype=np.int64)
    for f, m in enumerate(plan.bits):
        table[f, : m + 1] = np.searchsorted(LEVEL_EDGES, np.arange(m + 1) / m, side="left")
    if plan.features > plan.segments:
        table[-1] = np.minimum(np.arange(table.shape[1]), 1)
    return table


def levels_of(plan: FeaturePlan, values: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Levels of features as the kernels give them, int64[n, features]; LEVELS where -1: missing."""
    level = level_table(plan)[np.arange(plan.features), np.maximum(values, 0)]
    return np.where(values >= 0, level, LEVELS)


def noise_table(plan: FeaturePlan) -> NDArray[np.float64]:
    """Log probability of each value between unrelated salts: float64[features, longest m + 1].

    A distance is then binomial with p = 1/2, exactly. It is weighed against the level that it lies
    in, so the probability is that of the value times the number of values of its level. A trade
    counts once for every alignment but the straight one.
    """
    level = level_table(plan)
    table = np.full(level.shape, -np.inf)
    for f, m in enumerate(plan.bits.tolist()):
        d = np.arange(m + 1)
        chances = [math.lgamma(m + 1) - math.lgamma(x + 1) - math.lgamma(m - x + 1) for x in d]
        width = np.bincount(level[f, : m + 1], minlength=LEVELS)[level[f, : m + 1]]
        table[f, : m + 1] = np.array(chances) - m * math.log(2) + np.log(width)
    if plan.features > plan.segments:
        table[-1, :2] = 0.0, math.log(len(plan.alignments) - 1)
    return table


def noise_of(plan: FeaturePlan, values: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Sum of ``plan.noise`` over the features of each pair, float64[n]; -1, missing, adds 0.

    ``values``: int[n, features], as the kernels give them.
    """
    by_feature = plan.noise[np.arange(plan.features), np.maximum(values, 0)]
    total: NDArray[np.float64] = np.where(values >= 0, by_feature, 0.0).sum(axis=1)
    return total


def levels_around(m: int, share: float = 0.5) -> NDArray[np.float64]:
    """Level probabilities where each of ``m`` bits differs with chance ``share``, float64[levels].

    Unrelated segments differ in half of the bits. The normal approximation serves.
    """
    spread = math.sqrt(m * share * (1 - share))
    edges = [(math.floor(e * m) + 0.5 - m * share) / spread for e in LEVEL_EDGES]
    below = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in edges] + [1.0])
    return np.diff(below, prepend=0.0)


def screen_cut(segments: int, share: float) -> float:
    """Least screen statistic that only ``share`` of unrelated pairs reach, in one alignment.

    The statistic is the sum over segments of max(0, z)², z the standard deviations by which the
    distance lies below m/2. For unrelated pairs it is a mixture of χ² distributions with binomial
    weights (chi-bar-square); ``share`` is clamped to what is useful, 10⁻¹² … 0.05.
    """
    share = min(max(share, 1e-12), 0.05)
    low, high = 0.0, 200.0
    for _ in range(60):
        cut = (low + high) / 2
        tail = sum(
            math.comb(segments, k) * 0.5**segments * _chi_square_tail(k, cut)
            for k in range(1, segments + 1)
        )
        low, high = (cut, high) if tail > share else (low, cut)
    return high


def reach_cut(plan: FeaturePlan) -> float:
    """The screen statistic of a filter of one segment at :data:`REACH`.

    Where a pass has several, each can be varied beside the others, and no cut bounds that.
    """
    return float(plan.bits.min()) * (1 - 2 * REACH) ** 2


def _chi_square_tail(k: int, x: float) -> float:
    """P(χ²ₖ > x) for k ≥ 1, by the recurrence over k in steps of two."""
    if x <= 0:
        return 1.0
    tail = math.exp(-x / 2) if k % 2 == 0 else math.erfc(math.sqrt(x / 2))
    for j in range(2 if k % 2 == 0 else 1, k, 2):
        tail += math.exp((j / 2) * math.log(x / 2) - x / 2 - math.lgamma(j / 2 + 1))
    return tail
