"""An earlier result beside the present one: which rows changed, why, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_client.base.errors import BadInputError
from padan_client.records.lists import RequestList
from padan_client.results.changes import (
    Change,
    EarlierResult,
    RegistryFacts,
    causes,
    changed_rows,
    summarise,
)
from padan_client.results.table import NOBODY, AnsweredBy

OLD, DELTA, ANEW = (AnsweredBy(e * 16, r * 32) for e, r in ("11", "12", "33"))
TABLE = AnsweredBy("4" * 32, "5" * 32)
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


def facts(by, epoch=1, normaliser="id-2"):
    return RegistryFacts(by, NOW, epoch, normaliser)


def result(codes, by=OLD, notes=(), **more):
    """A result with these codes; "" was not found, None is in quarantine."""
    asked = [code is not None for code in codes]
    outcomes = {None: "karantina", "": "tidak_ditemukan"}
    return pa.table(
        {
            "row": pa.array(range(1, len(codes) + 1)),
            "id": [f"C{i}" for i in range(len(codes))],
            "hasil": [outcomes.get(code, "ditemukan") for code in codes],
            "kode": pa.array([code or "" for code in codes], pa.string()),
            "keterangan": ["kata" if code else "" for code in codes],
            "alasan": ["" if code is not None else "no_pass" for code in codes],
            "penjelasan": [""] * len(codes),
            **more,
            "edisi": [by.edition if a else "" for a in asked],
            "registri": [by.registry if a else "" for a in asked],
            "sidik": [f"{chr(97 + i) * 16}" for i in range(len(codes))],
            "catatan": list(notes) or [""] * len(codes),
        }
    )


def requested(digests, notes=None):
    count = len(digests)
    return RequestList(
        ids=pa.array([""] * count),
        rows=pa.array(range(1, count + 1)),
        usable=np.arange(count),
        records={},
        quarantine=pa.table({}),
        notes=None if notes is None else pa.array(notes),
        digests=pa.array(digests),
    )


CODE = st.sampled_from(["ASN_AKTIF", "ASN_PENSIUN", "", None])


@given(st.lists(st.tuples(CODE, CODE), min_size=1, max_size=20))
def test_a_row_is_listed_if_its_answer_is_another_and_only_then(pairs):
    before, now = (result([pair[i] for pair in pairs], by) for i, by in enumerate((OLD, DELTA)))
    changed = changed_rows(EarlierResult.of(before), now, {DELTA.registry: facts(DELTA)})
    expected = [i for i, (one, other) in enumerate(pairs, 1) if one != other]
    assert changed["row"].to_pylist() == expected
    assert changed["kode_dahulu"].to_pylist() == [pairs[i - 1][0] or "" for i in expected]
    assert changed["kode"].to_pylist() == [pairs[i - 1][1] or "" for i in expected]
    assert sum(change.rows for change in summarise(changed)) == len(expected)


def test_a_changed_row_says_what_since_when_and_why_and_keeps_its_note():
    before = result(["A", "B", "C"])
    now = result(["A", "", "C"], DELTA, ["", "keberatan", ""])
    changed = changed_rows(EarlierResult.of(before), now, {DELTA.registry: facts(DELTA)})
    (row,) = changed.to_pylist()
    assert (row["id"], row["kode_dahulu"], row["kode"]) == ("C1", "B", "")
    assert (row["hasil_dahulu"], row["hasil"]) == ("ditemukan", "tidak_ditemukan")
    assert (row["edisi_dahulu"], row["edisi"]) == (OLD.edition, DELTA.edition)
    assert (row["sejak"], row["sebab"]) == ("2026-11-20T03:00:00Z", "delta")
    assert row["catatan"] == "keberatan"
    assert summarise(changed) == [Change("B", "tidak_ditemukan", "delta", 1)]


@pytest.mark.parametrize(
    ("column", "counts"),
    [("periksa_nik", 1), ("jawaban_jkn", 1), ("jalur", 0), ("per_tanggal", 0)],
)
def test_fields_and_further_codes_are_answers_and_how_they_came_is_not(column, counts):
    before, now = (result(["A", "B"], **{column: ["x", y]}) for y in "xy")
    assert changed_rows(EarlierResult.of(before), now, {}).num_rows == counts


def test_the_earlier_result_may_be_sorted_otherwise():
    before = result(["A", "B", "C"]).take([2, 0, 1])
    assert changed_rows(EarlierResult.of(before), result(["A", "B", "D"]), {})[
        "row"
    ].to_pylist() == [3]


@pytest.mark.parametrize(
    ("before", "now", "known", "found"),
    [
        (OLD, OLD, {}, ()),
        (OLD, DELTA, {}, ("delta",)),
        (OLD, ANEW, {OLD.registry: facts(OLD), ANEW.registry: facts(ANEW)}, ("terbit_ulang",)),
        (
            OLD,
            ANEW,
            {OLD.registry: facts(OLD), ANEW.registry: facts(ANEW, 2, "id-3")},
            ("terbit_ulang", "epok", "penormal"),
        ),
        (OLD, ANEW, {OLD.registry: None}, ("terbit_ulang", "perjanjian")),
        (TABLE, ANEW, {}, ("cara",)),
        (NOBODY, ANEW, {}, ()),
    ],
)
def test_the_cause_is_said_as_far_as_it_is_known(before, now, known, found):
    assert causes(before, now, known) == found


@pytest.mark.parametrize("gone", ["edisi", "registri", "sidik", "kode", "row"])
def test_a_file_that_names_no_edition_is_no_result(gone):
    with pytest.raises(BadInputError, match=gone):
        EarlierResult.of(result(["A"]).drop_columns([gone]))


@pytest.mark.parametrize(("rows", "named"), [([0, 2], "2"), ([0, 1, 1], "3"), ([0, 0], "2")])
def test_a_result_with_rows_missing_or_twice_is_refused(rows, named):
    with pytest.raises(BadInputError, match=f"baris .*{named}"):
        EarlierResult.of(result(["A", "B", "C"]).take(rows))


def test_the_mode_is_that_of_the_result():
    assert EarlierResult.of(result(["A"])).mode == "unit"
    assert EarlierResult.of(result(["A"], TABLE, cara=["direct:nik"])).mode == "direct"
    assert EarlierResult.of(result(["A"], cara=["unit:nik"])).mode == "auto"
    both = pa.concat_tables([result([""], TABLE, cara=[""]), result([""], OLD, cara=[""])])
    assert EarlierResult.of(both.set_column(0, "row", pa.array([1, 2]))).mode == "auto"


def test_another_list_is_refused_and_a_changed_row_named():
    earlier = EarlierResult.of(result(["A", "B", "C"]))
    a, b, c = ("a" * 16, "b" * 16, "c" * 16)
    with pytest.raises(BadInputError, match="2 baris, dahulu 3"):
        earlier.take_up(requested([a, b]))
    with pytest.raises(BadInputError, match="Baris 2: isi daftar lain"):
        earlier.take_up(requested([a, "x" * 16, c]))
    with pytest.raises(BadInputError, match="tidak satu baris pun"):
        earlier.take_up(requested([b, c, a]))
    assert earlier.take_up(requested([a, b, c])).notes.to_pylist() == ["", "", ""]


def test_notes_go_on_and_two_notes_on_a_row_stop_it():
    earlier = EarlierResult.of(result(["A", "B"], notes=["keberatan", ""]))
    digests = ["a" * 16, "b" * 16]
    carried = earlier.take_up(requested(digests, ["", "baru"]))
    assert carried.notes.to_pylist() == ["keberatan", "baru"]
    with pytest.raises(BadInputError, match="Baris 1"):
        earlier.take_up(requested(digests, ["lain", ""]))
