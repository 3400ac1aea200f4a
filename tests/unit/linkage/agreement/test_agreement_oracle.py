"""What answers can tell of one person at most: counted, and checked by counting out."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import pytest

from padan_linkage.agreement import Quota, example, load_agreement
from padan_linkage.agreement.oracle import OracleBound, oracle_bound
from padan_linkage.schema import Schema

FLOW = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
ONE_PASS = Schema.model_validate(
    {
        "fields": [{"name": "nik", "kind": "nik"}, {"name": "nama", "kind": "person_name"}],
        "passes": [{"id": "nik", "exact": ["nik"], "similar": [{"fields": ["nama"]}]}],
    }
)
#: Answers that a question gets which tell something: three bands, several, undecided.
ANSWERS = 5


def bound(schema=ONE_PASS, **quota):
    given = Quota(records_per_day=1_000_000, records_per_list=1_000_000, **quota)
    return OracleBound(schema, given, real_time=False)


@pytest.mark.parametrize(("questions", "met"), [(1, 1), (3, 2), (4, 4), (4, 9)])
def test_every_transcript_is_counted_once(questions, met):
    """All ways to answer few questions, of which so many at most are answered, one by one."""
    ways = product(range(ANSWERS + 1), repeat=questions)
    counted = sum(sum(answer > 0 for answer in way) <= met for way in ways)
    made = bound(questions_per_row=met, questions_per_row_epoch=met)
    assert made.of_list(questions) == pytest.approx(math.log2(counted))


def test_more_of_anything_tells_more():
    least = bound()
    assert least.of_list(512) > least.of_list(256)
    assert bound(questions_per_row=9).of_list(256) > least.of_list(256)
    assert least.of_epoch(12, 256) > least.of_epoch(11, 256)
    assert bound(epochs_per_year=25).of_year(256) > least.of_year(256)
    assert bound(lists_per_epoch=2).of_year(256) > least.of_year(256)
    two = ONE_PASS.model_copy(
        update={"passes": (*ONE_PASS.passes, ONE_PASS.passes[0].model_copy(update={"id": "b"}))}
    )
    assert bound(two).of_list(256) == pytest.approx(2 * least.of_list(256))


def test_a_charged_row_tells_less_in_a_longer_list():
    made = bound()
    assert made.per_record == pytest.approx(made.of_epoch(1, 256) / 256)
    assert made.of_epoch(1, 256) == pytest.approx(made.of_list(256) + 1)  # was it closed?
    assert bound(minimum_batch=1000).per_record < made.per_record


def test_a_question_asked_alone_tells_what_its_answer_can_say():
    assert oracle_bound(FLOW) == pytest.approx(math.log2(1 + ANSWERS))
    assert oracle_bound(replace(FLOW, real_time=False)) < oracle_bound(FLOW)
    with pytest.raises(ValueError, match="no schema"):
        oracle_bound(replace(FLOW, schema=None))
