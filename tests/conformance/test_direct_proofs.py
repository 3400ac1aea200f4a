"""Proofs of a batch (RFC 9497, DLEQ): the vectors', the reference's, the library's; and lies."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from library_requester import blind as library_blind
from voprf import ristretto

from padan_linkage.direct import oprf
from padan_linkage.direct.blinding import blind, verify_proof
from padan_linkage.direct.lanes.constants import L
from padan_linkage.direct.oprf import MAX_BATCH, OprfError, derive_key
from padan_linkage.direct.suite import hashing, proofs, scalars
from padan_linkage.direct.suite.elements import split
from padan_linkage.direct.suite.sha512 import HashInputs

SEED, INFO = bytes(range(32)), b"a key"


def unhex(text):
    return b"".join(bytes.fromhex(part) for part in text.split(","))


def proved(secret, public, blinded, evaluated, nonce):
    made = oprf.batch(blinded)
    return proofs.prove_with(secret, split(public), made, split(evaluated), nonce)


def test_the_official_proofs_byte_for_byte(suite):
    secret, public = (scalars.rows(bytes.fromhex(suite[name])) for name in ("skSm", "pkSm"))
    for vector in suite["vectors"]:
        blinded, evaluated = unhex(vector["BlindedElement"]), unhex(vector["EvaluationElement"])
        nonce = scalars.rows(bytes.fromhex(vector["Proof"]["r"]))
        expected = bytes.fromhex(vector["Proof"]["proof"])
        assert proved(secret, public.tobytes(), blinded, evaluated, nonce) == expected
        verify_proof(blinded, evaluated, expected, public.tobytes())


@pytest.fixture(scope="module")
def secret(reference_voprf):
    return reference_voprf.derive_key(SEED, INFO)[0]


@pytest.fixture(scope="module")
def key():
    return derive_key(SEED, INFO)


@settings(max_examples=8)
@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=10), st.integers(1, L - 1))
def test_a_proof_is_the_reference_s(reference_voprf, secret, key, inputs, nonce):
    blinded = blind(inputs, bytes(range(64)) * len(inputs)).elements
    pieces = [row.tobytes() for row in split(blinded)]
    evaluated, expected = reference_voprf.evaluate(secret, pieces, nonce)
    mine = scalars.packed([secret]), key.public_key, blinded, b"".join(evaluated)
    assert proved(*mine, scalars.packed([nonce])) == expected


@settings(max_examples=30)
@given(st.binary(max_size=300))
def test_a_message_s_scalar_is_the_reference_s(reference_voprf, message):
    made = hashing.hash_to_scalars(message[:9], HashInputs.of([message[9:]]))
    assert int.from_bytes(made.tobytes(), "little") == reference_voprf.to_scalar(message)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 33])
def test_the_library_takes_our_proofs_and_we_take_the_library_s(key, count):
    inputs = [b"%d" % i for i in range(count)]
    theirs = library_blind(inputs)
    answer = key.evaluate_blinded(theirs.elements, bytes(32))
    assert (theirs.finalise(*answer, key.public_key) == key.evaluate(inputs)).all()
    mine = blind(inputs, bytes(range(64)) * count)
    elements = [ristretto.BlindedInput.deserialize(row.tobytes()) for row in split(mine.elements)]
    packed = ristretto.Evaluator.from_seed(SEED, INFO).evaluate_batch(elements).serialize()
    made = mine.finalise(packed[64:], packed[:64], key.public_key)
    assert (made == key.evaluate(inputs)).all()


# What must not pass.


@pytest.fixture(scope="module")
def batch(key):
    """Three elements, evaluated and proved."""
    blinded = blind([b"a", b"b", b"c"], bytes(range(192))).elements
    return blinded, *key.evaluate_blinded(blinded, bytes(32)), key.public_key


def refuses(*case):
    with pytest.raises(OprfError):
        verify_proof(*case)


@pytest.mark.parametrize("part", [0, 1, 2, 3], ids=["asked", "answered", "proof", "key"])
def test_no_byte_of_it_may_change(batch, part):
    verify_proof(*batch)
    for place in range(len(batch[part])):
        changed = bytearray(batch[part])
        changed[place] ^= 1 << place % 8
        refuses(*batch[:part], bytes(changed), *batch[part + 1 :])


def test_a_proof_is_of_this_order_this_key_and_this_batch(batch, key):
    blinded, evaluated, proof, public = batch
    other = derive_key(SEED, b"another")
    theirs, their_proof = other.evaluate_blinded(blinded, bytes(32))
    swapped = [part[32:64] + part[:32] + part[64:] for part in (blinded, evaluated)]
    refuses(blinded, swapped[1], proof, public)
    refuses(swapped[0], evaluated, proof, public)
    refuses(*swapped, proof, public)
    refuses(blinded, theirs, their_proof, public)
    refuses(blinded, theirs, proof, public)
    refuses(blinded, evaluated, proof, other.public_key)
    refuses(blinded, theirs[:32] + evaluated[32:], proof, public)
    refuses(blinded[:64], evaluated[:64], proof, public)
    refuses(blinded * 2, evaluated * 2, proof, public)
    assert key.evaluate_blinded(blinded, bytes(32)) == (evaluated, proof)


def test_a_number_is_spelt_in_one_way(batch):
    blinded, evaluated, proof, public = batch
    for half in (0, 32):
        number = int.from_bytes(proof[half : half + 32], "little")
        for spelt in range(number + L, 2**256, L):
            wrong = spelt.to_bytes(32, "little")
            refuses(blinded, evaluated, proof[:half] + wrong + proof[half + 32 :], public)


def test_a_batch_has_something_and_not_too_much(batch, key):
    blinded, evaluated, proof, public = batch
    refuses(b"", b"", proof, public)
    refuses(blinded[:-1], evaluated[:-1], proof, public)
    refuses(blinded, evaluated, proof[:-1], public)
    refuses(blinded, evaluated, proof, public + b"\0")
    many = blinded[:32] * (MAX_BATCH + 1)
    refuses(many, many, proof, public)
    for elements in (b"", many):
        with pytest.raises(OprfError, match="batch"):
            key.evaluate_blinded(elements, bytes(32))


# Secrets.


def nonce_of(proof, secret):
    c, s = (int.from_bytes(half, "little") for half in (proof[:32], proof[32:]))
    return (s + c * secret) % L


def test_a_nonce_serves_one_batch_even_if_randomness_repeats(key, secret):
    batches = [blind([text], bytes(64)).elements for text in (b"a", b"b")]
    nonces = {
        nonce_of(key.evaluate_blinded(elements, randomness)[1], secret)
        for elements in batches
        for randomness in (bytes(32), b"\x01" * 32)
    }
    assert len(nonces) == 4
    other = derive_key(SEED, b"another")
    assert key.evaluate_blinded(batches[0], bytes(32)) != other.evaluate_blinded(
        batches[0], bytes(32)
    )
    with pytest.raises(ValueError, match="32"):
        key.evaluate_blinded(batches[0], bytes(31))


def test_a_key_shows_nothing_and_is_written_nowhere(key, secret):
    shown = (repr(key), str(key), f"{key}", f"{[key]}", repr(vars(type(key))))
    raw = secret.to_bytes(32, "little")
    for text in shown:
        assert raw.hex() not in text
        assert str(list(raw))[1:-1] not in text
    assert not hasattr(key, "__dict__")
    writes = (pickle.dumps, copy.copy, copy.deepcopy, lambda k: k.__getstate__())
    for write in writes:
        with pytest.raises(TypeError, match="derived again"):
            write(key)
    for version in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="derived again"):
            pickle.dumps(key, version)


def test_a_proof_about_the_identity_holds_for_nobody(monkeypatch):
    """Weights that make it of the answers cannot be found; whoever did is refused, not crashed."""
    key = derive_key(SEED, INFO)
    blinded = blind([b"a"], bytes(range(64)))
    evaluated, proof = key.evaluate_blinded(blinded.elements, bytes(32))
    monkeypatch.setattr(proofs, "_weights", lambda *_: scalars.packed([0]))
    with pytest.raises(OprfError, match="does not hold"):
        verify_proof(blinded.elements, evaluated, proof, key.public_key)
