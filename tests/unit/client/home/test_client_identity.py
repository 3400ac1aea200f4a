"""The agency's keys on disk: protected, never shown, never overwritten."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import pickle

import pytest

from padan_client.base.errors import BadInputError
from padan_client.home import identity as module
from padan_client.home.identity import (
    create_identity,
    is_encrypted,
    load_identity,
    save_identity,
)
from padan_linkage.crypto import signatures


class Randomness:
    """Bytes that a test can predict."""

    def __init__(self, seed: str = "") -> None:
        self.seed, self.count = seed, 0

    def __call__(self, n: int) -> bytes:
        self.count += 1
        return hashlib.shake_256(f"{self.seed} {self.count}".encode()).digest(n)


@pytest.fixture(autouse=True)
def _cheap_scrypt(monkeypatch):
    monkeypatch.setattr(module, "_SCRYPT_N", 2**10)


@pytest.fixture
def identity():
    return create_identity("bkn", Randomness())


@pytest.mark.parametrize("passphrase", [None, "rahasia negara"])
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
    save_identity(tmp_path, identity, passphrase="benar", randomness=Randomness())
    for wrong in (None, "", "salah"):
        with pytest.raises(BadInputError, match="sandi"):
            load_identity(tmp_path, passphrase=wrong)
    text = (tmp_path / "identity.json").read_text()
    assert base64.b64encode(identity.exchange_private()).decode() not in text


def test_an_encrypted_identity_cannot_be_given_to_another_party(tmp_path, identity):
    save_identity(tmp_path, identity, passphrase="benar", randomness=Randomness())
    path = tmp_path / "identity.json"
    path.write_text(path.read_text().replace('"bkn"', '"kemnaker"'))
    with pytest.raises(BadInputError):
        load_identity(tmp_path, passphrase="benar")


@pytest.mark.parametrize("cost", [0, 1, 2**21, 1000, "x"])
def test_a_key_file_cannot_ask_for_all_the_memory(tmp_path, identity, cost):
    save_identity(tmp_path, identity, passphrase="benar", randomness=Randomness())
    path = tmp_path / "identity.json"
    document = json.loads(path.read_text())
    document["encrypted"]["n"] = cost
    path.write_text(json.dumps(document))
    with pytest.raises(BadInputError):
        load_identity(tmp_path, passphrase="benar")


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"format": "padan identity 1"}', '{"format": "other", "party": 1}']
)
def test_a_damaged_key_file_is_named(tmp_path, content):
    (tmp_path / "identity.json").write_text(content)
    (tmp_path / "identity.json").chmod(0o600)
    with pytest.raises(BadInputError, match=r"identity\.json"):
        load_identity(tmp_path)


def test_no_keys_yet_says_what_to_run(tmp_path):
    with pytest.raises(BadInputError, match="padan keys init"):
        load_identity(tmp_path)


def test_an_empty_passphrase_is_not_no_passphrase(tmp_path, identity):
    with pytest.raises(BadInputError, match="--no-passphrase"):
        save_identity(tmp_path, identity, passphrase="", randomness=Randomness())
    assert not list(tmp_path.iterdir())


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
