"""What the suite hashes, and to what: the group, scalars, outputs (RFC 9497 section 4.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from padan_linkage.compiled.jit import kernel
from padan_linkage.direct.suite.scalars import are_zero, reduce_wide
from padan_linkage.direct.suite.sha512 import BLOCK_BYTES, HashInputs, sha512_all

Bytes = NDArray[np.uint8]

#: CreateContextString of mode VOPRF (RFC 9497 section 3.1).
CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"
#: Domain separation (sections 4.1 and 3.2.1).
_HASH_TO_GROUP, _HASH_TO_SCALAR = b"HashToGroup-" + CONTEXT, b"HashToScalar-" + CONTEXT
_DERIVE_KEY_PAIR = b"DeriveKeyPair" + CONTEXT

_FINALIZE = b"Finalize"
_ELEMENT_BYTES = 32


def framed(text: bytes) -> bytes:
    """``I2OSP(len(text), 2) ‖ text``."""
    return len(text).to_bytes(2, "big") + text


def hash_to_uniform(inputs: HashInputs) -> Bytes:
    """64 bytes of each input, ``uint8[n, 64]``, which the group's map makes HashToGroup of."""
    return _expand(b"", inputs, b"", _HASH_TO_GROUP)


def hash_to_scalars(
    head: bytes, messages: HashInputs, tail: bytes = b"", dst: bytes = _HASH_TO_SCALAR
) -> Bytes:
    """HashToScalar of ``head ‖ message ‖ tail``, ``uint8[n, 32]``."""
    return reduce_wide(_expand(head, messages, tail, dst))


def derive_secret(seed: bytes, info: bytes) -> Bytes:
    """The secret key of DeriveKeyPair (3.2.1), ``uint8[1, 32]``, never 0."""
    derive_input = seed + framed(info)
    for counter in range(256):
        message = HashInputs.of([derive_input + bytes([counter])])
        secret = hash_to_scalars(b"", message, dst=_DERIVE_KEY_PAIR)
        if not are_zero(secret).any():
            return secret
    raise ValueError("the seed gives no key")  # pragma: no cover - one in 2 to the 64,000


def finalize(inputs: HashInputs, elements: Bytes) -> Bytes:
    """Outputs ``uint8[n, 64]`` of inputs and their evaluated elements ``uint8[n, 32]`` (3.3.2)."""
    extra = 2 + 2 + _ELEMENT_BYTES
    offsets = inputs.offsets + extra * np.arange(len(inputs) + 1, dtype=np.int64)
    data = np.empty(max(1, int(offsets[-1])), np.uint8)
    _frame_all(inputs.data, inputs.offsets, np.ascontiguousarray(elements), data)
    data.flags.writeable = False
    return sha512_all(b"", HashInputs(data, offsets), _FINALIZE)


def _expand(head: bytes, messages: HashInputs, tail: bytes, dst: bytes) -> Bytes:
    """expand_message_xmd with SHA-512 to 64 bytes, which is one block (RFC 9380 section 5.3.1)."""
    suffix = dst + len(dst).to_bytes(1, "big")
    first = sha512_all(bytes(BLOCK_BYTES) + head, messages, tail + b"\x00\x40\x00" + suffix)
    return sha512_all(b"", HashInputs.rows(first), b"\x01" + suffix)


@kernel
def _frame_all(data: Bytes, offsets: NDArray[np.int64], elements: Bytes, out: Bytes) -> None:
    """``framed(input) ‖ framed(element)``, one after another."""
    at = 0
    for i in range(len(elements)):
        message = data[offsets[i] : offsets[i + 1]]
        length = len(message)
        out[at], out[at + 1] = length >> 8, length & 255
        at += 2
        out[at : at + length] = message
        at += length
        out[at], out[at + 1] = 0, _ELEMENT_BYTES
        at += 2
        out[at : at + _ELEMENT_BYTES] = elements[i]
        at += _ELEMENT_BYTES
