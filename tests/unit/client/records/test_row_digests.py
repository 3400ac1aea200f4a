"""Row digests: the same values, and they alone, give the same letters."""

from __future__ import annotations

import re

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from padan_client.records.row_digests import row_digests
from padan_linkage.schema import Kind, Pass, Schema, SchemaField

SCHEMA = Schema(
    fields=(
        SchemaField(name="nik", kind=Kind.NIK),
        SchemaField(name="nama", kind=Kind.PERSON_NAME),
    ),
    passes=(Pass(id="nik", exact=("nik",)),),
)
COLUMNS = {"nik": "NIK", "nama": "NAMA"}
CELLS = st.text(max_size=6)


def digests(rows, key=b"k", columns=None):
    table = pa.table(
        {name: pa.array([row[i] for row in rows]) for i, name in enumerate(("NIK", "NAMA"))}
    )
    return row_digests(key, table, SCHEMA, COLUMNS if columns is None else columns).to_pylist()


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_rows_are_told_apart_by_their_values_alone(rows):
    made = digests(rows)
    for one, mine in zip(rows, made, strict=True):
        assert digests([one]) == [mine]
        for other, theirs in zip(rows, made, strict=True):
            same = [cell.strip() for cell in one] == [cell.strip() for cell in other]
            assert (mine == theirs) is same


def test_no_spreadsheet_takes_one_for_a_number_and_nobody_else_makes_it():
    rows = [(str(i), "SITI") for i in range(300)]
    made = digests(rows)
    assert all(re.fullmatch("[a-p]{16}", digest) for digest in made)
    assert not {*made} & {*digests(rows, key=b"other")}


def test_it_is_of_what_was_asked_and_not_of_the_rest_of_the_file():
    rows = [("1", "SITI"), ("2", "")]
    table = pa.table({"NAMA": ["SITI", None], "CATATAN": ["x", "y"], "NIK": [" 1", "2"]})
    assert row_digests(b"k", table, SCHEMA, COLUMNS).to_pylist() == digests(rows)
    swapped = {"nik": "NAMA", "nama": "NIK"}
    assert digests(rows, columns=swapped)[0] != digests(rows)[0]
    assert digests(rows, columns={"nik": "NIK"})[1] == digests(rows)[1]


def test_a_cell_of_any_length_is_taken():
    long = ("1", "A" * 100_000)
    assert digests([long]) == digests([long])
