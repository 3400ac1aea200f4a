"""Notes on rows, such as a person's objection: they go over from list to result unchanged."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import listed, t

#: The column of notes, in lists and in results.
NOTE = "catatan"
_MOST_ROWS_NAMED = 10


def notes_of(table: pa.Table, column: str | None = None) -> pa.StringArray:
    """The notes of a list, string[rows], "" for none.

    They stand in ``column``, else in ``catatan``, in letters of any size, if the list has it.
    Raises BadInputError where ``column`` is not there.
    """
    alike = [name for name in table.column_names if _folded(name) == NOTE]
    name = column if column is not None else (alike[0] if len(alike) == 1 else None)
    if name is None:
        return pa.array([""] * table.num_rows, pa.string())
    if name not in table.column_names:
        present = listed(table.column_names)
        raise BadInputError(
            t(
                f"Kolom catatan {name} tidak ada. Kolom yang ada: {present}.",
                f"There is no column of notes {name}. The columns: {present}.",
            )
        )
    return _texts(table, name)


def with_earlier_notes(
    table: pa.Table, id_column: str, earlier: pa.Table, column: str | None = None
) -> tuple[pa.Table, int]:
    """A list whose ``catatan`` has the notes of an earlier result too, by id.

    ``earlier`` has the columns ``id`` and ``catatan``. Also gives the number of its notes that no
    row of the list has the id of. Raises BadInputError where a column is missing, and for rows
    with another note of their own.
    """
    _require_columns(earlier)
    kept = earlier.filter(pc.not_equal(pc.fill_null(earlier[NOTE], ""), ""))
    ids, known = pc.utf8_trim_whitespace(_texts(table, id_column)), _texts(kept, "id")
    carried = pc.fill_null(_texts(kept, NOTE).take(pc.index_in(ids, value_set=known)), "")
    noted = one_note(notes_of(table, column), carried)
    place = column or NOTE
    rest = table.drop_columns([n for n in table.column_names if n == place or _folded(n) == NOTE])
    missing = kept.num_rows - (pc.sum(pc.is_in(known, value_set=ids)).as_py() or 0)
    return rest.append_column(NOTE, noted), missing


def one_note(own: pa.StringArray | None, carried: pa.StringArray) -> pa.StringArray:
    """The note of every row, of which list and earlier result may each have one.

    Raises BadInputError for rows with two.
    """
    if own is None:
        return carried
    both = pc.and_(pc.not_equal(own, ""), pc.not_equal(carried, ""))
    _require_one_note(np.flatnonzero(pc.and_(both, pc.not_equal(own, carried))) + 1)
    return pc.if_else(pc.equal(own, ""), carried, own)


def _require_columns(earlier: pa.Table) -> None:
    missing = [name for name in ("id", NOTE) if name not in earlier.column_names]
    if missing:
        raise BadInputError(
            t(
                f"Berkas --notes bukan hasil terdahulu: tidak ada kolom {', '.join(missing)}.",
                f"The file of --notes is no earlier result: it has no column {', '.join(missing)}.",
            )
        )


def _require_one_note(rows: NDArray[np.int64]) -> None:
    if len(rows):
        named = ", ".join(map(str, rows[:_MOST_ROWS_NAMED].tolist()))
        more = ", …" if len(rows) > _MOST_ROWS_NAMED else ""
        raise BadInputError(
            t(
                f"Baris {named}{more}: catatan pada daftar lain dari catatan pada hasil "
                "terdahulu. Satukan pada daftar, lalu ulangi.",
                f"Rows {named}{more}: the note in the list is another than in the earlier "
                "result. Make them one in the list, then repeat.",
            )
        )


def _folded(name: str) -> str:
    return name.strip().casefold()


def _texts(table: pa.Table, column: str) -> pa.StringArray:
    texts = pc.fill_null(table[column].cast(pa.string()), "").combine_chunks()
    return pa.concat_arrays(texts.chunks) if isinstance(texts, pa.ChunkedArray) else texts
