"""Data directories damaged in many ways: detected, named, nothing erased, and no wrong answer.

One small town is lived in once; every case damages a copy of what its unit left on the disk, has it
checked, and starts a unit on it.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import zlib
from contextlib import closing

import grpc
import pytest
from damaged import (
    WAYS,
    a_folder,
    emptied,
    fsck,
    halved,
    longer,
    missing,
    one_bit,
    same_time,
    started,
    tree,
    tried,
    zeros,
)
from typer.testing import CliRunner

from padan_server.app import app
from padan_server.base.accepting import Acceptable, Acceptances
from padan_server.base.clock import jakarta_day
from padan_server.store.files.meters import MeterSecretError

#: Every kind of file: where the lived town has one, by its registry, list, run.
PLACES = {
    "a registry's keys": "datasets/{registry}/nik/keys.npy",
    "a registry's codes": "datasets/{registry}/nik/sealed_codes.npy",
    "a registry's handles": "datasets/{registry}/nik/handles.npy",
    "a registry's sums": "datasets/{registry}/nik/sums.json",
    "a list's keys": "datasets/{listed}/nik/keys.npy",
    "a list's sums": "datasets/{listed}/nik/sums.json",
    "calibrations": "datasets/{registry}/calibrations.json",
    "calibrations' sums": "datasets/{registry}/sums.json",
    "outcomes": "runs/{run}/nik/outcomes.npy",
    "codes of answers": "runs/{run}/nik/sealed_codes.npy",
    "confirmations": "runs/{run}/nik/confirmations.npy",
    "answers' sums": "runs/{run}/nik/sums.json",
    "a release": "releases/*.sealed",
}
#: All ways at the two that matter most, two at each of the others.
CASES = [
    *((place, way) for place in ("a registry's keys", "outcomes") for way in WAYS),
    *(
        (place, way)
        for place in PLACES
        if place not in {"a registry's keys", "outcomes"}
        for way in (one_bit, missing, a_folder, longer)
    ),
]
#: Those that are read in the quick suite: every way at one place, every place in one way.
READ = [case for case in CASES if case[0] == "a registry's keys" or case[1] is one_bit]
#: Those that a unit is started on in the quick suite.
SOON = [
    ("a registry's keys", zeros), ("a registry's keys", same_time), ("a registry's keys", halved),
    ("a registry's sums", missing), ("a list's keys", a_folder), ("calibrations", one_bit),
    ("outcomes", zeros), ("codes of answers", one_bit), ("answers' sums", one_bit),
    ("a release", one_bit),
]  # fmt: skip


def place_of(lived, house, pattern):
    names = {"registry": lived.registry, "listed": lived.listed[-32:], "run": lived.run[-32:]}
    (path,) = house.data_dir.glob(pattern.format(**names))
    return path


def named(case):
    return f"{case[1].__name__}: {case[0]}"


def _quickly(chosen):
    """All cases; those that are not chosen are left to the slow suite."""
    return [
        case if case in chosen else pytest.param(case, marks=pytest.mark.slow) for case in CASES
    ]


@pytest.mark.parametrize("case", _quickly(READ), ids=map(named, CASES))
def test_what_is_damaged_is_named_by_the_check_which_changes_nothing(lived, left, case):
    name = damaged(lived, left, case)
    before = tree(left)
    code, found = fsck(left)
    assert code == 1
    assert found[name]["kind"] in {"damaged", "missing"}
    assert tree(left) == before


def damaged(lived, left, case):
    """Damage a file; its name under the data directory."""
    place, way = case
    path = place_of(lived, left, PLACES[place])
    way(path)
    return path.relative_to(left.data_dir).as_posix()


@pytest.mark.parametrize("case", _quickly(SOON), ids=map(named, CASES))
def test_nothing_is_answered_from_what_is_damaged(lived, left, unit_log, case):
    name = damaged(lived, left, case)
    kept = tree(left, "datasets", "releases", f"runs/{lived.run[-32:]}")
    unit = started(left)
    try:
        told = lived.uses(unit)
    finally:
        left.close()
        unit.stop()
    refused = {use for use, answer in told.items() if answer != lived.answers[use]}
    assert 0 < len(refused) < len(told)
    for use in refused:
        by_run = isinstance(told[use], str)
        assert (told[use] if by_run else told[use].reason) == "DATA_DAMAGED"
        if not by_run:
            assert told[use].code is grpc.StatusCode.DATA_LOSS
            assert told[use].metadata["file"] == name
    lines = [json.loads(line) for line in unit_log.getvalue().splitlines()]
    assert [e["file"] for e in lines if e["event"] == "file_damaged"] == [name]
    assert tree(left, "datasets", "releases", f"runs/{lived.run[-32:]}") == kept


def test_folders_that_were_exchanged_are_told(lived, left):
    """Each is whole in itself, and in the other's place."""
    nik, lahir = (left.data_dir / "datasets" / lived.registry / p for p in ("nik", "lahir"))
    for of, to in ((nik, "between"), (lahir, "nik"), (lahir.with_name("between"), "lahir")):
        of.rename(of.with_name(to))
    code, found = fsck(left)
    assert code == 1
    assert found[f"datasets/{lived.registry}/nik/sums.json"]["problem"].endswith("/lahir")


