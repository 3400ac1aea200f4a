"""A SQLite store that lost or changed something is not gone on with; one after a power cut is."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from history import Cut, History, Mark, Survival
from seam import watched

from padan_server.base.model import Suspension
from padan_server.store.doubts import StoreDoubtError
from padan_server.store.port import DamagedStoreError
from padan_server.store.sql import beside
from padan_server.store.sql.commits import CommitCount, ahead, next_number
from padan_server.store.sql.store import SqlStore

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
FILES = ("", "-wal", "-shm", "-count", "-sums")


def opened(folder, **how):
    return SqlStore(f"sqlite:///{folder / 'unit.sqlite'}", **how)


def suspended(store, party, article="Pasal 10"):
    with store.write() as tx:
        tx.agreements.suspend(Suspension("kemnaker-bkn-2024", party, article, NOW))


@pytest.fixture
def killed(tmp_path, dataset):
    """What a killed process left after some commits, the last few only in the log."""
    folder = tmp_path / "living"
    folder.mkdir()
    store = opened(folder)
    with store.write() as tx:
        for number in range(20):
            tx.datasets.add(dataset(f"{number:032x}"))
    store.close()
    store = opened(folder)
    for number in range(5):
        suspended(store, f"party{number}")
    left = tmp_path / "left"
    shutil.copytree(folder, left)
    yield left
    store.close()


def said(folder):
    """All that the store says."""
    with closing(sqlite3.connect(folder / "unit.sqlite")) as connection:
        return list(connection.iterdump())


def flip(path, draw):
    content = bytearray(path.read_bytes())
    at = draw.randrange(len(content))
    content[at] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    return at


def refusal_of(folder):
    try:
        opened(folder).close()
    except (StoreDoubtError, DamagedStoreError) as refused:
        return str(refused)
    return ""


def one_flip(killed, said_before, folder, draw):
    """Whether a store with one flipped bit was refused; if it was not, it says all it said."""
    shutil.copytree(killed, folder)
    path = folder / f"unit.sqlite{draw.choice(FILES)}"
    at = flip(path, draw)
    before = {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.endswith("-shm")}
    refused = refusal_of(folder)
    if not refused:
        assert said(folder) == said_before, (path.name, at)
        return path.name, False
    assert path.name in refused, (path.name, at)
    after = {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.endswith("-shm")}
    assert after == before
    return path.name, True


@pytest.mark.parametrize("flips", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_one_flipped_bit_loses_nothing_in_silence(killed, tmp_path, flips):
    draw = random.Random(flips)
    whole = shutil.copytree(killed, tmp_path / "whole")
    before = said(whole)
    told = [one_flip(killed, before, tmp_path / str(number), draw) for number in range(flips)]
    assert ("unit.sqlite-wal", True) in told


def acknowledged(root):
    """Commits, each marked once it has returned, with logs that are written back and begun anew."""
    history = History(root)
    with watched(root, history):
        for number in range(3):
            store = opened(root)
            for article in range(9):
                suspended(store, f"party{number}", f"{article}")
                history.mark(f"{number} {article}")
            if number:
                store.close()
    return history


def remembered(folder):
    """The last suspension that the store knows; raises what a start would."""
    store = opened(folder)
    try:
        with store.read() as tx:
            found = tx.agreements.suspensions("kemnaker-bkn-2024")
    finally:
        store.close()
    return max(((s.party[-1:], s.article) for s in found), default=("", ""))


@pytest.mark.parametrize("share", [25, pytest.param(1, marks=pytest.mark.slow)])
def test_no_power_cut_and_no_kill_is_taken_for_damage(tmp_path, monkeypatch, share):
    """At every step that anything takes to the disk: the store opens, with all acknowledged."""
    monkeypatch.setattr(beside, "_LONG", 12)
    draw = random.Random(share)
    root = tmp_path / "root"
    root.mkdir()
    opened(root).close()
    history = acknowledged(root)
    cut, last = Cut(history), ("", "")
    for moment, change in enumerate(history.changes):
        cut.go_to(moment)
        if isinstance(change, Mark):
            last = tuple(change.text.split())
        elif not draw.randrange(share):
            cut.write(tmp_path / "after", draw.choice([*Survival]), draw)
            assert remembered(tmp_path / "after") >= last


def test_numbers_go_on_over_their_end():
    assert ahead(3, (1 << 32) - 2) == 5
    assert ahead((1 << 32) - 2, 3) == -5
    assert next_number((1 << 32) - 1) == 0


def test_the_right_store_comes_back_after_starts_without_it(killed):
    """What a start makes in the place of a lost database says nothing of the one that was lost."""
    path = killed / "unit.sqlite"
    kept = {name: (killed / f"unit.sqlite{name}").read_bytes() for name in ("", "-wal")}
    for name in ("", "-wal", "-shm"):
        (killed / f"unit.sqlite{name}").unlink()
    opened(killed).close()
    for left in killed.glob("unit.sqlite-[ws]*"):
        if left.name != "unit.sqlite-sums":
            left.unlink()
    for name, content in kept.items():
        path.with_name(path.name + name).write_bytes(content)
    assert remembered(killed) == ("4", "Pasal 10")


def test_a_database_without_its_log_is_told(killed):
    (killed / "unit.sqlite-wal").unlink()
    with pytest.raises(StoreDoubtError, match=r"unit\.sqlite is damaged or incomplete"):
        opened(killed)


def test_another_program_may_have_written_the_log_back(killed):
    """``sqlite3 unit.sqlite`` after a kill: whole, though the checksums are of before."""
    with closing(sqlite3.connect(killed / "unit.sqlite")) as other:
        other.execute("SELECT * FROM suspensions").fetchall()
    assert not (killed / "unit.sqlite-wal").exists()
    assert remembered(killed) == ("4", "Pasal 10")


def test_what_was_accepted_is_counted_from_then_on(killed):
    (killed / "unit.sqlite-wal").unlink()
    store = opened(killed, accept=True)
    assert store.doubt is not None
    suspended(store, "party9")
    shutil.copytree(killed, killed.with_name("again"))
    store.close()
    for folder in (killed, killed.with_name("again")):
        assert remembered(folder) == ("9", "Pasal 10")


@pytest.mark.parametrize("name", ["-count", "-sums"])
def test_a_lost_count_is_doubted_and_lost_sums_are_made_again(killed, name):
    (killed / f"unit.sqlite{name}").unlink()
    if name == "-count":
        with pytest.raises(StoreDoubtError, match=r"unit\.sqlite-count is missing"):
            opened(killed)
        return
    assert SqlStore.look(killed / "unit.sqlite").uncompared == "unit.sqlite-sums"
    assert remembered(killed) == ("4", "Pasal 10")
    store = opened(killed)
    suspended(store, "party9")
    assert not SqlStore.look(killed / "unit.sqlite").uncompared
    store.close()


@pytest.mark.parametrize("end", ["stopped", "killed"])
@pytest.mark.parametrize("mode", ["PASSIVE", "FULL", "RESTART", "TRUNCATE"])
def test_a_log_that_another_program_writes_back_beside_a_server_is_no_damage(
    tmp_path, dataset, mode, end
):
    folder, left = tmp_path / "living", tmp_path / "left"
    folder.mkdir()
    opened(folder).close()
    store = opened(folder)
    with store.write() as tx:  # pages that no later commit touches
        for number in range(20):
            tx.datasets.add(dataset(f"{number:032x}"))
    with closing(sqlite3.connect(folder / "unit.sqlite")) as backup:
        backup.execute(f"PRAGMA wal_checkpoint({mode})")
    for number in range(3):
        suspended(store, f"party{number}")
    if end == "stopped":
        store.close()
    shutil.copytree(folder, left)
    store.close()
    again = opened(left)
    suspended(again, "later")
    again.close()
    store = opened(left)
    assert store.uncompared == "", "the sums were made again, and are compared"
    with store.read() as tx:
        assert len(tx.agreements.suspensions("kemnaker-bkn-2024")) == 4
    store.close()


def test_deaths_before_the_first_counts_are_no_loss(tmp_path, monkeypatch):
    keep = CommitCount.keep
    monkeypatch.setattr(
        CommitCount, "keep", lambda self, n: keep(self, n) if not n else os._exit(9)
    )
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            suspended(opened(tmp_path), "bkn")
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    monkeypatch.undo()
    opened(tmp_path).close()
