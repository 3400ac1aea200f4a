"""The most that a unit's answers can tell a requester about one registered person.

A requester holds the linkage key, so it can ask about vectors of its own making. What it gets is
counted here: how many different transcripts can come of its questions, whatever it asks. Spec:
``proto/spec/32-metering.md``, "Bound".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from padan_linkage.agreement.model import Flow, Quota
from padan_linkage.schema import Pass, Schema

#: Answers that tell something of a row: matched, several fit, undecided.
_ANSWERS = 3
#: The same in a pass without a filter, where a token is there once, or several times.
_EXACT_ANSWERS = 2
#: What a field of somebody who matched may be but one of the values tried: another, or empty.
_UNTRIED = 2


@dataclass(frozen=True)
class OracleBound:
    """Bits about one registered person, beyond the code that was asked for; see :meth:`of`."""

    schema: Schema
    quota: Quota
    real_time: bool

    @classmethod
    def of(cls, flow: Flow) -> OracleBound:
        """The bound of a flow that runs through a unit. Raises ValueError if it has no schema."""
        if flow.schema is None or flow.quota is None:
            raise ValueError(f"flow {flow.id} has no schema or no quota")
        return cls(flow.schema, flow.quota, flow.real_time)

    def of_list(self, rows: int) -> float:
        """By the answers to one list that is charged so many rows, adaptive within nothing."""
        return self._of(rows, self.quota.questions_per_row)

    def of_epoch(self, lists: int, rows: int) -> float:
        """By so many lists of an epoch, charged so many rows each, adaptive from one to the next.

        That a list was closed is one of its answers, where passes have filters. Single questions in
        real time may bring a row to the epoch's limit, lists alone to no more than theirs together.
        """
        most, of_lists = self.quota.questions_per_row_epoch, lists * self.quota.questions_per_row
        closed = lists if self.schema.filtered else 0
        return self._of(lists * rows, most if self.real_time else min(most, of_lists)) + closed

    def of_year(self, rows: int) -> float:
        """By a whole year of lists that are charged so many rows each."""
        return self.quota.epochs_per_year * self.of_epoch(self.quota.lists_per_epoch, rows)

    @property
    def smallest(self) -> int:
        """Rows that the smallest list is charged."""
        return self.schema.charged_records(max(1, self.quota.minimum_batch))

    @property
    def per_record(self) -> float:
        """By one charged row at most: of the smallest list, in an epoch of such, or asked alone."""
        rows, lists = self.smallest, self.quota.lists_per_epoch
        alone = max((_of_pass(p, 1, 1) for p in self.schema.passes), default=0.0)
        return max(
            self.of_list(rows) / rows,
            self.of_epoch(lists, rows) / (lists * rows),
            alone if self.real_time else 0.0,
        )

    def _of(self, questions: int, meetings: int) -> float:
        return sum(_of_pass(p, questions, meetings) for p in self.schema.passes)


def _of_pass(p: Pass, questions: int, meetings: int) -> float:
    """Bits of one pass, of whose questions so many at most meet the row."""
    # Of a confirmed field at most one of the values that were tried is the right one. A wrong guess
    # at a token says nothing of fields, so they count as if every question had been right.
    confirmed = len(p.confirm) * math.log2(_UNTRIED + questions)
    if not p.similar:
        return math.log2(1 + _EXACT_ANSWERS * questions) + confirmed
    return _transcripts(questions, meetings, _ANSWERS) + confirmed


def _transcripts(questions: int, answered: int, answers: int) -> float:
    """Log2 of the ways in which at most ``answered`` of the questions get one of the answers."""
    most = min(questions, answered)
    logs = [
        math.lgamma(questions + 1)
        - math.lgamma(i + 1)
        - math.lgamma(questions - i + 1)
        + i * math.log(answers)
        for i in range(most + 1)
    ]
    top = max(logs)
    return (top + math.log(sum(math.exp(x - top) for x in logs))) / math.log(2)


def oracle_bound(flow: Flow) -> float:
    """Bits about one registered person by one charged row; ValueError without schema or quota."""
    return OracleBound.of(flow).per_record
