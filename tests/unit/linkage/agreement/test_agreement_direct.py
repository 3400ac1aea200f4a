"""Direct mode in agreements: what cannot be run is refused, what names the wrong person is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from padan_lab.demo.flows import weak_alone
from padan_linkage import agreement as package
from padan_linkage.agreement import (
    EXAMPLE_IDS,
    AgreementError,
    Mode,
    Severity,
    example,
    lint,
    load_agreement,
)
from padan_linkage.direct.schema import MAX_VALUES, DirectSchema, most_values

FIRST = 'exact = ["nik", "nama:words"], values = 2 },'
HALVES = 'exact = ["nik", "nama:halves"] },'
PARTS = '["nik:area", "nama:phonetic", "tanggal_lahir:year_month"], weak = true'
MONTH = '"nik", "tanggal_lahir:year_month"], without = ["nama"] },'
ALONE = 'exact = ["nik"], without = ["nama", "tanggal_lahir"] },'
DAY, LIST = "records_per_day = 4_000_000", "records_per_list = 2_000_000"
KEYS = "flow[asn-status].direct.keys"

#: code, place, severity, what to change in the flagship.
STRUCTURE = [
    ("direct-missing", "flow[asn-perbaikan].direct", {'modes = ["unit"]': 'modes = ["direct"]'}),
    ("direct-field-unknown", f"{KEYS}[nik-nama]", {FIRST: 'exact = ["ktp", "nama"] },'}),
    ("direct-field-unknown", f"{KEYS}[nik]", {ALONE: 'exact = ["nik"], without = ["kk"] },'}),
    (
        "direct-derivation-unknown",
        f"{KEYS}[nik-nama]",
        {FIRST: 'exact = ["nik", "nama:suku"] },'},
    ),
    (
        "direct-values-many",
        f"{KEYS}[nik-wilayah]",
        {PARTS: '["nama:edits", "nama:edits"], weak = true, alone = true'},
    ),
    (
        "direct-field-unknown",
        f"{KEYS}[nik-wilayah]",
        {PARTS: '["nama", "tanggal_lahir|paspor"], weak = true, alone = true'},
    ),
    (
        "direct-codes-many",
        "flow[asn-status].codes",
        {
            '[[flow.code]]\ncode = "ASN_PENSIUN"': "".join(
                f'[[flow.code]]\ncode = "LAIN_{n}"\ntext = "lain {n}"\ngloss = "other"\n\n'
                for n in range(32)
            )
            + '[[flow.code]]\ncode = "ASN_PENSIUN"'
        },
    ),
]
ARGUABLE = [
    (
        "direct-key-crowded",
        f"{KEYS}[nik-wilayah]",
        {PARTS: '["nama:phonetic", "tanggal_lahir:year"], weak = true'},
    ),
    (
        "direct-values-idle",
        f"{KEYS}[nik-wilayah]",
        {PARTS: '["nama:pairs", "tanggal_lahir"], values = 12, weak = true, alone = true'},
    ),
    ("direct-unused", "flow[asn-status].direct", {'["direct", "unit"]': '["unit"]'}),
    ("direct-quota-zero", "flow[asn-status].direct", {DAY: "records_per_day = 0"}),
    (
        "direct-batch-over-list",
        "flow[asn-status].direct.minimum_batch",
        {f"{LIST}\nminimum_batch = 1": f"{LIST}\nminimum_batch = 3_000_000"},
    ),
    (
        "direct-list-over-day",
        "flow[asn-status].direct.records_per_list",
        {LIST: "records_per_list = 4_000_001"},
    ),
    (
        "direct-day-over-key",
        "flow[asn-status].direct.records_per_day",
        {DAY: "records_per_day = 16_777_217"},
    ),
    (
        "direct-list-over-key",
        "flow[asn-status].direct.records_per_list",
        {DAY: "records_per_day = 20_000_000", LIST: "records_per_list = 16_777_217"},
    ),
    (
        "direct-no-identifier",
        KEYS,
        {
            FIRST: 'exact = ["nik", "nama:words"], weak = true },',
            HALVES: 'exact = ["nik", "nama:halves"], weak = true },',
            MONTH: '"nik", "tanggal_lahir"], weak = true },',
            ALONE: 'exact = ["nik", "nama"], weak = true },',
        },
    ),
    (
        "direct-key-repeated",
        f"{KEYS}[nik-bulan]",
        {MONTH: '"nik", "nama:words"] },'},
    ),
    (
        "direct-key-not-identifier",
        f"{KEYS}[nik-wilayah]",
        {PARTS: '["nik:area", "nama:phonetic", "tanggal_lahir:year_month"]'},
    ),
    ("direct-key-thin", f"{KEYS}[nik-wilayah]", {PARTS: '["nama:phonetic"], weak = true'}),
    (
        "direct-weak-single",
        f"{KEYS}[nik-wilayah]",
        {
            'phonetic"], values = 2, weak': 'phonetic"], values = 2, alone = true, weak',
            'birth_date"], values = 2, weak': 'birth_date"], values = 2, alone = true, weak',
            '"tempat_lahir:phonetic"], weak = true': '"tempat_lahir"], weak = true, alone = true',
        },
    ),
    ("direct-identifier-alone", f"{KEYS}[nik]", {ALONE: 'exact = ["nik"] },'}),
    (
        "direct-key-weak",
        f"{KEYS}[nik-wilayah]",
        {PARTS: '["nama:phonetic", "tanggal_lahir"], weak = true, alone = true'},
    ),
    (
        "direct-confirm",
        "flow[asn-status].direct",
        {"retention_days = 30": 'confirm = ["nama"]\nretention_days = 30'},
    ),
]

SCORE = "flow[asn-status].direct.score"
SCORED = [
    ("direct-score-parts", f"{SCORE}.parts", {'"nik:area" = 38\n': ""}),
    ("direct-score-unknown", SCORE, {'"nik:area" = 38\n': '"nik:area" = 38\n"kk" = 9\n'}),
    ("direct-score-unknown", SCORE, {"missed = {": "missed = { kk-nama = -3,"}),
]


def found(document: bytes, code: str) -> list[str]:
    return [f.where for f in lint(document) if f.code == code]


@pytest.mark.parametrize(("code", "where", "changes"), STRUCTURE + ARGUABLE)
def test_each_rule_finds_its_fault(flagship, bend, code, where, changes):
    assert where in found(bend(in_direct_alone(flagship), changes), code)


@pytest.mark.parametrize(("code", "where", "changes"), STRUCTURE)
def test_keys_that_cannot_be_made_keep_an_agreement_from_loading(
    flagship, bend, code, where, changes
):
    with pytest.raises(AgreementError) as e:
        load_agreement(bend(in_direct_alone(flagship), changes))
    assert code in {f.code for f in e.value.findings}


@pytest.mark.parametrize(("code", "where", "changes"), SCORED)
def test_weights_are_of_the_keys_that_there_are(flagship, bend, code, where, changes):
    assert found(bend(flagship, changes), code) == [where]
    assert load_agreement(bend(flagship, changes))


def test_a_score_lets_weak_keys_open_alone_by_rare_words_only(flagship, bend):
    alone = weak_alone(flagship)
    doubted = {f.where: f.severity for f in lint(alone) if f.code == "direct-key-weak"}
    # The commonest words with which a place and a day make it: 0.4 % of strangers, at the most.
    assert doubted == {f"{KEYS}[nama-tempat]": Severity.WARNING}
    easier = bend(alone, {"threshold = 64": "threshold = 34"})
    strict = bend(alone, {"threshold = 64": "threshold = 84"})
    unweighed = without_score(alone)
    assert found(strict, "direct-key-weak") == []
    assert set(found(easier, "direct-key-weak")) > doubted.keys()
    refused = {f.where for f in lint(unweighed) if f.severity is Severity.ERROR}
    assert f"{KEYS}[nama-tempat]" in refused


def in_direct_alone(document: bytes) -> bytes:
    """The document with its direct keys in front of the passes, where changes find them first.

    Its score is left out: what it weighs would change what is said of keys.
    """
    text = without_score(document).decode()
    sections = re.findall(r"\[flow\.direct\]\n.*?\n\]\n", text, re.DOTALL)
    for section in sections:
        before, after = text.split(section, 1)
        at = before.rindex("[flow.schema]\n")
        text = before[:at] + section + "\n" + before[at:] + after
    return text.encode()


def without_score(document: bytes) -> bytes:
    """The document without the weights of direct mode."""
    return re.sub(rb"\[flow\.direct\.score.*?(?=\n\[\[flow\]\])", b"", document, flags=re.DOTALL)


def in_numbers_alone(document: bytes) -> bytes:
    """The same without the flagship's weak keys, but the one of the NIK's district."""
    kept = re.sub(r'  \{ id = "nama-(tempat|lahir|bulan)", .*birth_date.*\n', "", document.decode())
    return re.sub(r'  \{ id = "nama-bulan", .*weak = true \},\n', "", kept).encode()


def test_no_rule_is_left_untested():
    source = (Path(package.__file__).parent / "rules/direct.py").read_text()
    written = set(re.findall(r'"(direct-[a-z-]+)",', source))
    assert written == {c for c, _, _ in STRUCTURE + ARGUABLE + SCORED}


def test_a_name_alone_is_refused_and_a_weak_key_doubted(flagship, bend):
    thin = bend(in_direct_alone(flagship), {PARTS: '["nama:phonetic"], weak = true, alone = true'})
    severities = {f.code: f.severity for f in lint(thin) if f.code.startswith("direct")}
    assert severities["direct-key-thin"] is Severity.ERROR
    assert severities["direct-key-weak"] is Severity.ERROR
    by_year = PARTS.replace("year_month", "year") + ", alone = true"
    year = bend(in_direct_alone(flagship), {PARTS: by_year})
    assert {f.code: f.severity for f in lint(year)} == {"direct-key-weak": Severity.WARNING}


def test_weak_keys_are_doubted_two_by_two(flagship, bend):
    """One of them opens nothing; both together are as telling as all that they say."""
    numbered = in_numbers_alone(in_direct_alone(flagship))
    two = (
        PARTS + ", alone = true },\n"
        '  { id = "lahir-nama", exact = ["tanggal_lahir", "nama:phonetic"], weak = true },\n'
        '  { id = "{}", exact = ["tanggal_lahir", "nama:{}"], weak = true'
    )
    doubted = []
    for name in ("phonetic_last", "phonetic_first"):
        changes = {PARTS: two.replace("{}", name.replace("_", "-"), 1).replace("{}", name)}
        doubted += found(bend(numbered, changes), "direct-key-weak")
    assert doubted == [
        f"{KEYS}[lahir-nama+phonetic-last]",
        f"{KEYS}[lahir-nama+phonetic-first]",
    ]
    assert found(numbered, "direct-key-weak") == []


def test_a_small_registry_may_be_asked_by_name_and_birth_date(flagship):
    assert "nama-lahir" in {k.id for k in load_agreement(flagship).flow("jf-binaan").direct.keys}
    assert lint(flagship) == []


def test_repeated_ids_and_unknown_words_are_told(flagship, bend):
    bent = in_direct_alone(flagship)
    repeated = bend(bent, {'{ id = "nik-bulan", exact': '{ id = "nik-nama", exact'})
    assert found(repeated, "direct-key-duplicate") == ["flow[asn-status].direct"]
    unknown = bend(bent, {"records_per_list = 2_000_000\n": ""})
    assert found(unknown, "key-absent") == ["flow[asn-status].direct.records_per_list"]


def test_what_was_tolerant_is_told_to_be_weak(flagship, bend):
    """An agreement of before is read as it was meant, and one of now says the word of now."""
    bent = bend(in_direct_alone(flagship), {PARTS: f"{PARTS}, alone = true"})
    before = load_agreement(bend(bent, {"weak = true, alone = true": "tolerant = true"}))
    assert before.flow("asn-status").direct == load_agreement(bent).flow("asn-status").direct
    both = bend(bent, {"weak = true, alone = true": "tolerant = true, alone = true"})
    (finding,) = [f for f in lint(both) if f.code == "direct-key-tolerant"]
    assert finding.where == f"{KEYS}[nik-wilayah]"
    assert "weak = true, alone = true" in finding.id_text
    assert "weak = true, alone = true" in finding.en_text
    strong = bend(bent, {"weak = true, alone = true": "alone = true"})
    assert found(strong, "direct-key-alone") == [f"{KEYS}[nik-wilayah]"]


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_flows_without_field_confirmations_can_be_asked_directly(agreement_id):
    for f in load_agreement(example(agreement_id)).flows:
        if f.kind == "confirmation":
            assert (Mode.DIRECT in f.modes) == (not f.confirm), f.id
            assert (f.direct is not None) == (Mode.DIRECT in f.modes)


@pytest.mark.parametrize("agreement_id", EXAMPLE_IDS)
def test_a_record_adds_at_most_sixteen_tags(agreement_id):
    for f in load_agreement(example(agreement_id)).flows:
        if f.direct:
            assert sum(most_values(f.schema, k) for k in f.direct.keys) <= MAX_VALUES, f.id


def test_the_digest_follows_what_decides_the_inputs_and_nothing_else(flagship):
    flow = load_agreement(flagship).flow("asn-status")
    digest = flow.direct.digest(flow.schema)
    assert len(digest) == 32
    other = flow.direct.model_dump() | {"records_per_day": 1, "dummy_share": 0.5}
    assert DirectSchema.model_validate(other).digest(flow.schema) == digest
    keys = [k.model_dump() for k in flow.direct.keys]
    for changed in (keys[::-1], keys[1:], [keys[0] | {"weak": True}, *keys[1:]]):
        other = flow.direct.model_dump() | {"keys": changed}
        assert DirectSchema.model_validate(other).digest(flow.schema) != digest
