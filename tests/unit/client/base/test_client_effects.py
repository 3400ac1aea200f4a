"""Patience: what is repeated, how often, how slowly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import padan_client
from padan.v1 import run_service_pb2 as pb
from padan_client.base.effects import Patience, Pause, Unary, call
from padan_client.base.errors import BusyError, RefusedError, UnavailableError, VerificationError
from padan_client.home.config import Timeouts

PATIENCE = Patience(jitter=lambda: 1.0, attempts=4, first_seconds=1.0, ceiling_seconds=3.0)
REQUEST = pb.GetRunRequest(name="x")


def drive(failures):
    """Run a call against the given failures, then success; returns (effects, result)."""
    steps = call("RunService.GetRun", REQUEST, pb.Run, PATIENCE)
    effects, left = [], list(failures)
    try:
        effect = next(steps)
        while True:
            effects.append(effect)
            if isinstance(effect, Pause):
                effect = steps.send(None)
            elif left:
                effect = steps.throw(left.pop(0))
            else:
                effect = steps.send(pb.Run(name="done"))
    except StopIteration as stop:
        return effects, stop.value


def test_an_unavailable_server_is_asked_again_ever_more_slowly():
    effects, result = drive([UnavailableError("1"), UnavailableError("2"), UnavailableError("3")])
    assert result.name == "done"
    assert [e.seconds for e in effects if isinstance(e, Pause)] == [1.0, 2.0, 3.0]
    requests = [e.request for e in effects if isinstance(e, Unary)]
    assert requests == [REQUEST] * 4


def test_patience_ends():
    last = UnavailableError("4")
    with pytest.raises(UnavailableError) as caught:
        drive([UnavailableError("1"), UnavailableError("2"), UnavailableError("3"), last])
    assert caught.value is last


@pytest.mark.parametrize("failure", [RefusedError("no", "FIELD_INVALID"), VerificationError("no")])
def test_a_refusal_is_not_repeated(failure):
    with pytest.raises(type(failure)):
        drive([failure])


def test_jitter_halves_at_most():
    pauses = Patience(jitter=lambda: 0.0, first_seconds=1.0).start()
    assert pauses.after(UnavailableError("x")).seconds == 0.5


def test_progress_counts_from_zero_again():
    backoff = PATIENCE.start()
    for _ in range(10):
        backoff.after(UnavailableError("x"))
        backoff.after(UnavailableError("x"))
        backoff.progress()
    assert backoff.after(UnavailableError("x")).seconds == 1.0


def test_a_busy_server_is_asked_when_it_says_and_not_all_at_once():
    busy = BusyError("later", "TOO_MANY_CALLS", 2.0)
    early, late = (Patience(jitter=lambda j=j: j).start() for j in (0.0, 0.5))
    assert [early.after(busy).seconds, late.after(busy).seconds] == [2.0, 3.0]


def test_being_told_to_wait_costs_no_attempts_and_ends():
    backoff = Patience(jitter=lambda: 0.0, attempts=2, busy_seconds=10.0).start()
    busy = BusyError("later", "TOO_MANY_CALLS", 1.0)
    assert [backoff.after(busy).seconds for _ in range(10)] == [1.0] * 10
    with pytest.raises(BusyError):
        backoff.after(busy)
    backoff.progress()
    assert backoff.after(busy).seconds == 1.0


def silent(seconds):
    return UnavailableError("nothing came", silent_seconds=seconds)


def test_a_silent_server_is_not_waited_for_as_often_as_one_that_is_away():
    backoff = Patience(jitter=lambda: 0.0, attempts=6, silent_seconds=30.0).start()
    backoff.after(silent(15.0))
    backoff.after(UnavailableError("away"))
    with pytest.raises(UnavailableError):
        backoff.after(silent(15.0))
    backoff.progress()
    backoff.after(silent(29.0))


def test_the_settings_say_how_long_silence_is_borne():
    bearing = [Timeouts(call=seconds).patience(lambda: 0.0).silent_seconds for seconds in (5, 90)]
    assert bearing == [30.0, 90.0]


def test_every_command_has_the_patience_of_the_settings():
    """A patience that something makes for itself would not be that of the rest."""
    made = [
        path.name
        for path in Path(padan_client.__file__).parent.rglob("*.py")
        if re.search(r"\bPatience\(", path.read_text())
    ]
    assert made == ["config.py"]
