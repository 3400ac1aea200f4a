"""Whom a list's questions meet: each distinct one once, whatever is answered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.matching import MetPairs, PassResult, is_crowded
from padan_linkage.matching.meetings import ALIKE, ALONE
from padan_linkage.matching.result import Scoring
from padan_linkage.schema import Layout, Schema
from padan_linkage.tables import PassTable

SCHEMA = Schema.model_validate(
    {
        "fields": [{"name": "nik", "kind": "nik"}, {"name": "nama", "kind": "person_name"}],
        "passes": [{"id": "nik", "exact": ["nik"], "similar": [{"fields": ["nama"], "bits": 64}]}],
        "presence": True,
    }
)
P = SCHEMA.passes[0]
PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40)


def table(rows, *, provider=False, seed=0):
    layout = Layout.of(SCHEMA, P, provider=provider)
    rng = np.random.default_rng(seed)
    columns = {n: rng.integers(0, 256, (rows, w), dtype=np.uint8) for n, w in layout.columns()}
    return PassTable("nik", layout, columns)


def result(met):
    n = len(met)
    empty = np.zeros(n, np.uint8)
    return PassResult(
        "nik", empty, np.full(n, -1), np.zeros((n, 0), np.uint8), np.zeros(n, np.float32),
        Scoring(0.0, "decoys", 0), 10, np.array(met, np.int64),
    )  # fmt: skip


def meetings(met, listed, key=b"k" * 32):
    return MetPairs.of(result(met), table(10, provider=True, seed=1), listed, key)


def words(pairs):
    rows, questions = zip(*pairs, strict=True) if pairs else ((), ())
    return MetPairs.sorted(np.array(rows, np.uint64), np.array(questions, np.uint64))


def test_equal_rows_are_one_question_and_nobody_is_none():
    listed = table(6)
    for column in listed.columns.values():
        column[3:] = column[0]
    made = meetings([[2], [2], [-1], [2], [2], [7]], listed)
    assert made.most() == 2  # row 2: the first question, again and again, and the second one
    assert len(made) == 3
    assert len(made.rows()) == 2


@pytest.mark.parametrize("name", ["keys", "filters", "presence"])
def test_what_differs_in_any_column_is_another_question(name):
    listed = table(2)
    for column in listed.columns.values():
        column[1] = column[0]
    assert meetings([[2], [2]], listed).most() == 1
    listed.columns[name][1, -1] ^= 1
    assert meetings([[2], [2]], listed).most() == 2


def test_every_row_that_a_question_came_near_to_is_met():
    made = meetings([[2, 5, -1], [5, -1, -1]], table(2))
    assert sorted(len(made.of_row(row)) for row in made.rows().tolist()) == [1, 2]


def test_another_key_hashes_otherwise():
    listed = table(2)
    mine, other = meetings([[2], [2]], listed), meetings([[2], [2]], listed, b"j" * 32)
    assert not np.isin(mine.row, other.row).any()
    assert not np.isin(mine.question, other.question).any()


@given(PAIRS, PAIRS, st.sets(st.integers(0, 5)))
def test_pairs_are_counted_as_sets_are(a, b, some):
    both = MetPairs.joined([words(a), words(b)])
    known = set(a) | set(b)
    assert list(zip(both.row.tolist(), both.question.tolist(), strict=True)) == sorted(known)
    assert both.most() == max((sum(r == row for r, _ in known) for row, _ in known), default=0)
    part = both.of_rows(np.array(sorted(some), np.uint64))
    assert set(part.row.tolist()) == {row for row, _ in known if row in some}
    for row in range(6):
        assert set(both.of_row(row).tolist()) == {q for r, q in known if r == row}
    again = MetPairs.unpacked(np.frombuffer(both.packed(), "<u8"))
    assert (again.row == both.row).all()
    assert (again.question == both.question).all()


def beside(buckets, rows, *, provider=False):
    """A table of so many rows, the first of them in these buckets, the others in no used one."""
    made = table(rows, provider=provider)
    keys = np.full(rows, 60_000, "<u2")
    keys[: len(buckets)] = buckets
    made.columns["keys"][:] = keys.view(np.uint8).reshape(rows, 2)
    return made


def test_a_bucket_holds_no_more_questions_than_people_explain():
    most = ALONE + ALIKE
    registry = beside([7], 400, provider=True)
    assert not is_crowded(registry, beside([7] * most, 300))
    assert is_crowded(registry, beside([7] * (most + 1), 300))
    again = beside([7] * (most + 1), 300)
    again.columns["filters"][0] = again.columns["filters"][1]
    again.columns["presence"][0] = again.columns["presence"][1]
    assert not is_crowded(registry, again)  # a repeat is no question
    assert not is_crowded(registry, beside([8] * 200, 300))  # nobody is registered there
    assert not is_crowded(registry, beside([7] * (ALONE + 2 * ALIKE), 800))  # a longer list
    assert not is_crowded(beside([7, 7], 400, provider=True), beside([7] * (most + 1), 300))
