"""The games themselves, small: what was put in is found."""

import numpy as np

from padan_lab.games.judging.contest import contest
from padan_lab.games.playing import change, decoy


def test_decoys_of_old_are_found(games_stage):
    """Both leaks that decoys once had, put into every second row of cover."""
    epochs = [decoy.play_epoch(games_stage, 400, 3, seed) for seed in (1, 2)]
    p = next(p for p in games_stage.schema.passes if p.similar)
    registry = epochs[0].registry[p.id]
    assert 0 < (registry.records < 0).sum() < len(registry.records) / 2
    found = decoy.judge(games_stage.schema, *epochs, seed=1)
    assert found.control > 0.55
    assert {"registry · nik", "list 1 · nik"} <= found.parts.keys()


def test_cover_changes_of_old_are_found(games_stage):
    months = [change.play_month(games_stage, 120, 3, 25, seed) for seed in (1, 2)]
    p = next(p for p in games_stage.schema.passes if p.similar)
    rng = np.random.default_rng(1)
    leaking = [change.change_plays(p, change.renewed(month, p, rng)) for month in months]
    assert min(leaking[1].counts) > 40
    assert contest(*leaking, seed=1).area.low > 0.55
