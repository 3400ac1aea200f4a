"""Numbers in slots: right for the worst limbs there can be, and within their bounds ever after."""

import numpy as np
import pytest
from lane_forms import FORMS

from padan_linkage.compiled.jit import lean_kernel
from padan_linkage.direct.lanes import curve, group, kernels, operations
from padan_linkage.direct.lanes.forms import LANES, P

pytestmark = pytest.mark.usefixtures("ifma_by_definition")
forms = pytest.mark.parametrize("form", FORMS)

X, Y, OUT, MASK, SUM = range(kernels.SLOTS - 8, kernels.SLOTS - 3)
FREE = curve.BEHIND


@lean_kernel
def _work(slots):
    """Every operation on X and Y, results from FREE on."""
    operations.mul(slots, FREE, X, Y)
    operations.sqr(slots, FREE + 1, X)
    operations.add(slots, FREE + 2, X, Y)
    operations.sub(slots, FREE + 3, X, Y)
    operations.neg(slots, FREE + 4, X)
    operations.odd(slots, MASK, Y)
    operations.choose(slots, FREE + 5, X, Y, MASK)
    operations.is_zero(slots, FREE + 6, X)
    operations.copy(slots, FREE + 7, X)
    operations.pack(slots, OUT, Y)
    operations.unpack(slots, FREE + 8, OUT)


@lean_kernel
def _double(slots, point, out):
    curve.double(slots, out, point)


@lean_kernel
def _add(slots, point, other, out):
    curve.cache(slots, out + 4, other)
    curve.plus(slots, out, point, out + 4)


def limits(form):
    return [(1 << width) + (1 << form.slack) - 1 for width in form.widths]


def worst(form, rng, count):
    """Limbs at their ends, ``[count, limbs]``: all at the limit, none, and any mixture."""
    top = np.array(limits(form), np.uint64)
    low = np.array(form.limbs_of(P), np.uint64)
    kinds = np.stack([top, top - np.uint64(1), low, low + np.uint64(1), top * 0, top * 0 + 1])
    chosen = rng.integers(0, len(kinds), (count, len(top)))
    made = np.take_along_axis(kinds.T, chosen.T, axis=1).T
    made[: len(kinds)] = kinds
    random = rng.integers(0, top + np.uint64(1), (count // 2, len(top)), dtype=np.uint64)
    made[count // 2 :][: len(random)] = random
    return made


def put(slots, at, limbs):
    """Eight numbers into a slot."""
    slots[at] = limbs.T.reshape(-1).astype(slots.dtype)


def value(form, slots, at):
    limbs = slots[at].reshape(-1, LANES).astype(object)
    return [
        sum(int(limbs[i, lane]) << form.offsets[i] for i in range(len(form.widths))) % P
        for lane in range(LANES)
    ]


def held(form, slots, at):
    """Whether a slot is carried, as its form promises."""
    limbs = slots[at].reshape(-1, LANES).view(np.uint64)
    return (limbs <= np.array(limits(form), np.uint64)[:, None]).all()


@forms
def test_operations_on_the_worst_limbs(form):
    rng = np.random.default_rng(51)
    slots = group._scratch(form)
    for _ in range(60):
        first, second = worst(form, rng, LANES), worst(form, rng, LANES)
        put(slots, X, rng.permutation(first))
        put(slots, Y, rng.permutation(second))
        _work(slots)
        x, y = value(form, slots, X), value(form, slots, Y)
        pairs = list(zip(x, y, strict=True))
        expected = [
            [a * b % P for a, b in pairs],
            [a * a % P for a in x],
            [(a + b) % P for a, b in pairs],
            [(a - b) % P for a, b in pairs],
            [-a % P for a in x],
            [b if b & 1 else a for a, b in pairs],
        ]
        assert [value(form, slots, FREE + i) for i in range(6)] == expected
        assert value(form, slots, FREE + 8) == y
        assert [mask != 0 for mask in slots[FREE + 6, :LANES]] == [a == 0 for a in x]
        words = slots[OUT, : 4 * LANES].view(np.uint64).reshape(4, LANES)
        packed = [sum(int(words[i, n]) << 64 * i for i in range(4)) for n in range(LANES)]
        assert packed == y, "canonical"
        assert all(held(form, slots, at) for at in [*range(FREE, FREE + 6), FREE + 8])


@forms
def test_masks_hold_in_their_lanes_alone(form):
    slots = group._scratch(form)
    for lane in range(LANES):
        for zero in (0, P):
            numbers = [5] * LANES
            numbers[lane] = zero
            limbs = [
                [n >> o & (1 << w) - 1 for o, w in zip(form.offsets, form.widths, strict=True)]
                for n in numbers
            ]
            put(slots, X, np.array(limbs, np.uint64))
            put(slots, Y, np.array(limbs, np.uint64))
            _work(slots)
            full = [int(m) & (2**64 - 1) for m in slots[FREE + 6, :LANES]]
            assert full == [2**64 - 1 if n == lane else 0 for n in range(LANES)]


@forms
def test_numbers_stay_within_their_bounds(form):
    """A long way of operations from the worst limbs on: each result goes into the next."""
    rng = np.random.default_rng(255)
    slots = group._scratch(form)
    put(slots, X, worst(form, rng, LANES))
    put(slots, Y, worst(form, rng, LANES)[::-1])
    for step in range(400):
        _work(slots)
        expected = value(form, slots, X)
        chosen = FREE + int(rng.integers(0, 6))
        assert held(form, slots, chosen), step
        slots[Y] = slots[X]
        slots[X] = slots[chosen]
        assert expected == value(form, slots, Y)


@forms
def test_points_of_the_worst_limbs(form):
    """The formulas of double and sum hold for any numbers: (X, Y, Z, T) need be no point."""
    rng = np.random.default_rng(25519)
    slots = group._scratch(form)
    point, other, out = FREE, FREE + 4, FREE + 8
    d = -121665 * pow(121666, -1, P) % P
    for _ in range(40):
        for at in range(point, point + 8):
            put(slots, at, rng.permutation(worst(form, rng, LANES)))
        _double(slots, point, out)
        made = [value(form, slots, out + i) for i in range(4)]
        given = [value(form, slots, point + i) for i in range(4)]
        for n in range(LANES):
            x, y, z, _t = (number[n] for number in given)
            h, g = x * x + y * y, x * x - y * y
            e, f = h - (x + y) ** 2, 2 * z * z + g
            assert [m[n] for m in made] == [e * f % P, g * h % P, f * g % P, e * h % P]
        assert all(held(form, slots, out + i) for i in range(4))
        _add(slots, point, other, out)
        made = [value(form, slots, out + i) for i in range(4)]
        others = [value(form, slots, other + i) for i in range(4)]
        for n in range(LANES):
            (x1, y1, z1, t1), (x2, y2, z2, t2) = ([m[n] for m in p] for p in (given, others))
            a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
            c, e2 = 2 * d * t1 * t2, 2 * z1 * z2
            e, f, g, h = b - a, e2 - c, e2 + c, b + a
            assert [m[n] for m in made] == [e * f % P, g * h % P, f * g % P, e * h % P]
        assert all(held(form, slots, out + i) for i in range(4))
