"""Has a set of PRF inputs evaluated blindly: commit, be charged once, send, verify, keep.

Blinds come from the job's seed, so a repeat after a crash makes the same elements, finds the list
that it committed to (same request id: no second charge) and asks again only for the chunks whose
outputs are not on disk. Spec ``proto/spec/60-direct-mode.md``, "Blinding".
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from padan.v1 import direct_service_pb2 as pb
from padan.v1.reason_texts import ServerKind
from padan_client.base.effects import Backoff, Exchange, Patience, Steps, call, work
from padan_client.base.errors import UnavailableError, VerificationError
from padan_client.base.language import t
from padan_client.protocol.direct.session import DirectSession
from padan_client.protocol.progress import Progress, Report, Stage
from padan_linkage.crypto.randomness import SEED_BYTES, Drbg
from padan_linkage.direct.blinding import BLIND_SEED_BYTES, Blinded, blind, blinded_before
from padan_linkage.direct.commitment import CHUNK_ELEMENTS, Commitment, ListLayout
from padan_linkage.direct.inputs import ListInputs
from padan_linkage.direct.oprf import OUTPUT_BYTES, OprfError

#: Chunks of one stream: some seconds of the provider's work, a megabyte or two each way.
WINDOW = 48
_SLOT = CHUNK_ELEMENTS * OUTPUT_BYTES + 16


@dataclass(frozen=True, repr=False)
class ListEvaluation:
    """How a job asks: the session, its secret seed, a folder for outputs (None: keep nothing)."""

    session: DirectSession
    seed: bytes
    folder: Path | None
    patience: Patience
    report: Report
    threads: int


class Outputs:
    """Outputs of a list on disk, one sealed slot a chunk; a slot that does not open is missing."""

    def __init__(self, path: Path | None, seed: bytes, layout: ListLayout) -> None:
        self._path = path
        self._layout = layout
        self._cipher = AESGCM(hashlib.sha256(b"padan/v1 kept outputs\x00" + seed).digest())
        self._memory: dict[int, bytes] = {}
        if path is not None:
            path.touch(mode=0o600)

    def put(self, chunk: int, outputs: NDArray[np.uint8]) -> None:
        """Keep the outputs ``uint8[k, 64]`` of a chunk."""
        raw = outputs.tobytes().ljust(_SLOT - 16, b"\x00")
        if self._path is None:
            self._memory[chunk] = raw
            return
        nonce = chunk.to_bytes(12, "big")  # a slot is written with one content alone
        with self._path.open("r+b") as file:
            file.seek(chunk * _SLOT)
            file.write(self._cipher.encrypt(nonce, raw, None))

    def take(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The outputs ``uint8[m, 64]`` at these places of the list, int64[m], all of them here."""
        taken = np.empty((len(places), OUTPUT_BYTES), np.uint8)
        chunks, within = self._layout.places(places)
        order = np.argsort(chunks, kind="stable")
        found, starts = np.unique(chunks[order], return_index=True)
        for chunk, mine in zip(found.tolist(), np.split(order, starts[1:]), strict=False):
            whole = np.frombuffer(self.get(chunk) or b"", np.uint8).reshape(-1, OUTPUT_BYTES)
            taken[mine] = whole[within[mine]]
        return taken

    def get(self, chunk: int) -> bytes | None:
        """The outputs of a chunk, padded with zeros to a whole one; None if they are not here."""
        if self._path is None:
            return self._memory.get(chunk)
        with self._path.open("rb") as file:
            file.seek(chunk * _SLOT)
            sealed = file.read(_SLOT)
        try:
            return self._cipher.decrypt(chunk.to_bytes(12, "big"), sealed, None)
        except (InvalidTag, ValueError):
            return None


