"""The recorder of `padan games` notes what a unit gets, and one process shows what several do."""

from contextlib import nullcontext

import numpy as np
import pytest
from agency import NOW, make_agencies
from games_fixture import fixed_randomness

from padan_client import Home
from padan_lab.games.playing.stage import Agency, GameStage
from padan_lab.games.seeing.owners import watched_owners
from padan_lab.games.seeing.transcript import RecordedLink
from padan_lab.generate import ID_COLUMN, generate_demo
from padan_server.matching.linkage_engine import LinkageEngine

PEOPLE = 60


def play(folder, unit):
    """A registry, a list, a question and a delta; by step what was seen."""
    agencies = make_agencies(folder, unit)
    flow = unit.house.signed.agreement.flow(agencies.flow)
    homes = [
        Home.open(home.folder, randomness=fixed_randomness(home.identity.party), jitter=lambda: 0.0)
        for home in (agencies.provider, agencies.requester)
    ]
    sides = [Agency(home, RecordedLink.of(home, *agencies.names)) for home in homes]
    demo = generate_demo(flow, PEOPLE, PEOPLE, seed=7)
    with watched_owners() as owners:
        stage = GameStage(agencies.agreement, flow, *sides, owners, NOW, nullcontext)
        stage.turn_epoch()
        seen = {"registry": stage.publish(demo.registry)}
        seen["list"] = stage.confirm(demo.requests).transcript
        client = stage.requesting()
        client.confirm_one(demo.requests.slice(3, 1).to_pylist()[0])
        seen["question"] = stage.requester.link.taken()
        gone = demo.registry[ID_COLUMN].to_pylist()[:2]
        seen["delta"] = stage.update(demo.registry.slice(5, 3), gone)
    for side in sides:
        side.link.close()
    return stage, seen


def shape(transcript):
    """Calls in order, with what was sent in bytes; answers to a watch come as time passes."""
    return [
        (call.method, [message.ByteSize() for message in call.sent], call.refusal)
        for call in transcript.calls
    ]


def without_seals(transcript):
    """Uploaded columns; seals are made anew each time, by HPKE's own randomness."""
    return {
        (pass_id, name): column
        for pass_id, columns in transcript.tables().items()
        for name, column in columns.items()
        if name != "sealed_codes"
    }


def test_one_process_shows_what_several_do(make_unit, make_unit_process, tmp_path):
    inside = make_unit(engine=LinkageEngine())
    stage, seen = play(tmp_path / "inside", inside)
    outside = make_unit_process(engine="real")
    outside.start()
    _, apart = play(tmp_path / "outside", outside)
    outside.stop()
    for step in seen:
        assert shape(seen[step]) == shape(apart[step]), step
        here, there = (without_seals(s[step]) for s in (seen, apart))
        assert here.keys() == there.keys()
        assert all(np.array_equal(here[key], there[key]) for key in here), step
    here, there = (s["list"].outcomes() for s in (seen, apart))
    assert all(np.array_equal(here[p], there[p]) for p in here)
    assert sum((outcomes == 2).sum() for outcomes in here.values()) > PEOPLE
    asked = seen["question"].of("ConfirmationService.ConfirmRecords")
    assert len(asked) > 3
    assert stage.owners.made


def test_the_recorder_notes_what_lies_in_the_units_files(games_stage):
    demo = generate_demo(games_stage.flow, PEOPLE, PEOPLE, seed=8)
    seen = games_stage.publish(demo.registry)
    (data,) = games_stage.requester.home.folder.parent.parent.glob("house*/data")
    dataset = games_stage.dataset.rpartition("/")[2]
    for pass_id, columns in seen.tables().items():
        files = {f.stem: f for f in (data / "datasets" / dataset / pass_id).glob("*.npy")}
        for name, column in columns.items():
            assert np.array_equal(np.load(files[name]), column), (pass_id, name)
        records = games_stage.owners.of(pass_id, columns)
        assert 0 < (records >= 0).sum() <= PEOPLE


def test_a_refusal_is_part_of_what_is_seen(games_stage):
    demo = generate_demo(games_stage.flow, PEOPLE, PEOPLE, seed=9)
    with pytest.raises(Exception, match=r"\w"):  # no registry yet
        games_stage.confirm(demo.requests)
    assert [c for c in games_stage.requester.link.taken().calls if c.refusal]
