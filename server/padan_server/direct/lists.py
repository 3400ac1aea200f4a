"""Blinded lists: committed to and charged first, then evaluated, chunk by chunk, and no more.

The quota is charged for a whole list when it is committed to, record by record, and so is the
account of each key, element by element; what is evaluated afterwards is only what the commitment
holds, so a chunk may be asked for again and again.
"""

from __future__ import annotations

import secrets
from concurrent.futures import Future
from dataclasses import dataclass, field

from padan_linkage.direct.commitment import CommitmentError, ListLayout, verify_chunk
from padan_linkage.direct.oprf import ELEMENT_BYTES, MAX_EVALUATIONS
from padan_linkage.direct.schema import DirectSchema
from padan_server.admission.enforcement import Grant
from padan_server.admission.quotas import charge, check_batch
from padan_server.admission.requests import remember, replayed
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.failpoints import Failpoints
from padan_server.base.metrics import ProviderMetrics
from padan_server.base.model import BlindedList, RequestKey
from padan_server.direct.evaluators import ElementsInvalidError, Evaluators, KeyChangedError
from padan_server.direct.label_tables import ServedTables
from padan_server.direct.seeds import EpochDestroyedError, Seeds
from padan_server.direct.worker import EvaluationRequest
from padan_server.store.port import Store, Transaction


@dataclass(frozen=True)
class NewList:
    """What a caller commits to."""

    epoch: int
    element_count: int
    root: bytes = field(repr=False)


@dataclass(frozen=True)
class ElementChunk:
    """A chunk as it was sent."""

    list_id: str
    number: int
    elements: bytes = field(repr=False)
    audit_path: bytes = field(repr=False)

    @property
    def count(self) -> int:
        """Number of elements."""
        return len(self.elements) // ELEMENT_BYTES


@dataclass(frozen=True)
class PendingEvaluation:
    """A chunk of a committed list that a worker has or will get."""

    chunk: ElementChunk
    epoch: int
    answer: Future[tuple[bytes, bytes]] = field(repr=False)

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self.answer.cancel()


@dataclass(frozen=True)
class Evaluation:
    """The answer to a chunk; ``fresh`` unless it was evaluated before."""

    number: int
    count: int
    evaluated: bytes = field(repr=False)
    proof: bytes = field(repr=False)
    fresh: bool


