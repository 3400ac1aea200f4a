"""Directories of committed tables: built, looked up, carried over deltas."""

from __future__ import annotations

import numpy as np
import pytest
from token_reference import pair_up

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching import Directory, PassIndex, match_and_learn, similar
from padan_linkage.matching.exact import NOBODY, SEVERAL, token_words
from padan_linkage.schema import Layout
from padan_linkage.tables import PassTable

POLICY = MatchPolicy(min_precision=0.99)


def rows_of(table, rows):
    """Some rows of a table, as a table."""
    columns = {n: np.ascontiguousarray(c[rows]) for n, c in table.columns.items()}
    return PassTable(table.pass_id, table.layout, columns)


def joined(first, second):
    """The rows of one table and then those of another."""
    columns = {n: np.concatenate([c, second.columns[n]]) for n, c in first.columns.items()}
    return PassTable(first.pass_id, first.layout, columns)


def token_table(world, tokens):
    layout = Layout.of(world.schema, world.p, provider=True)
    columns = {n: np.zeros((len(tokens), w), np.uint8) for n, w in layout.columns()}
    columns["keys"] = np.ascontiguousarray(tokens)
    return PassTable(world.p.id, layout, columns)


def same(a, b):
    return (
        np.array_equal(a.order, b.order)
        and np.array_equal(a.start, b.start)
        and np.array_equal(a.mask, b.mask)
        and a.shared == b.shared
    )


@pytest.fixture
def exact(make_world, make_schema):
    """A world of tokens alone."""

    def make(seed):
        world = make_world(seed)
        world.schema = make_schema(exact=True)
        return world

    return make