@dataclass(repr=False)
class _List:
    """A blinded list and how far it is; blinds are made again from ``seed`` where they are needed.

    ``elements``: the packed elements of each chunk.
    """

    name: str
    inputs: ListInputs
    seed: bytes
    elements: list[bytes]
    commitment: Commitment
    outputs: Outputs
    missing: set[int] = field(default_factory=set)

    @property
    def evaluated_count(self) -> int:
        """Elements whose outputs are here."""
        layout = self.inputs.layout
        return layout.element_count - sum(layout.chunk(n).count for n in self.missing)

    def blinded(self, chunk: int) -> Blinded:
        """A chunk as it was blinded."""
        inputs = _piece(self.inputs, chunk)
        return blinded_before(inputs, _secrets(self.seed, chunk, inputs), self.elements[chunk])


def evaluate(evaluation: ListEvaluation, inputs: ListInputs) -> Steps[Outputs]:
    """Have all messages of a list evaluated, every proof verified: the outputs, chunk by chunk.

    What is sent depends on their number alone, not on what any answer says. Raises
    VerificationError where the provider's answers cannot be believed.
    """
    state = yield from work(lambda: _blinded(evaluation, inputs))
    # Spec 60, step 8.
    state.name = yield from _commit(evaluation, state)
    backoff = evaluation.patience.start()
    total = len(inputs)
    if state.missing and len(state.elements) == 1:
        yield from _single(evaluation, state)
    while state.missing:
        evaluation.report(Progress(Stage.EVALUATE, state.evaluated_count, total))
        yield from _window(evaluation, state, backoff)
    evaluation.report(Progress(Stage.EVALUATE, total, total))
    return state.outputs


def _blinded(evaluation: ListEvaluation, inputs: ListInputs) -> _List:
    """All chunks blinded, in threads; the kernels leave the interpreter free."""
    layout = inputs.layout
    chunks = range(layout.chunk_count)
    digest = _digest(_piece(inputs, chunk) for chunk in chunks)
    drbg = _drbg(evaluation, "blind", digest)
    seed = drbg.bytes(SEED_BYTES)

    def elements(chunk: int) -> bytes:
        piece = _piece(inputs, chunk)
        return blind(piece, _secrets(seed, chunk, piece)).elements

    if len(chunks) == 1:
        made = [elements(0)]
    else:
        with ThreadPoolExecutor(evaluation.threads) as pool:
            made = list(pool.map(elements, chunks))
    path = evaluation.folder / f"{digest.hex()[:24]}.outputs" if evaluation.folder else None
    outputs = Outputs(path, drbg.bytes(SEED_BYTES), layout)
    missing = {n for n in chunks if outputs.get(n) is None}
    return _List("", inputs, seed, made, Commitment(layout, made), outputs, missing)


def _piece(inputs: ListInputs, chunk: int) -> list[bytes]:
    """The messages of a chunk."""
    place = inputs.layout.chunk(chunk)
    piece: list[bytes] = inputs.messages.slice(place.start, place.count).to_pylist()
    return piece


def _secrets(seed: bytes, chunk: int, inputs: Sequence[bytes]) -> bytes:
    """The randomness of a chunk's blinds."""
    return Drbg(seed).fork(f"chunk {chunk}").bytes(BLIND_SEED_BYTES * len(inputs))


def _commit(evaluation: ListEvaluation, state: _List) -> Steps[str]:
    """Commit to the list, or find it again. Returns its resource name."""
    session, root = evaluation.session, state.commitment.root
    wanted = pb.BlindedList(epoch=session.epoch, element_count=len(state.inputs), root=root)
    request_id = uuid.UUID(bytes=_drbg(evaluation, "id", root).bytes(16), version=4)
    given = yield from call(
        "DirectService.CreateBlindedList",
        pb.CreateBlindedListRequest(
            parent=session.place.name, blinded_list=wanted, request_id=str(request_id)
        ),
        pb.BlindedList,
        evaluation.patience,
        ServerKind.PROVIDER,
    )
    same = (given.epoch, given.element_count, given.root) == (
        wanted.epoch,
        wanted.element_count,
        wanted.root,
    )
    name = re.escape(session.place.name) + r"/blindedLists/[A-Za-z0-9_-]{1,64}"
    if not same or not re.fullmatch(name, given.name):
        raise _unbelievable("blinded_list")
    return given.name


