"""ristretto255 as RFC 9496 has it: its vectors, and a reference, in both forms and every lane."""

import hashlib

import numpy as np
import pytest
from lane_forms import FORMS
from rfc9496 import BAD_ENCODINGS, HASHED, LABELS, MULTIPLES
from voprf import ristretto

from padan_linkage.direct.lanes import group
from padan_linkage.direct.lanes.constants import GENERATOR, L
from padan_linkage.direct.lanes.forms import LANES, P

pytestmark = pytest.mark.usefixtures("ifma_by_definition")
forms = pytest.mark.parametrize("form", FORMS)


def rows(raws):
    return np.frombuffer(b"".join(raws), np.uint8).reshape(len(raws), -1)


def packed(numbers):
    return rows([n.to_bytes(32, "little") for n in numbers])


def texts(array):
    return [row.tobytes() for row in array]


def everywhere(raws):
    """Each of them in every lane: the list eight times, begun one later each time."""
    padded = [*raws, *raws[: -len(raws) % LANES]]
    return [each for turn in range(LANES) for each in padded[turn:] + padded[:turn]]


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(9496)


# The RFC's vectors (appendix A).


@forms
def test_multiples_of_the_generator(form):
    made = group.base_multiply_each(packed(range(16)), form)
    assert texts(group.encode(made)) == MULTIPLES
    points, good = group.decode(rows(MULTIPLES), form)
    assert good.all()
    assert texts(group.encode(points)) == MULTIPLES


@forms
def test_bad_encodings_are_refused_in_every_lane(form):
    mixed = everywhere([*BAD_ENCODINGS, *MULTIPLES])
    _, good = group.decode(rows(mixed), form)
    assert good.tolist() == [each in MULTIPLES for each in mixed]


@forms
def test_hashing_to_the_group(form):
    uniform = [hashlib.sha512(label).digest() for label in LABELS]
    assert texts(group.encode(group.map_to_group(rows(uniform), form))) == HASHED


# The reference.

