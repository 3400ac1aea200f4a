"""Popcount for Numba: of one word, and of eight records side by side in one vector register.

Numba offers neither, LLVM does (``llvm.ctpop``); on a processor without a vector popcount LLVM
makes the same of what there is.
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


def _load_spread(builder: Any, data: Any, at: Any) -> Any:
    """One word in all lanes."""
    word = builder.load(builder.gep(data, [at]), align=8)
    first = builder.insert_element(_LANE(ir.Undefined), word, ir.IntType(32)(0))
    order = ir.VectorType(ir.IntType(32), LANES)([0] * LANES)
    return builder.shuffle_vector(first, first, order)


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
