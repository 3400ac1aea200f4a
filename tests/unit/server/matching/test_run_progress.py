"""Time estimates rest on work that was done now."""

from __future__ import annotations

import pytest

from padan_server.matching.progress import RunProgress


@pytest.fixture
def clock():
    """A clock that tests turn."""

    class SettableClock:
        seconds = 0.0

        def __call__(self):
            return self.seconds

    return SettableClock()


def test_the_rest_takes_as_long_as_its_work(clock):
    pace = RunProgress({"short": 10.0, "long": 90.0}, set(), clock)
    assert pace.step().seconds_left is None
    clock.seconds = 5.0
    pace.at("short", 0.5)
    assert pace.step().share == pytest.approx(0.05)
    assert pace.step().seconds_left == pytest.approx(95.0)
    pace.ended("short")
    pace.restart()
    assert pace.step().seconds_left is None
    clock.seconds = 8.0
    pace.at("long", 1 / 3)
    assert pace.step().share == pytest.approx(0.4)
    assert pace.step().seconds_left == pytest.approx(6.0)


def test_passes_done_before_are_progress(clock):
    pace = RunProgress({"short": 10.0, "long": 90.0}, {"long"}, clock)
    assert pace.step().share == pytest.approx(0.9)


def test_only_the_last_minute_counts(clock):
    pace = RunProgress({"one": 1000.0}, set(), clock)
    for second in range(1, 200):
        clock.seconds = float(second)
        pace.at("one", min(second, 100) / 1000 + max(second - 100, 0) / 2000)
    assert pace.step().seconds_left == pytest.approx(2 * (1000 - 149.5), rel=0.05)


def test_what_is_taken_up_says_nothing_of_speed(clock):
    class Kept:
        def load(self, name):
            return b"done" if name == "old" else None

        def save(self, name, content):
            """Keep it."""

    pace = RunProgress({"one": 100.0}, set(), clock)
    journal = pace.journal(Kept())
    assert journal.load("old") == b"done"
    pace.at("one", 0.5)
    assert journal.load("new") is None
    clock.seconds = 10.0
    pace.at("one", 0.6)
    journal.save("new", b"done")
    assert pace.step().seconds_left == pytest.approx(40.0)
