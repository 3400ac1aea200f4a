"""The provider's half of direct mode's oblivious PRF: RFC 9497 VOPRF, ristretto255-SHA512.

A port: everything of the library behind it (``voprf``, Rust) stays in this module; the requester's
half is :mod:`.blinding`. What travels is raw bytes: elements of 32 bytes packed one after another,
one proof of 64 bytes a batch, outputs of 64 bytes. The library draws the proofs' scalars from the
operating system itself and takes none from outside, so this is one of two places where linkage does
not get its randomness as an argument (the other is HPKE's ephemeral key).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from voprf import ristretto

from padan_linkage.crypto.epochs import flow_context

SUITE = "ristretto255-SHA512"
ELEMENT_BYTES = 32
PROOF_BYTES = 64
OUTPUT_BYTES = 64
PUBLIC_KEY_BYTES = 32
SEED_BYTES = 32

#: Most elements of one batch, that is under one proof: RFC 9497 writes their number in 2 bytes.
MAX_BATCH = (1 << 16) - 1
#: Longest input, bytes.
MAX_INPUT_BYTES = (1 << 16) - 1
#: A key evaluates at most so many blinded elements, then its epoch ends: each evaluation of a
#: static Diffie–Hellman key costs security (RFC 9497, section 7.2.3).
MAX_EVALUATIONS = 1 << 24

_KEY_LABEL = b"padan/v1 direct key\x00"


class OprfError(Exception):
    """Elements, a proof or a key cannot be used; the message says which, and never a value."""


class EvaluationKey:
    """The provider's secret key of one (agreement, flow, epoch); make it with :func:`epoch_key`.

    Shows nothing in its repr and does not pickle: worker processes derive it again from the seed.
    """

    __slots__ = ("_evaluator", "public_key")

    def __init__(self, evaluator: ristretto.Evaluator) -> None:
        self._evaluator = evaluator
        #: 32 bytes, what requesters verify proofs against.
        self.public_key: bytes = evaluator.public_key.serialize()

    def __repr__(self) -> str:
        return "EvaluationKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an evaluation key is derived again, never serialised or copied")

    def evaluate_blinded(self, elements: bytes) -> tuple[bytes, bytes]:
        """Evaluated elements (32 bytes each, in order) and the proof (64 bytes) for all of them.

        ``elements``: at least one and at most MAX_BATCH, packed. About 15,000 a second and core;
        holds the interpreter's lock, so use processes. Raises OprfError for a length that is no
        whole number of elements, and for an element that is not the canonical encoding of a point
        other than the identity.
        """
        # Spec 60, steps 9 and 10.
        blinded = [_element(raw) for raw in split(elements)]
        packed = self._evaluator.evaluate_batch(blinded).serialize()  # the proof comes first
        return packed[PROOF_BYTES:], packed[:PROOF_BYTES]

    def evaluate(self, inputs: Sequence[bytes]) -> NDArray[np.uint8]:
        """The PRF of known inputs, ``uint8[n, 64]``: what the provider builds its table from.

        Raises ValueError for an input that is empty or longer than MAX_INPUT_BYTES.
        """
        _check_inputs(inputs)
        evaluate = self._evaluator.evaluate_known_input
        return _outputs([evaluate(each) for each in inputs])


def epoch_key(seed: bytes, *, agreement_digest: bytes, flow_id: str, epoch: int) -> EvaluationKey:
    """The key of a flow's epoch: RFC 9497 DeriveKeyPair (section 3.2.1) from the provider's seed.

    ``seed``: 32 secret bytes; ``info = "padan/v1 direct key" ‖ 0x00 ‖ flow context``
    (:func:`padan_linkage.crypto.epochs.flow_context`). Raises ValueError for a malformed argument.
    """
    # Spec 60, step 1.
    return derive_key(seed, _KEY_LABEL + flow_context(agreement_digest, flow_id, epoch))


def derive_key(seed: bytes, info: bytes) -> EvaluationKey:
    """RFC 9497 DeriveKeyPair with any ``info``; ValueError unless the seed has 32 bytes."""
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
    return EvaluationKey(ristretto.Evaluator.from_seed(seed, info))


def split(elements: bytes) -> list[bytes]:
    """The elements of a packed batch, 32 bytes each; raises OprfError for another length."""
    count, rest = divmod(len(elements), ELEMENT_BYTES)
    if rest or not 1 <= count <= MAX_BATCH:
        raise OprfError(f"a batch is 1 to {MAX_BATCH} elements of {ELEMENT_BYTES} bytes")
    return [elements[i : i + ELEMENT_BYTES] for i in range(0, len(elements), ELEMENT_BYTES)]


def _element(raw: bytes) -> ristretto.BlindedInput:
    try:
        element = ristretto.BlindedInput.deserialize(raw)
    except ValueError as error:
        raise OprfError("an element is no point, or the identity") from error
    if element.serialize() != raw:
        raise OprfError("an element is not canonically encoded")
    return element


def _check_inputs(inputs: Sequence[bytes]) -> None:
    if any(not 1 <= len(each) <= MAX_INPUT_BYTES for each in inputs):
        raise ValueError(f"an input has 1 to {MAX_INPUT_BYTES} bytes")


def _outputs(outputs: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(outputs), np.uint8).reshape(-1, OUTPUT_BYTES)
