"""``padan bench kernel`` in small: a run's own candidates, the same hits all round."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from padan_client.cli.app import app
from padan_lab.bench.rates import kernel_rates
from padan_lab.bench.rates.filters import alike, unlike, weight_of
from padan_lab.bench.rates.kernel_rates import (
    DICE,
    DisagreementError,
    Matching,
    agree,
    workload,
)
from padan_linkage.matching.similar import KEEP


def _run(*options):
    result = CliRunner().invoke(app, ["bench", *options, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _absent(given):
    return given["measured"].get("absent", [])


def _hits(left, right):
    """By the definition of Dice, in fractions."""
    shared = np.bitwise_count(left[:, None] & right[None]).sum(axis=2, dtype=np.int64)
    both = np.bitwise_count(left).sum(axis=1)[:, None] + np.bitwise_count(right).sum(axis=1)
    return np.argwhere(2 * shared * DICE.denominator >= DICE.numerator * both.astype(np.int64))


def test_a_small_run_names_its_ratios(monkeypatch):
    monkeypatch.setattr(kernel_rates, "start_up", lambda _: None)
    given = _run("kernel", "--rows", "256", "--rounds", "1")
    peers = [p for p in ("anonlink", "faiss") if not any(p in s for s in _absent(given))]
    for name in peers:
        for way in ("full", "alike", "alike_all"):
            assert given["ratios"][f"kernel_{way}_1c_vs_{name}"] > 0
    assert set(given["measured"]["million_pairs_per_second_1c"]) == {"full", "alike"}
    assert given["measured"]["hits"]["alike"]["share"] == pytest.approx(0.01, abs=0.004)
    assert 0 < given["measured"]["hits"]["full"]["share"] < 0.0001


def test_absent_peers_are_said_to_be_absent_and_have_no_ratio(monkeypatch):
    monkeypatch.setattr(kernel_rates, "start_up", lambda _: None)
    monkeypatch.setattr(kernel_rates, "peer", lambda _: None)
    given = _run("kernel", "--rows", "64", "--rounds", "1")
    assert sum("padan[bench]" in sentence for sentence in _absent(given)) == 2
    assert not any("vs" in name for name in given["ratios"])


@pytest.mark.parametrize("tables", [unlike, alike])
@pytest.mark.parametrize("bits", [256, 448, 1024])
def test_a_run_finds_what_dice_says_and_the_peers_find_it_too(tables, bits):
    left, right = tables(300, bits)
    hits = agree(workload(left, right))
    assert np.array_equal(hits, _hits(left, right))
    assert len(hits) >= 2
    for each in (left, right):
        assert (np.bitwise_count(each).sum(axis=1) == weight_of(bits)).all()


def test_more_buckets_are_the_same_work_as_often(monkeypatch):
    left, right = unlike(200, 256)
    once, thrice = Matching.of(left, right), Matching.of(left, right, buckets=3)
    assert thrice.pairs == 3 * once.pairs
    expected = np.concatenate([once.kept() + 200 * n for n in range(3)])
    assert np.array_equal(thrice.kept(2), expected)


def _other(pairs):
    return np.concatenate([pairs[1:], [[0, 1]]])


def test_a_peer_that_finds_other_pairs_stops_the_bench():
    work = workload(*unlike(200, 256))
    hits = work.matching.kept()
    with pytest.raises(DisagreementError, match="other"):
        agree(replace(work, peers={"other": lambda: _other(hits)}))


def test_candidates_that_are_no_hits_stop_the_bench(monkeypatch):
    work = workload(*alike(200, 256))
    kept = work.matching.kept()
    assert np.bincount(kept[:, 0]).max() == KEEP
    for false in (kept[1:], _other(kept)):
        monkeypatch.setattr(Matching, "kept", lambda _, false=false: false)
        with pytest.raises(DisagreementError):
            agree(work)
