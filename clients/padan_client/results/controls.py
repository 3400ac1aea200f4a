"""Planted control records: people whose codes the requester knows, mixed into a list.

Whoever answers cannot tell them from the others, so an answer that is wrong on purpose shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from padan_client.base.errors import BadInputError, VerificationError
from padan_client.base.language import t
from padan_client.base.numbers import number
from padan_client.records.lists import RequestList
from padan_client.results.table import ConfirmResult, ControlReport, count_codes
from padan_linkage.agreement import Flow

#: Column of a control file that says the code to be answered.
EXPECTED = "kode"


class ControlError(VerificationError):
    """Control records were answered wrongly; ``result`` is what was answered to the list."""

    def __init__(self, message: str, result: ConfirmResult) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True, repr=False)
class Controls:
    """Control records, a row each; ``expected`` is the code of every one, as results word it."""

    table: pa.Table
    expected: tuple[str, ...]

    def plant(self, requested: RequestList, controls: RequestList) -> RequestList:
        """The list with the control records behind it; what is sent is in random order.

        Raises BadInputError that names the rows of controls that cannot be used.
        """
        missing = sorted(set(range(len(controls.ids))) - set(controls.usable.tolist()))
        if missing:
            rows = ", ".join(str(row + 1) for row in missing[:10])
            raise BadInputError(
                t(
                    f"Rekaman kontrol baris {rows} tidak dapat dipakai; perbaiki isinya.",
                    f"Control record {rows} cannot be used; correct it.",
                )
            )
        return replace(
            requested,
            ids=pa.concat_arrays([requested.ids, controls.ids]),
            rows=pa.concat_arrays([requested.rows, controls.rows]),
            notes=_noted(requested, len(controls.ids)),
            usable=np.concatenate([requested.usable, controls.usable + len(requested.ids)]),
            records={
                name: pa.concat_arrays([_flat(column), _flat(controls.records[name])])
                for name, column in requested.records.items()
            },
        )

    def reaped(self, flow: Flow, result: ConfirmResult) -> ConfirmResult:
        """The result of the list alone, with the report on the controls."""
        count = result.table.num_rows - len(self.expected)
        given = result.table["kode"].slice(count).to_pylist()
        wrong = tuple(
            row
            for row, (code, expected) in enumerate(zip(given, self.expected, strict=True), 1)
            if sorted(code.split("; ")) != sorted(expected.split("; "))
        )
        table = result.table.slice(0, count)
        return replace(
            result,
            table=table,
            counts=count_codes(flow, table),
            # A list that was closed answered its controls neither rightly nor wrongly.
            controls=None if result.closed else ControlReport(len(self.expected), wrong),
        )


def read_controls(flow: Flow, table: pa.Table) -> Controls:
    """Control records from a table with a column ``kode``.

    A code of the flow (several joined by "; "), or that of «not found». Raises BadInputError.
    """
    if EXPECTED not in table.column_names:
        raise BadInputError(
            t(
                f"Berkas kontrol perlu kolom {EXPECTED}: jawaban yang seharusnya.",
                f"A control file needs the column {EXPECTED}: the answer that is right.",
            )
        )
    known = {c.code for c in (*flow.codes, flow.not_found) if c is not None}
    expected = tuple(str(code or "").strip() for code in table[EXPECTED].to_pylist())
    for row, codes in enumerate(expected, 1):
        if not set(codes.split("; ")) <= known:
            raise BadInputError(
                t(
                    f"Rekaman kontrol baris {row}: {EXPECTED} bukan kode alur ini.",
                    f"Control record {row}: {EXPECTED} is no code of this flow.",
                )
            )
    return Controls(table.drop_columns([EXPECTED]), expected)


def require_honest(result: ConfirmResult) -> ConfirmResult:
    """The result, unless controls were answered wrongly. Raises ControlError that says which."""
    report = result.controls
    if report is None or not report.wrong:
        return result
    rows = ", ".join(map(str, report.wrong[:10])) + (", …" if len(report.wrong) > 10 else "")
    wrong, planted = number(len(report.wrong)), number(report.planted)
    raise ControlError(
        t(
            f"PERINGATAN: {wrong} dari {planted} rekaman kontrol dijawab salah "
            f"(baris {rows} pada berkas kontrol). Jangan pakai kode yang diterima sebelum "
            "penyebabnya jelas: status yang memang berubah, atau penyedia menjawab tidak benar.",
            f"WARNING: {wrong} of {planted} control records were answered "
            f"wrongly (rows {rows} of the control file). Do not use the codes before the cause "
            "is known: a status that did change, or a provider that answers falsely.",
        ),
        result,
    )


def _noted(requested: RequestList, more: int) -> pa.StringArray | None:
    """The notes of the list, and none on so many more rows."""
    if requested.notes is None:
        return None
    return pa.concat_arrays([_flat(requested.notes), pa.array([""] * more, pa.string())])


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
