"""Whose turn it is, and how fast somebody may begin."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from padan_server.services.guard.lines import Bucket
from padan_server.services.guard.turns import Turns


def test_parties_take_turns_whoever_has_more_calls_waiting():
    turns, served = Turns(1), []

    def serve(party):
        with turns.of(party):
            served.append(party)

    with turns.of("first"):
        waiting = ["busy"] * 6 + ["calm"] * 2
        threads = []
        for count, party in enumerate(waiting, 1):
            thread = threading.Thread(target=serve, args=(party,))
            thread.start()
            threads.append(thread)
            while turns.waiting() < count:
                pass
    for thread in threads:
        thread.join()
    assert served == ["busy", "calm", "busy", "calm", "busy", "busy", "busy", "busy"]


def test_a_turn_put_aside_is_another_s():
    turns, served = Turns(1), []

    def serve():
        with turns.of("b"):
            served.append("b")

    with turns.of("a") as turn:
        other = threading.Thread(target=serve)
        other.start()
        with turn.aside():
            other.join()
        served.append("a")
    assert served == ["b", "a"]


@given(st.floats(0.1, 100), st.lists(st.floats(0, 3), max_size=200))
def test_nobody_begins_more_than_the_rate_and_a_burst(rate, pauses):
    bucket, now, taken = Bucket(rate, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
    assert taken <= max(1.0, rate) + now * rate + 1e-6
