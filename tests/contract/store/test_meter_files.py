"""What was met is found again as it was kept, or the damage is told."""

from __future__ import annotations

import os
from datetime import date

import numpy as np
import pytest

from padan_linkage.matching import MetPairs
from padan_server.base.damage import DamagedFileError
from padan_server.base.model import FlowKey
from padan_server.store.files.disk import Disk
from padan_server.store.files.meters import MeterFiles, MeterSecretError
from padan_server.store.port import StoreFullError

FLOW = FlowKey("a", b"d" * 32, "f")
DAY = date(2026, 11, 20)


def pairs(*given):
    rows, questions = zip(*given, strict=True) if given else ((), ())
    return MetPairs.sorted(np.array(rows, np.uint64), np.array(questions, np.uint64))


def shown(met):
    return {p: list(zip(m.row.tolist(), m.question.tolist(), strict=True)) for p, m in met.items()}


def test_lists_come_back_by_pass(tmp_path):
    files = MeterFiles(tmp_path).epoch(FLOW, 1)
    files.save("b1", {"nik": pairs((1, 2), (1, 3)), "lahir": pairs()})
    files.save("b2", {"nik": pairs((2**64 - 1, 0))})
    files.save("b2", {"nik": pairs((5, 6))})  # repeating replaces
    again = MeterFiles(tmp_path).epoch(FLOW, 1)
    assert {run: shown(met) for run, met in again.lists().items()} == {
        "b1": {"nik": [(1, 2), (1, 3)], "lahir": []},
        "b2": {"nik": [(5, 6)]},
    }
    assert MeterFiles(tmp_path).epoch(FLOW, 2).lists() == {}
    assert MeterFiles(tmp_path).run_ids() == {"b1", "b2"}
    MeterFiles(tmp_path).drop("b1")
    assert set(again.lists()) == {"b2"}
    MeterFiles(tmp_path).erase(FLOW, 2)
    assert set(again.lists()) == {"b2"}
    MeterFiles(tmp_path).erase(FLOW, 1)
    assert again.lists() == {}


def test_a_list_that_was_damaged_is_not_taken_for_a_smaller_one(tmp_path):
    files = MeterFiles(tmp_path).epoch(FLOW, 1)
    files.save("b1", {"nik": pairs((1, 2))})
    (path,) = (tmp_path / "meters").rglob("b1")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedFileError, match=r"meters/.+/1/b1: not what was written"):
        files.lists()
    for content in (b"", bytes(32), path.read_bytes()[:50]):
        path.write_bytes(content)
        with pytest.raises(DamagedFileError):
            files.lists()
    path.unlink()
    path.mkdir()
    with pytest.raises(DamagedFileError, match="no ordinary file"):
        files.lists()


def test_a_day_goes_on_behind_what_a_torn_write_left(tmp_path):
    files = MeterFiles(tmp_path).epoch(FLOW, 1)
    file = files.open_day(DAY)
    files.append(DAY, file, [(0, 1, 2), (1, 2**64 - 1, 4)])
    os.write(file, b"torn")
    os.close(file)
    assert files.days()[DAY].tolist() == [[0, 1, 2], [1, 2**64 - 1, 4]]
    file = files.open_day(DAY)
    files.append(DAY, file, [(0, 9, 9)])
    os.close(file)
    assert files.days()[DAY].tolist() == [[0, 1, 2], [1, 2**64 - 1, 4], [0, 9, 9]]


