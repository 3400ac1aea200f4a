"""Ed25519 with raw keys: published vectors, and keys that prove nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from padan_linkage.crypto import signatures
from padan_linkage.crypto.signatures import SignatureError

VECTORS = Path(__file__).parents[5] / "shared" / "vectors" / "wycheproof_ed25519.json"

#: RFC 8032 section 7.1, tests 1 to 3: private key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
        "11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
        "dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("private", "public", "message", "signature"), RFC_8032)
def test_signs_as_the_rfc_does(private, public, message, signature):
    key, text = bytes.fromhex(private), bytes.fromhex(message)
    assert signatures.public_key(key).hex() == public
    assert signatures.sign(key, text).hex() == signature
    signatures.verify(bytes.fromhex(public), text, bytes.fromhex(signature))


def test_agrees_with_wycheproof():
    if not VECTORS.exists():
        pytest.skip("the published vectors are not on this machine")
    refused = accepted = 0
    for group in json.loads(VECTORS.read_text())["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            if case["result"] == "valid":
                signatures.verify(public, message, signature)
                accepted += 1
            else:
                with pytest.raises(SignatureError):
                    signatures.verify(public, message, signature)
                refused += 1
    assert accepted > 50
    assert refused > 50


def test_a_changed_message_does_not_verify():
    private = signatures.generate(bytes(range(32)))
    signature = signatures.sign(private, b"satu")
    with pytest.raises(SignatureError):
        signatures.verify(signatures.public_key(private), b"dua", signature)


def test_another_party_s_key_does_not_verify():
    signature = signatures.sign(signatures.generate(bytes(32)), b"satu")
    with pytest.raises(SignatureError):
        signatures.verify(signatures.public_key(bytes(range(32))), b"satu", signature)


@pytest.mark.parametrize(
    "weak",
    ["01" + "00" * 31, "00" * 32, "ec" + "ff" * 30 + "7f"],
    ids=["neutral", "order 4", "order 2"],
)
def test_a_key_of_small_order_is_refused(weak):
    """Under the neutral element anybody's all-zero signature would verify for every message."""
    forged = bytes.fromhex("01" + "00" * 31) + bytes(32)
    with pytest.raises(SignatureError, match="small order"):
        signatures.verify(bytes.fromhex(weak), b"apa saja", forged)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_keys_and_signatures_of_another_length_are_refused(length):
    private = signatures.generate(bytes(32))
    public = signatures.public_key(private)
    with pytest.raises(ValueError, match="32 bytes"):
        signatures.generate(bytes(length))
    with pytest.raises(ValueError, match="32 bytes"):
        signatures.sign(bytes(length), b"")
    with pytest.raises(SignatureError, match="32 bytes"):
        signatures.verify(bytes(length), b"", bytes(64))
    with pytest.raises(SignatureError):
        signatures.verify(public, b"", bytes(length))
