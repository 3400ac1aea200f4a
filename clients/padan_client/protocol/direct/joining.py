"""One answer a row from both modes: mode auto's fixed rule. Spec 60, "Both modes"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.protocol.direct.answering import with_way
from padan_client.records.lists import RequestList
from padan_client.results.reasons import REASON
from padan_client.results.table import ConfirmResult, count_codes
from padan_linkage.agreement import Flow, Risk
from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    MATCHED,
    NOT_MATCHED,
    OUTCOME_WORDS,
    QUARANTINED,
    REASON_WORDS,
    UNDECIDED,
    UNSOUGHT,
)

#: Outcomes from the weakest claim to the strongest; an undecided row at which nobody was seen says
#: less than «not found», one at which somebody was seen says more.
_SEEN, _UNSEEN = "seen", "unseen"
_ORDER: Mapping[int | str, int] = {
    QUARANTINED: 0,
    _UNSEEN: 1,
    NOT_MATCHED: 2,
    _SEEN: 3,
    AMBIGUOUS: 4,
    MATCHED: 5,
}


def rows_for_unit(flow: Flow, requested: RequestList, answers: RecordAnswers) -> RequestList:
    """The rows that go to the unit: all of them, so that which they are depends on no label.

    Those alone that direct mode has no code for where the agreement accepts that it shows.
    """
    if Risk.AUTO_ROWS not in flow.accepts:
        return requested
    keep = np.flatnonzero(answers.outcome != MATCHED).astype(np.int64)
    return replace(
        requested,
        usable=requested.usable[keep],
        records=requested.subset(keep),
        answered=len(requested) - len(keep),
    )


def join(flow: Flow, direct: ConfirmResult, by_unit: ConfirmResult) -> ConfirmResult:
    """The stronger of both answers to each row; of equal ones the unit's, which sees more.

    A code of direct mode stands, whatever the unit says of the row. ``by_unit`` has the rows that
    were sent to it; others are in quarantine there.
    """
    ours, theirs = direct.table, with_way(by_unit.table, "unit")
    # Spec 60, step 15.
    strength = np.maximum(_strength(ours), 1)
    take = pa.array((_strength(theirs) >= strength) & (strength < _ORDER[MATCHED]))
    table = pa.table(
        {name: pc.if_else(take, theirs[name], ours[name]) for name in ours.column_names}
    )
    return replace(
        by_unit,
        table=table,
        quarantine=direct.quarantine,
        counts=count_codes(flow, table),
        keys=direct.keys,
        tables=direct.tables,
    )


def _strength(table: pa.Table) -> NDArray[np.int64]:
    """How much each row's answer claims, int64[rows]."""
    unsought = pa.array([REASON_WORDS[reason] for reason in UNSOUGHT])
    nobody = pc.is_in(table[REASON], unsought).to_numpy(zero_copy_only=False)
    strength = np.zeros(table.num_rows, np.int64)
    for outcome, word in enumerate(OUTCOME_WORDS):
        mine = pc.equal(table["hasil"], word).to_numpy(zero_copy_only=False)
        if outcome == UNDECIDED:
            strength[mine] = np.where(nobody, _ORDER[_UNSEEN], _ORDER[_SEEN])[mine]
        else:
            strength[mine] = _ORDER[outcome]
    return strength
