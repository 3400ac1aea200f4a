"""From a table of strings to normalised fields and a quarantine.

Rows are numbered from 1 as the file's data rows, empty ones too. The quarantine says row, id,
field, reason, severity and message, and never a value of a field.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.records.columns import match_columns, no_column
from padan_client.records.files import Tell, untold
from padan_client.records.messages import (
    EMPTY_ROW,
    UNMATCHABLE,
    answered_text,
    empty_row_text,
    kind_label,
    no_pass_text,
    reason_text,
)
from padan_linkage.normalise import (
    DOUBTS,
    FILLED_APART,
    Normalised,
    derive,
    normalise,
    sound_values,
)
from padan_linkage.schema import Kind, Schema, SchemaField

#: Severities: the value is not believed (a doubtful one counts for similarity alone) and the row
#: goes on; no pass can use the row.
IGNORED, REJECTED = "diabaikan", "ditolak"

QUARANTINE_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("id", pa.string()),
        ("field", pa.string()),
        ("reason", pa.string()),
        ("severity", pa.string()),
        ("message", pa.string()),
    ]
)


def noted_rows(quarantine: pa.Table) -> int:
    """Rows that a quarantine has anything about; one with several notes is one row."""
    return len(quarantine["row"].unique())


#: A column of at least so many values, of which this share is invalid, is another column.
_WRONG_COLUMN_VALUES, _WRONG_COLUMN_SHARE = 10, 0.9
_MOST_ROWS_NAMED = 10


@dataclass(frozen=True, repr=False)
class Prepared:
    """``n`` rows ready to encode.

    ``ids`` string[n] without nulls, no two alike but "" of empty rows; ``fields`` by schema field
    name, normalised string[n], "" = missing; ``quarantine`` as QUARANTINE_SCHEMA; ``usable``
    bool[n]: some pass has all its exact fields; ``columns``: of every field that has one.
    """

    ids: pa.StringArray
    fields: dict[str, pa.StringArray]
    quarantine: pa.Table
    usable: NDArray[np.bool_]
    columns: dict[str, str]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return (
            f"Prepared(rows={len(self)}, usable={int(self.usable.sum())}, "
            f"quarantined={noted_rows(self.quarantine)})"
        )


def prepare(
    table: pa.Table,
    schema: Schema,
    columns: Mapping[str, str] | None = None,
    id_column: str | None = None,
    tell: Tell = untold,
    *,
    listed: bool = False,
) -> Prepared:
    """Normalise the schema's fields of ``table`` and put what cannot be used into quarantine.

    ``columns`` maps schema fields to columns of the table, as :func:`match_columns` has it;
    ``tell`` gets what was taken for what. ``id_column`` names the rows; without it a row's id is
    its number. A row in which nothing stands is set aside, its id "". ``listed``: the rows are of a
    list, so that passes ``without`` some fields are for rows without them. Raises BadInputError for
    a column that is not there, a column whose values are nearly all invalid, and ids that are empty
    or occur twice (the rows are named by number).
    """
    if table.num_rows == 0:
        raise BadInputError(t("Tidak ada baris data.", "There is no data row."))
    matched = match_columns(table.column_names, schema, columns)
    if matched.absent:
        then = answered_text(schema, matched.by_field) if listed else ""
        raise no_column(matched.absent, table.column_names, then)
    matched.tell(tell)
    chosen = matched.by_field
    empty = empty_rows(table)
    ids = _ids(table, id_column, empty)
    fields: dict[str, pa.StringArray] = {}
    quarantined: list[pa.Table] = []
    # An id that is itself a field's value would show that value in the quarantine.
    shown = ids if id_column not in chosen.values() else pa.nulls(len(ids), pa.string())
    normalised = _normalised(table, schema, chosen)
    for field in schema.fields:
        column = chosen.get(field.name)
        if column is None:
            fields[field.name] = pa.array([""] * len(ids), pa.string())
            continue
        result = normalised.pop(field.name)
        _refuse_wrong_column(result, column, field.kind)
        fields[field.name] = result.values
        quarantined.append(_problem_rows(result, field.name, field.kind, shown))
    usable = _usable(schema, fields, len(ids), listed=listed)
    quarantined += [
        _rejected_rows(np.flatnonzero(empty), EMPTY_ROW, empty_row_text(), shown),
        _rejected_rows(np.flatnonzero(~usable & ~empty), UNMATCHABLE, no_pass_text(schema), shown),
    ]
    quarantine = pa.concat_tables(quarantined).sort_by(
        [("row", "ascending"), ("field", "ascending")]
    )
    return Prepared(ids, fields, quarantine, usable, chosen)


def _normalised(
    table: pa.Table, schema: Schema, chosen: Mapping[str, str]
) -> dict[str, Normalised]:
    """The columns of the schema's fields, normalised side by side."""

    def one(field: SchemaField) -> tuple[str, Normalised]:
        return field.name, normalise(field.kind, _text(table, chosen[field.name]))

    there = [field for field in schema.fields if field.name in chosen]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(pool.map(one, there))


def empty_rows(table: pa.Table) -> NDArray[np.bool_]:
    """Rows in which nothing stands, bool[n]."""
    empty = np.ones(table.num_rows, np.bool_)
    for name in table.column_names:
        if not empty.any():
            break
        written = pc.utf8_trim_whitespace(pc.fill_null(_text(table, name), ""))
        empty &= pc.equal(written, "").to_numpy(zero_copy_only=False)
    return empty


