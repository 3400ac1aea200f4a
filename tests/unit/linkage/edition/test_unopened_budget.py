"""How many answers may fail to open: an honest unit is never refused, a liar soon is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.answering.unopened import most_unopened


def beyond(mean: float, most: int) -> float:
    """P(X > most) of a Poisson variable, summed term by term."""
    first = -mean + (most + 1) * math.log(mean) - math.lgamma(most + 2)
    term, total, k = 1.0, 0.0, most + 1
    while term > 1e-18:
        total += term
        k += 1
        term *= mean / k
    return math.exp(first) * total


@given(st.floats(1e-7, 0.05), st.integers(1, 20_000_000))
def test_an_honest_unit_is_refused_less_than_once_in_a_thousand_million(rate, rows):
    assert beyond(rate * rows, most_unopened(rate, rows)) <= 1e-9


@given(st.floats(1e-5, 0.05), st.integers(1, 5_000_000))
def test_the_bound_is_not_much_wider_than_needed(rate, rows):
    mean = rate * rows
    assert most_unopened(rate, rows) <= mean + 8 * math.sqrt(mean) + 22


def test_it_never_falls_with_the_length_of_the_list():
    bounds = [most_unopened(5e-4, rows) for rows in range(0, 20_000, 7)]
    assert bounds == sorted(bounds)


@pytest.mark.parametrize(("rate", "rows"), [(0.0, 1000), (5e-4, 0)])
def test_where_nothing_is_tolerated_nothing_is(rate, rows):
    assert most_unopened(rate, rows) == 0
