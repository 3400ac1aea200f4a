"""What Python calls: loops over groups of eight elements, with everything they need in ``slots``.

Arrays have one dtype, that of the form: points ``[groups · 4, limbs · 8]``; words, numbers of 256
bits, ``[groups · 4, 8]``. Digits are ``int8[groups · 64, 8]``. None of these functions makes an
array, branches on a value in one or looks anything up by it.
"""

from __future__ import annotations

from padan_linkage.compiled.jit import helper, lean_kernel
from padan_linkage.direct.lanes.constants import NEUTRAL, ONE
from padan_linkage.direct.lanes.curve import (
    ADDED,
    BEHIND,
    DIGITS,
    MULTIPLES,
    POINT,
    WINDOW,
    cache,
    copy_point,
    multiply,
    plus,
    plus_picked,
    shift,
    tabulate,
)
from padan_linkage.direct.lanes.operations import Digits, Slots, copy, mul, pack, unpack
from padan_linkage.direct.lanes.ristretto import (
    IN_POINT,
    INVERSE,
    PRODUCT,
    SQUARE,
    WINDOW_SLOTS,
    S,
    after_decoding,
    after_encoding,
    after_inversion,
    after_mapping,
    before_decoding,
    before_encoding,
    before_inversion,
    before_mapping,
    find_roots,
    invert,
)

#: Chains of squarings side by side: each waits for its last product, four keep the units busy.
WINDOWS = 4
#: Groups whose multiples are held at once by :func:`weigh_groups`.
WEIGHED = 16
SLOTS = BEHIND + max(WINDOWS * WINDOW_SLOTS, 4 * WINDOW * WEIGHED)


@lean_kernel
def decode_groups(words: Slots, points: Slots, good: Slots, slots: Slots) -> None:
    """Points of canonical numbers; ``good`` ``[groups, 8]`` is a mask of those that have one."""
    groups = len(words) // 4
    for start in range(0, groups, WINDOWS):
        windows = min(WINDOWS, groups - start)
        for w in range(windows):
            base = BEHIND + w * WINDOW_SLOTS
            _take_words(slots, base + S, words, start + w)
            before_decoding(slots, base)
        find_roots(slots, BEHIND, windows)
        for w in range(windows):
            base = BEHIND + w * WINDOW_SLOTS
            after_decoding(slots, base)
            _give_point(points, start + w, slots, base + IN_POINT)
            for lane in range(8):
                good[start + w, lane] = slots[base + SQUARE, lane]


@lean_kernel
def encode_groups(points: Slots, words: Slots, slots: Slots) -> None:
    """Canonical numbers of points."""
    groups = len(words) // 4
    for start in range(0, groups, WINDOWS):
        windows = min(WINDOWS, groups - start)
        for w in range(windows):
            base = BEHIND + w * WINDOW_SLOTS
            _take_point(slots, base + IN_POINT, points, start + w)
            before_encoding(slots, base)
        find_roots(slots, BEHIND, windows)
        for w in range(windows):
            base = BEHIND + w * WINDOW_SLOTS
            after_encoding(slots, base)
            _give_words(words, start + w, slots, base + S)


@lean_kernel
def encode_doubles_of_groups(points: Slots, words: Slots, before: Slots, slots: Slots) -> None:
    """Canonical numbers of twice the points, by one inversion (Montgomery's trick in each lane).

    ``before`` ``[groups, limbs · 8]`` is room for the products of all groups before each.
    """
    groups = len(words) // 4
    base, running = BEHIND, BEHIND + WINDOW_SLOTS
    copy(slots, running + PRODUCT, ONE)
    for group in range(groups):
        _take_point(slots, base + IN_POINT, points, group)
        before_inversion(slots, base)
        _move(before, group, slots, running + PRODUCT)
        mul(slots, running + PRODUCT, running + PRODUCT, base + PRODUCT)
    invert(slots, running)
    for group in range(groups - 1, -1, -1):
        _take_point(slots, base + IN_POINT, points, group)
        before_inversion(slots, base)
        _move(slots, base + INVERSE, before, group)
        mul(slots, base + INVERSE, base + INVERSE, running + INVERSE)
        mul(slots, running + INVERSE, running + INVERSE, base + PRODUCT)
        after_inversion(slots, base)
        _give_words(words, group, slots, base + S)


