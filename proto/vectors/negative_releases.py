"""Negative vectors of releases: the manifest under its signature, and the envelope (spec 70)."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any
from unittest import mock

from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key
from faults import Faults, flip, little, negative
from material import key_bytes

from padan_linkage.crypto.epochs import framed
from padan_linkage.crypto.keys import exchange_public_key
from padan_linkage.crypto.sealing import seal_whole
from padan_linkage.crypto.signatures import public_key, sign
from padan_linkage.release.envelope import padded_length
from padan_linkage.release.manifest import Line, Release, release_statement

CONTENT = b"kode,nama\n3171,Kota Jakarta Selatan\n"
LINE = Line("kemnaker-bkn-2024", key_bytes("agreement"), "wilayah", "kota", "bkn", "kemnaker")
VERSION = 2
SIGN_KEY = key_bytes("provider sign")


def negative_releases() -> dict[str, Any]:
    """Faults of a release's manifest, and of the envelope that it travels in."""
    return negative("70-releases.md", releases(), envelopes())


def manifest(**change: Any) -> bytes:
    """The manifest's document, with other entries."""
    entries: dict[str, Any] = asdict(LINE) | {
        "agreement_digest": LINE.agreement_digest.hex(),
        "kind": "reference",
        "version": VERSION,
        "previous": key_bytes("version 1").hex(),
        "created": "2026-11-20T00:00:00Z",
        "as_of": "2026-11-19",
        "content_bytes": len(CONTENT),
        "content_sha256": hashlib.sha256(CONTENT).hexdigest(),
        "rows": 1,
    }
    return Release.model_construct(**(entries | change)).document()


def signed(document: bytes) -> dict[str, Any]:
    """A document and the publisher's signature over it."""
    return {"document": document.decode(), "signature": sign(SIGN_KEY, release_statement(document))}


def releases() -> Faults:
    """A manifest as this version of this line; whatever is wrong in it, the publisher signed it."""
    valid = signed(manifest())
    call = Faults(
        "release",
        "Manifest",
        **valid,
        sign_public=public_key(SIGN_KEY),
        line=asdict(LINE),
        version=VERSION,
    )
    document, signature = valid["document"], valid["signature"]
    wrong = "ManifestError:signature"
    call.fault("bad_signature", wrong, signature=flip(signature, 40))
    call.fault("truncated_signature", wrong, signature=signature[:-1])
    unlabelled = sign(SIGN_KEY, document.encode())
    call.fault("signed_without_label", wrong, signature=unlabelled)
    call.fault("wrong_signer", wrong, sign_public=public_key(key_bytes("impostor")))
    forged = {"sign_public": little(1), "signature": little(1) + bytes(32)}
    call.fault("small_order_signer", wrong, **forged)
    for name, entries in {
        "wrong_agreement": {"agreement": "kemnaker-bkn-2025"},
        "wrong_agreement_digest": {"agreement_digest": "00" * 32},
        "wrong_flow": {"flow": "jf-binaan"},
        "wrong_line": {"line": "provinsi"},
        "wrong_publisher": {"publisher": "bps"},
        "wrong_receiver": {"receiver": "bps"},
    }.items():
        call.fault(name, "ManifestError:line", **signed(manifest(**entries)))
    call.fault("wrong_version", "ManifestError:version", **signed(manifest(version=VERSION + 1)))
    call.fault("without_previous", "ManifestError:previous", **signed(manifest(previous=None)))
    for name, entries in {
        "version_zero": {"version": 0},
        "wrong_format": {"format": "padan/v1 label table"},
        "unknown_kind": {"kind": "list"},
        "no_such_day": {"as_of": "2026-02-30"},
        "nothing_in_it": {"content_bytes": 0},
    }.items():
        call.fault(name, "ManifestError", **signed(manifest(**entries)))
    spaced = document.replace(",", ", ").encode()
    call.fault("spaces_between", "ManifestError:manifest", **signed(spaced))
    return call


def envelopes() -> Faults:
    """An envelope, opened by its receiver."""
    publisher, receiver = key_bytes("provider exchange"), key_bytes("requester exchange")
    document = manifest()
    signature = sign(SIGN_KEY, release_statement(document))
    inner = len(document).to_bytes(4, "big") + document + signature + CONTENT
    inner += bytes(padded_length(len(inner)) - len(inner))
    sealed = envelope(inner)
    call = Faults(
        "envelope",
        "Envelope",
        sealed=sealed,
        line=asdict(LINE),
        version=VERSION,
        receiver_private=receiver,
        publisher_public=exchange_public_key(publisher),
        publisher_sign_key=public_key(SIGN_KEY),
    )

    def shut(name: str, **change: Any) -> None:
        call.fault(name, "SealError", **change)

    def inside(name: str, field: str, content: bytes) -> None:
        call.fault(name, f"ManifestError:{field}", sealed=envelope(content))

    shut("truncated", sealed=sealed[:64])
    shut("truncated_encapsulation", sealed=sealed[:31])
    shut("small_order_encapsulation", sealed=bytes(32) + sealed[32:64])
    shut("wrong_version", version=VERSION + 1)
    for name, value in {
        "agreement_digest": key_bytes("other agreement"),
        "flow": "jf-binaan",
        "line": "provinsi",
        "publisher": "bps",
        "receiver": "bps",
    }.items():
        shut(f"wrong_{name}", line=asdict(LINE) | {name: value})
    shut("wrong_receiver_key", receiver_private=key_bytes("impostor"))
    shut("wrong_publisher_key", publisher_public=exchange_public_key(key_bytes("impostor")))
    other = public_key(key_bytes("impostor"))
    call.fault("wrong_sign_key", "ManifestError:signature", publisher_sign_key=other)
    inside("wrong_content", "content", inner.replace(b"Selatan", b"Utara  "))
    inside("padding_not_zero", "padding", inner[:-1] + b"\x01")
    inside("padding_too_short", "padding", inner[:-1])
    return call


def envelope(inner: bytes) -> bytes:
    """``inner`` sealed as a release's is, under a fixed ephemeral key."""
    names = (LINE.flow, LINE.line, LINE.publisher, LINE.receiver)
    info = b"padan/v1 release seal\x00" + LINE.agreement_digest
    info += b"".join(map(framed, names)) + VERSION.to_bytes(8, "big")
    ephemeral = import_x25519_private_key(key_bytes("ephemeral"))
    receiver = exchange_public_key(key_bytes("requester exchange"))
    with mock.patch.object(HPKE.ECC, "generate", return_value=ephemeral):
        return seal_whole(inner, info, key_bytes("provider exchange"), receiver)
