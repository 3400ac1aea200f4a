"""Codes from days, numbers and logs, and what cannot be told."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from padan_client.base.errors import BadInputError
from padan_client.records.registry import prepare_registry
from padan_client.records.registry_codes import chosen_columns, latest_rows, row_codes
from padan_linkage.agreement import example, load_agreement
from padan_linkage.answering.payloads import Payloads, day_number, day_text

IMMIGRATION = load_agreement(example("bpjstk-imigrasi-2023"))
PASSPORTS, CROSSINGS = IMMIGRATION.flow("paspor"), IMMIGRATION.flow("perlintasan")
COMPANIES = load_agreement(example("kemnaker-bpjskes-2020")).flow("badan-usaha")
TODAY = date(2026, 11, 20)


def codes(flow, columns, as_of=TODAY):
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    masks, problems = row_codes(flow, table, chosen_columns(flow, table, None), as_of)
    return [[c.code for c in flow.codes_of(int(m))] for m in masks], problems


def test_a_passport_is_valid_until_its_last_day():
    days = ["2026-11-19", "2026-11-20", "21/11/2026", "20 November 2031"]
    given, problems = codes(PASSPORTS, {"tanggal_habis_berlaku": days})
    assert given == [["PASPOR_HABIS"], *[["PASPOR_BERLAKU"]] * 3]
    assert problems == {}
    later, _ = codes(PASSPORTS, {"tanggal_habis_berlaku": days}, date(2026, 11, 22))
    assert later[1:3] == [["PASPOR_HABIS"]] * 2


def test_a_day_that_cannot_be_read_is_not_guessed():
    given, problems = codes(PASSPORTS, {"tanggal_habis_berlaku": ["segera", "", None]})
    assert given == [[], [], []]
    assert {row: reason for row, (_, reason) in problems.items()} == {
        0: "unknown_status",
        1: "no_status",
        2: "no_status",
    }
    with pytest.raises(BadInputError, match="tanggal"):
        codes(PASSPORTS, {"tanggal_habis_berlaku": ["2026-11-19"]}, None)


def test_a_number_of_workers_has_its_band():
    numbers = ["0", "1", "4", "5", "19", "20", "99", "100", "123456", "banyak", "-3", "4,5", ""]
    given, problems = codes(
        COMPANIES, {"status_jkn": ["TERDAFTAR"] * len(numbers), "jumlah_pekerja": numbers}
    )
    bands = [c[1].removeprefix("PEKERJA_") if len(c) > 1 else "" for c in given]
    assert bands == ["", "1_4", "1_4", "5_19", "5_19", "20_99", "20_99", "100", "100", *[""] * 4]
    assert sorted(problems) == [9, 10, 11]


def test_a_status_column_may_be_written_otherwise_where_only_one_is():
    days = ["2026-11-19"]
    given, _ = codes(PASSPORTS, {"Tanggal Habis Berlaku": days})
    assert given == [["PASPOR_HABIS"]]
    with pytest.raises(BadInputError, match="tanggal_habis_berlaku"):
        codes(PASSPORTS, {"Tanggal Habis Berlaku": days, "TANGGAL-HABIS BERLAKU": days})


def crossings(*rows):
    names = ("id", "tanggal_perlintasan", "jenis_perlintasan")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def test_the_latest_crossing_counts():
    table = crossings(
        ("A", "2026-03-01 10:00", "MASUK"),
        ("B", "2025-01-01", "KELUAR"),
        ("A", "01/03/2026 9:30", "KELUAR"),
        ("A", "2025-12-31 23:59:59", "KELUAR"),
        ("B", "2025-01-02 00.10", "MASUK"),
    )
    latest = latest_rows(table, "id", "tanggal_perlintasan")
    assert latest.rows.tolist() == [0, 4]
    assert latest.table["jenis_perlintasan"].to_pylist() == ["MASUK", "MASUK"]
    assert not len(latest.unclear)


@pytest.mark.parametrize(
    ("times", "latest", "unclear"),
    [
        (("2026-03-01 10:00:00.5", "2026-03-01 10:00:00.25"), 0, False),
        (("2026-03-01 10:00:00+07", "2026-03-01 11:00:00+07"), 1, False),
        (("2026-03-01 10:00:00Z", "2026-03-01 11:00:00+07"), None, True),  # 10 is later
        (("03/01/2026 9:00 PM", "03/01/2026 10:00 AM"), None, True),  # American, perhaps
    ],
)
def test_no_part_of_a_time_falls_away_where_rows_are_ordered_by_it(times, latest, unclear):
    table = crossings(("A", times[0], "MASUK"), ("A", times[1], "KELUAR"))
    found = latest_rows(table, "id", "tanggal_perlintasan")
    assert (len(found.unclear) > 0) == unclear
    assert latest is None or found.rows.tolist() == [latest]


def test_a_latest_crossing_that_is_unclear_is_told():
    table = crossings(
        ("A", "2026-03-01", "MASUK"),
        ("A", "2026-03-01", "KELUAR"),
        ("B", "kemarin", "MASUK"),
        ("B", "2026-03-01", "KELUAR"),
        ("C", "kemarin", "MASUK"),
        ("D", "2026-03-01", "MASUK"),
        ("D", "2026-03-01", "MASUK"),
    )
    latest = latest_rows(table, "id", "tanggal_perlintasan")
    ids = latest.table["id"].to_pylist()
    assert ids == ["A", "B", "C", "D"]
    assert [ids[row] for row in latest.unclear] == ["A", "B"]


def test_a_log_is_published_once_a_person_with_the_rows_of_the_file_in_quarantine():
    table = pa.table(
        {
            "id": ["A", "B", "B", "A"],
            "paspor": ["X1234567", "X7654321", "X7654321", "X1234567"],
            "nama": ["Budi", "Siti", "Siti", "Budi"],
            "tanggal_perlintasan": ["2026-01-01", "2026-01-02", "2026-01-02", "2026-01-03"],
            "jenis_perlintasan": ["MASUK", "MASUK", "KELUAR", "KELUAR"],
        }
    )
    made = prepare_registry(
        CROSSINGS, CROSSINGS.schema, table, columns=None, id_column="id", status_columns=None
    )
    assert made.ids.to_pylist() == ["A"]
    assert CROSSINGS.codes_of(int(Payloads.unpack(made.payloads).codes[0]))[0].code == (
        "TERAKHIR_KELUAR"
    )
    refused = made.quarantine.to_pylist()
    assert [(r["row"], r["reason"]) for r in refused if r["severity"] == "ditolak"] == [
        (3, "latest_unclear")
    ]


def test_days_travel_in_two_bytes():
    assert day_text(day_number(TODAY)) == "2026-11-20"
    assert day_text(0) == ""
    assert (day_number(date(2000, 1, 1)), day_number(date(2179, 6, 5))) == (1, 65535)
    for outside in (date(1999, 12, 31), date(2179, 6, 6)):
        with pytest.raises(ValueError, match="2179"):
            day_number(outside)
    packed = Payloads.of(np.array([1], np.uint64), day=day_number(TODAY)).pack()
    assert Payloads.unpack(packed).day.tolist() == [day_number(TODAY)]
