"""Popcount and vectors for Numba: eight records side by side in one register.

Numba offers neither, LLVM does (``llvm.ctpop``, vector types); on a processor without a vector
popcount LLVM makes the same of what there is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

#: Records side by side.
LANES = 8

_WORD = ir.IntType(64)
_LANE = ir.VectorType(_WORD, LANES)
_REALS = ir.VectorType(ir.DoubleType(), LANES)


def _make_popcount() -> Callable[[Any], int]:
    @intrinsic
    def popcount(_context: Any, _word: Any) -> Any:
        """Set bits of a uint64, as int64."""

        def codegen(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
            return builder.ctpop(args[0])

        return types.int64(types.uint64), codegen

    return cast("Callable[[Any], int]", popcount)


def _make_add_distances(words: int) -> Callable[[Any, int, Any, int, Any], None]:
    """``out[l] += Σ popcount(a[i + w] ^ b[j + 8 w + l])`` for ``w < words`` and all lanes l.

    ``a``, ``b``: uint64, one-dimensional and contiguous; ``out``: int64[8].
    """

    @intrinsic
    def add_distances(_context: Any, a: Any, _i: Any, b: Any, _j: Any, out: Any) -> Any:
        """See the maker."""

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            left, right, target = (
                context.make_array(sig.args[k])(context, builder, args[k]).data for k in (0, 2, 4)
            )
            pointer = builder.bitcast(target, _LANE.as_pointer())
            total = builder.load(pointer, align=8)
            for w in range(words):
                word = _load_spread(builder, left, builder.add(args[1], _WORD(w)))
                other = _load_lanes(builder, right, builder.add(args[3], _WORD(w * LANES)))
                total = builder.add(total, _count_lanes(builder, builder.xor(word, other)))
            builder.store(total, pointer, align=8)
            return context.get_dummy_value()

        return types.void(a, types.int64, b, types.int64, out), codegen

    return cast("Callable[[Any, int, Any, int, Any], None]", add_distances)


def _make_put_squares() -> Callable[[Any, float, float, Any, int], None]:
    """``out[at + l] = max(0, half - distance[l])² * scale`` for all lanes l.

    ``distance``: int64[8]; ``out``: float64, one-dimensional and contiguous.
    """

    @intrinsic
    def put_squares(
        _context: Any, distance: Any, _half: Any, _scale: Any, out: Any, _at: Any
    ) -> Any:
        """See the maker."""

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            source, target = (
                context.make_array(sig.args[k])(context, builder, args[k]).data for k in (0, 3)
            )
            zero = _REALS([0.0] * LANES)
            counted = builder.sitofp(_load_lanes(builder, source, _WORD(0)), _REALS)
            below = builder.fsub(_spread(builder, args[1], _REALS), counted)
            below = builder.select(builder.fcmp_ordered(">", below, zero), below, zero)
            square = builder.fmul(below, below)
            square = builder.fmul(square, _spread(builder, args[2], _REALS))
            _store_reals(builder, square, target, args[4])
            return context.get_dummy_value()

        return types.void(distance, types.float64, types.float64, out, types.int64), codegen

    return cast("Callable[[Any, float, float, Any, int], None]", put_squares)


def _make_add_reals() -> Callable[[Any, int, Any, int], None]:
    """``out[to + l] += a[at + l]`` for all lanes l; float64, one-dimensional and contiguous."""

    @intrinsic
    def add_reals(_context: Any, a: Any, _at: Any, out: Any, _to: Any) -> Any:
        """See the maker."""

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            source, target = (
                context.make_array(sig.args[k])(context, builder, args[k]).data for k in (0, 2)
            )
            more = _load_reals(builder, source, args[1])
            total = builder.fadd(_load_reals(builder, target, args[3]), more)
            _store_reals(builder, total, target, args[3])
            return context.get_dummy_value()

        return types.void(a, types.int64, out, types.int64), codegen

    return cast("Callable[[Any, int, Any, int], None]", add_reals)


def _make_reaching() -> Callable[[Any, int, float], int]:
    """Which lanes of ``a[at : at + 8]`` (float64) reach ``cut``, as the low eight bits."""

    @intrinsic
    def reaching(_context: Any, a: Any, _at: Any, _cut: Any) -> Any:
        """See the maker."""

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            data = context.make_array(sig.args[0])(context, builder, args[0]).data
            cut = _spread(builder, args[2], _REALS)
            over = builder.fcmp_ordered(">=", _load_reals(builder, data, args[1]), cut)
            return builder.zext(builder.bitcast(over, ir.IntType(LANES)), _WORD)

        return types.int64(a, types.int64, types.float64), codegen

    return cast("Callable[[Any, int, float], int]", reaching)


def _load_spread(builder: Any, data: Any, at: Any) -> Any:
    """One word in all lanes."""
    return _spread(builder, builder.load(builder.gep(data, [at]), align=8), _LANE)


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """One value in all lanes."""
    first = builder.insert_element(kind(ir.Undefined), value, ir.IntType(32)(0))
    order = ir.VectorType(ir.IntType(32), LANES)([0] * LANES)
    return builder.shuffle_vector(first, first, order)


def _load_reals(builder: Any, data: Any, at: Any) -> Any:
    """Eight neighbouring numbers."""
    pointer = builder.bitcast(builder.gep(data, [at]), _REALS.as_pointer())
    return builder.load(pointer, align=8)


def _store_reals(builder: Any, lanes: Any, data: Any, at: Any) -> None:
    """Write eight neighbouring numbers."""
    pointer = builder.bitcast(builder.gep(data, [at]), _REALS.as_pointer())
    builder.store(lanes, pointer, align=8)


def _load_lanes(builder: Any, data: Any, at: Any) -> Any:
    """Eight neighbouring words."""
    pointer = builder.bitcast(builder.gep(data, [at]), _LANE.as_pointer())
    return builder.load(pointer, align=8)


def _count_lanes(builder: Any, lanes: Any) -> Any:
    """Set bits of every lane."""
    function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, ir.FunctionType(_LANE, [_LANE]), f"llvm.ctpop.v{LANES}i64"
    )
    return builder.call(function, [lanes])


popcount = _make_popcount()
add_distances_1 = _make_add_distances(1)
add_distances_8 = _make_add_distances(8)
put_squares = _make_put_squares()
add_reals = _make_add_reals()
reaching = _make_reaching()