def test_the_secret_stays_and_a_damaged_one_is_told(tmp_path):
    secret = MeterFiles(tmp_path).secret
    assert MeterFiles(tmp_path).secret == secret != MeterFiles(tmp_path / "other").secret
    path = tmp_path / "meters" / "secret"
    for content in (b"short", bytes(32), None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        for _ in range(2):
            with pytest.raises(MeterSecretError, match="meters/secret"):
                MeterFiles(tmp_path)
    path.write_bytes(secret)
    assert MeterFiles(tmp_path).secret == secret


def test_a_secret_is_made_anew_only_where_nothing_was_asked_or_its_loss_is_accepted(tmp_path):
    with pytest.raises(MeterSecretError, match="accept restore"):
        MeterFiles(tmp_path, asked=True)
    made = MeterFiles(tmp_path, asked=True, lost=DAY).secret
    assert MeterFiles(tmp_path, asked=True).secret == made
    path = tmp_path / "meters" / "secret"
    path.write_bytes(b"x" * 32)
    assert MeterFiles(tmp_path, asked=True, lost=DAY).secret not in {made, b"x" * 32}
    assert [p.read_bytes() for p in (tmp_path / "aside").iterdir()] == [b"x" * 32]


def test_a_secret_from_before_there_were_checksums_is_taken(tmp_path):
    secret = MeterFiles(tmp_path).secret
    (tmp_path / "meters" / "sums.json").unlink()
    assert MeterFiles(tmp_path, asked=True).secret == secret
    (tmp_path / "meters" / "secret").write_bytes(bytes(32))
    with pytest.raises(MeterSecretError):
        MeterFiles(tmp_path, asked=True)


@pytest.mark.parametrize("at", range(0, 96, 5))
def test_no_byte_of_a_day_changes_unseen(tmp_path, at):
    files = MeterFiles(tmp_path).epoch(FLOW, 1)
    file = files.open_day(DAY)
    files.append(DAY, file, [(0, 1, 2), (1, 3, 4)])
    files.append(DAY, file, [(0, 0, 0)])
    os.close(file)
    (path,) = (tmp_path / "meters").rglob("*.asked")
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"2026-11-20\.asked"):
        files.days()


def test_meetings_moved_emptied_or_of_another_day_or_version_are_told(tmp_path):
    files = MeterFiles(tmp_path).epoch(FLOW, 1)
    file = files.open_day(DAY)
    files.append(DAY, file, [(0, 1, 2), (0, 1, 3)])
    os.close(file)
    (path,) = (tmp_path / "meters").rglob("*.asked")
    content = path.read_bytes()
    for wrong in (content[32:] + content[:32], content[32:], bytes(64), content + bytes(32)):
        path.write_bytes(wrong)
        with pytest.raises(DamagedFileError):
            files.days()
    path.write_bytes(content)
    for name in ("2026-11-21.asked", "2026-11-20.questions"):
        path.with_name(name).write_bytes(content)
        with pytest.raises(DamagedFileError):
            files.days()
        path.with_name(name).unlink()


def test_meetings_of_a_version_without_checksums_are_written_anew(tmp_path):
    files = MeterFiles(tmp_path).epoch(FLOW, 1)
    file = files.open_day(DAY)
    files.append(DAY, file, [(0, 1, 2), (0, 1, 3)])
    (path,) = (tmp_path / "meters").rglob("*.asked")
    checked, before = path.read_bytes(), path.with_suffix(".questions")
    old = np.array([(0, 1, 2), (0, 1, 3)], "<u8").tobytes() + b"torn"

    before.write_bytes(old)
    path.unlink()
    assert MeterFiles(tmp_path).epoch(FLOW, 1).days()[DAY].tolist() == [[0, 1, 2], [0, 1, 3]]
    assert path.read_bytes() == checked
    assert not before.exists()

    before.write_bytes(old)  # a start died before it was removed, and the next was answered by
    files.append(DAY, os.open(path, os.O_RDWR | os.O_APPEND), [(1, 4, 5)])
    assert len(MeterFiles(tmp_path).epoch(FLOW, 1).days()[DAY]) == 3
    assert not before.exists()

    before.write_bytes(old[24:])  # another day's, put here by somebody
    with pytest.raises(DamagedFileError, match="version"):
        MeterFiles(tmp_path).epoch(FLOW, 1).days()
    assert before.exists()
    os.close(file)


def test_meetings_that_the_disk_took_in_part_are_taken_back(tmp_path):
    class Short(Disk):
        def write(self, descriptor, data):
            return os.write(descriptor, data[:-3])

    MeterFiles(tmp_path)
    files = MeterFiles(tmp_path, Short()).epoch(FLOW, 1)
    file = files.open_day(DAY)
    with pytest.raises(StoreFullError):
        files.append(DAY, file, [(0, 1, 2)])
    os.close(file)
    assert files.days()[DAY].tolist() == []
