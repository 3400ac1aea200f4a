import numpy as np
import pyarrow as pa
import pytest

from padan_client.base.errors import BadInputError
from padan_client.base.language import set_language
from padan_client.records import prepare, read_table
from padan_linkage.agreement import example, load_agreement
from padan_linkage.normalise import sound_values
from padan_linkage.schema import Kind, Pass, Schema, SchemaField

NIK = "3171011708450001"


def table(**columns):
    rows = len(next(iter(columns.values())))
    base = {"nik": [""] * rows, "nama": [""] * rows, "tanggal_lahir": [""] * rows}
    return pa.table({name: pa.array(v, pa.string()) for name, v in (base | columns).items()})


def test_fields_are_normalised_under_their_schema_names(schema):
    given = table(id=["a"], nik=[f"'{NIK}"], nama=["Drs. M. Yusuf, S.H."], tanggal_lahir=["1/2/80"])
    prepared = prepare(given, schema, None, "id")
    assert {name: column.to_pylist() for name, column in prepared.fields.items()} == {
        "nik": [NIK],
        "nama": ["muhammad yusuf"],
        "tanggal_lahir": ["1980-02-01"],
    }
    assert prepared.ids.to_pylist() == ["a"]
    assert prepared.usable.tolist() == [True]
    assert prepared.quarantine.num_rows == 0


@pytest.mark.parametrize(
    ("nik", "reason"),
    [
        ("31710117", "too_short"),
        (NIK + "9", "too_long"),
        ("3171X11708450001", "not_digits"),
        ("3.2E+15", "spreadsheet"),
        ("3171013002900001", "impossible_date"),
        ("1111111111111111", "filler"),
        ("9" * 1_000_000, "oversized"),
        ("317101\x001708450001", "control_characters"),
    ],
)
def test_a_bad_nik_is_set_aside_and_its_row_goes_on_by_name(schema, nik, reason):
    given = table(
        id=["a", "b"], nik=[NIK, nik], nama=["Ani", "Budi"], tanggal_lahir=["1980-11-23"] * 2
    )
    prepared = prepare(given, schema, None, "id")
    (row,) = prepared.quarantine.to_pylist()
    assert (row["row"], row["id"], row["field"]) == (2, "b", "nik")
    assert (row["reason"], row["severity"]) == (reason, "diabaikan")
    assert row["message"]
    assert nik not in str(row)
    assert sound_values(prepared.fields["nik"]).to_pylist() == [NIK, ""]
    assert prepared.usable.tolist() == [True, True]


def test_a_pass_without_fields_is_for_a_lists_rows_that_lack_them_and_any_of_a_registrys():
    fields = tuple(SchemaField(name=n, kind=k) for n, k in (("nik", "nik"), ("kota", "place")))
    only = Schema(fields=fields, passes=(Pass(id="saja", exact=("nik",), without=("kota",)),))
    given = pa.table({"nik": [NIK, NIK, ""], "kota": ["", "Kudus", ""]})
    assert prepare(given, only, listed=True).usable.tolist() == [True, False, False]
    assert prepare(given, only).usable.tolist() == [True, True, False]


def test_a_doubtful_name_is_told_and_opens_no_pass_that_needs_it(schema):
    given = table(
        nama=["Budi alias Bejo", "Ani"], tanggal_lahir=["1980-11-23", "1979-12-31T17:00:00Z"]
    )
    prepared = prepare(given, schema)
    assert prepared.usable.tolist() == [False, False]
    told = {(r["row"], r["field"], r["reason"]) for r in prepared.quarantine.to_pylist()}
    assert told >= {(1, "nama", "partly_read"), (2, "tanggal_lahir", "two_readings")}


def test_a_column_of_dates_with_two_readings_is_no_wrong_column(schema):
    given = table(nama=["Ani"] * 20, tanggal_lahir=["01/02/15"] * 20)
    assert prepare(given, schema).quarantine.num_rows == 40  # told, and no pass is left


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"nik": [NIK]}, "menurut nik saja"),
        ({"nik": [NIK], "nama": ["Ani"]}, "menurut nik + nama"),
        ({"nama": ["Ani"], "tanggal_lahir": ["1980-01-01"]}, "menurut tanggal_lahir + nama"),
        ({"nama": ["Ani"]}, "tidak satu baris pun dapat dicari"),
    ],
)
def test_what_a_list_that_lacks_columns_will_be_answered_by_is_told(columns, said):
    flow = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
    with pytest.raises(BadInputError, match="--map ruas=") as caught:
        prepare(pa.table(columns), flow.schema, listed=True)
    assert said in str(caught.value)
    assert ("belum dapat dipastikan" in str(caught.value)) == ("tidak satu" not in said)


def test_a_row_that_no_pass_can_use_is_rejected(schema):
    given = table(nama=["Budi", "Ani"], tanggal_lahir=["", "1980-11-23"])
    prepared = prepare(given, schema)
    assert prepared.usable.tolist() == [False, True]
    (row,) = prepared.quarantine.to_pylist()
    assert (row["row"], row["id"], row["severity"]) == (1, "1", "ditolak")
    assert "nik; nama + tanggal_lahir" in row["message"]


