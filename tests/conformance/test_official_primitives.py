"""Official vectors, replayed against the very calls that keys, tokens, filters and seals make."""

import hmac
import json
from pathlib import Path

import cryptography_vectors
import numpy as np
import pyarrow as pa
import pytest
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key, import_x25519_public_key
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from padan_linkage.compiled.sha256 import hmac_sha256
from padan_linkage.crypto.keys import KeyAgreementError, _hkdf, exchange
from padan_linkage.crypto.signatures import SignatureError, sign, verify
from padan_linkage.encoding.siphash import sip_bytes

HPKE_FILE = Path(cryptography_vectors.__file__).parent / "HPKE" / "test-vectors.json"


def unhex(case, *names):
    return [bytes.fromhex(case[name]) for name in names]


def siphash(key, message, head_bytes):
    """The package's SipHash, the first ``head_bytes`` handed over as the head."""
    low, high = np.frombuffer(key, "<u8").astype(np.uint64)
    data = np.frombuffer(b"#" + message + b"#", np.uint8).copy()  # neighbours must not matter
    head = data[1 : 1 + head_bytes].copy()
    words = sip_bytes((low, high), head, data, 1 + head_bytes, 1 + len(message))
    return b"".join(int(word).to_bytes(8, "little") for word in words)


def test_siphash_128(wycheproof, reference):
    cases = wycheproof("siphashx_2_4")
    for group, case in cases:
        assert (group["keySize"], group["tagSize"]) == (128, 128)
        key, message, tag = unhex(case, "key", "msg", "tag")
        valid = case["result"] == "valid"
        heads = range(min(len(message), 9) + 1)
        assert all((siphash(key, message, n) == tag) is valid for n in heads), case["tcId"]
        assert (reference.siphash(key, message) == tag) is valid
    assert len(cases) >= 40


def test_hkdf_sha256(wycheproof):
    valid = 0
    for _, case in wycheproof("hkdf_sha256"):
        secret, salt, info, expected = unhex(case, "ikm", "salt", "info", "okm")
        if case["result"] == "valid":
            assert _hkdf(secret, salt, info, case["size"]) == expected, case["tcId"]
            valid += 1
        else:
            with pytest.raises(ValueError, match="Too much"):
                _hkdf(secret, salt, info, case["size"])
    assert valid >= 80


def test_hmac_sha256(wycheproof):
    replayed = 0
    for group, case in wycheproof("hmac_sha256"):
        key, message, tag = unhex(case, "key", "msg", "tag")
        if len(key) > 64:
            with pytest.raises(ValueError, match="64"):
                hmac_sha256(key, pa.array([message], pa.large_binary()))
            continue
        made = hmac_sha256(key, pa.array([message], pa.large_binary()))[0].tobytes()[
            : group["tagSize"] // 8
        ]
        assert hmac.compare_digest(made, tag) is (case["result"] == "valid"), case["tcId"]
        replayed += 1
    assert replayed >= 100


def test_x25519_refuses_what_is_not_contributory(wycheproof):
    refused = agreed = 0
    for _, case in wycheproof("x25519"):
        public, private, shared = unhex(case, "public", "private", "shared")
        if shared == bytes(32):
            with pytest.raises(KeyAgreementError):
                exchange(private, public)
            refused += 1
            continue
        try:
            assert exchange(private, public) == shared, case["tcId"]
            agreed += 1
        except KeyAgreementError:
            assert case["result"] == "acceptable", case["tcId"]
    assert refused >= 20
    assert agreed >= 264


def test_ed25519(wycheproof):
    for group, case in wycheproof("ed25519"):
        public = bytes.fromhex(group["publicKey"]["pk"])
        message, signature = unhex(case, "msg", "sig")
        try:
            verify(public, message, signature)
            genuine = True
        except SignatureError:
            genuine = False
        assert genuine is (case["result"] == "valid"), case["tcId"]


def test_aes_256_gcm(wycheproof):
    replayed = 0
    for group, case in wycheproof("aes_gcm"):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue  # sealed codes use this form alone
        key, nonce, aad, message, body, tag = unhex(case, "key", "iv", "aad", "msg", "ct", "tag")
        cipher = AESGCM(key)
        if case["result"] == "valid":
            assert cipher.encrypt(nonce, message, aad) == body + tag
            assert cipher.decrypt(nonce, body + tag, aad) == message
        else:
            with pytest.raises(InvalidTag):
                cipher.decrypt(nonce, body + tag, aad)
        replayed += 1
    assert replayed >= 60


def hpke_cases():
    """RFC 9180's vectors for DHKEM(X25519, HKDF-SHA256) with HKDF-SHA256, base and auth mode."""
    cases = json.loads(HPKE_FILE.read_text("utf-8"))
    return [c for c in cases if (c["kem_id"], c["kdf_id"]) == (32, 1) and c["mode"] in (0, 2)]


@pytest.mark.parametrize("case", hpke_cases(), ids=lambda c: f"mode{c['mode']}-aead{c['aead_id']}")
def test_hpke_receiver(case, reference_seal):
    private, encapsulated, info = unhex(case, "skRm", "enc", "info")
    sender = bytes.fromhex(case["pkSm"]) if case["mode"] == 2 else None
    context = HPKE.new(
        receiver_key=import_x25519_private_key(private),
        sender_key=import_x25519_public_key(sender) if sender else None,
        aead_id=HPKE.AEAD(case["aead_id"]),
        enc=encapsulated,
        info=info,
    )
    for export in case["exports"]:
        of, expected = unhex(export, "exporter_context", "exported_value")
        assert context.export(of, export["L"]) == expected
    if case["aead_id"] != 0xFFFF:
        for message in case["encryptions"][:3]:
            aad, sealed, plain = unhex(message, "aad", "ct", "pt")
            assert context.unseal(sealed, aad) == plain
    if case["mode"] == 2:
        secret = reference_seal.auth_decap(encapsulated, private, sender)
        assert secret == bytes.fromhex(case["shared_secret"])


def test_hpke_vectors_are_there():
    kinds = {(c["mode"], c["aead_id"]) for c in hpke_cases()}
    assert (2, 2) in kinds  # auth mode with AES-256-GCM: what seals use


def test_ed25519_signs_as_rfc_8032_does():
    private = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    expected = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert sign(private, b"").hex() == expected
