"""Sweeps in ranges: what was done before a crash is taken up, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.matching import CancelledError, KeptRanges, match_and_learn, match_pass

POLICY = MatchPolicy(min_precision=0.99)


class Shelf:
    """A journal in memory; ``breaks_after`` saves it fails, as a killed process would."""

    def __init__(self, breaks_after=None):
        self.pieces = {}
        self.taken_up = 0
        self.breaks_after = breaks_after

    def load(self, name):
        self.taken_up += name in self.pieces
        return self.pieces.get(name)

    def save(self, name, content):
        if self.breaks_after is not None and len(self.pieces) >= self.breaks_after:
            raise KeyboardInterrupt
        assert name not in self.pieces
        self.pieces[name] = content


@pytest.fixture
def two(make_world):
    world = make_world(31)
    provider, requester = world.two(3000, 2000, 0.5)
    return world, provider, requester


@pytest.fixture
def learned(two):
    world, provider, requester = two
    return match_and_learn(world.schema, world.p, provider, requester, POLICY).scoring.calibration


def same(a, b):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("outcome", "row", "confirmations", "score")
    )


@pytest.mark.parametrize("done", [0, 1, 4])
def test_a_killed_sweep_goes_on_to_the_same_bits(two, learned, done):
    world, provider, requester = two
    whole = match_pass(world.schema, world.p, provider, requester, POLICY, learned)
    shelf = Shelf(breaks_after=done)
    kept = KeptRanges(shelf, size=3_000)

    def run(threads):
        return match_pass(
            world.schema, world.p, provider, requester, POLICY, learned, kept=kept, threads=threads
        )

    with pytest.raises(KeyboardInterrupt):
        run(1)
    assert len(shelf.pieces) == done
    shelf.breaks_after = None
    resumed = run(2)
    assert shelf.taken_up == done
    assert len(shelf.pieces) > 4
    assert same(resumed, whole)
    assert resumed.estimate == whole.estimate


def test_ranges_of_other_tables_are_not_taken_up(two, learned, make_world):
    world, provider, requester = two
    shelf = Shelf()
    kept = KeptRanges(shelf, size=3_000)
    match_pass(world.schema, world.p, provider, requester, POLICY, learned, kept=kept)
    others = make_world(32).two(3000, 2000, 0.5)
    match_pass(world.schema, world.p, *others, POLICY, learned, kept=kept)
    assert shelf.taken_up == 0


def test_a_range_of_the_wrong_size_is_swept_again(two, learned):
    world, provider, requester = two
    whole = match_pass(world.schema, world.p, provider, requester, POLICY, learned)
    shelf = Shelf()
    kept = KeptRanges(shelf, size=3_000)
    match_pass(world.schema, world.p, provider, requester, POLICY, learned, kept=kept)
    shelf.save = shelf.pieces.__setitem__
    for name, content in shelf.pieces.items():
        shelf.pieces[name] = content[:-1]
    assert same(
        match_pass(world.schema, world.p, provider, requester, POLICY, learned, kept=kept), whole
    )


def test_progress_never_goes_back_and_cancelling_keeps_what_is_done(two, learned):
    world, provider, requester = two
    shelf = Shelf()
    heard = []

    def run(cancelled=None):
        return match_pass(
            world.schema, world.p, provider, requester, POLICY, learned,
            kept=KeptRanges(shelf, size=3_000), progress=heard.append, cancelled=cancelled,
        )  # fmt: skip

    with pytest.raises(CancelledError):
        run(lambda: len(shelf.pieces) == 3)
    assert len(shelf.pieces) == 3
    heard.clear()
    run()
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
