"""The games themselves, small: what was put in is found."""

import numpy as np
import pytest

from padan_lab.games.judging.contest import contest
from padan_lab.games.playing import change, decoy, listing, on_list, passes


def test_decoys_of_old_are_found(games_stage):
    """Both leaks that decoys once had, put into every second row of cover."""
    epochs = [decoy.play_epoch(games_stage, 400, 2, seed) for seed in (1, 2)]
    p = next(p for p in games_stage.schema.passes if p.similar)
    registry = epochs[0].registry[p.id]
    assert 0 < (registry.records < 0).sum() < len(registry.records) / 2
    found = decoy.game(games_stage.schema, epochs, seed=1)
    assert found.control > 0.55
    assert {part.partition(" · ")[0] for part in found.parts} >= {"registry", "list 1"}


def test_cover_changes_of_old_are_found(games_stage):
    months = [change.play_month(games_stage, 120, 3, 40, seed) for seed in (1, 2)]
    p = next(p for p in games_stage.schema.passes if p.similar)
    rng = np.random.default_rng(1)
    leaking = [change.change_plays(p, change.renewed(month, p, rng)) for month in months]
    assert min(leaking[1].counts) > 40
    assert contest(*leaking, seed=1).area.low > 0.55


def test_rows_of_two_passes_in_one_order_are_found(games_stage):
    """The control puts it in; and no pair of people who differ in what is known is compared."""
    epochs = [decoy.play_epoch(games_stage, 400, 1, seed) for seed in (3, 4)]
    first, second = games_stage.schema.passes[:2]
    rows = [passes.registry_rows(p, epochs[0]) for p in (first, second)]
    made = passes.pair_plays(*rows, np.random.default_rng(1))
    assert min(made.counts) > 100
    found = passes.game(games_stage.schema, epochs, [], seed=1)
    assert found.control > 0.55
    assert all("deltas" not in part for part in found.parts)


@pytest.fixture(scope="module")
def once():
    """What is played once for all tests of this module."""
    return {}


@pytest.fixture
def seen(games_stage, monkeypatch, once):
    """Two dozen plays with a target or who stands in for it; whoever looks changes none."""
    monkeypatch.setattr(listing, "LISTS", 3)
    monkeypatch.setattr(listing, "SLOTS", 8)
    monkeypatch.setattr(listing, "ASKED", 1_200)
    monkeypatch.setattr(listing, "REGISTERED", 300)
    if not once:
        once["lists"] = listing.play_lists(games_stage, 24, 1)
    return once["lists"]


def test_who_stands_in_matches_as_the_target_does(seen):
    casting, pairs = seen.casting, seen.casting.pairs
    registered = np.array([code != "" for code in casting.codes])
    assert (registered[pairs[:, 0]] == registered[pairs[:, 1]]).all()
    alike = registered[pairs[:, 0]]
    assert 0.4 < alike.mean() < 0.6
    assert (casting.takes[pairs[alike, 0]] == casting.takes[pairs[alike, 1]]).all()
    assert 0 < seen.truth.sum() < len(seen.slots) == 24
    assert all(slot.question.of("ConfirmationService.ConfirmRecords") for slot in seen.slots)
    assert all(slot.asked not in slot.others for slot in seen.slots)


def test_leaks_that_are_put_in_show_the_target(games_stage, seen):
    """A pass that is not asked, and a count of every code, fit the target where it is there."""
    rng = np.random.default_rng(1)
    tell = on_list.unit_teller(games_stage.schema)
    for leaking, told, name in (
        (on_list.unasked(games_stage.schema, seen, rng), tell, "asked as expected"),
        (on_list.counted(seen, rng), on_list.minutes_told, "cell beyond the others"),
    ):
        values = np.array([told(seen.casting, slot)[name] for slot in leaking.slots])
        assert values[seen.truth].mean() > values[~seen.truth].mean()
