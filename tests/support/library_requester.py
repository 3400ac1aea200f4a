"""The requester's half of the oblivious PRF by the ``voprf`` library, which draws its own blinds.

The product has a half of its own (:mod:`padan_linkage.direct.blinding`); what an independent
requester sends and takes is tested with this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from voprf import ristretto

from padan_linkage.direct.oprf import (
    ELEMENT_BYTES,
    MAX_BATCH,
    MAX_INPUT_BYTES,
    OUTPUT_BYTES,
    PROOF_BYTES,
    OprfError,
)


class Blinding:
    """A blinded batch: ``elements`` go to the provider, the blinds stay here.

    The blinds live in memory alone, because the library gives them to nobody: a batch that is lost
    with its process is blinded anew, as another batch. Does not pickle; each batch finalises once.
    """

    __slots__ = ("_clients", "elements")

    def __init__(self, clients: Sequence[ristretto.Client], elements: bytes) -> None:
        self._clients = clients
        #: The blinded elements, 32 bytes each, in the order of the inputs.
        self.elements = elements

    def __len__(self) -> int:
        return len(self._clients)

    def __repr__(self) -> str:
        return f"Blinding(elements={len(self)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("blinds are not serialised or copied")

    def finalise(self, evaluated: bytes, proof: bytes, public_key: bytes) -> NDArray[np.uint8]:
        """Outputs ``uint8[n, 64]``, after checking the provider's proof against its public key.

        Raises OprfError if the batch's length differs, an element or the key is malformed, or the
        proof does not hold for just these elements, this key and these answers.
        """
        if len(evaluated) != ELEMENT_BYTES * len(self) or len(proof) != PROOF_BYTES:
            raise OprfError("the evaluation is not of this batch's length")
        key = check_public_key(public_key)
        try:
            answer = ristretto.VerifiableBatchOutput.deserialize(proof + evaluated)
        except ValueError as error:
            raise OprfError("the evaluation has an element that is no point") from error
        if answer.serialize() != proof + evaluated:
            raise OprfError("the evaluation is not canonically encoded")
        try:
            outputs = ristretto.Client.finalize_batch(self._clients, answer, key)
        except BaseException as error:  # the library panics at a proof that does not hold
            if isinstance(error, Exception) or type(error).__name__ == "PanicException":
                raise OprfError("the proof does not hold: another key or other answers") from None
            raise
        return np.frombuffer(b"".join(outputs), np.uint8).reshape(-1, OUTPUT_BYTES)


def blind(inputs: Sequence[bytes]) -> Blinding:
    """Blind a batch of inputs, each with a fresh random scalar. About 28,000 a second and core.

    Raises ValueError for no input at all, more than MAX_BATCH, or an input that is empty or longer
    than MAX_INPUT_BYTES.
    """
    if not 1 <= len(inputs) <= MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} inputs, not {len(inputs)}")
    if any(not 1 <= len(each) <= MAX_INPUT_BYTES for each in inputs):
        raise ValueError(f"an input has 1 to {MAX_INPUT_BYTES} bytes")
    pairs = [ristretto.Client.blind(each) for each in inputs]
    return Blinding([c for c, _ in pairs], b"".join([b.serialize() for _, b in pairs]))


def check_public_key(raw: bytes) -> ristretto.PublicKey:
    """The key that the bytes encode, and no other bytes; OprfError where there is none."""
    try:
        key = ristretto.PublicKey.deserialize(raw)
    except ValueError as error:
        raise OprfError("the public key is no point, or the identity") from error
    if key.serialize() != raw:
        raise OprfError("the public key is not canonically encoded")
    return key
