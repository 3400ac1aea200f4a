"""libsodium's ristretto255 in a bare loop, called in the library itself: no binding slows it."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Sequence
from importlib import import_module
from typing import Any

_POINT_BYTES = 32


class Sodium:
    """The library, found on this machine."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._map = library.crypto_core_ristretto255_from_hash
        self._multiply = library.crypto_scalarmult_ristretto255
        self.version = ctypes.string_at(library.sodium_version_string()).decode()

    @classmethod
    def found(cls) -> Sodium | None:
        """The system's library, or that in PyNaCl's wheel; None where neither has the group."""
        for path in (ctypes.util.find_library("sodium"), _bundled()):
            try:
                library = ctypes.CDLL(path) if path else None
                if library is None or library.sodium_init() < 0:
                    continue
                library.sodium_version_string.restype = ctypes.c_void_p
                return cls(library)
            except (OSError, AttributeError):  # not to be loaded, or without ristretto255
                continue
        return None

    def multiply(self, points: Sequence[bytes], scalar: bytes) -> list[bytes]:
        """Decode, multiply by one scalar, encode: each point by itself."""
        out = ctypes.create_string_buffer(_POINT_BYTES)
        made = []
        for point in points:
            if self._multiply(out, scalar, point):
                raise ValueError("libsodium refuses a point")
            made.append(out.raw)
        return made

    def map_multiply(self, uniform: Sequence[bytes], scalar: bytes) -> list[bytes]:
        """Map 64 bytes to a point and multiply it by one scalar."""
        point = ctypes.create_string_buffer(_POINT_BYTES)
        out = ctypes.create_string_buffer(_POINT_BYTES)
        made = []
        for each in uniform:
            self._map(point, each)
            self._multiply(out, scalar, point)
            made.append(out.raw)
        return made


def _bundled() -> str | None:
    """PyNaCl's own copy."""
    try:
        module: Any = import_module("nacl._sodium")
    except ImportError:
        return None
    path: str = module.__file__
    return path
