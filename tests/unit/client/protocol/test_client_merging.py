"""Answers of all passes, brought together at home: what the edition leaves of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from agency import make_session, small_passes
from signing import write_signed

from padan.v1 import resources_pb2
from padan_client.protocol.unit.collect import pass_counts
from padan_client.protocol.unit.merging import merge_passes
from padan_client.records.lists import prepare_list
from padan_lab.bench.rates.unmeasured import open_edition
from padan_linkage.answering.answers import OpenedAnswers, PassCounts
from padan_linkage.answering.outcomes import (
    ALONE,
    FIELDS_MISSING,
    MATCHED,
    NOT_MATCHED,
    SELDOM_FOUND,
    UNDECIDED,
)
from padan_linkage.answering.payloads import Payloads

FOUND, ASKED = 6, 10


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    signed = write_signed(tmp_path_factory.mktemp("signed"), edit=small_passes)
    return make_session(signed, "asn-status", provider=False)


@pytest.fixture(scope="module")
def requested(session):
    """Ten people without a NIK."""
    person = {"nik": "", "nama": "ORANG", "tempat_lahir": "", "tanggal_lahir": "1980-01-01"}
    records = [person] * ASKED
    return prepare_list(session.schema, records, columns=None, id_column=None)


def merged(session, requested, **given):
    """Outcomes and reasons where one pass finds six of the ten, under an edition with changes."""
    outcome = np.repeat(np.array([MATCHED, NOT_MATCHED], np.uint8), [FOUND, ASKED - FOUND])
    opened = OpenedAnswers(
        "lahir",
        record=np.arange(ASKED),
        outcome=outcome,
        payload=Payloads.of((outcome == MATCHED).astype(np.uint64), day=7),
        failed=np.zeros(ASKED, np.bool_),
        row=np.arange(ASKED),
        confirmations=np.zeros((ASKED, 1), np.uint8),
        score=np.zeros(ASKED, np.float32),
    )
    place = session.place
    edition = open_edition(session.schema, place.digest, place.flow.id, place.flow.match, {})
    changed = tuple(replace(each, **given) for each in edition.given)
    edition = replace(edition, given=changed)
    answered, _ = merge_passes(place.flow, session.schema, requested, [opened], edition, None)
    return answered.outcome, answered.reason


def test_what_the_edition_vouches_for_is_answered(session, requested):
    outcome, reason = merged(session, requested)
    assert outcome.tolist() == [MATCHED] * FOUND + [NOT_MATCHED] * (ASKED - FOUND)
    assert not reason.any()


def test_not_found_is_not_said_where_these_fields_are_found_too_seldom(session, requested):
    outcome, reason = merged(session, requested, noticed=0.5)
    assert outcome.tolist() == [MATCHED] * FOUND + [UNDECIDED] * (ASKED - FOUND)
    assert (reason[FOUND:] == SELDOM_FOUND).all()


def test_a_pass_that_may_not_answer_alone_answers_nobody(session, requested):
    outcome, reason = merged(session, requested, answering=())
    assert (outcome[:FOUND] == UNDECIDED).all()
    assert (reason[:FOUND] == ALONE).all()


def test_where_nobody_could_be_asked_nobody_is_called_not_found(session, requested):
    flow = session.place.flow
    answered, _ = merge_passes(flow, session.schema, requested, [], None, None)
    assert (answered.outcome == UNDECIDED).all()
    assert (answered.reason == FIELDS_MISSING).all()


def test_counts_arrive_as_the_unit_sends_them():
    message = resources_pb2.PassCounts(
        pass_id="nik",
        requester_rows=256,
        provider_rows=512,
        matched_rows=30,
        ambiguous_rows=2,
        undecided_rows=1,
    )
    assert pass_counts(message) == PassCounts("nik", 256, 512, 30, 2, 1)
