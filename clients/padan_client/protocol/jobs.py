"""The life of a job: one for publishing and confirming, in either mode.

1. Open the pending job of this input, or a new one.
2. Start it anew where what it began with is there no more.
3. Carry it out, going on from what it remembers; a refusal that leaves no hope closes it, and
   cleans up behind it.
4. Deliver the result, then close the job, then clean up behind it.

However this ends, others may work on the job afterwards. A crash at any moment leaves a job with
which the same command goes on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import pyarrow as pa

from padan_client.base.clock import Clock, utc_now
from padan_client.base.effects import Steps, work
from padan_client.base.errors import RefusedError
from padan_client.base.place import FlowPlace
from padan_client.base.version import VERSION
from padan_client.home.folder import Home
from padan_client.home.jobs import Job, JobStore, input_digest
from padan_client.protocol.progress import Progress, Report, Stage
from padan_client.records.persons import Consent, ask_nobody
from padan_client.results.table import ConfirmResult
from padan_linkage.normalise import NORMALISER_VERSION
from padan_linkage.schema import Schema

P = TypeVar("P")
T = TypeVar("T")

Deliver = Callable[[ConfirmResult], None]


@dataclass(frozen=True, repr=False)
class Command(Generic[P]):
    """What is wanted: a flow's records published or confirmed, by the side that ``place`` is of.

    ``prepare`` makes the records of what was given, ``deliver`` gets a result before anything is
    let go of, ``threads`` encode; ``consent`` is asked where a registry has people twice.
    """

    home: Home
    place: FlowPlace
    prepare: Callable[[FlowPlace, Schema], P]
    report: Report
    threads: int
    deliver: Deliver | None = None
    consent: Consent = ask_nobody
    now: Clock = utc_now

    def prepared(self, schema: Schema) -> Steps[P]:
        """The records, ready to be encoded."""
        self.report(Progress(Stage.PREPARE, 0, 1))
        made = yield from work(lambda: self.prepare(self.place, schema))
        pa.default_memory_pool().release_unused()  # what reading and normalising took
        return made

    def delivered(self, result: ConfirmResult) -> ConfirmResult:
        """Hand the result over."""
        if self.deliver is not None:
            self.deliver(result)
        return result


@dataclass(frozen=True, repr=False)
class JobInput:
    """What a job is found again by: the same command with the same input has the same digest.

    A new version of the program or the normaliser starts a new job. ``epoch`` is 0 where the job
    is of none; ``more`` is whatever else decides what is made of ``records``.
    """

    kind: str
    place: FlowPlace
    epoch: int
    schema_digest: bytes
    records: pa.Table
    more: tuple[str | int, ...] = ()

    def digest(self, key: bytes) -> bytes:
        """Digest of everything that decides what the job encodes, 32 bytes, keyed."""
        place = self.place
        epoch = (self.epoch,) if self.epoch else ()
        versions = (self.schema_digest, NORMALISER_VERSION, VERSION)
        context = (place.digest, place.flow.id, *epoch, *versions, *self.more)
        return input_digest(key, context, self.records)


class Stepper(ABC, Generic[T]):
    """What differs from job to job. T is the result."""

    #: Refusals after which the job will never give a result.
    HOPELESS: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def is_gone(self, job: Job) -> Steps[bool]:
        """Whether what the job began with is there no more."""

    @abstractmethod
    def carry_out(self, job: Job) -> Steps[T]:
        """Do the work; whatever must not be done twice is remembered in the job before."""

    def deliver(self, result: T) -> Steps[T]:
        """Hand the result over. Returns it as it was handed over."""
        yield from ()
        return result

    def clean_up(self, _: Job) -> Steps[None]:
        """Let go of what nobody needs once the job is closed."""
        yield from ()


def drive(home: Home, given: JobInput, stepper: Stepper[T]) -> Steps[T]:
    """Find or start the job of ``given`` and lead it to its end. Returns its result.

    Raises BadInputError while another process works on it.
    """
    jobs, place = home.jobs, given.place
    digest = yield from work(lambda: given.digest(home.identity.derive(b"job digest")))
    job = jobs.open(
        given.kind, digest, agreement=place.agreement.id, flow=place.flow.id, epoch=given.epoch
    )
    try:
        if (yield from stepper.is_gone(job)):
            job = jobs.renew(job)
        result = yield from _carried_out(jobs, job, stepper)
        result = yield from stepper.deliver(result)
        yield from work(lambda: jobs.close(job))
        yield from stepper.clean_up(job)
    finally:
        jobs.release(job)
    return result


def _carried_out(jobs: JobStore, job: Job, stepper: Stepper[T]) -> Steps[T]:
    try:
        return (yield from stepper.carry_out(job))
    except RefusedError as refusal:
        if refusal.reason in stepper.HOPELESS:
            yield from work(lambda: jobs.close(job))
            yield from stepper.clean_up(job)
        raise
