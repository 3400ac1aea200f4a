"""The innermost step: four rows against 32 columns, all distances in registers.

Rows lie as they come (a word is spread over all lanes). Columns lie in groups of eight, the same
word of eight records side by side, so that a vector lane is a record and nothing is ever summed
across lanes. Sixteen accumulators make a tile: enough to keep a processor's vector units busy and
to share out what a tile costs beside comparing. What is written here is LLVM's language, not that
of one processor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from itertools import product
from typing import Any, cast

from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

from padan_linkage.compiled.lanes import (
    LANE,
    LANES,
    REALS,
    WORD,
    bits_of,
    count,
    data_of,
    lesser,
    load,
    spread,
    store,
    variable,
)

#: A tile: its rows, its groups of eight columns, its columns.
ROWS, GROUPS = 4, 4
COLUMNS = GROUPS * LANES
#: Pairs in a tile; lane l of row r and group g is number ``r * COLUMNS + g * LANES + l``.
PAIRS = ROWS * COLUMNS
#: Pairs whose flags fill a word.
FLAGS = 64

#: (row, group) of every register of a tile, in the order of its pairs.
_CELLS = list(product(range(ROWS), range(GROUPS)))


def _make_measure() -> Callable[..., bool]:
    """``measure(a, rows, start, b, at, stride, words, limit, apart, least, k)``.

    The distances of one segment in a tile, into ``apart`` (int64) from ``k * PAIRS`` on, and the
    least of every lane into ``least`` (int64) from ``k * LANES`` on; whether any is at most
    ``limit``. In row r the segment begins at ``a[rows[r] + start]``, in the columns at ``b[at]``;
    ``stride`` words lead from one group of columns to the next.
    """

    @intrinsic
    def measure(
        _context: Any, a: Any, rows: Any, _start: Any, b: Any, _at: Any, _stride: Any,
        _words: Any, _limit: Any, apart: Any, least: Any, _k: Any,
    ) -> Any:  # fmt: skip
        """See the maker."""
        whole = types.int64

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            places = [data_of(context, builder, sig, args, n) for n in (0, 1, 3, 8, 9)]
            a, rows, b, apart, least = places
            _, _, start, _, at, stride, words, limit, _, _, k = args
            starts = [builder.add(_entry(builder, rows, r), start) for r in range(ROWS)]
            columns = [builder.add(at, builder.mul(stride, WORD(g))) for g in range(GROUPS)]
            distance = _distances(builder, a, starts, b, columns, words)
            first = builder.mul(k, WORD(PAIRS))
            for cell, each in enumerate(distance):
                store(builder, each, apart, _plus(builder, first, cell * LANES))
            nearest = reduce(partial(lesser, builder), distance)
            store(builder, nearest, least, builder.mul(k, WORD(LANES)))
            within = builder.icmp_signed("<=", nearest, spread(builder, limit, LANE))
            return builder.icmp_unsigned("!=", bits_of(builder, within), WORD(0))

        signature = types.boolean(
            a, rows, whole, b, whole, whole, whole, whole, apart, least, whole
        )
        return signature, codegen

    return cast("Callable[..., bool]", measure)


def _make_reaching() -> Callable[..., int]:
    """``reaching(apart, half, scale, alignments, n, segments, cut, part)``.

    Which pairs of a tile's ``part`` have, in one of ``n`` alignments at least, squares
    max(0, half - distance)² · scale that sum to ``cut``: one bit a pair, the lowest that of pair
    ``part * FLAGS``. ``alignments``: int64[n * segments], numbers of segment pairs, which are the
    ``k`` of ``measure``; ``half`` and ``scale``: float64[segments].
    """

    @intrinsic
    def reaching(
        _context: Any, apart: Any, half: Any, scale: Any, alignments: Any, _n: Any,
        _segments: Any, _cut: Any, _part: Any,
    ) -> Any:  # fmt: skip
        """See the maker."""
        whole, real = types.int64, types.float64

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            apart, half, scale, alignments = (
                data_of(context, builder, sig, args, k) for k in range(4)
            )
            _, _, _, _, n, segments, cut, part = args
            first = builder.mul(part, WORD(FLAGS))
            least = spread(builder, cut, REALS)
            pairs = WORD(0)
            sums = _best_sums(builder, apart, half, scale, alignments, n, segments, first)
            for cell, best in enumerate(sums):
                flags = bits_of(builder, builder.fcmp_ordered(">=", best, least))
                pairs = builder.or_(pairs, builder.shl(flags, WORD(cell * LANES)))
            return pairs

        return whole(apart, half, scale, alignments, whole, whole, real, whole), codegen

    return cast("Callable[..., int]", reaching)


def _distances(
    builder: Any, a: Any, starts: list[Any], b: Any, columns: list[Any], words: Any
) -> list[Any]:
    """The Hamming distance, for every cell.

    The loop over words stays a loop: unrolled, it would run out of registers.
    """
    sums = [variable(builder, LANE([0] * LANES)) for _ in _CELLS]
    with cgutils.for_range(builder, words) as loop:
        at = builder.mul(loop.index, WORD(LANES))
        theirs = [load(builder, b, builder.add(c, at)) for c in columns]
        for r in range(ROWS):
            mine = spread(builder, _entry(builder, a, builder.add(starts[r], loop.index)), LANE)
            for g in range(GROUPS):
                differing = count(builder, builder.xor(mine, theirs[g]))
                total = sums[r * GROUPS + g]
                builder.store(builder.add(builder.load(total), differing), total)
    return [builder.load(each) for each in sums]


def _best_sums(
    builder: Any,
    apart: Any,
    half: Any,
    scale: Any,
    alignments: Any,
    n: Any,
    segments: Any,
    first: Any,
) -> list[Any]:
    """The greatest sums of squares over the alignments, and 0 at least, from pair ``first`` on."""
    zero = REALS([0.0] * LANES)
    best = [variable(builder, zero) for _ in range(FLAGS // LANES)]
    sums = [variable(builder, zero) for _ in best]
    with cgutils.for_range(builder, n) as outer:
        for total in sums:
            builder.store(zero, total)
        begin = builder.mul(outer.index, segments)
        with cgutils.for_range(builder, segments) as inner:
            pair = _entry(builder, alignments, builder.add(begin, inner.index))
            at = builder.add(builder.mul(pair, WORD(PAIRS)), first)
            of_segment = [
                spread(builder, _entry(builder, each, inner.index), REALS) for each in (half, scale)
            ]
            for cell, total in enumerate(sums):
                distance = load(builder, apart, _plus(builder, at, cell * LANES))
                more = _square_below(builder, distance, *of_segment)
                builder.store(builder.fadd(builder.load(total), more), total)
        for total, greatest in zip(sums, best, strict=True):
            builder.store(_greater(builder, builder.load(total), builder.load(greatest)), greatest)
    return [builder.load(each) for each in best]


def _square_below(builder: Any, distance: Any, half: Any, scale: Any) -> Any:
    """max(0, half - distance)² · scale of every lane."""
    below = builder.fsub(half, builder.sitofp(distance, REALS))
    below = _greater(builder, below, REALS([0.0] * LANES))
    return builder.fmul(builder.fmul(below, below), scale)


def _greater(builder: Any, one: Any, other: Any) -> Any:
    """The greater of every lane of reals."""
    return builder.select(builder.fcmp_ordered(">", one, other), one, other)


def _entry(builder: Any, data: Any, at: Any) -> Any:
    """``data[at]``."""
    place = WORD(at) if isinstance(at, int) else at
    return builder.load(builder.gep(data, [place]), align=8)


def _plus(builder: Any, at: Any, more: int) -> Any:
    """``at + more``."""
    return builder.add(at, WORD(more)) if more else at


measure = _make_measure()
reaching = _make_reaching()
