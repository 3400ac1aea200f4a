"""Protobuf to domain types and back, for agreements, datasets and runs."""

from __future__ import annotations

import hashlib
import math
import re
import uuid
from datetime import datetime
from typing import Any

from google.protobuf import duration_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from padan.v1 import agreement_service_pb2 as agreement_pb
from padan.v1 import dataset_service_pb2 as dataset_pb
from padan.v1 import resources_pb2 as resources_pb
from padan.v1 import run_service_pb2 as run_pb
from padan_linkage.agreement import AgreementState, SignedAgreement, Standing
from padan_linkage.agreement import term as term_of
from padan_linkage.answering.answers import PassAnswers, PassCounts
from padan_server.admission.enforcement import Grant
from padan_server.base.errors import field_invalid
from padan_server.base.model import (
    Contribution,
    Dataset,
    DatasetState,
    EditionRecord,
    Encoding,
    RequestKey,
    Role,
    Run,
    RunState,
    Seal,
)
from padan_server.datasets.editions import HandedEdition
from padan_server.datasets.opening import MOST_IN_DATASET, NewDataset
from padan_server.datasets.uploads import UploadChunk
from padan_server.matching.progress import Step
from padan_server.services import names
from padan_server.services.guard.call import current_call
from padan_server.services.guard.handshakes import made_by

_ROW_COLUMNS = ("keys", "filters", "presence", "tags", "handles", "sealed_codes", "operations")
_NORMALISER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_ROLES = {
    resources_pb.ROLE_PROVIDER: Role.PROVIDER,
    resources_pb.ROLE_REQUESTER: Role.REQUESTER,
}
_PB_ROLES = {role: number for number, role in _ROLES.items()}
_DATASET_STATES = {
    DatasetState.OPEN: dataset_pb.Dataset.STATE_OPEN,
    DatasetState.COMMITTED: dataset_pb.Dataset.STATE_COMMITTED,
    DatasetState.DELETING: dataset_pb.Dataset.STATE_DELETED,
    DatasetState.DELETED: dataset_pb.Dataset.STATE_DELETED,
}
_RUN_STATES = {
    RunState.PENDING: run_pb.Run.STATE_PENDING,
    RunState.RUNNING: run_pb.Run.STATE_RUNNING,
    RunState.SUCCEEDED: run_pb.Run.STATE_SUCCEEDED,
    RunState.FAILED: run_pb.Run.STATE_FAILED,
    RunState.CANCELLED: run_pb.Run.STATE_CANCELLED,
    RunState.CLOSED: run_pb.Run.STATE_CLOSED,
}
_AGREEMENT_STATES = {
    AgreementState.PENDING: agreement_pb.Agreement.STATE_PENDING,
    AgreementState.IN_FORCE: agreement_pb.Agreement.STATE_IN_FORCE,
    AgreementState.SUSPENDED: agreement_pb.Agreement.STATE_SUSPENDED,
    AgreementState.EXPIRED: agreement_pb.Agreement.STATE_EXPIRED,
    AgreementState.SUPERSEDED: agreement_pb.Agreement.STATE_SUPERSEDED,
}


def request_key(request: Any) -> RequestKey | None:
    """Scope, id and digest of a request that names itself; None if it does not."""
    if not request.request_id:
        return None
    try:
        name = str(uuid.UUID(request.request_id))
    except ValueError:
        raise field_invalid("request_id", "harus UUID", "must be a UUID") from None
    call = current_call()
    bare = type(request)()
    bare.CopyFrom(request)
    bare.ClearField("request_id")
    digest = hashlib.sha256(bare.SerializeToString(deterministic=True)).digest()
    return RequestKey(call.party, call.method, name, digest)


def exact_bytes(field: str, value: bytes, length: int) -> bytes:
    """``value`` if it has ``length`` bytes."""
    if len(value) != length:
        raise field_invalid(field, f"harus {length} bita", f"must be {length} bytes")
    return value


