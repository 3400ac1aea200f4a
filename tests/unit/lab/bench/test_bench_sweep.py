"""The sweep: lists are pooled as asked, and a point that differs shows."""

from collections import Counter

import pytest

from padan_lab.bench.rates.sweeping import Limits, Point, Pooled, measure, points, steadiness
from padan_lab.demo.flows import ChosenFlow

FLOW = ChosenFlow.confirming(None, "jf-binaan", "unit").flow


def test_points_that_cannot_be_are_left_out():
    every = points([(10, 20), (100, 20)], [0.0, 0.5], [0.0, 0.05])
    assert every == [Point(10, 20, 0.5, 0.0), Point(10, 20, 0.5, 0.05)]


def test_lists_are_pooled_until_enough_registered_people_were_asked():
    found = measure(FLOW, Point(20, 40, 0.5, 0.0), Limits(50, 10, 3, 1))
    assert (found.lists, found.registries) == (5, 2)
    assert found.registered.total() == 50
    assert found.strangers.total() == 50
    assert found.right <= found.registered["ditemukan"]
    assert found.recall > 0.8
    assert found.wrong_per_stranger < 0.1


def test_no_more_lists_than_wanted():
    found = measure(FLOW, Point(20, 40, 0.5, 0.0), Limits(50, 2, 3, 1))
    assert found.lists == 2


def test_a_cliff_is_told_by_size_of_the_registry():
    def pooled(registry, overlap, right):
        return Pooled(Point(10, registry, overlap, 0), Counter(ditemukan=100), Counter(), right)

    told = steadiness(
        [pooled(20, 0.1, 90), pooled(20, 0.5, 98), pooled(20, 0.9, 99), pooled(2000, 0.5, 97)]
    )
    assert told["20"] == {"median": 0.98, "lowest": 0.9, "highest": 0.99, "off": 0.08}
    assert told["2,000"]["off"] == pytest.approx(0)
