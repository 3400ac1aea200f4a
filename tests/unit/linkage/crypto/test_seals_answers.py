"""Seals against a unit that moves, swaps and alters; payloads of every form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.answering.payloads import Payloads
from padan_linkage.crypto.keys import exchange_public_key
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.crypto.sealing import MOST_SEALS, Opener, Sealer, SealError

PROVIDER, REQUESTER = b"p" * 32, b"r" * 32
FLOW = {"agreement_digest": b"d" * 32, "flow_id": "asn-status", "epoch": 1}


def make_sealer(seal_id=b"s" * 16, **options):
    public = exchange_public_key(REQUESTER)
    return Sealer(PROVIDER, public, seal_id=seal_id, **FLOW, **options)


def make_opener(sealer, seal_id=b"s" * 16, private=REQUESTER):
    return Opener(
        private,
        exchange_public_key(PROVIDER),
        seal_id=seal_id,
        encapsulated_key=sealer.encapsulated_key,
        **FLOW,
    )


def rows(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 16), np.uint8)


def sealed_by(sealer, tokens, payloads, seed=b"n" * 32):
    return sealer.seal("nik", tokens, payloads, Drbg(seed))


def test_codes_open_at_the_requester_with_its_own_tokens():
    sealer, tokens, payloads = make_sealer(), rows(50), rows(50, 1)
    sealed = sealed_by(sealer, tokens, payloads)
    opened, genuine = make_opener(sealer).open("nik", tokens, sealed)
    assert genuine.all()
    assert (opened == payloads).all()


def test_a_code_swapped_to_another_row_stays_shut():
    sealer, tokens, payloads = make_sealer(), rows(4), rows(4, 1)
    sealed = sealed_by(sealer, tokens, payloads)
    swapped = sealed[[1, 0, 2, 3]]
    opened, genuine = make_opener(sealer).open("nik", tokens, swapped)
    assert genuine.tolist() == [False, False, True, True]
    assert not opened[:2].any()


def test_a_code_from_another_pass_or_upload_or_for_another_party_stays_shut():
    sealer, other = make_sealer(), make_sealer(b"t" * 16)
    tokens, payloads = rows(3), rows(3, 1)
    sealed = sealed_by(sealer, tokens, payloads)
    strangers = [
        make_opener(sealer).open("lahir", tokens, sealed),
        make_opener(other, b"t" * 16).open("nik", tokens, sealed),
        make_opener(sealer, private=b"q" * 32).open("nik", tokens, sealed),
    ]
    assert not any(genuine.any() for _, genuine in strangers)


@pytest.mark.parametrize("byte", [0, 11, 12, 27, 28, 43])
def test_any_flipped_bit_keeps_a_code_shut(byte):
    sealer, tokens = make_sealer(), rows(1)
    sealed = sealed_by(sealer, tokens, rows(1, 1))
    sealed[0, byte] ^= 0x10
    assert not make_opener(sealer).open("nik", tokens, sealed)[1].any()


def nonces(sealed):
    return {row[:12].tobytes() for row in sealed}


def test_a_nonce_serves_one_row():
    """Even where one seed makes two tables: a row that is not the same has another nonce."""
    sealer, tokens, payloads = make_sealer(), rows(300), rows(300, 1)
    other = payloads.copy()
    other[7, 3] ^= 1
    first = nonces(sealed_by(sealer, tokens, payloads))
    assert len(first) == 300
    assert not first & nonces(sealed_by(sealer, tokens, other))
    assert not first & nonces(sealed_by(sealer, tokens[::-1], payloads))
    assert not first & nonces(sealed_by(sealer, tokens, payloads, b"m" * 32))
    assert not first & nonces(sealer.seal("lahir", tokens, payloads, Drbg(b"n" * 32)))


def test_nonces_tell_neither_order_nor_upload():
    """Of a registry of 256 rows and its delta of 256: each byte of a nonce is as any other."""
    sealer = make_sealer()
    both = [
        sealed_by(sealer, rows(256, n), rows(256), bytes([n]) * 32)[:, :12].astype(float)
        for n in range(2)
    ]
    for upload in both:
        place = np.arange(256)
        assert max(abs(np.corrcoef(place, byte)[0, 1]) for byte in upload.T) < 0.3
    assert (abs(both[0].mean(0) - both[1].mean(0)) < 40).all()


def test_a_kept_seal_makes_the_same_codes_again():
    sealer, tokens, payloads = make_sealer(), rows(3), rows(3, 1)
    kept = sealer.keep(["nik"])
    again = make_sealer(kept=kept)
    assert again.encapsulated_key == sealer.encapsulated_key
    first, second = (sealed_by(s, tokens, payloads) for s in (sealer, again))
    assert (first == second).all()
    assert kept.pass_keys["nik"].hex() not in repr(kept)


def test_a_delta_is_sealed_under_its_bases_keys():
    """One opener, made of the base's public parts, opens the codes of both."""
    base, tokens, payloads = make_sealer(), rows(6), rows(6, 1)
    sealed_by(base, tokens, payloads)
    delta = make_sealer(kept=base.keep(["nik"], 6))
    sealed = sealed_by(delta, tokens, payloads, b"d" * 32)
    assert make_opener(base).open("nik", tokens, sealed)[1].all()
    assert delta.keep(["nik"], 4).rows == 10


