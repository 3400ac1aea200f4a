"""Rows as they come over the wire: of a known pass, every column of the right length, in range."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from padan_linkage.schema import Layout, Pass, Schema
from padan_server.admission.enforcement import Grant
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.model import Dataset, Role

_UPSERT = b"\x01"
_MAX_OPERATION = 2


def named_pass(schema: Schema, pass_id: str) -> Pass:
    """The pass that a caller names, or the refusal of a name that the schema does not have."""
    try:
        return schema.get_pass(pass_id)
    except KeyError:
        raise field_invalid(
            "pass_id", "tidak ada jalur itu dalam skema", "the schema has no such pass"
        ) from None


def layout_of(grant: Grant, dataset: Dataset, pass_id: str, *, uploaded: bool = False) -> Layout:
    """Columns of a committed table, or (``uploaded``) of the table as its owner sends it."""
    return Layout.of(
        grant.schema,
        grant.schema.get_pass(pass_id),
        provider=dataset.role is Role.PROVIDER,
        delta=uploaded and dataset.is_delta,
    )


def columns_of(layout: Layout, sent: Mapping[str, bytes], rows: int) -> dict[str, bytes]:
    """Exactly the layout's columns, each of the right length, or the refusal that names one."""
    columns = {}
    widths = dict(layout.columns())
    for name, data in sent.items():
        width = widths.get(name, 0)
        # A delta without operations is one of upserts alone (resources.proto, TableRows).
        column = _UPSERT * rows if name == "operations" and width and not data else data
        if len(column) != rows * width:
            raise Refusal(Reason.ROWS_MALFORMED, field=f"rows.{name}")
        if width:
            columns[name] = column
    return columns


def check_values(layout: Layout, p: Pass, columns: Mapping[str, bytes]) -> None:
    """Refuse buckets and operations out of range: the matcher must never stumble over a row."""
    if p.similar and columns["keys"]:
        buckets = np.frombuffer(columns["keys"], dtype="<u2")
        if int(buckets.max()) >= 1 << p.bucket_bits:
            raise Refusal(Reason.ROWS_MALFORMED, field="rows.keys")
    if layout.operations and columns["operations"]:
        operations = np.frombuffer(columns["operations"], dtype=np.uint8)
        if int(operations.max()) > _MAX_OPERATION:
            raise Refusal(Reason.ROWS_MALFORMED, field="rows.operations")
