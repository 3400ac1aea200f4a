"""What was met is found again as it was kept, or the damage is told."""

from __future__ import annotations

import os
from datetime import date

import numpy as np
import pytest

from padan_linkage.matching import MetPairs
from padan_server.base.model import FlowKey
from padan_server.store.files.meters import DamagedMeterError, MeterFiles

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
    with pytest.raises(DamagedMeterError):
        files.lists()


def test_a_day_goes_on_behind_what_a_torn_write_left(tmp_path):
    files = MeterFiles(tmp_path).epoch(FLOW, 1)
    file = files.open_day(DAY)
    files.append(file, [(0, 1, 2), (1, 2**64 - 1, 4)])
    os.write(file, b"torn")
    os.close(file)
    assert files.days()[DAY].tolist() == [[0, 1, 2], [1, 2**64 - 1, 4]]
    file = files.open_day(DAY)
    files.append(file, [(0, 9, 9)])
    os.close(file)
    assert files.days()[DAY].tolist() == [[0, 1, 2], [1, 2**64 - 1, 4], [0, 9, 9]]


def test_the_secret_stays_and_a_damaged_one_is_told(tmp_path):
    secret = MeterFiles(tmp_path).secret
    assert MeterFiles(tmp_path).secret == secret != MeterFiles(tmp_path / "other").secret
    (tmp_path / "meters" / "secret").write_bytes(b"short")
    with pytest.raises(DamagedMeterError):
        MeterFiles(tmp_path)
