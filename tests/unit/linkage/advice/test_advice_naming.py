"""What a column's name names, to the last word."""

import pytest

from padan_linkage.advice.naming import is_column_word, thing


@pytest.mark.parametrize(
    ("one", "other"),
    [("L/P", "Jenis Kelamin"), ("Kab./Kota", "kabupaten"), ("No HP", "telepon"),
     ("Nama Gadis Ibu", "nama_ibu_kandung"), ("Kel/Desa", "desa")],
)  # fmt: skip
def test_names_of_one_thing(one, other):
    assert thing(one) == thing(other) != ""


def test_names_of_several_things():
    names = ["nama", "nama_ibu", "nama_ayah", "kecamatan", "kabupaten", "nisn", "nim", "agama"]
    assert len({thing(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    "name", ["DAFTAR PENERIMA", "NIK Ibu", "Kabupaten Sleman", "", "Tahun 2026"]
)
def test_a_word_too_many_names_nothing(name):
    assert not thing(name)
    assert not is_column_word(name)