class BlindedLists:
    """Commits to lists, charges and evaluates them."""

    def __init__(
        self,
        store: Store,
        tables: ServedTables,
        seeds: Seeds,
        evaluators: Evaluators,
        failpoints: Failpoints,
        metrics: ProviderMetrics,
    ) -> None:
        self._store = store
        self._tables = tables
        self._seeds = seeds
        self._evaluators = evaluators
        self._failpoints = failpoints
        self._metrics = metrics

    def create(self, grant: Grant, new: NewList, request: RequestKey | None) -> BlindedList:
        """Commit the caller to a list; day and keys are charged once for a request.

        The day is charged records, each key its elements.
        """
        layout = _layout(grant, new.element_count)
        check_batch(grant, layout.records)
        with self._store.write() as tx:
            known = replayed(tx, request)
            if known is not None:
                return _owned(tx, grant, known)
            public_keys = self._tables.public_keys(tx, grant, new.epoch)
            # Spec 60, step 8.
            charge(tx, grant, layout.records)
            for public_key, width in zip(public_keys, layout.widths, strict=True):
                _charge_key(tx, grant, public_key, layout.records * width)
            made = BlindedList(
                id=secrets.token_hex(16),
                flow=grant.key,
                owner=grant.party,
                epoch=new.epoch,
                public_keys=b"".join(public_keys),
                element_count=new.element_count,
                root=new.root,
                create_time=grant.now,
            )
            tx.lists.add(made)
            remember(tx, request, made.id, grant.now)
            self._failpoints.hit("list.charged")
        self._failpoints.hit("list.committed")
        self._metrics.committed.inc(made.element_count)
        return made

    def get(self, grant: Grant, list_id: str) -> BlindedList:
        """One of the caller's lists."""
        with self._store.read() as tx:
            return _owned(tx, grant, list_id)

    def begin(self, grant: Grant, chunk: ElementChunk) -> PendingEvaluation:
        """Give a chunk to a worker, if it is of the committed list and its key still answers."""
        with self._store.read() as tx:
            mine = _owned(tx, grant, chunk.list_id)
            public_keys = self._tables.public_keys(tx, grant, mine.epoch)
        if b"".join(public_keys) != mine.public_keys:
            raise Refusal(Reason.TABLE_EXPIRED, **grant.metadata)
        layout = _layout(grant, mine.element_count)
        try:
            # Spec 60, step 9: the chunk; its points are checked by who evaluates them.
            verify_chunk(mine.root, layout, chunk.number, chunk.elements, chunk.audit_path)
        except CommitmentError:
            raise Refusal(Reason.CHUNK_NOT_COMMITTED, **grant.metadata) from None
        try:
            seed = self._seeds.read(grant.key, mine.epoch)
        except EpochDestroyedError:
            raise Refusal(Reason.TABLE_EXPIRED, **grant.metadata) from None
        number = layout.chunk(chunk.number).key
        key_id, public_key = _direct(grant).keys[number].id, public_keys[number]
        request = EvaluationRequest.of(
            seed, public_key, grant.key, mine.epoch, key_id, chunk.elements
        )
        try:
            answer = self._evaluators.submit(request, grant.party)
            return PendingEvaluation(chunk, mine.epoch, answer)
        except RuntimeError:  # the pool takes no more: the server stops
            raise Refusal(Reason.SHUTTING_DOWN) from None

    def finish(self, grant: Grant, pending: PendingEvaluation) -> Evaluation:
        """Wait for the answer. It is counted durably before it is given."""
        chunk = pending.chunk
        try:
            evaluated, proof = pending.answer.result()
        except ElementsInvalidError:
            raise Refusal(Reason.ELEMENTS_INVALID, **grant.metadata) from None
        except KeyChangedError:
            raise self._seeds.altered(grant.key, pending.epoch) from None
        self._failpoints.hit("chunk.evaluated")
        with self._store.write() as tx:
            fresh = tx.lists.record_chunk(chunk.list_id, chunk.number, chunk.count)
        self._failpoints.hit("chunk.recorded")
        self._metrics.evaluated.inc(chunk.count)
        return Evaluation(chunk.number, chunk.count, evaluated, proof, fresh)


def _direct(grant: Grant) -> DirectSchema:
    assert grant.flow.direct is not None
    return grant.flow.direct


def _layout(grant: Grant, elements: int) -> ListLayout:
    """How a list of so many elements lies: each record asks every key, so all are of one size."""
    widths = _direct(grant).widths(grant.schema)
    records, rest = divmod(elements, width := sum(widths))
    if rest:
        raise field_invalid(
            "blinded_list.element_count",
            f"kelipatan {width}: setiap rekaman menanyakan semua kunci",
            f"a multiple of {width}: every record asks every key",
        )
    return ListLayout(records, widths)


def _charge_key(tx: Transaction, grant: Grant, public_key: bytes, elements: int) -> None:
    if tx.lists.charge_key(public_key, elements, MAX_EVALUATIONS) is not None:
        return
    used = tx.lists.key_used(public_key)
    raise Refusal(Reason.EVALUATIONS_EXHAUSTED, **grant.metadata, limit=MAX_EVALUATIONS, used=used)


def _owned(tx: Transaction, grant: Grant, list_id: str) -> BlindedList:
    """A list of the caller in the admitted flow, or the refusal that hides all others."""
    found = tx.lists.get(list_id)
    if found is None or found.flow != grant.key or found.owner != grant.party:
        raise Refusal(Reason.LIST_NOT_FOUND, **grant.metadata)
    return found
