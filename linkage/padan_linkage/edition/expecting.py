"""How right a list's answers can be expected to be: told to whoever asked, and moving nothing.

Spec: ``proto/spec/36-editions.md``, "What to expect of a list".
"""

from __future__ import annotations

import math

from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.estimates import Expected, Share
from padan_linkage.answering.outcomes import MATCHED, UNDECIDED
from padan_linkage.merging.rule import MergeRule
from padan_linkage.merging.union import poisson_above, poisson_below

#: A list's strangers are answered at most so many times as often as the registry's own, or seldom.
UNLIKE = 2.0


def expected(rule: MergeRule, answers: RecordAnswers) -> Expected:
    """What to expect of ``answers`` that were merged by ``rule``, which is of an edition.

    Every row without a code counts as a stranger's. ``dropped``: undecided rows. Of recall nothing
    is said: how many rows are registered nobody knows.
    """
    found = answers.outcome == MATCHED
    number, dropped = int(found.sum()), int((answers.outcome == UNDECIDED).sum())
    if not number:
        return Expected(Share(), Share(), dropped)
    wrong = float(rule.stranger_answered[~found].sum())
    low = max(0.0, 1 - math.ceil(poisson_above(wrong * UNLIKE)) / number)
    high = 1 - math.floor(poisson_below(wrong / UNLIKE)) / number
    value = min(max(1 - wrong / number, low), high)
    return Expected(Share(value, low, high), Share(), dropped)