def encoding(field: str, message: resources_pb.EncodingContext) -> Encoding:
    """An encoding context, each value checked for form."""
    if message.epoch < 1:
        raise field_invalid(f"{field}.epoch", "dihitung dari 1", "counts from 1")
    if not _NORMALISER.fullmatch(message.normaliser_version):
        raise field_invalid(
            f"{field}.normaliser_version", "wajib: nama versi", "required: name a version"
        )
    return Encoding(
        message.epoch,
        exact_bytes(f"{field}.key_check_value", message.key_check_value, 16),
        exact_bytes(f"{field}.schema_digest", message.schema_digest, 32),
        message.normaliser_version,
        made_by(f"{field}.made_by", message.made_by),
    )


def new_dataset(grant: Grant, message: dataset_pb.Dataset) -> NewDataset:
    """What a CreateDatasetRequest asks for."""
    role = _ROLES.get(message.role)
    if role is None:
        raise field_invalid("dataset.role", "wajib", "required")
    if not 1 <= message.record_count <= MOST_IN_DATASET:
        raise field_invalid(
            "dataset.record_count", f"1 sampai {MOST_IN_DATASET}", f"1 to {MOST_IN_DATASET}"
        )
    seal = None
    if message.HasField("seal"):
        seal = Seal(
            exact_bytes("dataset.seal.seal_id", message.seal.seal_id, 16),
            exact_bytes("dataset.seal.encapsulated_key", message.seal.encapsulated_key, 32),
        )
    return NewDataset(
        role=role,
        record_count=message.record_count,
        encoding=encoding("dataset.encoding", message.encoding),
        tables=tuple((t.pass_id, t.row_count) for t in message.tables),
        seal=seal,
        base=dataset_in(grant, "dataset.base_dataset", message.base_dataset),
    )


def handed_edition(message: dataset_pb.CommitDatasetRequest) -> HandedEdition | None:
    """The edition that comes with a commit, if one does."""
    if not message.HasField("edition"):
        return None
    given = message.edition
    return HandedEdition(given.document, given.signature, given.calibrations)


def dataset_in(grant: Grant, field: str, name: str) -> str:
    """Id of a dataset of the admitted flow; empty for none."""
    if not name:
        return ""
    agreement, flow, dataset_id = names.parse_dataset(field, name)
    if (agreement, flow) != (grant.key.agreement, grant.key.flow):
        raise field_invalid(field, "harus dari alur yang sama", "must be of the same flow")
    return dataset_id


def rows(message: resources_pb.TableRows) -> dict[str, bytes]:
    """The packed columns of some rows, absent ones empty."""
    return {name: getattr(message, name) for name in _ROW_COLUMNS}


def chunk(message: dataset_pb.UploadTableRequest) -> UploadChunk:
    """A piece of a table."""
    return UploadChunk(
        row_offset=message.row_offset,
        row_count=message.rows.row_count,
        columns=rows(message.rows),
        digest=message.chunk_digest,
        finish=message.finish_write,
        table_digest=message.table_digest,
    )


def timestamp(moment: datetime | None) -> Timestamp | None:
    """A moment as protobuf has it."""
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def dataset_message(dataset: Dataset) -> dataset_pb.Dataset:
    """A dataset as its owner sees it."""
    name = names.dataset_name(dataset.flow, dataset.id)
    return dataset_pb.Dataset(
        name=name,
        role=_PB_ROLES[dataset.role],
        state=_DATASET_STATES[dataset.state],
        record_count=dataset.record_count,
        encoding=_encoding_message(dataset.encoding),
        tables=[
            dataset_pb.Table(
                name=f"{name}/tables/{t.pass_id}",
                pass_id=t.pass_id,
                row_count=t.rows,
                committed_rows=t.uploaded,
                complete=t.complete,
            )
            for t in dataset.tables
        ],
        seal=seal_message(dataset.seal),
        base_dataset=names.dataset_name(dataset.flow, dataset.base),
        create_time=timestamp(dataset.create_time),
        commit_time=timestamp(dataset.commit_time),
        expire_time=timestamp(dataset.expire_time),
        edition=names.edition_name(dataset.flow, dataset.edition),
    )


