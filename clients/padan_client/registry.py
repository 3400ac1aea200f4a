"""From a provider's table to what its registry says: ids, normalised fields, one answer a row.

A status that the agreement does not map is never guessed: the row goes to quarantine with a reason
and is not published.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.errors import BadInputError
from padan_client.language import t
from padan_client.records import prepare
from padan_client.records.preparing import QUARANTINE_SCHEMA, REJECTED
from padan_linkage.agreement import Flow
from padan_linkage.answers import PAYLOAD_BYTES, Answers
from padan_linkage.schema import Schema


class NothingUsableError(BadInputError):
    """Not one row can be published; ``quarantine`` says why, row by row."""

    def __init__(self, message: str, quarantine: pa.Table) -> None:
        super().__init__(message)
        self.quarantine = quarantine


@dataclass(frozen=True, repr=False)
class Registry:
    """``n`` publishable records: ids, normalised columns, payloads ``uint8[n, 16]``, quarantine."""

    ids: pa.StringArray
    records: dict[str, pa.StringArray]
    payloads: NDArray[np.uint8]
    quarantine: pa.Table

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Registry(rows={len(self)}, quarantined={self.quarantine.num_rows})"

    def as_table(self) -> pa.Table:
        """Everything that decides the encoding, for a job's input digest."""
        payloads = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(self.payloads.shape[1]), len(self), [None, pa.py_buffer(self.payloads)]
        )
        return pa.table({"": self.ids, **self.records, "\x00payload": payloads})


def empty_registry(schema: Schema) -> Registry:
    """No record at all: the table of a delta that only deletes."""
    nobody = pa.array([], pa.string())
    return Registry(
        ids=nobody,
        records={f.name: nobody for f in schema.fields},
        payloads=np.zeros((0, PAYLOAD_BYTES), np.uint8),
        quarantine=QUARANTINE_SCHEMA.empty_table(),
    )


def prepare_registry(
    flow: Flow,
    schema: Schema,
    table: pa.Table,
    *,
    columns: Mapping[str, str] | None,
    id_column: str,
    status_columns: str | Mapping[str, str] | None,
) -> Registry:
    """Check, normalise and map a provider's table.

    ``columns`` maps schema fields to the table's columns, ``status_columns`` the columns that the
    agreement's registry mapping names (a plain name where there is only one). Raises BadInputError
    for a missing column or a registry without a usable row.
    """
    prepared = prepare(table, schema, dict(columns) if columns else None, id_column)
    codes, status_problems = _codes(flow, table, _status_columns(flow, table, status_columns))
    usable = np.asarray(prepared.usable, np.bool_)
    refused = {row: problem for row, problem in status_problems.items() if usable[row]}
    usable = usable.copy()
    usable[list(refused)] = False
    named = {
        _folded(name) for name in (*(f.name for f in schema.fields), *(columns or {}).values())
    }
    # An id that is itself a field's value would show that value in the quarantine.
    hidden = _folded(id_column) in named
    shown = pa.nulls(len(usable), pa.string()) if hidden else prepared.ids
    quarantine = pa.concat_tables([prepared.quarantine, _quarantine(shown, refused)])
    if not usable.any():
        raise NothingUsableError(
            t(
                "Tidak ada satu pun baris yang dapat diterbitkan; lihat karantina.",
                "Not one row can be published; see the quarantine.",
            ),
            quarantine,
        )
    kept = pa.array(usable)
    records = {name: column.filter(kept) for name, column in prepared.fields.items()}
    empty = _empty_mask(flow, records)
    return Registry(
        ids=prepared.ids.filter(kept),
        records=records,
        payloads=Answers.of(codes[usable], empty).pack(),
        quarantine=quarantine,
    )


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _status_columns(
    flow: Flow, table: pa.Table, given: str | Mapping[str, str] | None
) -> dict[str, str]:
    """Registry column of the agreement -> column of the table."""
    named = list(flow.registry)
    if isinstance(given, str):
        if len(named) != 1:
            raise BadInputError(
                t(
                    f"Alur {flow.id} memetakan kolom {', '.join(named) or '–'}; sebutkan "
                    "masing-masing: --status nama=KOLOM.",
                    f"Flow {flow.id} maps the columns {', '.join(named) or '–'}; name each: "
                    "--status name=COLUMN.",
                )
            )
        given = {named[0]: given}
    chosen = {name: name for name in named} | dict(given or {})
    if unknown := sorted(set(chosen) - set(named)):
        raise BadInputError(
            t(
                f"Perjanjian tidak memetakan kolom status {', '.join(unknown)}.",
                f"The agreement maps no status column {', '.join(unknown)}.",
            )
        )
    if missing := sorted(c for c in chosen.values() if c not in table.column_names):
        raise BadInputError(
            t(
                f"Kolom status {', '.join(missing)} tidak ada di berkas. Pakai --status.",
                f"The status column {', '.join(missing)} is not in the file. Use --status.",
            )
        )
    return chosen


