"""How right a large result is, by columns: the codes of a list against the generated truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from padan_client.results.table import EDITION
from padan_lab.bench.report import rounded
from padan_linkage.agreement import Flow
from padan_linkage.answering.outcomes import MATCHED, OUTCOME_WORDS

_FOUND = OUTCOME_WORDS[MATCHED]
_TEXT = pacsv.ConvertOptions(column_types=dict.fromkeys(("rec_id_a", "rec_id_b"), pa.string()))


def right_of(folder: Path, flow: Flow) -> dict[str, float | None]:
    """What ``codes.parquet`` in ``folder`` is worth against ``people/truth.csv`` there.

    A found code is right if it is that of a registry row which the truth pairs with the list's row.
    ``wrong_per_stranger``: found, of the asked rows that the truth pairs with nobody. A share of
    nothing is None. Flows with one status column alone. Raises ValueError for others.
    """
    if len(flow.registry) != 1:
        raise ValueError(f"flow {flow.id} has several status columns")
    (column, mapping), = flow.registry.items()  # fmt: skip
    registry = pq.read_table(folder / "people" / "registry.parquet", columns=["id", column])
    codes = pq.read_table(folder / "codes.parquet", columns=["id", "hasil", "kode", EDITION])
    truth = pacsv.read_csv(folder / "people" / "truth.csv", convert_options=_TEXT)
    given = pa.array(list(mapping), pa.string())
    meant = pa.array(list(mapping.values()), pa.string())
    own = meant.take(pc.index_in(registry[column].combine_chunks(), value_set=given))
    of_pair = own.take(_rows(truth["rec_id_b"], registry["id"]))
    list_rows = _rows(truth["rec_id_a"], codes["id"])
    found = pc.equal(codes["hasil"], _FOUND).to_numpy()
    asked = pc.not_equal(codes[EDITION], "").to_numpy()
    same = pc.equal(codes["kode"].combine_chunks().take(list_rows), of_pair).fill_null(False)
    inside, right = np.zeros((2, codes.num_rows), np.bool_)
    inside[list_rows.to_numpy(zero_copy_only=False)] = True
    right[list_rows.to_numpy(zero_copy_only=False)[same.to_numpy(zero_copy_only=False)]] = True
    right &= found
    return {
        "in_registry": int(inside.sum()),
        "found": int(found.sum()),
        "precision": _share(right, found),
        "recall": _share(right, inside),
        "wrong_per_stranger": _share(found & ~inside, asked & ~inside),
    }


def _share(some: NDArray[np.bool_], of: NDArray[np.bool_]) -> float | None:
    return rounded(float(some.sum() / of.sum())) if of.any() else None


def _rows(wanted: pa.ChunkedArray, ids: pa.ChunkedArray) -> pa.Array:
    """Positions of ``wanted`` among ``ids``."""
    return pc.index_in(wanted, value_set=ids.combine_chunks()).combine_chunks()
