"""A quote that does not close where it should: refused with its line, or no row is lost."""

import csv
import io
import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from padan_client.base.errors import BadInputError
from padan_client.records import open_batches, read_table

QUOTING = (csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC)
HEADER = ["no", "nik", "nama", "lahir"]
PEOPLE = [
    [str(i), f"320101{i:02d}1180{i:04d}", name, "1980-11-23"]
    for i, name in enumerate(["ANI", "BUDI", "CITRA", "DEWI", "EKA", "FAJAR"], 1)
]


def written(header, rows, quoting=csv.QUOTE_MINIMAL, separator=",", end="\n"):
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=quoting, delimiter=separator, lineterminator=end)
    writer.writerows([header, *rows])
    return text.getvalue()


def read(path):
    """The table, or None and what the refusal says."""
    try:
        return read_table(path), ""
    except BadInputError as error:
        return None, str(error)


def refusal(path):
    with pytest.raises(BadInputError) as refused:
        read_table(path)
    with pytest.raises(BadInputError) as streamed:
        list(open_batches(path).tables)
    assert str(streamed.value) == str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("first", "last"),
    [((2, 2), (4, 2)), ((2, 2), (3, 2)), ((1, 0), (4, 3)), ((0, 0), (5, 3)), ((3, 3), (4, 0))],
)
def test_quotes_around_rows_are_refused_by_the_line_that_they_open_on(
    file, separator, end, first, last
):
    rows = [list(row) for row in PEOPLE]
    rows[first[0]][first[1]] = '"' + rows[first[0]][first[1]]
    rows[last[0]][last[1]] += '"'
    text = end.join(separator.join(row) for row in [HEADER, *rows]) + end
    assert f"baris teks {first[0] + 2}:" in refusal(file(text.encode()))


@pytest.mark.parametrize("rows", [["BUDI", '"ANI', "CITRA", 'DEWI"'], ['"BUDI', 'ANI"']])
def test_in_one_column_too(file, rows):
    text = "\n".join(["nama", *rows]) + "\n"
    line = next(i for i, row in enumerate(rows, 2) if row.startswith('"'))
    assert f"baris teks {line}:" in refusal(file(text.encode()))


def test_two_names_that_begin_with_a_quote_lose_nobody(file):
    rows = [list(row) for row in PEOPLE]
    rows[1][2], rows[4][2] = '"BUDI', '"EKA'
    text = "\n".join(";".join(row) for row in [HEADER, *rows])
    assert "baris teks 3:" in refusal(file(text.encode()))


def test_a_span_of_thousands_of_characters_is_refused(file):
    rows = [[str(i), f"{i:016d}", "NAMA " + "X" * 40, "1980-11-23"] for i in range(200)]
    rows[20][2], rows[190][2] = '"' + rows[20][2], rows[190][2] + '"'
    text = "\n".join(";".join(row) for row in [HEADER, *rows])
    assert "baris teks 22:" in refusal(file(text.encode()))


def test_a_header_that_swallows_a_row_is_refused(file):
    assert "baris teks 1:" in refusal(file(b'nik;"nama;lahir\n1;BUDI";1980\n2;ANI;1981\n'))


@pytest.mark.parametrize(
    "address", ["Jl. Mawar 3\nRT 01/02", "Jl. A\r\nSleman\r\nDIY", 'Gg. "Melati"\n\nRT 2, Kediri']
)
@pytest.mark.parametrize("place", [0, 2, 3])
@pytest.mark.parametrize("quoting", QUOTING)
def test_an_address_of_several_lines_is_one_cell(file, address, place, quoting):
    rows = [list(row) for row in PEOPLE]
    rows[1][place] = rows[4][place] = address
    table = read_table(file(written(HEADER, rows, quoting, end="\r\n").encode()))
    assert [list(row.values()) for row in table.to_pylist()] == rows


def test_column_names_may_stand_on_two_lines(file):
    table = read_table(file(b'nik;"Nama\nLengkap";"Tgl\r\nLahir"\r\n1;Budi;1980\r\n'))
    assert table.to_pylist() == [{"nik": "1", "Nama Lengkap": "Budi", "Tgl Lahir": "1980"}]


@pytest.mark.parametrize("content", [b'a,b\n"Ucok" S,2\n3,4\n', b'a,b\nM. "Ucok" S,2\n3,4\n'])
def test_nicknames_in_quotes_are_no_fault(file, content):
    assert read_table(file(content)).num_rows == 2


CELL = st.text(st.sampled_from('ab1 ,;\t|"\n'), max_size=8) | st.sampled_from(
    ["Jl. A\nRT 3", "BUDI", "S.H., M.M.", "", "1980-01-01", '"', "é"]
)
TABLE = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8)
)
DIALECT = st.tuples(
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(QUOTING),
)
ENCODING = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])


@settings(max_examples=150, deadline=None)
@given(rows=TABLE, dialect=DIALECT, encoding=ENCODING)
@example(rows=[["a", "b\nc"], ["", ""]], dialect=(";", "\n", csv.QUOTE_ALL), encoding="utf-16")
@example(rows=[["", "1,\n", "1,,"]], dialect=(",", "\n", csv.QUOTE_ALL), encoding="utf-8")
def test_what_a_csv_writer_writes_reads_back_cell_for_cell(
    tmp_path_factory, rows, dialect, encoding
):
    separator, end, quoting = dialect
    header = [f"kolom{i}" for i in range(len(rows[0]))]
    path = tmp_path_factory.mktemp("csv") / "daftar.csv"
    path.write_bytes(written(header, rows, quoting, separator, end).encode(encoding))
    last = max((i for i, row in enumerate(rows, 1) if any(c.strip() for c in row)), default=0)
    assume(last)
    table, refused = read(path)
    if table is None:
        # Only what could as well be several rows; never where every cell is quoted.
        assert "menelan" in refused
        assert any(cell.count("\n") and cell.count(separator) for row in rows for cell in row)
        # A line of a cell that holds nothing but separators looks like a row without a value.
        empty = f"{separator} "
        odd = [
            c for row in rows for c in row
            if '"' in c or not all(line.strip(empty) for line in c.split("\n"))
        ]  # fmt: skip
        assert quoting == csv.QUOTE_MINIMAL or any(odd)
        return
    assert [list(row.values()) for row in table.to_pylist()] == rows[:last]


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["BUDI", "S.H., M.M.", "a;b", '"U" S', "", "3201"]),
                 min_size=2, max_size=2),
        min_size=1, max_size=8,
    ),
    dialect=DIALECT,
    at=st.integers(0, 10_000),
    taken=st.booleans(),
)  # fmt: skip
def test_one_quote_too_many_or_too_few_loses_no_row(tmp_path_factory, rows, dialect, at, taken):
    separator, end, quoting = dialect
    rows = [[str(i), *row] for i, row in enumerate(rows)]
    text = written(["no", "satu", "dua"], rows, quoting, separator, end)
    quotes = [i for i, c in enumerate(text) if c == '"']
    if taken and quotes:
        where = quotes[at % len(quotes)]
        text = text[:where] + text[where + 1 :]
    else:
        where = at % (len(text) + 1)
        text = text[:where] + '"' + text[where:]
    path = tmp_path_factory.mktemp("stray") / "daftar.csv"
    path.write_bytes(text.encode())
    table, refused = read(path)
    if table is None:
        assert re.search("baris teks [0-9]+:|Baris data [0-9]+", refused)
        return
    got = [list(row.values()) for row in table.to_pylist()]
    assert len(got) == len(rows)
    assert sum(g != r for g, r in zip(got, rows, strict=True)) <= 1