def test_row_numbers_are_those_of_the_files_data_rows(schema, file):
    path = file(f"nik,nama,tanggal_lahir\n{NIK},,\n12,,\n\n{NIK[:-1]}2,,\n".encode())
    prepared = prepare(read_table(path), schema)
    assert set(prepared.quarantine["row"].to_pylist()) == {2, 3}
    assert prepared.usable.tolist() == [True, False, False, True]
    assert prepared.ids.to_pylist() == ["1", "2", "3", "4"]


def test_an_empty_row_is_set_aside_and_needs_no_id(schema, file):
    path = file(f"id;nik;nama;tanggal_lahir\na;{NIK};;\n;;;\n\nb;{NIK[:-1]}2;;\n".encode())
    prepared = prepare(read_table(path), schema, None, "id")
    assert prepared.ids.to_pylist() == ["a", "", "", "b"]
    found = [(r["row"], r["reason"], r["severity"]) for r in prepared.quarantine.to_pylist()]
    assert found == [(2, "empty_row", "ditolak"), (3, "empty_row", "ditolak")]


def test_columns_by_mapping_by_likeness_and_left_out(schema):
    given = table(No_KTP=[NIK]).rename_columns(["x", "NAMA", "Tanggal Lahir", "No_KTP"])
    prepared = prepare(given, schema, {"nik": "No_KTP"})
    assert prepared.fields["nik"].to_pylist() == [NIK]
    without = prepare(given, schema, {"nik": "No_KTP", "nama": ""})
    assert without.fields["nama"].to_pylist() == [""]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"columns": {"nik": "ktp"}}, "Kolom ktp tidak ada.*: nik, nama, tanggal_lahir, id"),
        ({"columns": {"nikk": "nik"}}, "tidak memiliki ruas nikk"),
        ({"id_column": "nomor"}, "Kolom nomor tidak ada"),
    ],
)
def test_columns_that_are_not_there(schema, arguments, says):
    with pytest.raises(BadInputError, match=says):
        prepare(table(id=["a"]), schema, **arguments)


def test_duplicate_ids_are_refused_by_row_and_not_by_value(schema):
    with pytest.raises(BadInputError, match="baris 2, 4 memakai id yang sama") as refusal:
        prepare(table(id=["a", "RAHASIA", "b", "RAHASIA "]), schema, None, "id")
    assert "RAHASIA" not in str(refusal.value)


def test_empty_ids_are_refused_by_row(schema):
    with pytest.raises(BadInputError, match="kosong di baris 2"):
        prepare(table(id=["a", " "], nik=["", NIK]), schema, None, "id")


def test_a_column_of_something_else_is_refused(schema):
    with pytest.raises(BadInputError, match="Kolom nama tampaknya bukan NIK: 12 dari 12"):
        prepare(table(nama=["Budi"] * 12), schema, {"nik": "nama"})


def test_many_bad_niks_are_not_another_column(schema):
    niks = [NIK] * 3 + ["12"] * 9
    assert prepare(table(nik=niks), schema).quarantine.num_rows == 18


def test_the_quarantine_shows_no_id_that_is_a_field(schema):
    prepared = prepare(table(nik=["RAHASIA", NIK]), schema, None, "nik")
    assert "RAHASIA" not in str(prepared.quarantine.to_pylist())


def test_quarantine_messages_follow_the_language(schema):
    set_language("en")
    try:
        message = prepare(table(nik=["12"]), schema).quarantine["message"][1].as_py()
    finally:
        set_language("id")
    assert message == "Not NIK: digits are missing."


def test_no_rows(schema):
    with pytest.raises(BadInputError, match="Tidak ada baris"):
        prepare(table(nik=[]), schema)


def test_nulls_count_as_missing(schema):
    prepared = prepare(table(nik=[None, NIK]), schema)
    assert prepared.fields["nik"].to_pylist() == ["", NIK]
    assert np.array_equal(prepared.usable, [False, True])


def test_a_repr_tells_sizes_only(schema):
    shown = repr(prepare(table(nik=[NIK]), schema))
    assert NIK not in shown
    assert "rows=1" in shown


def test_every_row_goes_on_or_is_in_the_quarantine(schema):
    niks = [NIK, "", "12", "3.2E+15", NIK[:-1] + "2", "1" * 16, NIK[:-1]]
    names = ["Budi", "", "XXX", "Test", "王", "Ani", ""]
    dates = ["1980-11-23", "", "31-02-1990", "1980", "1980-11-24", "", "1980-11-25"]
    prepared = prepare(table(nik=niks, nama=names, tanggal_lahir=dates), schema)
    rejected = {
        row["row"] for row in prepared.quarantine.to_pylist() if row["severity"] == "ditolak"
    }
    unusable = set((np.flatnonzero(~prepared.usable) + 1).tolist())
    assert rejected == unusable == {2, 3, 4, 6, 7}
    assert len(prepared) == len(niks)


def test_an_old_nip_cannot_stand_for_a_birth_date():
    schema = Schema(
        fields=(SchemaField(name="nip", kind=Kind.NIP),),
        passes=(Pass(id="p", exact=("nip:birth_date",)),),
    )
    prepared = prepare(pa.table({"nip": ["130123456", "198011232005011003"]}), schema)
    assert prepared.usable.tolist() == [False, True]
