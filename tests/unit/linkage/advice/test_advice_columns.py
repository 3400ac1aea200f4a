"""Which column is what: names in two languages, kept or broken by the contents."""

from __future__ import annotations

import pyarrow as pa
import pytest

from padan_linkage.advice.columns import Column, chance_equal, folded
from padan_linkage.advice.recognise import recognise
from padan_linkage.advice.vocabulary import Role, promised
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
    return Column.of(pa.table({name: pa.array(values, pa.string())}), name)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("nama", Role.FULL_NAME),
        ("NAMA LENGKAP", Role.FULL_NAME),
        ("NamaLengkap", Role.FULL_NAME),
        ("nama_depan", Role.GIVEN_NAME),
        ("First Name", Role.GIVEN_NAME),
        ("family_name", Role.SURNAME),
        ("middle", Role.MIDDLE_NAME),
        ("nama_ibu_kandung", Role.RELATIVE),
        ("nama_perusahaan", Role.COMPANY),
        ("tgl_lahir", Role.BIRTH_DATE),
        ("Tanggal Lahir", Role.BIRTH_DATE),
        ("tglLahir", Role.BIRTH_DATE),
        ("dob", Role.BIRTH_DATE),
        ("tempat_tanggal_lahir", Role.PLACE_AND_DATE),
        ("TTL", Role.PLACE_AND_DATE),
        ("tempat_lahir", Role.BIRTHPLACE),
        ("yob", Role.BIRTH_YEAR),
        ("bulan_lahir", Role.BIRTH_MONTH),
        ("dayob", Role.BIRTH_DAY),
        ("tmt_cpns", Role.OTHER_DATE),
        ("nik", Role.NIK),
        ("NO. KTP", Role.NIK),
        ("no_kk", Role.KK),
        ("ssn", Role.IDENTITY),
        ("soc_sec_id", Role.IDENTITY),
        ("no_paspor", Role.PASSPORT),
        ("nama_kab_kota", Role.PLACE),
        ("kecamatan", Role.PLACE),
        ("suburb", Role.PLACE),
        ("kode_pos", Role.POSTCODE),
        ("zipcode", Role.POSTCODE),
        ("alamat_rumah", Role.ADDRESS),
        ("address_1", Role.ADDRESS),
        ("no_hp", Role.PHONE),
        ("email", Role.EMAIL),
        ("jenis_kelamin", Role.SEX),
        ("JK", Role.SEX),
        ("kewarganegaraan", Role.NATIONALITY),
        ("agama", Role.CATEGORY),
        ("status_perkawinan", Role.CATEGORY),
        ("street_number", Role.CATEGORY),
        ("rec_id", Role.ROW_ID),
        ("No", Role.ROW_ID),
        ("person_id", Role.ROW_ID),
        ("entity_id", Role.TRUTH),
        ("ground_truth", Role.TRUTH),
        ("cluster_id", Role.TRUTH),
        ("xyzzy", Role.UNKNOWN),
    ],
)
def test_what_a_name_promises(name, role):
    assert promised(folded(name)) is role


@pytest.mark.parametrize(
    ("name", "values", "role", "kind"),
    [
        ("nama", NAMES, Role.FULL_NAME, Kind.PERSON_NAME),
        ("middle", ["a", "j", "m", "t", "s", "k"], Role.MIDDLE_NAME, Kind.TEXT),
        ("middle_name", GIVEN, Role.MIDDLE_NAME, Kind.PERSON_NAME),
        ("dob", DATES, Role.BIRTH_DATE, Kind.DATE),
        ("nik", NIKS, Role.NIK, Kind.NIK),
        ("kota", PLACES, Role.PLACE, Kind.PLACE),
        ("jk", ["L", "P", "L", "P", "L", "P"], Role.SEX, Kind.SEX),
        # A name that the contents do not keep:
        ("dob", GIVEN, Role.UNKNOWN, None),
        ("nama", NIKS, Role.NIK, Kind.NIK),
        ("kota", ["3171", "3273", "3374", "3171", "3273", "3171"], Role.CATEGORY, Kind.CODE),
        ("country", ["ZZ1", "ZZ2", "ZZ1", "ZZ1", "ZZ2", "ZZ1"], Role.CATEGORY, Kind.TEXT),
        ("country", ["IDN", "MYS", "IDN", "JPN", "IDN"], Role.NATIONALITY, Kind.NATIONALITY),
        # Nobody knows the name, the contents tell:
        ("kolom_7", DATES, Role.OTHER_DATE, Kind.DATE),
        ("x", ["a@b.id", "c@d.id", "e@f.go.id"], Role.EMAIL, Kind.EMAIL),
        ("x", ["081234567890", "+62 812-3456-7891", "085712345678"], Role.PHONE, Kind.PHONE),
        ("x", ["Medan, 17-08-1975", "Solo, 01-02-1980"], Role.PLACE_AND_DATE, None),
        ("x", ["Jl. Mawar 3", "Jl. Melati 14 RT 2", "Gg. Kenari 7"], Role.ADDRESS, Kind.ADDRESS),
        ("x", NAMES, Role.FULL_NAME, Kind.PERSON_NAME),
        ("x", ["male", "female", "male"], Role.SEX, Kind.SEX),
        # Nothing to go by:
        ("x", CODES, Role.UNKNOWN, None),
        ("nama", ["", "", ""], Role.FULL_NAME, None),
        ("agama", ["Islam"] * 6, Role.CATEGORY, None),
        ("entity_id", CODES, Role.TRUTH, None),
        ("id", NIKS, Role.ROW_ID, None),
    ],
)
def test_what_a_column_is_used_as(name, values, role, kind):
    found = recognise(column(name, values))
    assert (found.role, found.kind) == (role, kind)


def test_what_the_user_says_overrules_the_guess():
    told = recognise(column("id", CODES), Kind.CODE)
    assert (told.role, told.kind) == (Role.IDENTITY, Kind.CODE)


def test_reasons_name_columns_and_never_a_value():
    for values in (NAMES, DATES, NIKS, CODES, PLACES):
        found = recognise(column("x", values))
        for text in (found.said.id_text, found.said.en_text, repr(found.column)):
            assert not any(value in text for value in values)


def test_the_chance_of_equality_is_over_pairs_of_different_rows():
    assert chance_equal(pa.array(["a", "a", "b", "c"])) == pytest.approx(2 / 12)
    assert chance_equal(pa.array(["a"])) == 0
    assert chance_equal(pa.array([], pa.string())) == 0