def test_two_columns_that_were_exchanged_are_told(lived, left):
    folder = left.data_dir / "datasets" / lived.registry / "nik"
    keys, handles = folder / "keys.npy", folder / "handles.npy"
    keys.rename(folder / "between")
    handles.rename(keys)
    (folder / "between").rename(handles)
    code, found = fsck(left)
    assert code == 1
    assert f"datasets/{lived.registry}/nik/keys.npy" in found


def test_what_is_made_again_harms_nothing(lived, left, unit_log):
    place = f"datasets/{lived.registry}/lahir/directory"
    one_bit(left.data_dir / place / "order.npy")
    assert fsck(left) == (0, {place: {**fsck(left)[1][place], "kind": "remade"}})
    unit = started(left)
    assert lived.uses(unit) == lived.answers
    left.close()
    unit.stop()
    assert "directory_damaged" in unit_log.getvalue()
    assert fsck(left) == (0, {})


def test_what_has_no_record_is_shown_and_no_damage(lived, left):
    (left.data_dir / "datasets" / lived.registry / "nik" / "notes.txt").write_text("mine")
    (left.data_dir / "datasets" / ("f" * 32)).mkdir()
    code, found = fsck(left)
    assert code == 0
    assert {f["kind"] for f in found.values()} == {"extra"}
    assert set(found) == {f"datasets/{lived.registry}/nik/notes.txt", f"datasets/{'f' * 32}"}


def test_a_store_that_is_damaged_or_lost_is_named_and_the_tables_are_checked_still(lived, left):
    keys = f"datasets/{lived.registry}/nik/keys.npy"
    one_bit(left.data_dir / keys)
    store = left.data_dir / "unit.sqlite"
    content = bytearray(store.read_bytes())
    content[4096:8192] = bytes(4096)
    store.write_bytes(content)
    code, found = fsck(left)
    assert (code, set(found)) == (1, {"unit.sqlite", keys})
    store.unlink()
    code, found = fsck(left)
    assert (code, found["unit.sqlite"]["kind"]) == (1, "missing")
    assert keys in found


def test_a_directory_in_use_is_not_checked(lived, left):
    unit = started(left)
    ended = CliRunner().invoke(app, ["fsck", "--data-dir", str(left.data_dir)])
    unit.stop()
    assert ended.exit_code == 2
    assert "running server" in ended.output


def test_a_damaged_column_under_a_running_unit_is_noticed_at_the_next_question(lived, left):
    unit = started(left)
    requester = unit.client("kemnaker")
    assert lived.confirmed(requester, "nik") == lived.answers["confirm nik"]
    halved(left.data_dir / "datasets" / lived.registry / "nik" / "keys.npy")
    told = tried(lambda: lived.confirmed(requester, "nik"))
    left.close()
    unit.stop()
    assert told.reason == "DATA_DAMAGED"


def test_a_run_that_meets_damage_is_not_charged(lived, left):
    one_bit(left.data_dir / "datasets" / lived.registry / "nik" / "keys.npy")
    unit = started(left)
    day = "kemnaker-bkn-2024", "asn-status", jakarta_day(unit.clock.now())
    used = []
    for _ in range(2):
        with unit.unit._store.read() as tx:
            used.append(tx.quotas.used(*day))
        assert lived.ran(unit.client("kemnaker")) == "DATA_DAMAGED"
    left.close()
    unit.stop()
    assert used[0] == used[1] > 0


def test_what_is_whole_is_called_whole_and_answers_the_same(lived, left):
    before = tree(left)
    assert fsck(left) == (0, {})
    assert tree(left) == before
    unit = started(left)
    assert lived.uses(unit) == lived.answers
    left.close()
    unit.stop()


#: What a list met.
LIST = "*/1/" + "[0-9a-f]" * 32


def meter(house, pattern):
    (path,) = (house.data_dir / "meters").glob(pattern)
    return path