def test_a_key_seals_no_more_than_random_nonces_allow():
    kept = make_sealer().keep(["nik"], MOST_SEALS - 2)
    sealed_by(make_sealer(kept=kept), rows(2), rows(2))
    with pytest.raises(SealError, match="all that it may"):
        sealed_by(make_sealer(kept=kept), rows(3), rows(3))


def test_a_kept_seal_is_of_one_registry_and_one_receiver():
    kept = make_sealer().keep(["nik"])
    with pytest.raises(SealError, match="another"):
        make_sealer(b"t" * 16, kept=kept)
    with pytest.raises(SealError, match="another"):
        Sealer(PROVIDER, exchange_public_key(b"q" * 32), seal_id=b"s" * 16, **FLOW, kept=kept)


def test_two_uploads_of_one_answer_share_no_code():
    tokens, payloads, sealer = rows(5), rows(5, 1), make_sealer()
    first, second = (sealed_by(sealer, tokens, payloads, bytes([n]) * 32) for n in range(2))
    assert (first != second).any(axis=1).all()


def test_an_empty_table_seals_and_opens():
    sealer = make_sealer()
    sealed = sealed_by(sealer, rows(0), rows(0))
    assert sealed.shape == (0, 44)
    payloads, genuine = make_opener(sealer).open("nik", rows(0), sealed)
    assert payloads.shape == (0, 16)
    assert genuine.shape == (0,)


@pytest.mark.parametrize(
    ("provider", "requester", "seal_id"),
    [(b"p", b"r" * 32, b"s" * 16), (b"p" * 32, b"r", b"s" * 16), (b"p" * 32, bytes(32), b"s" * 16)],
    ids=["short private", "short public", "zero public"],
)
def test_unusable_keys_make_no_seal(provider, requester, seal_id):
    with pytest.raises(SealError):
        Sealer(provider, requester, seal_id=seal_id, **FLOW)


def test_an_unusable_encapsulated_key_is_refused():
    sealer = make_sealer()
    sealer.encapsulated_key = bytes(32)
    with pytest.raises(SealError):
        make_opener(sealer)
    with pytest.raises(SealError, match="16"):
        make_sealer(b"short")


@pytest.mark.parametrize("bad", [rows(3)[:, :15], rows(3).astype(np.int64), rows(3)[0]])
def test_columns_of_another_shape_are_refused(bad):
    with pytest.raises(ValueError, match="uint8"):
        sealed_by(make_sealer(), bad, rows(3))
    with pytest.raises(ValueError, match="length"):
        sealed_by(make_sealer(), rows(3), rows(2))


# Payloads


@given(
    st.lists(
        st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.booleans()), max_size=5
    )
)
def test_answers_survive_packing(items):
    codes, empty, decoy = ([item[i] for item in items] for i in range(3))
    answers = Payloads.of(
        np.array(codes, np.uint64), np.array(empty, np.uint32), np.array(decoy, np.bool_)
    )
    back = Payloads.unpack(answers.pack())
    assert back.codes.tolist() == codes
    assert back.empty.tolist() == empty
    assert back.decoy.tolist() == decoy
    assert back.valid.all()


@given(st.binary(min_size=16, max_size=16))
def test_unknown_payloads_are_told_never_guessed(payload):
    back = Payloads.unpack(np.frombuffer(payload, np.uint8).reshape(1, 16))
    known = payload[0] == 1 and payload[1] < 2
    assert back.valid.tolist() == [known]


def test_decoys_say_so_and_nothing_shows_in_a_repr():
    decoys = Payloads.decoys(3)
    back = Payloads.unpack(decoys.pack())
    assert back.decoy.all()
    assert not back.codes.any()
    assert repr(back) == "Payloads(rows=3)"
    with pytest.raises(ValueError, match="16"):
        Payloads.unpack(np.zeros((2, 15), np.uint8))
