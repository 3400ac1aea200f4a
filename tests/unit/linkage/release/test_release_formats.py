"""What travels: manifests, envelopes, and the two kinds of content."""

import hashlib
from dataclasses import replace

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.crypto import signatures
from padan_linkage.crypto.sealing import SealError
from padan_linkage.direct.manifest import ManifestError
from padan_linkage.release import aggregate, reference
from padan_linkage.release.counting import ALL, EMPTY, OTHER, CountingError, tabulate
from padan_linkage.release.envelope import open_release, padded_length, seal_release
from padan_linkage.release.manifest import (
    Release,
    parse_release,
    release_statement,
    verify_release,
)
from padan_linkage.release.protecting import protect

PUBLISHER, RECEIVER, STRANGER = (bytes([n]) * 32 for n in (1, 2, 3))
SIGN = signatures.generate(b"s" * 32)
CONTENT = b"kode,nama\nA1,Satu\n"


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def release(content=CONTENT, **changes):
    values = {
        "agreement": "kemnaker-bkn-2024",
        "agreement_digest": "ab" * 32,
        "flow": "referensi",
        "line": "asn",
        "kind": "reference",
        "publisher": "bkn",
        "receiver": "kemnaker",
        "version": 2,
        "previous": "cd" * 32,
        "created": "2026-11-20T03:00:00Z",
        "as_of": "2026-11-20",
        "content_bytes": len(content),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "rows": 1,
        **changes,
    }
    return Release(**values)


def sealed(made=None, content=CONTENT, sign=SIGN, publisher=PUBLISHER):
    made = made or release()
    signature = signatures.sign(sign, release_statement(made.document()))
    return seal_release(made, signature, content, publisher, public(RECEIVER))


def opened(envelope, line=None, version=2, receiver=RECEIVER):
    return open_release(
        envelope,
        line or release().of_line,
        version,
        receiver_private=receiver,
        publisher_public=public(PUBLISHER),
        publisher_sign_key=signatures.public_key(SIGN),
    )


def test_the_receiver_gets_what_the_publisher_signed():
    found = opened(sealed())
    assert (found.release, found.content) == (release(), CONTENT)


@pytest.mark.parametrize(
    "field", ["agreement_digest", "flow", "line", "publisher", "receiver", "version"]
)
def test_an_envelope_of_something_else_does_not_open(field):
    line, version = release().of_line, 2
    if field == "version":
        version = 3
    else:
        line = replace(line, **{field: b"x" * 32 if field == "agreement_digest" else "lain"})
    with pytest.raises(SealError):
        opened(sealed(), line, version)


def test_nobody_else_opens_or_seals_it():
    with pytest.raises(SealError):
        opened(sealed(), receiver=STRANGER)
    with pytest.raises(SealError):
        opened(sealed(publisher=STRANGER))


@pytest.mark.parametrize("at", [0, 40, -1])
def test_a_changed_or_cut_envelope_does_not_open(at):
    envelope = bytearray(sealed())
    envelope[at] ^= 1
    with pytest.raises(SealError):
        opened(bytes(envelope))
    with pytest.raises(SealError):
        opened(sealed()[:31])


def test_what_is_inside_must_be_what_is_signed():
    with pytest.raises(ManifestError, match="signature"):
        opened(sealed(sign=signatures.generate(b"x" * 32)))
    with pytest.raises(ManifestError, match="content"):
        opened(sealed(content=CONTENT.replace(b"Satu", b"Dua!")))
    later = release(version=3).document()
    signed = signatures.sign(SIGN, release_statement(later))
    with pytest.raises(ManifestError, match="version"):
        verify_release(later, signed, signatures.public_key(SIGN), release().of_line, 2)


@given(st.integers(1, 40_000_000))
def test_padding_hides_the_length(length):
    padded = padded_length(length)
    assert length <= padded < length + max(4096, length // 8)
    assert padded_length(padded) == padded


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"previous": None},
        {"as_of": "2026-02-30"},
        {"created": "2026-11-31T00:00:00Z"},
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(change):
    with pytest.raises(ManifestError):
        parse_release(release(**change).document())


def test_a_manifest_has_one_form():
    document = release().document()
    assert parse_release(document) == release()
    for other in (document + b" ", document.replace(b":", b": ", 1), b"{}", b"x" * 5000, b"[]"):
        with pytest.raises(ManifestError):
            parse_release(other)


# Aggregates

DIMENSIONS = ("tahun", "instansi")


