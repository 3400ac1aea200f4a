"""The oblivious PRF is RFC 9497's: official vectors, an independent reference, and refusals.

The requester here is the ``voprf`` library, which draws its blinds itself.
"""

import pytest
from library_requester import blind, check_public_key

from padan_linkage.direct import oprf
from padan_linkage.direct.oprf import OprfError, derive_key, epoch_key, epoch_keys

P = 2**255 - 19


def unhex(text):
    return [bytes.fromhex(part) for part in text.split(",")]


def test_key_pair(suite, reference_voprf):
    seed, info = bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"])
    assert derive_key(seed, info).public_key.hex() == suite["pkSm"]
    secret, public = reference_voprf.derive_key(seed, info)
    assert (secret.to_bytes(32, "little").hex(), public.hex()) == (suite["skSm"], suite["pkSm"])


def test_outputs_of_known_inputs(suite):
    key = derive_key(bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]))
    for vector in suite["vectors"]:
        made = key.evaluate(unhex(vector["Input"]))
        assert [y.tobytes() for y in made] == unhex(vector["Output"])


def test_evaluated_elements(suite, reference_voprf):
    key = derive_key(bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]))
    for vector in suite["vectors"]:
        blinded, expected = unhex(vector["BlindedElement"]), unhex(vector["EvaluationElement"])
        evaluated, proof = key.evaluate_blinded(b"".join(blinded), bytes(32))
        assert evaluated == b"".join(expected)
        assert reference_voprf.proof_holds(key.public_key, blinded, expected, proof)


def test_the_reference_makes_every_byte_of_the_official_vectors(suite, reference_voprf):
    secret = int.from_bytes(bytes.fromhex(suite["skSm"]), "little")
    for vector in suite["vectors"]:
        inputs, outputs = unhex(vector["Input"]), unhex(vector["Output"])
        scalars = [int.from_bytes(b, "little") for b in unhex(vector["Blind"])]
        blinded = [reference_voprf.blind(*b) for b in zip(inputs, scalars, strict=True)]
        assert blinded == unhex(vector["BlindedElement"])
        r = int.from_bytes(bytes.fromhex(vector["Proof"]["r"]), "little")
        evaluated, proof = reference_voprf.evaluate(secret, blinded, r)
        assert evaluated == unhex(vector["EvaluationElement"])
        assert proof.hex() == vector["Proof"]["proof"]
        made = [
            reference_voprf.finalise(*each) for each in zip(inputs, scalars, evaluated, strict=True)
        ]
        assert made == outputs
        assert [reference_voprf.output(secret, each) for each in inputs] == outputs


@pytest.fixture(scope="module")
def key():
    return key_of()


def key_of(seed=bytes(range(32)), digest=bytes(32), flow_id="asn-status", epoch=3, key_id="nik"):
    """The key of the fixture, or another."""
    return epoch_key(seed, agreement_digest=digest, flow_id=flow_id, epoch=epoch, key_id=key_id)


def test_an_epoch_s_key_is_the_reference_s(key, reference_voprf):
    info = reference_voprf.key_info(bytes(32), "asn-status", 3, "nik")
    secret, public = reference_voprf.derive_key(bytes(range(32)), info)
    assert public == key.public_key
    assert reference_voprf.output(secret, b"x") == key.evaluate([b"x"])[0].tobytes()


def test_each_direct_key_epoch_flow_and_agreement_has_a_key_of_its_own(key):
    others = [
        key_of(key_id="nip"),
        key_of(epoch=4),
        key_of(flow_id="jf-binaan"),
        key_of(digest=b"\x01" * 32),
        key_of(seed=b"\x01" * 32),
    ]
    assert len({k.public_key for k in (key, *others)}) == 6
    assert len({k.evaluate([b"x"]).tobytes() for k in (key, *others)}) == 6


def test_keys_made_together_are_those_made_alone():
    ids = [f"k{n}" for n in range(11)]
    flow = {"agreement_digest": bytes(32), "flow_id": "asn-status", "epoch": 3}
    made = epoch_keys(bytes(range(32)), **flow, key_ids=ids)
    assert list(made) == ids
    for key_id, together in made.items():
        alone = key_of(key_id=key_id)
        assert together.public_key == alone.public_key
        assert (together.evaluate([b"x"]) == alone.evaluate([b"x"])).all()


