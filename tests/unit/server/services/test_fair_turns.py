"""Whose turn it is, and how fast somebody may begin."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import PATIENCE

from padan_server.base.errors import Reason, Refusal
from padan_server.services.guard.call import Call, CallerGoneError
from padan_server.services.guard.lines import Bucket, CallShare, HandedCall, Lines, silent_call
from padan_server.services.guard.turns import Turns


def test_parties_take_turns_whoever_has_more_calls_waiting():
    turns, served = Turns(1, clock=lambda: 0.0), []
    serve_all(turns, ["busy"] * 6 + ["calm"] * 2, served.append)
    assert served == ["busy", "calm", "busy", "calm", "busy", "busy", "busy", "busy"]


def test_a_party_whose_turns_are_long_has_fewer_of_them():
    now, served = Ticks(), []
    turns = Turns(1, clock=now)

    def work(party):
        now.advance(3.0 if party == "long" else 1.0)
        served.append(party)

    serve_all(turns, ["long"] * 3 + ["short"] * 6, work)
    assert served == ["long", *["short"] * 3, "long", *["short"] * 3, "long"]


def test_nobody_saves_turns_up_by_staying_away():
    now, served = Ticks(), []
    turns = Turns(1, clock=now)

    def work(party):
        now.advance(1.0)
        served.append(party)

    for _ in range(20):
        with turns.of("steady"):
            now.advance(1.0)
    serve_all(turns, ["steady"] * 4 + ["late"] * 4, work)
    assert served == ["late", "steady"] * 4


def test_a_long_call_in_pieces_lets_others_go_between_two_of_them():
    now, served = Ticks(), []
    turns = Turns(1, clock=now)
    call = Call("long")

    def short(party):
        now.advance(1.0)
        served.append(party)

    threads = []
    with turns.of("long") as call.turn:
        for piece in range(3):
            now.advance(5.0)
            served.append(f"piece {piece}")
            threads += begun(turns, ["short"] * 2, short)
            call.between()
    for thread in threads:
        thread.join()
    shorts = ["short"] * 2
    assert served == ["piece 0", *shorts, "piece 1", *shorts, "piece 2", *shorts]


def test_whoever_has_used_less_keeps_its_turn_or_gives_it_to_its_own():
    now, served = Ticks(), []
    turns = Turns(1, clock=now)
    with turns.of("much"):
        now.advance(9.0)
    with turns.of("little") as turn:
        now.advance(1.0)
        other = begun(turns, ["much"], served.append)
        turn.pass_on()
        assert served == []
        own = begun(turns, ["little"], served.append)
        turn.pass_on()
        assert served == ["little"]
        now.advance(20.0)
        turn.pass_on()
        assert served == ["little", "much"]
    for thread in (*other, *own):
        thread.join()


def test_a_call_that_nobody_waits_for_ends_between_two_pieces():
    turns, awaited = Turns(1), [True, True, False]
    with turns.of("party") as turn:
        call = Call("long", turn=turn, is_awaited=lambda: awaited.pop(0))
        call.between()
        call.between()
        with pytest.raises(CallerGoneError):
            call.between()
    with turns.of("party"):
        assert turns.waiting() == 0


def test_a_call_that_is_no_longer_admitted_ends_between_two_pieces():
    call = Call("long")
    call.between()

    def suspended():
        raise Refusal(Reason.AGREEMENT_SUSPENDED)

    call.rests_on("agreement", suspended)
    with pytest.raises(Refusal):
        call.between()


class Ticks:
    """A clock that stands still unless told to go on."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds

    def advance(self, seconds):
        self.seconds += seconds


def begun(turns, parties, work):
    """A thread for each, all of which wait for a turn, in this order."""

    def serve(party):
        with turns.of(party):
            work(party)

    threads, before = [], turns.waiting()
    for count, party in enumerate(parties, 1):
        thread = threading.Thread(target=serve, args=(party,))
        thread.start()
        threads.append(thread)
        while turns.waiting() < before + count:
            pass
    return threads


def serve_all(turns, parties, work):
    """Have all of them wait, and then be served."""
    with turns.of("first"):
        threads = begun(turns, parties, work)
    for thread in threads:
        thread.join()


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


class HeldCalls:
    """Calls put into one line; each runs until it is let go, silent where it was told to be."""

    def __init__(self, share, threads=8):
        self.lines, self.share = Lines("test", threads), share
        self.begun, self.gates, self.silent = [], {}, {}
        self.changed = threading.Condition()

    def put(self, name):
        self.gates[name] = threading.Event()
        return self.lines.put("party", HandedCall(self._run, (name,)), self.share)

    def _run(self, name):
        with self.changed:
            self.silent[name] = silent_call()
            self.begun.append(name)
            self.changed.notify_all()
        self.gates[name].wait(PATIENCE)

    def has_begun(self, names):
        with self.changed:
            return self.changed.wait_for(lambda: self.begun == list(names), PATIENCE)


def test_of_calls_at_once_few_are_at_work_and_the_silent_are_not_counted():
    calls = HeldCalls(CallShare(at_once=4, waiting=9, a_second=1.0, at_work=2))
    assert all(calls.put(name) for name in "abcdefg")
    assert calls.has_begun("ab")
    calls.silent["a"](True)
    assert calls.has_begun("abc")
    calls.silent["a"](False)  # its message has come: three are at work, and nobody begins
    calls.gates["b"].set()
    calls.gates["c"].set()
    assert calls.has_begun("abcd")
    for name in "ad":
        calls.silent[name](True)
    assert calls.has_begun("abcdef")
    calls.silent["e"](True)  # four run: there is no thread for another
    assert calls.lines.waiting() == 1
    for name in "adefg":
        calls.gates[name].set()
    assert calls.has_begun("abcdefg")


def test_a_line_takes_so_many_that_wait_and_no_more():
    calls = HeldCalls(CallShare(at_once=4, waiting=1, a_second=1.0, at_work=1))
    assert [calls.put(name) for name in "abc"] == [True, True, False]
    for name in "ab":
        calls.gates[name].set()
    assert calls.has_begun("ab")
