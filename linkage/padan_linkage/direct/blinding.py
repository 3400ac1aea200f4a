"""The requester's half of RFC 9497 VOPRF, ristretto255-SHA512, with blinds given from outside.

A job draws its blinds from its own seed. So after a crash it has the same blinded elements again,
finds the list that it committed to and was charged for, and may ask for every chunk once more at no
charge. The library of :mod:`.oprf` keeps its blinds to itself; the provider's half is its work, and
the tests hold the two against each other and against the vectors of the RFC. Spec 60, "Blinding".

Kernels release the interpreter's lock: threads scale.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.lanes import group
from padan_linkage.direct.lanes.constants import GENERATOR, L
from padan_linkage.direct.oprf import (
    ELEMENT_BYTES,
    MAX_BATCH,
    MAX_INPUT_BYTES,
    OUTPUT_BYTES,
    PROOF_BYTES,
    OprfError,
)

#: Random bytes that make one blind.
BLIND_SEED_BYTES = 64

_CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"
_WIDE = 64  # bytes that are reduced to a scalar or mapped to a point
_SHA512_BLOCK = 128


@dataclass(frozen=True, repr=False)
class Blinded:
    """A blinded batch. ``elements`` (32 bytes each, packed) go to the provider; blinds stay.

    Made again by :func:`blind` from the same inputs and the same random bytes.
    """

    inputs: Sequence[bytes]
    blinds: tuple[int, ...]
    elements: bytes

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        return f"Blinded(elements={len(self)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("blinds are not serialised or copied")

    def finalise(self, evaluated: bytes, proof: bytes, public_key: bytes) -> NDArray[np.uint8]:
        """Outputs ``uint8[n, 64]``, after checking the provider's proof against its public key.

        Raises OprfError if the batch's length differs, an element or the key is malformed or the
        identity, or the proof does not hold for just these elements, this key and these answers.
        """
        # Spec 60, step 11.
        verify_proof(self.elements, evaluated, proof, public_key)
        points = _points(_elements(evaluated))
        inverses = _packed(_inverses(self.blinds))
        packed = group.encode(group.multiply_each(points, inverses)).tobytes()
        sha512 = hashlib.sha512
        outputs = [
            sha512(
                len(each).to_bytes(2, "big")
                + each
                + b"\x00\x20"
                + packed[32 * i : 32 * i + 32]
                + b"Finalize"
            ).digest()
            for i, each in enumerate(self.inputs)
        ]
        return np.frombuffer(b"".join(outputs), np.uint8).reshape(-1, OUTPUT_BYTES)


def blind(inputs: Sequence[bytes], randomness: bytes) -> Blinded:
    """Blind ``inputs`` with ``randomness``: BLIND_SEED_BYTES secret random bytes for each.

    Raises ValueError for a batch that is empty or longer than
    MAX_BATCH, an input that is empty or longer than MAX_INPUT_BYTES, and randomness of another
    length.
    """
    return blind_with(inputs, _blinds(inputs, randomness))


def blinded_before(inputs: Sequence[bytes], randomness: bytes, elements: bytes) -> Blinded:
    """What :func:`blind` made of the same inputs and randomness, its ``elements`` being known.

    It is quick: what is sent need not be kept with its blinds. Raises ValueError as :func:`blind`.
    """
    if len(elements) != ELEMENT_BYTES * len(inputs):
        raise ValueError(f"each input has an element of {ELEMENT_BYTES} bytes")
    return Blinded(tuple(inputs), tuple(_blinds(inputs, randomness)), elements)


def _blinds(inputs: Sequence[bytes], randomness: bytes) -> list[int]:
    """A scalar for each input, uniform in 1 … L − 1, up to a bias of 2⁻²⁶⁰."""
    if len(randomness) != BLIND_SEED_BYTES * len(inputs):
        raise ValueError(f"each input takes {BLIND_SEED_BYTES} random bytes")
    return [
        int.from_bytes(randomness[at : at + BLIND_SEED_BYTES], "little") % (L - 1) + 1
        for at in range(0, len(randomness), BLIND_SEED_BYTES)
    ]


def blind_with(inputs: Sequence[bytes], blinds: Sequence[int]) -> Blinded:
    """Blind with scalars (1 to L − 1) as the RFC's vectors give them."""
    if not 1 <= len(inputs) <= MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} inputs, not {len(inputs)}")
    if any(not 1 <= len(each) <= MAX_INPUT_BYTES for each in inputs):
        raise ValueError(f"an input has 1 to {MAX_INPUT_BYTES} bytes")
    uniform = b"".join([_expand(each, _GROUP_DST) for each in inputs])
    points = group.map_to_group(np.frombuffer(uniform, np.uint8).reshape(-1, _WIDE))
    elements = group.encode(group.multiply_each(points, _packed(blinds)))
    return Blinded(tuple(inputs), tuple(blinds), elements.tobytes())


