"""Answers of all passes, brought together at home: what the agreement's demand leaves of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from agency import make_session, small_passes
from signing import write_signed

from padan.v1 import resources_pb2
from padan_client.protocol.unit.collect import pass_estimate
from padan_client.protocol.unit.merging import merge_passes
from padan_client.records.lists import prepare_list
from padan_linkage.answering.answers import OpenedAnswers
from padan_linkage.answering.estimates import PassEstimate
from padan_linkage.answering.outcomes import BELOW_PRECISION, MATCHED, NOT_MATCHED, UNDECIDED
from padan_linkage.answering.payloads import Payloads
from padan_linkage.policy import MatchPolicy

SURE, WEAK, ASKED = 990, 10, 1200
FOUND = SURE + WEAK


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    signed = write_signed(tmp_path_factory.mktemp("signed"), edit=small_passes)
    return make_session(signed, "asn-status", provider=False)


@pytest.fixture(scope="module")
def requested(session):
    records = [{"nik": "", "nama": "ORANG", "tanggal_lahir": "1980-01-01"}] * ASKED
    return prepare_list(session.schema, records, columns=None, id_column=None)


def opened() -> OpenedAnswers:
    """One pass answers a thousand records, ten of them in the weakest band."""
    outcome = np.full(ASKED, NOT_MATCHED, np.uint8)
    outcome[:FOUND] = MATCHED
    band = np.zeros(ASKED, np.uint8)
    band[:SURE], band[SURE:FOUND] = 3, 1
    return OpenedAnswers(
        "lahir",
        record=np.arange(ASKED),
        outcome=outcome,
        band=band,
        payload=Payloads.of((outcome == MATCHED).astype(np.uint64), day=7),
        failed=np.zeros(ASKED, np.bool_),
        row=np.arange(ASKED),
        confirmations=np.zeros((ASKED, 1), np.uint8),
        score=np.zeros(ASKED, np.float32),
    )


def merged(session, requested, *, errors=(), unanswered=None, estimated=True, policy=None):
    flow = replace(session.place.flow, match=policy or MatchPolicy(min_precision=0.999))
    estimate = PassEstimate("lahir", ASKED, 10, FOUND, 0, 0.998, 0.99, errors, unanswered)
    passes = [estimate] if estimated else []
    answered, expected = merge_passes(flow, session.schema, requested, [opened()], passes)
    return answered, expected


def test_answers_that_the_union_cannot_vouch_for_are_undecided(session, requested):
    answered, expected = merged(session, requested, errors=(0.3, 1.0, 0.0002), unanswered=30.0)
    assert (answered.outcome[:SURE] == MATCHED).all()
    assert (answered.outcome[SURE:FOUND] == UNDECIDED).all()
    assert (answered.reason[SURE:FOUND] == BELOW_PRECISION).all()
    assert (answered.outcome[FOUND:] == NOT_MATCHED).all()
    doubtful = slice(SURE, FOUND)
    for column in (answered.code, answered.band, answered.day):
        assert not column[doubtful].any()
    assert expected.dropped == WEAK
    assert expected.precision.value == pytest.approx(0.9998)
    assert expected.recall.low < SURE / (SURE + 37) < expected.recall.high < 1


def test_a_softer_demand_keeps_them(session, requested):
    soft = MatchPolicy(min_precision=0.99)
    answered, expected = merged(session, requested, errors=(0.3, 1.0, 0.0002), policy=soft)
    assert (answered.outcome[:FOUND] == MATCHED).all()
    assert expected.precision.value == pytest.approx(1 - (0.3 * WEAK + 0.0002 * SURE) / FOUND)


def test_a_tolerated_rate_of_false_matches_is_kept_to(session, requested):
    rate = MatchPolicy(min_precision=0.9, max_false_match_rate=0.002)
    _, expected = merged(session, requested, errors=(0.3, 1.0, 0.0002), policy=rate)
    assert expected.dropped == WEAK


@pytest.mark.parametrize("estimated", [True, False])
def test_without_estimates_by_band_every_answer_is_believed_as_demanded(
    session, requested, estimated
):
    answered, expected = merged(session, requested, estimated=estimated)
    assert (answered.outcome[:FOUND] == MATCHED).all()
    assert expected is None or expected.precision.value == pytest.approx(0.999)


@pytest.mark.parametrize(
    "errors",
    [[], [0.1], [0.1] * 4, [-0.1, 0.0, 0.0], [1.1, 0.0, 0.0], [float("nan"), 0.0, 0.0]],
)
@pytest.mark.parametrize("unanswered", [None, -1.0, float("nan"), float("inf")])
def test_estimates_that_cannot_be_are_not_believed(errors, unanswered):
    estimate = pass_estimate(
        resources_pb2.PassEstimate(
            pass_id="lahir",
            estimated=True,
            precision=0.99,
            recall=2.0,
            band_errors=errors,
            unanswered_matches=unanswered,
        )
    )
    assert (estimate.band_errors, estimate.unanswered) == ((), None)
    assert (estimate.precision, estimate.recall) == (0.99, None)


def test_plausible_estimates_arrive():
    estimate = resources_pb2.PassEstimate(band_errors=[0.5, 1.0, 0.0], unanswered_matches=0.0)
    assert pass_estimate(estimate).band_errors == (0.5, 1.0, 0.0)
    assert pass_estimate(estimate).unanswered == 0.0
