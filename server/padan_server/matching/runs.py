"""Runs as the requester sees them: created and charged, watched, cancelled, read."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator

from padan_linkage.answering.answers import PassAnswers
from padan_server.admission.compatibility import check_sides
from padan_server.admission.enforcement import Grant
from padan_server.admission.ledger import Ledger
from padan_server.admission.quotas import charge, check_batch
from padan_server.admission.requests import remember, replayed
from padan_server.base.errors import Reason, Refusal, field_invalid
from padan_server.base.failpoints import Failpoints
from padan_server.base.model import (
    ENDED,
    Dataset,
    DatasetState,
    FlowKey,
    RequestKey,
    Run,
    RunState,
    Seal,
)
from padan_server.datasets.owners import owned, state_invalid
from padan_server.datasets.registries import registry_of
from padan_server.datasets.rows import named_pass
from padan_server.matching.progress import Step
from padan_server.matching.run_signal import RunSignal
from padan_server.store.cache import StoreCache
from padan_server.store.files.columns import ColumnFiles
from padan_server.store.port import Store, Transaction

#: Watchers look again after this many seconds even if nobody woke them.
_LOOK_AGAIN = 1.0
#: Progress below this difference is not worth a message.
_STEP = 0.01


class Runs:
    """Creates, shows, watches and cancels runs, and reads their answers."""

    def __init__(
        self,
        store: Store,
        files: ColumnFiles,
        ledger: Ledger,
        signal: RunSignal,
        failpoints: Failpoints,
        stopping: threading.Event,
    ) -> None:
        self._store = store
        self._files = files
        self._ledger = ledger
        self._signal = signal
        self._failpoints = failpoints
        self._stopping = stopping
        self._lists = StoreCache[str, Dataset | None](store, lambda tx, name: tx.datasets.get(name))

    def create(
        self, grant: Grant, list_id: str, registry_id: str, request: RequestKey | None
    ) -> Run:
        """Charge the quota and queue a run, both or neither, once for a request."""
        # Spec 30, "Runs", step 1.
        with self._ledger.settled(grant) as tx:
            known = replayed(tx, request)
            if known is not None:
                return _owned_run(tx, known, grant.party, grant.key)
            requested = owned(tx, grant, list_id)
            if requested.state is not DatasetState.COMMITTED:
                raise state_invalid(requested)
            registry = registry_of(tx, grant, registry_id)
            check_sides(grant, requested.encoding, registry.encoding)
            check_batch(grant, requested.record_count)
            charged = grant.schema.charged_records(requested.record_count)
            charge(tx, grant, charged)
            run = tx.runs.add(
                Run(
                    id=secrets.token_hex(16),
                    flow=grant.key,
                    owner=grant.party,
                    requester_dataset=requested.id,
                    provider_dataset=registry.id,
                    state=RunState.PENDING,
                    record_count=charged,
                    edition=registry.edition,
                    create_time=grant.now,
                )
            )
            remember(tx, request, run.id, grant.now)
        self._failpoints.hit("run.created")
        self._signal.notify()
        return run

    def get(self, grant: Grant, run_id: str) -> Run:
        """One of the caller's runs of the admitted flow."""
        with self._store.read() as tx:
            return _owned_run(tx, run_id, grant.party, grant.key)

    def find(self, party: str, run_id: str) -> Run:
        """One of ``party``'s runs, whatever its flow (operations name no flow)."""
        with self._store.read() as tx:
            return _owned_run(tx, run_id, party, None)

    def page(self, grant: Grant, *, before: int, limit: int) -> list[Run]:
        """The caller's runs of the flow, newest first."""
        with self._store.read() as tx:
            return tx.runs.page(grant.key, grant.party, before=before, limit=limit)

    def of_party(self, party: str, *, before: int, limit: int) -> list[Run]:
        """The caller's runs of every flow, newest first."""
        with self._store.read() as tx:
            return tx.runs.of_owner(party, before=before, limit=limit)

    def watch(
        self,
        grant: Grant,
        run_id: str,
        active: Callable[[], bool],
        *,
        seconds: float = math.inf,
    ) -> Iterator[Run]:
        """The run now and whenever it changes, until it ends or ``active()`` is false.

        Ends after ``seconds`` too, with the run as it then stands.
        """
        until = time.monotonic() + seconds
        shown: tuple[RunState, int, float] | None = None
        seen = -1
        while active():
            run = self.get(grant, run_id)
            now = (run.state, len(run.passes), self.step(grant, run).share)
            if shown is None or now[:2] != shown[:2] or now[2] - shown[2] >= _STEP:
                shown = now
                yield run
            left = until - time.monotonic()
            if run.state in ENDED or left <= 0:
                return
            if self._stopping.is_set():
                raise Refusal(Reason.SHUTTING_DOWN)
            seen = self._signal.wait(seen, min(_LOOK_AGAIN, left))

    def step(self, grant: Grant, run: Run) -> Step:
        """How far a run is, and how long the rest will take."""
        if run.state in {RunState.SUCCEEDED, RunState.CLOSED}:
            return Step(1.0)
        return self._signal.step(run.id) or Step(len(run.passes) / len(grant.schema.passes))

    def cancel(self, grant: Grant, run_id: str, request: RequestKey | None) -> Run:
        """Stop a run; one that has ended stays as it is. Its worker drops what it has."""
        with self._store.write() as tx:
            if replayed(tx, request) is None:
                remember(tx, request, run_id, grant.now)
            before = _owned_run(tx, run_id, grant.party, grant.key)
            tx.runs.end(run_id, RunState.CANCELLED, grant.now)
            run = _owned_run(tx, run_id, grant.party, grant.key)
        self._signal.notify(run.id)
        if before.state is RunState.PENDING:
            self._files.erase_run(run.id)  # a running one's files are its worker's to erase
        return run

    def seal(self, run: Run) -> Seal | None:
        """How the codes of a run's answers were sealed."""
        with self._store.read() as tx:
            registry = tx.datasets.get(run.provider_dataset)
        return registry.seal if registry else None

    def results(
        self, grant: Grant, run: Run, pass_id: str, row_offset: int, piece_bytes: int
    ) -> Iterator[tuple[int, PassAnswers]]:
        """Answers of a succeeded run by about ``piece_bytes``, each with its first row."""
        self._check_readable(grant, run)
        for p in [named_pass(grant.schema, pass_id)] if pass_id else grant.schema.passes:
            answers = self._answers(run, p.id)
            if not 0 <= row_offset <= len(answers):
                raise field_invalid(
                    "row_offset", f"0 sampai {len(answers)}", f"0 to {len(answers)}"
                )
            for piece in answers.pieces(row_offset, max(1, piece_bytes // answers.row_bytes)):
                self._check_kept(run)
                yield piece

    def _answers(self, run: Run, pass_id: str) -> PassAnswers:
        try:
            return self._files.result(run.id, pass_id)
        except FileNotFoundError:
            self._check_kept(run)  # a list is marked before its answers are erased
            raise

    def _check_readable(self, grant: Grant, run: Run) -> None:
        if run.state is not RunState.SUCCEEDED:
            raise Refusal(Reason.RUN_NOT_SUCCEEDED, run=run.id, state=run.state.value)
        with self._store.read() as tx:
            owned(tx, grant, run.requester_dataset)
        self._check_kept(run)

    def _check_kept(self, run: Run) -> None:
        """Refuse answers whose list is erased, or is about to be: they go with it."""
        listed = self._lists.get(run.requester_dataset)
        if listed is None:
            raise Refusal(Reason.RUN_NOT_FOUND)
        if listed.state is not DatasetState.COMMITTED:
            raise state_invalid(listed)


def _owned_run(tx: Transaction, run_id: str, party: str, flow: FlowKey | None) -> Run:
    run = tx.runs.get(run_id)
    if run is None or run.owner != party or (flow is not None and run.flow != flow):
        raise Refusal(Reason.RUN_NOT_FOUND)
    return run
