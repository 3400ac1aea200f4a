"""What can be said of answers without a label: of one pass's, and of all passes' together.

Spec: ``proto/spec/35-matching.md``, "Estimates" and "All passes together".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PassEstimate:
    """One pass's answers in numbers: all that anybody beside the matcher is told of them.

    ``requester_rows``, ``provider_rows``: rows compared, ``matched_rows``, ``ambiguous_rows``: rows
    answered so. Decoys and padding are among all four where the unit tells; a rehearsal, which
    knows its own, leaves them out of the last two. ``precision``: share of the matched rows that
    are right; ``recall``: share of the matches that this pass could find that it found;
    ``unanswered``: matches that the pass sees and does not answer. None where nothing can be said.
    """

    pass_id: str
    requester_rows: int
    provider_rows: int
    matched_rows: int
    ambiguous_rows: int
    precision: float | None
    recall: float | None
    unanswered: float | None = None


@dataclass(frozen=True)
class Share:
    """A share of 1 with the bounds of its interval, each None where nothing can be said."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Expected:
    """What to expect of the answers that were kept.

    ``precision``: share of them that are right; ``recall``: share of the matches that some pass
    could find (those that agree in its exact fields) that they are; ``dropped``: answers that were
    not kept.
    """

    precision: Share
    recall: Share
    dropped: int
