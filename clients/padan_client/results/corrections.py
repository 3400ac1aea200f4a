"""Which fields differ between the two sides, and who has to correct them.

Where the agreement names the party whose value prevails in a field, the other side corrects.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from padan_client.results.table import CHECK, CORRECT, corrector
from padan_linkage.agreement import Flow
from padan_linkage.answering.outcomes import CHECK_WORDS, DIFFERENT, EMPTY

_KEPT = ("row", "id", "kode", "jalur")
#: Columns of the list of corrections besides those of the result.
FIELD, CHECKED, ACTION = "ruas", "hasil_ruas", "perbaikan"


@dataclass(frozen=True)
class FieldSummary:
    """One confirmed field: rows that differ, rows where the provider has no value, who corrects."""

    field: str
    differs: int
    empty: int
    correct_at: str

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {"differs": self.differs, "empty": self.empty, "correct_at": self.correct_at or None}


def corrections(flow: Flow, table: pa.Table) -> pa.Table:
    """A row for each value of a result that differs or that the provider lacks: the list to mend.

    Columns: ``row``, ``id``, ``kode``, ``jalur``, ``ruas`` (the field), ``hasil_ruas`` (BERBEDA or
    KOSONG), ``perbaikan`` (who corrects, where the agreement says so).
    """
    # Spec 80, step 4.
    wanted = pa.array([CHECK_WORDS[DIFFERENT], CHECK_WORDS[EMPTY]])
    parts = [_of_field(table, field, wanted) for field in flow.confirm]
    if not parts:
        names = (*_KEPT, FIELD, CHECKED, ACTION)
        return pa.table({name: pa.array([], pa.string()) for name in names})
    return pa.concat_tables(parts).sort_by([("row", "ascending")])


def summarise(flow: Flow, table: pa.Table) -> list[FieldSummary]:
    """Every confirmed field of a result."""
    return [
        FieldSummary(
            field,
            _count(table, field, CHECK_WORDS[DIFFERENT]),
            _count(table, field, CHECK_WORDS[EMPTY]),
            corrector(flow, field),
        )
        for field in flow.confirm
    ]


def _of_field(table: pa.Table, field: str, wanted: pa.Array) -> pa.Table:
    rows = table.filter(pc.is_in(table[CHECK + field], wanted))
    action = rows[CORRECT + field] if CORRECT + field in table.column_names else None
    count = rows.num_rows
    return pa.table(
        {
            **{name: rows[name] for name in _KEPT},
            FIELD: pa.array([field] * count, pa.string()),
            CHECKED: rows[CHECK + field],
            ACTION: pa.array([""] * count, pa.string()) if action is None else action,
        }
    )


def _count(table: pa.Table, field: str, check: str) -> int:
    counted: int = pc.sum(pc.equal(table[CHECK + field], check)).as_py() or 0
    return counted
