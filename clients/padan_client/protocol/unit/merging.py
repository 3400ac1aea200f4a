"""From the answers of separate passes to one answer a record; only at home may passes be joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from padan_client.protocol.session import Session
from padan_client.protocol.unit.collect import SealKey, broken
from padan_client.protocol.unit.opening import open_codes
from padan_client.records.lists import RequestList
from padan_linkage.agreement import Flow
from padan_linkage.answering.answers import OpenedAnswers, PassAnswers, RecordAnswers
from padan_linkage.answering.estimates import Expected
from padan_linkage.answering.outcomes import (
    DIFFERENT,
    EMPTY,
    SAME,
    UNCHECKED,
)
from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.sealing import Opener
from padan_linkage.edition.applying import rule_of
from padan_linkage.edition.document import Edition
from padan_linkage.edition.expecting import expected as expected_of
from padan_linkage.edition.words import read
from padan_linkage.merging.merge import merge
from padan_linkage.merging.rule import MergeRule
from padan_linkage.schema import Pass, Schema


def open_pass(
    session: Session,
    answers: PassAnswers,
    seal: SealKey,
    record_of_row: NDArray[np.int64],
    tokens: NDArray[np.uint8],
    openers: dict[SealKey, Opener],
    rate: float,
) -> OpenedAnswers:
    """Undo the permutation of one pass and open its codes.

    Raises VerificationError where codes are not for their rows or say what the flow does not have.
    """
    packed, genuine = open_codes(session, answers, seal, tokens, openers, rate)
    said = Payloads.unpack(packed)
    known = np.uint64((1 << len(session.place.flow.codes)) - 1)
    if not said.valid[genuine].all() or (said.codes[genuine] & ~known).any():
        raise broken(answers.pass_id, "codes")
    row = _numbered(session.place.flow, answers)
    return OpenedAnswers.of(answers, record_of_row, said, ~genuine, row)


def _numbered(flow: Flow, answers: PassAnswers) -> NDArray[np.int64]:
    """Numbers of the registry's rows behind the matched rows, int64[m].

    Equal sealed codes are one row; that is worth finding out only where a row may answer one record
    at most.
    """
    if not flow.match.one_to_one:
        return answers.matched_rows
    codes = np.unique(answers.sealed, axis=0, return_inverse=True)
    number: NDArray[np.int64] = codes[1].reshape(-1)
    return number


def merge_passes(
    flow: Flow,
    schema: Schema,
    requested: RequestList,
    opened: Sequence[OpenedAnswers],
    edition: Edition | None,
    key: LinkageKey | None,
) -> tuple[RecordAnswers, Expected | None]:
    """One answer a record, and how right the answers are.

    ``edition``: what the registry's answers rest on, None where nobody was asked; ``key`` reads its
    common words, None where they stand there in the clear, as in the laboratory. An answer that did
    not open is none (spec 25, "Opening").
    """
    if edition is not None and key is not None:
        edition = read(edition, key, schema, requested.records)
    # Spec 35, step 6.
    rule = _rule(flow, schema, requested, opened, edition)
    answers = merge(len(requested), opened, rule, one_to_one=flow.match.one_to_one)
    expected = None if edition is None else expected_of(rule, answers)
    checks = _checks(flow, schema, requested, opened, answers)
    ids = [p.id for p in schema.passes]
    numbers = np.array([*(ids.index(o.pass_id) for o in opened), -1], np.int64)
    return replace(answers, answered_by=numbers[answers.answered_by], checks=checks), expected


def _rule(
    flow: Flow,
    schema: Schema,
    requested: RequestList,
    opened: Sequence[OpenedAnswers],
    edition: Edition | None,
) -> MergeRule:
    """What the answers to each record have to be, by the fields that it has."""
    if edition is None:
        return MergeRule.unknown(len(requested), len(opened))
    passes = [o.pass_id for o in opened]
    return rule_of(edition, schema, flow.match, requested.records, passes)


def _checks(
    flow: Flow,
    schema: Schema,
    requested: RequestList,
    opened: Sequence[OpenedAnswers],
    answers: RecordAnswers,
) -> NDArray[np.uint8]:
    """The field checks of every record by the pass that answered, ``uint8[n, fields]``."""
    checks = np.full((len(requested), len(flow.confirm)), UNCHECKED, np.uint8)
    for number, o in enumerate(opened):
        records = np.flatnonzero(answers.answered_by == number)
        position = answers.position[records]
        p = schema.get_pass(o.pass_id)
        for bit, name in enumerate(flow.confirm):
            same = _same(p, name, o.confirmations[position])
            if same is None:
                continue
            found = np.where(same, SAME, DIFFERENT)
            found = np.where(requested.filled(name, records), found, UNCHECKED)
            theirs_empty = o.payload.empty[position] >> np.uint32(bit) & np.uint32(1) == 1
            checks[records, bit] = np.where(theirs_empty, EMPTY, found)
    return checks


def _same(p: Pass, name: str, confirmations: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Whether both sides' values of a field agree in this pass; None where it cannot tell."""
    if name in p.exact:
        return np.ones(len(confirmations), np.bool_)
    if name in p.confirm:
        byte, bit = divmod(p.confirm.index(name), 8)
        return (confirmations[:, byte] >> np.uint8(bit) & np.uint8(1)).astype(np.bool_)
    return None
