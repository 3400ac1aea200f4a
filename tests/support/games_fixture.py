"""A stage of `padan games` on a unit in this process, with the real matcher."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from agency import NOW, make_agencies

from padan_lab.games.playing.stage import Agency, GameStage
from padan_lab.games.seeing.owners import watched_owners
from padan_lab.games.seeing.transcript import RecordedLink
from padan_server.matching.linkage_engine import LinkageEngine


@pytest.fixture
def games_stage(make_unit, tmp_path) -> Iterator[GameStage]:
    """Both sides of the flagship's first flow."""
    unit = make_unit(engine=LinkageEngine())
    agencies = make_agencies(tmp_path / "homes", unit)
    flow = unit.house.signed.agreement.flow(agencies.flow)
    sides = [
        Agency(home, RecordedLink.of(home, *agencies.names))
        for home in (agencies.provider, agencies.requester)
    ]
    with watched_owners() as owners:
        yield GameStage(agencies.agreement, flow, *sides, owners, NOW)
    for side in sides:
        side.link.close()
