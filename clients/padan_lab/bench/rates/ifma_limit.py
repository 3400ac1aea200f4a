"""Cycles of a scalar multiplication, and how few AVX-512 IFMA would let it take.

Multiply-adds of a product are counted in the code that the form of numbers writes, products by the
formulas and the windows of the scalar; how many this processor does in a cycle is measured, in the
same rounds: a thread that shares its core with a busy one gets about half. A cycle is a third of a
multiplication of 64 bits that waits for the one before, which it is on every x86 of these twenty
years, whatever the clock does meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.extending import intrinsic
from numpy.typing import NDArray

from padan_lab.bench.report import alternately
from padan_linkage.compiled.jit import helper
from padan_linkage.compiled.lanes import LANE, LANES, WORD, data_of, load, store
from padan_linkage.direct.lanes import curve, group
from padan_linkage.direct.lanes.choice import best_form
from padan_linkage.direct.lanes.forms import WIDE
from padan_linkage.direct.suite.scalars import random_scalars

_POINTS = 1024
_WAITING_CYCLES = 3
#: Multiply-adds that do not wait for each other, and how often each is done in a turn.
_CHAINS, _DEEP = 20, 16
_TURNS = 20_000
#: Products and squares of the formulas (Hisil and others 2008); what is doubled again needs no T.
_DOUBLING_ONLY, _DOUBLING, _ADDITION, _CACHING = (3, 4), (4, 4), (8, 0), (1, 0)


def multiplication(rounds: int) -> dict[str, float]:
    """Cycles a scalar multiplication takes here and could take; empty without IFMA."""
    if best_form() is not WIDE:
        return {}
    points = group.map_to_group(np.frombuffer(os.urandom(64 * _POINTS), np.uint8).reshape(-1, 64))
    secret = random_scalars(os.urandom(64))[0]
    room = np.ones(LANES * _CHAINS, np.uint64)
    timings = alternately(
        {
            "multiply": lambda: group.multiply_all(points, secret),
            "waiting": lambda: _waiting(np.uint64(3), _TURNS),
            "adding": lambda: _adding(room, _TURNS),
        },
        rounds,
    )
    cycle = timings["waiting"].best_cpu / (_TURNS * 16 * _WAITING_CYCLES)
    per_cycle = _TURNS * _CHAINS * _DEEP * cycle / timings["adding"].best_cpu
    cycles = timings["multiply"].best_cpu / _POINTS / cycle
    needed = multiply_adds()
    return {
        "gigahertz": round(1e-9 / cycle, 2),
        "cycles": round(cycles),
        "multiply_adds": round(needed, 1),
        "multiply_adds_per_cycle": round(per_cycle, 2),
        "limit_cycles": round(needed / per_cycle),
        "share_of_limit": round(needed / per_cycle / cycles, 2),
    }


def multiply_adds() -> float:
    """Multiply-adds of one multiplication: those of eight, which are done together, by eight."""
    work = (
        _times(curve.WINDOW - 1, _ADDITION),
        _times(curve.WINDOW, _CACHING),
        _times(curve.DIGITS * (curve.WINDOW_BITS - 1), _DOUBLING_ONLY),
        _times(curve.DIGITS, _DOUBLING),
        _times(curve.DIGITS, _ADDITION),
    )
    products, squares = (sum(part[i] for part in work) for i in range(2))
    return (products * _written(WIDE.product, 2) + squares * _written(WIDE.square, 1)) / LANES


def _times(count: int, work: tuple[int, int]) -> tuple[int, int]:
    return count * work[0], count * work[1]


def _written(operation: Callable[..., object], factors: int) -> int:
    """Multiply-adds in what a form writes for one operation."""
    module = ir.Module()
    limbs = len(WIDE.widths)
    kind = ir.FunctionType(ir.VoidType(), [LANE] * (limbs * factors))
    function = ir.Function(module, kind, "counted")
    builder = ir.IRBuilder(function.append_basic_block())
    numbers = [list(function.args[limbs * n : limbs * (n + 1)]) for n in range(factors)]
    operation(builder, *numbers)
    builder.ret_void()
    return str(function).count("vpmadd52")


@helper
def _waiting(x: np.uint64, turns: int) -> np.uint64:
    """Each square waits for the one before."""
    for _ in range(turns):
        for _ in range(16):
            x = x * x
    return x


@intrinsic
def _turn(_typing: Any, room: Any) -> Any:
    """Multiply-adds into ``room`` ``uint64[160]``, in chains that do not wait for each other."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = data_of(context, builder, signature, arguments, 0)
        kind = ir.FunctionType(LANE, [LANE] * 3)
        add = builder.module.globals.get("llvm.x86.avx512.vpmadd52l.uq.512") or ir.Function(
            builder.module, kind, "llvm.x86.avx512.vpmadd52l.uq.512"
        )
        chains = [load(builder, data, WORD(LANES * n)) for n in range(_CHAINS)]
        factors = chains[0], chains[1]
        for _ in range(_DEEP):
            chains = [builder.call(add, [chain, *factors]) for chain in chains]
        for n, chain in enumerate(chains):
            store(builder, chain, data, WORD(LANES * n))
        return context.get_dummy_value()

    return types.void(room), generate


_TURN = cast("Callable[[NDArray[np.uint64]], None]", _turn)


@helper
def _adding(room: NDArray[np.uint64], turns: int) -> None:
    for _ in range(turns):
        _TURN(room)
