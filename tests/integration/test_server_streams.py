"""A stream that is open ends when what it rests on no longer stands: every one, truly told."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc
import numpy as np
import pytest
from direct_party import asked
from engines import FakeEngine, Gate
from google.longrunning import operations_pb2
from parties import chunks, refusal
from patience import PATIENCE
from provider_fixture import table_id

from padan.v1 import (
    agreement_service_pb2,
    confirmation_service_pb2,
    dataset_service_pb2,
    direct_service_pb2,
    release_service_pb2,
    run_service_pb2,
)
from padan_linkage.answering.answers import PassAnswers
from padan_linkage.direct.table import ROW_BYTES
from padan_linkage.matching import MetPairs
from padan_linkage.schema import SEALED_CODE_BYTES
from padan_server.admission.identity import Pins
from padan_server.base.errors import Reason, Refusal
from padan_server.services.guard.call import Call

#: Of several messages.
_LARGE = 2 * 1024**2
#: Streams of answers that come one upon another.
_DOWNLOADS = ("StreamResults", "DownloadRelease", "DownloadLabelTable")


@dataclass
class Open:
    """A stream that is open, and at whose server: ``go_on`` reads or sends it to its end."""

    server: object
    party: object
    go_on: Callable[[], object]
    #: Takes away what the stream alone rests on, and how it is told then.
    erase: tuple[Callable[[], object], str] | None = None

    @property
    def role(self):
        """The server itself, unit or provider."""
        return getattr(self.server, "unit", None) or self.server.provider


class Hold:
    """Keeps downloads before their second message until they are to go on.

    Otherwise a connection could hold all of it before a fault comes: how much is the machine's.
    """

    def __init__(self, monkeypatch) -> None:
        self._check = Call.check
        self.going_on = threading.Event()
        # A bound method would not be handed the call.
        monkeypatch.setattr(Call, "check", lambda call: self.check(call))  # noqa: PLW0108

    def check(self, call: Call) -> None:
        """Once for the request, then before each message."""
        call.asked = getattr(call, "asked", 0) + 1
        if call.method.endswith(_DOWNLOADS) and call.asked == 3:
            assert self.going_on.wait(PATIENCE)
        self._check(call)


def reading(call, hold: Hold) -> Callable[[], object]:
    """A stream of answers of which the first has come."""
    next(call)

    def go_on():
        hold.going_on.set()
        try:
            return list(call)
        finally:
            hold.going_on.clear()  # before the next call begins

    return go_on


def sending(method, messages, ready: Callable[[], object] = lambda: None) -> Callable[[], object]:
    """A stream of requests that has begun; the rest follows when it goes on."""
    more, first = threading.Event(), next(messages)

    def requests() -> Iterator[object]:
        yield first
        assert more.wait(PATIENCE)
        yield from messages

    future = method.future(requests())
    ready()

    def go_on():
        more.set()
        return future.result(PATIENCE)

    return go_on


class Streams:
    """Opens each kind of stream at a server of its own."""

    def __init__(self, make_unit, make_provider, hold) -> None:
        self.hold = hold
        self._make_unit = make_unit
        self._make_provider = make_provider

    def _run(self, before=lambda pass_id: None):
        # Made once: the faults of a test come one after another on one unit.
        if not hasattr(self, "_made"):
            unit = self._make_unit(engine=FakeEngine(before))
            provider, requester = unit.pair()
            provider.publish(10)
            listed = requester.publish(10)
            run = requester.run_of(requester.start_run(listed))
            self._made = unit, requester, run
        return self._made

    def StreamResults(self) -> Open:  # noqa: N802 - the methods' own names
        """Answers of a run, more than fit a connection."""
        unit, requester, run = self._run()
        requester.watch(run.name)
        rows = _LARGE // SEALED_CODE_BYTES
        sealed = np.zeros((rows, SEALED_CODE_BYTES), np.uint8)
        outcomes, bits = np.ones(rows, np.uint8), np.zeros((rows, 0), np.uint8)
        pass_id = requester.schema.passes[0].id
        unit.unit._runs._files.write_result(
            run.name[-32:],
            PassAnswers(pass_id, outcomes, sealed, bits),
            MetPairs.sorted(*np.zeros((2, 0), np.uint64)),
        )
        named = run_service_pb2.StreamResultsRequest(name=run.name)
        erase = dataset_service_pb2.DeleteDatasetRequest(name=run.requester_dataset)
        return Open(
            unit,
            requester,
            reading(requester.runs.StreamResults(named), self.hold),
            (lambda: requester.datasets.DeleteDataset(erase), "DATASET_STATE_INVALID"),
        )

    def WatchRun(self) -> Open:  # noqa: N802
        """A run that does not end."""
        self.gate = getattr(self, "gate", None) or Gate()
        unit, requester, run = self._run(self.gate)
        assert self.gate.reached.wait(PATIENCE)
        named = run_service_pb2.WatchRunRequest(name=run.name)
        return Open(unit, requester, reading(requester.runs.WatchRun(named), self.hold))

    def WaitOperation(self) -> Open:  # noqa: N802
        """No stream, but it lasts as long."""
        self.gate = getattr(self, "gate", None) or Gate()
        unit, requester, run = self._run(self.gate)
        assert self.gate.reached.wait(PATIENCE)
        wait = operations_pb2.WaitOperationRequest(name=f"operations/{run.name[-32:]}")
        future = requester.operations.WaitOperation.future(wait)
        return Open(unit, requester, lambda: future.result(PATIENCE))

    def UploadTable(self) -> Open:  # noqa: N802
        """A table of which some rows are safe."""
        if not hasattr(self, "_unit"):
            self._unit = self._make_unit(settings={"limits": {"sync_bytes": 1024}})
            self._unit.pair()
        provider = self._unit.client("bkn")
        made = provider.create(100)
        (name, table), *_ = provider.tables(100).items()
        status = dataset_service_pb2.QueryWriteStatusRequest(table=f"{made.name}/tables/{name}")

        def ready() -> None:
            while not provider.datasets.QueryWriteStatus(status).committed_rows:
                pass

        messages = chunks(status.table, table, step=64)
        return Open(
            self._unit,
            provider,
            sending(provider.datasets.UploadTable, messages, ready),
            (lambda: (self._unit.pass_time(days=8), self._unit.sweep()), "DATASET_STATE_INVALID"),
        )

    def _publisher(self):
        if not hasattr(self, "_unit"):
            self._unit = self._make_unit()
            self._publishes = self._unit.client("bkn", "casn-agregat")
        return self._unit, self._publishes

    def CreateRelease(self) -> Open:  # noqa: N802
        """A release that would go on for long."""
        unit, provider = self._publisher()
        described = release_service_pb2.Release(version=1, size_bytes=4096, digest=b"d" * 32)
        first = release_service_pb2.CreateReleaseRequest(parent=provider.line(), release=described)
        piece = release_service_pb2.CreateReleaseRequest(content=b"x")
        messages = itertools.chain([first], itertools.repeat(piece, 4095))
        return Open(unit, provider, sending(provider.releases.CreateRelease, messages))

    def DownloadRelease(self) -> Open:  # noqa: N802
        """A release that does not fit a connection."""
        unit, provider = self._publisher()
        receiver = unit.client("kemnaker", "casn-agregat")
        name = f"{provider.line()}/releases/1"
        if not hasattr(self, "_released"):
            self._released = provider.release(1, b"x" * _LARGE)
        erase = release_service_pb2.DeleteReleaseRequest(name=name)
        named = release_service_pb2.DownloadReleaseRequest(name=name)
        return Open(
            unit,
            receiver,
            reading(receiver.releases.DownloadRelease(named), self.hold),
            (lambda: provider.releases.DeleteRelease(erase), "RELEASE_NOT_FOUND"),
        )

    def _provider(self):
        if not hasattr(self, "_made"):
            self._made = self._make_provider(published=False)
            self._made.publisher.publish(rows=_LARGE // ROW_BYTES)
            self._made.rescan()
        return self._made

    def DownloadLabelTable(self) -> Open:  # noqa: N802
        """A table that does not fit a connection."""
        provider = self._provider()
        party = provider.client()
        name = f"{party.parent}/labelTables/{table_id('a')}"
        named = direct_service_pb2.DownloadLabelTableRequest(name=name)

        def expire() -> None:
            provider.clock.forward(days=31)
            provider.provider.clock.accept()
            provider.provider._tables.erase_expired()

        call = party.direct.DownloadLabelTable(named)
        return Open(provider, party, reading(call, self.hold), (expire, "TABLE_EXPIRED"))

    def EvaluateElementStream(self) -> Open:  # noqa: N802
        """One chunk is answered, the next comes later."""
        provider = self._provider()
        party, mine = provider.client(), asked(3)
        made = mine.commit(party)
        more = threading.Event()

        def requests():
            yield mine.message(made.name, 0)
            assert more.wait(PATIENCE)
            yield mine.message(made.name, 0)

        answers = party.direct.EvaluateElementStream(requests())
        next(answers)

        def go_on():
            more.set()
            return list(answers)

        return Open(provider, party, go_on)


_SERVICES = [
    *agreement_service_pb2.DESCRIPTOR.services_by_name.values(),
    *confirmation_service_pb2.DESCRIPTOR.services_by_name.values(),
    *dataset_service_pb2.DESCRIPTOR.services_by_name.values(),
    *direct_service_pb2.DESCRIPTOR.services_by_name.values(),
    *release_service_pb2.DESCRIPTOR.services_by_name.values(),
    *run_service_pb2.DESCRIPTOR.services_by_name.values(),
    *operations_pb2.DESCRIPTOR.services_by_name.values(),
]
#: Methods that answer late without a stream.
_WAITING = {"WaitOperation"}
LASTING = sorted(
    method.name
    for service in _SERVICES
    for method in service.methods
    if method.client_streaming or method.server_streaming or method.name in _WAITING
)


@pytest.fixture
def streams(make_unit, make_provider, monkeypatch):
    """Opens streams."""
    made = Streams(make_unit, make_provider, Hold(monkeypatch))
    yield made
    made.hold.going_on.set()
    if hasattr(made, "gate"):
        made.gate.opened.set()


def suspended(opened, monkeypatch):
    """The other party suspends."""
    del monkeypatch
    agreement = opened.party.signed.agreement
    (other,) = {p.id for p in agreement.parties} - {opened.party.party}
    client = opened.server.client(other)
    name = f"agreements/{agreement.id}"
    client.agreements.SuspendAgreement(
        agreement_service_pb2.SuspendAgreementRequest(name=name, article="Pasal 10")
    )
    resume = agreement_service_pb2.ResumeAgreementRequest(name=name)
    return lambda: client.agreements.ResumeAgreement(resume)


def withdrawn(opened, monkeypatch):
    """The operator takes the agreement's file away."""
    del monkeypatch
    folder = opened.server.house.agreements_dir
    aside = folder.with_name("withdrawn")
    folder.rename(aside)
    folder.mkdir()
    opened.role._book.reload()

    def undo():
        folder.rmdir()
        aside.rename(folder)
        opened.role._book.reload()

    return undo


