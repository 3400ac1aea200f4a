"""From a requester's records to the columns that its encoding is made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records import TableSource, prepare
from padan_client.records.files import require_same_rows, tell_of
from padan_client.records.notes import notes_of
from padan_client.records.row_digests import row_digests
from padan_linkage.normalise import sound_values
from padan_linkage.schema import Schema

Record = Mapping[str, str | int | dt.date | None]
#: A list as it is given: as a file is, or single records.
Records: TypeAlias = "TableSource | Sequence[Record]"


@dataclass(frozen=True, repr=False)
class RequestList:
    """A list that a requester wants confirmed: its rows, of which those ``usable`` can be matched.

    ``ids`` and ``rows`` (numbers from 1) are of all rows; ``usable``: int64[n], positions;
    ``records`` are of the ``n`` usable rows only. ``notes``: the officer's own of all rows, if any;
    ``digests``: by which the rows are known again, if a key was given. ``answered``: rows that the
    other mode has a code for, which are not put again.
    """

    ids: pa.StringArray
    rows: pa.Array
    usable: NDArray[np.int64]
    records: dict[str, pa.StringArray]
    quarantine: pa.Table
    notes: pa.StringArray | None = None
    digests: pa.StringArray | None = None
    answered: int = 0

    @property
    def size(self) -> int:
        """Records that the list is put as, whatever they hold: a row that cannot be used too.

        All that is sent of a list follows from it.
        """
        return len(self.ids) - self.answered

    def __len__(self) -> int:
        return len(self.usable)

    def __repr__(self) -> str:
        return f"RequestList(rows={len(self.ids)}, usable={len(self)})"

    def as_table(self) -> pa.Table:
        """Everything that decides the encoding, for a job's input digest."""
        return pa.table(self.records)

    def filled(self, name: str, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the records at these positions have a value of the field that is not doubtful."""
        values = sound_values(self.records[name].take(pa.array(positions)))
        present: NDArray[np.bool_] = pc.not_equal(values, "").to_numpy(zero_copy_only=False)
        return present.astype(np.bool_)

    def subset(self, keep: NDArray[np.int64]) -> dict[str, pa.StringArray]:
        """Some of the records, numbered from 0."""
        index = pa.array(keep)
        return {name: column.take(index) for name, column in self.records.items()}


def prepare_list(
    schema: Schema,
    records: Records,
    *,
    columns: Mapping[str, str] | None,
    id_column: str | None,
    note_column: str | None = None,
    key: bytes | None = None,
) -> RequestList:
    """Check and normalise a list; of rows that cannot be matched the quarantine says why.

    ``key`` makes the rows' digests.
    """
    table = _as_table(records)
    prepared = prepare(table, schema, columns, id_column, tell_of(records), listed=True)
    require_same_rows(table.num_rows, len(prepared), ("normalisasi", "normalising"))
    usable = np.flatnonzero(prepared.usable).astype(np.int64)
    fields = prepared.fields
    if len(usable) < len(prepared):
        index = pa.array(usable)
        fields = {name: column.take(index) for name, column in fields.items()}
    return RequestList(
        ids=prepared.ids,
        rows=pa.array(np.arange(1, len(prepared.ids) + 1)),
        usable=usable,
        records=fields,
        quarantine=prepared.quarantine,
        notes=notes_of(table, note_column),
        digests=row_digests(key, table, schema, prepared.columns) if key else None,
    )


def _as_table(records: Records) -> pa.Table:
    if callable(records):
        return records()
    return records if isinstance(records, pa.Table) else table_of(records)


def table_of(records: Sequence[Record]) -> pa.Table:
    """Records as a table of strings; a missing key, None and "" are the same.

    Raises BadInputError that names the record and key of a value of another type.
    """
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = {
        name: pa.array(
            [_text(record.get(name), row, name) for row, record in enumerate(records)], pa.string()
        )
        for name in names
    }
    return pa.table(columns)


def _text(value: object, row: int, name: str) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case dt.datetime():
            return value.date().isoformat()
        case dt.date():
            return value.isoformat()
        case bool():
            pass
        case int():
            return str(value)
        case _:
            pass
    kind = type(value).__name__
    raise BadInputError(
        t(
            f"Rekaman {row + 1}, ruas {name}: tipe {kind} tidak diterima; berikan teks.",
            f"Record {row + 1}, field {name}: type {kind} is not accepted; give text.",
        )
    )