def verify_proof(blinded: bytes, evaluated: bytes, proof: bytes, public_key: bytes) -> None:
    """Return if one key, the public key's, made every evaluated element (RFC 9497 §2.2.2).

    Raises OprfError otherwise. Nothing here is secret.
    """
    batch = len(blinded) == len(evaluated) > 0 == len(blinded) % ELEMENT_BYTES
    if not batch or len(proof) != PROOF_BYTES:
        raise OprfError("the evaluation is not of this batch's length")
    if len(public_key) != ELEMENT_BYTES:
        raise OprfError("the key is no element")
    c, s = (int.from_bytes(half, "little") for half in (proof[:32], proof[32:]))
    if c >= L or s >= L:
        raise OprfError("the proof is not canonically encoded")
    weights = _weights(blinded, evaluated, public_key)
    m = _combined(_elements(blinded), weights)
    z = _combined(_elements(evaluated), weights)
    t2 = _combined(_elements(GENERATOR + public_key), [s, c])
    t3 = _combined(_elements(m + z), [s, c])
    transcript = b"".join(b"\x00\x20" + each for each in (public_key, m, z, t2, t3))
    if _to_scalar(transcript + b"Challenge") != c:
        raise OprfError("the proof does not hold: another key or other answers")


def _weights(blinded: bytes, evaluated: bytes, public_key: bytes) -> list[int]:
    """The random weights of ComputeComposites (RFC 9497 §2.2.1)."""
    seed_dst = b"Seed-" + _CONTEXT
    seed = hashlib.sha512(
        len(public_key).to_bytes(2, "big")
        + public_key
        + len(seed_dst).to_bytes(2, "big")
        + seed_dst
    ).digest()
    head = b"\x00\x40" + seed
    return [
        _to_scalar(
            head
            + i.to_bytes(2, "big")
            + b"\x00\x20"
            + blinded[32 * i : 32 * i + 32]
            + b"\x00\x20"
            + evaluated[32 * i : 32 * i + 32]
            + b"Composite"
        )
        for i in range(len(blinded) // ELEMENT_BYTES)
    ]


def _combined(elements: NDArray[np.uint8], weights: Sequence[int]) -> bytes:
    """The sum of elements, each times its public weight."""
    total = group.weighted_sum(_points(elements), _packed(weights))
    return group.encode(total).tobytes()


def _points(elements: NDArray[np.uint8]) -> group.Points:
    points, good = group.decode(elements)
    if not (good & elements.any(axis=1)).all():
        raise OprfError("the evaluation or the key has an element that is no point")
    return points


def _inverses(scalars: Sequence[int]) -> list[int]:
    """Inverses modulo L by one inversion (Montgomery's trick)."""
    running, prefixes = 1, []
    for scalar in scalars:
        prefixes.append(running)
        running = running * scalar % L
    inverse = pow(running, -1, L)
    inverses = []
    for scalar, prefix in zip(reversed(scalars), reversed(prefixes), strict=True):
        inverses.append(inverse * prefix % L)
        inverse = inverse * scalar % L
    return inverses[::-1]


def _packed(scalars: Sequence[int]) -> NDArray[np.uint8]:
    raw = b"".join([scalar.to_bytes(32, "little") for scalar in scalars])
    return np.frombuffer(raw, np.uint8).reshape(-1, 32)


def _elements(packed: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(packed, np.uint8).reshape(-1, ELEMENT_BYTES)


def _suffix(dst: bytes) -> bytes:
    return dst + len(dst).to_bytes(1, "big")


_GROUP_DST = _suffix(b"HashToGroup-" + _CONTEXT)
_SCALAR_DST = _suffix(b"HashToScalar-" + _CONTEXT)
_PADDED = hashlib.sha512(bytes(_SHA512_BLOCK))


def _to_scalar(message: bytes) -> int:
    return int.from_bytes(_expand(message, _SCALAR_DST), "little") % L


def _expand(message: bytes, dst: bytes) -> bytes:
    """expand_message_xmd with SHA-512 to 64 bytes, one block (RFC 9380 §5.3.1)."""
    first = _PADDED.copy()
    first.update(message + b"\x00\x40\x00" + dst)
    return hashlib.sha512(first.digest() + b"\x01" + dst).digest()
