"""The generator that tables are made from."""

import pickle

import numpy as np
import pytest
from Crypto.Cipher import AES
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.crypto.randomness import Drbg


def test_it_is_aes_256_over_a_counter_from_zero():
    seed = bytes(range(32))
    blocks = b"".join(i.to_bytes(16, "big") for i in range(64))
    assert Drbg(seed).bytes(1024) == AES.new(seed, AES.MODE_ECB).encrypt(blocks)


def test_the_stream_goes_on_however_it_is_cut():
    first, second = Drbg(b"s" * 32), Drbg(b"s" * 32)
    assert first.bytes(10) + first.bytes(22) == second.bytes(32)


@given(st.binary(min_size=32, max_size=32), st.integers(0, 300))
def test_permutations_hold_everything_once(seed, count):
    assert sorted(Drbg(seed).permutation(count).tolist()) == list(range(count))


def test_permutations_are_even():
    drbg = Drbg(b"s" * 32)
    first = np.bincount([drbg.permutation(4)[0] for _ in range(4000)], minlength=4)
    assert abs(first - 1000).max() < 140


@given(st.integers(1, 2**63 - 1))
def test_integers_stay_below(below):
    numbers = Drbg(b"s" * 32).integers(20, below)
    assert numbers.min() >= 0
    assert numbers.max() < below


def test_integers_are_even_and_words_past_the_end_are_drawn_again():
    numbers = Drbg(b"s" * 32).integers(30_000, 3)
    assert abs(np.bincount(numbers) - 10_000).max() < 500
    large = Drbg(b"s" * 32).integers(3000, 3 << 61)  # one word in four is past the end
    assert abs((large < (3 << 60)).mean() - 0.5) < 0.04


def test_forks_are_independent_of_each_other_even_under_one_label():
    drbg = Drbg(b"s" * 32)
    streams = [drbg.fork("a").bytes(32), drbg.fork("a").bytes(32), drbg.bytes(32)]
    fresh = [Drbg(b"s" * 32).fork(label).bytes(32) for label in ("a", "b")]
    assert fresh[0] == streams[0]
    assert len({*streams, *fresh}) == 4


def test_misuse_is_refused_and_the_seed_is_not_shown():
    with pytest.raises(ValueError, match="32"):
        Drbg(b"short")
    with pytest.raises(ValueError, match="bound"):
        Drbg(bytes(32)).integers(1, 0)
    drbg = Drbg(b"SEED".ljust(32))
    assert "SEED" not in repr(drbg)
    with pytest.raises(TypeError, match="not serialised"):
        pickle.dumps(drbg)
