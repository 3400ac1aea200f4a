"""From a list to its answers in direct mode: every key of every record, asked in one round.

Everything is at home; the provider sees blinded elements, as many as the list's length says, and
nothing that depends on an answer. Whom the labels are of decides, not which key came first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.effects import Steps, work
from padan_client.base.place import FlowPlace
from padan_client.base.reasons import refused
from padan_client.protocol.direct.evaluating import ListEvaluation, Outputs, evaluate
from padan_client.protocol.direct.session import DirectSession
from padan_client.records.lists import RequestList
from padan_client.results.table import (
    NOBODY,
    AnsweredBy,
    ConfirmResult,
    KeyCounts,
    count_codes,
    result_table,
)
from padan_linkage.agreement import JAKARTA, Flow
from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    MATCHED,
    SAME,
    UNCHECKED,
)
from padan_linkage.answering.payloads import day_number
from padan_linkage.direct.inputs import ListInputs, list_inputs
from padan_linkage.direct.labelling.deciding import Decided, decide
from padan_linkage.direct.labelling.lookup import LabelMeetings, look_up, standing
from padan_linkage.direct.labelling.opening import opened
from padan_linkage.direct.measuring import vouch
from padan_linkage.direct.schema import DirectSchema, most_values

#: Column that says which way a row was answered: ``direct:<key>`` or ``unit:<pass>``.
WAY = "cara"


def answer(
    evaluation: ListEvaluation, requested: RequestList
) -> Steps[tuple[Decided, tuple[KeyCounts, ...]]]:
    """Ask for the list's records, every key of each: the answers, and what each key did.

    The day that codes state is that of the base table: labels may be that old. What is sent follows
    from the list's size alone, dummies standing for rows that cannot be used; a label that is
    broken leaves its record undecided, and is spoken of at the end.
    """
    session = evaluation.session
    rows = rounded_records(requested.size, session.schema)
    _require_allowed(session, rows)
    # Spec 60, step 7.
    inputs = yield from work(
        lambda: list_inputs(session.fields, session.schema, requested.records, rows)
    )
    outputs = yield from evaluate(evaluation, inputs)
    decided = yield from work(partial(_decided, session, inputs, outputs, len(requested)))
    counts, answers = key_counts(session, decided, rows), decided.answers
    base = session.manifests[0]
    made = base.created_at.astimezone(JAKARTA).date()
    answers.day[answers.outcome == MATCHED] = day_number(made)
    asked = inputs.asked(len(requested))
    # Spec 60, step 14.
    vouched = yield from work(partial(_vouched, session, requested, asked, answers))
    return replace(decided, answers=vouched), counts


def rounded_records(records: int, schema: DirectSchema) -> int:
    """Records that a list of so many is put as: up to a sixteenth more, and the least at least.

    Rounding alone never exceeds what a list may have (spec 60, "Sizes").
    """
    step = 1 << max(0, records.bit_length() - 5)
    rounded = min(-(-records // step) * step, schema.records_per_list)
    return max(records, rounded, schema.minimum_batch)


def _require_allowed(session: DirectSession, records: int) -> None:
    """Refuse to send a list that the provider would refuse."""
    limit, place = session.schema.records_per_list, session.place
    if records > limit:
        reason = Reason.QUOTA_LIST_EXCEEDED
        raise refused(reason, place, ServerKind.PROVIDER, article=place.article, limit=str(limit))


def _decided(session: DirectSession, inputs: ListInputs, outputs: Outputs, records: int) -> Decided:
    """Whom the records meet in the tables, and what that comes to."""
    pieces = []
    for number, record in enumerate(inputs.records):
        # Spec 60, step 12.
        found = outputs.take(inputs.slots[number])
        pieces.append(look_up(session.tables, found, number, record))
    met = standing(session.tables, LabelMeetings.joined(pieces))
    ids = [source.table_id for source in session.tables]
    codes = len(session.place.flow.codes)
    schema = session.schema.at(session.manifests[0].rows)
    people, said = opened(schema, ids, met, inputs.asked(records), codes)
    return decide(schema, records, people, said)


def _vouched(
    session: DirectSession,
    requested: RequestList,
    asked: NDArray[np.bool_],
    answers: RecordAnswers,
) -> RecordAnswers:
    """The answers, «not found» said only where the provider found enough of its own people."""
    given, policy = session.manifests[0].given, session.place.flow.match
    return vouch(answers, given, session.schema, requested.records, asked, policy.min_found)


def key_counts(session: DirectSession, decided: Decided, rows: int) -> tuple[KeyCounts, ...]:
    """What each key cost and met, of a list that was put as so many ``rows``."""
    return tuple(
        KeyCounts(
            key.id,
            rows * most_values(session.fields, key),
            decided.settled_by(number, MATCHED),
            decided.settled_by(number, AMBIGUOUS),
        )
        for number, key in enumerate(session.schema.keys)
    )


def direct_result(
    place: FlowPlace,
    schema: DirectSchema,
    requested: RequestList,
    decided: Decided,
    keys: Sequence[KeyCounts] = (),
    by: AnsweredBy = NOBODY,
    tables: str = "",
) -> ConfirmResult:
    """Word the answers, which the label tables ``by``, of that fingerprint, gave."""
    flow = place.flow
    checked = replace(decided.answers, checks=_checks(flow, schema, decided))
    ways = ["+".join(schema.keys[number].id for number in way) for way in decided.ways]
    table = result_table(flow, ways, requested, checked, place.party_names, by)
    return ConfirmResult(
        table=with_way(table, "direct"),
        quarantine=requested.quarantine,
        counts=count_codes(flow, table),
        keys=tuple(keys),
        run=f"{place.name}/labelTables/{by.edition}" if by.edition else "",
        edition=by.edition,
        tables=tables,
        charged=rounded_records(requested.size, schema),
    )


def with_way(table: pa.Table, mode: str) -> pa.Table:
    """A result table with the column that says the way, "" where nothing answered."""
    passes = table["jalur"]
    way = pc.binary_join_element_wise(mode, passes, ":")
    return table.append_column(WAY, pc.if_else(pc.equal(passes, ""), "", way))


def _checks(flow: Flow, schema: DirectSchema, decided: Decided) -> NDArray[np.uint8]:
    """A field agrees if a key that met the person has it whole; labels tell nothing of others."""
    answers = decided.answers
    checks = np.full((len(answers), len(flow.confirm)), UNCHECKED, np.uint8)
    matched = answers.outcome == MATCHED
    for number, way in enumerate(decided.ways):
        mine = matched & (answers.answered_by == number)
        for bit, name in enumerate(flow.confirm):
            if any(name in schema.keys[key].exact for key in way):
                checks[mine, bit] = SAME
    return checks
