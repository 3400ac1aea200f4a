import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.normalise import (
    derive,
    exact_values,
    normalise,
    sound_values,
)
from padan_linkage.schema import DERIVATIONS, Kind, Pass, Schema, SchemaField


@pytest.mark.parametrize(
    ("kind", "derivation", "written", "expected"),
    [
        (Kind.PERSON_NAME, "sorted", "Santoso Budi Agus", "agus budi santoso"),
        (Kind.PERSON_NAME, "first", "M. Rizky Pratama", "muhammad"),
        (Kind.PERSON_NAME, "last", "M. Rizky Pratama", "pratama"),
        (Kind.COMPANY_NAME, "sorted", "PT Sinar Abadi", "abadi sinar"),
        (Kind.COMPANY_NAME, "last", "CV Sinar Abadi", "abadi"),
        (Kind.DATE, "year", "23-11-1980", "1980"),
        (Kind.DATE, "month", "23-11-1980", "11"),
        (Kind.DATE, "day", "23-11-1980", "23"),
        (Kind.DATE, "year_month", "23-11-1980", "1980-11"),
        (Kind.NIK, "district", "3171015708450001", "317101"),
        (Kind.NIK, "birth_date", "3171015708450001", "1945-08-17"),
        (Kind.NIK, "birth_date", "3171010101050001", "2005-01-01"),
        (Kind.NIP, "birth_date", "198011232005011003", "1980-11-23"),
        (Kind.CODE, "prefix3", "12345", "123"),
        (Kind.CODE, "prefix4", "12", "12"),
    ],
)
def test_derived_keys(key, kind, derivation, written, expected):
    assert key(kind, derivation, written) == expected


def test_day_and_month_exchanged_give_one_unordered_key(key):
    assert key(Kind.DATE, "unordered", "03-07-1980") == key(Kind.DATE, "unordered", "07-03-1980")
    assert key(Kind.DATE, "unordered", "03-07-1980") != key(Kind.DATE, "unordered", "03-08-1980")


@pytest.mark.parametrize("derivation", ["phonetic_first", "initials"])
def test_a_muhammad_more_or_less_changes_no_short_key(key, derivation):
    with_prophet = key(Kind.PERSON_NAME, derivation, "M. Rizky Pratama")
    assert with_prophet == key(Kind.PERSON_NAME, derivation, "Rizky Pratama")
    assert with_prophet != key(Kind.PERSON_NAME, derivation, "Agus Saputra")


def test_initials_do_not_mind_order_or_spelling(key):
    one = key(Kind.PERSON_NAME, "initials", "Chairul Anwar")
    assert one == key(Kind.PERSON_NAME, "initials", "Anwar Khoirul")


@pytest.mark.parametrize(
    ("derivation", "one", "other"),
    [
        ("joined", "Nur Hasan", "Nurhasan"),
        ("joined", "Cahya Aditya", "Cahyaaditya"),
        ("joined", "Muhammad Hafiz", "Muhammadhafiz"),
        ("letters", "Sri Wahyuni", "Wahyunisri"),
        ("telling", "M. Rizky Pratama", "Pratama Rizqi"),
        ("ends", "Rizky Putra Pratama", "Pratama Rizqi"),
        ("longest", "Rizky Eko Pratama", "Pratama Rizqi"),
        ("consonants", "Setiawan Budi", "Budo Setiowan"),
        ("first2", "Rizky Pratama", "M. Risma Wati"),
        ("ends2", "Rizky Pratama", "Pranowo Eko Rina"),
    ],
)
def test_keys_agree_in_spite_of_what_they_forgive(key, derivation, one, other):
    assert key(Kind.PERSON_NAME, derivation, one) == key(Kind.PERSON_NAME, derivation, other)


@pytest.mark.parametrize(
    ("derivation", "one", "other"),
    [
        ("joined", "Nur Hasan", "Hasan Nur"),
        ("letters", "Nur Hasan", "Nur Hasanah"),
        ("telling", "Rizky Pratama", "Rizky Adi Pratama"),
        ("ends", "Rizky Pratama", "Rizky Saputra"),
        ("longest", "Rizky Pratama", "Rizky Wicaksono"),
        ("consonants", "Budi", "Badri"),
    ],
)
def test_keys_tell_other_names(key, derivation, one, other):
    assert key(Kind.PERSON_NAME, derivation, one) != key(Kind.PERSON_NAME, derivation, other)


def test_a_name_of_weak_tokens_only_still_has_its_keys(key):
    assert key(Kind.PERSON_NAME, "phonetic_first", "Muhammad") != ""
    assert key(Kind.PERSON_NAME, "initials", "Siti") != ""


def test_an_unknown_derivation_is_refused():
    with pytest.raises(KeyError, match="phonetic"):
        derive(Kind.NIK, "phonetic", pa.array(["3171015708450001"]))


def test_exact_values_follow_the_pass():
    schema = Schema(
        fields=(
            SchemaField(name="nama", kind=Kind.PERSON_NAME),
            SchemaField(name="lahir", kind=Kind.DATE),
        ),
        passes=(Pass(id="p", exact=("lahir:year", "nama", "nama:phonetic_last")),),
    )
    records = {"nama": pa.array(["budi santoso", ""]), "lahir": pa.array(["1980-11-23", ""])}
    year, name, last = exact_values(schema, schema.passes[0], records)
    assert year.to_pylist() == ["1980", ""]
    assert name.to_pylist() == ["budi santoso", ""]
    assert last.to_pylist() == ["santusu", ""]


WORDS = st.text(
    alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "Z", "S"]), max_size=40
)
REALISTIC = st.sampled_from([
    "Drs. H. M. Yusuf, S.H.", "hh", "S.H.", "Ch", "PT", "11 22", "h", "1980-11-23",
    "3171011708450001",
    "198011232005011003", "0812 3456 7890", "L", "WNI", "A1234567", "chh", "xx", "jl 5", "oe", "dj",
])  # fmt: skip


@pytest.mark.parametrize("kind", list(Kind))
@settings(max_examples=30)
@given(values=st.lists(WORDS | REALISTIC | st.none(), max_size=8))
def test_any_text_is_normalised_row_by_row(kind, values):
    result = normalise(kind, pa.array(values, pa.string()))
    forms = result.values.to_pylist()
    assert len(forms) == len(values)
    assert result.values.null_count == 0
    assert all(f.isascii() and f == f.strip() for f in forms)
    sound = sound_values(result.values).to_pylist()
    assert all(sound[p.row] == "" for p in result.problems)
    assert [p.row for p in result.problems] == sorted({p.row for p in result.problems})
    alone = [normalise(kind, pa.array([v], pa.string())).values[0].as_py() for v in values]
    assert forms == alone
    for derivation in DERIVATIONS.get(kind, ()):
        keys = derive(kind, derivation, result.values).to_pylist()
        given = forms if derivation == "area" else sound
        dateless = [kind is Kind.NIP and 0 < len(f) < 18 for f in given]  # old or cut off
        assert [bool(k) or d for k, d in zip(keys, dateless, strict=True)] == [*map(bool, given)]


def test_numbers_that_are_no_strings_are_a_programming_error():
    with pytest.raises(TypeError, match="strings expected"):
        normalise(Kind.NIK, pa.array([3171011708450001]))


def test_nothing_of_a_value_is_in_a_repr():
    result = normalise(Kind.PERSON_NAME, pa.array(["Rahasia Sekali", "王"]))
    assert "rahasia" not in repr(result).lower()
