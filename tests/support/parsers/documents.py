"""Documents that parties give each other: agreements, manifests, editions, levels, lists."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

import numpy as np

from padan_lab.demo.flows import with_filters
from padan_linkage.agreement import (
    EXAMPLE_IDS,
    AgreementError,
    KeyChange,
    PublicKeys,
    SignedKeyChange,
    TomlTextError,
    example,
    fill_keys,
    lint,
    load_agreement,
    parse_signature,
    read_toml,
    signature_text,
    verify_signatures,
)
from padan_linkage.agreement.key_changes import with_key_changes
from padan_linkage.agreement.standing import standing_of
from padan_linkage.crypto import signatures
from padan_linkage.direct.manifest import (
    Manifest,
    ManifestError,
    check_manifest,
    in_order,
    manifest_statement,
    parse_manifest,
    parse_moment,
    verify_manifest,
)
from padan_linkage.edition.checking import (
    EditionError,
    Wanted,
    checked_calibrations,
    checked_edition,
)
from padan_linkage.edition.document import (
    ANY,
    SHIPPED,
    SIGNED,
    Edition,
    GivenFields,
    calibrations_document,
)
from padan_linkage.edition.levels import Levels, LevelsError, SignedLevels
from padan_linkage.matching.scoring.calibration import Calibration, StrangerKind, priors
from padan_linkage.matching.scoring.features import FeaturePlan
from padan_linkage.release.aggregate import AggregateError, read_aggregate
from padan_linkage.release.manifest import (
    Line,
    Release,
    parse_release,
    release_statement,
    verify_release,
)
from padan_linkage.release.reference import ListError, read_reference, write_reference
from parsers.target import Target

NOW = datetime(2026, 11, 30, tzinfo=UTC)
PRIVATE = signatures.generate(bytes(32))
PUBLIC = signatures.public_key(PRIVATE)


def _key(of: str) -> bytes:
    return signatures.public_key(signatures.generate(hashlib.sha256(of.encode()).digest()))


@cache
def agreement():
    """The document of the flow that the others are of, and what it says."""
    document = with_filters(example("kemnaker-bkn-2024"))
    parties = [party.id for party in load_agreement(document).parties]
    document = fill_keys(document, {p: (_key(f"sign {p}"), _key(p)) for p in parties})
    return document, load_agreement(document)


def _flow():
    return agreement()[1].flow("asn-status")


def _agreements():
    return [example(name) for name in EXAMPLE_IDS]


def _read_agreement(content):
    lint(content, NOW)
    found = load_agreement(content)
    standing_of(found, NOW)
    with suppress(AgreementError):
        verify_signatures(content, {p.id: bytes(64) for p in found.parties})


def _read_signature(content):
    signature_text(parse_signature(content.decode("latin-1")))


def key_changes():
    document, found = agreement()
    party = found.parties[0]
    key = base64.b64encode(PUBLIC).decode()
    change = KeyChange(
        agreement=hashlib.sha256(document).hexdigest(),
        party=party.id,
        number=1,
        made=NOW,
        first_epochs={},
        old=party.keys,
        new=PublicKeys(sign_key=key, exchange_key=key),
    )
    made = SignedKeyChange(change=change)
    return [made.signed("old", signatures.sign(PRIVATE, change.statement())).text()]


def _read_key_change(content):
    document, found = agreement()
    signed = SignedKeyChange.read(content)
    signed.missing(found)
    with suppress(AgreementError):
        with_key_changes(found, hashlib.sha256(document).digest(), [signed])


def signed_levels():
    schema = _flow().schema
    found = {}
    for p in (p for p in schema.passes if p.similar):
        m, _ = priors(FeaturePlan.of(p, presence=schema.presence))
        found[p.id] = 812.4, tuple(map(tuple, np.full(m.shape, 1 / m.shape[1]).tolist()))
    levels = Levels.learned(hashlib.sha256(agreement()[0]).digest(), "asn-status", schema, 2, found)
    signed = SignedLevels(levels, {})
    return [signed.signed("bkn", signatures.sign(PRIVATE, signed.statement)).file()]


def _read_levels(content):
    signed = SignedLevels.read(content)
    signed.missing({"bkn": PUBLIC, "kemnaker": PUBLIC})
    signed.levels.check(hashlib.sha256(agreement()[0]).digest(), "asn-status", _flow().schema)


def _edition(**changes):
    exact = _flow().schema.passes[0].id
    whole = GivenFields(
        fields=("nik", "nama"), telling=ANY, asked=1000, answered=0.998, noticed=0.999,
        wrong=1e-4, answering=(exact,), usable=(exact,),
    )  # fmt: skip
    values = {
        "agreement": hashlib.sha256(agreement()[0]).hexdigest(), "flow": "asn-status",
        "schema": _flow().schema.digest().hex(), "rate": 5e-4, "records": 1000, "levels": SHIPPED,
        "calibrations": "ef" * 32, "common": (("siti",), ("basri", "dewi")), "given": (whole,),
    }  # fmt: skip
    return Edition(**(values | changes))


def _read_edition(content):
    wanted = Wanted(
        hashlib.sha256(agreement()[0]).hexdigest(), "asn-status", _flow().schema, 5e-4, (PUBLIC,)
    )
    checked_edition(content, signatures.sign(PRIVATE, SIGNED + content), wanted)


@cache
def _calibrated() -> bytes:
    """Calibrations of every pass with a filter, as a registry's are."""
    found = {}
    for p in (p for p in _flow().schema.passes if p.similar):
        plan = FeaturePlan.of(p, presence=_flow().schema.presence)
        m, u = (tuple(map(tuple, table.tolist())) for table in priors(plan))
        found[p.id] = Calibration(
            bits=tuple(int(b) for b in plan.bits), random_fill=plan.random_fill, m=m,
            kinds=(StrangerKind(u, 0.01, 1.0),), match_rate=0.3, company=0.0, screen=60.0,
            threshold=2.0, doubt=1.0, method="shipped",
        )  # fmt: skip
    return calibrations_document(found)


