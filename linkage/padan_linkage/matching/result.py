"""What a pass answers, and what can be said of the answers without a label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.scoring.calibration import Calibration
from padan_linkage.outcomes import MATCHED, STRONGEST_BAND
from padan_linkage.schema import TAG_BYTES, Layout, Pass, Schema
from padan_linkage.tables import PassTable

#: Score bands: from the threshold on, and from these many nats above it.
BAND_STEPS = (3.0, 6.0)
#: Scores above this say no more: the chance of being wrong would be lost in rounding.
MOST_NATS = 60.0


@dataclass(frozen=True)
class Estimate:
    """What the unit believes of one pass's answers; see ``proto/spec/35-matching.md``, "Estimates".

    ``precision``: share of the matched rows that are right; ``recall``: share of the matches that
    this pass could find that it found. None where nothing can be said. ``method``: ``decoys`` (u
    measured on the provider's own pairs), ``priors`` (too few such pairs: shipped values),
    ``tokens`` (exact pass) or ``within`` (one table against itself). ``threshold`` in nats,
    infinite where no threshold meets the policy. ``match_rate``: estimated share of the asked rows
    with a match to be found. ``pairs``: comparisons made. ``duplicates``: share of the registry's
    rows that look like another row of it; None where unknown.
    """

    precision: float | None
    recall: float | None
    threshold: float
    method: str
    match_rate: float | None
    pairs: int
    calibration: Calibration | None = None
    duplicates: float | None = None


@dataclass(frozen=True, repr=False)
class PassResult:
    """Answers to the requester's rows of one pass, in its row order.

    ``outcome``, ``band``: uint8[n]; ``row``: int64[n], the provider's row or -1; ``confirmations``:
    uint8[n, ceil(fields / 8)], bit i set where both tags of ``confirm[i]`` are equal; ``score``:
    float32[n], in nats, of the best candidate (-inf without one): it never leaves the unit.
    """

    pass_id: str
    outcome: NDArray[np.uint8]
    band: NDArray[np.uint8]
    row: NDArray[np.int64]
    confirmations: NDArray[np.uint8]
    score: NDArray[np.float32]
    estimate: Estimate

    @property
    def unanswered(self) -> float | None:
        """Matches that this pass sees and does not answer; None where it cannot tell."""
        if self.estimate.match_rate is None:
            return None
        right = (self.estimate.precision or 0.0) * int((self.outcome == MATCHED).sum())
        return max(0.0, self.estimate.match_rate * len(self.outcome) - right)

    def band_errors(self) -> tuple[float, ...] | None:
        """Mean chance of being wrong by band, 1 to 3: all that the requester learns of the errors.

        1 for a band that nothing is in; None where the pass cannot estimate.
        """
        matched = self.outcome == MATCHED
        errors = errors_of(self.score[matched], self.estimate)
        if errors is None:
            return None
        band = self.band[matched]
        return tuple(
            float(errors[band == b].mean()) if (band == b).any() else 1.0
            for b in range(1, STRONGEST_BAND + 1)
        )

    def __repr__(self) -> str:
        matched = int((self.outcome == MATCHED).sum())
        return f"PassResult({self.pass_id!r}, rows={len(self.outcome)}, matched={matched})"


def errors_of(score: NDArray[np.float32], estimate: Estimate) -> NDArray[np.float64] | None:
    """Each answer's chance of being wrong, float64[k], from the scores of a pass's answers.

    In proportion to the odds that its score gives, so that the mean is what the pass estimates;
    None where it cannot.
    """
    if estimate.precision is None:
        return None
    alone: NDArray[np.float64] = 1 / (1 + np.exp(np.minimum(score.astype(np.float64), MOST_NATS)))
    if not len(alone):
        return alone
    scaled: NDArray[np.float64] = alone * ((1 - estimate.precision) / alone.mean())
    return np.minimum(scaled, 1.0)


def bands(score: NDArray[np.float64], threshold: float) -> NDArray[np.uint8]:
    """Band of each score at or above ``threshold``: 1, 2 or 3."""
    band = np.ones(score.shape, dtype=np.uint8)
    for step in BAND_STEPS:
        band += score >= threshold + step
    return band


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
    side = "provider" if as_provider else "requester"
    expected = Layout.of(schema, p, provider=as_provider)
    for name in ("keys", "filters", "presence", "tags"):
        if getattr(table.layout, name) != getattr(expected, name):
            raise ValueError(f"pass {p.id}: the {side}'s column {name} has another width")