def registry_message(registry: Dataset) -> dataset_pb.Registry:
    """A registry as both parties of its flow may know it."""
    return dataset_pb.Registry(
        dataset=names.dataset_name(registry.flow, registry.id),
        edition=names.edition_name(registry.flow, registry.edition),
        encoding=_encoding_message(registry.encoding),
        commit_time=timestamp(registry.commit_time),
    )


def _encoding_message(encoding: Encoding) -> resources_pb.EncodingContext:
    return resources_pb.EncodingContext(
        epoch=encoding.epoch,
        key_check_value=encoding.key_check_value,
        schema_digest=encoding.schema_digest,
        normaliser_version=encoding.normaliser_version,
        made_by=encoding.made_by,
    )


def edition_message(edition: EditionRecord) -> resources_pb.Edition:
    """An edition as the parties of its flow see it."""
    return resources_pb.Edition(
        name=names.edition_name(edition.flow, edition.name),
        document=edition.document,
        signature=edition.signature,
    )


def seal_message(seal: Seal | None) -> resources_pb.Seal | None:
    """A registry's seal; a list has none."""
    if seal is None:
        return None
    return resources_pb.Seal(seal_id=seal.seal_id, encapsulated_key=seal.encapsulated_key)


def run_message(run: Run, step: Step) -> run_pb.Run:
    """A run as its requester sees it."""
    left = None
    if step.seconds_left is not None:
        left = duration_pb2.Duration(seconds=math.ceil(step.seconds_left))
    return run_pb.Run(
        name=names.run_name(run.flow, run.id),
        requester_dataset=names.dataset_name(run.flow, run.requester_dataset),
        provider_dataset=names.dataset_name(run.flow, run.provider_dataset),
        state=_RUN_STATES[run.state],
        record_count=run.record_count,
        # Of a run that may yet be closed nothing is told (spec 32).
        passes=[_counts(p) for p in run.passes if run.state is RunState.SUCCEEDED],
        progress=step.share,
        remaining_time=left,
        failure_reason=run.failure_reason,
        edition=names.edition_name(run.flow, run.edition),
        create_time=timestamp(run.create_time),
        end_time=timestamp(run.end_time),
    )


def _counts(p: PassCounts) -> resources_pb.PassCounts:
    return resources_pb.PassCounts(
        pass_id=p.pass_id,
        requester_rows=p.requester_rows,
        provider_rows=p.provider_rows,
        matched_rows=p.matched_rows,
        ambiguous_rows=p.ambiguous_rows,
        undecided_rows=p.undecided_rows,
    )


def matched_rows(first: int, answers: PassAnswers) -> resources_pb.MatchedRows:
    """Answers for the rows of one pass from ``first`` on."""
    return resources_pb.MatchedRows(
        pass_id=answers.pass_id,
        row_offset=first,
        row_count=len(answers),
        outcomes=answers.outcome.tobytes(),
        sealed_codes=answers.sealed.tobytes(),
        confirmations=answers.confirmations.tobytes(),
    )


def agreement_message(
    signed: SignedAgreement, standing: Standing, article: str, suspended_by: list[str]
) -> agreement_pb.Agreement:
    """An agreement with the bytes that its parties signed."""
    if signed.agreement is None:
        raise LookupError("an agreement that was not loaded")
    start, end = term_of(signed.agreement)
    return agreement_pb.Agreement(
        name=f"agreements/{signed.id}",
        document=signed.document,
        digest=signed.digest,
        signatures=[
            agreement_pb.AgreementSignature(party=party, signature=signature)
            for party, signature in sorted(signed.signatures.items())
        ],
        state=_AGREEMENT_STATES[standing.state],
        state_article=article,
        start_time=timestamp(start),
        end_time=timestamp(end),
        suspended_by=suspended_by,
    )


def contribution_message(contribution: Contribution) -> resources_pb.EpochContribution:
    """A contribution."""
    return resources_pb.EpochContribution(
        epoch=names.epoch_name(contribution.flow, contribution.epoch),
        party=contribution.party,
        public_key=contribution.public_key,
        signature=contribution.signature,
        create_time=timestamp(contribution.create_time),
    )
