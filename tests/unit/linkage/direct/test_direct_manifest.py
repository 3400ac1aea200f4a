"""A manifest has one form, one signer, one flow, one day; everything else is refused by name."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signing import sign_manifest

from padan_linkage.crypto import signatures
from padan_linkage.direct.manifest import (
    MANIFEST_FILE,
    ROWS_FILE,
    SIGNATURE_FILE,
    FormerManifestError,
    Manifest,
    ManifestError,
    TablePublication,
    check_manifest,
    contradiction,
    format_moment,
    in_order,
    is_former,
    parse_manifest,
    parse_moment,
    verify_manifest,
)

PRIVATE, OTHER = bytes(range(32)), bytes(range(1, 33))
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIELDS = {
    "agreement": "kemnaker-bkn-2024",
    "agreement_digest": "ab" * 32,
    "flow": "asn-status",
    "epoch": 3,
    "table": "01" * 16,
    "public_keys": {"nama": "dc" * 32, "nik": "cd" * 32},
    "root": "ef" * 32,
    "rows": 4096,
    "direct_schema_digest": "12" * 32,
    "normaliser_version": "id-1",
    "created": "2026-11-20T00:00:00Z",
    "expires": "2026-12-20T00:00:00Z",
}


def made(**changes):
    return Manifest(**(FIELDS | changes))


def document(**changes):
    content = json.loads(made().document()) | changes
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def test_it_comes_back_as_it_was_signed():
    manifest = made(base="02" * 16, sequence=1)
    signature = sign_manifest(manifest, PRIVATE)
    again = verify_manifest(manifest.document(), signature, signatures.public_key(PRIVATE))
    assert again == manifest
    assert again.is_delta
    assert (again.table_id, again.expires_at) == (b"\x01" * 16, datetime(2026, 12, 20, tzinfo=UTC))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"epoch": 0}, "epoch"),
        ({"epoch": "3"}, "epoch"),
        ({"rows": 0}, "rows"),
        ({"table": "AB" * 16}, "table"),
        ({"root": "ef" * 31}, "root"),
        ({"flow": "../asn"}, "flow"),
        ({"format": "padan/v2"}, "format"),
        ({"public_keys": {}}, "public_keys"),
        ({"public_keys": {"nik": "cd" * 31}}, "public_keys"),
        ({"public_keys": {"NIK": "cd" * 32}}, "public_keys"),
        ({"public_keys": {f"k{n}": "cd" * 32 for n in range(17)}}, "public_keys"),
        ({"public_key": "cd" * 32}, "public_key"),
        ({"expires": "2026-11-20T00:00:00Z"}, "expires"),
        ({"expires": "2026-11-20"}, "expires"),
        ({"expires": "2026-13-20T00:00:00Z"}, "manifest"),
        ({"chunk_rows": 1024}, "chunk_rows"),
        ({"sequence": 1}, "base"),
        ({"base": "02" * 16}, "base"),
        ({"more": 1}, "more"),
    ],
)
def test_malformed_ones_are_refused_by_field(changes, field):
    with pytest.raises(ManifestError) as e:
        parse_manifest(document(**changes))
    assert field in e.value.field


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[]", b"null", b"{", b"\xff", b"1", b" " * 5000],
    ids=["empty", "no field", "list", "null", "half", "no UTF-8", "number", "oversized"],
)
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(ManifestError):
        parse_manifest(text)
    assert not is_former(text)


def test_a_manifest_of_one_key_for_all_is_told_as_of_an_earlier_version():
    content = json.loads(made().document())
    content["public_key"] = content.pop("public_keys")["nik"]
    former = json.dumps(content | {"format": "padan/v1 label table"}, sort_keys=True).encode()
    with pytest.raises(FormerManifestError, match="earlier"):
        parse_manifest(former)
    assert is_former(former)
    assert not is_former(made().document())
    assert not is_former(document(format="padan/v3 label table"))


def test_two_that_name_another_key_under_any_id_contradict_each_other():
    for key_id in FIELDS["public_keys"]:
        other = made(table="0f" * 16, public_keys=FIELDS["public_keys"] | {key_id: "00" * 32})
        assert contradiction(made(), other) == "public_keys"


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_are_one_manifest(text):
    with pytest.raises(ManifestError):
        parse_manifest(text)


def test_another_spelling_of_the_same_content_is_refused():
    plain = made().document()
    spellings = [plain + b"\n", plain.replace(b",", b", "), json.dumps(json.loads(plain)).encode()]
    twice = plain.replace(b'"epoch":3', b'"epoch":4,"epoch":3')
    for text in (*spellings, twice):
        with pytest.raises(ManifestError, match="canonical"):
            parse_manifest(text)


def test_only_the_provider_s_signature_over_these_bytes_holds():
    manifest = made()
    text, signature = manifest.document(), sign_manifest(manifest, PRIVATE)
    public = signatures.public_key(PRIVATE)
    wrong = [
        (document(rows=8192), signature, public),
        (text, sign_manifest(manifest, OTHER), public),
        (text, signature, signatures.public_key(OTHER)),
        (text, signatures.sign(PRIVATE, text), public),  # another label
        (text, b"", public),
    ]
    for claim in wrong:
        with pytest.raises(ManifestError, match="signature"):
            verify_manifest(*claim)


EXPECTED = {
    "agreement": "kemnaker-bkn-2024",
    "agreement_digest": b"\xab" * 32,
    "flow": "asn-status",
    "direct_schema_digest": b"\x12" * 32,
    "key_ids": ["nik", "nama"],
    "normaliser_version": "id-1",
    "now": NOW,
}


def test_a_manifest_of_this_flow_and_day_is_not_refused():
    check_manifest(made(), **EXPECTED)


def test_where_no_normaliser_is_asked_for_any_is_taken():
    other = made(normaliser_version="id-2")
    with pytest.raises(ManifestError, match="normaliser_version"):
        check_manifest(other, **EXPECTED)
    check_manifest(other, **(EXPECTED | {"normaliser_version": None}))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"agreement": "lain"}, "agreement"),
        ({"agreement_digest": bytes(32)}, "agreement_digest"),
        ({"flow": "jf-binaan"}, "flow"),
        ({"direct_schema_digest": bytes(32)}, "direct_schema_digest"),
        ({"key_ids": ["nik"]}, "public_keys"),
        ({"key_ids": ["nik", "nama", "nip"]}, "public_keys"),
        ({"key_ids": ["nik", "nip"]}, "public_keys"),
        ({"normaliser_version": "id-2"}, "normaliser_version"),
        ({"now": datetime(2026, 12, 20, tzinfo=UTC)}, "expires"),
    ],
)
def test_of_another_flow_or_day(changes, field):
    with pytest.raises(ManifestError) as e:
        check_manifest(made(), **(EXPECTED | changes))
    assert e.value.field == field


def delta(sequence, **changes):
    table = f"{sequence + 16:02x}" * 16
    return made(**({"table": table, "base": "01" * 16, "sequence": sequence} | changes))


def test_the_newest_base_with_its_deltas_in_order():
    older = made(table="0a" * 16, created="2026-11-19T00:00:00Z")
    expired = made(
        table="0b" * 16, epoch=9, created="2026-10-01T00:00:00Z", expires="2026-11-01T00:00:00Z"
    )
    stray = delta(1, base="0a" * 16, table="0c" * 16)
    listed = [delta(2), older, stray, made(), expired, delta(1)]
    assert in_order(listed, NOW) == [made(), delta(1), delta(2)]
    rotated = made(table="0d" * 16, epoch=4, created="2026-11-18T00:00:00Z")
    assert in_order([*listed, rotated], NOW) == [rotated]
    assert in_order([expired, delta(1)], NOW) == []


@pytest.mark.parametrize(
    ("deltas", "field"),
    [
        ([delta(2)], "sequence"),
        ([delta(1), delta(3)], "sequence"),
        ([delta(1), delta(1, table="0e" * 16)], "sequence"),
        ([delta(1, epoch=4)], "epoch"),
        ([delta(1, public_keys=FIELDS["public_keys"] | {"nama": "00" * 32})], "epoch"),
    ],
)
def test_a_delta_that_is_missing_or_of_another_key_is_told(deltas, field):
    with pytest.raises(ManifestError) as e:
        in_order([made(), *deltas], NOW)
    assert e.value.field == field


def test_moments():
    jakarta = timezone(timedelta(hours=7))
    assert format_moment(datetime(2026, 11, 20, 7, 0, 0, 999, jakarta)) == "2026-11-20T00:00:00Z"
    assert parse_moment("2026-11-20T00:00:00Z") == datetime(2026, 11, 20, tzinfo=UTC)


def test_a_published_folder_is_read_and_a_half_one_refused(tmp_path):
    manifest = made()
    (tmp_path / MANIFEST_FILE).write_bytes(manifest.document())
    with pytest.raises(ManifestError, match="cannot be read"):
        TablePublication.read(tmp_path)
    (tmp_path / SIGNATURE_FILE).write_bytes(sign_manifest(manifest, PRIVATE))
    read = TablePublication.read(tmp_path)
    assert (read.manifest, read.rows) == (manifest, tmp_path / ROWS_FILE)


@pytest.mark.parametrize(
    "changes",
    [
        {"found": 1.1},
        {"found": float("nan")},
        {"asked": 0},
        {"fields": []},
        {"keys": ["Nik"]},
        {"more": 1},
    ],
)
def test_what_a_registry_found_of_itself_is_a_share_and_a_bases(changes):
    measured = {"asked": 5, "damaged": 0.5, "fields": ["nik"], "found": 1.0, "keys": ["nik"]}
    measured |= {"wrong": 0.0}
    assert parse_manifest(document(given=[measured])).given[0].found == 1.0
    with pytest.raises(ManifestError) as e:
        parse_manifest(document(given=[measured | changes]))
    assert "given" in e.value.field
    with pytest.raises(ManifestError, match="given"):
        parse_manifest(document(given=[measured], base="02" * 16, sequence=1))
