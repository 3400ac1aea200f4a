"""``padan bench voprf`` in small: everybody does the same work, and what is missing is said."""

import json

import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_lab.bench.peers.sodium import Sodium
from padan_lab.bench.rates import direct_rates, ifma_limit, voprf_rates, voprf_scaling
from padan_lab.bench.rates.voprf_rates import STEPS, OneCore, OtherOutputError, StepWork

LIMIT_NAMES = {"cycles", "limit_cycles", "share_of_limit", "multiply_adds_per_cycle"}


@pytest.fixture
def quick(monkeypatch):
    """Without the parts that start processes, and few elements."""
    whole = OneCore.measure
    few = classmethod(lambda _, _elements, rounds: whole(20, rounds))
    monkeypatch.setattr(OneCore, "measure", few)
    monkeypatch.setattr(direct_rates, "whole_way", lambda *_: {"build_seconds": 1})
    monkeypatch.setattr(voprf_rates, "other_backend", lambda *_: None)
    monkeypatch.setattr(voprf_scaling, "two_over_one", lambda *_: dict.fromkeys(STEPS, 1.5))
    monkeypatch.setattr(ifma_limit, "_TURNS", 100)


def run(*options):
    given = ["bench", "voprf", "--elements", "1024", "--rounds", "1", "--json", *options]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_small_run_names_its_ratios_and_the_backend(quick, monkeypatch):
    monkeypatch.setattr(voprf_rates.Sodium, "found", lambda: None)
    given = run()
    measured, ratios = given["measured"], given["ratios"]
    assert all(ratios[f"{step}_vs_voprf"] > 0 for step in STEPS)
    assert voprf_rates.best_form().name in measured["backend"]
    assert set(measured["per_second_1c"]) == set(STEPS)
    assert not any("libsodium" in name or "psi" in name for name in ratios)
    assert any("libsodium" in sentence for sentence in measured["absent"])
    assert any("--with-psi" in sentence for sentence in measured["absent"])
    assert set(measured["multiplication"]) in (set(), {*LIMIT_NAMES, "gigahertz", "multiply_adds"})


def test_the_other_backend_and_psi_stand_beside_it(quick, monkeypatch, tmp_path):
    seconds = {step: {"padan": 1.0, "voprf": 2.0} for step in STEPS}
    other = OneCore("narrow", 20, seconds)
    monkeypatch.setattr(voprf_rates, "other_backend", lambda *_: other)
    rates = {"setup_per_second": 1, "request_per_second": 1, "response_per_second": 1}
    monkeypatch.setattr("padan_lab.bench.peers.psi.measure", lambda *_: rates)
    given = run("--with-psi", str(tmp_path))
    assert given["ratios"]["build_narrow_vs_voprf"] == 2
    assert given["ratios"]["evaluate_2c_over_1c"] == 1.5
    for step in ("build", "blind", "evaluate"):
        assert given["ratios"][f"{step}_vs_openmined_psi"] > 1
    failed = {"failed": "OSError"}
    monkeypatch.setattr("padan_lab.bench.peers.psi.measure", lambda *_: failed)
    assert run("--with-psi", str(tmp_path))["measured"]["openmined_psi"] == failed


def test_whoever_computes_something_else_is_not_compared(monkeypatch):
    work = StepWork(9)
    work.agree()
    monkeypatch.setattr(work, "_library_build", lambda: [bytes(64)] * 9)
    with pytest.raises(OtherOutputError):
        work.agree()
    if work.sodium is None:
        pytest.skip("libsodium is not on this machine")
    lying = StepWork(9)
    monkeypatch.setattr(Sodium, "multiply", lambda *_: [bytes(32)] * 9)
    with pytest.raises(OtherOutputError):
        lying.agree()


def test_multiply_adds_are_counted_in_what_is_written():
    assert ifma_limit._written(ifma_limit.WIDE.product, 2) == 2 * 5 * 5
    assert ifma_limit._written(ifma_limit.WIDE.square, 1) == 2 * 15
    assert ifma_limit.multiply_adds() > 64 * 4 * (3 * 50 + 4 * 30) / 8
