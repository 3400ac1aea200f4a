"""What an aggregate withholds, checked by solving what a reader of it could solve."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_array

from padan_linkage.release.protecting import (
    Previous,
    ProtectionError,
    cuboids,
    protect,
    verify,
)

MINIMUM = 10
#: Tables (by dimension), sizes of the dimensions, rows counted.
SHAPES = {
    "one dimension": (((0,),), (6,), 60),
    "two": (((0, 1),), (4, 5), 300),
    "three": (((0, 1, 2),), (3, 4, 4), 600),
    "sparse": (((0, 1, 2),), (3, 5, 5), 150),
    "linked": (((0, 1, 2), (0, 3), (0, 2, 3)), (3, 4, 3, 4), 800),
    "in a row": (((0, 1), (1, 2), (2, 3)), (3, 4, 3, 4), 200),
}


def counted(tables, sizes, rows, seed, skew=1.2):
    """Counts of random rows in every cuboid; high categories are rare."""
    rng = np.random.default_rng(seed)
    columns = []
    for size in sizes:
        weights = 1 / np.arange(1, size + 1) ** skew
        columns.append(rng.choice(size, rows, p=weights / weights.sum()))
    counts = {(): np.array(rows)}
    for dims in cuboids(tables)[1:]:
        counts[dims] = np.zeros(tuple(sizes[d] for d in dims), np.int64)
        np.add.at(counts[dims], tuple(columns[d] for d in dims), 1)
    return counts


class Reader:
    """Knows every published count and every sum; asks for the least and the most of a cell."""

    def __init__(self, tables, counts, withheld):
        self._number = {
            (dims, place): i
            for i, (dims, place) in enumerate(
                (dims, place)
                for dims in cuboids(tables)
                for place in product(*map(range, counts[dims].shape))
            )
        }
        self._bounds = [
            (0, None) if withheld[dims][place] else (int(counts[dims][place]),) * 2
            for dims, place in self._number
        ]
        rows, columns, values = [], [], []
        for row, (dims, d, place) in enumerate(self._sums(tables, counts)):
            margin = tuple(x for x in dims if x != d)
            at = dict(zip(margin, place, strict=True))
            cells = [(margin, place)]
            cells += [
                (dims, tuple((at | {d: v})[x] for x in dims))
                for v in range(counts[dims].shape[dims.index(d)])
            ]
            rows += [row] * len(cells)
            columns += [self._number[cell] for cell in cells]
            values += [-1] + [1] * (len(cells) - 1)
        self._equations = coo_array((values, (rows, columns)), dtype=float).tocsr()

    def _sums(self, tables, counts):
        for dims in cuboids(tables):
            for d in dims:
                margin = tuple(x for x in dims if x != d)
                for place in product(*map(range, counts[margin].shape)):
                    yield dims, d, place

    def interval(self, dims, place):
        """Least and most that the cell can be."""
        return self._extreme(dims, place, 1), -self._extreme(dims, place, -1)

    def _extreme(self, dims, place, sign):
        wanted = np.zeros(len(self._number))
        wanted[self._number[dims, place]] = sign
        solved = linprog(
            wanted,
            A_eq=self._equations,
            b_eq=np.zeros(self._equations.shape[0]),
            bounds=self._bounds,
        )
        assert solved.status in {0, 3}, solved.message  # 3: without limit
        return solved.fun if solved.status == 0 else -np.inf


def small(counts):
    """Every cell below the minimum."""
    return [
        (dims, tuple(int(i) for i in place))
        for dims in counts
        for place in np.argwhere(counts[dims] < MINIMUM)
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_small_count_can_be_worked_out(shape):
    """Its least is zero and its most at least ten more than it is, whatever sums one does."""
    tables, sizes, rows = SHAPES[shape]
    for seed in (1, 2):
        counts = counted(tables, sizes, rows, seed)
        protected = protect(tables, counts, MINIMUM)
        verify(tables, counts, protected)
        reader = Reader(tables, counts, protected.withheld)
        assert protected.sensitive == len(small(counts))
        for dims, place in small(counts)[:: max(1, len(small(counts)) // 12)]:
            least, most = reader.interval(dims, place)
            assert least <= 1e-6
            assert most >= counts[dims][place] + MINIMUM - 1e-6


def test_withholding_small_counts_alone_gives_them_away():
    """The reader of these tests can do the sums: without complementary suppression it does."""
    tables, counts = ((0, 1),), counted(((0, 1),), (4, 5), 300, 1)
    reader = Reader(tables, counts, {dims: c < MINIMUM for dims, c in counts.items()})
    known = [
        cell
        for cell in small(counts)
        if reader.interval(*cell)[1] - reader.interval(*cell)[0] < 1e-6
    ]
    assert known


def test_most_counts_are_published():
    tables, sizes, _ = SHAPES["linked"]
    counts = counted(tables, sizes, 4_000, 3)
    protected = protect(tables, counts, MINIMUM)
    cells = sum(c.size for c in counts.values())
    assert protected.sensitive > 0
    assert sum(w.sum() for w in protected.withheld.values()) < 0.15 * cells
    assert not protected.withheld[()][()]


def test_nothing_small_nothing_withheld():
    counts = {(): np.array(100), (0,): np.array([40, 60])}
    protected = protect(((0,),), counts, MINIMUM)
    assert protected.witnesses == ()
    assert not protected.withheld[(0,)].any()


@pytest.mark.parametrize(
    "counts", [{(): np.array(9), (0,): np.array([4, 5])}, {(): np.array(2), (0,): np.array([2])}]
)
def test_a_small_total_is_refused(counts):
    with pytest.raises(ProtectionError) as refused:
        protect(((0,),), counts, MINIMUM)
    assert refused.value.dims == ()


def test_a_count_with_nothing_beside_it_is_refused():
    """Ten of eleven in one category: the other one is known from the total."""
    counts = {(): np.array(11), (0,): np.array([11, 0])}
    protected = protect(((0,),), counts, MINIMUM)
    assert protected.withheld[(0,)].all()
    alone = {(): np.array(11), (0,): np.array([4, 4, 3])}
    with pytest.raises(ProtectionError):
        protect(((0,),), alone, MINIMUM)


def test_verification_notices_a_witness_that_moves_what_is_published():
    tables, counts = ((0, 1),), counted(((0, 1),), (4, 5), 300, 1)
    protected = protect(tables, counts, MINIMUM)
    open_ = {dims: np.zeros_like(w) for dims, w in protected.withheld.items()}
    with pytest.raises(AssertionError):
        verify(tables, counts, replace(protected, withheld=open_))
    first = protected.witnesses[0]
    with pytest.raises(AssertionError):
        verify(tables, counts, replace(protected, witnesses=(replace(first, steps=()),)))


# Releases one after the other


def after(counts, protected):
    """What the release of these counts told."""
    return {
        dims: Previous(np.ones(c.shape, np.bool_), ~protected.withheld[dims], c)
        for dims, c in counts.items()
    }


def two_releases(added):
    """A release, ``added`` more rows, the next release."""
    tables, sizes = ((0, 1), (0, 2)), (3, 4, 5)
    first = counted(tables, sizes, 3000, 1)
    shown = protect(tables, first, MINIMUM)
    second = {dims: c + counted(tables, sizes, added, 7)[dims] for dims, c in first.items()}
    return tables, first, shown, second, protect(tables, second, MINIMUM, after(first, shown))


def test_a_small_change_cannot_be_worked_out():
    """Counts that changed by one to nine are withheld, and their sums do not tell them."""
    tables, first, shown, second, again = two_releases(60)
    verify(tables, second, again)
    reader = Reader(tables, second, again.withheld)
    changed = [
        (dims, tuple(int(i) for i in place))
        for dims in second
        for place in np.argwhere(
            ~shown.withheld[dims]
            & (second[dims] != first[dims])
            & (np.abs(second[dims] - first[dims]) < MINIMUM)
        )
    ]
    assert len(changed) > 5
    for dims, place in changed:
        assert again.withheld[dims][place]
        least, most = reader.interval(dims, place)
        assert most >= second[dims][place] + MINIMUM - 1e-6
        assert least <= min(first[dims][place], second[dims][place]) + 1e-6


def test_what_was_withheld_stays_so_and_what_has_not_changed_is_published_again():
    _, first, shown, second, again = two_releases(60)
    for dims, counts in second.items():
        assert (again.withheld[dims] | ~shown.withheld[dims]).all()
        same = ~shown.withheld[dims] & (counts == first[dims])
        assert not again.withheld[dims][same].any()


def test_the_same_counts_again_make_the_same_release():
    tables = ((0, 1),)
    counts = counted(tables, (4, 5), 300, 1)
    shown = protect(tables, counts, MINIMUM)
    again = protect(tables, counts, MINIMUM, after(counts, shown))
    assert all((again.withheld[d] == shown.withheld[d]).all() for d in counts)


def test_a_total_that_grew_by_little_is_refused():
    with pytest.raises(ProtectionError) as refused:
        two_releases(5)
    assert refused.value.dims == ()
