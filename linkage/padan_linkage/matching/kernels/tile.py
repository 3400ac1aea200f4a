"""The innermost step: four rows against sixteen columns, all distances in registers.

Rows lie as they come (a word is spread over all lanes). Columns lie in groups of eight, the same
word of eight records side by side, so that a vector lane is a record and nothing is ever summed
across lanes. Eight accumulators make a tile: enough to keep a processor's vector units busy, few
enough for its registers. What is written here is LLVM's language, not that of one processor.
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
ROWS, GROUPS = 4, 2
COLUMNS = GROUPS * LANES
#: Pairs in a tile; lane l of row r and group g is number ``r * COLUMNS + g * LANES + l``.
PAIRS = ROWS * COLUMNS

#: (row, group) of every register of a tile, in the order of its pairs.
_CELLS = list(product(range(ROWS), range(GROUPS)))


def _make_hits(*, paired: bool) -> Callable[..., int]:
    """``hits(filters, row, last, columns, column, words, excess, bound, at)``, plain or paired.

    Looks for pairs of a tile with distance + ``excess[column + c]`` ≤ ``bound[at + r]``. The tile's
    rows are those from ``row`` on, of ``words`` words each; past ``last`` the last one stands in.
    Its columns are those from ``column`` on, which lie in groups (:func:`.lanes.side_by_side`).
    Gives one bit a pair, that of row r and column c being ``r * COLUMNS + c``; 0 where none is
    near enough. ``paired``: words are taken two by two, and what differs in either or both counts
    once (see :func:`_distances`).
    """

    @intrinsic
    def hits(
        _context: Any, filters: Any, _row: Any, _last: Any, columns: Any, _column: Any, _words: Any,
        excess: Any, bound: Any, _at: Any,
    ) -> Any:  # fmt: skip
        """See the maker."""
        whole = types.int64

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            a, b, excess, bound = (data_of(context, builder, sig, args, n) for n in (0, 3, 6, 7))
            _, row, last, _, column, words, _, _, at = args
            starts = [
                builder.mul(_up_to(builder, _plus(builder, row, r), last), words)
                for r in range(ROWS)
            ]
            groups = _columns(builder, builder.mul(column, words), builder.mul(words, WORD(LANES)))
            first = [load(builder, excess, _plus(builder, column, g * LANES)) for _, g in _CELLS]
            over = _distances(builder, a, starts, b, groups, words, first, paired=paired)
            most = [
                spread(builder, _entry(builder, bound, _plus(builder, at, r)), LANE)
                for r in range(ROWS)
            ]
            return _pairs_below(builder, over, most)

        signature = whole(filters, whole, whole, columns, whole, whole, excess, bound, whole)
        return signature, codegen

    return cast("Callable[..., int]", hits)


def _make_measure() -> Callable[..., None]:
    """``measure(a, rows, start, b, at, stride, words, half, scale, square, k)``.

    The distances of one segment in a tile, as max(0, half - distance)² · scale, into ``square``
    (float64) from ``k * PAIRS`` on. In row r the segment begins at ``a[rows[r] + start]``, in the
    columns at ``b[at]``; ``stride`` words lead from one group of columns to the next.
    """

    @intrinsic
    def measure(
        _context: Any, a: Any, rows: Any, _start: Any, b: Any, _at: Any, _stride: Any,
        _words: Any, _half: Any, _scale: Any, square: Any, _k: Any,
    ) -> Any:  # fmt: skip
        """See the maker."""
        whole, real = types.int64, types.float64

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            a, rows, b, square = (data_of(context, builder, sig, args, n) for n in (0, 1, 3, 9))
            starts = [builder.add(_entry(builder, rows, r), args[2]) for r in range(ROWS)]
            columns = _columns(builder, args[4], args[5])
            first = [LANE([0] * LANES)] * len(_CELLS)
            distance = _distances(builder, a, starts, b, columns, args[6], first)
            half, scale = spread(builder, args[7], REALS), spread(builder, args[8], REALS)
            at = builder.mul(args[10], WORD(PAIRS))
            for cell, each in enumerate(distance):
                place = _plus(builder, at, cell * LANES)
                store(builder, _square_below(builder, each, half, scale), square, place)
            return context.get_dummy_value()

        signature = types.void(a, rows, whole, b, whole, whole, whole, real, real, square, whole)
        return signature, codegen

    return cast("Callable[..., None]", measure)


def _make_reaching() -> Callable[..., int]:
    """``reaching(square, alignments, n, segments, cut)``.

    Which pairs of a tile have, in one of ``n`` alignments at least, squares that sum to ``cut``:
    one bit a pair, as in ``hits``. ``alignments``: int64[n * segments], numbers of segment pairs,
    which are the ``k`` of ``measure``.
    """

    @intrinsic
    def reaching(
        _context: Any, square: Any, alignments: Any, _n: Any, _segments: Any, _cut: Any
    ) -> Any:
        """See the maker."""
        whole, real = types.int64, types.float64

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            square, alignments = (data_of(context, builder, sig, args, n) for n in (0, 1))
            cut = spread(builder, args[4], REALS)
            best = _best_sums(builder, square, alignments, args[2], args[3])
            over = [builder.fcmp_ordered(">=", each, cut) for each in best]
            return _where_any(builder, reduce(builder.or_, over), lambda: over)

        return whole(square, alignments, whole, whole, real), codegen

    return cast("Callable[..., int]", reaching)


def _distances(
    builder: Any,
    a: Any,
    starts: list[Any],
    b: Any,
    columns: list[Any],
    words: Any,
    first: list[Any],
    *,
    paired: bool = False,
) -> list[Any]:
    """``first`` plus the Hamming distance, for every cell.

    The loop over words stays a loop: unrolled, it would run out of registers. ``paired``: plus
    the bits that differ in word 2i or word 2i + 1, a lower bound of the distance that rises by 3/4
    a bit of noise for the price of 2/3 of the operations.
    """
    step = 2 if paired else 1
    sums = [variable(builder, each) for each in first]
    turns = builder.udiv(words, WORD(step))
    with cgutils.for_range(builder, turns) as loop:
        word = builder.mul(loop.index, WORD(step))
        at = builder.mul(word, WORD(LANES))
        theirs = [
            [load(builder, b, _plus(builder, builder.add(c, at), i * LANES)) for i in range(step)]
            for c in columns
        ]
        for r in range(ROWS):
            place = builder.add(starts[r], word)
            mine = [
                spread(builder, _entry(builder, a, _plus(builder, place, i)), LANE)
                for i in range(step)
            ]
            for g in range(GROUPS):
                differing = builder.xor(mine[0], theirs[g][0])
                if paired:
                    differing = builder.or_(differing, builder.xor(mine[1], theirs[g][1]))
                total = sums[r * GROUPS + g]
                builder.store(builder.add(builder.load(total), count(builder, differing)), total)
    return [builder.load(each) for each in sums]


def _best_sums(builder: Any, square: Any, alignments: Any, n: Any, segments: Any) -> list[Any]:
    """For every cell the greatest sum of squares over the alignments, and 0 at least."""
    zero = REALS([0.0] * LANES)
    best = [variable(builder, zero) for _ in _CELLS]
    sums = [variable(builder, zero) for _ in _CELLS]
    with cgutils.for_range(builder, n) as outer:
        for total in sums:
            builder.store(zero, total)
        begin = builder.mul(outer.index, segments)
        with cgutils.for_range(builder, segments) as inner:
            pair = _entry(builder, alignments, builder.add(begin, inner.index))
            at = builder.mul(pair, WORD(PAIRS))
            for cell, total in enumerate(sums):
                more = load(builder, square, _plus(builder, at, cell * LANES), REALS)
                builder.store(builder.fadd(builder.load(total), more), total)
        for total, greatest in zip(sums, best, strict=True):
            one, other = builder.load(total), builder.load(greatest)
            builder.store(
                builder.select(builder.fcmp_ordered(">", one, other), one, other), greatest
            )
    return [builder.load(each) for each in best]


def _square_below(builder: Any, distance: Any, half: Any, scale: Any) -> Any:
    """max(0, half - distance)² · scale of every lane."""
    zero = REALS([0.0] * LANES)
    below = builder.fsub(half, builder.sitofp(distance, REALS))
    below = builder.select(builder.fcmp_ordered(">", below, zero), below, zero)
    return builder.fmul(builder.fmul(below, below), scale)


def _pairs_below(builder: Any, over: list[Any], most: list[Any]) -> Any:
    """The pairs of a tile whose lane is not above its row's ``most``, one bit each.

    Hardly any tile has one: what all tiles pay for is the least of each row alone.
    """
    rows = [over[r * GROUPS : (r + 1) * GROUPS] for r in range(ROWS)]
    least = [reduce(partial(lesser, builder), row) for row in rows]
    spare = [builder.sub(each, limit) for each, limit in zip(least, most, strict=True)]
    some = builder.icmp_signed("<=", reduce(partial(lesser, builder), spare), LANE([0] * LANES))
    return _where_any(
        builder,
        some,
        lambda: [builder.icmp_signed("<=", over[r * GROUPS + g], most[r]) for r, g in _CELLS],
    )


def _where_any(builder: Any, some: Any, flags: Callable[[], list[Any]]) -> Any:
    """All pairs' ``flags`` as one word where any lane of ``some`` has its flag, else 0."""
    pairs = variable(builder, WORD(0))
    with builder.if_then(builder.icmp_unsigned("!=", bits_of(builder, some), WORD(0))):
        word = WORD(0)
        for cell, each in enumerate(flags()):
            shifted = builder.shl(bits_of(builder, each), WORD(cell * LANES))
            word = builder.or_(word, shifted)
        builder.store(word, pairs)
    return builder.load(pairs)


def _columns(builder: Any, at: Any, stride: Any) -> list[Any]:
    """Where each group of columns begins."""
    return [builder.add(at, builder.mul(stride, WORD(g))) for g in range(GROUPS)]


def _up_to(builder: Any, at: Any, last: Any) -> Any:
    """The lesser of two whole numbers."""
    return builder.select(builder.icmp_signed("<", at, last), at, last)


def _entry(builder: Any, data: Any, at: Any) -> Any:
    """``data[at]``."""
    place = WORD(at) if isinstance(at, int) else at
    return builder.load(builder.gep(data, [place]), align=8)


def _plus(builder: Any, at: Any, more: int) -> Any:
    """``at + more``."""
    return builder.add(at, WORD(more)) if more else at


hits = _make_hits(paired=False)
paired_hits = _make_hits(paired=True)
measure = _make_measure()
reaching = _make_reaching()