def _codes(
    flow: Flow, table: pa.Table, columns: Mapping[str, str]
) -> tuple[NDArray[np.uint64], dict[int, tuple[str, str]]]:
    """The code mask of every row, and row -> (column, reason) where it cannot be told."""
    count = table.num_rows
    if not flow.registry:
        return np.full(count, _only_code(flow), np.uint64), {}
    masks = np.zeros(count, np.uint64)
    problems: dict[int, tuple[str, str]] = {}
    for name, column in columns.items():
        bits, known = _column_bits(flow, flow.registry[name], table.column(column))
        problems |= {int(row): (column, "unknown_status") for row in np.flatnonzero(~known)}
        if not flow.several:
            clash = _clash(flow, masks, bits)
            problems |= {int(row): (column, "status_conflict") for row in np.flatnonzero(clash)}
        masks |= bits
    nameless = "; ".join(columns.values())
    for row in np.flatnonzero(masks == 0):
        problems.setdefault(int(row), (nameless, "no_status"))
    return masks, problems


def _only_code(flow: Flow) -> int:
    """Where the agreement maps no column, being in the registry is the answer."""
    if len(flow.codes) > 1:
        raise BadInputError(
            t(
                f"Alur {flow.id} memiliki beberapa kode tetapi perjanjian tidak memetakan kolom "
                "registri. Perjanjian perlu dilengkapi.",
                f"Flow {flow.id} has several codes, but the agreement maps no registry column. "
                "The agreement must be completed.",
            )
        )
    return len(flow.codes)


def _column_bits(
    flow: Flow, mapping: Mapping[str, str], column: pa.ChunkedArray
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Each row's code bit (0 where the cell is empty) and whether its value is mapped."""
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))
    coded = trimmed.combine_chunks().dictionary_encode()
    values = coded.dictionary.to_pylist()
    exact = {value.strip(): code for value, code in mapping.items()}
    folded = {value.casefold(): code for value, code in exact.items()}
    unambiguous = len(folded) == len(exact)
    bits = np.zeros(max(1, len(values)), np.uint64)
    known = np.ones(max(1, len(values)), np.bool_)
    for index, value in enumerate(values):
        code = exact.get(value) or (folded.get(value.casefold()) if unambiguous else None)
        if code is not None:
            bits[index] = 1 << flow.code_index(code)
        elif value:
            known[index] = False
    rows = coded.indices.to_numpy(zero_copy_only=False)
    return bits[rows], known[rows]


def _clash(flow: Flow, masks: NDArray[np.uint64], bits: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Rows that would get two different codes of one group."""
    clash = np.zeros(masks.shape, np.bool_)
    for group in {code.group for code in flow.codes}:
        members = sum(1 << i for i, code in enumerate(flow.codes) if code.group == group)
        ours, theirs = masks & np.uint64(members), bits & np.uint64(members)
        clash |= (ours != 0) & (theirs != 0) & (ours != theirs)
    return clash


def _empty_mask(flow: Flow, records: Mapping[str, pa.StringArray]) -> NDArray[np.uint32]:
    """Bit i where the value of the i-th confirmed field is empty."""
    count = len(next(iter(records.values())))
    mask = np.zeros(count, np.uint32)
    for bit, name in enumerate(flow.confirm):
        if name in records:
            empty = pc.equal(records[name], "").to_numpy(zero_copy_only=False).astype(np.uint32)
            mask |= empty << np.uint32(bit)
        else:
            mask |= np.uint32(1 << bit)
    return mask


def _quarantine(ids: pa.StringArray, refused: Mapping[int, tuple[str, str]]) -> pa.Table:
    """Quarantine rows for statuses, shaped like those of the fields."""
    texts = {
        "unknown_status": t(
            "Nilai status ini tidak dipetakan perjanjian; baris tidak diterbitkan. Perbaiki "
            "nilainya atau ubah perjanjian.",
            "The agreement does not map this status; the row is not published. Correct the value "
            "or amend the agreement.",
        ),
        "no_status": t(
            "Status kosong; baris tidak diterbitkan. Isi statusnya.",
            "The status is empty; the row is not published. Fill it in.",
        ),
        "status_conflict": t(
            "Dua kolom status memberi kode yang berlainan; baris tidak diterbitkan.",
            "Two status columns give different codes; the row is not published.",
        ),
    }
    rows = np.array(sorted(refused), np.int64)
    found = [refused[row] for row in rows.tolist()]
    return pa.table(
        [
            pa.array(rows + 1),
            ids.take(pa.array(rows)),
            pa.array([column for column, _ in found], pa.string()),
            pa.array([reason for _, reason in found], pa.string()),
            pa.array([REJECTED] * len(found), pa.string()),
            pa.array([texts[reason] for _, reason in found], pa.string()),
        ],
        schema=QUARANTINE_SCHEMA,
    )
