"""Merging the answers of separate passes."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.answering.answers import OpenedAnswers
from padan_linkage.answering.outcomes import (
    ALONE,
    AMBIGUOUS,
    BELOW_PRECISION,
    CODES_DIFFER,
    DISPLACED,
    FIELDS_MISSING,
    MATCHED,
    NO_REASON,
    NOT_MATCHED,
    SELDOM_FOUND,
    UNDECIDED,
)
from padan_linkage.answering.payloads import Payloads
from padan_linkage.merging.merge import merge as merge_by
from padan_linkage.merging.rule import MergeRule


def _answers(*rows, score=None) -> OpenedAnswers:
    """Rows (record, outcome, code, kind) with kind "", "decoy" or "failed"."""
    return OpenedAnswers(
        pass_id="nik",
        record=np.array([r[0] for r in rows], np.int64),
        outcome=np.array([r[1] for r in rows], np.uint8),
        payload=Payloads.of(
            np.array([r[2] for r in rows], np.uint64),
            decoy=np.array([r[3] == "decoy" for r in rows]),
            day=7,
        ),
        failed=np.array([r[3] == "failed" for r in rows]),
        row=np.arange(len(rows)),
        confirmations=np.zeros((len(rows), 0), np.uint8),
        score=np.array(score or [0] * len(rows), np.float32),
    )


def merge(records, opened, **options):
    return merge_by(records, opened, MergeRule.open(records, len(opened)), **options)


def test_passes_that_agree_give_their_code():
    merged = merge(1, [_answers((0, UNDECIDED, 0, "")), *[_answers((0, MATCHED, 2, ""))] * 2])
    assert (merged.outcome[0], merged.code[0], merged.reason[0]) == (MATCHED, 2, NO_REASON)
    assert (merged.answered_by[0], merged.position[0], merged.day[0]) == (1, 0, 7)


def test_codes_that_differ_leave_the_record_undecided_however_many_agree():
    passes = [_answers((0, MATCHED, code, "")) for code in (2, 1, 2, 2)]
    merged = merge(1, passes)
    assert (merged.outcome[0], merged.reason[0]) == (UNDECIDED, CODES_DIFFER)
    assert (merged.code[0], merged.day[0], merged.answered_by[0]) == (0, 0, -1)


def test_an_answer_without_a_code_is_of_several_people():
    assert merge(1, [_answers((0, MATCHED, 0, ""))] * 2).outcome[0] == AMBIGUOUS
    beside = merge(1, [_answers((0, MATCHED, code, "")) for code in (0, 1)])
    assert (beside.outcome[0], beside.reason[0]) == (UNDECIDED, CODES_DIFFER)


def test_matched_beats_undecided_beats_ambiguous_beats_not_matched():
    first = [(n, outcome, 0, "") for n, outcome in enumerate([AMBIGUOUS] * 3 + [NOT_MATCHED])]
    second = [(0, MATCHED, 1, ""), (1, UNDECIDED, 0, ""), (2, NOT_MATCHED, 0, "")]
    merged = merge(4, [_answers(*first), _answers(*second)])
    assert merged.outcome.tolist() == [MATCHED, UNDECIDED, AMBIGUOUS, NOT_MATCHED]
    assert merged.reason.tolist() == [NO_REASON, BELOW_PRECISION, NO_REASON, NO_REASON]


def test_decoys_and_codes_that_do_not_open_are_no_match():
    merged = merge(2, [_answers((0, MATCHED, 1, "decoy"), (1, MATCHED, 1, "failed"))])
    assert merged.outcome.tolist() == [NOT_MATCHED, NOT_MATCHED]


def test_a_record_that_no_pass_has_is_not_matched():
    assert merge(2, []).outcome.tolist() == [NOT_MATCHED, NOT_MATCHED]


def test_the_higher_score_is_kept_among_equals():
    passes = [_answers((0, MATCHED, 1, ""), score=[s]) for s in (5.0, 9.0, 7.0)]
    assert merge(1, passes).answered_by[0] == 1


def test_a_pass_that_may_not_answer_says_no_more_than_that_somebody_fits():
    seen = _answers((0, MATCHED, 1, ""), (1, AMBIGUOUS, 0, ""), (2, MATCHED, 1, ""))
    other = _answers((2, MATCHED, 2, ""))
    merged = merge_by(3, [seen, other], MergeRule.same(3, np.array([False, True])))
    assert merged.outcome.tolist() == [UNDECIDED, UNDECIDED, MATCHED]
    assert merged.reason.tolist() == [ALONE, ALONE, NO_REASON]
    assert merged.code.tolist() == [0, 0, 2]


def test_a_silent_pass_says_nothing():
    seen = _answers((0, MATCHED, 1, ""), (1, AMBIGUOUS, 0, ""), (2, UNDECIDED, 0, ""))
    rule = MergeRule.same(3, np.array([True]))
    silenced = replace(rule, silent=np.array([[True]]))
    assert merge_by(3, [seen], rule).outcome.tolist() == [MATCHED, AMBIGUOUS, UNDECIDED]
    assert (merge_by(3, [seen], silenced).outcome == NOT_MATCHED).all()


def test_not_found_is_said_only_where_it_is_vouched_for():
    no_pass = np.zeros((2, 0), np.bool_)
    unvouched = np.array([0, SELDOM_FOUND], np.uint8)
    kinds = MergeRule(np.array([0, 1, -1]), no_pass, no_pass, unvouched, np.zeros(2))
    merged = merge_by(3, [], kinds)
    assert merged.outcome.tolist() == [NOT_MATCHED, UNDECIDED, UNDECIDED]
    assert merged.reason.tolist() == [NO_REASON, SELDOM_FOUND, FIELDS_MISSING]


_ROW = st.tuples(
    st.sampled_from([NOT_MATCHED, MATCHED, AMBIGUOUS, UNDECIDED]),
    st.integers(0, 2),
    st.sampled_from(["", "decoy", "failed"]),
)
_SAYS = ("answers", "hints", "silent")
#: Of each pass what it may say, and its rows for four records.
_PASSES = st.lists(
    st.tuples(st.sampled_from(_SAYS), st.lists(_ROW, min_size=4, max_size=4)),
    min_size=1,
    max_size=5,
)


def _merged(passes):
    opened = [_answers(*((i, *row) for i, row in enumerate(rows))) for _, rows in passes]
    answering = np.array([says == "answers" for says, _ in passes])
    rule = MergeRule.same(4, answering)
    silent = np.array([[says == "silent" for says, _ in passes]])
    return merge_by(4, opened, replace(rule, silent=silent))


def _plainly(passes, record) -> tuple[int, int]:
    """Outcome and code of one record by the words of the rule."""
    heard = [(says, rows[record]) for says, rows in passes if says != "silent"]
    matched = [
        (says, code) for says, (outcome, code, kind) in heard if outcome == MATCHED and not kind
    ]
    several = [says for says, (outcome, *_) in heard if outcome == AMBIGUOUS]
    codes = {code for says, code in matched if says == "answers"}
    if codes == {0}:
        return AMBIGUOUS, 0
    if codes:
        return (MATCHED, codes.pop()) if len(codes) == 1 else (UNDECIDED, 0)
    unclear = any(outcome == UNDECIDED for _, (outcome, *_) in heard)
    if unclear or matched or "hints" in several:
        return UNDECIDED, 0
    return (AMBIGUOUS if several else NOT_MATCHED), 0


@given(_PASSES)
def test_merging_follows_the_rule(passes):
    """Four records; every pass answers each of them."""
    merged = _merged(passes)
    for record in range(4):
        assert (merged.outcome[record], merged.code[record]) == _plainly(passes, record)


@given(_PASSES, st.data())
def test_one_step_of_one_pass_never_turns_a_code_into_another_or_into_an_absence(passes, data):
    """New salts move a score a little; what that may do is to make a record undecided."""
    number = data.draw(st.integers(0, len(passes) - 1))
    says, rows = passes[number]
    outcome, _, kind = rows[0]
    if outcome == UNDECIDED or kind:
        return
    moved = list(passes)
    moved[number] = (says, [(UNDECIDED, 0, ""), *rows[1:]])
    results = {(int(m.outcome[0]), int(m.code[0])) for m in (_merged(passes), _merged(moved))}
    if len(results) == 2:
        assert UNDECIDED in {outcome for outcome, _ in results}


@given(_PASSES, st.randoms())
def test_the_order_of_the_passes_decides_nothing(passes, random):
    shuffled = list(passes)
    random.shuffle(shuffled)
    one, other = _merged(passes), _merged(shuffled)
    for name in ("outcome", "code", "reason"):
        assert (getattr(one, name) == getattr(other, name)).all()


def _with_rows(rows, *given, score=None) -> OpenedAnswers:
    return replace(_answers(*given, score=score), row=np.array(rows, np.int64))


def test_one_registry_row_answers_one_record_where_asked_for():
    pair = _with_rows([7, 7], (0, MATCHED, 1, ""), (1, MATCHED, 1, ""), score=[1.0, 2.0])
    passes = [pair, _with_rows([4], (2, MATCHED, 1, ""))]
    assert merge(3, passes).outcome.tolist() == [MATCHED, MATCHED, MATCHED]
    merged = merge(3, passes, one_to_one=True)
    assert merged.reason.tolist() == [DISPLACED, NO_REASON, NO_REASON]
    assert merged.outcome.tolist() == [UNDECIDED, MATCHED, MATCHED]
    assert merged.code.tolist() == [0, 1, 1]


def test_a_row_goes_to_the_record_that_more_passes_find_with_it():
    first = _with_rows([7], (1, MATCHED, 1, ""))
    second = _with_rows([5, 5], (0, MATCHED, 1, ""), (1, MATCHED, 1, ""))
    merged = merge(2, [first, second], one_to_one=True)
    assert merged.outcome.tolist() == [UNDECIDED, MATCHED]


def test_a_record_keeps_the_rows_by_which_other_passes_know_its_person():
    first = _with_rows([7], (1, MATCHED, 1, ""), score=[2.0])
    second = _with_rows([5, 5], (0, MATCHED, 1, ""), (1, MATCHED, 1, ""), score=[1.0, 1.0])
    merged = merge(2, [first, second], one_to_one=True)
    assert merged.outcome.tolist() == [UNDECIDED, MATCHED]
