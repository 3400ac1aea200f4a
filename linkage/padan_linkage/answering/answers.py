"""An answer on its way: of a pass to rows, opened, and in the end of all passes to a record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from padan_linkage.answering.outcomes import (
    AMBIGUOUS,
    MATCHED,
    NO_REASON,
    NOT_MATCHED,
    UNDECIDED,
)
from padan_linkage.answering.payloads import Payloads

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class PassCounts:
    """How one pass answered, in numbers: all that the linkage unit can count.

    ``requester_rows``, ``provider_rows``: rows compared; ``matched_rows``, ``ambiguous_rows``,
    ``undecided_rows``: rows answered so. Decoys and padding are among all of them.
    """

    pass_id: str
    requester_rows: int
    provider_rows: int
    matched_rows: int
    ambiguous_rows: int
    undecided_rows: int


@dataclass(frozen=True, repr=False)
class PassAnswers:
    """What one pass answers to ``n`` rows, in the requester's order: all that leaves the matcher.

    ``outcome``: uint8[n]; and of the ``m`` matched rows alone, in row order: ``sealed``: uint8[m,
    44], their sealed codes, ``confirmations``: uint8[m, ceil(fields / 8)], bit i set where both
    tags of ``confirm[i]`` are equal. The registry's row is not among them, nor the score or
    anything made of it, nor which upload put the row there.
    """

    pass_id: str
    outcome: NDArray[np.uint8]
    sealed: NDArray[np.uint8]
    confirmations: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.outcome)

    def __repr__(self) -> str:
        return f"PassAnswers({self.pass_id!r}, rows={len(self)}, matched={len(self.sealed)})"

    @property
    def matched_rows(self) -> NDArray[np.int64]:
        """The matched rows, ascending: int64[m]."""
        return np.flatnonzero(self.outcome == MATCHED)

    def counts(self, provider_rows: int) -> PassCounts:
        """How the rows were answered, by a registry of so many rows."""
        rows = np.bincount(self.outcome, minlength=UNDECIDED + 1).tolist()
        return PassCounts(
            self.pass_id,
            len(self),
            provider_rows,
            rows[MATCHED],
            rows[AMBIGUOUS],
            rows[UNDECIDED],
        )

    @property
    def row_bytes(self) -> int:
        """Bytes of a matched row's answer."""
        return int(1 + self.sealed.shape[1] + self.confirmations.shape[1])

    def pieces(self, row: int, size: int) -> Iterator[tuple[int, PassAnswers]]:
        """The answers from ``row`` on, ``size`` rows at a time, each with its first row."""
        matched = int(np.count_nonzero(self.outcome[:row] == MATCHED))
        for start in range(row, len(self), size):
            rows = slice(start, start + size)
            before = matched
            matched += int(np.count_nonzero(self.outcome[rows] == MATCHED))
            of = slice(before, matched)
            yield (
                start,
                PassAnswers(
                    self.pass_id, self.outcome[rows], self.sealed[of], self.confirmations[of]
                ),
            )

    @classmethod
    def joined(cls, pieces: Sequence[PassAnswers]) -> PassAnswers:
        """The whole of consecutive pieces of one pass; at least one."""
        columns = ("outcome", "sealed", "confirmations")
        return cls(
            pieces[0].pass_id,
            **{name: np.concatenate([getattr(p, name) for p in pieces]) for name in columns},
        )


