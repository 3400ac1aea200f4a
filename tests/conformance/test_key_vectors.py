"""Keys and sealed codes: both implementations make the vectors; what must be refused is."""

from functools import partial

import numpy as np
import pytest

from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.epochs import contribution_statement
from padan_linkage.crypto.keys import (
    KeyAgreementError,
    derive_linkage_key,
    exchange,
    exchange_public_key,
)
from padan_linkage.crypto.sealing import Opener
from padan_linkage.crypto.signatures import verify


@pytest.fixture(scope="module")
def epoch(vectors):
    return vectors("keys")


@pytest.fixture(scope="module")
def sealed(vectors):
    return vectors("sealed-codes")


def unhex(case, *names):
    return [bytes.fromhex(case[name]) for name in names]


def derive(epoch, me, peer):
    """The linkage key as ``me`` derives it."""
    my_static, my_epoch = unhex(epoch[me], "exchange_private", "epoch_private")
    peer_static, peer_epoch = unhex(epoch[peer], "exchange_public", "epoch_public")
    return derive_linkage_key(
        exchange_static=partial(exchange, my_static),
        peer_static=peer_static,
        my_epoch=my_epoch,
        peer_epoch=peer_epoch,
        agreement_digest=bytes.fromhex(epoch["agreement_digest"]),
        flow_id=epoch["flow_id"],
        epoch=epoch["epoch"],
        provider_contribution=bytes.fromhex(epoch["provider"]["epoch_public"]),
        requester_contribution=bytes.fromhex(epoch["requester"]["epoch_public"]),
    )


def test_both_sides_derive_the_vectors_key(epoch):
    provider = derive(epoch, "provider", "requester")
    assert provider == derive(epoch, "requester", "provider")
    assert provider.check_value().hex() == epoch["check_value"]


def test_reference_derives_the_vectors_key(epoch, reference, reference_seal):
    digest, *_ = unhex(epoch, "agreement_digest")
    context = reference.flow_context(digest, epoch["flow_id"], epoch["epoch"])
    provider, requester = epoch["provider"], epoch["requester"]
    shared = [
        reference_seal.exchange(
            *unhex(provider, f"{of}_private"), *unhex(requester, f"{of}_public")
        )
        for of in ("exchange", "epoch")
    ]
    assert shared == unhex(epoch, "shared_static", "shared_epoch")
    contributions = unhex(provider, "epoch_public") + unhex(requester, "epoch_public")
    secret = reference.linkage_secret(*shared, digest, context, contributions)
    assert secret.hex() == epoch["linkage_secret"]
    assert reference.check_value(secret).hex() == epoch["check_value"]


@pytest.mark.parametrize("party", ["provider", "requester"])
def test_contributions_are_signed(epoch, reference, party):
    digest, *_ = unhex(epoch, "agreement_digest")
    public, statement, signature, signer = unhex(
        epoch[party], "epoch_public", "statement", "signature", "sign_public"
    )
    made = contribution_statement(digest, epoch["flow_id"], epoch["epoch"], party, public)
    context = reference.flow_context(digest, epoch["flow_id"], epoch["epoch"])
    assert made == statement == reference.contribution_statement(context, party, public)
    verify(signer, statement, signature)
    (private,) = unhex(epoch[party], "epoch_private")
    assert exchange_public_key(private) == public


def test_unusable_public_keys_are_refused(epoch):
    for public in epoch["refused_public_keys"].values():
        with pytest.raises(KeyAgreementError):
            exchange(bytes.fromhex(epoch["provider"]["epoch_private"]), bytes.fromhex(public))


# Sealed codes


def opener(case, requester):
    names = ("provider_public", "agreement_digest", "seal_id", "encapsulated_key")
    provider, digest, seal_id, encapsulated = unhex(case, *names)
    return Opener(
        requester,
        provider,
        agreement_digest=digest,
        flow_id=case["flow_id"],
        epoch=case["epoch"],
        seal_id=seal_id,
        encapsulated_key=encapsulated,
    )


def column(texts):
    return np.stack([np.frombuffer(bytes.fromhex(t), np.uint8) for t in texts])


def test_the_requester_opens_the_vectors(sealed):
    mine = opener(sealed, bytes.fromhex(sealed["requester_private"]))
    for pass_id, codes in sealed["sealed"].items():
        payloads, genuine = mine.open(pass_id, column(sealed["tokens"]), column(codes))
        assert genuine.all()
        answers = Payloads.unpack(payloads)
        assert answers.valid.all()
        for i, expected in enumerate(sealed["payloads"]):
            assert payloads[i].tobytes().hex() == expected["payload"]
            assert answers.codes[i] == expected["codes"]
            assert answers.empty[i] == expected["empty"]
            assert answers.decoy[i] == expected["decoy"]


def test_reference_opens_the_vectors(sealed, reference_seal):
    digest, seal_id, encapsulated, sender, receiver = unhex(
        sealed,
        "agreement_digest",
        "seal_id",
        "encapsulated_key",
        "provider_public",
        "requester_private",
    )
    info = reference_seal.seal_info(digest, sealed["flow_id"], sealed["epoch"], seal_id)
    for pass_id, codes in sealed["sealed"].items():
        key = reference_seal.pass_key(encapsulated, receiver, sender, info, pass_id)
        assert key.hex() == sealed["pass_keys"][pass_id]
        assert len({code[:24] for code in codes}) == len(codes)
        for row, code in enumerate(codes):
            token, body = bytes.fromhex(sealed["tokens"][row]), bytes.fromhex(code)
            payload = reference_seal.open_code(key, info, pass_id, token, body)
            expected = sealed["payloads"][row]
            assert payload.hex() == expected["payload"]
            read = reference_seal.read_payload(payload)
            assert read == (expected["codes"], expected["empty"], expected["decoy"])


def test_each_fault_keeps_a_code_shut(sealed):
    faults = [case["fault"] for case in sealed["refused"]]
    requester = bytes.fromhex(sealed["requester_private"])
    for case in sealed["refused"]:
        payload, genuine = opener(case, requester).open(
            case["pass"], column([case["token"]]), column([case["sealed"]])
        )
        assert not genuine[0], case["fault"]
        assert not payload.any()
    assert len(set(faults)) == len(faults) >= 10


def test_a_truncated_code_is_no_column(sealed):
    mine = opener(sealed, bytes.fromhex(sealed["requester_private"]))
    short = column(sealed["sealed"]["nik"])[:, :-1]
    with pytest.raises(ValueError, match="44"):
        mine.open("nik", column(sealed["tokens"]), short)
