"""What matching a pass gives, what of it the requester may learn, and what can be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.answers import PassAnswers
from padan_linkage.answering.estimates import PassEstimate
from padan_linkage.answering.outcomes import AMBIGUOUS, MATCHED
from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.schema import TAG_BYTES, Layout, Pass, Schema
from padan_linkage.tables import PassTable

#: Scores above this say no more: the chance of being wrong would be lost in rounding.
MOST_NATS = 60.0


@dataclass(frozen=True)
class Scoring:
    """How a pass was scored; it stays with whoever matched.

    ``threshold`` in nats, infinite where no threshold meets the policy; ``method``: ``decoys`` (u
    measured on the provider's own pairs), ``priors`` (too few such pairs: shipped values),
    ``tokens`` (exact pass) or ``within`` (one table against itself); ``pairs``: comparisons made;
    ``precision``, ``recall`` as in :class:`PassEstimate`; ``match_rate``: estimated share of the
    list's rows with a match to be found; ``calibration``: None in an exact pass; ``duplicates``:
    share of the registry's rows that look like another row of it. None where unknown.
    """

    threshold: float
    method: str
    pairs: int
    precision: float | None = None
    recall: float | None = None
    match_rate: float | None = None
    calibration: Calibration | None = None
    duplicates: float | None = None


@dataclass(frozen=True, repr=False)
class PassResult:
    """What matching one pass gave, by the requester's rows in its order.

    ``outcome``: uint8[n]; ``row``: int64[n], the provider's row or -1; ``confirmations``:
    uint8[n, ceil(fields / 8)], bit i set where both tags of ``confirm[i]`` are equal; ``score``:
    float32[n], in nats, of the best candidate (-inf without one); ``met``: int64[n, k], the
    provider's rows that each row came near to in a pass with a filter, -1 for none. Of all this
    :meth:`answers` and :attr:`estimate` alone leave the unit.
    """

    pass_id: str
    outcome: NDArray[np.uint8]
    row: NDArray[np.int64]
    confirmations: NDArray[np.uint8]
    score: NDArray[np.float32]
    scoring: Scoring
    provider_rows: int
    met: NDArray[np.int64]

    @cached_property
    def estimate(self) -> PassEstimate:
        """What may be told of the answers; made when asked for, which single questions never do."""
        matched, told = self.outcome == MATCHED, self.scoring
        count = int(matched.sum())
        right = (told.precision or 0.0) * count
        return PassEstimate(
            self.pass_id,
            len(self.outcome),
            self.provider_rows,
            count,
            int((self.outcome == AMBIGUOUS).sum()),
            told.precision,
            told.recall,
            None
            if told.match_rate is None
            else max(0.0, told.match_rate * len(self.outcome) - right),
        )

    def answers(self, provider: PassTable) -> PassAnswers:
        """What the requester may learn; ``provider``: the table that was matched."""
        matched = self.outcome == MATCHED
        rows = self.row[matched]
        return PassAnswers(
            pass_id=self.pass_id,
            outcome=self.outcome,
            sealed=provider.columns["sealed_codes"][rows],
            confirmations=self.confirmations[matched],
        )

    def __repr__(self) -> str:
        matched = int((self.outcome == MATCHED).sum())
        return f"PassResult({self.pass_id!r}, rows={len(self.outcome)}, matched={matched})"


def errors_of(score: NDArray[np.float32], precision: float | None) -> NDArray[np.float64] | None:
    """Each answer's chance of being wrong, float64[k], from the scores of a pass's answers.

    In proportion to the odds that its score gives, so that the mean is what ``precision``, the
    pass's, says; None where it says nothing.
    """
    if precision is None:
        return None
    alone: NDArray[np.float64] = 1 / (1 + np.exp(np.minimum(score.astype(np.float64), MOST_NATS)))
    if not len(alone):
        return alone
    scaled: NDArray[np.float64] = alone * ((1 - precision) / alone.mean())
    return np.minimum(scaled, 1.0)


def confirmations(
    provider: PassTable, requester: PassTable, row: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Equal tags of each requester row and the provider row it matched (-1: none)."""
    width = requester.layout.tags
    fields = width // TAG_BYTES
    bits = np.zeros((len(row), fields), dtype=np.uint8)
    matched = np.flatnonzero(row >= 0)
    if fields and len(matched):
        mine = np.asarray(requester.columns["tags"])[matched]
        theirs = np.asarray(provider.columns["tags"])[row[matched]]
        equal = (mine == theirs).reshape(len(matched), fields, TAG_BYTES).all(axis=2)
        bits[matched] = equal
    return np.packbits(bits, axis=1, bitorder="little")


def check_table(schema: Schema, p: Pass, table: PassTable, *, as_provider: bool) -> None:
    """Raise ValueError for a table whose columns are not those of this side of the pass."""
    expected = Layout.of(schema, p, provider=as_provider)
    check_layout(p, table, expected, "provider" if as_provider else "requester")


def check_layout(p: Pass, table: PassTable, expected: Layout, side: str) -> None:
    """As :func:`check_table`, where the layout to expect is at hand."""
    for name in ("keys", "filters", "presence", "tags"):
        if getattr(table.layout, name) != getattr(expected, name):
            raise ValueError(f"pass {p.id}: the {side}'s column {name} has another width")
