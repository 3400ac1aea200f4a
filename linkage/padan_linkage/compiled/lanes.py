"""Popcount and vectors for Numba: eight records side by side in one register.

Numba offers neither, LLVM does (``llvm.ctpop``, vector types); on a processor without a vector
popcount LLVM makes the same of what there is. Nothing here names an instruction of one processor.
The first half are intrinsics that kernels call, the second half pieces that intrinsics are made of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic
from numpy.typing import NDArray

#: Records side by side.
LANES = 8

WORD = ir.IntType(64)
BYTE = ir.IntType(8)
LANE = ir.VectorType(WORD, LANES)
REALS = ir.VectorType(ir.DoubleType(), LANES)
#: A register and a cache line, in bytes and in words.
LINE = 64
LINE_WORDS = LINE // 8


def aligned(words: int) -> NDArray[np.uint64]:
    """Scratch that begins at a cache line: zeros, uint64[words]."""
    room = np.zeros(words + LINE_WORDS, dtype=np.uint64)
    skip = (-room.ctypes.data % LINE) // 8
    return room[skip : skip + words]


def _make_lowest() -> Callable[[int], int]:
    @intrinsic
    def lowest(_context: Any, _bits: Any) -> Any:
        """Number of the lowest set bit of an int64 that is not zero."""

        def codegen(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
            return builder.cttz(args[0], ir.IntType(1)(1))

        return types.int64(types.int64), codegen

    return cast("Callable[[int], int]", lowest)


def _make_prefetch() -> Callable[[Any, Any], None]:
    @intrinsic
    def prefetch(_context: Any, array: Any, _at: Any) -> Any:
        """Ask for the cache line of ``array.flat[at]``; harmless wherever that is."""

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            data = data_of(context, builder, sig, args, 0)
            place = builder.bitcast(builder.gep(data, [args[1]]), BYTE.as_pointer())
            kind = ir.IntType(32)
            signature = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), kind, kind, kind])
            function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
                builder.module, signature, "llvm.prefetch.p0"
            )
            read, keep, of_data = kind(0), kind(3), kind(1)
            builder.call(function, [place, read, keep, of_data])
            return context.get_dummy_value()

        return types.void(array, types.int64), codegen

    return cast("Callable[[Any, Any], None]", prefetch)


lowest = _make_lowest()
prefetch = _make_prefetch()


def data_of(context: Any, builder: Any, sig: Any, args: Any, k: int) -> Any:
    """Where the data of array argument ``k`` begin."""
    return context.make_array(sig.args[k])(context, builder, args[k]).data


def variable(builder: Any, value: Any) -> Any:
    """A place that holds ``value`` at first; LLVM makes a register of it."""
    return cgutils.alloca_once_value(builder, value)  # type: ignore[no-untyped-call]


def spread(builder: Any, value: Any, kind: Any) -> Any:
    """One value in all lanes."""
    first = builder.insert_element(kind(ir.Undefined), value, ir.IntType(32)(0))
    order = ir.VectorType(ir.IntType(32), LANES)([0] * LANES)
    return builder.shuffle_vector(first, first, order)


def load(builder: Any, data: Any, at: Any, kind: Any = LANE) -> Any:
    """Eight neighbouring numbers."""
    pointer = builder.bitcast(builder.gep(data, [at]), kind.as_pointer())
    return builder.load(pointer, align=8)


def store(builder: Any, lanes: Any, data: Any, at: Any) -> None:
    """Write eight neighbouring numbers."""
    pointer = builder.bitcast(builder.gep(data, [at]), lanes.type.as_pointer())
    builder.store(lanes, pointer, align=8)


def count(builder: Any, lanes: Any) -> Any:
    """Set bits of every lane."""
    return _vector_call(builder, "ctpop", lanes)


def lesser(builder: Any, lanes: Any, others: Any) -> Any:
    """The smaller of every lane."""
    return _vector_call(builder, "smin", lanes, others)


def bits_of(builder: Any, flags: Any) -> Any:
    """Eight flags as one word, lane 0 lowest."""
    return builder.zext(builder.bitcast(flags, ir.IntType(LANES)), WORD)


def _vector_call(builder: Any, name: str, *lanes: Any) -> Any:
    function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module,
        ir.FunctionType(LANE, [LANE] * len(lanes)),
        f"llvm.{name}.v{LANES}i64",
    )
    return builder.call(function, list(lanes))
