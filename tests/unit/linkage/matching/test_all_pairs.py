"""The search among all pairs gives what the plain reference gives, whatever the data's shape."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.matching import reference
from padan_linkage.matching.kernels import search
from padan_linkage.matching.kernels.fold import choose, fold, lower_bound
from padan_linkage.matching.kernels.pairs import (
    all_pairs,
    choose_sketch,
    dice,
    hamming,
    nearest,
    weights_of,
)


def _filters(rng, rows, words, fill=0.475):
    bits = rng.random((rows, words * 64)) < fill
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64).reshape(rows, words)


def _noisy(rng, filters, share):
    """Copies in which ``share`` of the bits is turned."""
    return filters ^ _filters(rng, len(filters), filters.shape[1], share)


@st.composite
def _tables(draw):
    """Two tables of one width, with empty filters, equal rows and near copies among them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    words, rows, columns = (
        draw(st.integers(1, 20)),
        draw(st.integers(0, 40)),
        draw(st.integers(0, 40)),
    )
    fill = draw(st.sampled_from([0.02, 0.2, 0.475, 0.8]))
    left, right = _filters(rng, rows, words, fill), _filters(rng, columns, words, fill)
    shared = min(rows, columns) // 2
    right[:shared] = _noisy(rng, left[:shared], draw(st.sampled_from([0.0, 0.05, 0.1, 0.2])))
    for table in (left, right):
        table[rng.random(len(table)) < 0.1] = 0
    return left, right


@st.composite
def _rules(draw):
    if draw(st.booleans()):
        return hamming(draw(st.integers(0, 700)))
    return dice(Fraction(draw(st.integers(0, 40)), 40))


def _same(found, expected):
    given_ = np.stack([found.left, found.right, found.distance], axis=1)
    assert np.array_equal(given_, expected)