@pytest.mark.parametrize(
    ("pattern", "way", "uses"),
    [
        ("*/1/*.asked", zeros, {"confirm", "run"}),
        (LIST, one_bit, {"confirm", "run"}),
        pytest.param("*/1/*.asked", a_folder, {"confirm", "run"}, marks=pytest.mark.slow),
        pytest.param(LIST, halved, {"confirm", "run"}, marks=pytest.mark.slow),
    ],
)
def test_nobody_is_answered_where_what_was_asked_cannot_be_counted_on(
    lived, left, unit_log, pattern, way, uses
):
    path = meter(left, pattern.replace("[0-9a-f]" * 32, lived.run[-32:]))
    name = path.relative_to(left.data_dir).as_posix()
    way(path)
    code, found = fsck(left)
    assert (code, found[name]["kind"]) == (1, "damaged")
    kept = tree(left, "meters")
    unit = started(left)
    try:
        told = lived.uses(unit)
    finally:
        left.close()
        unit.stop()
    refused = {use for use, answer in told.items() if answer != lived.answers[use]}
    assert {use.split()[0] for use in refused} == uses
    assert {t if isinstance(t, str) else t.reason for t in map(told.get, refused)} == {
        "DATA_DAMAGED"
    }
    assert {t.metadata["file"] for t in map(told.get, refused) if not isinstance(t, str)} == {name}
    lines = [json.loads(line) for line in unit_log.getvalue().splitlines()]
    assert [e["file"] for e in lines if e["event"] == "file_damaged"] == [name]
    assert tree(left, "meters") == kept


@pytest.mark.parametrize("way", [one_bit, missing, emptied])
def test_counts_do_not_begin_again_where_their_secret_is_lost(lived, left, way):
    way(left.data_dir / "meters" / "secret")
    assert set(fsck(left)[1]) == {"meters/secret"}
    before = tree(left, "meters")
    for _ in range(2):
        with pytest.raises(MeterSecretError, match="accept restore"):
            started(left)
        assert tree(left, "meters") == before
    Acceptances(left.data_dir).leave(Acceptable.RESTORE)
    unit = started(left)
    told = lived.uses(unit)
    left.close()
    unit.stop()
    assert told["run"].reason == "AGREEMENT_SUSPENDED"
    assert fsck(left)[0] == 0


@pytest.mark.parametrize(
    ("name", "way", "kind"),
    [
        ("mark.json", zeros, "damaged"),
        ("mark.json", a_folder, "damaged"),
        ("questions-0.journal", one_bit, "damaged"),
        ("page-token.key", halved, "remade"),
    ],
)
def test_what_lies_beside_the_store_is_read_too(left, name, way, kind):
    path = left.data_dir / name
    if name.endswith(".journal"):
        told = json.dumps(["kemnaker", "m", "id", "00", "r", 1.0]).encode()
        line = told + f" {zlib.crc32(told):08x}\n".encode()
        path.write_bytes(line * 2 + line[:9])
        assert fsck(left) == (0, {})
        path.write_bytes(line.replace(b"id", b"ie") + line)
    else:
        way(path)
    code, found = fsck(left)
    assert (code, found[name]["kind"]) == (kind != "remade", kind)


def test_what_datasets_hold_is_added_up_again(left):
    with closing(sqlite3.connect(left.data_dir / "unit.sqlite", isolation_level=None)) as store:
        store.execute("UPDATE held_rows SET rows = rows + 1 WHERE pass_id = 'nik'")
    (left.data_dir / "unit.sqlite-sums").unlink()  # of the store as it was
    code, found = fsck(left)
    assert (code, found["unit.sqlite"]["problem"]) == (1, "what datasets hold is wrongly added up")


def test_a_providers_tables_and_seeds_are_read_too(make_provider):
    provider = make_provider()
    publisher, house = provider.publisher, provider.house
    table = publisher.publish("b", epoch=2).table
    provider.stop()
    folders = "--tables-dir", str(publisher.tables_dir), "--seeds-dir", str(publisher.seeds_dir)
    assert fsck(house, *folders) == (0, {})
    line = f"seeds/{house.signed.agreement.id}/{house.flow_id}"
    for name, way, kind in (
        (f"tables/{table}/rows.bin", one_bit, "damaged"),
        (f"tables/{table}/rows.bin", longer, "damaged"),
        (f"tables/{table}/manifest.json", halved, "damaged"),
        (f"{line}/2.seed", one_bit, "damaged"),
        (f"{line}/2.seed", halved, "damaged"),
        (f"{line}/2.seed", missing, "missing"),
    ):
        path = house.folder / name
        content = path.read_bytes()
        way(path)
        code, found = fsck(house, *folders)
        assert (code, {f: v["kind"] for f, v in found.items()}) == (1, {name: kind})
        path.write_bytes(content)
        path.chmod(0o600)
    assert fsck(house, *folders) == (0, {})


def test_a_file_that_may_not_be_read_is_told_as_that(lived, left, monkeypatch):
    path = left.data_dir / "datasets" / lived.registry / "nik" / "keys.npy"
    opened = os.open

    def denied(file, *how, **more):
        if file == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(file, *how, **more)

    monkeypatch.setattr(os, "open", denied)
    code, found = fsck(left)
    name = path.relative_to(left.data_dir).as_posix()
    assert (code, found[name]["problem"]) == (1, "cannot be read: Permission denied")
    unit = started(left)
    told = tried(lambda: lived.confirmed(unit.client("kemnaker"), "nik"))
    left.close()
    unit.stop()
    assert (told.reason, told.metadata["file"]) == ("DATA_DAMAGED", name)
