"""The table that an officer reads."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from padan_client.base.errors import BadInputError
from padan_client.records.lists import RequestList, table_of
from padan_client.records.preparing import QUARANTINE_SCHEMA
from padan_client.results.controls import Controls
from padan_client.results.table import ConfirmResult, count_codes, count_reasons, result_table
from padan_client.results.wording import outcome_texts, reason_texts
from padan_linkage.agreement import Code, example, load_agreement
from padan_linkage.answering.answers import RecordAnswers
from padan_linkage.answering.outcomes import (
    FIELDS_MISSING,
    MATCHED,
    NOT_MATCHED,
    OUTCOME_WORDS,
    REASON_WORDS,
    UNDECIDED,
)

FLOW = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
AID = load_agreement(example("kemenkopmk-kemnaker-2023")).flow("balikan-bnba")


def set_aside(positions):
    """The quarantine of rows that lack everything, and of the first row a value that is ignored."""
    entries = [(1, "nik", "too_short", "diabaikan", "Bukan NIK: angkanya kurang.")]
    for p in positions:
        entries.append((p + 1, "", "no_pass", "ditolak", "Baris tidak dapat dipadankan."))
        entries.append((p + 1, "nama", "not_digits", "diabaikan", "Bukan nama."))
    return pa.Table.from_pylist(
        [
            dict(zip(QUARANTINE_SCHEMA.names, (row, "x", *rest), strict=True))
            for row, *rest in entries
        ],
        schema=QUARANTINE_SCHEMA,
    ).sort_by([("row", "ascending"), ("field", "ascending")])


def made(flow, outcomes, codes, total=None, usable=None, checks=None):
    count, total = len(outcomes), total or len(outcomes)
    answers = replace(
        RecordAnswers.none(count),
        outcome=np.array(outcomes, np.uint8),
        reason=np.array([FIELDS_MISSING * (o == UNDECIDED) for o in outcomes], np.uint8),
        code=np.array(codes, np.uint64),
        answered_by=np.zeros(count, np.int64),
        checks=np.zeros((count, 0), np.uint8) if checks is None else np.array(checks, np.uint8),
    )
    requested = RequestList(
        ids=pa.array([f"i{i}" for i in range(total)]),
        rows=pa.array(range(1, total + 1)),
        usable=np.arange(count) if usable is None else np.array(usable),
        records={},
        quarantine=set_aside(sorted(set(range(total)) - set(usable or range(count)))),
    )
    return result_table(flow, ["nik"], requested, answers)


def test_codes_are_worded_as_the_agreement_words_them():
    table = made(FLOW, [2, 1, 2, 3, 4], [4, 0, 1, 0, 0], total=7, usable=[0, 1, 3, 5, 6])
    assert table.column_names == [
        *(
            "row",
            "id",
            "hasil",
            "kode",
            "keterangan",
            "alasan",
            "penjelasan",
            "jalur",
            "edisi",
            "registri",
            "catatan",
        )
    ]
    codes = ["ASN_PENSIUN", "TIDAK_DITEMUKAN", "", "ASN_AKTIF", "", "", ""]
    undecided = "belum_dapat_dipastikan"
    assert table["kode"].to_pylist() == codes
    assert table["keterangan"].to_pylist()[:2] == [
        "tercatat sebagai ASN pensiun",
        "tidak ditemukan",
    ]
    assert table["hasil"].to_pylist() == [
        "ditemukan",
        "tidak_ditemukan",
        undecided,
        "ditemukan",
        undecided,
        "ganda",
        undecided,
    ]
    assert table["jalur"].to_pylist() == ["nik", "", "", "nik", "", "", ""]
    assert count_codes(FLOW, table) == {
        "ASN_AKTIF": 1,
        "ASN_TIDAK_AKTIF": 0,
        "ASN_PENSIUN": 1,
        "TIDAK_DITEMUKAN": 1,
        "ganda": 1,
        undecided: 3,
    }


def test_a_row_that_no_pass_is_for_is_undecided_and_says_what_it_lacks():
    table = made(FLOW, [2, 1, 2, 3], [4, 0, 1, 0], total=6, usable=[0, 1, 3, 5])
    assert table["hasil"].to_pylist()[2::2] == ["belum_dapat_dipastikan"] * 2
    assert table["alasan"].to_pylist() == ["", "", "ruas_kurang", "", "ruas_kurang", ""]
    assert set(table["edisi"].to_pylist()) == {""}
    why = "Baris tidak dapat dipadankan. nama: Bukan nama."
    assert table["penjelasan"].to_pylist() == ["", "", why, "", why, ""]


def test_an_undecided_row_says_why_and_is_counted_by_it():
    table = made(FLOW, [2, 4, 1, 4], [4, 0, 0, 0], total=5, usable=[0, 1, 3, 4])
    lacking = "ruas_kurang"
    assert table["alasan"].to_pylist() == ["", lacking, lacking, "", lacking]
    why = reason_texts()[lacking]
    assert [text == why for text in table["penjelasan"].to_pylist()] == [0, 1, 0, 0, 1]
    assert count_reasons(table) == {lacking: 3}


def test_an_empty_row_is_set_aside():
    empty = ("empty_row", "ditolak", "Baris kosong.")
    entry = dict(zip(QUARANTINE_SCHEMA.names, (2, "", "", *empty), strict=True))
    requested = RequestList(
        ids=pa.array(["a", ""]),
        rows=pa.array([1, 2]),
        usable=np.array([0]),
        records={},
        quarantine=pa.Table.from_pylist([entry], schema=QUARANTINE_SCHEMA),
    )
    answers = replace(RecordAnswers.none(1), checks=np.zeros((1, 0), np.uint8))
    table = result_table(FLOW, ["nik"], requested, answers)
    assert table["hasil"].to_pylist() == ["tidak_ditemukan", "karantina"]
    assert table["alasan"].to_pylist() == ["", "empty_row"]


def test_usable_rows_are_those_of_the_list_alone():
    table = made(FLOW, [2, 1], [1, 0], total=3, usable=[1, 2])
    result = ConfirmResult(table, set_aside([0]), count_codes(FLOW, table))
    assert result.usable == 2
    controls = Controls(pa.table({}), ("ASN_AKTIF", "TIDAK_DITEMUKAN"))
    assert controls.reaped(FLOW, result).usable == 0


@pytest.mark.parametrize(("outcome", "name"), [(3, "ambiguous"), (4, "undecided")])
def test_an_outcome_has_the_agreements_code_if_it_has_one(outcome, name):
    code = Code(code="LEBIH_DARI_SATU", text="lebih dari satu", gloss="more than one")
    flow = replace(FLOW, **{name: code})
    table = made(flow, [outcome], [0])
    assert table["kode"].to_pylist() == ["LEBIH_DARI_SATU"]
    assert count_codes(flow, table)["LEBIH_DARI_SATU"] == 1


def test_every_outcome_and_reason_has_a_sentence():
    named = {OUTCOME_WORDS[outcome] for outcome in (MATCHED, NOT_MATCHED)}
    assert set(outcome_texts()) == {*OUTCOME_WORDS} - named
    assert set(reason_texts()) == {*REASON_WORDS}
    assert all(outcome_texts().values())
    assert all(text for word, text in reason_texts().items() if word)


def test_several_codes_are_joined_and_counted_each():
    table = made(AID, [2, 2, 1], [0b101, 0b100, 0])
    first = [AID.codes[0].code, AID.codes[2].code]
    assert table["kode"].to_pylist()[0] == "; ".join(first)
    counts = count_codes(AID, table)
    assert (counts[first[0]], counts[first[1]]) == (1, 2)


def test_codes_of_another_group_have_a_column_of_their_own():
    size = Code(code="BESAR", text="100 pekerja atau lebih", gloss="100 or more", group="ukuran")
    flow = replace(FLOW, codes=(*FLOW.codes, size))
    table = made(flow, [2, 2, 1], [0b1001, 0b0001, 0])
    assert table["kode"].to_pylist() == ["ASN_AKTIF", "ASN_AKTIF", "TIDAK_DITEMUKAN"]
    assert table["jawaban_ukuran"].to_pylist() == ["BESAR", "", ""]
    assert "BESAR" not in count_codes(flow, table)


def test_checks_are_worded():
    flow = replace(FLOW, confirm=("nik", "nama"))
    table = made(flow, [2, 2, 1], [1, 1, 0], checks=[[1, 2], [3, 0], [0, 0]])
    assert table["periksa_nik"].to_pylist() == ["SESUAI", "KOSONG", "TIDAK DIPERIKSA"]
    assert table["periksa_nama"].to_pylist() == ["BERBEDA", "TIDAK DIPERIKSA", "TIDAK DIPERIKSA"]


def test_a_result_shows_no_record():
    table = made(FLOW, [2], [1])
    assert repr(ConfirmResult(table, table, {})) == "ConfirmResult(rows=1, quarantined=1)"


def test_records_may_be_mappings_of_texts_dates_and_numbers():
    table = table_of(
        [{"nik": 3174010101800001, "tanggal_lahir": dt.date(1980, 1, 1)}, {"nama": "SITI"}]
    )
    assert table.to_pylist() == [
        {"nik": "3174010101800001", "tanggal_lahir": "1980-01-01", "nama": ""},
        {"nik": "", "tanggal_lahir": "", "nama": "SITI"},
    ]


@pytest.mark.parametrize("value", [3.17e15, True, b"3174", ["SITI"]])
def test_other_types_are_refused_by_name_without_the_value(value):
    with pytest.raises(BadInputError, match=r"Rekaman 1, ruas nik") as caught:
        table_of([{"nik": value}])
    assert "317" not in str(caught.value)
