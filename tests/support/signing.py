"""Generated identities, and the example agreements signed with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from padan_lab.demo.flows import several_lists
from padan_linkage.agreement import (
    Agreement,
    example,
    fill_keys,
    fill_pins,
    load_agreement,
    signature_name,
    signature_statement,
    signature_text,
)
from padan_linkage.crypto import signatures
from padan_linkage.direct.manifest import Manifest, manifest_statement


@dataclass(frozen=True)
class PartyKeys:
    """A party's private keys, 32 bytes each; the same name always gives the same keys."""

    party: str
    sign: bytes
    exchange: bytes

    @classmethod
    def of(cls, party: str) -> PartyKeys:
        """The test identity of ``party``."""

        def seed(use: str) -> bytes:
            return hashlib.sha256(f"padan test identity {party} {use}".encode()).digest()

        return cls(party, signatures.generate(seed("sign")), seed("exchange"))

    @property
    def public_keys(self) -> tuple[bytes, bytes]:
        """Ed25519 and X25519 public keys."""
        exchange = X25519PrivateKey.from_private_bytes(self.exchange).public_key()
        return signatures.public_key(self.sign), exchange.public_bytes_raw()


#: Lists an epoch of the agreements that tests sign, which ask more than one.
_LISTS = 1_000


def server_key(server: str) -> ec.EllipticCurvePrivateKey:
    """The TLS key of a server, "unit" or "provider"; the same name always gives the same key."""
    digest = hashlib.sha256(f"padan test server {server}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(digest[:31], "big"), ec.SECP256R1())


@cache
def server_pin(server: str) -> str:
    """What the certificates of :func:`server_key` are known by."""
    spki = server_key(server).public_key()
    return hashlib.sha256(
        spki.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def with_pins(document: bytes) -> bytes:
    """An agreement whose unit is "unit" and whose first provider of direct mode is "provider"."""
    agreement = load_agreement(document)
    servers = {
        party: [server_pin("provider" if party == agreement.flows[0].provider else party)]
        for party in agreement.direct_providers
    }
    return fill_pins(document, [server_pin("unit")] if agreement.unit else [], servers)


def sign_manifest(manifest: Manifest, provider_private: bytes) -> bytes:
    """The provider's Ed25519 signature over a label table's manifest, 64 bytes."""
    return signatures.sign(provider_private, manifest_statement(manifest.document()))


def former_manifest(document: bytes, provider_private: bytes) -> tuple[bytes, bytes]:
    """A label table's manifest as the version before wrote and signed it: one key for all."""
    content = json.loads(document)
    content["public_key"] = next(iter(content.pop("public_keys").values()))
    content["format"] = "padan/v1 label table"
    former = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return former, signatures.sign(provider_private, manifest_statement(former))


@dataclass(frozen=True)
class SignedFile:
    """An agreement that all its parties signed, as written to a folder."""

    agreement: Agreement
    document: bytes
    identities: dict[str, PartyKeys]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the document."""
        return hashlib.sha256(self.document).digest()


def write_signed(
    folder: Path,
    agreement_id: str = "kemnaker-bkn-2024",
    edit: Callable[[str], str] = lambda text: text,
    unsigned_by: str = "",
) -> SignedFile:
    """Write an example agreement with its signatures into ``folder``.

    ``edit`` changes the text before it is signed; ``unsigned_by`` leaves one signature out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    edited = edit(example(agreement_id).decode()).encode()
    signed, by_party = _signed(several_lists(edited, _LISTS))
    name = signed.agreement.id  # ``edit`` may have given it another
    (folder / f"{name}.toml").write_bytes(signed.document)
    for party, signature in by_party.items():
        if party != unsigned_by:
            (folder / signature_name(name, party)).write_text(signature_text(signature))
    return signed


@cache
def _signed(draft: bytes) -> tuple[SignedFile, dict[str, bytes]]:
    """The agreement with its parties' keys filled in, and each party's signature."""
    parties = [p.id for p in load_agreement(draft).parties]
    identities = {party: PartyKeys.of(party) for party in parties}
    document = fill_keys(draft, {p: i.public_keys for p, i in identities.items()})
    document = with_pins(document)
    statement = signature_statement(document)
    by_party = {p: signatures.sign(i.sign, statement) for p, i in identities.items()}
    return SignedFile(load_agreement(document), document, identities), by_party
