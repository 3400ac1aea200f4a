"""Notes on rows go over from list to result, and from an earlier result to the next list."""

from __future__ import annotations

import pyarrow as pa
import pytest

from padan_client.base.errors import BadInputError
from padan_client.records.notes import notes_of, with_earlier_notes


def test_notes_are_found_by_name_and_come_as_they_are():
    table = pa.table({"NO": ["1", "2", "3"], "Catatan ": [" keberatan, surat 7/2026 ", None, "="]})
    assert notes_of(table).to_pylist() == [" keberatan, surat 7/2026 ", "", "="]
    assert notes_of(table, "NO").to_pylist() == ["1", "2", "3"]
    assert notes_of(table.select(["NO"])).to_pylist() == ["", "", ""]
    with pytest.raises(BadInputError, match="Catatan"):
        notes_of(table, "KETERANGAN")


def test_an_earlier_result_s_notes_come_by_id_and_none_is_lost_unsaid():
    earlier = pa.table(
        {
            "id": ["a", "b", "z", "c"],
            "catatan": ["keberatan", "", "pindah", None],
            "hasil": [""] * 4,
        }
    )
    table = pa.table({"NO": ["c", " a ", "b"], "catatan": ["", "", "baru"]})
    noted, missing = with_earlier_notes(table, "NO", earlier)
    assert notes_of(noted).to_pylist() == ["", "keberatan", "baru"]
    assert missing == 1
    assert noted["NO"].to_pylist() == table["NO"].to_pylist()
    noted, missing = with_earlier_notes(table, "NO", earlier.slice(1, 1))
    assert (notes_of(noted).to_pylist(), missing) == (["", "", "baru"], 0)


def test_two_notes_on_a_row_are_not_chosen_between():
    earlier = pa.table({"id": ["a", "b"], "catatan": ["keberatan", "sama"]})
    table = pa.table({"NO": ["b", "a"], "KET": ["sama", "lain"]})
    with pytest.raises(BadInputError, match="Baris 2:"):
        with_earlier_notes(table, "NO", earlier, "KET")
    with pytest.raises(BadInputError, match="catatan"):
        with_earlier_notes(table, "NO", earlier.select(["id"]))
