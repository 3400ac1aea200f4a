"""The provider's half of direct mode's oblivious PRF: RFC 9497 VOPRF, ristretto255-SHA512.

The requester's half is :mod:`.blinding`. What travels is raw bytes: elements of 32 bytes packed one
after another, one proof of 64 bytes a batch, outputs of 64 bytes. The key is never a Python number:
what is done with it is compiled, many at a time, and no branch or address depends on it
(:mod:`.suite`, :mod:`.lanes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from padan_linkage.crypto.epochs import flow_context, framed
from padan_linkage.direct.lanes import group
from padan_linkage.direct.suite import elements as packed_elements
from padan_linkage.direct.suite import hashing, proofs
from padan_linkage.direct.suite.elements import Elements, NotAnElementError, split
from padan_linkage.direct.suite.selftest import check_kernels
from padan_linkage.direct.suite.sha512 import HashInputs

SUITE = "ristretto255-SHA512"
ELEMENT_BYTES = packed_elements.ELEMENT_BYTES
PROOF_BYTES = proofs.PROOF_BYTES
OUTPUT_BYTES = 64
PUBLIC_KEY_BYTES = 32
SEED_BYTES = 32
#: Random bytes that make one proof.
PROOF_SEED_BYTES = 32

#: Most elements of one batch, that is under one proof: RFC 9497 writes their number in 2 bytes.
MAX_BATCH = (1 << 16) - 1
#: Longest input, bytes.
MAX_INPUT_BYTES = (1 << 16) - 1
#: A key evaluates at most so many blinded elements, then its epoch ends: each evaluation of a
#: static Diffie–Hellman key costs security (RFC 9497, section 7.2.3).
MAX_EVALUATIONS = 1 << 24

_KEY_LABEL = b"padan/v2 direct key\x00"


class OprfError(Exception):
    """Elements, a proof or a key cannot be used; the message says which, and never a value."""


class EvaluationKey:
    """The provider's secret key of one direct key in an epoch; :func:`epoch_key` makes it.

    Shows nothing in its repr and does not pickle: worker processes derive it again from the seed.
    Kernels release the interpreter's lock: threads scale.
    """

    __slots__ = ("_public", "_secret")

    def __init__(self, secret: NDArray[np.uint8], public: NDArray[np.uint8]) -> None:
        """``secret``: a scalar from 1 to ℓ − 1; ``public``: its element; ``uint8[1, 32]`` each."""
        check_kernels()
        self._secret = secret
        self._public = public

    def __repr__(self) -> str:
        return "EvaluationKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an evaluation key is derived again, never serialised or copied")

    __getstate__ = __reduce__

    @property
    def public_key(self) -> bytes:
        """32 bytes, what requesters verify proofs against."""
        return self._public.tobytes()

    def evaluate_blinded(self, elements: bytes, randomness: bytes) -> tuple[bytes, bytes]:
        """Evaluated elements (32 bytes each, in order) and the proof (64 bytes) for all of them.

        ``elements``: at least one and at most MAX_BATCH, packed; ``randomness``: PROOF_SEED_BYTES
        secret random bytes for the proof. Raises OprfError for a length that is no whole number of
        elements, and for an element that is not the canonical encoding of a point other than the
        identity; ValueError for randomness of another length.
        """
        # Spec 60, steps 9 and 10.
        if len(randomness) != PROOF_SEED_BYTES:
            raise ValueError(f"a proof takes {PROOF_SEED_BYTES} random bytes")
        blinded = batch(elements)
        evaluated = group.encode_products_all(blinded.points, self._secret[0])
        proof = proofs.prove(self._secret, self._public, blinded, evaluated, randomness)
        return evaluated.tobytes(), proof

    def evaluate(self, inputs: Sequence[bytes]) -> NDArray[np.uint8]:
        """The PRF of known inputs, ``uint8[n, 64]``: what the provider builds its table from.

        Raises ValueError for an input that is empty or longer than MAX_INPUT_BYTES.
        """
        messages = checked(inputs)
        points = group.map_to_group(hashing.hash_to_uniform(messages))
        evaluated = group.encode_products_all(points, self._secret[0])
        return hashing.finalize(messages, evaluated)


def epoch_key(
    seed: bytes, *, agreement_digest: bytes, flow_id: str, epoch: int, key_id: str
) -> EvaluationKey:
    """What answers inputs of one direct key in a flow's epoch: RFC 9497 DeriveKeyPair (3.2.1).

    ``seed``: the provider's of the epoch, 32 secret bytes;
    ``info = "padan/v2 direct key" ‖ 0x00 ‖ flow context ‖ framed(key id)``
    (:func:`padan_linkage.crypto.epochs.flow_context`). Raises ValueError for a malformed argument.
    """
    made = epoch_keys(
        seed, agreement_digest=agreement_digest, flow_id=flow_id, epoch=epoch, key_ids=[key_id]
    )
    return made[key_id]


def epoch_keys(
    seed: bytes, *, agreement_digest: bytes, flow_id: str, epoch: int, key_ids: Iterable[str]
) -> dict[str, EvaluationKey]:
    """The same for several direct keys, by id; some take hardly longer than one."""
    # Spec 60, step 1.
    context = _KEY_LABEL + flow_context(agreement_digest, flow_id, epoch)
    ids = list(key_ids)
    return dict(zip(ids, _derived(seed, [context + framed(i) for i in ids]), strict=True))


def derive_key(seed: bytes, info: bytes) -> EvaluationKey:
    """RFC 9497 DeriveKeyPair with any ``info``; ValueError unless the seed has 32 bytes."""
    return _derived(seed, [info])[0]


def _derived(seed: bytes, infos: Sequence[bytes]) -> list[EvaluationKey]:
    """The key of each ``info``, at least one."""
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
    check_kernels()
    secrets = np.concatenate([hashing.derive_secret(seed, info) for info in infos])
    public = group.encode(group.base_multiply_each(secrets))
    return [EvaluationKey(secrets[i : i + 1], public[i : i + 1]) for i in range(len(infos))]


def batch(elements: bytes) -> Elements:
    """The elements of a packed batch; whatever is given elements comes by here.

    Raises OprfError for another length, and where one is not the canonical encoding of a point
    other than the identity.
    """
    check_kernels()
    count, rest = divmod(len(elements), ELEMENT_BYTES)
    if rest or not 1 <= count <= MAX_BATCH:
        raise OprfError(f"a batch is 1 to {MAX_BATCH} elements of {ELEMENT_BYTES} bytes")
    try:
        return Elements.decode(split(elements))
    except NotAnElementError:
        raise OprfError("an element is no point, or the identity") from None


def checked(inputs: Sequence[bytes]) -> HashInputs:
    """The inputs for the suite; ValueError where one has an impossible length.

    Whatever is given inputs comes by here.
    """
    check_kernels()
    if any(not 1 <= len(each) <= MAX_INPUT_BYTES for each in inputs):
        raise ValueError(f"an input has 1 to {MAX_INPUT_BYTES} bytes")
    return HashInputs.of(inputs)
