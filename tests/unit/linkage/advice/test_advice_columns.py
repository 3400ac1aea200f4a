"""Which column is what: names in two languages, kept or broken by the contents."""

from __future__ import annotations

import pyarrow as pa
import pytest

from padan_linkage.advice.columns import SampledColumn, chance_equal, folded
from padan_linkage.advice.recognise import recognise
from padan_linkage.advice.vocabulary import Meaning, promised
from padan_linkage.schema import Kind

NAMES = ["Siti Aminah", "Budi Santoso", "I Wayan Darma", "Agus Salim", "Dewi Lestari", "Rina"]
GIVEN = ["siti", "budi", "wayan", "agus", "dewi", "rina"]
DATES = ["1980-02-17", "1975-12-03", "1990-07-21", "1966-01-30", "2001-11-11", "1988-05-09"]
NIKS = [
    "3171054101800001",
    "3273011505850002",
    "3374022203900003",
    "3578036012750004",
    "5171040107880005",
    "1271051002910006",
]
CODES = ["AB1234567", "CD7654321", "EF1112223", "GH9998887", "JK5556667", "LM3334445"]
PLACES = ["Bandung", "Kab. Sleman", "Medan", "Kota Surabaya", "Bandung", "Medan"]
NUMBERS = ["1", "2", "3", "4", "5", "6"]


def column(name, values):
    return SampledColumn.of(pa.table({name: pa.array(values, pa.string())}), name)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("nama", Meaning.FULL_NAME),
        ("NAMA LENGKAP", Meaning.FULL_NAME),
        ("NamaLengkap", Meaning.FULL_NAME),
        ("nama_depan", Meaning.GIVEN_NAME),
        ("First Name", Meaning.GIVEN_NAME),
        ("family_name", Meaning.SURNAME),
        ("middle", Meaning.MIDDLE_NAME),
        ("nama_ibu_kandung", Meaning.RELATIVE),
        ("nama_perusahaan", Meaning.COMPANY),
        ("tgl_lahir", Meaning.BIRTH_DATE),
        ("Tanggal Lahir", Meaning.BIRTH_DATE),
        ("tglLahir", Meaning.BIRTH_DATE),
        ("dob", Meaning.BIRTH_DATE),
        ("tempat_tanggal_lahir", Meaning.PLACE_AND_DATE),
        ("TTL", Meaning.PLACE_AND_DATE),
        ("tempat_lahir", Meaning.BIRTHPLACE),
        ("yob", Meaning.BIRTH_YEAR),
        ("bulan_lahir", Meaning.BIRTH_MONTH),
        ("dayob", Meaning.BIRTH_DAY),
        ("tmt_cpns", Meaning.OTHER_DATE),
        ("nik", Meaning.NIK),
        ("NO. KTP", Meaning.NIK),
        ("no_kk", Meaning.KK),
        ("ssn", Meaning.IDENTITY),
        ("soc_sec_id", Meaning.IDENTITY),
        ("no_paspor", Meaning.PASSPORT),
        ("nama_kab_kota", Meaning.PLACE),
        ("kecamatan", Meaning.PLACE),
        ("suburb", Meaning.PLACE),
        ("kode_pos", Meaning.POSTCODE),
        ("zipcode", Meaning.POSTCODE),
        ("alamat_rumah", Meaning.ADDRESS),
        ("address_1", Meaning.ADDRESS),
        ("no_hp", Meaning.PHONE),
        ("email", Meaning.EMAIL),
        ("jenis_kelamin", Meaning.SEX),
        ("JK", Meaning.SEX),
        ("kewarganegaraan", Meaning.NATIONALITY),
        ("agama", Meaning.CATEGORY),
        ("status_perkawinan", Meaning.CATEGORY),
        ("street_number", Meaning.CATEGORY),
        ("rec_id", Meaning.ROW_ID),
        ("No", Meaning.ROW_ID),
        ("person_id", Meaning.ROW_ID),
        ("entity_id", Meaning.TRUTH),
        ("ground_truth", Meaning.TRUTH),
        ("cluster_id", Meaning.TRUTH),
        ("xyzzy", Meaning.UNKNOWN),
    ],
)
def test_what_a_name_promises(name, role):
    assert promised(folded(name)) is role


