"""``padan bench encode`` on a few records: one object, every pass measured."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_linkage.agreement import example, load_agreement


def test_the_measurements_are_one_object():
    done = CliRunner().invoke(
        app, ["bench", "encode", "--records", "1000", "--rounds", "1", "--no-peers", "--json"]
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    flow = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
    assert said["bench"] == "encode"
    hardened = said["measured"]["hardened"]
    assert {n for n in hardened if n.startswith(flow.id)} == {
        f"{flow.id} {p.id}" for p in flow.schema.passes
    }
    assert len({n for n in hardened if n.startswith("lean ")}) >= 2
    slowest = said["measured"]["hardened_slowest_by_segments"]
    assert {int(n) for n in slowest} == {each["segments"] for each in hardened.values()}
    speeds = said["measured"]["plain_records_per_second"]
    assert set(speeds) == {"arrow", "lists"}
    assert all(speed > 0 for speed in speeds.values())
    assert 0.3 < said["measured"]["plain_fill"]["padan"] < 0.8
    assert not any("clkhash" in name for name in said["ratios"])
