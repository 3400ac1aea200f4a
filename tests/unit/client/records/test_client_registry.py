"""Statuses to codes: what the agreement maps, and nothing by guess."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest
from agency import people

from padan_client.base.errors import BadInputError
from padan_client.records.registry import prepare_registry
from padan_linkage.agreement import example, load_agreement
from padan_linkage.answering.payloads import Payloads

FLAGSHIP = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
AID = load_agreement(example("kemenkopmk-kemnaker-2023")).flow("balikan-bnba")
CHECKED = load_agreement(example("kemnaker-bkn-2024")).flow("asn-perbaikan")
PEOPLE = people(12)


def table(**columns):
    rows = len(next(iter(columns.values())))
    base = [{"id": f"R{i}", "alamat": "JALAN MELATI 1", **PEOPLE[i]} for i in range(rows)]
    made = pa.Table.from_pylist(base)
    for name, values in columns.items():
        made = made.append_column(name, pa.array(values))
    return made


def prepare(given, flow=FLAGSHIP, status="status", **more):
    return prepare_registry(
        flow,
        flow.schema,
        given,
        columns=more.get("columns"),
        id_column=more.get("id_column", "id"),
        status_columns=status,
    )


def masks(registry):
    return Payloads.unpack(registry.payloads).codes.tolist()


def reasons(registry):
    rejected = [r for r in registry.quarantine.to_pylist() if r["severity"] == "ditolak"]
    return [(r["row"], r["id"], r["field"], r["reason"]) for r in rejected]


def test_statuses_become_bits_of_the_agreements_codes():
    registry = prepare(table(status=["AKTIF", "TIDAK AKTIF", "PENSIUN", " aktif ", "Pensiun"]))
    assert masks(registry) == [1, 2, 4, 1, 4]
    assert reasons(registry) == []
    assert registry.ids.to_pylist() == ["R0", "R1", "R2", "R3", "R4"]


def test_an_unmapped_or_empty_status_is_quarantined_not_guessed():
    registry = prepare(table(status=["AKTIF", "CUTI", "", None, "AKTIF.", "PENSIUN"]))
    assert registry.ids.to_pylist() == ["R0", "R5"]
    assert masks(registry) == [1, 4]
    assert reasons(registry) == [
        (2, "R1", "status", "unknown_status"),
        (3, "R2", "status", "no_status"),
        (4, "R3", "status", "no_status"),
        (5, "R4", "status", "unknown_status"),
    ]
    assert "CUTI" not in str(registry.quarantine.to_pylist())


def test_a_row_that_no_pass_can_use_is_reported_once():
    given = table(status=["AKTIF", "CUTI"]).to_pylist()
    given[1] |= {"nik": "", "nama": "", "tanggal_lahir": ""}
    registry = prepare(pa.Table.from_pylist(given))
    assert [reason for *_, reason in reasons(registry)] == ["no_pass"]


def test_several_columns_may_hold_at_once_where_the_flow_says_so():
    given = table(
        pelatihan=["YA", "", "YA"],
        padat_karya=["YA", "", ""],
        tenaga_kerja_mandiri=["", "", ""],
        bantuan_iuran=["", "YA", "TIDAK"],
    )
    registry = prepare(given, AID, None)
    assert masks(registry) == [0b11, 0b1000]
    assert reasons(registry) == [(3, "R2", "bantuan_iuran", "unknown_status")]


def test_two_codes_of_one_group_conflict_where_only_one_may_hold():
    flow = dataclasses.replace(
        FLAGSHIP, registry={"a": FLAGSHIP.registry["status"], "b": FLAGSHIP.registry["status"]}
    )
    given = table(a=["AKTIF", "AKTIF", ""], b=["AKTIF", "PENSIUN", "PENSIUN"])
    registry = prepare(given, flow, {"a": "a", "b": "b"})
    assert masks(registry) == [1, 4]
    assert reasons(registry) == [(2, "R1", "b", "status_conflict")]


def test_the_registrys_column_may_have_another_name():
    assert masks(prepare(table(kedudukan=["PENSIUN"]), status="kedudukan")) == [4]
    assert masks(prepare(table(kedudukan=["PENSIUN"]), status={"status": "kedudukan"})) == [4]
    assert masks(prepare(table(status=["PENSIUN"]), status=None)) == [4]


@pytest.mark.parametrize("status", ["kedudukan", {"jabatan": "status"}])
def test_a_wrong_status_column_is_named(status):
    with pytest.raises(BadInputError, match=r"kedudukan|jabatan"):
        prepare(table(status=["AKTIF"]), status=status)


def test_a_flow_with_several_columns_wants_them_named():
    with pytest.raises(BadInputError, match="padat_karya"):
        prepare(table(pelatihan=["YA"]), AID, "pelatihan")


def test_one_code_and_no_mapping_means_being_in_the_registry_is_the_answer():
    flow = dataclasses.replace(FLAGSHIP, registry={}, codes=FLAGSHIP.codes[:1])
    assert masks(prepare(table(lain=["x", "y"]), flow, None)) == [1, 1]
    ambiguous = dataclasses.replace(FLAGSHIP, registry={})
    with pytest.raises(BadInputError, match="beberapa kode"):
        prepare(table(lain=["x"]), ambiguous, None)


def test_empty_values_of_confirmed_fields_are_marked():
    given = table(
        status=["AKTIF", "AKTIF"], nip=["198001012010011001", ""], jenis_kelamin=["L", "P"]
    )
    born = pa.array(["", "BANDUNG"])
    given = given.set_column(given.column_names.index("tempat_lahir"), "tempat_lahir", born)
    registry = prepare(given, CHECKED)
    marks = Payloads.unpack(registry.payloads).empty.tolist()
    assert CHECKED.confirm[0] == "nip"
    assert CHECKED.confirm[3] == "tempat_lahir"
    assert marks[0] >> 3 & 1 == 1
    assert marks[1] & 1 == 1
    assert marks[1] >> 3 & 1 == 0


def test_nothing_publishable_is_an_error():
    with pytest.raises(BadInputError, match="karantina"):
        prepare(table(status=["CUTI", ""]))


@pytest.mark.parametrize("id_column", ["nik", "NIK"])
def test_an_id_that_is_a_field_stays_out_of_the_quarantine(id_column):
    given = table(status=["AKTIF", "CUTI"]).rename_columns({"nik": id_column})
    registry = prepare(given, id_column=id_column)
    assert PEOPLE[1]["nik"] not in str(registry.quarantine.to_pylist())
    assert registry.quarantine.to_pylist()[0]["row"] == 2
    assert PEOPLE[0]["nama"] not in repr(registry)
