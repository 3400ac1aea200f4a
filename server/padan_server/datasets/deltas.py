"""A delta becomes a whole registry: the base's rows that it does not name, then its upserts.

Handles are per pass and mean nothing outside it, so passes are merged apart and stay unlinkable.
Spec: ``proto/spec/30-unit-mode.md``, "Deltas".
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from padan_linkage.schema import HANDLE_BYTES, Layout, Schema
from padan_linkage.tables import PassTable
from padan_server.base.errors import Reason, Refusal
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import Dataset, DatasetTable
from padan_server.store.files.columns import ColumnFiles
from padan_server.store.files.writing import TableWriter, layout_columns

DELETE = 2
_ROWS_AT_ONCE = 65_536


def merge(
    files: ColumnFiles, schema: Schema, base: Dataset, delta: Dataset, failpoints: Failpoints
) -> tuple[DatasetTable, ...]:
    """Write the registry that ``delta`` makes of ``base``; returns its tables with their new sizes.

    May be repeated after a crash. Raises StoreFullError, DamagedFileError, or a refusal where a
    handle repeats.
    """
    files.start_merge(delta.id)
    tables = tuple(
        replace(t, rows=_merge_pass(files, schema, base, delta, t.pass_id)) for t in delta.tables
    )
    # Spec 36, "Carried", step 5.
    files.carry_calibrations(base.id, delta.id)
    failpoints.hit("merge.written")
    files.finish_merge(delta.id)
    failpoints.hit("merge.renamed")
    return tables


def _merge_pass(
    files: ColumnFiles, schema: Schema, base: Dataset, delta: Dataset, pass_id: str
) -> int:
    p = schema.get_pass(pass_id)
    whole = Layout.of(schema, p, provider=True)
    changes = files.upload(delta.id, pass_id, Layout.of(schema, p, provider=True, delta=True))
    old = files.table(base.id, pass_id, whole, again=True)
    kept = np.flatnonzero(~named(old.columns["handles"], changes.columns["handles"], pass_id))
    upserts = np.flatnonzero(changes.columns["operations"][:, 0] != DELETE)
    rows = len(kept) + len(upserts)
    with files.merge_writer(delta.id, pass_id, layout_columns(whole), rows) as writer:
        _copy(writer, whole, old, kept)
        _copy(writer, whole, changes, upserts)
        writer.sync()
        writer.keep_sums(writer.sums())
    directory = files.directory(base.id, pass_id).load()
    if directory is not None:
        merged = files.merging(delta.id, pass_id, whole)
        files.merged_directory(delta.id, pass_id).save(directory.updated(p, merged, kept))
    return rows


def named(
    handles: NDArray[np.uint8], changed: NDArray[np.uint8], pass_id: str
) -> NDArray[np.bool_]:
    """Which rows of ``handles`` (uint8[n, 16]) occur among ``changed`` (uint8[k, 16]); bool[n].

    Raises a refusal if ``changed`` names a row twice.
    """
    wanted = {row.tobytes() for row in changed}
    if len(wanted) != len(changed):
        raise Refusal(Reason.TABLES_INVALID, field=f"tables[{pass_id}].handles")
    heads = np.ascontiguousarray(handles[:, : HANDLE_BYTES // 2]).view(np.uint64)[:, 0]
    changed_heads = np.ascontiguousarray(changed[:, : HANDLE_BYTES // 2]).view(np.uint64)[:, 0]
    # Half a handle sifts quickly; the few rows that pass are compared whole.
    found = np.isin(heads, changed_heads)
    for row in np.flatnonzero(found):
        found[row] = handles[row].tobytes() in wanted
    return found


def _copy(writer: TableWriter, layout: Layout, table: PassTable, rows: NDArray[np.int64]) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        writer.append({name: table.columns[name][some].tobytes() for name, _ in layout.columns()})
