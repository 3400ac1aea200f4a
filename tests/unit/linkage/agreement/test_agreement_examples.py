"""The five agreements say what the documents say."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from padan_linkage.agreement import (
    EXAMPLE_IDS,
    example,
    lint,
    load_agreement,
    verify_signatures,
)

DOCUMENTS = Path(__file__).parents[5] / "shared" / "agreements"

FLOWS = {
    "kemnaker-bkn-2024": {
        "asn-status": "bkn→kemnaker",
        "asn-perbaikan": "bkn→kemnaker",
        "jf-binaan": "kemnaker→bkn",
        "casn-agregat": "bkn→kemnaker",
        "referensi": "bkn→kemnaker",
    },
    "bpjstk-imigrasi-2023": {
        "paspor": "imigrasi→bpjstk",
        "perlintasan": "imigrasi→bpjstk",
        "izin-tinggal": "imigrasi→bpjstk",
        "kepesertaan": "bpjstk→imigrasi",
    },
    "kemnaker-bpjskes-2020": {
        "badan-usaha": "bpjskes→kemnaker",
        "potensi-badan-usaha": "kemnaker→bpjskes",
        "pekerja-jkn": "bpjskes→kemnaker",
        "pekerja-wlkp": "kemnaker→bpjskes",
    },
    "kemenkopmk-kemnaker-2023": {
        "p3ke": "kemenkopmk→kemnaker",
        "balikan-bnba": "kemnaker→kemenkopmk",
    },
    "bpjskes-bkn-2016": {"peserta-pns": "bkn→bpjskes", "kartu-jkn": "bpjskes→bkn"},
}
CODES = {
    "asn-status": [
        "tercatat sebagai ASN aktif",
        "tercatat sebagai ASN tidak aktif",
        "tercatat sebagai ASN pensiun",
    ],
    "jf-binaan": ["pemangku JF binaan Kemnaker"],
    "paspor": ["paspor berlaku", "paspor habis berlaku"],
    "perlintasan": ["terakhir tercatat keluar", "terakhir tercatat masuk"],
    "izin-tinggal": ["ITAS kerja ≥ 6 bulan", "ITAP kerja"],
    "kepesertaan": ["peserta aktif", "peserta tidak aktif"],
    "potensi-badan-usaha": ["terdaftar WLKP"],
    "pekerja-jkn": ["peserta aktif", "peserta nonaktif"],
    "pekerja-wlkp": ["terlapor di WLKP"],
    "p3ke": [f"P3KE desil {i}" for i in (1, 2, 3, 4)],
    "peserta-pns": [
        "CPNS",
        "PNS",
        "pensiunan PNS",
        "pejabat negara",
        "pensiunan pejabat negara",
        "anggota keluarga",
    ],
    "kartu-jkn": ["terdaftar sebagai peserta"],
}


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_has_every_flow_in_its_direction(agreement_id):
    agreement = load_agreement(example(agreement_id))
    assert agreement.id == agreement_id
    assert {f.id: f"{f.provider}→{f.requester}" for f in agreement.flows} == FLOWS[agreement_id]


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_lint_misses_the_keys_and_nothing_else(agreement_id, signers):
    assert {f.code for f in lint(example(agreement_id))} == {"key-missing", "pin-missing"}
    assert lint(signers.fill(example(agreement_id))) == []


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_codes_read_as_agreed(agreement_id):
    for flow in load_agreement(example(agreement_id)).flows:
        if flow.id in CODES:
            assert [c.text for c in flow.codes] == CODES[flow.id], flow.id


def test_only_the_flagship_s_status_codes_are_the_document_s_own():
    fixed = [
        (i, f.id)
        for i in EXAMPLE_IDS
        for f in load_agreement(example(i)).flows
        if f.codes and not f.proposed
    ]
    assert fixed == [("kemnaker-bkn-2024", "asn-status")]
    for agreement_id in EXAMPLE_IDS:
        for f in load_agreement(example(agreement_id)).flows:
            assert all(c.proposed == f.proposed for c in f.codes), f.id


def test_the_status_wording_stands_word_for_word_in_the_document():
    source = DOCUMENTS / "002_b5a970487dd6a6bd.txt"
    if not source.exists():
        pytest.skip("the documents' texts are not on this machine")
    text = source.read_text(encoding="utf-8")
    flow = load_agreement(example("kemnaker-bkn-2024")).flow("asn-status")
    assert flow.not_found is not None
    for code in (*flow.codes, flow.not_found):
        assert re.search(rf"[“\"]{re.escape(code.text)}[”\"]", text), code.text


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_confirmation_flows_can_run_in_unit_mode(agreement_id):
    for f in load_agreement(example(agreement_id)).flows:
        if f.kind == "confirmation":
            assert "unit" in f.modes
            assert f.schema
            assert f.schema.presence is False
            assert f.schema.decoy_share >= 0.25
            assert f.registry_codes
            assert f.not_found


def test_documents_numbers_and_what_they_replace():
    numbers = {i: load_agreement(example(i)).numbers for i in EXAMPLE_IDS}
    assert numbers["kemnaker-bkn-2024"] == ("7/530/KS.06/VIII/2024", "25/HM.04.01/2024")
    assert numbers["bpjstk-imigrasi-2023"] == ("PER/188/062023", "IMI-GR.05.01-0158")
    assert numbers["kemenkopmk-kemnaker-2023"] == (
        "003/PKS/DEP.1/KEMENKO/PMK/02/2023",
        "7/668/KS.06/II/2023",
    )
    assert numbers["bpjskes-bkn-2016"] == ("420/KTR/1016", "41/K/KS/X/2016")
    older = load_agreement(example("bpjstk-imigrasi-2023"))
    assert older.supersedes == ("PER/164/082018", "IMI-UM.01.01-3139")


def test_dates_of_signing_and_end():
    dates = {i: load_agreement(example(i)) for i in EXAMPLE_IDS}
    assert {i: (a.signed_on, a.in_force_until) for i, a in dates.items()} == {
        "kemnaker-bkn-2024": (date(2024, 8, 15), date(2027, 8, 14)),
        "bpjstk-imigrasi-2023": (date(2023, 6, 19), date(2027, 1, 16)),
        "kemnaker-bpjskes-2020": (date(2020, 11, 3), date(2023, 11, 2)),
        "kemenkopmk-kemnaker-2023": (date(2023, 2, 28), date(2025, 2, 27)),
        "bpjskes-bkn-2016": (date(2016, 10, 10), date(2021, 10, 9)),
    }


def test_force_majeure_differs_by_document():
    fm = {i: load_agreement(example(i)).force_majeure for i in EXAMPLE_IDS}
    assert {i: (x.notice_days, x.working_days) for i, x in fm.items() if x} == {
        "kemnaker-bkn-2024": (14, False),
        "bpjstk-imigrasi-2023": (None, False),
        "kemnaker-bpjskes-2020": (7, False),
        "kemenkopmk-kemnaker-2023": (14, True),
        "bpjskes-bkn-2016": (7, False),
    }
    assert fm["bpjskes-bkn-2016"].silence_consents_after_days == 7


def test_the_authority_over_every_confirmed_field_is_named():
    flow = load_agreement(example("bpjskes-bkn-2016")).flow("peserta-pns")
    assert set(flow.field_authority) == set(flow.confirm)
    assert set(flow.field_authority.values()) == {"bkn", "bpjskes"}


def test_worker_bands_stand_beside_the_status():
    flow = load_agreement(example("kemnaker-bpjskes-2020")).flow("badan-usaha")
    assert [c.group for c in flow.codes] == ["status"] + ["jumlah-pekerja"] * 4
    mask = 1 << flow.code_index("TERDAFTAR_JKN") | 1 << flow.code_index("PEKERJA_20_99")
    assert [c.code for c in flow.codes_of(mask)] == ["TERDAFTAR_JKN", "PEKERJA_20_99"]


def test_several_programmes_may_hold_for_one_person():
    agreement = load_agreement(example("kemenkopmk-kemnaker-2023"))
    assert agreement.flow("balikan-bnba").several
    assert not agreement.flow("p3ke").several


def test_no_example_names_a_signer_or_has_a_key():
    for agreement_id in EXAMPLE_IDS:
        for p in load_agreement(example(agreement_id)).parties:
            assert (p.sign_key, p.exchange_key) == ("", "")
            assert re.match(r"(Plt\. )?(Kepala|Sekretaris|Direktur|Deputi)", p.represented_by)


def test_an_unknown_example_is_told():
    with pytest.raises(KeyError):
        example("kemnaker-bkn-2025")


def test_an_example_cannot_be_verified_unsigned():
    with pytest.raises(Exception, match="belum diisi"):
        verify_signatures(example("kemnaker-bkn-2024"), {})
