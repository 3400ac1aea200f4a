"""Files with more columns than any list of people has; and sentences that do not list them all."""

import pyarrow as pa
import pyarrow.parquet
import pytest
import xlsxwriter

from padan_client.base.errors import BadInputError
from padan_client.records.columns import match_columns, no_column
from padan_client.records.files import layout as layouts
from padan_client.records.files import open_batches, read_table

MOST = layouts.MOST_COLUMNS


def names_of(count):
    return [f"kolom {number}" for number in range(count)]


def as_csv(path, names):
    row = ",".join("1" for _ in names)
    path.write_text(f"{','.join(names)}\n{row}\n{row}\n")


def as_csv_below_a_title(path, names):
    row = ";".join("1" for _ in names)
    path.write_text(f"DAFTAR PENERIMA\n{';'.join(names)}\n{row}\n{row}\n")


def as_parquet(path, names):
    pa.parquet.write_table(pa.table({name: ["1"] for name in names}), path)


def as_workbook(path, names):
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, names)
        sheet.write_row(1, 0, ["1"] * len(names))


WRITTEN = {
    "daftar.csv": as_csv,
    "berjudul.csv": as_csv_below_a_title,
    "daftar.parquet": as_parquet,
    "daftar.xlsx": as_workbook,
}


@pytest.mark.parametrize("read", [read_table, open_batches])
@pytest.mark.parametrize("name", WRITTEN)
def test_too_many_columns_are_refused_as_what_they_are(tmp_path, name, read):
    WRITTEN[name](tmp_path / name, names_of(MOST + 1))
    with pytest.raises(BadInputError, match=f"lebih dari {MOST} kolom"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["daftar.csv", "daftar.parquet", "daftar.xlsx"])
def test_as_many_as_may_be_are_read(tmp_path, name):
    WRITTEN[name](tmp_path / name, names_of(MOST))
    assert read_table(tmp_path / name).num_columns == MOST


def test_columns_without_a_name_and_a_value_do_not_count(tmp_path):
    path = tmp_path / "daftar.csv"
    path.write_text(f"nik;nama{';' * 3 * MOST}\n1;Budi{';' * 3 * MOST}\n")
    assert read_table(path).to_pydict() == {"nik": ["1"], "nama": ["Budi"]}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_work_of_refusing_does_not_grow_with_the_columns(tmp_path, monkeypatch, name):
    asked = []
    monkeypatch.setattr(layouts, "is_column_word", lambda word: asked.append(word) or False)
    WRITTEN[name](tmp_path / name, names_of(8 * MOST))
    with pytest.raises(BadInputError):
        read_table(tmp_path / name)
    assert len(asked) <= 4 * MOST


def test_names_that_occur_twice_are_found_in_one_go_and_told_in_short(tmp_path):
    names = names_of(MOST // 2)
    as_csv(tmp_path / "daftar.csv", [*names, *names])
    with pytest.raises(BadInputError, match="lebih dari sekali") as refusal:
        read_table(tmp_path / "daftar.csv")
    assert f"{MOST // 2 - 30} lagi" in str(refusal.value)


def test_a_missing_column_is_told_without_listing_thousands(schema):
    names = names_of(MOST)
    with pytest.raises(BadInputError) as refusal:
        match_columns(names, schema, {"nama": "bukan di sini"})
    for said in (str(refusal.value), str(no_column(["nik"], names))):
        assert "kolom 29" in said
        assert "kolom 30," not in said
        assert f"{MOST - 30} lagi" in said
