"""One proof that one key made all evaluated elements of a batch: DLEQ of RFC 9497 section 2.2.

The weights of the composites are hashes of what both sides know: their sums, and nothing else here,
may take time that depends on them. What has the key or the nonce in it is a constant sequence of
operations.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.lanes import group
from padan_linkage.direct.lanes.constants import GENERATOR
from padan_linkage.direct.suite import scalars
from padan_linkage.direct.suite.elements import ELEMENT_BYTES, Elements, split
from padan_linkage.direct.suite.hashing import CONTEXT, framed, hash_to_scalars
from padan_linkage.direct.suite.sha512 import HashInputs

Bytes = NDArray[np.uint8]

#: A challenge and a response, both scalars.
PROOF_BYTES = 64

_NONCE_LABEL = b"padan/v1 proof nonce\x00"
_LENGTH = np.array([0, ELEMENT_BYTES], np.uint8)  # of an element, framed


def prove(
    secret: Bytes, public_key: Bytes, blinded: Elements, evaluated: Bytes, randomness: bytes
) -> bytes:
    """The proof of a batch, 64 bytes.

    ``secret`` and ``public_key`` ``uint8[1, 32]``; ``evaluated`` ``uint8[n, 32]``; ``randomness``:
    secret random bytes, any number. A nonce that served two batches would give the key away: it is
    a hash of key, randomness and batch, so that it differs even if randomness should repeat.
    """
    m = _composite(blinded, _weights(public_key, blinded.raw, evaluated))
    hidden = framed(randomness) + secret.tobytes() + m.tobytes()
    nonce = scalars.random_scalars(hashlib.sha512(_NONCE_LABEL + hidden).digest())
    return _prove(secret, public_key, m, nonce)


def prove_with(
    secret: Bytes, public_key: Bytes, blinded: Elements, evaluated: Bytes, nonce: Bytes
) -> bytes:
    """The same with the nonce ``uint8[1, 32]`` itself, as the RFC's vectors give it."""
    return _prove(
        secret, public_key, _composite(blinded, _weights(public_key, blinded.raw, evaluated)), nonce
    )


def _prove(secret: Bytes, public_key: Bytes, m: Bytes, nonce: Bytes) -> bytes:
    """GenerateProof (2.2.1) from its composites on; Z as ComputeCompositesFast makes it."""
    factors = Elements.decode(np.concatenate([m, split(GENERATOR), m]))
    products = group.multiply_each(factors.points, np.concatenate([secret, nonce, nonce]))
    z, t2, t3 = group.encode(products)
    c = _challenge(public_key[0], m[0], z, t2, t3)
    s = scalars.subtract(nonce, scalars.multiply(c, secret))
    return c.tobytes() + s.tobytes()


def proof_holds(public_key: Bytes, blinded: Elements, evaluated: Elements, proof: bytes) -> bool:
    """VerifyProof (2.2.2): whether the key of ``public_key`` made every evaluated element.

    ``public_key`` ``uint8[1, 32]``, ``proof`` 64 bytes; both of any content, and nothing is secret.
    Raises NotAnElementError for a public key that is none.
    """
    halves = scalars.rows(proof)
    if not scalars.are_reduced(halves).all():
        return False
    weights = _weights(public_key, blinded.raw, evaluated.raw)
    m, z = _composite(blinded, weights), _composite(evaluated, weights)
    if not (m.any() and z.any()):
        return False  # of weights that nobody finds: the identity is no element
    response = halves[::-1]  # s, c
    t2 = _composite(Elements.decode(np.concatenate([split(GENERATOR), public_key])), response)
    t3 = _composite(Elements.decode(np.concatenate([m, z])), response)
    challenge = _challenge(public_key[0], m[0], z[0], t2[0], t3[0])
    return challenge.tobytes() == proof[: scalars.SCALAR_BYTES]


def _composite(elements: Elements, weights: Bytes) -> Bytes:
    """The encoding ``uint8[1, 32]`` of the sum of elements, each times its public weight.

    It may be the identity's, zeros, which is no element.
    """
    return group.encode(group.weighted_sum(elements.points, weights))


def _weights(public_key: Bytes, blinded: Bytes, evaluated: Bytes) -> Bytes:
    """What ComputeComposites gives each pair of elements (2.2.1), ``uint8[n, 32]``."""
    seed = hashlib.sha512(framed(public_key.tobytes()) + framed(b"Seed-" + CONTEXT)).digest()
    count = len(blinded)
    numbers = np.arange(count, dtype=">u2").view(np.uint8).reshape(count, 2)
    length = np.broadcast_to(_LENGTH, (count, 2))
    rows = np.concatenate([numbers, length, blinded, length, evaluated], axis=1)
    return hash_to_scalars(framed(seed), HashInputs.rows(rows), b"Composite")


def _challenge(*elements: Bytes) -> Bytes:
    transcript = b"".join([framed(each.tobytes()) for each in elements])
    return hash_to_scalars(b"", HashInputs.of([transcript]), b"Challenge")