def columns(*rows):
    """``(tahun, instansi, how often)`` as columns."""
    flat = [(year, place) for year, place, times in rows for _ in range(times)]
    return {
        name: pa.array([row[i] for row in flat], pa.string()) for i, name in enumerate(DIMENSIONS)
    }


COLUMNS = columns(
    ("2024", "A", 60), ("2024", "B", 7), ("2025", "A", 40), ("2025", "B", 30), ("2025", "C", 4)
)


def made(given=COLUMNS):
    counted = tabulate(given, DIMENSIONS, (), 10)
    return aggregate.publishable(counted, protect(counted.tables, counted.counts, 10))


def read(content):
    return aggregate.read_aggregate(content, DIMENSIONS, (), 10)


def test_an_aggregate_comes_back_as_it_was_written():
    shown = made()
    found = read(aggregate.write_aggregate(shown))
    assert found.categories == shown.categories == (("2024", "2025"), ("A", "B", OTHER))
    assert all((found.counts[d] == c).all() for d, c in shown.counts.items())
    assert (found.cells, found.withheld) == (shown.cells, shown.withheld)
    assert found.withheld >= 3
    assert found.counts[()] == 141


def test_rare_and_missing_categories_have_names_of_their_own():
    counted = tabulate(columns(("2024", "", 20), ("2024", "X", 3)), DIMENSIONS, (), 10)
    assert counted.categories[1] == (EMPTY, OTHER)
    assert counted.folded == {"instansi": 1}
    named = tabulate(
        columns(("2024", "A", 20), ("2024", "X", 3)), DIMENSIONS, (), 10, {"instansi": ("X", "Y")}
    )
    assert named.categories[1] == ("A", "X", "Y")
    for word in (ALL, OTHER):
        with pytest.raises(CountingError):
            tabulate(columns(("2024", word, 20)), DIMENSIONS, (), 10)


def lines(content):
    return content.decode().splitlines(keepends=True)


@pytest.mark.parametrize(
    "bend",
    [
        lambda rows: rows[:-1],
        lambda rows: [*rows, rows[-1]],
        lambda rows: [rows[0].replace("jumlah", "banyak"), *rows[1:]],
        lambda rows: [rows[0], rows[1].replace("141,", "9,"), *rows[2:]],
        lambda rows: [rows[0], rows[1].replace("141,", "141,ya"), *rows[2:]],
        lambda rows: [rows[0], rows[1].replace("141,", "١٤١,"), *rows[2:]],
        lambda rows: [*rows, '"2024\n'],
        lambda rows: [*rows, "2026,D,50,\n"],
    ],
)
def test_a_publisher_that_sends_something_else_is_found_out(bend):
    """Lines missing, twice, of no agreed table; small counts; no numbers."""
    content = aggregate.write_aggregate(made())
    with pytest.raises(aggregate.AggregateError):
        read("".join(bend(lines(content))).encode())
    with pytest.raises(aggregate.AggregateError):
        read(b"\xff" + content)


# Reference lists


def test_a_list_has_one_form_and_a_difference():
    before = reference.list_rows(("kode", "nama"), [("B", "Dua"), ("A", " Satu \t satu ")])
    content = reference.write_reference(("kode", "nama"), before)
    assert content == b"kode,nama\nA,Satu satu\nB,Dua\n"
    assert reference.read_reference(content, ("kode", "nama")) == before
    now = {"B": ("B", "Dua baru"), "C": ("C", "Tiga")}
    found = reference.difference(before, now)
    assert (found.added, found.removed, found.changed) == (("C",), ("A",), ("B",))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "empty"),
        ([("", "x")], "no-key"),
        ([("A", "x"), ("A", "y")], "key-twice"),
        ([("A", "x\u202ey")], "unprintable"),
        ([("A", "x" * 2001)], "unprintable"),
        ([("A", "=HYPERLINK(1)")], "formula"),
        ([("A", "x; @SUM(1)")], "formula"),
        ([("A",)], "cells"),
    ],
)
def test_what_is_no_reference_list_is_refused(rows, reason):
    with pytest.raises(reference.ListError) as refused:
        reference.list_rows(("kode", "nama"), rows)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "content",
    [
        b"kode,nama\nB,Dua\nA,Satu\n",
        b"nama,kode\nA,Satu\n",
        b"kode,nama\r\nA,Satu\r\n",
        b"\xff",
        b"",
    ],
)
def test_another_form_of_a_list_is_refused(content):
    with pytest.raises(reference.ListError):
        reference.read_reference(content, ("kode", "nama"))
