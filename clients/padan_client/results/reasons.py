"""Why a row of a result has the outcome that it has, where the outcome alone does not say it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.records.preparing import REJECTED

#: Columns of a result: the stable code, and the sentence in the officer's language.
REASON, EXPLANATION = "alasan", "penjelasan"


def rejected_rows(quarantine: pa.Table, reason: str = "") -> NDArray[np.int64]:
    """Numbers, from 1, of the rows that were not asked about; those for ``reason`` alone if given.

    Each once, ascending: int64[n].
    """
    rejected = pc.equal(quarantine["severity"], REJECTED)
    if reason:
        rejected = pc.and_(rejected, pc.equal(quarantine["reason"], reason))
    return np.unique(quarantine["row"].filter(rejected).to_numpy().astype(np.int64))


def quarantine_reasons(quarantine: pa.Table, rows: int) -> tuple[pa.Array, pa.Array]:
    """Codes and sentences, string[rows], "" where a row was not set aside.

    ``quarantine`` numbers the rows from 1. A sentence also says what is wrong with the row's
    values, field by field.
    """
    rejected = quarantine.filter(pc.equal(quarantine["severity"], REJECTED))
    concerned = quarantine.filter(pc.is_in(quarantine["row"], rejected["row"]))
    row, field, message = (concerned[name] for name in ("row", "field", "message"))
    about = pc.if_else(pc.equal(field, ""), "", pc.binary_join_element_wise(field, "", ": "))
    told = pa.table({"row": row, "text": pc.binary_join_element_wise(about, message, "")})
    texts = told.group_by("row", use_threads=False).aggregate([("text", "list")])
    return (
        _spread(rejected["row"], rejected["reason"], rows),
        _spread(texts["row"], pc.binary_join(texts["text_list"], " "), rows),
    )


def _spread(row: pa.ChunkedArray, texts: pa.ChunkedArray, rows: int) -> pa.Array:
    """The text of each numbered row, "" for the others."""
    where = pc.index_in(pa.array(range(1, rows + 1), pa.int64()), value_set=row)
    return pc.fill_null(texts.combine_chunks().take(where), "")
