"""The benches around a real unit, small: they run, and find whom they should."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def bench(*arguments):
    """What a bench prints."""
    line = [sys.executable, "-m", "padan_client", "bench", *arguments, "--json"]
    return json.loads(subprocess.run(line, check=True, capture_output=True).stdout)


@pytest.mark.slow
def test_a_small_nation_is_matched():
    told = bench(
        "national", "--requester", "2000", "--provider", "1000", "--passes", "nik-depan,nik",
        "--overlap", "0.4", "--copies", "0.03",
    )  # fmt: skip
    assert told["measured"]["in_registry"] == 800
    assert set(told["measured"]["unopened_by_pass"]) == {"nik-depan", "nik"}
    assert told["measured"]["wrong_per_stranger"] < 0.01
    assert told["ratios"]["precision"] > 0.99
    assert told["ratios"]["recall"] > 0.8
    assert set(told["measured"]["stages"]) == {"generate", "publish", "confirm"}


@pytest.mark.slow
def test_questions_and_uploads_are_measured():
    told = bench("confirm", "--registry", "2000", "--calls", "100")
    assert "confirm_p99_vs_empty_unary" in told["ratios"]
    told = bench("upload", "--rows", "2000", "--rounds", "1")
    assert set(told["measured"]["rates"]) == {"padan", "bare"}
