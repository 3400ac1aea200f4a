"""The agency's keys on disk: protected, never shown, never overwritten."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import pickle

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from padan_client.base.errors import BadInputError
from padan_client.home.identity import (
    create_identity,
    is_encrypted,
    load_identity,
    save_identity,
)
from padan_client.home.protection import locked
from padan_linkage.agreement import example
from padan_linkage.crypto import signatures

GOOD = "sapi goreng merah tua hujan"


class Randomness:
    """Bytes that a test can predict."""

    def __init__(self, seed: str = "") -> None:
        self.seed, self.count = seed, 0

    def __call__(self, n: int) -> bytes:
        self.count += 1
        return hashlib.shake_256(f"{self.seed} {self.count}".encode()).digest(n)


@pytest.fixture(autouse=True)
def _cheap_scrypt(monkeypatch):
    monkeypatch.setattr(locked, "SCRYPT_N", 2**10)


@pytest.fixture
def identity():
    return create_identity("bkn", Randomness())


@pytest.mark.parametrize("passphrase", [None, GOOD])
def test_what_is_saved_is_what_is_loaded(tmp_path, identity, passphrase):
    public = save_identity(tmp_path, identity, passphrase=passphrase, randomness=Randomness("x"))
    assert is_encrypted(tmp_path) == bool(passphrase)
    loaded = load_identity(tmp_path, passphrase=passphrase)
    assert loaded.exchange_private() == identity.exchange_private()
    signatures.verify(identity.public.sign_key, b"message", loaded.sign(b"message"))

    given = json.loads(public.read_text())
    assert public.name == "bkn.public.json"
    assert set(given) == {"party", "sign_key", "exchange_key"}
    assert base64.b64decode(given["exchange_key"]) == identity.public.exchange_key
    assert public.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "identity.json").stat().st_mode & 0o777 == 0o600


def test_a_plain_identity_that_others_can_read_is_refused(tmp_path, identity):
    save_identity(tmp_path, identity, passphrase=None, randomness=Randomness())
    for mode in (0o640, 0o604, 0o660, 0o610):
        (tmp_path / "identity.json").chmod(mode)
        with pytest.raises(BadInputError, match="chmod 600"):
            load_identity(tmp_path)


def test_an_encrypted_identity_needs_its_passphrase(tmp_path, identity):
    save_identity(tmp_path, identity, passphrase=GOOD, randomness=Randomness())
    for wrong in (None, "", "salah", GOOD[:-1]):
        with pytest.raises(BadInputError, match="sandi"):
            load_identity(tmp_path, passphrase=wrong)
    text = (tmp_path / "identity.json").read_text()
    assert base64.b64encode(identity.exchange_private()).decode() not in text


def test_an_encrypted_identity_cannot_be_given_to_another_party(tmp_path, identity):
    save_identity(tmp_path, identity, passphrase=GOOD, randomness=Randomness())
    path = tmp_path / "identity.json"
    path.write_text(path.read_text().replace('"bkn"', '"kemnaker"'))
    with pytest.raises(BadInputError):
        load_identity(tmp_path, passphrase=GOOD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("n", cost) for cost in (0, 1, -(2**17), 2**9, 2**21, 2**62, 3 * 2**12, 2.0**17, "x")),
        *(("r", cost) for cost in (0, 4, 16, 2**20)),
        *(("p", cost) for cost in (0, 2, 2**20)),
        *(("kdf", name) for name in ("pbkdf2", None)),
        *((name, "AA==") for name in ("salt", "nonce")),
    ],
)
def test_a_key_file_asks_for_neither_all_the_memory_nor_less_work(tmp_path, identity, name, value):
    save_identity(tmp_path, identity, passphrase=GOOD, randomness=Randomness())
    path = tmp_path / "identity.json"
    document = json.loads(path.read_text())
    document["encrypted"][name] = value
    path.write_text(json.dumps(document))
    with pytest.raises(BadInputError, match="rusak"):
        load_identity(tmp_path, passphrase=GOOD)


@pytest.mark.parametrize(
    "content",
    [
        *("", "{}", "[]", "[" * 60_000, "\xff", '{"format": "padan identity 2"}'),
        '{"format": "padan identity 1"}',
        '{"format": "other", "party": 1}',
        *(
            f'{{"format": "padan identity 2", "party": "bkn", "plain": {plain}}}'
            for plain in ("null", "{}", '"x"', '{"sign": "", "exchange": ""}', '{"sign": 1}')
        ),
    ],
)
def test_a_damaged_key_file_is_named(tmp_path, content):
    (tmp_path / "identity.json").write_text(content)
    (tmp_path / "identity.json").chmod(0o600)
    with pytest.raises(BadInputError, match=r"identity\.json"):
        load_identity(tmp_path)


def test_no_keys_yet_says_what_to_run(tmp_path):
    with pytest.raises(BadInputError, match="padan keys init"):
        load_identity(tmp_path)


@pytest.mark.parametrize(
    "weak", ["", "pendek", "bkn bkn bkn bkn", "dinas-uji-2031", "Balai Terampil Satu Atap"]
)
def test_a_weak_passphrase_makes_no_keys(tmp_path, identity, weak):
    """Nor one of the names of this home's own agreements and parties."""
    agreement = tmp_path / "agreements/dinas-uji-2031.toml"
    agreement.parent.mkdir()
    given = example("kemnaker-bkn-2024").decode()
    agreement.write_text(given.replace("Badan Kepegawaian Negara", "Balai Terampil Satu Atap"))
    with pytest.raises(BadInputError, match="Frasa sandi"):
        save_identity(tmp_path, identity, passphrase=weak, randomness=Randomness())
    assert [p.name for p in tmp_path.iterdir()] == ["agreements"]


