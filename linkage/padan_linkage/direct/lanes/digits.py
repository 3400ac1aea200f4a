"""The digits of scalars, cut without a branch or an address that depends on one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.jit import kernel
from padan_linkage.direct.lanes.curve import DIGITS, WINDOW, WINDOW_BITS


@kernel
def cut_digits(scalars: NDArray[np.uint8], digits: NDArray[np.int8]) -> None:
    """Signed radix-16 digits ``int8[n, 64]`` of ``uint8[n, 32]`` below 2²⁵⁵, lowest first.

    −8 to 7, the last 0 to 8: of a scalar below the order 0 to 2.
    """
    for i in range(len(scalars)):
        carry = np.int64(0)
        for j in range(DIGITS - 1):
            digit = ((np.int64(scalars[i, j >> 1]) >> (WINDOW_BITS * (j & 1))) & 15) + carry
            carry = (digit + WINDOW) >> WINDOW_BITS
            digits[i, j] = digit - (carry << WINDOW_BITS)
        digits[i, DIGITS - 1] = (np.int64(scalars[i, 31]) >> WINDOW_BITS) + carry