def _ids(table: pa.Table, id_column: str | None, nothing: NDArray[np.bool_]) -> pa.StringArray:
    """The id of every row, "" where nothing stands in it."""
    if id_column is None:
        return pa.array(np.arange(1, table.num_rows + 1)).cast(pa.string())
    if id_column not in table.column_names:
        raise no_column([id_column], table.column_names)
    ids = pc.utf8_trim_whitespace(pc.fill_null(_text(table, id_column), ""))
    unnamed = pc.equal(ids, "").to_numpy(zero_copy_only=False) & ~nothing
    empty = np.flatnonzero(unnamed) + 1
    if len(empty):
        raise BadInputError(
            t(
                f"Kolom id {id_column} kosong di {_rows(empty)}. Isi dengan id yang unik.",
                f"The id column {id_column} is empty in {_rows(empty)}. Fill in unique ids.",
            )
        )
    codes = ids.dictionary_encode().indices.to_numpy()
    repeated = (np.bincount(codes)[codes] > 1) & ~nothing
    if repeated.any():
        rows = np.flatnonzero(repeated)
        same = rows[codes[rows] == codes[rows[0]]] + 1
        raise BadInputError(
            t(
                f"Id ganda di kolom {id_column}: {_rows(same)} memakai id yang sama "
                f"({number(len(rows))} baris terkena). Buang kembarannya atau pakai kolom lain.",
                f"Duplicate ids in column {id_column}: {_rows(same)} have the same id "
                f"({number(len(rows))} rows concerned). Remove the copies or use another column.",
            )
        )
    return ids


def _refuse_wrong_column(result: Normalised, column: str, kind: Kind) -> None:
    invalid = sum(p.reason not in DOUBTS for p in result.problems)
    filled = invalid + pc.sum(pc.not_equal(result.values, "")).as_py()
    if filled >= _WRONG_COLUMN_VALUES and invalid >= _WRONG_COLUMN_SHARE * filled:
        label = kind_label(kind)
        raise BadInputError(
            t(
                f"Kolom {column} tampaknya bukan {label}: {number(invalid)} dari {number(filled)} "
                "nilainya tidak sah. Periksa pemetaan kolom.",
                f"Column {column} does not seem to be {label}: {number(invalid)} of "
                f"{number(filled)} values are invalid. Check which column is which.",
            )
        )


def _problem_rows(result: Normalised, field: str, kind: Kind, ids: pa.StringArray) -> pa.Table:
    rows = np.array([p.row for p in result.problems], dtype=np.int64)
    texts = {reason: reason_text(reason, kind) for reason in {p.reason for p in result.problems}}
    return pa.table(
        [
            pa.array(rows + 1),
            ids.take(pa.array(rows)),
            pa.array([field] * len(rows), pa.string()),
            pa.array([p.reason.value for p in result.problems], pa.string()),
            pa.array([IGNORED] * len(rows), pa.string()),
            pa.array([texts[p.reason] for p in result.problems], pa.string()),
        ],
        schema=QUARANTINE_SCHEMA,
    )


def _rejected_rows(
    rows: NDArray[np.int64], reason: str, message: str, ids: pa.StringArray
) -> pa.Table:
    return pa.table(
        [
            pa.array(rows + 1, pa.int64()),
            ids.take(pa.array(rows)),
            pa.array([""] * len(rows), pa.string()),
            pa.array([reason] * len(rows), pa.string()),
            pa.array([REJECTED] * len(rows), pa.string()),
            pa.array([message] * len(rows), pa.string()),
        ],
        schema=QUARANTINE_SCHEMA,
    )


def _usable(
    schema: Schema, fields: Mapping[str, pa.StringArray], n: int, *, listed: bool
) -> NDArray[np.bool_]:
    """Rows that some pass can use."""
    filled: dict[str, NDArray[np.bool_]] = {}
    usable = np.zeros(n, dtype=bool)
    for p in schema.passes:
        complete = np.ones(n, dtype=bool)
        for key in p.exact:
            if key not in filled:
                filled[key] = _filled(schema, key, fields)
            complete &= filled[key]
        for name in p.without if listed else ():
            complete &= pc.equal(fields[name], "").to_numpy(zero_copy_only=False)
        usable |= complete
    return usable


def _filled(schema: Schema, key: str, fields: Mapping[str, pa.StringArray]) -> NDArray[np.bool_]:
    """Rows with a value of an exact key: with a sound one of its field, but for FILLED_APART."""
    name, _, derivation = key.partition(":")
    kind = schema.kind(name)
    if (kind, derivation) in FILLED_APART:
        values = derive(kind, derivation, fields[name])
    else:
        values = sound_values(fields[name])
    flags: NDArray[np.bool_] = pc.not_equal(values, "").to_numpy(zero_copy_only=False)
    return flags


def _text(table: pa.Table, column: str) -> pa.StringArray:
    return table.column(column).cast(pa.string()).combine_chunks()


def _rows(rows: NDArray[np.int64]) -> str:
    named = ", ".join(map(str, rows[:_MOST_ROWS_NAMED].tolist()))
    more = ", …" if len(rows) > _MOST_ROWS_NAMED else ""
    return t(f"baris {named}{more}", f"rows {named}{more}")