@given(_tables(), _rules(), st.integers(0, 9), st.booleans())
@settings(max_examples=150)
def test_all_pairs_are_those_of_the_reference(tables, rule, sketch, within):
    left, right = tables
    kept = min(2 * sketch, (left.shape[1] - 1) // 2 * 2)
    others = None if within else right
    found = all_pairs(left, others, rule, sketch=kept)
    _same(found, reference.all_pairs(left, others, rule))
    both = weights_of(left)[found.left] + weights_of(left if within else right)[found.right]
    shares = zip((both - found.distance).tolist(), both.tolist(), strict=True)
    exact = [Fraction(alike, both) if both else 0 for alike, both in shares]
    assert found.dice.tolist() == [float(each) for each in exact]


@given(_tables(), _rules(), st.integers(1, 4))
@settings(max_examples=100)
def test_the_nearest_are_those_of_the_reference(tables, rule, k):
    left, right = tables
    found = nearest(left, right, k, rule)
    column, alike = reference.nearest(left, right, k, rule)
    assert np.array_equal(found.column, column)
    assert np.array_equal(found.dice, alike)


def test_the_nearest_of_many_do_not_depend_on_threads_or_blocks():
    rng = np.random.default_rng(5)
    left, right = _filters(rng, 300, 8), _filters(rng, 3 * search.BLOCK + 5, 8)
    right[500:700] = _noisy(rng, left[:200], 0.1)
    right[20] = 0
    column, alike = reference.nearest(left, right, 3, dice(0))
    for threads in (1, 3):
        found = nearest(left, right, 3, dice(0), threads=threads)
        assert np.array_equal(found.column, column)
        assert np.array_equal(found.dice, alike)
    assert (column[:200, 0] == np.arange(500, 700)).all()


@pytest.mark.parametrize("threshold", [0.8, 0.85, 0.9, 2 / 3, 0.0, 1.0])
def test_a_pair_at_the_threshold_hits_and_one_bit_more_does_not(threshold):
    exact = Fraction(str(threshold))
    one = np.zeros((1, 16), np.uint64)
    one[0, :8] = ~np.uint64(0)  # 512 bits; d bits taken away give 1 - d / (1024 - d)
    most = int((1 - exact) * 1024 / (2 - exact))
    for turned in {0, most, min(most + 1, 512)}:
        other = one.copy()
        other[0, :8] = np.packbits(np.arange(512) >= turned, bitorder="little").view(np.uint64)
        assert len(all_pairs(one, other, dice(threshold))) == (turned <= most)


def test_empty_filters_resemble_nobody_unless_everybody_does():
    empty = np.zeros((3, 2), np.uint64)
    full = ~empty
    assert len(all_pairs(empty, empty, dice(0.01))) == 0
    assert len(all_pairs(empty, full, dice(0.01))) == 0
    assert len(all_pairs(empty, full, dice(0))) == 9
    assert len(all_pairs(empty, empty, dice(0))) == 9
    assert len(all_pairs(empty, empty, hamming(0))) == 9


def test_more_hits_than_any_room_are_all_found(monkeypatch):
    monkeypatch.setattr("padan_linkage.matching.kernels.pairs.ROOM", search.MOST_HITS)
    rng = np.random.default_rng(1)
    left, right = _filters(rng, 150, 3), _filters(rng, 1100, 3)
    everything = hamming(192)
    found = all_pairs(left, right, everything)
    assert len(found) == 150 * 1100
    _same(found, reference.all_pairs(left, right, everything))
    assert len(all_pairs(right, None, everything)) == 1100 * 1099 // 2


@pytest.mark.parametrize("sketch", [0, 8])
def test_threads_change_nothing(sketch):
    rng = np.random.default_rng(2)
    left = _filters(rng, 700, 16)
    right = np.concatenate([_noisy(rng, left, 0.1), _filters(rng, 500, 16)])
    expected = reference.all_pairs(left, right, dice(0.8))
    assert len(expected) > 300
    with ThreadPoolExecutor(3) as pool:
        for how in ({"threads": 1}, {"threads": 3}, {"pool": pool, "threads": 2}):
            _same(all_pairs(left, right, dice(0.8), sketch=sketch, **how), expected)


def test_a_sketch_is_never_further_apart_than_its_filters():
    rng = np.random.default_rng(3)
    left = _filters(rng, 50, 11)
    right = _noisy(rng, left, 0.2)
    distance = np.bitwise_count(left ^ right).sum(axis=1, dtype=np.int64)
    for words in (2, 4, 6, 8, 10):
        short, others = fold(left, words), fold(right, words)
        bounds = [lower_bound(short[i], others[i : i + 1])[0] for i in range(50)]
        assert (bounds <= distance).all()
        assert max(bounds) > 0


def test_the_sample_takes_a_sketch_where_it_rejects_and_none_where_it_does_not():
    rng = np.random.default_rng(4)
    left, right = _filters(rng, 4096, 16), _filters(rng, 4096, 16)
    chosen = [choose_sketch(left, right, dice(t)) for t in (0.9, 0.85, 0.8, 0.5)]
    assert 0 < chosen[0] < chosen[1] <= chosen[2] < 16
    assert chosen[3] == 0
    assert choose_sketch(left[:100], right[:100], dice(0.9)) == 0  # too few to be worth it


def test_a_sketch_that_rejects_nothing_is_not_chosen():
    assert choose(16, lambda _: 1.0) == 0
    assert choose(16, lambda kept: 0.0 if kept >= 6 else 1.0) == 6
    assert choose(1, lambda _: 0.0) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda a: all_pairs(a, a[:, :1].copy(), dice(0.8)),
        lambda a: all_pairs(a.astype(np.int64), a, dice(0.8)),
        lambda a: all_pairs(a, a, dice(0.8), sketch=3),
        lambda a: all_pairs(a, a, dice(0.8), sketch=4),
        lambda a: dice(1.01),
        lambda a: hamming(-1),
        lambda a: nearest(a, a, 0, dice(0.8)),
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong(np.zeros((3, 4), np.uint64))
