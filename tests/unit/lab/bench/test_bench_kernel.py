"""``padan bench kernel`` in small: it measures, compares what was found, names who is absent."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_lab.bench.rates import kernel_rates
from padan_lab.bench.rates.filters import two_tables
from padan_lab.bench.rates.kernel_rates import DisagreementError, Workload, agree, workload


def _run(*options):
    result = CliRunner().invoke(app, ["bench", *options, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_small_run_names_its_ratios(monkeypatch):
    monkeypatch.setattr(kernel_rates, "start_up", lambda _: None)
    given = _run("kernel", "--rows", "64", "--rounds", "1")
    peers = [p for p in ("anonlink", "faiss") if not any(p in s for s in _absent(given))]
    for name in peers:
        assert given["ratios"][f"kernel_full_1c_vs_{name}"] > 0
        for way in ("full", "filtered"):
            for t in (80, 85, 90):
                assert given["ratios"][f"kernel_{way}_t{t}_1c_vs_{name}"] > 0
    assert set(given["measured"]["million_pairs_per_second_1c"]) == {"t80", "t85", "t90"}


def _absent(given):
    return given["measured"].get("absent", [])


def test_absent_peers_are_said_to_be_absent_and_have_no_ratio(monkeypatch):
    monkeypatch.setattr(kernel_rates, "start_up", lambda _: None)
    monkeypatch.setattr(kernel_rates, "peer", lambda _: None)
    given = _run("kernel", "--rows", "64", "--rounds", "1")
    assert sum("padan[bench]" in sentence for sentence in _absent(given)) == 2
    assert not any("vs" in name for name in given["ratios"])


@pytest.mark.parametrize("threshold", [0.75, 0.8, 0.85, 0.9])
def test_the_peers_find_what_padan_finds(threshold):
    work = workload(600, 1024)
    agree(work, threshold)
    if threshold < 0.9:
        assert len(work.searches["padan_full"](threshold)) >= 5


def test_a_peer_that_finds_other_pairs_stops_the_bench():
    left, right = two_tables(64, 64)
    searches = {
        "padan": lambda _: np.array([[1, 2]]),
        "other": lambda _: np.array([[1, 2], [3, 4]]),
    }
    with pytest.raises(DisagreementError, match="other"):
        agree(Workload(left, right, searches, []), 0.8)


def test_the_filters_look_like_peoples():
    left, right = two_tables(3000, 3000)
    about = Workload(left, right, {}, []).shape()
    assert 0.45 < about["fill"] < 0.5
    assert 0.51 < about["dice_median"] < 0.56
    assert 0.61 < about["dice_p999"] < 0.68
