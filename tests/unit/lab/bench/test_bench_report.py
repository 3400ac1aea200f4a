"""What all benches share: rounds that alternate, pinned cores, one envelope, a plot."""

import json
import os
from pathlib import Path

import pytest

from padan_lab.bench import report
from padan_lab.bench.report import BenchReport, Timing, alternately, faster, machine, peer, pinned


def test_rounds_alternate_after_a_warm_up():
    calls: list[str] = []
    tasks = {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    timings = alternately(tasks, rounds=2)
    assert "".join(calls) == "ababab"
    assert {len(each.walls) for each in timings.values()} == {2}


def test_the_best_round_decides_and_work_counts():
    timings = {"ours": Timing((4.0, 2.0), (4.0, 2.0)), "theirs": Timing((3.0, 8.0), (3.0, 8.0))}
    assert faster(timings, "ours", "theirs") == 1.5
    assert faster(timings, "ours", "theirs", work=10) == 15


def test_a_round_that_waited_for_the_processor_is_told():
    about = BenchReport("x")
    about.note_disturbance({"quiet": Timing((1.0,), (1.0,)), "busy": Timing((2.0,), (1.0,))})
    assert about.measured == {"disturbed": {"busy": 0.5}}


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity on this system")
def test_pinning_holds_the_thread_and_lets_go():
    before = os.sched_getaffinity(0)
    with pinned(1) as cores:
        assert os.sched_getaffinity(0) == set(cores)
        assert len(cores) == 1
    assert os.sched_getaffinity(0) == before


def test_an_absent_peer_is_none():
    assert peer("padan_has_no_such_peer") is None


def test_the_envelope_is_json_and_names_no_place():
    about = BenchReport("x", {"rates": {"a": 1.5}}, {"a_vs_b": 2.0}, ["b is absent"])
    given = json.loads(json.dumps(about.envelope()))
    assert set(given) == {"bench", "machine", "measured", "ratios"}
    assert given["measured"]["absent"] == ["b is absent"]
    text = json.dumps(machine())
    for place in (Path.home(), Path.cwd()):
        assert str(place) not in text


def test_a_report_is_shown_in_tables_and_a_plot(tmp_path, capsys):
    about = BenchReport("x", {"rates": {"a": {"wall": 1234567}, "b": 2.5}}, {"a_vs_b": 2.0})
    if peer("matplotlib") is None:
        pytest.skip("matplotlib is not installed")
    about.publish(json_=False, plot=tmp_path / "x.svg")
    assert "1.234.567" in capsys.readouterr().out
    assert b"<svg" in (tmp_path / "x.svg").read_bytes()


def test_a_plot_without_matplotlib_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "peer", lambda _: None)
    with pytest.raises(report.MissingExtraError, match="padan\\[bench\\]"):
        BenchReport("x", ratios={"a": 1.0}).publish(json_=True, plot=tmp_path / "x.svg")
