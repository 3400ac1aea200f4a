"""From a list to its answers in direct mode: key after key, only for rows that are still open.

Everything is at home; the provider sees blinded elements and roughly how many. Identifiers come
first in the agreement's order, tolerant keys after them; labels that differ are ambiguous, never a
guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan.v1.reason_texts import Reason, ServerKind
from padan_client.base.effects import Steps, work
from padan_client.base.errors import VerificationError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.base.reasons import refused
from padan_client.protocol.direct.evaluating import ListEvaluation, evaluate
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
from padan_linkage.answering.outcomes import MATCHED, SAME, STRONGEST_BAND, UNCHECKED
from padan_linkage.answering.payloads import day_number
from padan_linkage.direct.inputs import requester_inputs
from padan_linkage.direct.lookup import Found, look_up, settle
from padan_linkage.direct.measuring import vouch
from padan_linkage.direct.schema import DirectKey, DirectSchema

#: Column that says which way a row was answered: ``direct:<key>`` or ``unit:<pass>``.
WAY = "cara"
#: Bands of an identifier that agreed, and of a tolerant key.
_SURE, _LIKELY = STRONGEST_BAND, STRONGEST_BAND - 1


def answer(
    evaluation: ListEvaluation, requested: RequestList
) -> Steps[tuple[RecordAnswers, dict[str, int]]]:
    """Ask for the list's records, one key after another: the answers, and evaluations by key.

    The day that codes state is that of the base table: labels may be that old. Raises
    VerificationError where a label does not open or says what the flow does not have.
    """
    answers = RecordAnswers.none(len(requested))
    evaluated: dict[str, int] = {}
    for number, key in enumerate(evaluation.session.schema.keys):
        # Spec 60, step 7.
        batch = yield from work(partial(_batch, evaluation, requested, answers, key))
        if not batch.size:
            continue
        _require_allowed(evaluation, batch.size)
        evaluated[key.id] = batch.size
        outputs = yield from evaluate(evaluation, key.id, batch.messages, batch.size)
        yield from work(partial(_take, evaluation, answers, number, outputs, batch))
    base = evaluation.session.manifests[0]
    made = base.created_at.astimezone(JAKARTA).date()
    answers.day[answers.outcome == MATCHED] = day_number(made)
    # Spec 60, step 14.
    return (yield from work(partial(_vouched, evaluation.session, requested, answers))), evaluated


def _vouched(
    session: DirectSession, requested: RequestList, answers: RecordAnswers
) -> RecordAnswers:
    """The answers, «not found» said only where the provider found enough of its own people."""
    given, policy = session.manifests[0].given, session.place.flow.match
    return vouch(answers, given, session.schema, requested.records, policy.min_found)


@dataclass(frozen=True, repr=False)
class _Batch:
    """What one key asks: distinct ``messages``, filled up with random ones to ``size``.

    ``which``, ``record``: int64[m], the message and the record of each input.
    """

    messages: list[bytes]
    which: NDArray[np.int64]
    record: NDArray[np.int64]
    size: int


def _batch(
    evaluation: ListEvaluation, requested: RequestList, answers: RecordAnswers, key: DirectKey
) -> _Batch:
    """The distinct inputs of the open records, and how many elements to send."""
    open_records = np.flatnonzero(answers.answered_by < 0)
    fields, schema = evaluation.session.fields, evaluation.session.schema
    made = requester_inputs(fields, key, requested.subset(open_records))
    coded = pc.dictionary_encode(made.messages)
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    messages = coded.dictionary.to_pylist()
    if evaluation.hide_found:
        everybody = np.arange(len(requested))
        inputs = len(requester_inputs(fields, key, requested.subset(everybody)).record)
        size = whole_size(inputs, len(requested))
    else:
        size = rounded_size(len(messages), len(requested), schema.evaluations_per_list)
    fewest = schema.minimum_batch if size else 0
    which = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return _Batch(messages, which, open_records[made.record], max(size, fewest))


def rounded_size(inputs: int, records: int, limit: int) -> int:
    """Elements sent for ``inputs`` of a list of ``records``: up to a sixteenth of the list more.

    So the provider learns only roughly how many rows an earlier key left open (spec 60, "Sizes").
    Rounding alone never exceeds ``limit``.
    """
    step = 1 << max(0, records.bit_length() - 5)
    return max(inputs, min(-(-inputs // step) * step, limit))


def whole_size(inputs: int, records: int) -> int:
    """Elements sent for a key by whose inputs for all ``records`` are counted: whole lists.

    For a key of one value a record that is the list's length, whatever was found, is missing or
    comes twice.
    """
    return max(1, -(-inputs // records)) * records


def _require_allowed(evaluation: ListEvaluation, size: int) -> None:
    """Refuse to send a list that the provider would refuse."""
    limit = evaluation.session.schema.evaluations_per_list
    if size > limit:
        place, reason = evaluation.session.place, Reason.QUOTA_LIST_EXCEEDED
        raise refused(reason, place, ServerKind.PROVIDER, article=place.article, limit=str(limit))


def _take(
    evaluation: ListEvaluation,
    answers: RecordAnswers,
    number: int,
    outputs: NDArray[np.uint8],
    batch: _Batch,
) -> None:
    session, which = evaluation.session, batch.which
    # Spec 60, step 12.
    found = look_up(session.tables, outputs)
    unknown = np.uint64(~((1 << len(session.place.flow.codes)) - 1) & (1 << 64) - 1)
    empty = found.hit & ~found.ambiguous & (found.codes == 0)
    if found.failed.any() or (found.codes & unknown).any() or empty.any():
        raise _wrong_label(session.schema.keys[number].id)
    # Spec 60, step 13.
    settle(
        answers,
        number,
        _LIKELY if session.schema.keys[number].tolerant else _SURE,
        batch.record,
        Found(found.hit[which], found.codes[which], found.ambiguous[which], found.failed[which]),
    )


def key_counts(
    schema: DirectSchema, answers: RecordAnswers, evaluated: Mapping[str, int]
) -> tuple[KeyCounts, ...]:
    """What each key cost and settled."""
    by, matched = answers.answered_by, answers.outcome == MATCHED
    return tuple(
        KeyCounts(
            key.id,
            evaluated.get(key.id, 0),
            int(((by == number) & matched).sum()),
            int(((by == number) & ~matched).sum()),
        )
        for number, key in enumerate(schema.keys)
    )


def direct_result(
    place: FlowPlace,
    schema: DirectSchema,
    requested: RequestList,
    answers: RecordAnswers,
    evaluated: Mapping[str, int],
    by: AnsweredBy = NOBODY,
) -> ConfirmResult:
    """Word the answers, which the label tables ``by`` gave."""
    flow = place.flow
    checked = replace(answers, checks=_checks(flow, schema, answers))
    ids = [key.id for key in schema.keys]
    table = result_table(flow, ids, requested, checked, place.party_names, by)
    return ConfirmResult(
        table=with_way(table, "direct"),
        quarantine=requested.quarantine,
        counts=count_codes(flow, table),
        keys=key_counts(schema, answers, evaluated),
        run=f"{place.name}/labelTables/{by.edition}" if by.edition else "",
        edition=by.edition,
    )


def with_way(table: pa.Table, mode: str) -> pa.Table:
    """A result table with the column that says the way, "" where nothing answered."""
    passes = table["jalur"]
    way = pc.binary_join_element_wise(mode, passes, ":")
    return table.append_column(WAY, pc.if_else(pc.equal(passes, ""), "", way))


def _checks(flow: Flow, schema: DirectSchema, answers: RecordAnswers) -> NDArray[np.uint8]:
    """A field agrees if the key that answered has it whole; a label tells nothing of the others."""
    checks = np.full((len(answers), len(flow.confirm)), UNCHECKED, np.uint8)
    matched = answers.outcome == MATCHED
    for number, key in enumerate(schema.keys):
        mine = matched & (answers.answered_by == number)
        for bit, name in enumerate(flow.confirm):
            if name in key.exact:
                checks[mine, bit] = SAME
    return checks


def _wrong_label(key_id: str) -> VerificationError:
    return VerificationError(
        t(
            f"Tabel penyedia memuat jawaban yang tidak sah (kunci {key_id}). Tidak ada kode yang "
            "diterima; hubungi penyedia.",
            f"The provider's table holds an invalid answer (key {key_id}). No code was taken; "
            "ask the provider.",
        )
    )
