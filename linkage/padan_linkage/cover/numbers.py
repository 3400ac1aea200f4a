"""Numbers that nobody has: made to fit a birth date and a sex, or of the parts of other numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.cover.newcomers import Neighbours, Numbers, coded, whose
from padan_linkage.cover.words import cut
from padan_linkage.crypto.randomness import Drbg

Digits = NDArray[np.uint8]
Flags = NDArray[np.bool_]

_ZERO = ord("0")
#: A woman's day of birth in a NIK is 40 more.
_WOMAN = 4
NIK_DIGITS, NIP_DIGITS = 16, 18
#: How often a number that somebody has already is made anew before its middle becomes random.
_TRIES = 3


def digits_of(column: pa.StringArray, width: int) -> Digits:
    """The characters of values of that length, ``uint8[n, width]``."""
    text = pa.concat_arrays([column.cast(pa.large_string())])
    _, offsets, data = text.buffers()
    start = np.frombuffer(offsets, np.int64)[text.offset] if len(text) else 0
    flat = np.frombuffer(data or b"", np.uint8)[start : start + len(text) * width]
    return flat.reshape(-1, width).copy()


def text_of_digits(digits: Digits) -> pa.StringArray:
    """The values of such characters."""
    count, width = digits.shape
    ends = np.arange(count + 1, dtype=np.int64) * width
    made = pa.LargeStringArray.from_buffers(
        count, pa.py_buffer(ends.tobytes()), pa.py_buffer(np.ascontiguousarray(digits).tobytes())
    )
    return made.cast(pa.string())


def with_birth(digits: Digits, born: pa.StringArray, women: Flags) -> Digits:
    """NIKs with the birth dates ``born`` ("" keeps the date) and sexes."""
    known = np.flatnonzero(pc.equal(pc.utf8_length(born), 10).to_numpy(zero_copy_only=False))
    made = digits.copy()
    date = digits_of(born.take(pa.array(known)), 10)
    made[known, 6:8], made[known, 8:10], made[known, 10:12] = (
        date[:, 8:],
        date[:, 5:7],
        date[:, 2:4],
    )
    made[known[women[known]], 6] += _WOMAN
    return made


def area_and_serial(niks: Digits, home: Numbers, drbg: Drbg) -> Digits:
    """The NIKs of ``home`` (int64[k]) with the serial numbers of others, and areas to fit."""
    made = niks[home]
    everyone = np.arange(len(niks))
    areas, serials = (coded(text_of_digits(niks[:, part])) for part in (slice(6), slice(12, 16)))
    area = whose(areas, home, everyone, drbg)
    made[:, :6] = niks[np.where(area >= 0, area, home), :6]
    # An area that nobody has lies beside one that somebody has.
    strange = np.flatnonzero(area < 0)
    made[strange, 4:6] = _random_digits(strange.size, 2, drbg)
    other = drbg.integers(home.size, len(niks))
    serial = whose(serials, other, everyone, drbg)
    made[:, 12:16] = niks[np.where(serial >= 0, serial, other), 12:16]
    rare = np.flatnonzero(serial < 0)
    made[rare, 15] = _random_digits(rare.size, 1, drbg)[:, 0]
    return made


def _random_digits(count: int, width: int, drbg: Drbg) -> Digits:
    return (drbg.integers(count * width, 10) + _ZERO).astype(np.uint8).reshape(count, width)


def spliced(column: pa.StringArray, of: Numbers, drbg: Drbg) -> pa.StringArray:
    """Values of the length of those of ``of``: a third of each, and of two others' as long."""
    length = pc.utf8_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    alike = Neighbours.of(length, drbg.permutation(length.size), drbg)
    donors = of, alike.pick(of, drbg), alike.pick(of, drbg)
    bounds = [length[of] * i // 3 for i in range(4)]
    parts = [
        cut(column.take(pa.array(donor)), bounds[i], bounds[i + 1])
        for i, donor in enumerate(donors)
    ]
    return pc.binary_join_element_wise(*parts, "")


def of_nobody(
    made: pa.StringArray,
    held: pa.StringArray,
    remake: Callable[[Numbers], pa.StringArray],
    drbg: Drbg,
) -> pa.StringArray:
    """``made`` with those values made anew that are in ``held`` or stand twice.

    ``remake(rows)`` makes them; what is still somebody's then gets random digits in its middle.
    """
    for attempt in range(2 * _TRIES):
        bad = np.flatnonzero(_taken(made, held))
        if not bad.size:
            break
        again = remake(bad) if attempt < _TRIES else _blurred(made.take(pa.array(bad)), drbg)
        row = np.full(len(made), -1)
        row[bad] = np.arange(bad.size)
        made = pc.coalesce(again.take(pa.array(row, mask=row < 0)), made)
    return made


def _taken(made: pa.StringArray, held: pa.StringArray) -> Flags:
    bad: Flags = pc.is_in(made, value_set=held).to_numpy(zero_copy_only=False)
    codes = made.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    earlier = np.ones(codes.size, np.bool_)
    earlier[np.unique(codes, return_index=True)[1]] = False
    return bad | earlier


def _blurred(values: pa.StringArray, drbg: Drbg) -> pa.StringArray:
    """Values with four random digits in the middle, or at the end of very short ones."""
    length = pc.utf8_length(values).to_numpy(zero_copy_only=False).astype(np.int64)
    begin = np.maximum((length - 4) // 2, 0)
    digits = text_of_digits(_random_digits(len(values), 4, drbg))
    return pc.binary_join_element_wise(
        cut(values, np.zeros_like(begin), begin),
        cut(digits, np.zeros_like(begin), np.minimum(4, length)),
        cut(values, np.minimum(begin + 4, length), length),
        "",
    )
