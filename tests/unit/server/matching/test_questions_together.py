"""Questions that wait for their turns are asked together, and each is answered for itself."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from patience import PATIENCE

from padan_server.matching.shared_asking import SharedAsking
from padan_server.services.guard.turns import Turns


class RowsAlone:
    """As a table, its rows alone."""

    def __init__(self, *rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)


@dataclass
class CountingIndex:
    """Answers a row with itself, ``most`` questions at once; ``bad`` rows are an error."""

    most: int = 64
    bad: tuple = ()
    gains: bool = True
    asked: list[list] = field(default_factory=list)

    def match(self, requester, between):
        between()
        return self.match_some([requester])[0]

    def match_some(self, requesters):
        taken = [each.rows for each in requesters[: self.most]]
        self.asked.append(taken)
        if any(row in self.bad for rows in taken for row in rows):
            raise ValueError(taken)
        return taken


@dataclass
class TurnedCall:
    """A call that has turns of a party."""

    turn: object
    ended: bool = False

    def between(self):
        self.turn.pass_on()
        if self.ended:
            raise KeyError

    def waiting(self):
        return self.turn.aside()


def play(index, questions, at_once=1):
    """What each question gets, asked by a thread of its own; all begin before any has a turn."""
    together, turns, got = SharedAsking(index), Turns(at_once), {}

    def ask(number, rows):
        with turns.of("kemnaker") as turn:
            try:
                got[number] = together.match(RowsAlone(*rows), TurnedCall(turn))
            except ValueError as error:
                got[number] = error

    threads = [
        threading.Thread(target=ask, args=each, daemon=True) for each in enumerate(questions)
    ]
    with ExitStack() as held:
        for _ in range(at_once):
            held.enter_context(turns.of("kemnaker"))
        for number, thread in enumerate(threads):
            thread.start()
            while turns.waiting() < number + 1:
                time.sleep(0.001)
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert not together._waiting
    return [got[number] for number in range(len(questions))]


@pytest.mark.parametrize("most", [64, 7, 1])
def test_those_that_wait_are_asked_together(most):
    index = CountingIndex(most)
    questions = [(number,) for number in range(20)]
    assert play(index, questions) == questions
    assert [len(asked) for asked in index.asked] == [min(most, 20 - n) for n in range(0, 20, most)]


def test_what_gains_nothing_and_what_has_many_rows_is_asked_alone():
    index = CountingIndex(gains=False)
    assert play(index, [(1,), (2,)]) == [(1,), (2,)]
    index = CountingIndex()
    assert play(index, [(1, 2), (3, 4)]) == [(1, 2), (3, 4)]
    assert index.asked == [[(1, 2)], [(3, 4)]]


def test_a_question_that_fails_fails_alone():
    index = CountingIndex(bad=(3,))
    got = play(index, [(number,) for number in range(6)])
    assert [isinstance(each, ValueError) for each in got] == [n == 3 for n in range(6)]
    assert [got[n] for n in (0, 1, 2, 4, 5)] == [(0,), (1,), (2,), (4,), (5,)]


def test_a_question_whose_call_has_ended_is_asked_by_nobody():
    index, turns = CountingIndex(), Turns(1)
    asking = SharedAsking(index)
    with turns.of("kemnaker") as turn, pytest.raises(KeyError):
        asking.match(RowsAlone(1), TurnedCall(turn, ended=True))
    with turns.of("kemnaker") as turn:
        assert asking.match(RowsAlone(2), TurnedCall(turn)) == (2,)
    assert index.asked == [[(2,)]]


@pytest.mark.parametrize("at_once", [2, 5])
def test_none_is_lost_where_several_compute_at_once(at_once):
    for _ in range(5):
        questions = [(number,) for number in range(30)]
        assert play(CountingIndex(4), questions, at_once) == questions