def _single(evaluation: ListEvaluation, state: _List) -> Steps[None]:
    """Evaluate a list of one chunk by one call: the quick way for a few records."""
    sink = _EvaluationSink(state, [0], evaluation.session.public_keys, None)
    (request,) = _requests(state, [0])
    response = yield from call(
        "DirectService.EvaluateElements",
        request,
        pb.EvaluateElementsResponse,
        evaluation.patience,
        ServerKind.PROVIDER,
    )
    sink(response)
    yield from work(sink.settle)


def _window(evaluation: ListEvaluation, state: _List, backoff: Backoff) -> Steps[None]:
    """Evaluate the next missing chunks over one stream; what arrives is verified meanwhile."""
    wanted = sorted(state.missing)[:WINDOW]
    before = len(state.missing)
    with ThreadPoolExecutor(evaluation.threads) as pool:
        sink = _EvaluationSink(state, wanted, evaluation.session.public_keys, pool)
        lost: UnavailableError | None = None
        try:
            yield Exchange(
                "DirectService.EvaluateElementStream",
                lambda: _requests(state, wanted),
                sink,
                ServerKind.PROVIDER,
            )
        except UnavailableError as failure:
            lost = failure
        yield from work(sink.settle)
    if len(state.missing) < before:
        backoff.progress()
    elif lost is None:
        raise _unbelievable("chunk")
    if lost is not None:
        yield backoff.after(lost)


def _requests(state: _List, wanted: Sequence[int]) -> Iterator[pb.EvaluateElementsRequest]:
    for chunk in wanted:
        yield pb.EvaluateElementsRequest(
            blinded_list=state.name,
            chunk=chunk,
            elements=state.elements[chunk],
            audit_path=state.commitment.audit_path(chunk),
        )


@dataclass(repr=False)
class _EvaluationSink:
    """Takes evaluated chunks in the order they were asked for, and has each verified in a thread.

    A stream that does not answer what was asked is cut at once, so none goes on for ever.
    """

    state: _List
    wanted: Sequence[int]
    public_keys: Sequence[bytes]
    pool: ThreadPoolExecutor | None
    running: list[tuple[int, Callable[[], NDArray[np.uint8]]]] = field(default_factory=list)

    def __call__(self, message: pb.EvaluateElementsResponse) -> None:
        place = len(self.running)
        if place >= len(self.wanted) or message.chunk != self.wanted[place]:
            raise _unbelievable("chunk")
        finalise = partial(self._finalised, message)
        result = finalise if self.pool is None else self.pool.submit(finalise).result
        self.running.append((message.chunk, result))

    def _finalised(self, message: pb.EvaluateElementsResponse) -> NDArray[np.uint8]:
        blinded = self.state.blinded(message.chunk)
        key = self.state.inputs.layout.chunk(message.chunk).key
        return blinded.finalise(message.evaluated, message.proof, self.public_keys[key])

    def settle(self) -> None:
        """Keep what is verified. Raises VerificationError for a proof that does not hold."""
        for chunk, finalise in self.running:
            try:
                outputs = finalise()
            except OprfError:
                raise _unbelievable("proof") from None
            self.state.outputs.put(chunk, outputs)
            self.state.missing.discard(chunk)


def _drbg(evaluation: ListEvaluation, label: str, digest: bytes) -> Drbg:
    """A generator for one use with what has this digest: no blind ever serves two inputs."""
    keys = hashlib.sha256(b"".join(evaluation.session.public_keys)).hexdigest()
    return Drbg(evaluation.seed).fork(f"{label} {keys} {digest.hex()}")


def _digest(pieces: Iterable[Sequence[bytes]]) -> bytes:
    digest = hashlib.sha256()
    for message in chain.from_iterable(pieces):
        digest.update(len(message).to_bytes(4, "big") + message)
    return digest.digest()


def _unbelievable(field: str) -> VerificationError:
    return VerificationError(
        t(
            f"Jawaban penyedia tidak sah ({field}): bukan dengan kunci yang ditandatanganinya, "
            "atau bukan atas yang ditanyakan. Tidak ada kode yang diterima; hubungi penyedia.",
            f"The provider's answer is invalid ({field}): not by the key that it signed, or not "
            "to what was asked. No code was taken; ask the provider.",
        )
    )
