"""A unit that is killed between two ranges of a pass goes on behind the last one it kept."""

from __future__ import annotations

import numpy as np
import pytest
from agency import filtered
from patience import PATIENCE

from padan.v1 import run_service_pb2 as run_pb


@pytest.fixture
def answered(make_unit_process):
    """Runs one list against one registry with the real engine, killed or not; gives answers."""

    def run(failpoint):
        unit = make_unit_process(engine="real", settings={"range_pairs": 50}, edit=filtered)
        unit.start()
        provider, requester = unit.client("bkn"), unit.client("kemnaker")
        provider.contribute()
        requester.contribute()
        registry = provider.tables(3000)
        provider.publish(3000, tables=registry)
        listed = requester.publish(2000, tables=requester.tables(2000, same_as=registry))
        assert unit.stop() == 0
        unit.start(failpoint=failpoint)
        requester = unit.client("kemnaker")
        name = requester.run_of(requester.start_run(listed)).name
        if failpoint:
            assert unit.process.wait(PATIENCE) < 0
            unit.start()
            requester = unit.client("kemnaker")
        assert requester.watch(name).state == run_pb.Run.STATE_SUCCEEDED
        work = list(unit.house.data_dir.glob("runs/*/*.work"))
        messages = requester.runs.StreamResults(run_pb.StreamResultsRequest(name=name))
        rows = [m.rows for m in messages]
        return [(r.pass_id, r.row_offset, r.outcomes, r.sealed_codes) for r in rows], work

    return run


def test_a_kill_between_ranges_changes_no_answer(answered):
    whole, _ = answered("")
    resumed, work = answered("run.range_kept:3")
    assert resumed == whole
    assert not work
    assert 2 in np.concatenate([np.frombuffer(o, np.uint8) for _, _, o, _ in whole])
