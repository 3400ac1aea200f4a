"""A small slice of the campaign, and that its model of a disk finds what is not durable."""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from crashes import Crashes, Recording, Undisturbed
from damages import Damages
from disturbed import Faults
from history import Cut, History, Survival
from kills import KilledJourney, Nursery
from networks import RoughJourney
from scene import Scene, in_memory
from seam import watched
from servers import Servers


@pytest.fixture(scope="module")
def servers():
    made = Servers()
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(dir=in_memory()) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def undisturbed(servers, folder):
    return Undisturbed.of(folder / "undisturbed", servers)


@pytest.fixture(scope="module")
def recording(servers, folder):
    return Recording.of(folder / "recorded", servers)


def played(undisturbed, recording, servers, survivals, count, seed):
    """What was violated in so many crashes."""
    crashes = Crashes(undisturbed, recording, servers)
    chosen = crashes.draw(count, survivals, random.Random(seed))
    return [found for _, found in crashes.play(chosen) if found]


POWER = (Survival.SYNCED, Survival.JOURNAL, Survival.ANY)


def test_processes_die_at_durable_steps(undisturbed, recording, servers):
    assert played(undisturbed, recording, servers, (Survival.ALL,), 10, seed=1) == []


def test_the_power_goes_at_durable_steps(undisturbed, recording, servers):
    assert played(undisturbed, recording, servers, POWER, 10, seed=2) == []


def test_disks_fail_and_clocks_jump_for_a_while(undisturbed, recording, servers):
    faults, draw = Faults(undisturbed, recording, servers), random.Random(3)
    found = [faults.play_disk(draw) for _ in range(3)] + [faults.play_clock(draw) for _ in range(3)]
    assert not any(found), found


def test_damage_at_rest_gives_no_wrong_answer(undisturbed, recording, servers):
    damages, draw = Damages(undisturbed, recording, servers), random.Random(5)
    found = [found for _, found in (damages.play(draw) for _ in range(5)) if found]
    assert found == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("survivals", [(Survival.ALL,), POWER])
def test_a_thousand_crashes(undisturbed, recording, servers, survivals):
    assert played(undisturbed, recording, servers, survivals, 1000, seed=4) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_processes_are_killed_in_five_journeys(undisturbed, folder):
    nursery = Nursery()
    for seed in range(5):
        scene = Scene.found(folder / f"killed{seed}")
        KilledJourney(scene, nursery, random.Random(seed)).go(undisturbed)
    nursery.close()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_five_journeys_on_a_rough_network(undisturbed, servers, folder):
    for seed in range(5):
        journey = RoughJourney(folder / f"rough{seed}", servers, random.Random(seed))
        assert journey.go(undisturbed) == ""


# The model


def put(folder, name, content, *, synced=False, named=False):
    """Write a file, sync it, sync its folder."""
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(descriptor, content)
    if synced:
        os.fsync(descriptor)
    os.close(descriptor)
    if named:
        sync(folder)


def sync(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def left_of(tmp_path, act, survival, seed=0):
    """What a disk may keep of what ``act`` did to an empty folder; names and contents."""
    root, after = tmp_path / "root", tmp_path / "after"
    root.mkdir()
    history = History(root)
    with watched(root, history):
        act(root)
        history.mark("end")
    cut = Cut(history)
    cut.go_to(len(history.changes))
    cut.write(after, survival, random.Random(seed))
    files = [path for path in after.rglob("*") if path.is_file()]
    return {path.relative_to(after).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        ({}, {}),
        ({"synced": True}, {}),
        ({"named": True}, {"a": b""}),
        ({"synced": True, "named": True}, {"a": b"x" * 600}),
    ],
)
def test_only_what_was_synced_and_named_is_certain(tmp_path, steps, kept):
    found = left_of(tmp_path, lambda root: put(root, "a", b"x" * 600, **steps), Survival.SYNCED)
    assert found == kept


def test_a_kill_loses_nothing_and_a_new_folder_must_be_named_too(tmp_path):
    def act(root):
        (root / "deep").mkdir()
        put(root / "deep", "a", b"x", synced=True, named=True)

    assert left_of(tmp_path, act, Survival.ALL) == {"deep/a": b"x"}
    (tmp_path / "again").mkdir()
    assert left_of(tmp_path / "again", act, Survival.SYNCED) == {}


def test_a_rename_is_old_or_new_and_never_neither(tmp_path):
    def act(root):
        put(root, "a", b"old", synced=True, named=True)
        put(root, "draft", b"new", synced=True)
        (root / "draft").replace(root / "a")

    seen = set()
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        seen.add(left_of(folder, act, Survival.ANY, seed)["a"])
    assert seen == {b"old", b"new"}


def test_what_was_not_synced_may_be_torn(tmp_path):
    seen = set()
    for seed in range(30):
        folder = tmp_path / str(seed)
        folder.mkdir()
        act = lambda root: put(root, "a", b"x" * 4000, named=True)  # noqa: E731
        seen.add(left_of(folder, act, Survival.JOURNAL, seed)["a"])
    assert b"" in seen
    assert b"x" * 4000 in seen
    assert any(0 in content for content in seen), "a length without its content"


def test_what_sqlite_committed_is_certain_and_nothing_else(tmp_path):
    def act(root):
        with closing(sqlite3.connect(root / "a.sqlite", isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("CREATE TABLE t (x)")
            connection.execute("INSERT INTO t VALUES (1)")
            connection.execute("BEGIN")
            connection.execute("INSERT INTO t VALUES (2)")
            found.update(left_here(root))

    found = {}

    def left_here(root):
        history.mark("now")
        cut = Cut(history)
        cut.go_to(len(history.changes))
        cut.write(tmp_path / "after", Survival.SYNCED, random.Random(0))
        with closing(sqlite3.connect(tmp_path / "after" / "a.sqlite")) as connection:
            return {"rows": connection.execute("SELECT x FROM t").fetchall()}

    root = tmp_path / "root"
    root.mkdir()
    history = History(root)
    with watched(root, history):
        act(root)
    assert found == {"rows": [(1,)]}
