"""Constants of ristretto255 (RFC 9496, section 4.1), and the slots that they lie in."""

from __future__ import annotations

from padan_linkage.direct.lanes.forms import P

#: Order of the group.
L = 2**252 + 27742317777372353535851937790883648493
#: Encoding of the group's generator.
GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")


def _root(value: int) -> int:
    """The even square root modulo p."""
    root = pow(value, (P + 3) // 8, P)
    if (root * root - value) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    assert (root * root - value) % P == 0
    return min(root, P - root, key=lambda r: r & 1)


_D = -121665 * pow(121666, -1, P) % P

# The first slots. NEUTRAL is the neutral point, CACHED the same as :mod:`.curve` adds it.
NEUTRAL = ZERO = 0
ONE = 1
CACHED = 4
MINUS_ONE, D, TWICE_D, SQRT_M1, ONE_MINUS_D_SQ, D_MINUS_ONE_SQ = range(8, 14)
SQRT_AD_MINUS_ONE, INVSQRT_A_MINUS_D = 14, 15

#: What lies in them. The RFC fixes which root each is: that of a d − 1 is odd.
VALUES = (
    *(0, 1, 1, 0),
    *(1, 1, 2, 0),
    P - 1,
    _D,
    2 * _D % P,
    _root(P - 1),
    (1 - _D**2) % P,
    (_D - 1) ** 2 % P,
    P - _root((-_D - 1) % P),
    _root(pow(-1 - _D, -1, P)),
)
