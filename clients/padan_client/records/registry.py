"""From a provider's table to what its registry says: ids, normalised fields, one answer a row.

A status that the agreement does not map is never guessed: the row goes to quarantine with a reason
and is not published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records import Tell, prepare, untold
from padan_client.records.files import require_same_rows
from padan_client.records.preparing import QUARANTINE_SCHEMA, REJECTED, noted_rows
from padan_client.records.registry_codes import chosen_columns, latest_rows, row_codes
from padan_linkage.agreement import Flow
from padan_linkage.answering.payloads import PAYLOAD_BYTES, Payloads, day_number
from padan_linkage.normalise import sound_values
from padan_linkage.schema import Schema


class NothingUsableError(BadInputError):
    """Not one row can be published; ``quarantine`` says why, row by row."""

    def __init__(self, message: str, quarantine: pa.Table) -> None:
        super().__init__(message)
        self.quarantine = quarantine


@dataclass(frozen=True, repr=False)
class Registry:
    """``n`` publishable records: ids, normalised columns, payloads ``uint8[n, 16]``, quarantine.

    ``given``: rows of the file that they come from; ``rejected``: those that cannot be published;
    ``superseded``: those for which a later row of the same id stands.
    """

    ids: pa.StringArray
    records: dict[str, pa.StringArray]
    payloads: NDArray[np.uint8]
    quarantine: pa.Table
    given: int = 0
    rejected: int = 0
    superseded: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Registry(rows={len(self)}, quarantined={noted_rows(self.quarantine)})"

    def as_table(self) -> pa.Table:
        """Everything that decides the encoding, for a job's input digest."""
        payloads = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(self.payloads.shape[1]), len(self), [None, pa.py_buffer(self.payloads)]
        )
        return pa.table({"": self.ids, **self.records, "\x00payload": payloads})


@dataclass(frozen=True, repr=False)
class Publication:
    """What to publish: a whole registry; with ``base``, changes and ``deletes`` (record ids)."""

    registry: Registry
    base: str = ""
    deletes: tuple[str, ...] = ()

    @property
    def record_count(self) -> int:
        """Records of the registry, or changed ones of a delta."""
        return len(self.registry) + len(self.deletes)


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
    as_of: date | None = None,
    tell: Tell = untold,
) -> Registry:
    """Check, normalise and map a provider's table.

    ``columns`` maps schema fields to the table's columns, ``status_columns`` the columns that the
    agreement's registry mapping names (a plain name where there is only one). ``as_of`` is the day
    by which dates become codes, and that the answers state; it is needed where the flow has such a
    column. Of several rows of one id only the latest counts where the agreement says so. Raises
    BadInputError for a missing column or a registry without a usable row. ``tell`` gets what was
    taken for what.
    """
    chosen = chosen_columns(flow, table, status_columns)
    given, latest = table.num_rows, None
    if flow.latest_by is not None:
        latest = latest_rows(table, id_column, chosen[flow.latest_by])
        table = latest.table
    prepared = prepare(table, schema, dict(columns) if columns else None, id_column, tell)
    codes, status_problems = row_codes(flow, table, chosen, as_of)
    if latest is not None:
        unclear = (chosen[flow.latest_by or ""], "latest_unclear")
        status_problems |= dict.fromkeys(latest.unclear.tolist(), unclear)
    usable = np.asarray(prepared.usable, np.bool_)
    refused = {row: problem for row, problem in status_problems.items() if usable[row]}
    usable = usable.copy()
    usable[list(refused)] = False
    # An id that is itself a field's value would show that value in the quarantine.
    hidden = id_column in prepared.columns.values()
    shown = pa.nulls(len(usable), pa.string()) if hidden else prepared.ids
    quarantine = pa.concat_tables([prepared.quarantine, _quarantine(shown, refused)])
    _require_all_set_aside(usable, quarantine)
    if latest is not None:
        quarantine = _as_it_stood(quarantine, latest.rows)
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
    empty = empty_mask(flow, records)
    return Registry(
        ids=prepared.ids.filter(kept),
        records=records,
        payloads=Payloads.of(codes[usable], empty, day=_day(flow, as_of)).pack(),
        quarantine=quarantine,
        given=given,
        rejected=int((~usable).sum()),
        superseded=given - table.num_rows,
    )


def take(registry: Registry, mask: NDArray[np.bool_]) -> Registry:
    """The records where ``mask`` bool[n] is true."""
    kept = pa.array(mask)
    return replace(
        registry,
        ids=registry.ids.filter(kept),
        records={name: column.filter(kept) for name, column in registry.records.items()},
        payloads=registry.payloads[mask],
    )


def joined(first: Registry, second: Registry) -> Registry:
    """Two registries as one, with the quarantine of the second."""
    return replace(
        second,
        given=len(first) + second.given,
        ids=pa.concat_arrays([first.ids, second.ids]),
        records={
            name: pa.concat_arrays([column, second.records[name]])
            for name, column in first.records.items()
        },
        payloads=np.concatenate([first.payloads, second.payloads]),
    )


def _day(flow: Flow, as_of: date | None) -> int:
    """The day that the answers state, 0 for none."""
    return day_number(as_of) if flow.registry_date and as_of else 0


def _require_all_set_aside(usable: NDArray[np.bool_], quarantine: pa.Table) -> None:
    """Rows = published ones + those that the quarantine rejects, or nothing is published."""
    rejected = quarantine.filter(pc.equal(quarantine["severity"], REJECTED))["row"]
    accounted = int(usable.sum()) + len(rejected.unique())
    require_same_rows(len(usable), accounted, ("pemeriksaan", "checking"))


def _as_it_stood(quarantine: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    """The quarantine with the row numbers of the file; ``rows`` is where each row stood."""
    numbers = rows[quarantine["row"].to_numpy() - 1] + 1
    index = quarantine.column_names.index("row")
    return quarantine.set_column(index, quarantine.schema.field("row"), pa.array(numbers))


def empty_mask(flow: Flow, records: Mapping[str, pa.StringArray]) -> NDArray[np.uint32]:
    """Bit i where the value of the i-th confirmed field is empty."""
    count = len(next(iter(records.values())))
    mask = np.zeros(count, np.uint32)
    for bit, name in enumerate(flow.confirm):
        if name in records:
            empty = (
                pc.equal(sound_values(records[name]), "")
                .to_numpy(zero_copy_only=False)
                .astype(np.uint32)
            )
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
        "latest_unclear": t(
            "Tidak jelas baris mana yang terakhir untuk id ini: waktunya tidak terbaca, atau ada "
            "dua yang sama; tidak diterbitkan.",
            "It is unclear which row of this id is the latest: a time cannot be read, or two are "
            "the same; not published.",
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