def _read_calibrations(content):
    edition = _edition(calibrations=hashlib.sha256(content).hexdigest())
    checked_calibrations(content, edition, _flow().schema)


def _manifests():
    fields = {
        "agreement": "kemnaker-bkn-2024", "agreement_digest": "ab" * 32, "flow": "asn-status",
        "epoch": 3, "table": "01" * 16, "public_keys": {"nik": "cd" * 32},
        "root": "ef" * 32, "rows": 4096,
        "direct_schema_digest": "12" * 32, "normaliser_version": "id-1",
        "created": "2026-11-20T00:00:00Z", "expires": "2026-12-20T00:00:00Z",
    }  # fmt: skip
    delta = fields | {"base": "02" * 16, "sequence": 1}
    return [Manifest(**fields).document(), Manifest(**delta).document()]


def _read_manifest(content):
    found = verify_manifest(content, signatures.sign(PRIVATE, manifest_statement(content)), PUBLIC)
    assert parse_manifest(content) == found
    in_order([found], NOW)
    check_manifest(
        found, agreement="kemnaker-bkn-2024", agreement_digest=b"\xab" * 32, flow="asn-status",
        direct_schema_digest=b"\x12" * 32, key_ids=["nik"], now=NOW, normaliser_version="id-1",
    )  # fmt: skip


LINE = Line("kemnaker-bkn-2024", b"\xab" * 32, "referensi", "asn", "bkn", "kemnaker")


def _releases():
    fields = {
        "agreement": LINE.agreement, "agreement_digest": "ab" * 32, "flow": LINE.flow,
        "line": LINE.line, "kind": "reference", "publisher": "bkn", "receiver": "kemnaker",
        "version": 2, "previous": "cd" * 32, "created": "2026-11-20T03:00:00Z",
        "as_of": "2026-11-20", "content_bytes": 18, "content_sha256": "00" * 32, "rows": 1,
    }  # fmt: skip
    return [Release(**fields).document()]


def _read_release(content):
    signature = signatures.sign(PRIVATE, release_statement(content))
    assert parse_release(content) == verify_release(content, signature, PUBLIC, LINE, 2)


def _read_moment(content):
    parse_moment(content.decode("latin-1"))


def _reference():
    rows = {"A1": ("A1", "Satu, dua"), "B2": ("B2", "Tiga")}
    return [write_reference(("kode", "nama"), rows)]


def _read_reference(content):
    rows = read_reference(content, ("kode", "nama"))
    assert write_reference(("kode", "nama"), rows) == content


def _aggregate():
    return [b"provinsi,jumlah,ditutup\n(semua),22,\nAceh,12,\nBali,,ya\n"]


def _read_aggregate(content):
    read_aggregate(content, ("provinsi",), (("provinsi",),), 10)


DOCUMENTS = (
    Target(
        "toml", read_toml, _agreements, (TomlTextError,),
        ("linkage.agreement.bounded_toml.read_toml",),
    ),
    Target(
        "agreement", _read_agreement, _agreements, (AgreementError,),
        (
            "linkage.agreement.document.parse_agreement",
            "linkage.agreement.document.load_agreement",
            "linkage.agreement.document.verify_signatures",
        ),
    ),
    Target(
        "signature", _read_signature, lambda: [signature_text(bytes(64)).encode()], (ValueError,),
        ("linkage.agreement.document.parse_signature",),
    ),
    Target(
        "key-change", _read_key_change, key_changes, (AgreementError,),
        ("linkage.agreement.key_changes.SignedKeyChange.read",),
    ),
    Target(
        "levels", _read_levels, signed_levels, (LevelsError,),
        ("linkage.edition.levels.Levels.read", "linkage.edition.levels.SignedLevels.read"),
    ),
    Target(
        "edition", _read_edition, lambda: [_edition().document()], (EditionError,),
        ("linkage.edition.document.Edition.read",),
    ),
    Target(
        "calibrations", _read_calibrations, lambda: [_calibrated()], (EditionError,),
        (
            "linkage.edition.document.read_calibrations",
            "linkage.matching.scoring.calibration.Calibration.from_json",
        ),
    ),
    Target(
        "label-manifest", _read_manifest, _manifests, (ManifestError,),
        (
            "linkage.direct.manifest.parse_manifest",
            "linkage.direct.manifest.verify_manifest",
        ),
    ),
    Target(
        "moment", _read_moment, lambda: [b"2026-11-20T00:00:00Z"], (ValueError,),
        ("linkage.direct.manifest.parse_moment",),
    ),
    Target(
        "release", _read_release, _releases, (ManifestError,),
        (
            "linkage.release.manifest.parse_release",
            "linkage.release.manifest.verify_release",
        ),
    ),
    Target(
        "reference-list", _read_reference, _reference, (ListError,),
        ("linkage.release.reference.read_reference",),
    ),
    Target(
        "aggregate", _read_aggregate, _aggregate, (AggregateError,),
        ("linkage.release.aggregate.read_aggregate",),
    ),
)  # fmt: skip
