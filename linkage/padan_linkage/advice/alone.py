"""Passes for rows of a list that hold a number and nothing to check it by (spec 10, "Token")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.advice.fields import FieldChoice, Fields
from padan_linkage.advice.passes import PassChoice
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.vocabulary import STRONG, Meaning
from padan_linkage.schema import Pass

#: What a number is checked by.
_CHECKS = (
    Meaning.FULL_NAME, Meaning.COMPANY, Meaning.GIVEN_NAME, Meaning.SURNAME, Meaning.BIRTH_DATE,
)  # fmt: skip


def alone(fields: Fields, listed: pa.Table, passes: Sequence[PassChoice]) -> Iterator[PassChoice]:
    """A pass for each number that stands alone in some row of the list ``listed``.

    The ``passes`` chosen so far say which fields are compared at all.
    """
    compared = {n for c in passes for n in (*c.chosen.named, *_similar(c.chosen))}
    checks = [f for f in fields.of(*_CHECKS) if f.name in compared]
    checked = np.any([_filled(f, listed) for f in checks], axis=0) if checks else None
    for f in fields.chosen:
        if f.role not in STRONG or f.name not in compared or checked is None:
            continue
        rows = int((_filled(f, listed) & ~checked).sum())
        if rows:
            names = tuple(check.name for check in checks)
            made = Pass(id=f"{f.name[:34].replace('_', '-')}-alone", exact=(f.name,), without=names)
            yield PassChoice(made, 1.0, _said(f, rows))


def _similar(p: Pass) -> tuple[str, ...]:
    return tuple(name for s in p.similar for name in s.named)


def _filled(f: FieldChoice, listed: pa.Table) -> NDArray[np.bool_]:
    """Rows of the list in which any of the field's columns has something."""
    filled = [
        pc.not_equal(pc.utf8_trim_whitespace(pc.fill_null(listed[name].cast(pa.string()), "")), "")
        for name in f.columns_a
    ]
    columns = [np.asarray(column.combine_chunks()) for column in filled]
    present: NDArray[np.bool_] = np.any([np.zeros(listed.num_rows, np.bool_), *columns], axis=0)
    return present


def _said(f: FieldChoice, rows: int) -> Remark:
    return Remark(
        f"{f.name} saja, untuk {rows} baris daftar yang tidak memuat apa pun untuk memastikannya.",
        f"{f.name} alone, for {rows} rows of the list that hold nothing to check it by.",
    )