def test_the_library_takes_the_reference_s_proofs(key, reference_voprf):
    info = reference_voprf.key_info(bytes(32), "asn-status", 3, "nik")
    secret, _ = reference_voprf.derive_key(bytes(range(32)), info)
    batch = blind([b"a", b"b"])
    pieces = [row.tobytes() for row in oprf.batch(batch.elements).raw]
    evaluated, proof = reference_voprf.evaluate(secret, pieces, 12345)
    made = batch.finalise(b"".join(evaluated), proof, key.public_key)
    assert [y.tobytes() for y in made] == [reference_voprf.output(secret, m) for m in (b"a", b"b")]


def test_blinding_shows_nothing_of_the_input():
    again = [blind([b"3171014101900001"]).elements for _ in range(4)]
    assert len(set(again)) == 4
    assert "3171" not in repr(blind([b"3171014101900001"]))


def test_finalised_outputs_are_those_of_the_known_inputs(key):
    inputs = [bytes([i + 1]) * 20 for i in range(5)]
    batch = blind(inputs)
    evaluated, proof = key.evaluate_blinded(batch.elements, bytes(32))
    assert (len(evaluated), len(proof)) == (160, 64)
    assert (batch.finalise(evaluated, proof, key.public_key) == key.evaluate(inputs)).all()


# What is refused

BAD_ELEMENTS = {
    "identity": bytes(32),
    "negative": bytes([1]) + bytes(31),
    "not reduced": P.to_bytes(32, "little"),
    "high bit": (2**255 + 2).to_bytes(32, "little"),
    "all ones": b"\xff" * 32,
    # RFC 9496, appendix A.2: a field element that is no square, x·y negative, s = -1.
    "non-square": bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),
    "negative xy": bytes.fromhex(
        "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e"
    ),
    "minus one": (P - 1).to_bytes(32, "little"),
}


@pytest.mark.parametrize("raw", BAD_ELEMENTS.values(), ids=BAD_ELEMENTS)
def test_bad_elements_are_refused_everywhere(key, raw):
    good = blind([b"x"]).elements
    for batch in (raw, good + raw, raw + good):
        with pytest.raises(OprfError):
            key.evaluate_blinded(batch, bytes(32))
    with pytest.raises(OprfError):
        check_public_key(raw)
    batch = blind([b"x"])
    _, proof = key.evaluate_blinded(batch.elements, bytes(32))
    with pytest.raises(OprfError):
        batch.finalise(raw, proof, key.public_key)
    with pytest.raises(OprfError):
        batch.finalise(batch.elements, proof, raw)


def test_the_reference_refuses_the_same(reference_voprf):
    for name, raw in BAD_ELEMENTS.items():
        if name != "identity":
            with pytest.raises(ValueError, match=r"canonical|point"):
                reference_voprf.decode(raw)


@pytest.mark.parametrize("length", [0, 31, 33, 32 * 65536])
def test_batches_of_another_length_are_refused(key, length):
    with pytest.raises(OprfError, match="batch"):
        key.evaluate_blinded(bytes(length), bytes(32))


def test_a_lying_provider_is_caught(key):
    other = derive_key(bytes(32), b"per requester")
    inputs = [b"a", b"b", b"c"]
    batch = blind(inputs)
    evaluated, proof = key.evaluate_blinded(batch.elements, bytes(32))
    theirs, their_proof = other.evaluate_blinded(batch.elements, bytes(32))
    swapped = evaluated[32:64] + evaluated[:32] + evaluated[64:]
    bent = bytearray(proof)
    bent[0] ^= 1
    lies = [
        (theirs, their_proof, key.public_key),
        (theirs, proof, key.public_key),
        (evaluated, proof, other.public_key),
        (swapped, proof, key.public_key),
        (theirs[:32] + evaluated[32:], proof, key.public_key),
        (evaluated, bytes(bent), key.public_key),
        (evaluated, bytes(64), key.public_key),
        (evaluated, b"\xff" * 64, key.public_key),
    ]
    for lie in lies:
        with pytest.raises(OprfError):
            batch.finalise(*lie)
    for short in (evaluated[:-32], evaluated + evaluated[:32], b""):
        with pytest.raises(OprfError, match="length"):
            batch.finalise(short, proof, key.public_key)
    assert len(batch.finalise(evaluated, proof, key.public_key)) == 3


def test_inputs_of_impossible_length_are_refused(key):
    for inputs in ([], [b""], [bytes(65536)], [b"x", b""]):
        with pytest.raises(ValueError, match="input"):
            blind(inputs)
    with pytest.raises(ValueError, match="input"):
        key.evaluate([b""])
    with pytest.raises(ValueError, match="seed"):
        derive_key(bytes(31), b"")


def test_keys_and_blinds_are_not_written_anywhere(key):
    import copy
    import pickle

    for secret in (key, blind([b"x"])):
        for write in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                write(secret)
    assert key.public_key.hex() not in repr(key)
