"""The requester's half in compiled kernels: official vectors, a second implementation, refusals."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.direct import blinding, oprf
from padan_linkage.direct.blinding import blind, blind_with, blinded_before, verify_proof
from padan_linkage.direct.lanes.constants import L
from padan_linkage.direct.oprf import MAX_BATCH, MAX_INPUT_BYTES, OprfError
from padan_linkage.direct.suite import scalars


def unhex(text):
    return [bytes.fromhex(part) for part in text.split(",")]


@pytest.fixture(scope="module")
def vectors(official):
    name = "rfc9497_oprf_allVectors.json"
    if not (official / name).exists():
        pytest.skip(f"official vectors are not beside the repository: {name}")
    suites = json.loads((official / name).read_text("utf-8"))
    (suite,) = [s for s in suites if s["identifier"] == oprf.SUITE and s["mode"] == 1]
    return suite


@pytest.fixture(scope="module")
def key():
    return oprf.epoch_key(bytes(32), agreement_digest=bytes(32), flow_id="f", epoch=1, key_id="k")


def test_every_byte_of_the_official_vectors(vectors):
    public = bytes.fromhex(vectors["pkSm"])
    for vector in vectors["vectors"]:
        batch = blind_with(unhex(vector["Input"]), scalars.rows(b"".join(unhex(vector["Blind"]))))
        assert batch.elements == b"".join(unhex(vector["BlindedElement"]))
        evaluated = b"".join(unhex(vector["EvaluationElement"]))
        made = batch.finalise(evaluated, bytes.fromhex(vector["Proof"]["proof"]), public)
        assert [y.tobytes() for y in made] == unhex(vector["Output"])


INPUTS = st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=6)


@settings(max_examples=20)
@given(INPUTS, st.data())
def test_the_library_answers_what_the_kernels_ask(inputs, data):
    key = oprf.epoch_key(bytes(32), agreement_digest=bytes(32), flow_id="f", epoch=1, key_id="k")
    seed = data.draw(st.binary(min_size=64 * len(inputs), max_size=64 * len(inputs)))
    batch = blind(inputs, seed)
    made = batch.finalise(*key.evaluate_blinded(batch.elements, bytes(32)), key.public_key)
    assert (made == key.evaluate(inputs)).all()
    assert blind(inputs, seed).elements == batch.elements, "a repeat finds another list"
    again = blinded_before(inputs, seed, batch.elements)
    assert (again.inputs, again.elements) == (batch.inputs, batch.elements)
    assert (again.blinds == batch.blinds).all()


@settings(max_examples=15)
@given(st.binary(min_size=1, max_size=60), st.integers(1, L - 1))
def test_a_blinded_element_is_the_reference_s(reference_voprf, message, scalar):
    made = blind_with([message], scalars.packed([scalar]))
    assert made.elements == reference_voprf.blind(message, scalar)


def flip(raw, bit):
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# What must not pass.


@pytest.fixture(scope="module")
def batch(key):
    made = blind([b"a", b"b", b"c"], bytes(range(192)))
    return made, *key.evaluate_blinded(made.elements, bytes(32)), key.public_key


@settings(max_examples=60)
@given(part=st.integers(0, 2), bit=st.integers(0, 255))
def test_no_flipped_bit_passes_as_proved(batch, part, bit):
    made, *answer = batch
    answer[part] = flip(answer[part], bit)
    with pytest.raises(OprfError):
        made.finalise(*answer)


def test_answers_of_another_key_length_or_order_are_refused(batch, key):
    made, evaluated, proof, public = batch
    other = oprf.epoch_key(bytes(32), agreement_digest=bytes(32), flow_id="f", epoch=2, key_id="k")
    theirs, their_proof = other.evaluate_blinded(made.elements, bytes(32))
    swapped = evaluated[32:64] + evaluated[:32] + evaluated[64:]
    for answer in (
        (theirs, their_proof, public),
        (theirs[:32] + evaluated[32:], proof, public),
        (swapped, proof, public),
        (evaluated[:-32], proof, public),
        (evaluated, proof + b"\0", public),
        (evaluated, proof, other.public_key),
        (evaluated, proof, bytes(32)),
        (bytes(96), proof, public),
        (evaluated, (L + 1).to_bytes(32, "little") + proof[32:], public),
    ):
        with pytest.raises(OprfError):
            made.finalise(*answer)
    verify_proof(made.elements, evaluated, proof, public)
    assert (made.finalise(evaluated, proof, public) == key.evaluate([b"a", b"b", b"c"])).all()


def test_blinds_do_not_leak_and_wrong_arguments_are_told(batch):
    made = batch[0]
    assert repr(made) == "Blinded(elements=3)"
    with pytest.raises(TypeError):
        pickle.dumps(made)
    many = MAX_BATCH + 1
    for inputs, seed in (
        ([], b""),
        ([b""], bytes(64)),
        ([bytes(MAX_INPUT_BYTES + 1)], bytes(64)),
        ([b"a"], bytes(63)),
        ([b"a"] * many, bytes(64 * many)),
    ):
        with pytest.raises(ValueError, match=r"input|random"):
            blind(inputs, seed)
        with pytest.raises(ValueError, match=r"input|random"):
            blinded_before(inputs, seed, bytes(32 * len(inputs)))
    with pytest.raises(ValueError, match="element"):
        blinded_before([b"a"], bytes(64), bytes(33))
    assert (blind([b"a"], bytes(64)).blinds == scalars.packed([1])).all(), "never zero"
    for wrong in ([0], [L], [1, 2]):
        with pytest.raises(ValueError, match="blind"):
            blind_with([b"a"], scalars.packed(wrong))
    assert blinding.BLIND_SEED_BYTES == 64
