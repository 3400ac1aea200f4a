"""Merging the answers of separate passes."""

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
from padan_linkage.merging.rule import NEVER, MergeRule


def _answers(*rows, score=None) -> OpenedAnswers:
    """Rows (record, outcome, band, code, kind) with kind "", "decoy" or "failed"."""
    return OpenedAnswers(
        pass_id="nik",
        record=np.array([r[0] for r in rows], np.int64),
        outcome=np.array([r[1] for r in rows], np.uint8),
        band=np.array([r[2] for r in rows], np.uint8),
        payload=Payloads.of(
            np.array([r[3] for r in rows], np.uint64),
            decoy=np.array([r[4] == "decoy" for r in rows]),
            day=7,
        ),
        failed=np.array([r[4] == "failed" for r in rows]),
        row=np.arange(len(rows)),
        confirmations=np.zeros((len(rows), 0), np.uint8),
        score=np.array(score or [0] * len(rows), np.float32),
    )


def merge(records, opened, **options):
    return merge_by(records, opened, MergeRule.open(records, len(opened)), **options)


def test_the_best_band_wins_where_it_is_clearly_the_best():
    merged = merge(1, [_answers((0, MATCHED, 1, 1, "")), _answers((0, MATCHED, 3, 2, ""))])
    assert (merged.outcome[0], merged.code[0], merged.band[0]) == (MATCHED, 2, 3)
    assert (merged.answered_by[0], merged.position[0], merged.day[0]) == (1, 0, 7)


def test_a_code_that_is_one_band_stronger_leaves_the_record_undecided():
    merged = merge(1, [_answers((0, MATCHED, 1, 1, "")), _answers((0, MATCHED, 2, 2, ""))])
    assert (merged.outcome[0], merged.reason[0]) == (UNDECIDED, CODES_DIFFER)
    assert (merged.band[0], merged.code[0], merged.day[0]) == (0, 0, 0)
    assert merged.answered_by[0] == -1


def test_codes_that_conflict_in_the_best_band_are_of_several_people():
    passes = [_answers((0, MATCHED, 2, code, "")) for code in (1, 2)]
    merged = merge(1, [*passes, _answers((0, MATCHED, 1, 2, ""))])
    assert merged.outcome[0] == AMBIGUOUS
    assert (merged.band[0], merged.code[0], merged.day[0]) == (0, 0, 0)


def test_matched_beats_undecided_beats_ambiguous_beats_not_matched():
    first = [(n, outcome, 0, 0, "") for n, outcome in enumerate([AMBIGUOUS] * 3 + [NOT_MATCHED])]
    second = [(0, MATCHED, 1, 1, ""), (1, UNDECIDED, 0, 0, ""), (2, NOT_MATCHED, 0, 0, "")]
    merged = merge(4, [_answers(*first), _answers(*second)])
    assert merged.outcome.tolist() == [MATCHED, UNDECIDED, AMBIGUOUS, NOT_MATCHED]
    assert merged.reason.tolist() == [NO_REASON, BELOW_PRECISION, NO_REASON, NO_REASON]


def test_decoys_and_codes_that_do_not_open_are_no_match():
    merged = merge(2, [_answers((0, MATCHED, 3, 1, "decoy"), (1, MATCHED, 3, 1, "failed"))])
    assert merged.outcome.tolist() == [NOT_MATCHED, NOT_MATCHED]


def test_a_record_that_no_pass_has_is_not_matched():
    assert merge(2, []).outcome.tolist() == [NOT_MATCHED, NOT_MATCHED]


def test_the_higher_score_is_kept_among_equals():
    passes = [_answers((0, MATCHED, 3, 1, ""), score=[s]) for s in (5.0, 9.0, 7.0)]
    assert merge(1, passes).answered_by[0] == 1


def test_a_pass_answers_from_its_least_band_on():
    passes = [_answers((0, MATCHED, 1, 1, ""), (1, MATCHED, 2, 1, ""), (2, AMBIGUOUS, 0, 0, ""))]
    rule = MergeRule.same(3, np.array([2], np.uint8))
    merged = merge_by(3, passes, rule)
    assert merged.outcome.tolist() == [UNDECIDED, MATCHED, AMBIGUOUS]
    assert merged.reason.tolist() == [BELOW_PRECISION, NO_REASON, NO_REASON]


