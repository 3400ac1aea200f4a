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
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from padan_linkage.encoding.plain import encode_plain
from padan_linkage.encoding.sha256 import hmac_sha256
from padan_linkage.encoding.siphash import sip_start, sip_word
from padan_linkage.encoding.vectors import or_rows, sip_words, xor_rows

KEY = bytes(range(40))
U64 = st.integers(0, 2**64 - 1)


@settings(deadline=None)
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
def eight_hashes(k0, k1, words, tail, out):
    sip_words(sip_start(k0, k1), words, tail, 0, out)


@njit
def one_hash(k0, k1, word):
    return sip_word(sip_start(k0, k1), word)


@settings(deadline=None)
@given(U64, U64, st.lists(U64, min_size=8, max_size=8), U64)
def test_eight_hashes_are_eight_times_one(k0, k1, words, tail):
    out = np.zeros((2, 8), np.uint64)
    eight_hashes(np.uint64(k0), np.uint64(k1), np.array(words, np.uint64), np.uint64(tail), out)
    for word, low, high in zip(words, *out, strict=True):
        assert one_hash(np.uint64(k0), np.uint64(k1), np.uint64(word | tail)) == (low, high)


@njit
def join(rows, words, chosen, out):
    xor_rows(rows, words, 8, chosen, chosen.size, out, 0)
    or_rows(rows, words, 0, chosen, chosen.size, out, 8)


@settings(deadline=None)
@given(st.lists(st.integers(0, 19), max_size=30))
def test_rows_are_joined(chosen):
    rows = np.random.default_rng(1).integers(0, 2**63, (20, 16)).astype(np.uint64)
    out = np.zeros(24, np.uint64)
    join(rows.reshape(-1), 16, np.array(chosen, np.int64), out)
    picked = rows[np.array(chosen, np.int64)]
    assert (out[:8] == np.bitwise_xor.reduce(picked[:, 8:], axis=0)).all()
    assert (out[8:] == np.bitwise_or.reduce(picked, axis=0)).all()


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


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=20), st.text("ab ", max_size=9)), max_size=8))
def test_plain_filters_are_the_joined_bigrams(records):
    columns = [pa.array([r[i] for r in records], pa.string()) for i in range(2)]
    made = encode_plain(columns, KEY, bits=1024, positions=20, threads=2)
    assert made.shape == (len(records), 16)
    for record, row in zip(records, made, strict=True):
        assert (by_hand(record, 20, 1024) == row).all()


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