def test_what_guessing_costs_is_what_the_file_says(tmp_path, identity, monkeypatch):
    monkeypatch.undo()
    save_identity(tmp_path, identity, passphrase=GOOD, randomness=Randomness())
    box = json.loads((tmp_path / "identity.json").read_text())["encrypted"]
    assert (box["kdf"], box["n"], box["r"], box["p"]) == ("scrypt", 2**17, 8, 1)
    given = {name: base64.b64decode(box[name]) for name in ("salt", "nonce", "ciphertext")}
    key = hashlib.scrypt(
        GOOD.encode(), salt=given["salt"], n=2**17, r=8, p=1, maxmem=2**28, dklen=32
    )
    plain = AESGCM(key).decrypt(
        given["nonce"], given["ciphertext"], b"padan/v1 identity\x00" + b"bkn"
    )
    assert base64.b64decode(json.loads(plain)["exchange"]) == identity.exchange_private()


def test_a_key_file_of_an_earlier_version_is_refused_with_a_true_sentence(tmp_path, identity):
    save_identity(tmp_path, identity, passphrase=GOOD, randomness=Randomness())
    path = tmp_path / "identity.json"
    path.write_text(path.read_text().replace("padan identity 2", "padan identity 1"))
    with pytest.raises(BadInputError, match="versi Padan yang terdahulu"):
        load_identity(tmp_path, passphrase=GOOD)


def test_a_locked_identity_is_nobody_elses_to_guess_at(tmp_path, identity):
    save_identity(tmp_path, identity, passphrase=GOOD, randomness=Randomness())
    (tmp_path / "identity.json").chmod(0o640)
    with pytest.raises(BadInputError, match="chmod 600"):
        load_identity(tmp_path, passphrase=GOOD)


def test_letters_typed_in_two_ways_are_one_passphrase(tmp_path, identity):
    composed, decomposed = "kaf\u00e9 hujan tua merah", "kafe\u0301 hujan tua merah"
    save_identity(tmp_path, identity, passphrase=composed, randomness=Randomness())
    assert load_identity(tmp_path, passphrase=decomposed).public == identity.public


@pytest.mark.parametrize("party", ["", "../bkn", "BKN", 'b"n', "b/n", "b" * 64, "bkn\n"])
def test_a_party_that_no_agreement_could_name_gets_no_keys(party):
    with pytest.raises(BadInputError, match="huruf kecil"):
        create_identity(party, Randomness())


def test_keys_are_never_overwritten(tmp_path, identity):
    save_identity(tmp_path, identity, passphrase=None, randomness=Randomness())
    before = (tmp_path / "identity.json").read_bytes()
    with pytest.raises(BadInputError, match="sudah ada"):
        save_identity(
            tmp_path, create_identity("bkn", Randomness("2")), passphrase=None, randomness=bytes
        )
    assert (tmp_path / "identity.json").read_bytes() == before


def test_an_identity_shows_and_copies_no_key(identity):
    assert repr(identity) == "Identity('bkn', keys=<redacted>)"
    for duplicate in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            duplicate(identity)


def test_own_secrets_differ_by_label_and_identity(identity):
    other = create_identity("bkn", Randomness("2"))
    secrets = {identity.derive(b"a"), identity.derive(b"b"), other.derive(b"a")}
    assert len(secrets) == 3
    assert identity.derive(b"a") == identity.derive(b"a")
