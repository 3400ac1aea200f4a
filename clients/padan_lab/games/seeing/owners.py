"""Whose row is whose: what only the owner of a table knows, noted as the table is made.

The games need it to judge by, and to train on plays that a player may make herself: whoever knows
the software can make tables of people that she invented.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from padan_lab.games.seeing.transcript import Columns
from padan_linkage.encoding import PassEncoder, PassRows

Numbers = NDArray[np.int64]


@dataclass(repr=False)
class Owners:
    """Every table that was made, by pass: its keys, and the record of each row, -1 for cover."""

    made: dict[str, list[tuple[bytes, Numbers]]] = field(default_factory=dict)

    def of(self, pass_id: str, columns: Columns) -> Numbers:
        """The record of each row of an uploaded table."""
        wanted = columns["keys"].tobytes()
        return next(records for keys, records in self.made[pass_id] if keys == wanted)

    def note(self, pass_id: str, keys: NDArray[np.uint8], records: Numbers) -> None:
        """A table was made."""
        self.made.setdefault(pass_id, []).append((keys.tobytes(), records.copy()))


@contextmanager
def watched_owners() -> Iterator[Owners]:
    """Notes every whole table that this process encodes."""
    owners = Owners()
    arrange = PassEncoder.arrange

    def arranging(encoder: PassEncoder, records: Any, **more: Any) -> PassRows:
        made = arrange(encoder, records, **more)
        people = more.get("people") or len(next(iter(records.values())))
        owners.note(made.pass_id, made.settled["keys"], _whose(made, people))
        return made

    PassEncoder.arrange = arranging  # type: ignore[method-assign,assignment]
    try:
        yield owners
    finally:
        PassEncoder.arrange = arrange  # type: ignore[method-assign]


def _whose(made: PassRows, people: int) -> Numbers:
    """The person of each row, also where it shows a stand-in; -1 for cover."""
    shown: Numbers = getattr(made, "shown", made.record_of_row)
    return np.where(shown < people, shown, -1)
