"""All passes together: what is kept, and what is said of it without the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.merging.union import (
    Claims,
    best_f1,
    chance_of_error,
    demanded,
    poisson_above,
    poisson_below,
    surest,
    together,
)

ERRORS = st.lists(st.floats(0, 1), max_size=30)


def claims(record, error, *, exact=False, unanswered=None) -> Claims:
    return Claims(
        np.array(record, np.int64),
        np.array(error, np.float64),
        exact,
        unanswered,
    )


def held(passes, n, *, policy=None, most=None, unclear=()):
    """Everybody that a pass answers is answered."""
    answered = np.zeros(n, np.bool_)
    for p in passes:
        answered[p.record] = True
    doubtful = np.zeros(n, np.bool_)
    doubtful[np.array(unclear, np.int64)] = True
    return together(answered, doubtful, passes, demanded(policy or MatchPolicy()), most)


def test_wrong_answers_of_different_records_add_up():
    apart = [claims([0, 1], [0.2, 0.0]), claims([2, 3], [0.2, 0.0])]
    assert chance_of_error(5, apart) == pytest.approx([0.2, 0.0, 0.2, 0.0, 1.0])
    same = [claims([0, 1], [0.2, 0.0])] * 2
    assert chance_of_error(5, same)[:2] == pytest.approx([0.2, 0.0])


def test_the_hope_of_choosing_the_best_pass_is_taken_back():
    """Two passes of ten wrong answers in all, which they see in different places."""
    record = np.arange(100)
    first, second = np.full(100, 0.02), np.full(100, 0.02)
    first[:50], second[50:] = 0.08, 0.08
    error = chance_of_error(100, [claims(record, first), claims(record, second)])
    assert error.sum() == pytest.approx(5.0)


def test_a_pass_that_is_sure_vouches_for_the_answers_of_another():
    sure, vague = claims([0, 1], [0.0, 0.0]), claims([1, 2], [0.3, 0.3])
    assert chance_of_error(3, [sure, vague])[1] == 0
    assert chance_of_error(3, [sure, vague])[2] == pytest.approx(0.6)


@given(ERRORS, st.floats(0.5, 0.999))
def test_the_surest_answers_meet_the_demand(errors, demand):
    error = np.array(errors, np.float64)
    kept = surest(error, demand)
    assert not kept.any() or error[kept].mean() <= 1 - demand + 1e-9
    if kept.any() and not kept.all():
        assert error[kept].max() < error[~kept].min()


@given(ERRORS, st.floats(0, 50))
def test_no_other_line_has_a_better_expected_f1(errors, unseen):
    error = np.array(errors, np.float64)
    total = (1 - error).sum() + unseen

    def f1(kept):
        return (1 - error[kept]).sum() / (kept.sum() + total) if kept.any() else 0.0

    best = f1(best_f1(unseen)(error))
    assert all(f1(error <= line) <= best + 1e-12 for line in errors)


def test_answers_that_break_the_demand_are_dropped():
    many = claims(range(1000), [0.0001] * 990 + [0.4] * 10)
    result = held([many], 1000, policy=MatchPolicy(min_precision=0.999), most=1000)
    assert result.kept.tolist() == [True] * 990 + [False] * 10
    assert result.expected.dropped == 10
    assert result.expected.precision.value == pytest.approx(0.9999)
    assert result.expected.recall.high == pytest.approx(990 / 996, abs=1e-3)


def test_recall_has_no_value_where_unseen_matches_may_be_many():
    filters = claims(range(500), [0.001] * 500, unanswered=40.0)
    recall = held([filters], 1000, most=1000).expected.recall
    assert recall.value is None
    assert recall.low == pytest.approx(0.5, abs=0.01)
    assert recall.high == pytest.approx(500 / (500 + math.floor(poisson_below(40))), abs=1e-3)


def test_what_other_passes_may_have_answered_is_not_held_against_a_pass():
    def high(more):
        """Another pass answers the same and ``more`` records, to which the 40 may belong."""
        number = 500 + more
        passes = [
            claims(range(500), [0.0] * 500, unanswered=40.0),
            claims(range(number), [0.0] * number),
        ]
        return held(passes, 1000, most=1000).expected.recall.high

    assert high(40) == 1.0
    assert high(10) == pytest.approx(510 / (510 + math.floor(poisson_below(30))), abs=1e-3)


def test_a_list_that_is_nearly_all_found_leaves_recall_little_room():
    recall = held([claims(range(990), [0.0] * 990)], 1000, most=1000).expected.recall
    assert recall.low <= recall.value <= recall.high
    assert recall.high - recall.low < 0.05


def test_exact_passes_see_every_match_that_they_can_find():
    recall = held(
        [claims(range(900), [0.0] * 900, exact=True)], 2000, most=2000, unclear=range(950, 970)
    ).expected.recall
    assert (recall.low, recall.high) == (pytest.approx(900 / 920, abs=0.005), 1.0)
    assert recall.value == pytest.approx((recall.low + recall.high) / 2)


def test_nothing_is_said_of_no_answers():
    for passes in ([], [claims([], [])]):
        expected = held(passes, 5, most=5).expected
        assert (expected.precision.value, expected.recall.value) == (None, None)


def test_of_one_file_nobody_knows_how_many_pairs_there_are():
    recall = held([claims(range(90), [0.01] * 90)], 90).expected.recall
    assert (recall.value, recall.low) == (None, None)


@pytest.mark.parametrize("mean", [0.5, 4.0, 30.0, 400.0])
def test_the_bounds_hold_nine_counts_in_ten(mean):
    counts = np.random.default_rng(1).poisson(mean, 20_000)
    inside = np.mean([poisson_below(c) <= mean <= poisson_above(c) for c in counts.tolist()])
    assert inside >= 0.89
