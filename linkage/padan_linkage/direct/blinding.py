"""The requester's half of RFC 9497 VOPRF, ristretto255-SHA512, with blinds given from outside.

A job draws its blinds from its own seed. So after a crash it has the same blinded elements again,
finds the list that it committed to and was charged for, and may ask for every chunk once more at no
charge. Spec 60, "Blinding". Blinds are secret: they are never Python's numbers, and no branch or
address depends on one (:mod:`.suite`, :mod:`.lanes`).

Kernels release the interpreter's lock: threads scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from padan_linkage.direct.lanes import group
from padan_linkage.direct.oprf import (
    ELEMENT_BYTES,
    MAX_BATCH,
    PROOF_BYTES,
    OprfError,
    batch,
    checked,
)
from padan_linkage.direct.suite import hashing, proofs, scalars
from padan_linkage.direct.suite.elements import Elements
from padan_linkage.direct.suite.sha512 import HashInputs

Bytes = NDArray[np.uint8]

#: Random bytes that make one blind.
BLIND_SEED_BYTES = scalars.WIDE_BYTES


@dataclass(frozen=True, repr=False, eq=False)
class Blinded:
    """A blinded batch. ``elements`` (32 bytes each, packed) go to the provider; blinds stay.

    ``blinds``: scalars from 1 to ℓ − 1, ``uint8[n, 32]``. Made again by :func:`blind` from the same
    inputs and the same random bytes.
    """

    inputs: Sequence[bytes]
    blinds: Bytes
    elements: bytes

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        return f"Blinded(elements={len(self)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("blinds are not serialised or copied")

    def finalise(self, evaluated: bytes, proof: bytes, public_key: bytes) -> Bytes:
        """Outputs ``uint8[n, 64]``, after checking the provider's proof against its public key.

        Raises OprfError if the batch's length differs, an element or the key is malformed or the
        identity, or the proof does not hold for just these elements, this key and these answers.
        """
        # Spec 60, step 11.
        answered = _verified(self.elements, evaluated, proof, public_key)
        unblinded = group.encode_products_each(answered.points, scalars.invert(self.blinds))
        return hashing.finalize(checked(self.inputs), unblinded)


def blind(inputs: Sequence[bytes], randomness: bytes) -> Blinded:
    """Blind ``inputs`` with ``randomness``: BLIND_SEED_BYTES secret random bytes for each.

    Raises ValueError for a batch that is empty or longer than MAX_BATCH, an input that is empty or
    longer than MAX_INPUT_BYTES, and randomness of another length.
    """
    return blind_with(inputs, _blinds(inputs, randomness))


def blinded_before(inputs: Sequence[bytes], randomness: bytes, elements: bytes) -> Blinded:
    """What :func:`blind` made of the same inputs and randomness, its ``elements`` being known.

    It is quick: what is sent need not be kept with its blinds. Raises ValueError as :func:`blind`,
    and for elements of another length.
    """
    if len(elements) != ELEMENT_BYTES * len(inputs):
        raise ValueError(f"each input has an element of {ELEMENT_BYTES} bytes")
    return Blinded(tuple(inputs), _blinds(inputs, randomness), elements)


def _blinds(inputs: Sequence[bytes], randomness: bytes) -> Bytes:
    """The blinds of a batch; raises as :func:`blind`."""
    _checked_batch(inputs)
    if len(randomness) != BLIND_SEED_BYTES * len(inputs):
        raise ValueError(f"each input takes {BLIND_SEED_BYTES} random bytes")
    return scalars.random_scalars(randomness)


def blind_with(inputs: Sequence[bytes], blinds: Bytes) -> Blinded:
    """Blind with scalars from 1 to ℓ − 1, ``uint8[n, 32]``, as the RFC's vectors give them.

    Raises ValueError as :func:`blind`, and for a blind that is 0 or not below ℓ.
    """
    messages = _checked_batch(inputs)
    if len(blinds) != len(inputs):
        raise ValueError("each input has a blind")
    if scalars.are_zero(blinds).any() or not scalars.are_reduced(blinds).all():
        raise ValueError("a blind is a number from 1 to the order less 1")
    points = group.map_to_group(hashing.hash_to_uniform(messages))
    elements = group.encode_products_each(points, blinds)
    return Blinded(tuple(inputs), blinds, elements.tobytes())


def _checked_batch(inputs: Sequence[bytes]) -> HashInputs:
    """The inputs of one batch for the suite; ValueError for another number or length."""
    if not 1 <= len(inputs) <= MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} inputs, not {len(inputs)}")
    return checked(inputs)


def verify_proof(blinded: bytes, evaluated: bytes, proof: bytes, public_key: bytes) -> None:
    """Return if one key, the public key's, made every evaluated element (RFC 9497 §2.2.2).

    Raises OprfError otherwise. Nothing here is secret.
    """
    _verified(blinded, evaluated, proof, public_key)


def _verified(blinded: bytes, evaluated: bytes, proof: bytes, public_key: bytes) -> Elements:
    """The evaluated elements, if the proof holds."""
    if len(blinded) != len(evaluated) or len(proof) != PROOF_BYTES:
        raise OprfError("the evaluation is not of this batch's length")
    if len(public_key) != ELEMENT_BYTES:
        raise OprfError("the key is no element")
    key, asked, answered = batch(public_key), batch(blinded), batch(evaluated)
    if not proofs.proof_holds(key.raw, asked, answered, proof):
        raise OprfError("the proof does not hold: another key or other answers")
    return answered
