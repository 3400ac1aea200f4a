"""Agreements with throw-away keys, and ways to bend them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from Crypto.Protocol.DH import import_x25519_private_key

from padan_lab.demo.flows import with_filters
from padan_linkage.agreement import (
    example,
    fill_keys,
    fill_pins,
    load_agreement,
    signature_name,
    signature_statement,
    signature_text,
)
from padan_linkage.crypto import signatures

Bend = Callable[..., bytes]


def pin(server: str) -> str:
    """What a server's certificates might be known by."""
    return hashlib.sha256(server.encode()).hexdigest()


@dataclass(frozen=True)
class Signers:
    """Private keys of any party, derived from its id, so that every test has the same."""

    def sign_private(self, party: str) -> bytes:
        return signatures.generate(hashlib.sha256(b"sign " + party.encode()).digest())

    def public(self, party: str) -> tuple[bytes, bytes]:
        exchange = hashlib.sha256(b"exchange " + party.encode()).digest()
        raw = import_x25519_private_key(exchange).public_key().export_key(format="raw")
        return signatures.public_key(self.sign_private(party)), bytes(raw)

    def name_servers(self, document: bytes) -> bytes:
        """The document with the pins of the unit and of every server of direct mode."""
        servers = {p: [pin(p)] for p in load_agreement(document).direct_providers}
        return fill_pins(document, [pin("unit")], servers)

    def fill(self, document: bytes) -> bytes:
        parties = [p.id for p in load_agreement(document).parties]
        return fill_keys(self.name_servers(document), {p: self.public(p) for p in parties})

    def sign(self, document: bytes, *parties: str) -> dict[str, bytes]:
        ids = parties or tuple(p.id for p in load_agreement(document).parties)
        statement = signature_statement(document)
        return {p: signatures.sign(self.sign_private(p), statement) for p in ids}

    def write(self, folder: Path, document: bytes, *parties: str) -> Path:
        """The agreement file with its signatures, in ``folder``."""
        agreement_id = load_agreement(document).id
        path = folder / f"{agreement_id}.toml"
        path.write_bytes(document)
        for party, signature in self.sign(document, *parties).items():
            name = signature_name(agreement_id, party)
            (folder / name).write_text(signature_text(signature))
        return path


@pytest.fixture(scope="session")
def signers() -> Signers:
    return Signers()


@pytest.fixture(scope="session")
def flagship(signers: Signers) -> bytes:
    """kemnaker-bkn-2024 with keys."""
    return signers.fill(example("kemnaker-bkn-2024"))


@pytest.fixture(scope="session")
def filtered(flagship: bytes) -> bytes:
    """The flagship whose first flow accepts two passes with a filter."""
    return with_filters(flagship)


@pytest.fixture(scope="session")
def bend() -> Bend:
    """Replace text in a document, first occurrence, and insist that it was there."""

    def replace(document: bytes, changes: Mapping[str, str]) -> bytes:
        text = document.decode()
        for old, new in changes.items():
            assert old in text, f"the document has no {old!r}"
            text = text.replace(old, new, 1)
        return text.encode()

    return replace
