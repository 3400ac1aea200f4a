"""The score of a large result against the generated truth."""

from __future__ import annotations

import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from padan_lab.bench.rates.correctness import right_of
from padan_lab.bench.rates.measuring import Lap, Meter
from padan_lab.demo.deployment import StepError
from padan_linkage.agreement import example, load_agreement


def test_a_code_is_right_if_it_is_that_of_a_paired_row(tmp_path):
    flow = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
    (tmp_path / "people").mkdir()
    registry = {"id": ["R1", "R2", "R3"], "status": ["AKTIF", "TIDAK AKTIF", "AKTIF"]}
    pq.write_table(pa.table(registry), tmp_path / "people" / "registry.parquet")
    pairs = {"rec_id_a": ["K1", "K2", "K2", "K3"], "rec_id_b": ["R1", "R2", "R3", "R3"]}
    pacsv.write_csv(pa.table(pairs), tmp_path / "people" / "truth.csv")
    answers = [
        ("K0", "ditemukan", "ASN_AKTIF"),
        ("K1", "ditemukan", "ASN_TIDAK_AKTIF"),
        ("K2", "ditemukan", "ASN_AKTIF"),
        ("K3", "tidak_ditemukan", "TIDAK_DITEMUKAN"),
    ]
    ids, outcomes, codes = (list(column) for column in zip(*answers, strict=True))
    pq.write_table(
        pa.table({"id": ids, "hasil": outcomes, "kode": codes, "edisi": ["e"] * 3 + [""]}),
        tmp_path / "codes.parquet",
    )
    assert right_of(tmp_path, flow) == {
        "in_registry": 3, "found": 3, "precision": 0.333, "recall": 0.333, "wrong_per_stranger": 1,
    }  # fmt: skip


def test_a_stage_knows_its_process(tmp_path):
    lap, environment = Lap(), dict(os.environ)
    hold = [sys.executable, "-c", "x = bytearray(200_000_000); print('held')"]
    assert lap.run(hold, environment, tmp_path / "log") == "held\n"
    assert 0.18 < lap.peak_gib < 2
    fail = [sys.executable, "-c", "import sys; sys.exit('what went wrong')"]
    with pytest.raises(StepError, match="what went wrong"):
        lap.run(fail, environment, tmp_path / "log")


def test_a_watched_process_is_looked_at_while_it_lives():
    holds = "x = bytearray(300_000_000); import sys; sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", holds], stdin=subprocess.PIPE)
    with Meter(print).watching(process.pid) as watched:
        while watched.own_gib <= 0.2:
            watched.look(process.pid)
    process.communicate()
    assert watched.peak_gib >= watched.own_gib > 0.2