def revoked(opened, monkeypatch):
    """The caller's key is no party's any more."""

    def nobody(*_):
        raise Refusal(Reason.CALLER_UNKNOWN)

    with monkeypatch.context() as patched:
        patched.setattr(Pins, "party_of", nobody)
        ended(opened, "CALLER_UNKNOWN")
    return lambda: None


def expired(opened, monkeypatch):
    """The agreement's last day passes."""
    del monkeypatch
    opened.server.clock.forward(days=365 * 6)
    opened.role.clock.accept()
    return lambda: None


def ended(opened, reason):
    """The stream ends with that reason."""
    with pytest.raises(grpc.RpcError) as caught:
        opened.go_on()
    assert refusal(caught.value).reason == reason


@pytest.mark.parametrize("method", LASTING)
def test_what_lasts_ends_with_what_it_rests_on(streams, monkeypatch, method):
    opening = getattr(streams, method, None)
    assert opening, f"{method} lasts: say here how to open it, and what it rests on"
    for fault, reason in (
        (suspended, "AGREEMENT_SUSPENDED"),
        (withdrawn, "AGREEMENT_NOT_FOUND"),
        (revoked, ""),
    ):
        opened = opening()
        undo = fault(opened, monkeypatch)
        if reason:
            ended(opened, reason)
        undo()
    opened = opening()
    if opened.erase is not None:
        erase, reason = opened.erase
        erase()
        ended(opened, reason)
        return
    expired(opened, monkeypatch)
    ended(opened, "AGREEMENT_EXPIRED")


@pytest.mark.parametrize("method", ["StreamResults", "DownloadRelease"])
def test_a_download_ends_with_the_agreements_last_day(streams, monkeypatch, method):
    opened = getattr(streams, method)()
    expired(opened, monkeypatch)
    ended(opened, "AGREEMENT_EXPIRED")


def test_a_stream_that_stands_comes_whole(streams):
    opened = streams.DownloadRelease()
    pieces = opened.go_on()
    assert hashlib.sha256(b"x" * _LARGE).digest() == streams._released.digest
    assert sum(len(p.content) for p in pieces) + 256 * 1024 == _LARGE
