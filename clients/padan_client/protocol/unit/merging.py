"""From the answers of separate passes to one answer a record; only at home may passes be joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_client.protocol.session import Session
from padan_client.protocol.unit.collect import (
    PassReply,
    SealKey,
    broken,
)
from padan_client.protocol.unit.opening import open_codes
from padan_client.records.lists import RequestList
from padan_client.results.table import Answered
from padan_linkage.agreement import Flow
from padan_linkage.crypto.sealing import Opener
from padan_linkage.estimates import Expected, PassEstimate
from padan_linkage.merging.merge import Merged, PassAnswers, merge
from padan_linkage.merging.union import Claims, Together, demanded, together
from padan_linkage.outcomes import (
    AMBIGUOUS,
    DIFFERENT,
    EMPTY,
    MATCHED,
    NOT_MATCHED,
    SAME,
    STRONGEST_BAND,
    UNCHECKED,
)
from padan_linkage.payload import Answers
from padan_linkage.policy import MatchPolicy
from padan_linkage.schema import Pass, Schema


@dataclass(frozen=True, repr=False)
class Opened:
    """The opened answers of one pass to ``k`` real records; decoys and padding are dropped.

    ``empty`` ``uint32[k]``, ``day`` ``uint16[k]`` and ``confirmations`` ``bool[k, fields of the
    pass]`` mean something where the answer is a match.
    """

    pass_id: str
    answers: PassAnswers
    empty: NDArray[np.uint32]
    day: NDArray[np.uint16]
    confirmations: NDArray[np.bool_]

    @property
    def settled(self) -> NDArray[np.int64]:
        """Records with a believed match of the strongest band."""
        given = self.answers
        settled: NDArray[np.int64] = given.record[given.matched() & (given.band == STRONGEST_BAND)]
        return settled


def open_pass(
    session: Session,
    reply: PassReply,
    seals: Mapping[int, SealKey],
    record_of_row: NDArray[np.int64],
    tokens: NDArray[np.uint8],
    openers: dict[SealKey, Opener],
) -> Opened:
    """Undo the permutation of one pass and open its codes.

    Raises VerificationError where codes are not for their rows or say what the flow does not have.
    """
    payloads, genuine = open_codes(session, reply, seals, tokens, openers)
    said = Answers.unpack(payloads)
    known = np.uint64((1 << len(session.place.flow.codes)) - 1)
    if not said.valid[genuine].all() or (said.codes[genuine] & ~known).any():
        raise broken(reply.pass_id, "codes")
    rows = np.flatnonzero(record_of_row >= 0)

    def real(values: NDArray[Any]) -> NDArray[Any]:
        """Values of the matched rows, spread over all rows, of real records only."""
        full = np.zeros((len(reply.outcomes), *values.shape[1:]), values.dtype)
        full[reply.rows] = values
        return full[rows]

    return Opened(
        pass_id=reply.pass_id,
        answers=PassAnswers(
            record=record_of_row[rows],
            outcome=reply.outcomes[rows],
            band=reply.bands[rows],
            code=real(said.codes),
            decoy=real(said.decoy),
            failed=real(~genuine),
            row=real(_numbered(session.place.flow, reply)),
        ),
        empty=real(said.empty),
        day=real(said.day),
        confirmations=real(reply.confirmations),
    )


def _numbered(flow: Flow, reply: PassReply) -> NDArray[np.int64]:
    """Numbers of the registry's rows behind the matched rows, int64[m].

    Equal sealed codes of one upload are one row; that is worth finding out only where a row may
    answer one record at most.
    """
    if not flow.match.one_to_one:
        return reply.rows
    origins = np.ascontiguousarray(reply.origins, "<u2").view(np.uint8).reshape(-1, 2)
    both = np.concatenate([reply.sealed, origins], axis=1)
    number: NDArray[np.int64] = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    return number


def merge_passes(
    flow: Flow,
    schema: Schema,
    asked: RequestList,
    opened: Sequence[Opened],
    passes: Sequence[PassEstimate],
) -> tuple[Answered, int, Expected | None]:
    """One answer a record, how many codes did not open, and how right the answers are.

    With what a run estimated of its ``passes``, answers that those together cannot vouch for are
    ambiguous. A record that is matched nowhere, but for which a code came that was not for it, is
    ambiguous too: the unit claimed a match, and nobody can say «not found».
    """
    # Spec 35, step 9.
    merged = merge(len(asked), [o.answers for o in opened], one_to_one=flow.match.one_to_one)
    expected = None
    if passes:
        # Spec 35, step 10.
        held = _together(flow, schema, merged, opened, passes)
        merged, expected = merged.without(~held.kept), held.expected
    outcomes = merged.outcome.copy()
    for o in opened:
        doubtful = o.answers.record[o.answers.failed & (o.answers.outcome == MATCHED)]
        outcomes[doubtful[outcomes[doubtful] == NOT_MATCHED]] = AMBIGUOUS
    ids = [p.id for p in schema.passes]
    numbers = np.array([*(ids.index(o.pass_id) for o in opened), -1], np.int64)
    answered = Answered(
        outcomes=outcomes,
        bands=np.where(merged.outcome == MATCHED, merged.band, 0).astype(np.uint8),
        codes=merged.code,
        passes=numbers[merged.answered_by],
        checks=_checks(flow, schema, asked, opened, merged),
        days=_days(opened, merged),
    )
    return answered, merged.failed, expected


def _together(
    flow: Flow,
    schema: Schema,
    merged: Merged,
    opened: Sequence[Opened],
    passes: Sequence[PassEstimate],
) -> Together:
    """Which answers all passes together can vouch for under the agreement's match policy."""
    records = len(merged.outcome)
    estimates = {p.pass_id: p for p in passes}
    claims = [
        _claims(o, schema.get_pass(o.pass_id), flow.match, estimates.get(o.pass_id)) for o in opened
    ]
    return together(
        merged.outcome == MATCHED,
        merged.outcome == AMBIGUOUS,
        claims,
        demanded(flow.match, records),
        records,
    )


