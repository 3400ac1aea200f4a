"""A registry, a list, a run, answers: the whole protocol against a unit in this process."""

from __future__ import annotations

import numpy as np
from parties import answers

from padan.v1 import resources_pb2 as resources_pb
from padan.v1 import run_service_pb2 as run_pb


def test_codes_come_back_sealed_as_they_were_sent(make_unit):
    unit = make_unit()
    provider, requester = unit.pair()
    registry = provider.tables(40)
    provider.publish(40, tables=registry)
    listed = requester.publish(30, tables=requester.tables(30, same_as=registry))

    operation = requester.start_run(listed)
    run = requester.watch(requester.run_of(operation).name)
    assert run.state == run_pb.Run.STATE_SUCCEEDED
    assert run.progress == 1
    assert run.record_count == 256  # charged: every row of a table, cover too
    assert [p.pass_id for p in run.passes] == [p.id for p in requester.schema.passes]
    assert all(p.matched_rows == 30 for p in run.passes)

    found = answers(requester.runs.StreamResults(run_pb.StreamResultsRequest(name=run.name)))
    for pass_id, rows in found.items():
        outcomes = np.frombuffer(rows.outcomes, np.uint8)
        assert outcomes[:30].tolist() == [resources_pb.OUTCOME_MATCHED] * 30
        assert set(outcomes[30:].tolist()) == {resources_pb.OUTCOME_NOT_MATCHED}
        assert rows.sealed_codes == registry[pass_id].columns["sealed_codes"][:30].tobytes()
