"""The group ristretto255 (RFC 9496) on many elements at once.

Encodings of elements are ``uint8[n, 32]``; scalars ``uint8[n, 32]``, little-endian and below the
order. Everything here is one sequence of operations at one sequence of addresses, whatever the
values: what may be seen is how many there are. Only :func:`decode` tells something of values, where
none is an element: encodings are public.

The :class:`form <.forms.Form>` of the numbers is chosen by the processor (:mod:`.choice`) unless it
is given; results do not depend on it. Kernels release the interpreter's lock.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.lanes import aligned
from padan_linkage.direct.lanes import kernels
from padan_linkage.direct.lanes.choice import best_form
from padan_linkage.direct.lanes.constants import GENERATOR, NEUTRAL, VALUES, L
from padan_linkage.direct.lanes.curve import DIGITS
from padan_linkage.direct.lanes.digits import cut_digits
from padan_linkage.direct.lanes.forms import LANES, Form, P
from padan_linkage.direct.lanes.operations import DTYPES, Digits, Slots

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_P_WORDS, _L_WORDS = (
    np.array([n >> 64 * i & (1 << 64) - 1 for i in range(4)], np.uint64) for n in (P, L)
)


@dataclass(frozen=True, repr=False)
class Points:
    """``count`` points in a form: ``[groups · 4, limbs · 8]``; lanes behind the last hold any."""

    form: Form
    count: int
    slots: Slots

    def __len__(self) -> int:
        return self.count


def decode(raw: Bytes, form: Form | None = None) -> tuple[Points, Mask]:
    """The points of encodings, and which of them are one, ``bool[n]``; where none is: any point.

    False just where RFC 9496, section 4.3.1, refuses. The neutral element (zeros) is one.
    """
    form = form or best_form()
    words = _words(raw, form)
    points = _room(form, len(raw))
    good = np.zeros((len(words) // 4, LANES), words.dtype)
    kernels.decode_groups(words, points, good, _scratch(form))
    found = good.reshape(-1)[: len(raw)] != 0
    return Points(form, len(raw), points), found & _canonical(raw)


def encode(points: Points) -> Bytes:
    """The encodings ``uint8[n, 32]``."""
    words = np.zeros((len(points.slots), LANES), points.slots.dtype)
    kernels.encode_groups(points.slots, words, _scratch(points.form))
    return _bytes(words, len(points))


def encode_products_all(points: Points, scalar: Bytes) -> Bytes:
    """``encode(multiply_all(…))``, quicker: halves and their doubles, which need no root each."""
    return _encoded_doubles(multiply_all(points, _halved(scalar.reshape(1, 32))[0]))


def encode_products_each(points: Points, scalars: Bytes) -> Bytes:
    """``encode(multiply_each(…))``, quicker."""
    return _encoded_doubles(multiply_each(points, _halved(scalars)))


def map_to_group(uniform: Bytes, form: Form | None = None) -> Points:
    """The points that uniform bytes ``uint8[n, 64]`` map to (RFC 9496, section 4.3.4)."""
    form = form or best_form()
    count = len(uniform)
    first, second = (_words(uniform[:, at : at + 32], form) for at in (0, 32))
    both = np.stack([first.reshape(-1, 4, LANES), second.reshape(-1, 4, LANES)], axis=1)
    points = _room(form, count)
    kernels.map_groups(both.reshape(-1, LANES), points, _scratch(form))
    return Points(form, count, points)


def multiply_all(points: Points, scalar: Bytes) -> Points:
    """Each point times one scalar, ``uint8[32]``."""
    digits = np.repeat(_digits(scalar.reshape(1, 32)).reshape(DIGITS, 1), LANES, axis=1)
    return _multiplied(points, digits, 0)


def multiply_each(points: Points, scalars: Bytes) -> Points:
    """Each point times its scalar."""
    return _multiplied(points, _digit_rows(points, scalars), DIGITS)


def base_multiply_each(scalars: Bytes, form: Form | None = None) -> Points:
    """The generator times each scalar."""
    generator = np.frombuffer(GENERATOR, np.uint8).reshape(1, 32)
    points, _ = decode(np.repeat(generator, len(scalars), axis=0), form)
    return multiply_each(points, scalars)


def add(points: Points, others: Points) -> Points:
    """Each point and its other."""
    total = _copied(points)
    kernels.add_groups(total.slots, others.slots, _scratch(points.form))
    return total


def weighted_sum(points: Points, scalars: Bytes) -> Points:
    """The sum of all points, each times its scalar; one point.

    The shared doublings make it about three times as quick as multiplying each.
    """
    total = _neutral(points.form)
    rows = _digit_rows(points, scalars)
    kernels.weigh_groups(points.slots, rows, total.slots, _scratch(points.form))
    return _lanes_summed(total)


def total(points: Points) -> Points:
    """The sum of all points; one point."""
    ones = np.zeros((len(points), 32), np.uint8)
    ones[:, 0] = 1
    return weighted_sum(points, ones)


def _encoded_doubles(points: Points) -> Bytes:
    groups = len(points.slots) // 4
    words = np.zeros((4 * groups, LANES), points.slots.dtype)
    before = _slots(points.form, groups)
    kernels.encode_doubles_of_groups(points.slots, words, before, _scratch(points.form))
    return _bytes(words, len(points))


def _halved(scalars: Bytes) -> Bytes:
    """Half of each scalar modulo the order: of it, or of it and the order, whichever is even."""
    words = np.ascontiguousarray(scalars).view("<u8").astype(np.uint64, copy=False)
    odd = np.uint64(0) - (words[:, 0] & np.uint64(1))
    sums, carry = np.empty_like(words), np.zeros(len(words), np.uint64)
    for i in range(4):
        more = (odd & _L_WORDS[i]) + carry  # no word of the order is full
        sums[:, i] = words[:, i] + more
        carry = (sums[:, i] < more).astype(np.uint64)
    halves = sums >> np.uint64(1)
    halves[:, :3] |= sums[:, 1:] << np.uint64(63)
    return halves.astype("<u8", copy=False).view(np.uint8)


def _digits(scalars: Bytes) -> NDArray[np.int8]:
    """The digits ``int8[n, 64]`` of scalars, see :func:`.cut_digits`."""
    scalars = np.ascontiguousarray(scalars).view()
    scalars.flags.writeable = False  # one type for the compiler
    digits = np.empty((len(scalars), DIGITS), np.int8)
    cut_digits(scalars, digits)
    return digits


def _digit_rows(points: Points, scalars: Bytes) -> Digits:
    """Digits as kernels take them, ``int8[groups · 64, 8]``; 0 behind the last."""
    if len(scalars) != len(points):
        raise ValueError("as many scalars as points")
    groups = len(points.slots) // 4
    digits = np.zeros((groups * LANES, DIGITS), np.int8)
    digits[: len(scalars)] = _digits(scalars)
    rows = digits.reshape(groups, LANES, DIGITS).transpose(0, 2, 1)
    return np.ascontiguousarray(rows).reshape(-1, LANES)


def _multiplied(points: Points, digits: Digits, step: int) -> Points:
    product = _copied(points)
    kernels.multiply_groups(product.slots, digits, step, _scratch(points.form))
    return product


def _lanes_summed(group: Points) -> Points:
    """The sum of a group's eight lanes, in the first of them."""
    for distance in (4, 2, 1):
        turned = np.roll(group.slots.reshape(-1, LANES), distance, axis=1)
        group = add(group, Points(group.form, LANES, turned.reshape(group.slots.shape)))
    return Points(group.form, 1, group.slots)


