"""All passes together: how right their answers are, and which of them can be vouched for.

Only at the owner of the records may passes be brought together; nobody there knows the truth, nor a
score. A rehearsal and a real run come through here alike. Spec: ``proto/spec/35-matching.md``, "All
passes together".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.estimates import Expected, Share
from padan_linkage.answering.policy import MatchPolicy

#: Standard deviations on either side of an interval that holds nine times out of ten.
NINE_IN_TEN = 1.645
#: Bounds of a share must be this close for the middle between them to be called an estimate.
NARROW = 0.05
#: A pass's expected wrong answers are at most this many times too many.
MOST_TOO_MANY = 2.0

Float: TypeAlias = NDArray[np.float64]
Bool: TypeAlias = NDArray[np.bool_]
#: From each answer's chance of error, float64[k], to which answers are kept, bool[k].
Rule: TypeAlias = Callable[[Float], Bool]


@dataclass(frozen=True, repr=False)
class Claims:
    """What one pass says of the ``k`` records that it answers; answers not believed are left out.

    ``record``: int64[k], each at most once; ``error``: float64[k], the chance that the answer is
    wrong, as the pass sees it; ``exact``: the pass compares exact fields alone; ``unanswered``:
    matches that the pass sees and does not answer, None where it cannot tell.
    """

    record: NDArray[np.int64]
    error: Float
    exact: bool
    unanswered: float | None


@dataclass(frozen=True, repr=False)
class Together:
    """What is left of the answers to ``n`` records.

    ``kept``: bool[n], those answered in the end; ``error``: float64[n], the chance that a record's
    answer is wrong, 1 where there is none.
    """

    kept: Bool
    error: Float
    expected: Expected


def together(
    answered: Bool, unclear: Bool, claims: Sequence[Claims], rule: Rule, most: int | None
) -> Together:
    """Keep what the passes can vouch for together.

    ``answered``, ``unclear``: bool[n], the records that the merged passes give one answer, or could
    not decide about; ``most``: how many matches there can be, None where that is unknown.
    """
    error = np.where(answered, chance_of_error(len(answered), claims), 1.0)
    at = np.flatnonzero(answered)
    kept = np.zeros(len(answered), np.bool_)
    kept[at[rule(error[at])]] = True
    precision = _precision(kept, error, claims)
    dropped = answered & ~kept
    if all(c.exact for c in claims):
        most = int((answered | unclear).sum())  # every pair of equal tokens is among these
    recall = _recall(int(kept.sum()), precision, float((1 - error[dropped]).sum()), claims, most)
    return Together(kept, error, Expected(precision, recall, int(dropped.sum())))


def chance_of_error(n_records: int, claims: Sequence[Claims]) -> Float:
    """Each record's chance of being answered wrongly by the passes together, 1 where none answers.

    Its least error by any pass is too hopeful: choosing the most favourable pass, record by record,
    leaves of a pass's wrong answers only what no other pass denies. By how much shows pass by pass,
    and here alone, where passes may be linked: so many wrong answers does the pass expect, so many
    are left. A record's least error is raised by that ratio, the mean of the passes that answer it.
    """
    least, passes = np.ones(n_records), np.zeros(n_records)
    for c in claims:
        np.minimum.at(least, c.record, c.error)
        np.add.at(passes, c.record, 1)
    raised = np.zeros(n_records)
    for c in claims:
        left = float(least[c.record].sum())
        if left:
            raised[c.record] += float(c.error.sum()) / left
    error = least * raised / np.maximum(passes, 1)
    return np.where(passes > 0, np.minimum(error, 1.0), 1.0)


def demanded(policy: MatchPolicy) -> Rule:
    """Keep as many answers as together meet the demanded precision, the surest first."""
    return lambda error: surest(error, policy.min_precision)


def surest(error: Float, min_precision: float) -> Bool:
    """As many answers as are right as often as demanded, the surest first: bool[k].

    Equal ones stand or fall together.
    """
    order, ends = _ranked(error)
    wrong = np.cumsum(error[order])
    number = np.arange(1, len(order) + 1)
    good = ends & (wrong <= (1 - min_precision) * number)
    return _up_to(error, order, good)


def best_f1(unseen: float) -> Rule:
    """Keep the answers that make the expected F1 greatest, the surest first.

    ``unseen``: matches expected beside the right ones among the answers.
    """

    def rule(error: Float) -> Bool:
        order, ends = _ranked(error)
        right = np.cumsum(1 - error[order])
        number = np.arange(1, len(order) + 1)
        total = float((1 - error).sum()) + unseen
        f1 = np.where(ends, right / (number + total), -1.0)
        return _up_to(error, order, ends & (f1 == f1.max(initial=-1.0)))

    return rule


def _ranked(error: Float) -> tuple[NDArray[np.int64], Bool]:
    """Positions by rising error, and after which of them the next is worse."""
    order = np.argsort(error, kind="stable")
    ends = np.ones(len(order), np.bool_)
    ends[:-1] = error[order[1:]] > error[order[:-1]]
    return order, ends


def _up_to(error: Float, order: NDArray[np.int64], good: Bool) -> Bool:
    """The answers as sure as the last good one, or surer."""
    last = np.flatnonzero(good)
    if not len(last):
        return np.zeros(len(error), np.bool_)
    kept: Bool = error <= error[order[last[-1]]]
    return kept


def _precision(kept: Bool, error: Float, claims: Sequence[Claims]) -> Share:
    """At worst the passes' wrong answers are all about different records, at best about the same.

    Each end with its Poisson bound, a whole number of answers. A pass may also expect twice as many
    as there are: it counts strangers among decoy rows, which its owner leaves out.
    """
    number = int(kept.sum())
    if not number:
        return Share()
    wrong = [float(c.error[kept[c.record]].sum()) for c in claims]
    value = 1 - float(error[kept].sum()) / number
    low = max(0.0, 1 - math.ceil(poisson_above(sum(wrong))) / number)
    high = 1 - math.floor(poisson_below(max(wrong, default=0.0) / MOST_TOO_MANY)) / number
    return Share(value, min(low, value), max(high, value))


def _recall(
    kept: int, precision: Share, dropped: float, claims: Sequence[Claims], most: int | None
) -> Share:
    """Of what some pass could find; a value only where the bounds leave little room.

    A match that shares the exact fields of a pass and nothing else looks like a stranger to
    everybody, so from below there is no bound but that no record has two matches. From above: the
    answers dropped, and what some pass sees and nobody can have answered, in whole matches.
    """
    if precision.low is None or precision.high is None:
        return Share()
    best, worst = kept * precision.high, kept * precision.low
    missed = math.floor(dropped + poisson_below(_surely_unseen(claims)))
    high = best / (best + missed) if best else 1.0
    if not most:
        return Share(None, None, high)
    low = min(worst / most, high)
    return Share((low + high) / 2 if high - low <= NARROW else None, low, high)


def _surely_unseen(claims: Sequence[Claims]) -> float:
    """Matches that one pass sees, does not answer, and no other can have answered.

    All records that only others answer may be among those that the pass leaves unanswered; and the
    passes may mean the same matches, so the pass with most left over counts.
    """
    answered = len(np.unique(np.concatenate([np.zeros(0, np.int64), *(c.record for c in claims)])))
    left = (c.unanswered - (answered - len(c.record)) for c in claims if c.unanswered is not None)
    return max(left, default=0.0)


def poisson_above(count: float) -> float:
    """Upper end of what the mean behind a Poisson count may be (Wilson and Hilferty 1931)."""
    return _quantile(count + 1, NINE_IN_TEN)


def poisson_below(count: float) -> float:
    """Lower end, 0 at least."""
    return _quantile(count, -NINE_IN_TEN) if count > 0 else 0.0


def _quantile(shape: float, z: float) -> float:
    part = 1 / (9 * shape)
    return shape * max(1 - part + z * math.sqrt(part), 0.0) ** 3
