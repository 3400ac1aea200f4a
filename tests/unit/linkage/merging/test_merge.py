"""Merging the answers of separate passes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.answering.answers import OpenedAnswers
from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    BELOW_PRECISION,
    CODES_DIFFER,
    MATCHED,
    NO_REASON,
    NOT_MATCHED,
    UNDECIDED,
)
from padan_linkage.answering.payloads import Payloads
from padan_linkage.merging.merge import merge


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


def test_the_best_band_wins():
    merged = merge(1, [_answers((0, MATCHED, 1, 1, "")), _answers((0, MATCHED, 3, 2, ""))])
    assert (merged.outcome[0], merged.code[0], merged.band[0]) == (MATCHED, 2, 3)
    assert (merged.answered_by[0], merged.position[0], merged.day[0]) == (1, 0, 7)


def test_codes_that_conflict_in_the_best_band_leave_the_record_undecided():
    merged = merge(
        1,
        [
            _answers((0, MATCHED, 2, 1, "")),
            _answers((0, MATCHED, 2, 2, "")),
            _answers((0, MATCHED, 1, 2, "")),
        ],
    )
    assert (merged.outcome[0], merged.reason[0]) == (UNDECIDED, CODES_DIFFER)
    assert (merged.band[0], merged.code[0], merged.day[0]) == (0, 0, 0)
    assert merged.answered_by[0] == -1


def test_a_stronger_answer_settles_a_conflict():
    merged = merge(
        1,
        [
            _answers((0, MATCHED, 1, 1, "")),
            _answers((0, MATCHED, 1, 2, "")),
            _answers((0, MATCHED, 3, 1, "")),
        ],
    )
    assert (merged.outcome[0], merged.code[0]) == (MATCHED, 1)


def test_matched_beats_ambiguous_beats_not_matched():
    merged = merge(
        3,
        [
            _answers(
                (0, AMBIGUOUS, 3, 0, ""), (1, AMBIGUOUS, 1, 0, ""), (2, NOT_MATCHED, 0, 0, "")
            ),
            _answers((0, MATCHED, 1, 1, ""), (1, NOT_MATCHED, 0, 0, "")),
        ],
    )
    assert merged.outcome.tolist() == [MATCHED, AMBIGUOUS, NOT_MATCHED]


def test_decoys_and_codes_that_do_not_open_are_no_match():
    merged = merge(2, [_answers((0, MATCHED, 3, 1, "decoy"), (1, MATCHED, 3, 1, "failed"))])
    assert merged.outcome.tolist() == [NOT_MATCHED, NOT_MATCHED]


def test_a_record_that_no_pass_has_is_not_matched():
    assert merge(2, []).outcome.tolist() == [NOT_MATCHED, NOT_MATCHED]


def test_the_higher_score_is_kept_among_equals():
    merged = merge(
        1,
        [
            _answers((0, MATCHED, 3, 1, ""), score=[5.0]),
            _answers((0, MATCHED, 3, 1, ""), score=[9.0]),
            _answers((0, MATCHED, 3, 1, ""), score=[7.0]),
        ],
    )
    assert merged.answered_by[0] == 1


_ROW = st.tuples(
    st.sampled_from([NOT_MATCHED, MATCHED, AMBIGUOUS]),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["", "decoy", "failed"]),
)


def _plainly(rows) -> tuple[int, int]:
    """Outcome and code of one record by the words of the rule."""
    matched = [
        (band, code) for outcome, band, code, kind in rows if outcome == MATCHED and not kind
    ]
    if matched:
        best = max(band for band, _ in matched)
        codes = {code for band, code in matched if band == best}
        return (MATCHED, codes.pop()) if len(codes) == 1 else (UNDECIDED, 0)
    ambiguous = any(outcome == AMBIGUOUS for outcome, *_ in rows)
    return (AMBIGUOUS if ambiguous else NOT_MATCHED), 0


@given(st.lists(st.lists(_ROW, min_size=4, max_size=4), max_size=5))
def test_merging_follows_the_rule(passes):
    """Four records; every pass answers each of them."""
    merged = merge(4, [_answers(*((i, *row) for i, row in enumerate(p))) for p in passes])
    for record in range(4):
        expected = _plainly([p[record] for p in passes])
        assert (merged.outcome[record], merged.code[record]) == expected


def _with_rows(rows, *given) -> OpenedAnswers:
    answers = _answers(*given)
    return OpenedAnswers(**(vars(answers) | {"row": np.array(rows, np.int64)}))


def test_one_registry_row_answers_one_record_where_asked_for():
    weak, strong = (0, MATCHED, 1, 1, ""), (1, MATCHED, 3, 1, "")
    passes = [_with_rows([7, 7], weak, strong), _with_rows([4], (2, MATCHED, 1, 1, ""))]
    assert merge(3, passes).outcome.tolist() == [MATCHED, MATCHED, MATCHED]
    merged = merge(3, passes, one_to_one=True)
    assert merged.reason.tolist() == [BELOW_PRECISION, NO_REASON, NO_REASON]
    assert merged.outcome.tolist() == [UNDECIDED, MATCHED, MATCHED]
    assert merged.code.tolist() == [0, 1, 1]


def test_a_record_keeps_the_rows_by_which_other_passes_know_its_person():
    first = _with_rows([7], (1, MATCHED, 3, 1, ""))
    second = _with_rows([5, 5], (0, MATCHED, 2, 1, ""), (1, MATCHED, 1, 1, ""))
    merged = merge(2, [first, second], one_to_one=True)
    assert merged.outcome.tolist() == [UNDECIDED, MATCHED]
