"""One recogniser of column names, for every command."""

import pytest

from padan_client.base.errors import BadInputError
from padan_client.records.columns import match_columns
from padan_linkage.schema import SchemaField


@pytest.mark.parametrize(
    ("nik", "nama", "lahir"),
    [
        ("No. KTP", "NAMA LENGKAP", "Tgl Lahir"),
        ("NO_INDUK_KEPENDUDUKAN", "Nama Penerima", "TGL. LHR"),
        ("Nomor Induk Kependudukan (NIK)", "nama_sesuai_ktp", "Tanggal Lahir (dd/mm/yyyy)"),
        ("NIK Peserta", "nm lengkap", "TanggalLahir"),
        ("KTP", "full_name", "DOB"),
    ],
)
def test_columns_are_known_by_what_they_are_called(schema, nik, nama, lahir):
    said = []
    found = match_columns(["No", nik, "Alamat", nama, lahir, "Keterangan"], schema)
    assert found.by_field == {"nik": nik, "nama": nama, "tanggal_lahir": lahir}
    found.tell(said.append)
    assert all(f"{found.by_field[field]} → {field}" in said[0] for field in found.recognised)
    assert {"nik", "nama"} & set(found.recognised)


def test_own_names_come_first_and_what_was_told_before_all(schema):
    names = ["nik", "NIK Penerima", "nama", "Nama Lengkap", "Tanggal Lahir"]
    assert match_columns(names, schema).by_field == {
        "nik": "nik", "nama": "nama", "tanggal_lahir": "Tanggal Lahir"
    }  # fmt: skip
    told = match_columns(names, schema, {"nama": "Nama Lengkap", "nik": ""})
    assert told.by_field == {"nama": "Nama Lengkap", "tanggal_lahir": "Tanggal Lahir"}
    assert not told.absent


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["No. KTP", "NIK Penerima"], "ruas nik: No. KTP, NIK Penerima.*--map nik=KOLOM"),
        (["NIK", "nik."], "ruas nik: NIK, nik"),
        (["Nama Lengkap", "Nama Peserta", "nik"], "ruas nama: Nama Lengkap, Nama Peserta"),
    ],
)
def test_two_that_fit_are_named_and_none_is_taken(schema, names, says):
    with pytest.raises(BadInputError, match=says):
        match_columns(names, schema)


@pytest.mark.parametrize(
    "name",
    ["NIK Ibu", "NAMA LENGKAP IBU", "nama_kepala_keluarga", "tgl_lahir_anak", "Nama Perusahaan",
     "NIK lama", "Tanggal", "No", "TTL", "Nama Istri", "nik_pemberi_kerja", "Tempat Lahir"],
)  # fmt: skip
def test_somebody_elses_or_something_elses_is_not_taken(schema, name):
    assert not match_columns([name], schema).by_field


def test_a_field_that_nothing_here_compares_may_have_no_column(schema):
    """One for keys of direct mode alone, in unit mode; a confirmed field has to be there."""
    place = SchemaField(name="tempat_lahir", kind="place")
    more = schema.model_copy(update={"fields": (*schema.fields, place)})
    names = [f.name for f in schema.fields]
    assert match_columns(names, more).absent == ()
    assert match_columns(["Tempat_Lahir", *names], more).by_field["tempat_lahir"] == "Tempat_Lahir"
    confirmed = more.passes[0].model_copy(update={"confirm": ("tempat_lahir",)})
    more = more.model_copy(update={"passes": (confirmed, *more.passes[1:])})
    assert match_columns(names, more).absent == ("tempat_lahir",)