@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_tokens_are_found_as_the_reference_finds_them(exact, rows):
    world = exact(41)
    tokens = world.rng.integers(0, 256, (rows, 16), dtype=np.uint8)
    tokens[rows // 2 : rows // 2 + rows // 10] = tokens[: rows // 10]
    table = token_table(world, tokens)
    strangers = world.rng.integers(0, 256, (50, 16), dtype=np.uint8)
    asked = token_words(token_table(world, np.concatenate([tokens[: rows // 3], strangers])))
    directory = Directory.of(world.p, table, 12345)
    wanted, shared = pair_up(token_words(table), asked)
    assert directory.find(token_words(table), asked).tolist() == wanted.tolist()
    assert directory.shared == shared
    if rows == 1000:
        assert {NOBODY, SEVERAL} < set(wanted.tolist())


@pytest.mark.parametrize("presence", [False, True])
def test_a_delta_gives_the_directory_of_the_new_table(make_world, presence):
    world = make_world(42, presence=presence)
    base, _ = world.two(900, 10, 0.5)
    fresh, _ = world.two(150, 10, 0.5)
    kept = np.flatnonzero(world.rng.random(900) < 0.8)
    table = joined(rows_of(base, kept), fresh)
    before = Directory.of(world.p, base, 0)
    assert same(before.updated(world.p, table, kept), Directory.of(world.p, table, 0))
    nothing = kept[:0]
    assert same(before.updated(world.p, fresh, nothing), Directory.of(world.p, fresh, 0))


@pytest.mark.parametrize("fresh", [0, 100, 9000])
def test_a_delta_of_tokens_is_looked_up_like_the_new_table(exact, fresh):
    world = exact(43)
    tokens = world.rng.integers(0, 256, (1000 + fresh, 16), dtype=np.uint8)
    base = token_table(world, tokens[:1000])
    kept = np.flatnonzero(world.rng.random(1000) < 0.9)
    table = joined(rows_of(base, kept), token_table(world, tokens[1000:]))
    updated = Directory.of(world.p, base, 7).updated(world.p, table, kept)
    asked = token_words(token_table(world, tokens))
    wanted, shared = pair_up(token_words(table), asked)
    assert updated.find(token_words(table), asked).tolist() == wanted.tolist()
    assert updated.shared == shared


def test_few_rows_are_answered_as_in_a_long_list(make_world):
    world = make_world(44, presence=True)
    provider, requester = world.two(4000, 1800, 0.5)
    learned = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    index = PassIndex(world.schema, world.p, provider, POLICY, learned.scoring.calibration)
    for rows in (np.arange(1), np.array([3, 900, 1700]), np.arange(1000)):
        answer = index.match(rows_of(requester, rows))
        for name in ("outcome", "row", "score"):
            assert np.array_equal(getattr(answer, name), getattr(learned, name)[rows])


@pytest.mark.parametrize("one_to_one", [False, True])
def test_a_long_question_is_answered_in_pieces_and_the_same_to_the_bit(
    make_world, monkeypatch, one_to_one
):
    world, policy = (
        make_world(46, presence=True),
        POLICY.model_copy(update={"one_to_one": one_to_one}),
    )
    provider, requester = world.two(4000, 1000, 0.5)
    requester.columns["keys"][5] = 255
    learned = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    index = PassIndex(world.schema, world.p, provider, policy, learned.scoring.calibration)
    pieces = []
    parted = index.match(requester, lambda: pieces.append(1))
    assert len(pieces) >= -(-1000 // similar.PIECE_ROWS) - 1
    monkeypatch.setattr(similar, "PIECE_ROWS", 1000)
    monkeypatch.setattr(similar, "PIECE_PAIRS", 1 << 40)
    assert alike(parted, index.match(requester, pieces.clear))
    assert pieces, "nothing was between"


@pytest.mark.parametrize("one_to_one", [False, True])
@pytest.mark.parametrize("most", [1 << 19, 60])
def test_questions_asked_together_are_answered_as_each_alone(
    make_world, monkeypatch, one_to_one, most
):
    """Two of one person too: neither takes the other's answer, as in a list they would."""
    monkeypatch.setattr(similar, "PIECE_PAIRS", most)
    world, policy = (
        make_world(49, presence=True),
        POLICY.model_copy(update={"one_to_one": one_to_one}),
    )
    provider, requester = world.two(3000, 60, 0.6)
    requester.columns["keys"][7] = 255
    learned = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    index = PassIndex(world.schema, world.p, provider, policy, learned.scoring.calibration)
    questions = [rows_of(requester, np.array([row])) for row in [*range(60), 3, 3, 7, *range(9)]]
    together, calls = [], 0
    while len(together) < len(questions):
        together += index.match_some(questions[len(together) :])
        calls += 1
    assert (2 if most > 60 else 4) <= calls < len(questions)
    assert all(alike(one, index.match(each)) for one, each in zip(together, questions, strict=True))


def test_tokens_are_asked_one_by_one(exact):
    world = exact(50)
    table = token_table(world, world.rng.integers(0, 256, (40, 16), dtype=np.uint8))
    index = PassIndex(world.schema, world.p, table, POLICY, None)
    asked = [rows_of(table, np.array([row])) for row in (3, 9)]
    assert not index.gains
    assert [r.row.tolist() for r in index.match_some(asked)] == [[3]]


def alike(one, other):
    """Whether two results are the same to the bit."""
    names = ("outcome", "row", "confirmations", "score", "met")
    columns = all(getattr(one, n).tobytes() == getattr(other, n).tobytes() for n in names)
    return columns and one.scoring == other.scoring


def test_no_piece_has_more_comparisons_than_a_row_of_it(make_world, monkeypatch):
    monkeypatch.setattr(similar, "PIECE_PAIRS", 60)
    world = make_world(47)
    provider, requester = world.two(4000, 500, 0.5)
    registry = similar.SortedRegistry.of(world.p, provider)
    bucket = requester.columns["keys"].view("<u2").reshape(-1)
    work = registry.side.sizes()[bucket]
    spans = registry.pieces(requester)
    assert [first for first, _ in spans] == [0, *(last for _, last in spans[:-1])]
    assert spans[-1][1] == 500
    assert len(spans) > -(-500 // similar.PIECE_ROWS)
    assert all(work[a:b].sum() <= 60 or b - a == 1 for a, b in spans)


def test_what_is_raised_between_two_pieces_ends_the_work(make_world):
    world = make_world(48)
    provider, requester = world.two(2000, 300, 0.5)
    learned = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    index = PassIndex(world.schema, world.p, provider, POLICY, learned.scoring.calibration)

    def stop():
        raise KeyError

    with pytest.raises(KeyError):
        index.match(requester, stop)


def test_a_row_in_no_bucket_meets_nobody(make_world):
    world = make_world(45)
    provider, requester = world.two(300, 4, 1.0)
    requester.columns["keys"][2] = 255
    learned = match_and_learn(world.schema, world.p, provider, requester, POLICY)
    index = PassIndex(world.schema, world.p, provider, POLICY, learned.scoring.calibration)
    assert index.match(requester).row[2] == -1
