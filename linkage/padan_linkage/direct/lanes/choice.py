"""Which form of numbers this processor computes with."""

from __future__ import annotations

import functools

from numba.core.registry import cpu_target

from padan_linkage.direct.lanes.forms import NARROW, WIDE, Form


@functools.cache
def best_form() -> Form:
    """The wide form where Numba compiles for AVX-512 IFMA, else the narrow one."""
    features = str(cpu_target.target_context.codegen().magic_tuple()[2]).split(",")
    return WIDE if {"+avx512f", "+avx512ifma"} <= set(features) else NARROW