@dataclass(frozen=True, repr=False)
class OpenedAnswers:
    """The opened answers of one pass to ``k`` records, each at most once; decoy rows are left out.

    ``record``: int64[k]; ``outcome``: uint8[k], as the unit sent it. Where the outcome is MATCHED:
    ``payload``, ``k`` of them, what the code says; ``failed``: bool[k], the sealed code
    did not open; ``row``: int64[k], equal where one registry row answers; ``confirmations``:
    uint8[k, ceil(fields / 8)], as sent. ``score``: float32[k] breaks ties; only a rehearsal, which
    is its own unit, has it.
    """

    pass_id: str
    record: NDArray[np.int64]
    outcome: NDArray[np.uint8]
    payload: Payloads
    failed: NDArray[np.bool_]
    row: NDArray[np.int64]
    confirmations: NDArray[np.uint8]
    score: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        answers: PassAnswers,
        record_of_row: NDArray[np.int64],
        payload: Payloads,
        failed: NDArray[np.bool_],
        row: NDArray[np.int64],
        score: NDArray[np.float32] | None = None,
    ) -> OpenedAnswers:
        """The answers of the rows of records: ``record_of_row``: int64[n], -1 for a decoy.

        ``payload``, ``failed`` and ``row`` are of the ``m`` matched rows, ``score`` of all.
        """
        real = np.flatnonzero(record_of_row >= 0)
        place = np.full(len(answers), -1)
        place[answers.matched_rows] = np.arange(len(failed))
        at = place[real]
        return cls(
            answers.pass_id,
            record_of_row[real],
            answers.outcome[real],
            Payloads(**{name: spread(column, at) for name, column in vars(payload).items()}),
            spread(failed, at),
            spread(row, at),
            spread(answers.confirmations, at),
            np.broadcast_to(np.float32(0), len(real)) if score is None else score[real],
        )

    def __len__(self) -> int:
        return len(self.record)

    def only(self, kept: NDArray[np.bool_]) -> OpenedAnswers:
        """The answers that are ``kept``, bool[k]."""
        return replace(
            self,
            record=self.record[kept],
            outcome=self.outcome[kept],
            payload=Payloads(**{name: c[kept] for name, c in vars(self.payload).items()}),
            failed=self.failed[kept],
            row=self.row[kept],
            confirmations=self.confirmations[kept],
            score=self.score[kept],
        )

    @property
    def matched(self) -> NDArray[np.bool_]:
        """Which answers are believed matches, bool[k]."""
        believed: NDArray[np.bool_] = (self.outcome == MATCHED) & ~self.payload.decoy & ~self.failed
        return believed


@dataclass(frozen=True, repr=False)
class RecordAnswers:
    """One answer to each of ``n`` records, of all passes or all of direct mode's keys.

    ``outcome``: uint8[n]; ``reason``: uint8[n], why it is undecided, else NO_REASON; ``code``:
    uint64[n], bits of the flow's codes, and ``day``: uint16[n], whose facts
    they state: 0 unless matched. ``answered_by``: int64[n], number
    of the pass or key that settled the record, -1 for none; ``position``: int64[n], of its answer
    among those of that pass, -1 for none. ``checks``: uint8[n, fields], what came of every
    confirmed field.
    """

    outcome: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    code: NDArray[np.uint64]
    day: NDArray[np.uint16]
    answered_by: NDArray[np.int64]
    position: NDArray[np.int64]
    checks: NDArray[np.uint8]

    @classmethod
    def none(cls, records: int) -> RecordAnswers:
        """Nothing is known of anybody: arrays to be filled in."""
        return cls(
            outcome=np.full(records, NOT_MATCHED, np.uint8),
            reason=np.full(records, NO_REASON, np.uint8),
            code=np.zeros(records, np.uint64),
            day=np.zeros(records, np.uint16),
            answered_by=np.full(records, -1, np.int64),
            position=np.full(records, -1, np.int64),
            checks=np.zeros((records, 0), np.uint8),
        )

    def __len__(self) -> int:
        return len(self.outcome)

    def __repr__(self) -> str:
        return f"RecordAnswers(records={len(self)})"

    def without(self, doubtful: NDArray[np.bool_], reason: int) -> RecordAnswers:
        """The same, but records that are ``doubtful`` (bool[n]) and matched are undecided."""
        return self.undecided(doubtful & (self.outcome == MATCHED), reason)

    def undecided(self, lost: NDArray[np.bool_], reason: int) -> RecordAnswers:
        """The same, but the ``lost`` records (bool[n]) are undecided for this reason."""
        outcome = np.where(lost, UNDECIDED, self.outcome).astype(np.uint8)
        reasons = np.where(lost, reason, self.reason).astype(np.uint8)
        return replace(self, outcome=outcome, reason=reasons).settled()

    def settled(self) -> RecordAnswers:
        """The same, with code and day of matched records alone, reasons of undecided ones."""
        kept = self.outcome == MATCHED
        return replace(
            self,
            reason=self.reason * (self.outcome == UNDECIDED),
            code=self.code * kept,
            day=self.day * kept,
            answered_by=np.where(kept, self.answered_by, -1),
            position=np.where(kept, self.position, -1),
        )

    def of_passes(self, values: Sequence[NDArray[T]]) -> NDArray[T]:
        """Each record's value where ``values`` has one array a pass, a value an answer; else 0."""
        chosen = np.zeros(len(self), values[0].dtype)
        for number, given in enumerate(values):
            mine = self.answered_by == number
            chosen[mine] = given[self.position[mine]]
        return chosen


def spread(values: NDArray[T], at: NDArray[np.int64]) -> NDArray[T]:
    """``values[at]``, zero where ``at`` (int64[k]) is -1."""
    full = np.zeros((len(at), *values.shape[1:]), values.dtype)
    full[at >= 0] = values[at[at >= 0]]
    return full
