"""From a table of strings to normalised fields and a quarantine.

Rows are numbered from 1 as the file's data rows: the header and blank lines do not count. The
quarantine says row, id, field, reason, severity and message, and never a value of a field.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records.messages import UNMATCHABLE, kind_label, no_pass_text, reason_text
from padan_linkage.normalise import (
    PARTIAL,
    Normalised,
    derive,
    normalise,
    sound_numbers,
)
from padan_linkage.schema import Kind, Schema, SchemaField

#: Severities: the value is not believed (a damaged NIK counts for similarity alone) and the row
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

#: A column of at least so many values, of which this share is invalid, is another column.
_WRONG_COLUMN_VALUES, _WRONG_COLUMN_SHARE = 10, 0.9
_MOST_ROWS_NAMED = 10


@dataclass(frozen=True, repr=False)
class Prepared:
    """``n`` rows ready to encode.

    ``ids`` string[n] without nulls, no two alike; ``fields`` by schema field name, normalised
    string[n], "" = missing; ``quarantine`` as QUARANTINE_SCHEMA; ``usable`` bool[n]: some pass has
    all its exact fields.
    """

    ids: pa.StringArray
    fields: dict[str, pa.StringArray]
    quarantine: pa.Table
    usable: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return (
            f"Prepared(rows={len(self)}, usable={int(self.usable.sum())}, "
            f"quarantined={self.quarantine.num_rows})"
        )


def prepare(
    table: pa.Table,
    schema: Schema,
    columns: Mapping[str, str] | None = None,
    id_column: str | None = None,
    *,
    listed: bool = False,
) -> Prepared:
    """Normalise the schema's fields of ``table`` and put what cannot be used into quarantine.

    ``columns`` maps schema fields to columns of the table; a field that is not in it is looked for
    under its own name (``Tanggal Lahir`` counts as ``tanggal_lahir``), and a field mapped to ""
    is one that this side does not have. ``id_column`` names the rows; without it a row's id is its
    number. ``listed``: the rows are of a
    list, so that passes ``without`` some fields are for rows without them. Raises BadInputError for
    a column that is not there, a column whose values are nearly
    all invalid, and ids that are empty or occur twice (the rows are named by number).
    """
    if table.num_rows == 0:
        raise BadInputError(t("Tidak ada baris data.", "There is no data row."))
    ids = _ids(table, id_column)
    chosen = _columns(table, schema, columns or {})
    fields: dict[str, pa.StringArray] = {}
    quarantined: list[pa.Table] = []
    # An id that is itself a field's value would show that value in the quarantine.
    shown = ids if id_column not in chosen.values() else pa.nulls(len(ids), pa.string())
    normalised = _normalised(table, schema, chosen)
    for field in schema.fields:
        column = chosen[field.name]
        if column is None:
            fields[field.name] = pa.array([""] * len(ids), pa.string())
            continue
        result = normalised.pop(field.name)
        _refuse_wrong_column(result, column, field.kind)
        fields[field.name] = result.values
        quarantined.append(_problem_rows(result, field.name, field.kind, shown))
    usable = _usable(schema, fields, len(ids), listed=listed)
    quarantined.append(_rejected_rows(np.flatnonzero(~usable), no_pass_text(schema), shown))
    quarantine = pa.concat_tables(quarantined).sort_by(
        [("row", "ascending"), ("field", "ascending")]
    )
    return Prepared(ids, fields, quarantine, usable)


def _normalised(
    table: pa.Table, schema: Schema, chosen: Mapping[str, str | None]
) -> dict[str, Normalised]:
    """The columns of the schema's fields, normalised side by side."""

    def one(field: SchemaField) -> tuple[str, Normalised]:
        return field.name, normalise(field.kind, _text(table, chosen[field.name] or ""))

    there = [field for field in schema.fields if chosen[field.name] is not None]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return dict(pool.map(one, there))