def _claims(o: Opened, p: Pass, policy: MatchPolicy, estimate: PassEstimate | None) -> Claims:
    """What a pass says; one that cannot estimate is believed as the policy demands."""
    believed = o.answers.matched()
    band = o.answers.band[believed]
    demand = (1 - policy.min_precision,) * STRONGEST_BAND
    by_band = (estimate.band_errors if estimate else ()) or demand
    error = np.array(by_band)[band.astype(np.int64) - 1]
    unanswered = estimate.unanswered if estimate else None
    return Claims(o.answers.record[believed], error, not p.similar, unanswered)


def _days(opened: Sequence[Opened], merged: Merged) -> NDArray[np.uint16]:
    """The day of every record's answer, 0 where there is none."""
    days = np.zeros(len(merged.outcome), np.uint16)
    for number, o in enumerate(opened):
        records = np.flatnonzero(merged.answered_by == number)
        days[records] = o.day[merged.answer[records]]
    return days


def _checks(
    flow: Flow,
    schema: Schema,
    asked: RequestList,
    opened: Sequence[Opened],
    merged: Merged,
) -> NDArray[np.uint8]:
    """The field checks of every record by the pass that answered, ``uint8[n, fields]``."""
    checks = np.full((len(asked), len(flow.confirm)), UNCHECKED, np.uint8)
    for number, o in enumerate(opened):
        records = np.flatnonzero(merged.answered_by == number)
        answer = merged.answer[records]
        p = schema.get_pass(o.pass_id)
        for bit, name in enumerate(flow.confirm):
            theirs_empty = (o.empty[answer] >> np.uint32(bit) & np.uint32(1)).astype(np.bool_)
            same = _same(p, name, o.confirmations[answer])
            if same is None:
                continue
            found = np.where(same, SAME, DIFFERENT)
            found = np.where(asked.filled(name, records), found, UNCHECKED)
            checks[records, bit] = np.where(theirs_empty, EMPTY, found)
    return checks


def _same(p: Pass, name: str, confirmations: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Whether both sides' values of a field agree in this pass; None where it cannot tell."""
    if name in p.exact:
        return np.ones(len(confirmations), np.bool_)
    if name in p.confirm:
        return confirmations[:, p.confirm.index(name)]
    return None
