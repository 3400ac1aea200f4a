"""What answers can tell of one person at most: counted, and checked by counting out."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import pytest

from padan_lab.demo.flows import with_filters
from padan_linkage.agreement import Quota, example, load_agreement
from padan_linkage.agreement.oracle import OracleBound, oracle_bound
from padan_linkage.schema import Schema

SHIPPED = example("kemnaker-bkn-2024")
FLOW = load_agreement(SHIPPED).flow("asn-status")
FILTERED = load_agreement(with_filters(SHIPPED)).flow("asn-status")
ONE_PASS = Schema.model_validate(
    {
        "fields": [{"name": "nik", "kind": "nik"}, {"name": "nama", "kind": "person_name"}],
        "passes": [{"id": "nik", "exact": ["nik"], "similar": [{"fields": ["nama"]}]}],
    }
)
#: Answers that a question gets which tell something: matched, several, undecided.
ANSWERS = 3


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
    assert oracle_bound(FILTERED) == pytest.approx(math.log2(1 + ANSWERS))
    assert oracle_bound(replace(FILTERED, real_time=False)) < oracle_bound(FILTERED)
    with pytest.raises(ValueError, match="no schema"):
        oracle_bound(replace(FLOW, schema=None))


@pytest.mark.parametrize(("guesses", "fields"), [(1, 0), (3, 0), (2, 1), (2, 2), (3, 1)])
def test_of_a_token_and_its_tags_every_transcript_is_counted(guesses, fields):
    """Rows of one pass, each a guess at the token and at every confirmed field, counted out."""
    p = {"id": "nik", "exact": ["nik"], "confirm": ["nama", "lahir"][:fields]}
    kinds = {"nik": "nik", "nama": "person_name", "lahir": "date"}
    named = [{"name": name, "kind": kind} for name, kind in kinds.items()]
    schema = Schema.model_validate({"fields": named, "passes": [p]})
    # A person: the token, there once or twice; of each field a value, which may be empty (-1).
    people = product(range(guesses + 1), (1, 2), *[range(-1, guesses + 1)] * fields)
    for asked in product(range(guesses), repeat=guesses):  # each row's guess at the token
        transcripts = {answers(asked, *person) for person in people}
        assert math.log2(max(1, len(transcripts))) <= bound(schema).of_list(guesses) + 1e-9


def answers(asked, token, times, *values):
    """What a unit says of each row, whose guess at every field is its own number."""
    told = []
    for row, guess in enumerate(asked):
        checks = [(value == row, value < 0) for value in values] if times == 1 else []
        told.append((times, *checks) if guess == token else ())
    return tuple(told)


def test_without_filters_no_list_is_closed_and_a_guess_more_tells_hardly_more():
    made = OracleBound.of(FLOW)
    assert made.of_epoch(1, 256) == made.of_list(256)
    guesses = len(FLOW.schema.passes) * math.log2(1 + 2 * 256)
    assert made.of_list(256) == pytest.approx(guesses)
    assert made.of_list(256) < OracleBound.of(FILTERED).of_list(256) / 2
