"""Intervals that are honest, and classifiers that find what there is to find."""

import numpy as np
import pytest

from padan_lab.games.judging.auc import Area, area
from padan_lab.games.judging.contest import Plays, Result, contest
from padan_lab.games.judging.outcome import Bound, Outcome


def plays(count, seed, leak=""):
    """Twelve features of noise; ``leak`` says how the first world differs."""
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.5
    noise = rng.normal(size=(count, 12))
    if leak == "shift":
        noise[truth, 4] += 0.7
    elif leak == "width":
        noise[truth, 4] *= 2
    elif leak == "pair":
        noise[truth, 4] = np.sign(noise[truth, 7]) * np.abs(noise[truth, 4])
    return Plays.of({f"f{i}": noise[:, i] for i in range(12)}, truth)


def test_an_area_counts_pairs_and_ties_half():
    scores = np.array([3.0, 1.0, 2.0, 2.0])
    truth = np.array([True, True, False, False])
    assert area(scores, truth).auc == 2 / 4
    assert area(np.array([2.0, 2.0, 2.0, 1.0]), truth).auc == 3 / 4
    with pytest.raises(ValueError, match="both worlds"):
        area(scores, np.ones(4, bool))


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    """Scores of N(.3, 1) against N(0, 1): the true area is Φ(.3 / √2) = .5840."""
    rng = np.random.default_rng(3)
    missed = 0
    for _ in range(400):
        truth = np.arange(400) < 200
        found = area(rng.normal(size=400) + 0.3 * truth, truth)
        missed += not found.low <= 0.5840 <= found.high
    assert missed <= 4


def test_plays_that_repeat_each_other_do_not_narrow_an_interval():
    rng = np.random.default_rng(4)
    truth = rng.random(200) < 0.5
    scores = rng.normal(size=200) + 0.2 * truth
    once = area(scores, truth)
    repeated = np.repeat(scores, 9), np.repeat(truth, 9)
    clustered = area(*repeated, np.repeat(np.arange(200), 9))
    assert clustered.high - clustered.low == pytest.approx(once.high - once.low, rel=0.02)
    assert area(*repeated).high - area(*repeated).low < 0.4 * (once.high - once.low)


@pytest.mark.parametrize("leak", ["shift", "width", "pair"])
def test_some_classifier_finds_each_kind_of_difference(leak):
    found = contest(plays(2000, 1, leak), plays(2000, 2, leak), seed=1)
    assert found.area.low > 0.55
    if leak != "pair":
        assert found.told[0][0] == "f4" or leak == "width"


def test_an_area_below_one_half_is_turned_with_its_interval():
    assert Area(0.4, 0.3, 0.45).turned == Area(0.6, 0.55, 0.7)
    assert Area(0.6, 0.5, 0.7).turned == Area(0.6, 0.5, 0.7)
    assert not Area(0.4, 0.3, 0.45).turned.chance


def test_worlds_that_are_alike_are_not_told_apart():
    areas = [contest(plays(900, s), plays(1500, 99 + s), seed=s).area for s in range(8)]
    assert all(a.chance and a.high < 0.6 for a in areas)
    assert min(a.auc for a in areas) >= 0.5  # turned, whichever way chance went


def test_what_held_only_in_training_is_no_success():
    """A feature that tells by chance in the training plays, and nothing elsewhere."""
    training, judged = plays(2000, 1, "shift"), plays(2000, 2)
    assert contest(training, judged, seed=1).area.chance


def result(low, auc, high):
    return Result(Area(auc, low, high), "trees", (1000, 1000), ())


def test_a_game_is_as_good_as_its_worst_part():
    good, wide, fallen = result(0.47, 0.5, 0.54), result(0.45, 0.54, 0.6), result(0.52, 0.55, 0.56)
    found = result(0.7, 0.8, 0.9)
    outcome = Outcome("unit", "unit", {"a": good, "b": wide, "c": fallen}, {"leak": found})
    assert outcome.worst == "c"
    assert outcome.as_json()["auc"] == 0.55
    assert not outcome.holds(0.65)
    held = Outcome("unit", "unit", {"a": good, "b": wide}, {"leak": found})
    assert held.worst == "b"
    assert held.holds(0.6)
    assert not held.holds(0.58)
    lost = Outcome("unit", "unit", {"a": good}, {"leak": found, "another": result(0.54, 0.6, 0.7)})
    assert not lost.holds(0.6)  # nobody would have noticed
    assert lost.control == 0.54


def test_a_bound_that_binds_nothing_is_not_kept():
    assert Bound(0.1, 0.2, 3.0, {}).holds()
    assert not Bound(0.3, 0.2, 3.0, {}).holds()
    assert not Bound(0.1, 0.2, 0.15, {}).holds()