def _ids(table: pa.Table, id_column: str | None) -> pa.StringArray:
    if id_column is None:
        return pa.array(np.arange(1, table.num_rows + 1)).cast(pa.string())
    if id_column not in table.column_names:
        raise BadInputError(_absent(table, [id_column]))
    ids = pc.utf8_trim_whitespace(pc.fill_null(_text(table, id_column), ""))
    empty = np.flatnonzero(pc.equal(ids, "").to_numpy(zero_copy_only=False)) + 1
    if len(empty):
        raise BadInputError(
            t(
                f"Kolom id {id_column} kosong di {_rows(empty)}. Isi dengan id yang unik.",
                f"The id column {id_column} is empty in {_rows(empty)}. Fill in unique ids.",
            )
        )
    codes = ids.dictionary_encode().indices.to_numpy()
    repeated = np.bincount(codes)[codes] > 1
    if repeated.any():
        rows = np.flatnonzero(repeated)
        same = rows[codes[rows] == codes[rows[0]]] + 1
        raise BadInputError(
            t(
                f"Id ganda di kolom {id_column}: {_rows(same)} memakai id yang sama "
                f"({len(rows)} baris terkena). Buang kembarannya atau pakai kolom lain.",
                f"Duplicate ids in column {id_column}: {_rows(same)} have the same id "
                f"({len(rows)} rows concerned). Remove the copies or use another column.",
            )
        )
    return ids


def _columns(table: pa.Table, schema: Schema, given: Mapping[str, str]) -> dict[str, str | None]:
    """Table column of every schema field; None for a field that this side does not have."""
    known = {f.name for f in schema.fields}
    unknown = sorted(set(given) - known)
    if unknown:
        raise BadInputError(
            t(
                f"Skema tidak memiliki ruas {', '.join(unknown)}. Ruasnya: "
                f"{', '.join(sorted(known))}.",
                f"The schema has no field {', '.join(unknown)}. Its fields: "
                f"{', '.join(sorted(known))}.",
            )
        )
    by_folded: dict[str, list[str]] = {}
    for name in table.column_names:
        by_folded.setdefault(_folded(name), []).append(name)
    chosen: dict[str, str | None] = {}
    absent: list[str] = []
    for field in schema.fields:
        wanted = given.get(field.name, field.name)
        alike = by_folded.get(_folded(wanted), [])
        if wanted == "":
            chosen[field.name] = None
        elif wanted in table.column_names:
            chosen[field.name] = wanted
        elif field.name not in given and len(alike) == 1:
            chosen[field.name] = alike[0]
        else:
            absent.append(wanted)
    if absent:
        raise BadInputError(_absent(table, absent))
    return chosen


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _absent(table: pa.Table, wanted: list[str]) -> str:
    present = ", ".join(table.column_names)
    return t(
        f"Kolom {', '.join(wanted)} tidak ada di berkas. Kolom yang ada: {present}. Pakai "
        "--map ruas=kolom, atau --map ruas= bila berkas memang tidak memuatnya.",
        f"The file has no column {', '.join(wanted)}. Its columns: {present}. Use "
        "--map field=column, or --map field= where the file has none.",
    )


def _refuse_wrong_column(result: Normalised, column: str, kind: Kind) -> None:
    invalid = len(result.problems)
    filled = invalid + pc.sum(pc.not_equal(result.values, "")).as_py()
    if filled >= _WRONG_COLUMN_VALUES and invalid >= _WRONG_COLUMN_SHARE * filled:
        label = kind_label(kind)
        raise BadInputError(
            t(
                f"Kolom {column} tampaknya bukan {label}: {invalid} dari {filled} nilainya tidak "
                "sah. Periksa pemetaan kolom.",
                f"Column {column} does not seem to be {label}: {invalid} of {filled} values are "
                "invalid. Check which column is which.",
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


def _rejected_rows(rows: NDArray[np.int64], message: str, ids: pa.StringArray) -> pa.Table:
    return pa.table(
        [
            pa.array(rows + 1, pa.int64()),
            ids.take(pa.array(rows)),
            pa.array([""] * len(rows), pa.string()),
            pa.array([UNMATCHABLE] * len(rows), pa.string()),
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
    """Rows with a value of an exact key; all but ``PARTIAL`` derived keys have one if the field."""
    name, _, derivation = key.partition(":")
    kind = schema.kind(name)
    values = sound_numbers(kind, fields[name])
    if (kind, derivation) in PARTIAL:
        values = derive(kind, derivation, values)
    flags: NDArray[np.bool_] = pc.not_equal(values, "").to_numpy(zero_copy_only=False)
    return flags


def _text(table: pa.Table, column: str) -> pa.StringArray:
    return table.column(column).cast(pa.string()).combine_chunks()


def _rows(rows: NDArray[np.int64]) -> str:
    named = ", ".join(map(str, rows[:_MOST_ROWS_NAMED].tolist()))
    more = ", …" if len(rows) > _MOST_ROWS_NAMED else ""
    return t(f"baris {named}{more}", f"rows {named}{more}")