def test_a_pass_that_may_not_answer_says_no_more_than_that_somebody_fits():
    passes = [_answers((0, MATCHED, 3, 1, ""), (1, AMBIGUOUS, 0, 0, ""))]
    merged = merge_by(2, passes, MergeRule.same(2, np.array([NEVER], np.uint8)))
    assert merged.outcome.tolist() == [UNDECIDED, UNDECIDED]
    assert merged.reason.tolist() == [ALONE, ALONE]


def test_not_found_is_said_only_where_it_is_vouched_for():
    kinds = MergeRule(
        np.array([0, 1, -1]), np.ones((2, 0), np.uint8), np.array([0, SELDOM_FOUND], np.uint8)
    )
    merged = merge_by(3, [], kinds)
    assert merged.outcome.tolist() == [NOT_MATCHED, UNDECIDED, UNDECIDED]
    assert merged.reason.tolist() == [NO_REASON, SELDOM_FOUND, FIELDS_MISSING]


_ROW = st.tuples(
    st.sampled_from([NOT_MATCHED, MATCHED, AMBIGUOUS, UNDECIDED]),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["", "decoy", "failed"]),
)
_PASSES = st.lists(st.lists(_ROW, min_size=4, max_size=4), min_size=1, max_size=5)


def _plainly(rows) -> tuple[int, int]:
    """Outcome and code of one record by the words of the rule."""
    matched = [
        (band, code) for outcome, band, code, kind in rows if outcome == MATCHED and not kind
    ]
    outcomes = {outcome for outcome, *_ in rows}
    if matched:
        best = max(band for band, _ in matched)
        codes = {code for band, code in matched if band == best}
        if len(codes) > 1:
            return AMBIGUOUS, 0
        others = [band for band, code in matched if {code} != codes]
        return (UNDECIDED, 0) if max(others, default=0) == best - 1 > 0 else (MATCHED, codes.pop())
    if UNDECIDED in outcomes:
        return UNDECIDED, 0
    return (AMBIGUOUS if AMBIGUOUS in outcomes else NOT_MATCHED), 0


@given(_PASSES)
def test_merging_follows_the_rule(passes):
    """Four records; every pass answers each of them."""
    merged = merge(4, [_answers(*((i, *row) for i, row in enumerate(p))) for p in passes])
    for record in range(4):
        expected = _plainly([p[record] for p in passes])
        assert (merged.outcome[record], merged.code[record]) == expected


@given(_PASSES, st.data())
def test_one_step_of_one_band_never_turns_a_code_into_another_or_into_an_absence(passes, data):
    """New salts move a score a little; what that may do is to make a record undecided."""
    number = data.draw(st.integers(0, len(passes) - 1))
    outcome, band, code, kind = passes[number][0]
    if outcome != MATCHED or kind:
        return
    after = (outcome, band - 1, code, kind) if band > 1 else (UNDECIDED, 0, 0, "")
    moved = [list(p) for p in passes]
    moved[number][0] = after
    results = {
        (int(m.outcome[0]), int(m.code[0]))
        for m in (
            merge(4, [_answers(*((i, *row) for i, row in enumerate(p))) for p in some])
            for some in (passes, moved)
        )
    }
    if len(results) == 2:
        assert UNDECIDED in {outcome for outcome, _ in results}


def _with_rows(rows, *given) -> OpenedAnswers:
    answers = _answers(*given)
    return OpenedAnswers(**(vars(answers) | {"row": np.array(rows, np.int64)}))


def test_one_registry_row_answers_one_record_where_asked_for():
    weak, strong = (0, MATCHED, 1, 1, ""), (1, MATCHED, 3, 1, "")
    passes = [_with_rows([7, 7], weak, strong), _with_rows([4], (2, MATCHED, 1, 1, ""))]
    assert merge(3, passes).outcome.tolist() == [MATCHED, MATCHED, MATCHED]
    merged = merge(3, passes, one_to_one=True)
    assert merged.reason.tolist() == [DISPLACED, NO_REASON, NO_REASON]
    assert merged.outcome.tolist() == [UNDECIDED, MATCHED, MATCHED]
    assert merged.code.tolist() == [0, 1, 1]


def test_a_record_keeps_the_rows_by_which_other_passes_know_its_person():
    first = _with_rows([7], (1, MATCHED, 3, 1, ""))
    second = _with_rows([5, 5], (0, MATCHED, 2, 1, ""), (1, MATCHED, 1, 1, ""))
    merged = merge(2, [first, second], one_to_one=True)
    assert merged.outcome.tolist() == [UNDECIDED, MATCHED]