def _neutral(form: Form) -> Points:
    room = _room(form, LANES)
    room[:] = _scratch(form)[NEUTRAL : NEUTRAL + 4]
    return Points(form, LANES, room)


def _copied(points: Points) -> Points:
    room = _room(points.form, len(points))
    room[:] = points.slots
    return Points(points.form, len(points), room)


def _scratch(form: Form) -> Slots:
    """Slots for one call, its constants in them."""
    slots = _slots(form, kernels.SLOTS)
    slots[: len(VALUES)] = _constants(form)
    return slots


@functools.cache
def _constants(form: Form) -> Slots:
    """What lies in the first slots."""
    limbs = np.array([form.limbs_of(value) for value in VALUES], DTYPES[form])
    return np.repeat(limbs, LANES, axis=1)


def _room(form: Form, count: int) -> Slots:
    return _slots(form, 4 * -(-count // LANES))


def _slots(form: Form, rows: int) -> Slots:
    width = LANES * len(form.widths)
    return aligned(rows * width).view(DTYPES[form]).reshape(rows, width)


def _words(raw: Bytes, form: Form) -> Slots:
    """``[groups · 4, 8]`` of ``uint8[n, 32]``; zeros behind the last."""
    groups = -(-len(raw) // LANES)
    padded = np.zeros((groups * LANES, 32), np.uint8)
    padded[: len(raw)] = raw
    words = padded.view("<u8").astype(np.uint64, copy=False).reshape(groups, LANES, 4)
    rows = np.ascontiguousarray(words.transpose(0, 2, 1)).reshape(-1, LANES)
    return rows.view(DTYPES[form])


def _bytes(words: Slots, count: int) -> Bytes:
    numbers = words.view(np.uint64).reshape(-1, 4, LANES).transpose(0, 2, 1)
    packed = np.ascontiguousarray(numbers).astype("<u8", copy=False).view(np.uint8)
    return packed.reshape(-1, 32)[:count]


def _canonical(raw: Bytes) -> Mask:
    """Where a number is below p and even."""
    words = np.ascontiguousarray(raw).view("<u8").astype(np.uint64, copy=False)
    below: Mask = words[:, 0] < _P_WORDS[0]
    for i in (1, 2):
        below = below | (words[:, i] != _P_WORDS[i])
    below = (words[:, 3] < _P_WORDS[3]) | ((words[:, 3] == _P_WORDS[3]) & below)
    even: Mask = raw[:, 0] & 1 == 0
    return even & below
