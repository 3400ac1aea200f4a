"""A process that evaluates elements, and has the key for as long as that takes.

Run by :mod:`padan_server.direct.evaluators` as ``python -m padan_server.direct.worker``. It
reads requests from standard input and answers on standard output. It imports no gRPC and no store,
and keeps no key from one request to the next. When its parent is gone, its input ends and so does
it.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Self

from padan_linkage.crypto.process import keep_memory_private
from padan_linkage.direct.oprf import (
    PROOF_SEED_BYTES,
    PUBLIC_KEY_BYTES,
    SEED_BYTES,
    OprfError,
    epoch_key,
)
from padan_linkage.direct.suite.selftest import check_kernels
from padan_server.base.model import FlowKey

READY = b"ready"
#: First byte of an answer. DONE is followed by evaluated elements and proof, FAULT by the name of
#: what went wrong; CHANGED says that the seed is not that of the public key.
DONE, REFUSED, CHANGED, FAULT = b"\x00", b"\x01", b"\x02", b"\x03"

_EPOCH_BYTES = 8


@dataclass(frozen=True)
class EvaluationRequest:
    """Elements of one direct key to evaluate, the seed, and the public key that it has to give."""

    seed: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    agreement_digest: bytes = field(repr=False)
    flow_id: str
    epoch: int
    key_id: str
    elements: bytes = field(repr=False)

    @classmethod
    def of(
        cls, seed: bytes, public_key: bytes, flow: FlowKey, epoch: int, key_id: str, elements: bytes
    ) -> Self:
        """A request for a direct key in a flow's epoch."""
        return cls(seed, public_key, flow.digest, flow.flow, epoch, key_id, elements)

    def pack(self) -> bytes:
        """Seed ‖ public key ‖ digest ‖ epoch ‖ lengths of two ids ‖ flow's ‖ key's ‖ elements."""
        flow, key = self.flow_id.encode("ascii"), self.key_id.encode("ascii")
        epoch = self.epoch.to_bytes(_EPOCH_BYTES, "big")
        lengths = bytes([len(flow), len(key)])
        head = (self.seed, self.public_key, self.agreement_digest, epoch, lengths)
        return b"".join((*head, flow, key, self.elements))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The request that was packed."""
        parts, at = [], 0
        for width in (SEED_BYTES, PUBLIC_KEY_BYTES, 32, _EPOCH_BYTES, 2):
            parts.append(packed[at : at + width])
            at += width
        seed, public_key, digest, epoch, (flow_length, key_length) = parts
        flow = packed[at : at + flow_length].decode("ascii")
        at += flow_length
        key, rest = packed[at : at + key_length].decode("ascii"), packed[at + key_length :]
        return cls(seed, public_key, digest, flow, int.from_bytes(epoch, "big"), key, rest)


def answer(packed: bytes) -> bytes:
    """The answer to a packed request."""
    try:
        request = EvaluationRequest.unpack(packed)
        key = epoch_key(
            request.seed,
            agreement_digest=request.agreement_digest,
            flow_id=request.flow_id,
            epoch=request.epoch,
            key_id=request.key_id,
        )
        if key.public_key != request.public_key:
            return CHANGED
        evaluated, proof = key.evaluate_blinded(request.elements, os.urandom(PROOF_SEED_BYTES))
    except OprfError:
        return REFUSED
    except Exception as error:  # noqa: BLE001 - its message could quote what it choked on
        return FAULT + type(error).__name__.encode()
    return DONE + evaluated + proof


def main() -> None:
    """Answer until the input ends."""
    keep_memory_private()
    # The parent says when to stop, by closing the input: a signal to the whole group must not cut
    # off what is being answered.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    requests = Connection(os.dup(0), writable=False)
    answers = Connection(os.dup(1), readable=False)
    os.dup2(2, 1)  # whatever prints must not end up in an answer
    try:
        answers.send_bytes(READY)
        check_kernels()  # a first start compiles them: before the first call, not in it
        while True:
            answers.send_bytes(answer(requests.recv_bytes()))
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
