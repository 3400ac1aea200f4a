"""How long a run's turn is while other parties wait."""

from __future__ import annotations

import pytest

from padan_server.matching.run_lease import RunTurn


@pytest.mark.parametrize(
    ("taken_up", "worked", "over"),
    [
        (0.5, 4.9, False),
        (0.5, 5.0, True),
        (2.0, 7.9, False),  # a fifth of less than ten seconds is no two
        (2.0, 8.0, True),
        (100.0, 399.0, False),
        (100.0, 400.0, True),
    ],
)
def test_a_turn_is_long_enough_for_what_taking_it_up_costs(taken_up, worked, over):
    now = [50.0]
    turn = RunTurn(5.0, 0.2, lambda: now[0])
    now[0] += taken_up
    assert not turn.may_end()
    turn.works()
    now[0] += worked
    turn.works()  # only the first counts
    assert turn.may_end() is over


def test_a_turn_in_which_nothing_is_done_does_not_end():
    now = [0.0]
    turn = RunTurn(0.0, 1.0, lambda: now[0])
    now[0] += 1000.0
    assert not turn.may_end()
    turn.works()
    assert turn.may_end()
