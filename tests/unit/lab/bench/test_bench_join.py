"""``padan bench join`` in small: the same rows found by all, ratios named."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_lab.bench.rates import join_rates
from padan_lab.bench.rates.kernel_rates import DisagreementError
from padan_lab.bench.report import BenchReport


def test_a_small_run_names_its_ratios():
    options = ["--rows", "5000", "--asked", "600", "--rounds", "1", "--bytes", "32", "--json"]
    result = CliRunner().invoke(app, ["bench", "join", *options])
    assert result.exit_code == 0, result.output
    given = json.loads(result.stdout)
    assert given["bench"] == "join"
    assert given["measured"]["found"] == 300
    assert given["ratios"]["join_vs_pyarrow"] > 0
    assert ("join_vs_duckdb" in given["ratios"]) == ("absent" not in given["measured"])


def test_without_duckdb_its_ratio_is_left_out(monkeypatch):
    monkeypatch.setattr(join_rates, "peer", lambda _: None)
    report = BenchReport("join")
    join_rates.one_core(report, join_rates.workload(100, 40, 2), 1)
    assert set(report.ratios) == {"join_vs_pyarrow"}
    assert "padan[bench]" in report.absent[0]


def test_a_join_that_finds_other_rows_stops_the_bench():
    joins, absent = join_rates.workload(100, 40, 2)
    joins["pyarrow"] = lambda: np.zeros(40, np.int64)
    with pytest.raises(DisagreementError, match="pyarrow"):
        join_rates.one_core(BenchReport("join"), (joins, absent), 1)
