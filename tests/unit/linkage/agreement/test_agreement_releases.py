"""Flows that release: what they must say of what they count and list."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from padan_linkage import agreement as package
from padan_linkage.agreement import (
    AgreementError,
    Severity,
    due_dates,
    lint,
    load_agreement,
)

AGGREGATE, LISTS = "flow[casn-agregat]", "flow[referensi]"
DIMENSIONS = (
    'dimensions = ["tahun_seleksi", "instansi", "jabatan", "jenjang_pendidikan", "provinsi", '
    '"hasil_seleksi"]'
)
TABLES = """tables = [
  ["tahun_seleksi", "instansi", "hasil_seleksi"],
  ["tahun_seleksi", "provinsi", "hasil_seleksi"],
  ["tahun_seleksi", "jabatan", "jenjang_pendidikan"],
  ["jenjang_pendidikan", "hasil_seleksi"],
]"""
LAST = '  ["jenjang_pendidikan", "hasil_seleksi"],'
POLICY = "release = { per_year = 2, per_day = 4 }"
COLUMNS = 'columns = ["kode", "nama", "kategori", "jenjang"]'

#: code, place, what to change in the flagship.
STRUCTURE = [
    ("release-missing", f"{AGGREGATE}.release", {POLICY: ""}),
    ("retention-missing", f"{AGGREGATE}.retention_days", {"retention_days = 180": ""}),
    ("release-duplicate", LISTS, {'id = "jabatan-fungsional"': 'id = "asn"'}),
    (
        "release-duplicate",
        f"{LISTS}.reference[jabatan-fungsional].columns",
        {COLUMNS: 'columns = ["kode", "nama", "nama"]'},
    ),
    ("dimension-unknown", f"{AGGREGATE}.tables[4]", {LAST: '  ["agama", "hasil_seleksi"],'}),
    ("table-needless", f"{AGGREGATE}.tables[4]", {LAST: '  ["instansi", "hasil_seleksi"],'}),
    ("table-needless", f"{AGGREGATE}.tables[4]", {LAST: "  [],"}),
]
ARGUABLE = [
    ("dimensions-missing", f"{AGGREGATE}.dimensions", {DIMENSIONS: "", TABLES: ""}),
    ("measure-missing", f"{AGGREGATE}.measure", {'measure = "pendaftar seleksi CASN"': ""}),
    ("cell-missing", f"{AGGREGATE}.minimum_cell", {"minimum_cell = 10": ""}),
    ("cell-small", f"{AGGREGATE}.minimum_cell", {"minimum_cell = 10": "minimum_cell = 2"}),
    ("cell-small", f"{AGGREGATE}.minimum_cell", {"minimum_cell = 10": "minimum_cell = 9"}),
    ("table-large", f"{AGGREGATE}.tables[1]", {TABLES: ""}),
    ("dimension-unused", f"{AGGREGATE}.dimensions", {TABLES: 'tables = [["instansi"]]'}),
    ("reference-ways", f"{LISTS}.both_ways", {"both_ways = true": ""}),
    ("retention-over-term", f"{AGGREGATE}.retention_days", {"days = 180": "days = 1096"}),
]


def found(document, code):
    return {f.where: f.severity for f in lint(document) if f.code == code}


@pytest.mark.parametrize(("code", "where", "changes"), STRUCTURE + ARGUABLE)
def test_lint_says_what_is_wrong_and_where(flagship, bend, code, where, changes):
    assert found(flagship, code) == {}
    assert where in found(bend(flagship, changes), code)


@pytest.mark.parametrize(("code", "where", "changes"), STRUCTURE)
def test_a_structural_fault_keeps_the_agreement_from_loading(flagship, bend, code, where, changes):
    with pytest.raises(AgreementError) as e:
        load_agreement(bend(flagship, changes))
    assert code in {f.code for f in e.value.findings}


@pytest.mark.parametrize(("code", "where", "changes"), ARGUABLE)
def test_an_arguable_agreement_still_loads(flagship, bend, code, where, changes):
    assert load_agreement(bend(flagship, changes)).id == "kemnaker-bkn-2024"


def test_a_minimum_below_three_is_an_error_below_ten_a_warning(flagship, bend):
    severities = {
        minimum: next(
            iter(
                found(
                    bend(flagship, {"minimum_cell = 10": f"minimum_cell = {minimum}"}), "cell-small"
                ).values()
            )
        )
        for minimum in (2, 9)
    }
    assert severities == {2: Severity.ERROR, 9: Severity.WARNING}


def test_a_reference_flow_without_lists(flagship):
    bent = flagship[: flagship.index(b"[[flow.reference]]")]
    assert list(found(bent, "reference-missing")) == ["flow[referensi].reference"]


def test_a_list_of_a_stranger(flagship, bend):
    third = flagship.replace(
        b'id = "jabatan-fungsional"\nname = "referensi jabatan fungsional di bawah pembinaan '
        b'Kemnaker"\nprovider = "kemnaker"',
        b'id = "jabatan-fungsional"\nname = "x"\nprovider = "imigrasi"',
    )
    assert third != flagship
    assert f"{LISTS}.reference[jabatan-fungsional]" in found(third, "party-unknown")


def test_lines_say_who_publishes_what_to_whom(flagship):
    agreement = load_agreement(flagship)
    lines = {
        (line.id, line.publisher, line.receiver, line.article)
        for flow in agreement.flows
        for line in flow.lines
    }
    assert lines == {
        ("casn-agregat", "bkn", "kemnaker", "Pasal 2 angka 3"),
        ("asn", "bkn", "kemnaker", "Pasal 3 ayat (1) huruf d"),
        ("jabatan-fungsional", "kemnaker", "bkn", "Pasal 3 ayat (2) huruf b"),
    }


def test_releases_fall_due_as_often_as_agreed(flagship):
    due = due_dates(load_agreement(flagship), datetime(2026, 11, 20, tzinfo=UTC))
    releases = [d for d in due if d.kind == "release"]
    assert len(releases) == 3
    assert {d.on.isoformat() for d in releases} == {"2027-02-14"}


def test_no_rule_is_left_untested():
    source = (Path(package.__file__).parent / "rules/releases.py").read_text()
    written = set(re.findall(r'\b(?:error|warning)\(\s*"([a-z-]+)"', source))
    tested = {c for c, _, _ in STRUCTURE + ARGUABLE} | {"reference-missing", "party-unknown"}
    assert written <= tested
    assert len(written) > 8
