"""A stage of `padan games` on a unit in this process, with the real matcher."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from agency import NOW, filtered, make_agencies

from padan_client import Home
from padan_lab.games.playing.stage import Agency, GameStage
from padan_lab.games.seeing.owners import watched_owners
from padan_lab.games.seeing.transcript import RecordedLink
from padan_server.matching.linkage_engine import LinkageEngine


def fixed_randomness(party):
    """The same bytes in the same order for the same party."""
    drawn = 0

    def draw(size):
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{party} {drawn}".encode()).digest(size)

    return draw


@pytest.fixture
def games_stage(make_unit, tmp_path) -> Iterator[GameStage]:
    """Both sides of the flagship's first flow, which accepts filters."""
    unit = make_unit(engine=LinkageEngine(), edit=filtered)
    agencies = make_agencies(tmp_path / "homes", unit)
    flow = unit.house.signed.agreement.flow(agencies.flow)
    homes = [
        Home.open(home.folder, randomness=fixed_randomness(home.identity.party), jitter=lambda: 0.0)
        for home in (agencies.provider, agencies.requester)
    ]
    sides = [
        Agency(home, RecordedLink.of(home, agencies.agreement, agencies.flow)) for home in homes
    ]
    with watched_owners() as owners:
        yield GameStage(agencies.agreement, flow, *sides, owners, NOW, nullcontext)
    for side in sides:
        side.link.close()
