"""Tables that a rehearsal reads and writes: truth, pairs, dumped encodings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.files import empty_private_folder, ensure_private_folder, write_private
from padan_client.base.formats import EXACT
from padan_client.base.language import t
from padan_client.records import read_table
from padan_client.records.table_files import write_array, write_table
from padan_client.rehearse.linking import Linked
from padan_client.rehearse.sides import Records
from padan_linkage.encoding import EncodedPass
from padan_linkage.schema import Schema

_TRUTH_COLUMNS = ("rec_id_a", "rec_id_b")


@dataclass(frozen=True, repr=False)
class Truth:
    """True pairs as sorted codes, int64[n]: first file's row * ``width`` + second file's row."""

    codes: NDArray[np.int64]
    width: int
    within: bool

    @property
    def pairs(self) -> int:
        """Number of true pairs."""
        return len(self.codes)

    @classmethod
    def read(cls, path: Path, a: Records, b: Records, *, within: bool) -> Truth:
        """Read a table with the columns rec_id_a and rec_id_b, or with just two columns.

        Ids that the files do not have are an error: a wrong id column would show as recall 0. The
        column names alone say that no pair is true. Raises BadInputError.
        """
        table = read_table(path, rows_expected=False)
        names = _TRUTH_COLUMNS if table.num_columns != len(_TRUTH_COLUMNS) else table.column_names
        ends = []
        for name, records in zip(names, (a, b), strict=True):
            if name not in table.column_names:
                raise BadInputError(
                    t(f"{path.name}: kolom {name} tidak ada.", f"{path.name}: no column {name}.")
                )
            place = {value: row for row, value in enumerate(records.ids.to_pylist())}
            ends.append([place.get(value, -1) for value in table.column(name).to_pylist()])
        rows = np.array(ends, dtype=np.int64).reshape(2, -1)
        strange = int((rows < 0).any(axis=0).sum())
        if strange:
            raise BadInputError(
                t(
                    f"{path.name}: {strange} pasangan memakai id yang tidak ada di berkas. "
                    "Periksa --id.",
                    f"{path.name}: {strange} pairs have ids that are not in the files. Check --id.",
                )
            )
        return cls(_codes(rows, len(b.ids), within=within, distinct=True), len(b.ids), within)

    def count_true(self, rows_a: NDArray[np.int64], rows_b: NDArray[np.int64]) -> int:
        """How many of these pairs of file rows are true."""
        codes = _codes(np.stack([rows_a, rows_b]), self.width, within=self.within, distinct=False)
        return int(np.isin(codes, self.codes).sum())


def _codes(
    rows: NDArray[np.int64], width: int, *, within: bool, distinct: bool
) -> NDArray[np.int64]:
    """One number a pair; within one file the order of the two does not matter."""
    ends = np.sort(rows, axis=0) if within else rows
    codes = ends[0] * width + ends[1]
    return np.unique(codes) if distinct else codes


def pairs_table(schema: Schema, linked: Linked, a: Records, b: Records) -> pa.Table:
    """The pairs, in the order of the first file: row_a, row_b (from 1), id_a, id_b, pass, score.

    The pass is missing where other pairs stand for this one.
    """
    rows_a, rows_b = a.rows[linked.a], b.rows[linked.b]
    passes = pa.array([p.id for p in schema.passes])
    return pa.table(
        {
            "row_a": pa.array(rows_a + 1),
            "row_b": pa.array(rows_b + 1),
            "id_a": a.ids.take(pa.array(rows_a)),
            "id_b": b.ids.take(pa.array(rows_b)),
            "pass": passes.take(pa.array(linked.answered_by, mask=linked.answered_by < 0)),
            "score": pa.array(np.round(linked.score.astype(np.float64), 3)),
        }
    )


class Dumper:
    """Writes every table as a linkage unit would hold it, one folder a side and pass.

    What only the owner knows lies apart, under ``owner/``: whoever measures leakage needs it to
    count successes (spec 15, "Dumps"). ``schema.json`` is the canonical schema. Encodings are
    personal data: folders and files are their owner's alone. Raises BadInputError for a folder
    that is not empty, so that no table of another rehearsal stays among these.
    """

    def __init__(self, folder: Path, schema: Schema) -> None:
        self._folder = empty_private_folder(folder)
        text = json.dumps(schema.model_dump(mode="json"), indent=1)
        write_private(folder / "schema.json", (text + "\n").encode())

    def records(self, side: str, records: Records) -> None:
        """Write the plaintext of one side: id and normalised fields, in the order encoded."""
        folder = ensure_private_folder(self._folder / "owner" / side)
        ids = records.ids.take(pa.array(records.rows))
        write_table(folder / "records.csv", pa.table({"record_id": ids, **records.fields}), EXACT)

    def __call__(self, pass_id: str, side: str, encoded: EncodedPass) -> None:
        """Write one table."""
        seen = self._folder / "unit" / side / pass_id
        kept = self._folder / "owner" / side / pass_id
        for folder in (seen, kept):
            ensure_private_folder(folder)
        for name, column in encoded.table.columns.items():
            write_array(seen / f"{name}.npy", column)
        write_array(kept / "record_of_row.npy", encoded.record_of_row)
        salts = np.ascontiguousarray(encoded.tokens).view(f"V{encoded.tokens.shape[1]}").ravel()
        groups = np.unique(salts, return_inverse=True)[1].astype(np.int64)
        write_array(kept / "group_of_row.npy", groups)
