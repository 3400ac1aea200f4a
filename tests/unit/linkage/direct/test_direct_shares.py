"""Shares and HKDF, held against PyCryptodome's."""

from itertools import pairwise

import numpy as np
import pytest
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from Crypto.Protocol.SecretSharing import Shamir
from hypothesis import given
from hypothesis import strategies as st

from padan_linkage.crypto.randomness import Drbg
from padan_linkage.direct.labelling.hkdf import expand, extract, same_info
from padan_linkage.direct.labelling.shares import line, share

PLACES = range(17)


def rows(count, width, label):
    drbg = Drbg(bytes(32)).fork(label)
    return np.frombuffer(drbg.bytes(count * width), np.uint8).reshape(count, width)


SECRET, SLOPE = rows(20, 16, "secret"), rows(20, 16, "slope")


@pytest.mark.parametrize("one", PLACES)
@pytest.mark.parametrize("other", [1, 2, 3, 16])
def test_two_points_give_the_secret_and_its_slope(one, other):
    if one == other:
        with pytest.raises(ValueError, match="place"):
            line(SECRET, SLOPE, (one, other))
        return
    points = share(SECRET, SLOPE, one), share(SECRET, SLOPE, other)
    for made, meant in zip(line(*points, (one, other)), (SECRET, SLOPE), strict=True):
        assert (made == meant).all()
    if one:
        given_to = [
            (at, point[0].tobytes()) for at, point in zip((one, other), points, strict=True)
        ]
        assert Shamir.combine(given_to) == SECRET[0].tobytes()


def test_shamir_s_shares_are_points_of_such_lines():
    for secret in SECRET:
        told = [
            (at, np.frombuffer(s, np.uint8)[None]) for at, s in Shamir.split(2, 5, secret.tobytes())
        ]
        for (at_one, one), (at_other, other) in pairwise(told):
            made, slope = line(one, other, (at_one, at_other))
            assert (made == secret).all()
            assert all((share(made, slope, at) == s).all() for at, s in told)


def test_one_share_says_nothing_of_the_secret():
    """For every secret there is a slope that gives the share."""
    seen = share(SECRET, SLOPE, 3)
    other, slope = line(seen, rows(20, 16, "another"), (3, 0))
    assert (share(other, slope, 3) == seen).all()
    assert (other != SECRET).any(axis=1).all()


@given(st.integers(0, 20), st.integers(1, 100), st.integers(0, 70), st.integers(1, 96))
def test_keys_are_those_of_hkdf(count, width, info, length):
    secrets, text = rows(count, width, "hkdf"), bytes(range(info))
    made = expand(extract(secrets), same_info(text, count), length)
    assert made.shape == (count, length)
    for secret, key in zip(secrets, made, strict=True):
        assert key.tobytes() == HKDF(secret.tobytes(), length, b"", SHA256, context=text)


def test_hkdf_has_an_end():
    with pytest.raises(ValueError, match="255"):
        expand(rows(1, 32, "end"), rows(1, 1, "info"), 255 * 32 + 1)
