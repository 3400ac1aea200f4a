import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.id import nik as stdnum_nik

from padan_linkage.normalise import exact_values, normalise, similar_values
from padan_linkage.schema import Kind, Schema

GOOD_NIK = "3171011708450001"


@pytest.mark.parametrize(
    "written",
    [
        GOOD_NIK,
        f" {GOOD_NIK} ",
        f"'{GOOD_NIK}",
        "317101 170845 0001",
        "3171.0117.0845.0001",
        f"{GOOD_NIK}.0",
        "３１７１０１１７０８４５０００１",
        f'="{GOOD_NIK}"',
        "317101170845OOO1",  # O for 0
        "3l71011708450001",  # l for 1
        "3.171011708450001E+15",  # all sixteen digits
    ],
)
def test_one_nik_however_it_is_written(form, written):
    assert form(Kind.NIK, written) == GOOD_NIK


@pytest.mark.parametrize("nothing", [None, "", " ", "-", "0", "NULL", "n/a", "#N/A", "Tidak Ada"])
def test_a_mark_for_nothing_is_missing_and_no_problem(form, nothing):
    assert form(Kind.NIK, nothing) == ""


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("317101170845000", "too_short"),
        ("31710117084500012", "too_long"),
        ("31710117X8450001", "not_digits"),
        ("3.2E+15", "spreadsheet"),
        ("3,17101170845E+15", "spreadsheet"),
        ("3171011708450000", "spreadsheet"),  # the serial number eaten by rounding
        ("1111111111111111", "filler"),
        ("0000000000000000", "filler"),
        ("1234567890123456", "filler"),
        ("9876543210987654", "filler"),
        ("9971011708450001", "unknown_province"),
        ("3171013002900001", "impossible_date"),
        ("3171010013900001", "impossible_date"),
        ("3171018108450001", "impossible_date"),  # day 81: a woman's days are 41-71
        ("3171012902010001", "impossible_date"),  # 29 February of 1901 or 2001
        ("317101170845\x00001", "control_characters"),
        ("3" * 2000, "oversized"),
    ],
)
def test_a_bad_nik_is_missing_with_its_reason(form, written, reason):
    assert form(Kind.NIK, written) == reason


@pytest.mark.parametrize(
    "nik",
    [
        "3171015708450001",  # a woman: day 17 + 40
        "3171012902000001",  # 29 February 2000
        "9671012902000001",  # Papua Barat Daya, founded in 2022
        "6501010101800001",  # Kalimantan Utara, founded in 2012
        "5401010101700001",  # born in East Timor
    ],
)
def test_good_niks_that_a_stricter_check_would_lose(form, nik):
    assert form(Kind.NIK, nik) == nik


def test_why_the_library_is_not_used_for_nik():
    assert stdnum_nik.is_valid("3171018108450001")
    assert stdnum_nik.is_valid("1111111111111111")
    assert not stdnum_nik.is_valid("9671012902000001")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("01.312.166.0-091.000", "0013121660091000"),
        ("013121660091000", "0013121660091000"),
        ("0013121660091000", "0013121660091000"),
        ("13121660091000", "0013121660091000"),  # leading zero lost
        (GOOD_NIK, GOOD_NIK),  # a person's NPWP is the NIK
        ("01.312.167.0-091.000", "check_digit"),
        ("0013121660091000000000", "0013121660091000"),  # with the six digits of the seat
        ("0013121660091000000002", "partly_read"),  # with those of a branch
        ("00.000.000.0-000.000", "filler"),
        ("01.312.166", "too_short"),
        ("3171013002900001", "impossible_date"),
    ],
)
def test_npwp(form, written, expected):
    assert form(Kind.NPWP, written) == expected


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        (Kind.KK, "3171010203100005", "3171010203100005"),
        (Kind.KK, "3171010203100000", "spreadsheet"),
        (Kind.KK, "0071010203100005", "unknown_province"),
        (Kind.NIP, "19801123 200501 1 003", "198011232005011003"),
        (Kind.NIP, "198011232005211003", "198011232005211003"),  # contract staff
        (Kind.NIP, "198013232005011003", "impossible_date"),
        (Kind.NIP, "198011232005013003", "structure"),  # sex 3
        (Kind.NIP, "198011231975011003", "structure"),  # appointed before birth
        (Kind.NIP, "130 123 456", "130123456"),  # the old nine digits
        (Kind.NIP, "000123456", "filler"),
        (Kind.NIP, "13012345", "too_short"),
        (Kind.JKN_CARD, "0001234567890", "0001234567890"),
        (Kind.JKN_CARD, "1234567890", "0001234567890"),  # leading zeros lost
        (Kind.JKN_CARD, "12345", "too_short"),
        (Kind.NIB, "8120001234567", "8120001234567"),
        (Kind.NIB, "0220001234567", "0220001234567"),
        (Kind.KBLI, "62010", "62010"),
        (Kind.KBLI, "1111", "too_short"),  # a class of four digits, or 01111
        (Kind.KBLI, "00123", "structure"),
        (Kind.KBLI, "J62010", "62010"),
    ],
)
def test_other_numbers(form, kind, written, expected):
    assert form(kind, written) == expected


def test_rows_keep_their_places_in_slices_and_chunks():
    column = pa.chunked_array([["x", "y", GOOD_NIK], [None, "12", GOOD_NIK]]).slice(2)
    result = normalise(Kind.NIK, column)
    assert result.values.to_pylist() == [GOOD_NIK, "", "", GOOD_NIK]
    assert [(p.row, p.reason.value) for p in result.problems] == [(2, "too_short")]


@given(st.lists(st.text(alphabet="0123456789", min_size=16, max_size=16), max_size=20))
def test_a_column_is_checked_as_each_value_alone(values):
    together = normalise(Kind.NIK, pa.array(values, pa.string())).values.to_pylist()
    alone = [normalise(Kind.NIK, pa.array([v])).values[0].as_py() for v in values]
    assert together == alone


def test_every_real_birth_date_makes_a_good_nik():
    days = np.arange(np.datetime64("1930-01-01"), np.datetime64("2030-01-01"))
    texts = np.datetime_as_string(days).tolist()
    niks = [f"317101{d[8:]}{d[5:7]}{d[2:4]}0001" for d in texts]
    niks += [f"317101{int(d[8:]) + 40}{d[5:7]}{d[2:4]}0001" for d in texts]
    assert normalise(Kind.NIK, pa.array(niks)).problems == []


@pytest.mark.parametrize(
    ("damaged", "kept"),
    [
        ("317101170845000", True),  # a digit lost
        ("317101170845000123", True),  # two digits too many
        ("9971011708450001", True),  # mistyped province
        ("3171011708450000", True),  # rounded
        ("3171011708", False),  # too little left
        ("111111111111111", False),  # a filler of fifteen digits
        ("3171X1170845000", False),
        ("3.2E+15", False),
    ],
)
def test_a_damaged_nik_is_evidence_but_equals_nothing(damaged, kept):
    schema = Schema(
        fields=[{"name": "nik", "kind": "nik"}],
        passes=[{"id": "p", "exact": ["nik"]}, {"id": "q", "exact": ["nik:birth_date"]}],
    )
    normalised = normalise(Kind.NIK, pa.array([damaged, damaged, GOOD_NIK]))
    assert len(normalised.problems) == 2
    assert similar_values(normalised.values).to_pylist()[:2] == [damaged if kept else ""] * 2
    for p in schema.passes:
        (exact,) = exact_values(schema, p, {"nik": normalised.values})
        assert exact.to_pylist()[:2] == ["", ""]
        assert exact[2].as_py()
