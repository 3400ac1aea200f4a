"""The file: what it refuses and how it says so, signatures over exact bytes, filling in keys."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.agreement import (
    EXAMPLE_IDS,
    AgreementError,
    agreement_digest,
    example,
    fill_keys,
    load_agreement,
    parse_signature,
    signature_statement,
    signature_text,
    verify_signatures,
)


def problems(document: bytes) -> dict[str, str]:
    """code -> place of everything that is wrong with the document."""
    with pytest.raises(AgreementError) as e:
        load_agreement(document)
    return {f.code: f.where for f in e.value.findings}


def test_the_digest_is_of_the_exact_bytes(flagship):
    assert agreement_digest(flagship) == hashlib.sha256(flagship).digest()
    assert agreement_digest(flagship + b"\n") != agreement_digest(flagship)


def test_the_statement_is_the_labelled_document(flagship):
    assert signature_statement(flagship) == b"padan/v1 agreement\x00" + flagship


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"format = 1": "format = 2"}, "format-later", "format"),
        ({"format = 1": "format = 0"}, "value-range", "format"),
        ({"format = 1": "format = true"}, "value-type", "format"),
        ({"title = ": "judul = "}, "key-unknown", "judul"),
        ({"signed_on = 2024-08-15": 'signed_on = "kemarin"'}, "value-date", "signed_on"),
        ({"signed_on = 2024-08-15\n": ""}, "key-absent", "signed_on"),
        ({'id = "asn-status"': 'id = "ASN Status"'}, "value-pattern", "flow[ASN Status].id"),
        (
            {"minimum_batch = 10": "minimum_batch = -1"},
            "value-range",
            "flow[asn-status].quota.minimum_batch",
        ),
        (
            {"minimum_batch = 10": 'minimum_batch = "sepuluh"'},
            "value-type",
            "flow[asn-status].quota.minimum_batch",
        ),
        (
            {'modes = ["direct", "unit"]': 'modes = ["vpn"]'},
            "value-choice",
            "flow[asn-status].modes[1]",
        ),
        (
            {'code = "ASN_AKTIF"': 'code = "asn aktif"'},
            "value-pattern",
            "flow[asn-status].code[asn aktif].code",
        ),
        ({'name = "Badan Kepegawaian Negara"': 'name = ""'}, "value-empty", "party[bkn].name"),
        (
            {"tercatat sebagai ASN aktif": "tercatat \\u202esebagai ASN aktif"},
            "value-unprintable",
            "flow[asn-status].code[ASN_AKTIF].text",
        ),
        (
            {'kind = "person_name"': 'kind = "orang"'},
            "value-choice",
            "flow[asn-status].schema.fields[nama].kind",
        ),
        ({'exact = ["nik"]': 'exact = ["ktp"]'}, "field-unknown", "flow[asn-status].schema"),
        ({'"nama:phonetic_first"': '"nama:suku"'}, "derivation-unknown", "flow[asn-status].schema"),
        ({'id = "lahir-nama"': 'id = "nik-saja"'}, "pass-duplicate", "flow[asn-status].schema"),
        (
            {'{ name = "nama", kind': '{ name = "nik", kind'},
            "field-duplicate",
            "flow[asn-status].schema",
        ),
    ],
)
def test_says_where_and_what(flagship, bend, changes, code, where):
    found = problems(bend(flagship, changes))
    assert found.get(code) == where


def test_says_where_in_a_segment(filtered, bend):
    found = problems(bend(filtered, {"bits = 512": "bits = 500"}))
    where = "flow[asn-status].schema.passes[lahir-depan].similar[1].bits"
    assert found.get("value-range") == where


def test_all_problems_are_told_at_once(flagship, bend):
    found = problems(bend(flagship, {"format = 1": "format = 0", "title = ": "judul = "}))
    assert {"value-range", "key-unknown", "key-absent"} <= set(found)


def test_malformed_toml_names_the_line(flagship, bend):
    with pytest.raises(AgreementError, match=r"line 3"):
        load_agreement(bend(flagship, {"format = 1": "format ="}))


def test_another_encoding_is_named():
    assert problems(b'title = "\xe9"') == {"file-encoding": "byte 9"}
    assert problems("﻿format = 1".encode()) == {"file-syntax": "file"}


def test_a_huge_file_is_refused_unread():
    assert problems(b"#" * (1 << 20) + b"#") == {"file-too-large": "file"}


def test_no_reason_repeats_a_value_of_the_file(flagship, bend):
    planted = bend(flagship, {"retention_days = 30": 'retention_days = "rahasia-12345"'})
    with pytest.raises(AgreementError) as e:
        load_agreement(planted)
    assert "rahasia-12345" not in str(e.value) + e.value.english() + repr(e.value.findings)


@settings(max_examples=60)
@given(st.data())
def test_any_damage_is_an_agreement_error_or_harmless(data):
    document = bytearray(example("kemenkopmk-kemnaker-2023"))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(document) - 1))
        document[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=4))
    with contextlib.suppress(AgreementError):
        load_agreement(bytes(document))
        return
    with pytest.raises(AgreementError) as e:
        load_agreement(bytes(document))
    findings = e.value.findings
    assert findings
    assert all(f.where and f.id_text and f.en_text for f in findings)


# -- signatures -------------------------------------------------------------------------------


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_every_example_signs_and_verifies(agreement_id, signers):
    document = signers.fill(example(agreement_id))
    assert verify_signatures(document, signers.sign(document)).id == agreement_id


def refused(document: bytes, signed: dict[str, bytes]) -> dict[str, str]:
    with pytest.raises(AgreementError) as e:
        verify_signatures(document, signed)
    return {f.code: f.where for f in e.value.findings}


def test_one_changed_byte_voids_every_signature(flagship, bend, signers):
    signed = signers.sign(flagship)
    assert set(refused(flagship + b" ", signed)) == {"signature-invalid"}
    assert set(refused(bend(flagship, {"17_000_000": "18_000_000"}), signed)) == {
        "signature-invalid"
    }


def test_every_party_must_have_signed(flagship, signers):
    assert refused(flagship, signers.sign(flagship, "bkn")) == {
        "signature-missing": "signature[kemnaker]"
    }


def test_signatures_do_not_change_places(flagship, signers):
    one = signers.sign(flagship)
    swapped = {"bkn": one["kemnaker"], "kemnaker": one["bkn"]}
    assert set(refused(flagship, swapped)) == {"signature-invalid"}


def test_a_stranger_s_signature_is_refused(flagship, signers):
    signed = signers.sign(flagship) | signers.sign(flagship, "pencuri")
    assert refused(flagship, signed) == {"signature-stranger": "signature[pencuri]"}


def test_a_signature_over_the_bare_document_is_refused(flagship, signers):
    """The label keeps a signature made for another purpose from standing in."""
    from padan_linkage.crypto import signatures

    bare = {p: signatures.sign(signers.sign_private(p), flagship) for p in ("bkn", "kemnaker")}
    assert set(refused(flagship, bare)) == {"signature-invalid"}


def test_an_agreement_without_keys_verifies_for_nobody(signers):
    document = example("kemnaker-bkn-2024")
    assert set(refused(document, signers.sign(document))) == {"key-missing"}


@given(st.binary(min_size=64, max_size=64))
def test_signature_files_round_trip(signature):
    assert parse_signature(signature_text(signature)) == signature


@pytest.mark.parametrize("text", ["", "bukan base64!", "QUJD", "é", "A" * 90])
def test_other_signature_files_are_refused(text):
    with pytest.raises(ValueError):
        parse_signature(text)


# -- keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_filling_in_keys_changes_nothing_else(agreement_id, signers):
    before, after = example(agreement_id), signers.fill(example(agreement_id))
    pairs = list(zip(before.splitlines(), after.splitlines(), strict=True))
    changed = [new for old, new in pairs if old != new]
    agreement = load_agreement(after)
    names = (b"sign_key = ", b"exchange_key = ", b"pins = ", b"server_pins = ")
    assert all(line.startswith(names) for line in changed)
    assert len(changed) == 5 + len(agreement.direct_providers)
    assert len(agreement.unit_pins[0]) == 64
    for p in agreement.parties:
        assert (p.sign_key_bytes, p.exchange_key_bytes) == signers.public(p.id)


def test_keys_can_be_filled_in_one_party_at_a_time(signers):
    document = signers.name_servers(example("kemnaker-bkn-2024"))
    document = fill_keys(document, {"bkn": signers.public("bkn")})
    assert load_agreement(document).party("kemnaker").sign_key == ""
    document = fill_keys(document, {"kemnaker": signers.public("kemnaker")})
    assert document == signers.fill(example("kemnaker-bkn-2024"))


def test_a_party_that_is_not_there_gets_no_keys(signers):
    with pytest.raises(AgreementError) as e:
        fill_keys(example("kemnaker-bkn-2024"), {"imigrasi": signers.public("imigrasi")})
    assert [f.code for f in e.value.findings] == ["key-not-filled"]


def test_a_block_without_key_lines_is_told(signers, bend):
    document = bend(example("kemnaker-bkn-2024"), {'sign_key = ""\n': ""})
    with pytest.raises(AgreementError) as e:
        fill_keys(document, {"kemnaker": signers.public("kemnaker")})
    assert [(f.code, f.where) for f in e.value.findings] == [("key-not-filled", "party[kemnaker]")]
