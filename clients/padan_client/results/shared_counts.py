"""Counts for a document that the other side reads: of many rows, none of them small.

Whoever answers could learn from small counts whom it was asked about. So each row of a flow is
counted in one document at most (:mod:`.told_rows`), the rows of a document are as
many as the agreement says at least, and small counts are left out together with others, so that no
difference gives them. Spec 80, "Counts".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from padan_client.results.table import count_codes
from padan_linkage.agreement import Flow
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    NOT_MATCHED,
    OUTCOME_WORDS,
    QUARANTINED,
    UNDECIDED,
)

#: A count is small below one in so many of the rows that counts must cover.
SHARE = 100


@dataclass(frozen=True)
class SharedCounts:
    """What a document tells: ``counts`` of ``counted`` rows by code, ``small`` ones left out.

    ``quarantined``: those of them that the quarantine has notes about; None where these or the
    others are few.
    """

    counted: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    small: tuple[str, ...] = ()
    quarantined: int | None = None


def shared_counts(flow: Flow, fresh: pa.Table, noted: int = 0) -> SharedCounts:
    """The counts of a result's rows that no document counted before; nothing where they are few.

    ``noted``: how many of them the quarantine has notes about.
    """
    rows = fresh.num_rows
    # Spec 80, "Counts", step 2.
    if rows < flow.minimum_counted:
        return SharedCounts()
    told = _cells(flow) | count_codes(flow, fresh)
    least = -(-flow.minimum_counted // SHARE)
    small: list[str] = []
    for code, count in sorted(told.items(), key=lambda cell: cell[1]):
        left = rows - sum(told.values())
        # Spec 80, "Counts", step 3: what is left out shows as the rest of the rows.
        if count >= least and (not small or flow.several or left >= least):
            break
        small.append(code)
        del told[code]
    quarantined = noted if least <= noted <= rows - least else None
    return SharedCounts(rows, told, tuple(sorted(small)), quarantined)


def _cells(flow: Flow) -> dict[str, int]:
    """Every word that a row can be counted by: that one is missing must tell nothing."""
    written = {
        NOT_MATCHED: flow.not_found,
        AMBIGUOUS: flow.ambiguous,
        UNDECIDED: flow.undecided,
        QUARANTINED: None,
    }
    words = (c.code if c else OUTCOME_WORDS[outcome] for outcome, c in written.items())
    return dict.fromkeys(words, 0)