#: Numbers at the ends of limbs, words and the field; as encodings nearly all of them are bad.
EDGES = sorted(
    {
        n % 2**256
        for base in (0, 1, 2, P, P // 2, 2 * P, 2**51, 2**102, 2**204, 2**230, 2**255, 2**256)
        for n in (base - 20, base - 2, base - 1, base, base + 1, base + 18, base + 19)
    }
)


@forms
def test_encodings_are_refused_just_where_the_reference_refuses(form, reference_voprf, rng):
    random = [rng.bytes(32) for _ in range(40)]
    even = [bytes([raw[0] & 254]) + raw[1:31] + bytes([raw[31] & 127]) for raw in random]
    raws = everywhere([n.to_bytes(32, "little") for n in EDGES] + random + even)
    points, good = group.decode(rows(raws), form)
    known = {raw: accepted(reference_voprf, raw) for raw in set(raws)}
    assert good.tolist() == [known[raw] for raw in raws]
    assert 5 < sum(known.values()) < len(known) - 5
    encoded = group.encode(points)
    assert texts(encoded[good]) == [raw for raw in raws if known[raw]]
    for raw in set(raws):
        assert usable_by_the_library(raw) == (known[raw] and any(raw))


def accepted(reference, raw):
    try:
        reference.decode(raw)
    except ValueError:
        return False
    return True


def usable_by_the_library(raw):
    try:
        return ristretto.BlindedInput.deserialize(raw).serialize() == raw
    except ValueError:
        return False


@forms
def test_any_bytes_map_as_the_reference_maps_them(form, reference_voprf, rng):
    halves = [n.to_bytes(32, "little") for n in EDGES]
    ends = [halves[i] + halves[(5 * i + 3) % len(halves)] for i in range(len(halves))]
    same = [2 * half for half in halves[:8]]
    uniform = everywhere([*ends, *same, *[rng.bytes(64) for _ in range(20)]])
    known = {
        raw: reference_voprf.encode(reference_voprf.one_way(raw)) for raw in dict.fromkeys(uniform)
    }
    made = group.encode(group.map_to_group(rows(uniform), form))
    assert texts(made) == [known[raw] for raw in uniform]


#: Scalars whose digits are at their ends, carry all the way or are all the same.
SCALARS = [
    *(0, 1, 2, 7, 8, 9, 15, 16, L - 1, L - 2, L // 2, (L + 1) // 2, 2**252, 2**252 - 1),
    *(int(digit * 62, 16) for digit in "789f"),
    int("78" * 31, 16),
]


@forms
def test_every_scalar_in_every_lane(form, reference_voprf, rng):
    scalars = everywhere(
        [*SCALARS, *[int.from_bytes(rng.bytes(40), "little") % L for _ in range(6)]]
    )
    bases = [bytes(32), GENERATOR, *MULTIPLES[2:5]]
    points = [bases[i % len(bases)] for i in range(len(scalars))]
    decoded, _ = group.decode(rows(points), form)
    made = texts(group.encode(group.multiply_each(decoded, packed(scalars))))
    assert texts(group.encode_products_each(decoded, packed(scalars))) == made
    decoded_by = {raw: reference_voprf.decode(raw) for raw in bases}
    known = {}
    for pair in zip(points, scalars, strict=True):
        if pair not in known:
            product = reference_voprf.multiply(pair[1], decoded_by[pair[0]])
            known[pair] = reference_voprf.encode(product)
    assert made == [known[pair] for pair in zip(points, scalars, strict=True)]


@forms
@pytest.mark.parametrize("scalar", [0, 1, L - 1, int("5" * 62, 16)])
def test_one_scalar_for_all_is_that_scalar_for_each(form, scalar):
    points, _ = group.decode(rows(MULTIPLES), form)
    one = group.multiply_all(points, packed([scalar])[0])
    each = group.multiply_each(points, packed([scalar] * len(MULTIPLES)))
    assert texts(group.encode(one)) == texts(group.encode(each))
    encoded = group.encode_products_all(points, packed([scalar])[0])
    assert texts(encoded) == texts(group.encode(each))


@forms
@pytest.mark.parametrize("count", [1, 7, 8, 9, 130, 300])
def test_weighted_sums(form, count, reference_voprf, rng):
    ends = [0, 1, L - 1]
    weights = ends + [int.from_bytes(rng.bytes(40), "little") % L for _ in range(count)]
    logs = [int.from_bytes(rng.bytes(4), "little") for _ in range(count)]
    points = group.base_multiply_each(packed(logs), form)
    weights = weights[:count]
    expected = sum(w * log for w, log in zip(weights, logs, strict=True)) % L
    (made,) = texts(group.encode(group.weighted_sum(points, packed(weights))))
    assert made == reference_voprf.encode(reference_voprf.multiply(expected, reference_voprf.BASE))


@forms
def test_sums(form):
    first, second = packed([0, 1, 2, L - 1, 5, 3, 0, 8, 8]), packed([0, 1, 3, 1, 5, 0, 4, 7, 8])
    made = group.add(group.base_multiply_each(first, form), group.base_multiply_each(second, form))
    sums = [MULTIPLES[n] for n in (0, 2, 5, 0, 10, 3, 4, 15)]
    assert texts(group.encode(made))[:8] == sums
    assert len(made) == 9


@forms
def test_points_that_differ_by_torsion_are_one_element(form):
    """RFC 9496, section 3.2: of order 2 and 4, (0, −1) and (±√−1, 0)."""
    points, _ = group.decode(rows(MULTIPLES), form)
    root = pow(2, (P - 1) // 4, P)
    for torsion in ((0, P - 1), (root, 0), (P - root, 0)):
        limbs = [form.limbs_of(n) for n in (*torsion, 1, 0)]
        other = group.total(points)  # any one point's room
        other.slots[:] = np.repeat(np.array(limbs, points.slots.dtype), LANES, axis=1)
        both = group.add(points, group.Points(form, 16, np.concatenate([other.slots] * 2)))
        assert texts(group.encode(both)) == MULTIPLES
        for scalar in (1, 2, 4):
            made = texts(group.encode_products_all(both, packed([scalar])[0]))
            product = group.multiply_all(points, packed([scalar])[0])
            assert made == texts(group.encode(product))


@forms
def test_no_element_at_all_is_no_trouble(form):
    points, good = group.decode(np.zeros((0, 32), np.uint8), form)
    assert len(points) == len(good) == 0
    assert group.encode(points).shape == (0, 32)
    assert group.encode_products_each(points, np.zeros((0, 32), np.uint8)).shape == (0, 32)
    assert len(group.map_to_group(np.zeros((0, 64), np.uint8), form)) == 0
