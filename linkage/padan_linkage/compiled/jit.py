"""Numba's compiler with the types of what it compiles.

Kernels release the GIL and are cached on disk; helpers are compiled into them.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

_F = TypeVar("_F", bound=Callable[..., Any])

#: A module of this package that names one of these, or a module beside it, may be compiled into a
#: kernel of another one: helpers, and constants.
_COMPILED = (b"numba", b"llvmlite", b"padan_linkage.compiled.jit")


def kernel(function: _F) -> _F:
    """Compiles a function that Python calls: no GIL, cached."""
    return _cached(function)


def lean_kernel(function: _F) -> _F:
    """As ``kernel``, for a function that makes no array: none of its arguments is counted.

    Counting references costs two locked additions for every array that a helper is given, which
    is more than a register tile takes. What nobody needs is not compiled either: a way in from C,
    and asking every divisor whether it is 0, which none may be.
    """
    return _cached(function, _nrt=False, no_cfunc_wrapper=True, error_model="numpy")


def _cached(function: _F, **options: Any) -> _F:
    """Cached beside the module, else in the user's cache, else (nothing is writable) nowhere."""
    try:
        compiled = njit(nogil=True, cache=True, **options)(function)
    except RuntimeError:  # Numba found no folder that it may write
        return cast("_F", njit(nogil=True, **options)(function))
    # Numba looks at the kernel's own file alone when it decides whether a cached kernel is still
    # true, and would go on running helpers of another version. It has no public way to say so: a
    # Numba that keeps its stamp elsewhere is left to its own ways.
    index: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        index._source_stamp = (index._source_stamp, _stamp_of_helpers())  # noqa: SLF001
    return cast("_F", compiled)


@functools.cache
def _stamp_of_helpers() -> bytes:
    """SHA-256 over this package's modules that kernels may be made of."""
    sources = {path: path.read_bytes() for path in Path(__file__).parents[1].rglob("*.py")}
    rooms = {
        path.parent for path, source in sources.items() if any(name in source for name in _COMPILED)
    }
    stamp = hashlib.sha256()
    for path in sorted(sources):
        if path.parent in rooms:
            stamp.update(hashlib.sha256(sources[path]).digest())
    return stamp.digest()


def helper(function: _F) -> _F:
    """Compiles a function that only kernels call."""
    return cast("_F", njit(function))


def inlined(function: _F) -> _F:
    """Compiles a tiny function into its callers before LLVM sees it."""
    return cast("_F", njit(inline="always")(function))
