"""The vectorised loops against plain Python: hashes, joins of rows, plain filters."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from padan_linkage.compiled.sha256 import hmac_sha256
from padan_linkage.encoding import kernel
from padan_linkage.encoding.plain import encode_plain
from padan_linkage.encoding.siphash import sip_start, sip_word
from padan_linkage.encoding.vectors import (
    count_below,
    sip_first_halves,
    sip_words,
    take_places,
    xor_distinct,
)

KEY = bytes(range(40))
U64 = st.integers(0, 2**64 - 1)


@given(st.lists(st.binary(max_size=200), max_size=70), st.binary(max_size=64))
def test_any_messages_are_hashed_as_the_standard_library_does(messages, key):
    made = hmac_sha256(key, pa.array(messages, pa.large_binary()))
    assert [row.tobytes() for row in made] == [hmac.digest(key, m, "sha256") for m in messages]


def test_a_slice_is_hashed_alone_and_a_long_key_is_refused():
    messages = pa.array([bytes([i]) * 60 for i in range(40)], pa.large_binary())
    made = hmac_sha256(KEY, messages.slice(3, 20))
    assert made[0].tobytes() == hmac.digest(KEY, bytes([3]) * 60, "sha256")
    assert len(made) == 20
    with pytest.raises(ValueError, match="64 bytes"):
        hmac_sha256(bytes(65), messages)


@njit
def eight_hashes(k0, k1, words, tail, out, firsts):
    start = sip_start(k0, k1)
    sip_words(start, words, tail, 0, out)
    sip_first_halves(start, words, tail, 0, firsts)


@njit
def one_hash(k0, k1, word):
    return sip_word(sip_start(k0, k1), word)


@given(U64, U64, st.lists(U64, min_size=8, max_size=8), U64)
def test_eight_hashes_are_eight_times_one(k0, k1, words, tail):
    key, tail = (np.uint64(k0), np.uint64(k1)), np.uint64(tail)
    out, firsts = np.zeros((2, 8), np.uint64), np.zeros((2, 8), np.uint64)
    eight_hashes(*key, np.array(words, np.uint64), tail, out, firsts)
    for word, low, high in zip(words, *out, strict=True):
        assert one_hash(*key, np.uint64(word) | tail) == (low, high)
    assert (firsts[0] == out[0]).all()
    assert (firsts[1] == 0).all()


@njit
def places(words, shift, bound, out):
    take_places(words, 0, shift, bound, out, 0)


@given(
    st.lists(U64, min_size=8, max_size=8),
    st.sampled_from([0, 16, 32, 48]),
    st.integers(1, 1 << 16),
)
def test_sixteen_bits_become_a_number_below_the_bound(words, shift, bound):
    out = np.zeros(8, np.uint16)
    places(np.array(words, np.uint64), shift, bound, out)
    assert out.tolist() == [((w >> shift) % 65536) * bound >> 16 for w in words]


@njit
def ranked(numbers, count):
    count_below(numbers, 0, count, 32)


@given(st.lists(st.integers(0, 65535) | st.integers(0, 3), min_size=1, max_size=32))
def test_the_smaller_ones_are_counted(values):
    numbers = np.zeros(64, np.uint16)
    numbers[: len(values)] = values
    ranked(numbers, len(values))
    assert numbers[32 : 32 + len(values)].tolist() == [sum(v < w for v in values) for w in values]


@njit
def order(codes, hashes, count, extra, ranks):
    kernel._rank(codes, hashes, count, extra, ranks)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=70), st.data())
def test_qgrams_of_one_rank_come_by_their_codes(ranks, data):
    """Ranks of 16 bits hardly ever meet on their own; here they meet all the time."""
    count, extra = len(ranks), data.draw(st.integers(1, len(ranks) - 1))
    codes = np.zeros(112, np.uint64)
    codes[:count] = np.random.default_rng(count).permutation(count)
    hashes = np.full((2, 112), 7, np.uint64)
    hashes[1, :count] |= np.array(ranks, np.uint64) << np.uint64(48)
    before = np.zeros((2, 112), np.uint16)
    order(codes, hashes, count, extra, before)
    first = sorted(range(count), key=lambda i: (ranks[i], codes[i]))[:extra]
    assert np.flatnonzero(before[1, :count] < extra).tolist() == sorted(first)


@njit
def join(rows, words, chosen, last, out):
    xor_distinct(rows, words, 8, chosen, chosen.size, last, out, 0)


@given(st.lists(st.integers(0, 19), max_size=30))
def test_rows_are_joined_once_each(chosen):
    rows = np.random.default_rng(1).integers(0, 2**63, (20, 16)).astype(np.uint64)
    out = np.full(8, 5, np.uint64)
    last = np.zeros(20, np.uint64)
    last[chosen] = range(len(chosen))
    join(rows.reshape(-1), 16, np.array(chosen, np.uint16), last, out)
    once = rows[sorted(set(chosen)), 8:]
    assert (out == 5 ^ np.bitwise_xor.reduce(once, axis=0)).all()


def by_hand(values, positions, bits):
    """A plain filter as the docstring says it."""
    made = np.zeros(bits, np.uint8)
    for column, value in enumerate(values):
        data = b" " + value.encode() + b" " if value else b""
        for first, second in pairwise(data):
            stream = b"".join(
                hmac.digest(KEY, bytes([column, first, second, block]), hashlib.sha512)
                for block in range(4)
            )
            made[np.frombuffer(stream, ">u4")[:positions] % bits] = 1
    return np.packbits(made, bitorder="little").view("<u8")


@given(st.lists(st.tuples(st.text(max_size=20), st.text("ab ", max_size=9)), max_size=8))
def test_plain_filters_are_the_joined_bigrams(records):
    columns = [pa.array([r[i] for r in records], pa.string()) for i in range(2)]
    made = encode_plain(columns, KEY, bits=1024, positions=20, threads=2)
    assert made.shape == (len(records), 16)
    for record, row in zip(records, made, strict=True):
        assert (by_hand(record, 20, 1024) == row).all()


def test_records_with_rare_bigrams_are_plain_filters_too():
    """The bigrams are learnt from a sample of the records; the rest has some of its own."""
    values = ["budi"] * 3000
    values[700:710] = ["xyzzy"] * 10
    made = encode_plain([pa.array(values)], KEY, threads=2)
    for row in (0, 699, 700, 709, 2999):
        assert (by_hand([values[row]], 10, 1024) == made[row]).all()


def test_plain_filters_have_whole_kilobits():
    with pytest.raises(ValueError, match="1,024"):
        encode_plain([pa.array(["a"])], KEY, bits=512)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "features"),
    [("generic", ""), ("haswell", "+avx2,+bmi,+bmi2,+popcnt,-avx512f")],
)
def test_other_processors_encode_the_same(name, features, tmp_path):
    """The known answer covers every kernel; compiled here for a processor with less."""
    env = os.environ | {
        "NUMBA_CPU_NAME": name,
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    code = "from padan_linkage.encoding.selftest import check_kernels; check_kernels()"
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