@lean_kernel
def map_groups(words: Slots, points: Slots, slots: Slots) -> None:
    """The sums of what two numbers each map to; ``words`` ``[groups · 8, 8]``."""
    halves = len(words) // 4
    for start in range(0, halves, WINDOWS):
        windows = min(WINDOWS, halves - start)
        for w in range(windows):
            base = BEHIND + w * WINDOW_SLOTS
            _take_words(slots, base + S, words, start + w)
            before_mapping(slots, base)
        find_roots(slots, BEHIND, windows)
        for w in range(0, windows, 2):
            first, second = BEHIND + w * WINDOW_SLOTS, BEHIND + (w + 1) * WINDOW_SLOTS
            after_mapping(slots, first)
            after_mapping(slots, second)
            cache(slots, ADDED, second + IN_POINT)
            plus(slots, POINT, first + IN_POINT, ADDED)
            _give_point(points, (start + w) // 2, slots, POINT)


@lean_kernel
def multiply_groups(points: Slots, digits: Digits, step: int, slots: Slots) -> None:
    """Points times scalars, in place; digits of group g begin at row ``g · step``."""
    for group in range(len(points) // 4):
        _take_point(slots, POINT, points, group)
        multiply(slots, digits, group * step)
        _give_point(points, group, slots, POINT)


@lean_kernel
def add_groups(points: Slots, others: Slots, slots: Slots) -> None:
    """Adds ``others`` to ``points``, in place."""
    for group in range(len(points) // 4):
        _take_point(slots, POINT, points, group)
        _take_point(slots, MULTIPLES, others, group)
        cache(slots, ADDED, MULTIPLES)
        plus(slots, POINT, POINT, ADDED)
        _give_point(points, group, slots, POINT)


@lean_kernel
def weigh_groups(points: Slots, digits: Digits, total: Slots, slots: Slots) -> None:
    """Adds to each lane of ``total``, one group, its points of all groups times their scalars.

    Doublings are shared by WEIGHED groups (Straus).
    """
    groups = len(points) // 4
    for start in range(0, groups, WEIGHED):
        some = min(WEIGHED, groups - start)
        for w in range(some):
            _take_point(slots, POINT, points, start + w)
            tabulate(slots, BEHIND + 4 * WINDOW * w)
        copy_point(slots, POINT, NEUTRAL)
        for j in range(DIGITS - 1, -1, -1):
            shift(slots)
            for w in range(some):
                row = (start + w) * DIGITS + j
                plus_picked(slots, POINT, POINT, BEHIND + 4 * WINDOW * w, digits, row)
        _take_point(slots, MULTIPLES, total, 0)
        cache(slots, ADDED, MULTIPLES)
        plus(slots, POINT, POINT, ADDED)
        _give_point(total, 0, slots, POINT)


@helper
def _take_words(slots: Slots, out: int, words: Slots, group: int) -> None:
    for i in range(4):
        for lane in range(8):
            slots[out, 8 * i + lane] = words[4 * group + i, lane]
    unpack(slots, out, out)


@helper
def _give_words(words: Slots, group: int, slots: Slots, number: int) -> None:
    pack(slots, number, number)
    for i in range(4):
        for lane in range(8):
            words[4 * group + i, lane] = slots[number, 8 * i + lane]


@helper
def _take_point(slots: Slots, out: int, points: Slots, group: int) -> None:
    for c in range(4):
        _move(slots, out + c, points, 4 * group + c)


@helper
def _give_point(points: Slots, group: int, slots: Slots, point: int) -> None:
    for c in range(4):
        _move(points, 4 * group + c, slots, point + c)


@helper
def _move(target: Slots, to: int, source: Slots, number: int) -> None:
    for i in range(target.shape[1]):
        target[to, i] = source[number, i]
