"""Numba's compiler with the types of what it compiles.

Kernels release the GIL and are cached on disk; helpers are compiled into them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_F = TypeVar("_F", bound=Callable[..., Any])


def kernel(function: _F) -> _F:
    """Compiles a function that Python calls: no GIL, cached."""
    return _cached(function)


def lean_kernel(function: _F) -> _F:
    """As ``kernel``, for a function that makes no array: none of its arguments is counted.

    Counting references costs two locked additions for every array that a helper is given, which
    is more than a register tile takes.
    """
    return _cached(function, _nrt=False)


def _cached(function: _F, **options: Any) -> _F:
    """Cached beside the module, else in the user's cache, else (nothing is writable) nowhere."""
    try:
        return cast("_F", njit(nogil=True, cache=True, **options)(function))
    except RuntimeError:  # Numba found no folder that it may write
        return cast("_F", njit(nogil=True, **options)(function))


def helper(function: _F) -> _F:
    """Compiles a function that only kernels call."""
    return cast("_F", njit(function))


def inlined(function: _F) -> _F:
    """Compiles a tiny function into its callers before LLVM sees it."""
    return cast("_F", njit(inline="always")(function))
