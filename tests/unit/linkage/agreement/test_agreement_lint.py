"""Every lint rule trips on one planted fault, and on nothing in the clean agreement."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from padan_linkage import agreement as package
from padan_linkage.agreement import (
    AgreementError,
    Risk,
    Severity,
    lint,
    load_agreement,
)

NAME_SEGMENT = '{ fields = ["nama"], bits = 512, weight = 150, diffusion = 12 }'
ONE_SEGMENT = f"similar = [{NAME_SEGMENT}]"
NUMBER_SEGMENT = '{ fields = ["nik"], bits = 512, weight = 200, diffusion = 16 }'
MERGED_SEGMENT = (
    'similar = [{ fields = ["nama", "nik"], bits = 512, weight = 200, diffusion = 10 }]'
)
FIRST_EXACT = 'exact = ["tanggal_lahir", "nik:area", "nama:phonetic_first"]'
WIDE_EXACT = 'exact = ["tanggal_lahir", "nama:phonetic_first"]'
NOT_FOUND = (
    'not_found = { code = "TIDAK_DITEMUKAN", text = "tidak ditemukan", gloss = "not found" }\n'
)
NEXT_FLOW = '\n[[flow]]\nid = "jf-binaan"'
SECOND_NAME = '"tercatat sebagai ASN tidak aktif"'
STATUS_MAP = '"AKTIF" = "ASN_AKTIF"'
CODE_BLOCK = '[[flow.code]]\ncode = "ASN_AKTIF"'

#: code, place (None: not looked at), what to change in the flagship. `structural` refuses to load.
STRUCTURE = [
    (
        "term-order",
        "in_force_until",
        {"in_force_until = 2027-08-14": "in_force_until = 2024-01-01"},
    ),
    ("party-duplicate", "party[bkn]", {'id = "kemnaker"\nname': 'id = "bkn"\nname'}),
    ("party-unknown", "cadence[1]", {'by = ["kemnaker", "bkn"]': 'by = ["imigrasi"]'}),
    ("party-unknown", "flow[asn-status]", {'provider = "bkn"': 'provider = "imigrasi"'}),
    ("flow-self", "flow[asn-status]", {'requester = "kemnaker"': 'requester = "bkn"'}),
    ("flow-duplicate", "flow[asn-status]", {'id = "asn-perbaikan"': 'id = "asn-status"'}),
    (
        "code-duplicate",
        "flow[asn-status].code[ASN_AKTIF]",
        {'code = "ASN_PENSIUN"': 'code = "ASN_AKTIF"'},
    ),
    (
        "code-duplicate",
        "flow[asn-status].code[ASN_AKTIF]",
        {'code = "TIDAK_DITEMUKAN"': 'code = "ASN_AKTIF"'},
    ),
    (
        "code-wording-duplicate",
        "flow[asn-status].code",
        {SECOND_NAME: '"tercatat sebagai ASN aktif"'},
    ),
    (
        "registry-code-unknown",
        "flow[asn-status].registry.status",
        {STATUS_MAP: '"AKTIF" = "ASN_CUTI"'},
    ),
    (
        "prevails-unknown",
        "flow[asn-status].copies",
        {NOT_FOUND: NOT_FOUND + 'copies = { prevails = ["ASN_CUTI"] }\n'},
    ),
    (
        "prevails-duplicate",
        "flow[asn-status].copies",
        {NOT_FOUND: NOT_FOUND + 'copies = { prevails = ["ASN_AKTIF", "ASN_AKTIF"] }\n'},
    ),
    (
        "prevails-idle",
        "flow[asn-status].copies",
        {NOT_FOUND: NOT_FOUND + 'several = true\ncopies = { prevails = ["ASN_AKTIF"] }\n'},
    ),
    (
        "code-none",
        "flow[asn-status]",
        {NOT_FOUND: ""},
    ),
    (
        "code-too-many",
        "flow[asn-status]",
        {
            CODE_BLOCK: "".join(
                f'[[flow.code]]\ncode = "K{i}"\ntext = "kode {i}"\ngloss = "code {i}"\n'
                for i in range(62)
            )
            + CODE_BLOCK
        },
    ),
    ("mode-none", "flow[asn-status].modes", {'modes = ["direct", "unit"]': "modes = []"}),
    ("quota-missing", "flow[asn-status].quota", {"quota = {": "# quota = {"}),
    ("retention-missing", "flow[asn-status].retention_days", {"retention_days": "# retention"}),
    (
        "confirm-duplicate",
        "flow[asn-perbaikan].confirm",
        {'confirm = ["nip", "nik",': 'confirm = ["nip", "nip", "nik",'},
    ),
    (
        "confirm-undeclared",
        "flow[asn-perbaikan].schema",
        {'confirm = ["nip", "nik", "nama",': 'confirm = ["nip", "nik",'},
    ),
    (
        "field-unknown",
        "flow[asn-perbaikan].confirm",
        {'confirm = ["nip", "nik",': 'confirm = ["agama", "nip", "nik",'},
    ),
    ("field-unknown", "flow[asn-status].schema", {'exact = ["nik"]': 'exact = ["agama"]'}),
]
LAW = [
    (
        "term-duration",
        "in_force_until",
        {"in_force_until = 2027-08-14": "in_force_until = 2027-08-15"},
    ),
    ("term-duration", "in_force_until", {"years = 3": "years = 4"}),
    ("term-before-signing", "in_force_from", {"signed_on = 2024-08-15": "signed_on = 2024-08-16"}),
    ("notice-missing", "notice", {"notice = {": "# notice = {"}),
    ("notice-too-long", "notice", {"notice = { months = 1": "notice = { months = 37"}),
    (
        "cadence-missing",
        "cadence",
        {
            'kind = "evaluation"\nper_year = 2': 'kind = "evaluation"',
            'kind = "report"\nper_year = 2': 'kind = "report"',
        },
    ),
    (
        "flow-no-basis",
        "flow[asn-status].basis",
        {'basis = ["Pasal 2 angka 2", "Pasal 3 ayat (1) huruf b", "Pasal 4 ayat (2) huruf b"]': ""},
    ),
    ("confidentiality-no-article", "confidentiality", {"survival_article": "# survival"}),
    (
        "supersedes-itself",
        "supersedes",
        {"signed_on =": 'supersedes = ["25/HM.04.01/2024"]\nsigned_on ='},
    ),
    (
        "numbers-missing",
        "numbers",
        {'numbers = ["7/530/KS.06/VIII/2024", "25/HM.04.01/2024"]': "numbers = []"},
    ),
    (
        "contact-missing",
        "party[kemnaker].contact",
        {
            'contact = "Jalan Gatot Subroto Kaveling 51, Jakarta Selatan; telepon 021-5273609; '
            'pengembangansistem@kemnaker.go.id"': 'contact = ""'
        },
    ),
    (
        "retention-long",
        "flow[asn-status].retention_days",
        {"retention_days = 30": "retention_days = 365"},
    ),
    (
        "retention-over-term",
        "flow[asn-status].retention_days",
        {"retention_days = 30": "retention_days = 1096"},
    ),
    (
        "quota-zero",
        "flow[asn-status].quota",
        {"records_per_day = 22_000_000": "records_per_day = 0"},
    ),
    ("quota-zero", "flow[asn-status].quota", {"minimum_batch = 10": "minimum_batch = 0"}),
    (
        "counted-few",
        "flow[asn-status].minimum_counted",
        {"retention_days = 30": "retention_days = 30\nminimum_counted = 99"},
    ),
    (
        "batch-over-list",
        "flow[asn-status].quota.minimum_batch",
        {"minimum_batch = 10": "minimum_batch = 17_000_001"},
    ),
    (
        "list-over-day",
        "flow[asn-status].quota.records_per_list",
        {"records_per_day = 22_000_000": "records_per_day = 1_000_000"},
    ),
    (
        "questions-order",
        "flow[asn-status].quota.questions_per_row_epoch",
        {"minimum_batch = 10": "minimum_batch = 10, questions_per_row_epoch = 7"},
    ),
    (
        "questions-many",
        "flow[asn-status].quota.questions_per_row",
        {
            "minimum_batch = 10": "minimum_batch = 10, questions_per_row = 17, "
            "questions_per_row_epoch = 17"
        },
    ),
    (
        "lists-many",
        "flow[asn-status].quota.lists_per_epoch",
        {"minimum_batch = 10": "minimum_batch = 10, lists_per_epoch = 53"},
    ),
    (
        "lists-over-year",
        "flow[asn-status].quota.lists_per_epoch",
        {"minimum_batch = 10": "minimum_batch = 10, lists_per_epoch = 2, lists_per_year = 1"},
    ),
    (
        "repeats-unaccepted",
        "flow[asn-status].quota.lists_per_epoch",
        {"minimum_batch = 10": "minimum_batch = 10, lists_per_epoch = 2"},
    ),
    (
        "accepts-repeats",
        "flow[asn-status].accepts",
        {
            "real_time = true": 'real_time = true\naccepts = ["repeats"]',
            "minimum_batch = 10": "minimum_batch = 10, lists_per_epoch = 2",
        },
    ),
    (
        "accepts-auto-rows",
        "flow[asn-status].accepts",
        {"real_time = true": 'real_time = true\naccepts = ["auto-rows"]'},
    ),
    (
        "accepts-unused",
        "flow[asn-status].accepts",
        {"real_time = true": 'real_time = true\naccepts = ["repeats"]'},
    ),
    (
        "accepts-deltas",
        "flow[asn-status].accepts",
        {"real_time = true": 'real_time = true\naccepts = ["deltas"]'},
    ),
    (
        "oracle-bound",
        "flow[asn-status].quota.bits_per_record",
        {"minimum_batch = 10": "minimum_batch = 10, bits_per_record = 1.5"},
    ),
    ("code-unmapped", "flow[asn-status].code[ASN_AKTIF]", {STATUS_MAP: '"AKTIF" = "ASN_PENSIUN"'}),
    (
        "registry-columns-overlap",
        "flow[asn-status].registry",
        {
            STATUS_MAP: STATUS_MAP + '\n\n[flow.registry.kedudukan]\n"PENSIUN" = "ASN_PENSIUN"\n\n'
            "[flow.registry.status_lama]"
        },
    ),
    (
        "authority-missing",
        "flow[asn-perbaikan].field_authority",
        {'confirm = ["nip",': 'field_authority = { nama = "bkn" }\nconfirm = ["nip",'},
    ),
    (
        "authority-idle",
        "flow[asn-status].field_authority.nama",
        {"real_time = true": 'real_time = true\nfield_authority = { nama = "bkn" }'},
    ),
]
PASSES = [
    ("expected-records-missing", "flow[asn-status].expected_records", {"expected_records": "# x"}),
    (
        "field-unused",
        "flow[asn-status].schema.fields[alamat]",
        {"fields = [\n": 'fields = [\n  { name = "alamat", kind = "address" },\n'},
    ),
    (
        "field-unused",
        "flow[asn-status].schema.fields[tempat_lahir]",
        {
            ', "tempat_lahir:phonetic"], values = 2': "], values = 2",
            ', "tempat_lahir:phonetic"], weak': "], weak",
        },
    ),
    (
        "top-up-real-time",
        "flow[asn-status].quota.top_up",
        {"minimum_batch = 10 }": "minimum_batch = 10, top_up = false }"},
    ),
    (
        "top-up-idle",
        "flow[asn-status].quota.top_up",
        {"minimum_batch = 10 }": "minimum_batch = 1, top_up = false }"},
    ),
    (
        "confirm-untagged",
        "flow[asn-status].confirm",
        {"minimum_batch = 10 }": 'minimum_batch = 10 }\nconfirm = ["nama"]'},
    ),
    (
        "pass-identifier-alone",
        "flow[asn-status].schema.passes[nik-depan].exact",
        {'exact = ["nik", "nama:phonetic_first"]': 'exact = ["nik"]'},
    ),
    (
        "confirm-weak-salt",
        "flow[asn-perbaikan].schema.passes[nama-hari].confirm",
        {NEXT_FLOW: f'confirm = ["jenis_kelamin"]\n{NEXT_FLOW}'},
    ),
]
#: The same in the flagship with two passes of filters that it accepts.
FILTERED = [
    ("accepts-filters", "flow[asn-status].accepts", {}),
    (
        "filters-unaccepted",
        "flow[asn-status].schema.passes",
        {'accepts = ["filters"]\n': ""},
    ),
    (
        "decoys-few",
        "flow[asn-status].schema.decoy_share",
        {"decoy_share = 0.25": "decoy_share = 0.1"},
    ),
    (
        "pass-diffusion",
        "flow[asn-status].schema.passes[lahir-depan].similar[nama]",
        {ONE_SEGMENT: ONE_SEGMENT.replace("diffusion = 12", "diffusion = 9")},
    ),
    (
        "pass-strength",
        "flow[asn-status].schema.passes[lahir-depan].similar[nama]",
        {ONE_SEGMENT: ONE_SEGMENT.replace("bits = 512", "bits = 2048")},
    ),
    (
        "pass-strength",  # by what is inserted, however few q-grams a name has
        "flow[asn-status].schema.passes[lahir-depan].similar[nama]",
        {ONE_SEGMENT: ONE_SEGMENT.replace("bits = 512", "bits = 1024")},
    ),
    (
        "pass-weight",
        "flow[asn-status].schema.passes[lahir-depan].similar[nama]",
        {ONE_SEGMENT: ONE_SEGMENT.replace("weight = 150", "weight = 99")},
    ),
    (
        "pass-spread",
        "flow[asn-status].schema.passes[lahir-depan].similar[nama]",
        {ONE_SEGMENT: ONE_SEGMENT.replace("weight = 150", "weight = 420")},
    ),
    (
        "pass-low-entropy",
        "flow[asn-status].schema.passes[lahir-depan].similar[tempat]",
        {
            "fields = [\n": 'fields = [\n  { name = "tempat", kind = "place" },\n',
            ONE_SEGMENT: ONE_SEGMENT.replace('"nama"', '"tempat"'),
        },
    ),
    (
        "pass-low-entropy",
        "flow[asn-status].schema.passes[lahir-depan].similar[tempat+kelamin]",
        {
            "fields = [\n": 'fields = [\n  { name = "tempat", kind = "place" },\n'
            '  { name = "kelamin", kind = "sex" },\n',
            ONE_SEGMENT: ONE_SEGMENT.replace('"nama"', '"tempat", "kelamin"'),
        },
    ),
    (
        "pass-implied",
        "flow[asn-status].schema.passes[lahir-depan].similar[nama]",
        {FIRST_EXACT: 'exact = ["tanggal_lahir", "nama"]'},
    ),
    (
        "pass-namesakes",
        "flow[asn-status].schema.passes[lahir-depan].exact",
        {FIRST_EXACT: WIDE_EXACT},
    ),
    (
        "pass-oracle",
        "flow[asn-status].schema.passes[lahir-depan].similar",
        {ONE_SEGMENT: f"similar = [{NAME_SEGMENT}, {NUMBER_SEGMENT}]"},
    ),
    (
        "pass-oracle",  # even merged
        "flow[asn-status].schema.passes[lahir-depan].similar[nama+nik]",
        {ONE_SEGMENT: MERGED_SEGMENT},
    ),
    (
        "pass-namesakes",  # even merged, in groups of nearly fifty
        "flow[asn-status].schema.passes[lahir-depan].exact",
        {
            FIRST_EXACT: 'exact = ["tanggal_lahir", "nama:first1"]',
            ONE_SEGMENT: MERGED_SEGMENT,
        },
    ),
    (
        "pass-number",
        "flow[asn-status].schema.passes[lahir-depan].similar[nik]",
        {
            FIRST_EXACT: WIDE_EXACT,
            ONE_SEGMENT: f"similar = [{NUMBER_SEGMENT.replace('200', '150')}]",
        },
    ),
    (
        "pass-group",
        "flow[asn-status].schema.passes[lahir-depan].exact",
        {FIRST_EXACT: 'exact = ["tanggal_lahir"]'},
    ),
    (
        "pass-group",
        "flow[asn-status].schema.passes[lahir-depan].exact",
        {FIRST_EXACT: 'exact = ["tanggal_lahir:year", "nama:phonetic_first"]'},
    ),
    (
        "pass-unsalted",
        "flow[asn-status].schema.passes[lahir-depan].exact",
        {FIRST_EXACT: 'exact = ["nama:phonetic_first"]'},
    ),
    (
        "pass-group-large",
        "flow[asn-status].schema.passes[lahir-depan].exact",
        {FIRST_EXACT: 'exact = ["tanggal_lahir", "nama:first1"]'},
    ),
    (
        "bucket-full",
        "flow[asn-status].schema.passes[lahir-depan].bucket_bits",
        {"bucket_bits = 16": "bucket_bits = 12"},
    ),
    (
        "bucket-thin",
        "flow[asn-status].schema.passes[lahir-depan].bucket_bits",
        {
            "expected_records = 8_000_000": "expected_records = 80_000",
            "records_per_list = 17_000_000": "records_per_list = 170_000",
        },
    ),
]
#: Faults that the table cannot plant by replacing text; each has a test of its own below.
APART = {
    "key-missing",
    "key-malformed",
    "key-shared",
    "pin-missing",
    "pin-shared",
    "party-few",
    "flow-none",
    "flow-too-many",
    "schema-missing",
    "term-over",
}


def found(document: bytes, code: str) -> list[str]:
    return [f.where for f in lint(document) if f.code == code]


@pytest.mark.parametrize(("code", "where", "changes"), STRUCTURE + LAW + PASSES)
def test_each_rule_finds_its_fault_and_the_clean_agreement_has_none(
    flagship, bend, code, where, changes
):
    assert lint(flagship) == []
    assert where in found(bend(flagship, changes), code)


@pytest.mark.parametrize(("code", "where", "changes"), FILTERED)
def test_each_rule_on_filters_finds_its_fault(filtered, bend, code, where, changes):
    assert {f.code for f in lint(filtered)} == {"accepts-filters"}
    assert where in found(bend(filtered, changes), code)


@pytest.mark.parametrize(("code", "where", "changes"), STRUCTURE)
def test_a_structural_fault_keeps_the_agreement_from_loading(flagship, bend, code, where, changes):
    with pytest.raises(AgreementError) as e:
        load_agreement(bend(flagship, changes))
    assert code in {f.code for f in e.value.findings}


@pytest.mark.parametrize(("code", "where", "changes"), LAW + PASSES)
def test_an_arguable_agreement_still_loads(flagship, bend, code, where, changes):
    assert load_agreement(bend(flagship, changes)).id == "kemnaker-bkn-2024"


def test_no_rule_is_left_untested():
    folder = Path(package.__file__).parent
    elsewhere = {"direct.py", "few_fields.py", "releases.py"}  # have tests of their own
    rules = [path for path in (folder / "rules").glob("*.py") if path.name not in elsewhere]
    sources = [*rules, folder / "lint.py"]
    written = {
        code
        for source in sources
        for code in re.findall(r'\b(?:error|warning)\(\s*"([a-z-]+)"', source.read_text())
    } | {f"accepts-{risk}" for risk in Risk}
    assert len(written) > 50
    assert written == {c for c, _, _ in STRUCTURE + LAW + PASSES + FILTERED} | APART


# -- faults planted by hand -------------------------------------------------------------------


def test_missing_keys(signers, flagship, bend):
    key = load_agreement(flagship).party("bkn").exchange_key
    assert found(bend(flagship, {key: ""}), "key-missing") == ["party[bkn].exchange_key"]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("bukan-base64!", "base64"),
        ("QUJD", "3 bytes"),
        ("A" * 43 + "=", "safe point"),
        ("/" * 42 + "8=", "safe point"),
    ],
    ids=["text", "short", "small order", "off the curve"],
)
def test_malformed_keys(flagship, bend, key, reason):
    genuine = load_agreement(flagship).party("bkn").sign_key
    findings = [f for f in lint(bend(flagship, {genuine: key})) if f.code == "key-malformed"]
    assert [f.where for f in findings] == ["party[bkn].sign_key"]
    assert reason in findings[0].en_text
    assert key not in findings[0].en_text + findings[0].id_text


def test_an_exchange_key_of_small_order(flagship, bend):
    genuine = load_agreement(flagship).party("bkn").exchange_key
    bent = bend(flagship, {genuine: "A" * 43 + "="})
    assert found(bent, "key-malformed") == ["party[bkn].exchange_key"]


def test_two_parties_with_one_key(flagship, bend):
    agreement = load_agreement(flagship)
    bent = bend(flagship, {agreement.party("bkn").sign_key: agreement.party("kemnaker").sign_key})
    assert found(bent, "key-shared") == ["party[kemnaker]"]
    with pytest.raises(AgreementError):
        load_agreement(bent)


def test_one_key_for_signing_and_exchange(flagship, bend):
    p = load_agreement(flagship).party("bkn")
    assert found(bend(flagship, {p.exchange_key: p.sign_key}), "key-shared") == ["party[bkn]"]


def cut(document: bytes, start: str, stop: str) -> bytes:
    """The document without what stands from ``start`` up to ``stop``."""
    text = document.decode()
    at = text.index(start)
    return (text[:at] + text[text.index(stop, at + 1) :]).encode()


def test_servers_whose_key_nobody_knows(signers, flagship, bend):
    agreement = load_agreement(flagship)
    unit, bkn = agreement.unit_pins[0], agreement.party("bkn").server_pins[0]
    assert found(bend(flagship, {f'"{unit}"': ""}), "pin-missing") == ["unit.pins"]
    assert found(bend(flagship, {f'"{bkn}"': ""}), "pin-missing") == ["party[bkn].server_pins"]
    assert found(cut(flagship, "[unit]", "[[party]]"), "pin-missing") == ["unit.pins"]


def test_a_unit_that_is_a_partys_server(flagship, bend):
    """Whoever holds a linkage key and gets encodings reads the lists."""
    agreement = load_agreement(flagship)
    bent = bend(flagship, {agreement.party("bkn").server_pins[0]: agreement.unit_pins[0]})
    assert found(bent, "pin-shared") == ["unit"]
    with pytest.raises(AgreementError):
        load_agreement(bent)


def test_a_single_party(flagship):
    assert found(cut(flagship, "[[party]]", "[[party]]"), "party-few") == ["party"]


def test_no_flow_at_all(flagship):
    bare = flagship[: flagship.index(b"[[flow]]")]
    assert found(bare, "key-absent") == ["flow"]
    head, rest = bare.split(b"[confidentiality]")
    assert found(head + b"flow = []\n[confidentiality]" + rest, "flow-none") == ["flow"]


def test_unit_mode_without_schema(flagship):
    bent = cut(flagship, "[flow.schema]", "[[flow]]")
    assert found(bent, "schema-missing") == ["flow[asn-status].schema"]
    direct = bent.replace(b'["direct", "unit"]', b'["direct"]', 1)
    assert {f.code for f in lint(direct)} == {"direct-missing"}


def test_a_term_that_is_over(flagship):
    assert lint(flagship, datetime(2026, 11, 20, tzinfo=UTC)) == []
    late = lint(flagship, datetime(2027, 9, 1, tzinfo=UTC))
    assert [(f.code, f.severity) for f in late] == [("term-over", Severity.WARNING)]


# -- how it is said ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "attack"),
    [
        ("pass-diffusion", "GMA"),
        ("pass-strength", "SIG"),
        ("pass-weight", "GRP"),
        ("pass-low-entropy", "SIG"),
        ("pass-group", "GRP"),
        ("pass-namesakes", "GRP"),
        ("pass-number", "GRP"),
        ("bucket-thin", "GRP"),
        ("decoys-few", "GRP"),
        ("confirm-weak-salt", "frequency"),
    ],
)
def test_names_the_attack(filtered, bend, code, attack):
    changes = next(c for n, _, c in PASSES + FILTERED if n == code)
    finding = next(f for f in lint(bend(filtered, changes)) if f.code == code)
    assert attack in finding.en_text
    assert (attack if attack != "frequency" else "frekuensi") in finding.id_text


def test_an_exact_pass_over_few_values_meets_frequency_analysis(flagship, bend):
    bent = bend(
        flagship,
        {
            "[[flow.schema.passes]]": '[[flow.schema.passes]]\nid = "bulan"\n'
            'exact = ["tanggal_lahir:month"]\n\n[[flow.schema.passes]]',
        },
    )
    finding = next(f for f in lint(bent) if f.code == "pass-group")
    assert "frequency analysis" in finding.en_text


def test_every_finding_speaks_both_languages(flagship, filtered, bend):
    planted = [(flagship, STRUCTURE + LAW + PASSES), (filtered, FILTERED)]
    for document, code, changes in ((d, c, x) for d, rules in planted for c, _, x in rules):
        for f in lint(bend(document, changes)):
            assert f.id_text
            assert f.en_text
            assert f.id_text != f.en_text, code


def test_errors_come_first(flagship, bend):
    bent = bend(
        flagship,
        {"decoy_share = 0.25": "decoy_share = 0.0", "retention_days = 30": "retention_days = 2000"},
    )
    severities = [f.severity for f in lint(bent)]
    assert severities == sorted(severities, key=lambda s: s is not Severity.ERROR)
    assert {*severities} == {Severity.ERROR, Severity.WARNING}
