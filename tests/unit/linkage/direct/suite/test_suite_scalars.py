"""Arithmetic modulo the group's order: as Python's integers have it, and blind to its numbers."""

import numpy as np
import pytest
from constant_time import CompiledText
from hypothesis import given, settings
from hypothesis import strategies as st

from padan_linkage.compiled.jit import kernel
from padan_linkage.direct.lanes.constants import L
from padan_linkage.direct.lanes.digits import cut_digits
from padan_linkage.direct.suite import scalars
from padan_linkage.direct.suite.scalars import packed

EDGES = [0, 1, 2, 3, L - 1, L - 2, L // 2, 2**64 - 1, 2**64, 2**128, 2**192, 2**252 - 1, 2**252]
WIDE_EDGES = [
    *(0, 1, L - 1, L, L + 1, 2 * L - 1, 2 * L, 2**252, 2**253, 2**255, 2**256 - 1, 2**256),
    *(L * L, L << 256, (L << 256) - 1, (2**256 - 1) << 256, 2**512 - 1, 2**512 - L, 15 * L),
]


def numbers(array):
    return [int.from_bytes(row.tobytes(), "little") for row in array]


def wide(values):
    raw = b"".join(value.to_bytes(64, "little") for value in values)
    return np.frombuffer(raw, np.uint8).reshape(-1, 64)


def lists(edges, most):
    return st.lists(st.one_of(st.sampled_from(edges), st.integers(0, most)), max_size=20)


def test_two_numbers_at_the_edges():
    first = [a for a in EDGES for _ in EDGES]
    second = [b for _ in EDGES for b in EDGES]
    pairs = list(zip(first, second, strict=True))
    a, b = packed(first), packed(second)
    assert numbers(scalars.multiply(a, b)) == [x * y % L for x, y in pairs]
    assert numbers(scalars.add(a, b)) == [(x + y) % L for x, y in pairs]
    assert numbers(scalars.subtract(a, b)) == [(x - y) % L for x, y in pairs]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, L - 1), st.integers(0, L - 1)), max_size=9))
def test_two_numbers(pairs):
    a, b = (packed([pair[i] for pair in pairs]) for i in range(2))
    assert numbers(scalars.multiply(a, b)) == [x * y % L for x, y in pairs]
    assert numbers(scalars.add(a, b)) == [(x + y) % L for x, y in pairs]
    assert numbers(scalars.subtract(a, b)) == [(x - y) % L for x, y in pairs]


def test_products_of_numbers_that_are_not_reduced():
    given_ = [L, L + 1, 2 * L, 2**256 - 1, 2**255]
    assert numbers(scalars.multiply(packed(given_), packed(given_))) == [x * x % L for x in given_]


@settings(max_examples=60)
@given(lists(WIDE_EDGES, 2**512 - 1))
def test_wide_numbers_are_reduced(values):
    assert numbers(scalars.reduce_wide(wide(values))) == [x % L for x in values]


def test_wide_numbers_at_the_edges():
    assert numbers(scalars.reduce_wide(wide(WIDE_EDGES))) == [x % L for x in WIDE_EDGES]


@settings(max_examples=40)
@given(lists([*EDGES, 0, 0, L, L + 1, 15 * L, 2**256 - 1], 2**256 - 1))
def test_all_are_inverted_by_one_power_and_multiples_of_the_order_spoil_none(values):
    expected = [pow(x, -1, L) if x % L else 0 for x in values]
    assert numbers(scalars.invert(packed(values))) == expected


def test_random_scalars_are_the_wide_numbers_and_never_zero():
    values = [0, L, 1, L + 1, 5 * L + 7, 2**512 - 1]
    made = scalars.random_scalars(wide(values).tobytes())
    assert numbers(made) == [1, 1, 1, 1, 7, (2**512 - 1) % L]
    with pytest.raises(ValueError, match="64"):
        scalars.random_scalars(bytes(65))


def test_what_is_no_scalar_is_told():
    many = [0, 1, L - 1, L, L + 1, 2 * L, 2**252, 2**255, 2**256 - 1]
    assert scalars.are_reduced(packed(many)).tolist() == [x < L for x in many]
    assert scalars.are_zero(packed(many)).tolist() == [x == 0 for x in many]
    for wrong in (np.zeros((2, 31), np.uint8), np.zeros(32, np.uint8), np.zeros((2, 32), np.int8)):
        with pytest.raises(ValueError, match="uint8"):
            scalars.invert(wrong)
    with pytest.raises(ValueError, match="pairs"):
        scalars.add(packed([1]), packed([1, 2]))


def words(width):
    array = np.ones((3, width), np.uint64)
    array.flags.writeable = False
    return array


RAW = np.ones((3, 32), np.uint8)
RAW.flags.writeable = False
A, WIDE, OUT = words(4), words(8), np.zeros((3, 4), np.uint64)
KERNELS = {
    "multiply": (scalars._multiply_all, A, A, OUT),
    "add": (scalars._add_all, A, A, OUT),
    "subtract": (scalars._subtract_all, A, A, OUT),
    "invert": (scalars._invert_all, A, OUT),
    "reduce": (scalars._reduce_all, WIDE, OUT),
    "random": (scalars._replace_zeros, A, OUT),
    "digits": (cut_digits, RAW, np.zeros((3, 64), np.int8)),
}


@pytest.mark.parametrize("case", KERNELS.values(), ids=KERNELS)
def test_no_time_and_no_address_depends_on_a_number(case):
    assert CompiledText.of(*case).breaches() == []


@kernel
def _branching(a, out):
    for i in range(len(a)):
        if a[i, 0] > out[i, 1]:
            out[i, 0] = out[i, 2] * a[i, 3] + a[i, 1]
            out[i, 1] ^= a[i, 2]


@kernel
def _looking_up(a, out):
    for i in range(len(a)):
        out[i, 0] = a[a[i, 0] & np.uint64(1), 1]


@kernel
def _dividing(a, out):
    for i in range(len(a)):
        out[i, 0] = a[i, 0] // (a[i, 1] | np.uint64(1))


@kernel
def _until(a, out):
    for i in range(len(a)):
        number = a[i, 0]
        while number & np.uint64(7):
            number = number * a[i, 1] + np.uint64(1)
            out[i, 0] += number


@pytest.mark.parametrize("planted", [_branching, _looking_up, _dividing, _until])
def test_a_kernel_that_depends_on_a_number_is_found(planted):
    ready = np.full((3, 4), 8, np.uint64)
    assert CompiledText.of(planted, ready, OUT.copy()).breaches()