@pytest.mark.parametrize(
    ("name", "values", "role", "kind"),
    [
        ("nama", NAMES, Meaning.FULL_NAME, Kind.PERSON_NAME),
        ("middle", ["a", "j", "m", "t", "s", "k"], Meaning.MIDDLE_NAME, Kind.TEXT),
        ("middle_name", GIVEN, Meaning.MIDDLE_NAME, Kind.PERSON_NAME),
        ("dob", DATES, Meaning.BIRTH_DATE, Kind.DATE),
        ("nik", NIKS, Meaning.NIK, Kind.NIK),
        ("kota", PLACES, Meaning.PLACE, Kind.PLACE),
        ("jk", ["L", "P", "L", "P", "L", "P"], Meaning.SEX, Kind.SEX),
        # A name that the contents do not keep:
        ("dob", GIVEN, Meaning.UNKNOWN, None),
        ("nama", NIKS, Meaning.NIK, Kind.NIK),
        ("kota", ["3171", "3273", "3374", "3171", "3273", "3171"], Meaning.CATEGORY, Kind.CODE),
        ("country", ["ZZ1", "ZZ2", "ZZ1", "ZZ1", "ZZ2", "ZZ1"], Meaning.CATEGORY, Kind.TEXT),
        ("country", ["IDN", "MYS", "IDN", "JPN", "IDN"], Meaning.NATIONALITY, Kind.NATIONALITY),
        # Nobody knows the name, the contents tell:
        ("kolom_7", DATES, Meaning.OTHER_DATE, Kind.DATE),
        ("x", ["a@b.id", "c@d.id", "e@f.go.id"], Meaning.EMAIL, Kind.EMAIL),
        ("x", ["081234567890", "+62 812-3456-7891", "085712345678"], Meaning.PHONE, Kind.PHONE),
        ("x", ["Medan, 17-08-1975", "Solo, 01-02-1980"], Meaning.PLACE_AND_DATE, None),
        ("x", ["Jl. Mawar 3", "Jl. Melati 14 RT 2", "Gg. Kenari 7"], Meaning.ADDRESS, Kind.ADDRESS),
        ("x", NAMES, Meaning.FULL_NAME, Kind.PERSON_NAME),
        ("x", ["male", "female", "male"], Meaning.SEX, Kind.SEX),
        # Nothing to go by:
        ("x", CODES, Meaning.UNKNOWN, None),
        ("nama", ["", "", ""], Meaning.FULL_NAME, None),
        ("agama", ["Islam"] * 6, Meaning.CATEGORY, None),
        ("entity_id", CODES, Meaning.TRUTH, None),
        ("id", NIKS, Meaning.ROW_ID, None),
    ],
)
def test_what_a_column_is_used_as(name, values, role, kind):
    found = recognise(column(name, values))
    assert (found.role, found.kind) == (role, kind)


def test_what_the_user_says_overrules_the_guess():
    told = recognise(column("id", CODES), Kind.CODE)
    assert (told.role, told.kind) == (Meaning.IDENTITY, Kind.CODE)


def test_reasons_name_columns_and_never_a_value():
    for values in (NAMES, DATES, NIKS, CODES, PLACES):
        found = recognise(column("x", values))
        for text in (found.said.id_text, found.said.en_text, repr(found.column)):
            assert not any(value in text for value in values)


def test_the_chance_of_equality_is_over_pairs_of_different_rows():
    assert chance_equal(pa.array(["a", "a", "b", "c"])) == pytest.approx(2 / 12)
    assert chance_equal(pa.array(["a"])) == 0
    assert chance_equal(pa.array([], pa.string())) == 0
