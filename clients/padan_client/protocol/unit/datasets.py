"""Puts a whole dataset to the unit: create, upload every pass in random order, commit.

Every step may be repeated after a crash: the job holds the request ids, the name the unit gave and
the seed from which the same tables are encoded again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from padan.v1 import dataset_service_pb2 as pb
from padan.v1 import resources_pb2
from padan.v1.reason_texts import Reason
from padan_client.base.effects import Patience, Steps, call, work
from padan_client.base.errors import RefusedError, VerificationError
from padan_client.base.language import t
from padan_client.base.place import FlowPlace
from padan_client.home.jobs import Job, JobStore
from padan_client.protocol.jobs import Command, Stepper
from padan_client.protocol.progress import Progress, Report, Stage
from padan_client.protocol.session import Session
from padan_client.protocol.unit.uploading import upload_table
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.tables import Chunked

T = TypeVar("T")

Encode = Callable[[str], Chunked]


@dataclass(frozen=True, repr=False)
class DatasetUpload:
    """What is to be put: the dataset's description and the maker of each pass's table.

    ``edition`` makes a whole registry's once every table was made.
    """

    dataset: pb.Dataset
    encode: Encode
    edition: Callable[[], resources_pb2.Edition] | None = None


@dataclass(frozen=True, repr=False)
class Task:
    """A job on its way: the session, the job and its store, patience, and who is told."""

    session: Session
    job: Job
    jobs: JobStore
    patience: Patience
    report: Report

    @property
    def drbg(self) -> Drbg:
        """The job's generator from its beginning; fork it by label."""
        return Drbg(self.job.seed_bytes())

    def remember(self, **names: str) -> Steps[None]:
        """Keep names that the unit gave, durably, before going on."""
        yield from work(lambda: self.jobs.remember(self.job, **names))


@dataclass(frozen=True, repr=False)
class UnitStepper(Stepper[T]):
    """The work of a job that puts a dataset to the unit."""

    command: Command[Any]
    session: Session

    def task(self, job: Job) -> Task:
        """The job on its way."""
        home = self.command.home
        return Task(self.session, job, home.jobs, home.patience, self.command.report)

    def is_gone(self, job: Job) -> Steps[bool]:
        """Whether the job's dataset was deleted at the unit since."""
        name = job.names.get("dataset")
        if name is None:
            return False
        try:
            found = yield from call(
                "DatasetService.GetDataset",
                pb.GetDatasetRequest(name=name),
                pb.Dataset,
                self.command.home.patience,
            )
        except RefusedError as refusal:
            if refusal.reason == Reason.DATASET_NOT_FOUND:
                return True
            raise
        return found.state == pb.Dataset.STATE_DELETED


def describe(
    session: Session, role: resources_pb2.Role.ValueType, records: int, rows: int
) -> pb.Dataset:
    """The description of a dataset of ``records`` records in tables of ``rows`` rows."""
    return pb.Dataset(
        role=role,
        record_count=records,
        encoding=session.encoding(),
        tables=[pb.Table(pass_id=p.id, row_count=rows) for p in session.schema.passes],
    )


def put_dataset(task: Task, upload: DatasetUpload) -> Steps[pb.Dataset]:
    """Create (or find again), fill and commit a dataset. Returns it as it was committed."""
    created = yield from call(
        "DatasetService.CreateDataset",
        pb.CreateDatasetRequest(
            parent=task.session.place.name,
            dataset=upload.dataset,
            request_id=task.job.request_ids["create"],
        ),
        pb.Dataset,
        task.patience,
    )
    name = _checked_name(task.session.place, created, upload.dataset)
    yield from task.remember(dataset=name)
    if created.state == pb.Dataset.STATE_COMMITTED:
        return created
    yield from _fill(task, name, upload)
    request = pb.CommitDatasetRequest(name=name, request_id=task.job.request_ids["commit"])
    if upload.edition is not None:
        # Spec 36, "Carried", step 2.
        request.edition.CopyFrom((yield from work(upload.edition)))
    committed = yield from call("DatasetService.CommitDataset", request, pb.Dataset, task.patience)
    if committed.name != name or committed.state != pb.Dataset.STATE_COMMITTED:
        raise not_as_requested()
    return committed


def _fill(task: Task, name: str, upload: DatasetUpload) -> Steps[None]:
    """Upload the passes in an order that says nothing about the schema's."""
    passes = task.session.schema.passes
    rows = upload.dataset.tables[0].row_count
    order = task.drbg.fork("pass order").permutation(len(passes))
    for number, index in enumerate(order.tolist()):
        pass_id = passes[index].id
        done, total = number * rows, len(passes) * rows
        task.report(Progress(Stage.ENCODE, number, len(passes), pass_id))
        table = yield from work(lambda pass_id=pass_id: upload.encode(pass_id))  # type: ignore[misc]

        def told(safe: int, pass_id: str = pass_id, done: int = done, total: int = total) -> None:
            task.report(Progress(Stage.UPLOAD, done + safe, total, pass_id))

        yield from upload_table(f"{name}/tables/{pass_id}", table, task.patience, told)
        del table  # before the next one is made


def _checked_name(place: FlowPlace, created: pb.Dataset, wanted: pb.Dataset) -> str:
    """The name of what was created, if it is what was asked for."""
    expected = re.escape(place.name) + r"/datasets/[A-Za-z0-9_-]{1,64}"
    same = (
        created.role == wanted.role
        and created.record_count == wanted.record_count
        and created.encoding == wanted.encoding
        and sorted(t_.pass_id for t_ in created.tables)
        == sorted(t_.pass_id for t_ in wanted.tables)
    )
    if not re.fullmatch(expected, created.name) or not same:
        raise not_as_requested()
    return created.name


def not_as_requested() -> VerificationError:
    """The unit answers about something else."""
    return VerificationError(
        t(
            "Unit pemadanan menyebut himpunan data atau pemadanan lain dari yang diminta. Hubungi "
            "operator unit.",
            "The linkage unit speaks of another dataset or run than was asked for. Ask the unit's "
            "operator.",
        )
    )
